// SPDX-License-Identifier: GPL-2.0
/*
 * nomsix: hides one device's MSI-X capability from whoever binds to it next,
 * so that a driver's fallback to a single MSI can be tried on a device that
 * has both. Unloading the module shows the capability again.
 */
#include <linux/module.h>
#include <linux/pci.h>

static char *device = "";
module_param(device, charp, 0444);
MODULE_PARM_DESC(device, "PCI address, such as 0000:01:00.0");

static struct pci_dev *victim;
static u8 msix_cap;

static int __init nomsix_init(void)
{
	unsigned int domain, bus, slot, function;

	if (sscanf(device, "%x:%x:%x.%x", &domain, &bus, &slot, &function) != 4)
		return -EINVAL;
	victim = pci_get_domain_bus_and_slot(domain, bus, PCI_DEVFN(slot, function));
	if (!victim)
		return -ENODEV;
	msix_cap = victim->msix_cap;
	victim->msix_cap = 0;
	return 0;
}
module_init(nomsix_init);

static void __exit nomsix_exit(void)
{
	victim->msix_cap = msix_cap;
	pci_dev_put(victim);
}
module_exit(nomsix_exit);

MODULE_DESCRIPTION("Test aid: hide a device's MSI-X capability");
MODULE_LICENSE("GPL");
