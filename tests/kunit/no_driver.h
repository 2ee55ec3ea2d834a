/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Comes before igb_main.c: its functions are wanted, but no driver of devices.
 */
#ifndef _IGB_NO_DRIVER_H_
#define _IGB_NO_DRIVER_H_

#include <linux/module.h>
#include <linux/pci.h>

extern struct pci_driver * const igb_kunit_driver;

#undef MODULE_DEVICE_TABLE
#define MODULE_DEVICE_TABLE(...)
#undef module_pci_driver
#define module_pci_driver(driver)					\
	struct pci_driver * const igb_kunit_driver = &(driver)

#endif /* _IGB_NO_DRIVER_H_ */
