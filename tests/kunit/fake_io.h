/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Comes before each of the driver's sources: its registers are fake.c's.
 */
#ifndef _IGB_FAKE_IO_H_
#define _IGB_FAKE_IO_H_

#include <linux/io.h>

u32 fake_readl(const volatile void __iomem *addr);
void fake_writel(u32 val, volatile void __iomem *addr);

#undef readl
#undef writel
#define readl(addr)		fake_readl(addr)
#define writel(val, addr)	fake_writel(val, addr)

#endif /* _IGB_FAKE_IO_H_ */
