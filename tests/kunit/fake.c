// SPDX-License-Identifier: GPL-2.0
/*
 * The fake chip: what its registers do.
 */
#include <linux/device.h>
#include <linux/vmalloc.h>
#include <net/sch_generic.h>

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

static int fake_poll(struct napi_struct *napi, int budget)
{
	return 0;
}

static void fake_end_queue(void *data)
{
	struct igb_queue *q = data;
	struct igb_rings rings = {};

	napi_disable(&q->napi);
	igb_tx_drain(&q->tx);
	igb_rx_discard(&q->rx);
	igb_rings_swap(q->adapter, &rings);
	igb_rings_free(q->adapter, &rings);
	netif_napi_del(&q->napi);
}

static void fake_init_queue(struct igb_queue *q, struct igb_adapter *adapter)
{
	struct net_device *netdev = adapter->netdev;

	q->adapter = adapter;
	q->tx.txq = netdev_get_tx_queue(netdev, 0);
	q->tx.dev = &adapter->pdev->dev;
	q->tx.tail = adapter->hw.io + IGB_TDT(0);
	q->rx.netdev = netdev;
	q->rx.napi = &q->napi;
	q->rx.tail = adapter->hw.io + IGB_RDT(0);
	u64_stats_init(&q->tx.syncp);
	u64_stats_init(&q->rx.syncp);
	/* What an interface has that was never registered. */
	rcu_assign_pointer(q->tx.txq->qdisc, &noop_qdisc);
	netif_napi_add(netdev, &q->napi, fake_poll);
	napi_enable(&q->napi);
}

/* A device that memory can be mapped for. */
static struct pci_dev *fake_pci_dev(struct kunit *test)
{
	struct pci_dev *pdev = kunit_kzalloc(test, sizeof(*pdev), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, pdev);
	device_initialize(&pdev->dev);
	pdev->dev.init_name = "fake-pci";
	pdev->dma_mask = DMA_BIT_MASK(64);
	pdev->dev.dma_mask = &pdev->dma_mask;
	pdev->dev.coherent_dma_mask = DMA_BIT_MASK(64);
	return pdev;
}

/* The one pair of a port, with rings of @count, as igb_start_queue() leaves it;
 * its NAPI is never polled.
 */
struct igb_queue *fake_queue(struct kunit *test, u16 count, bool split)
{
	const struct igb_config config = {
		.num_queues = 1, .tx_count = count, .rx_count = count, .split = split,
	};
	struct igb_adapter *adapter = fake_port(test, 1);
	struct igb_rings *rings;
	struct igb_queue *q;

	q = kunit_kzalloc(test, sizeof(*q), GFP_KERNEL);
	rings = kunit_kzalloc(test, sizeof(*rings), GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, q && rings);
	adapter->pdev = fake_pci_dev(test);
	adapter->max_queues = 1;
	adapter->queue[0] = q;
	fake_init_queue(q, adapter);
	KUNIT_ASSERT_EQ(test, 0, igb_rings_alloc(adapter, rings, &config));
	igb_rings_swap(adapter, rings);
	igb_tx_rewind(&q->tx);
	igb_rx_rewind(&q->rx);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, fake_end_queue, q));
	return q;
}
