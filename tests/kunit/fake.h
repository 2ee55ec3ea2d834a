/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A port on a fake chip: registers are memory, but for what an 82576 does by
 * itself when some of them are read or written.
 */
#ifndef _IGB_FAKE_H_
#define _IGB_FAKE_H_

#include <kunit/resource.h>
#include <kunit/test.h>

#include "igb.h"

/**
 * struct fake_chip - the chip of the test that runs
 * @reg: what its registers read, as memory
 * @phy: registers of the PHY, behind MDIC
 * @nvm: words of the NVM, behind EERD
 * @dead: it answers nothing but this, if not zero
 * @missing: registers from here on...
 * @missing_end: ...to before here read zero
 * @writes: writes that it has seen
 */
struct fake_chip {
	u32 reg[IGB_BAR0_SIZE / 4];
	u16 phy[32];
	u16 nvm[IGB_NVM_CHECKSUM_WORDS];
	u32 dead;
	u32 missing;
	u32 missing_end;
	unsigned int writes;
};

struct igb_adapter *fake_port(struct kunit *test, unsigned int queues);
struct igb_queue *fake_queue(struct kunit *test, u16 count, bool split);

/* The chip that a port is on. */
static inline struct fake_chip *fake_chip_of(const struct igb_adapter *adapter)
{
	return (__force struct fake_chip *)adapter->hw.io;
}

/* What the driver wrote to a register. */
static inline u32 fake_get(const struct igb_adapter *adapter, u32 reg)
{
	return fake_chip_of(adapter)->reg[reg / 4];
}

/* What the driver will read from a register. */
static inline void fake_set(struct igb_adapter *adapter, u32 reg, u32 val)
{
	fake_chip_of(adapter)->reg[reg / 4] = val;
}

#endif /* _IGB_FAKE_H_ */
