// SPDX-License-Identifier: GPL-2.0
/*
 * The fake chip: what its registers do.
 */
#include <linux/device.h>
#include <linux/vmalloc.h>

#include "fake.h"
#include "fake_io.h"

/* Bus mastering granted, link up, 1000 Mb/s, full duplex. */
#define FAKE_STATUS		0x80080483

#define FAKE_FIRST_COUNTER	0x4000
#define FAKE_LAST_COUNTER	0x4138

/* Tests come one after the other. */
static struct fake_chip *chip;

static u32 fake_offset(const volatile void __iomem *addr)
{
	return (__force const volatile u8 *)addr - (__force const volatile u8 *)chip;
}

/* Octets have two registers, and reading the upper one clears both. */
static bool fake_is_low_half(u32 reg)
{
	static const u32 low[] = { 0x4088, 0x4090, 0x40c0, 0x40c8, 0x4128, 0x4130 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(low); i++)
		if (reg == low[i])
			return true;
	return false;
}

static void fake_clear_counter(u32 reg)
{
	if (fake_is_low_half(reg))
		return;
	chip->reg[reg / 4] = 0;
	if (fake_is_low_half(reg - 4))
		chip->reg[reg / 4 - 1] = 0;
}

u32 fake_readl(const volatile void __iomem *addr)
{
	u32 reg = fake_offset(addr);
	u32 val = chip->reg[reg / 4];

	if (chip->dead)
		return chip->dead;
	if (reg >= chip->missing && reg < chip->missing_end)
		return 0;
	if (reg == IGB_SWSM)
		chip->reg[reg / 4] |= IGB_SWSM_SMBI;
	if (reg >= FAKE_FIRST_COUNTER && reg <= FAKE_LAST_COUNTER)
		fake_clear_counter(reg);
	return val;
}

static u32 fake_mdic(u32 mdic)
{
	u32 phy = FIELD_GET(IGB_MDIC_REGADD, mdic);

	if (FIELD_GET(IGB_MDIC_OP, mdic) == IGB_MDIC_WRITE)
		chip->phy[phy] = FIELD_GET(IGB_MDIC_DATA, mdic);
	mdic &= ~IGB_MDIC_DATA;
	return mdic | IGB_MDIC_READY | FIELD_PREP(IGB_MDIC_DATA, chip->phy[phy]);
}

static u32 fake_eerd(u32 eerd)
{
	u32 word = FIELD_GET(IGB_EERD_ADDR, eerd) % ARRAY_SIZE(chip->nvm);

	return eerd | IGB_EERD_DONE | FIELD_PREP(IGB_EERD_DATA, chip->nvm[word]);
}

void fake_writel(u32 val, volatile void __iomem *addr)
{
	u32 reg = fake_offset(addr);

	chip->writes++;
	if (reg == IGB_MDIC)
		val = fake_mdic(val);
	if (reg == IGB_EERD)
		val = fake_eerd(val);
	if (reg == IGB_CTRL)
		val &= ~IGB_CTRL_RST;
	chip->reg[reg / 4] = val;
}

static void fake_free_netdev(void *netdev)
{
	free_netdev(netdev);
}

static void fake_free_device(void *dev)
{
	root_device_unregister(dev);
}

static void fake_free_chip(void *registers)
{
	vfree(registers);
}

/* A port after a reset, of @queues queues, that goes away with the test. */
struct igb_adapter *fake_port(struct kunit *test, unsigned int queues)
{
	struct igb_adapter *adapter;
	struct net_device *netdev;
	struct device *dev;

	chip = vzalloc(sizeof(*chip));
	KUNIT_ASSERT_NOT_NULL(test, chip);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, fake_free_chip, chip));
	netdev = alloc_etherdev_mqs(sizeof(*adapter), IGB_MAX_QUEUES, IGB_MAX_QUEUES);
	KUNIT_ASSERT_NOT_NULL(test, netdev);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, fake_free_netdev, netdev));
	dev = root_device_register("fake");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, fake_free_device, dev));

	adapter = netdev_priv(netdev);
	adapter->netdev = netdev;
	adapter->num_queues = queues;
	igb_hw_setup(&adapter->hw, dev, (__force void __iomem *)chip);
	fake_set(adapter, IGB_STATUS, FAKE_STATUS);
	return adapter;
}
