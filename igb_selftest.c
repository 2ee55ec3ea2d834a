// SPDX-License-Identifier: GPL-2.0
/*
 * Is this port sound?  ethtool -t.
 *
 * What would disturb traffic runs with the port down and detached, so nobody
 * comes between; a reset afterwards leaves nothing of it.
 *
 * Section numbers are those of the 82576 datasheet.
 */
#include <linux/ethtool.h>
#include <linux/iopoll.h>
#include <linux/random.h>

#include "igb.h"

/* Negotiation takes less than this. */
#define IGB_LINK_USECS		(5 * USEC_PER_SEC)

/* A frame takes microseconds to come back. */
#define IGB_LOOPBACK_USECS	(100 * USEC_PER_MSEC)

/* Until the PHY has changed to loopback the link that was there may still
 * seem to be up.
 */
#define IGB_LOOPBACK_MSECS	500

/* Registers of one kind, and which bits of them keep what is written. */
struct igb_reg_test {
	const char *name;
	u16 first;
	u16 count;
	u16 stride;
	u32 mask;
};

/* Chapter 8; each means nothing to a port that is down. */
static const struct igb_reg_test igb_reg_tests[] = {
	{ "FCAL", IGB_FCAL, 1, 4, U32_MAX },
	{ "FCAH", IGB_FCAH, 1, 4, 0x0000ffff },
	{ "FCT", IGB_FCT, 1, 4, 0x0000ffff },
	{ "FCTTV", IGB_FCTTV, 1, 4, 0x0000ffff },
	{ "FCRTL", IGB_FCRTL, 1, 4, 0x0000fff0 },
	{ "FCRTH", IGB_FCRTH, 1, 4, 0x0000fff0 },
	{ "VET", IGB_VET, 1, 4, 0x0000ffff },
	{ "RLPML", IGB_RLPML, 1, 4, 0x00003fff },
	{ "MTA", IGB_MTA(0), IGB_MTA_REGS, 4, U32_MAX },
	{ "RAL", IGB_RA, 16, 8, U32_MAX },
	{ "RAH", IGB_RA + 4, 16, 8, IGB_RAH_AV | 0xffff },
	{ "RAL", IGB_RA2, IGB_RAR_ENTRIES - 16, 8, U32_MAX },
	{ "RAH", IGB_RA2 + 4, IGB_RAR_ENTRIES - 16, 8, IGB_RAH_AV | 0xffff },
	{ "VFTA", IGB_VFTA(0), IGB_VFTA_REGS, 4, U32_MAX },
	{ "RETA", IGB_RETA(0), IGB_RETA_ENTRIES / 4, 4, 0x0f0f0f0f },
	{ "RSSRK", IGB_RSSRK(0), IGB_RSS_KEY_SIZE / 4, 4, U32_MAX },
	{ "RDBAL", IGB_RDBAL(0), IGB_HW_QUEUES, 0x40, 0xffffff80 },
	{ "RDBAH", IGB_RDBAH(0), IGB_HW_QUEUES, 0x40, U32_MAX },
	{ "RDLEN", IGB_RDLEN(0), IGB_HW_QUEUES, 0x40, 0x000fff80 },
	{ "TDBAL", IGB_TDBAL(0), IGB_HW_QUEUES, 0x40, 0xffffff80 },
	{ "TDBAH", IGB_TDBAH(0), IGB_HW_QUEUES, 0x40, U32_MAX },
	{ "TDLEN", IGB_TDLEN(0), IGB_HW_QUEUES, 0x40, 0x000fff80 },
};

/* Below and above what is copied rather than mapped; the shortest and the
 * longest.
 */
static const u16 igb_loopback_sizes[] = {
	ETH_ZLEN, ETH_ZLEN + 1, IGB_TX_COPY_SPACE, IGB_TX_COPY_SPACE + 1, 777,
	ETH_FRAME_LEN,
};

/* So many frames go round both rings more than once. */
#define IGB_LOOPBACK_FRAMES	(2 * IGB_MIN_DESC)

/* ---- Link, NVM --------------------------------------------------------- */

/* An interface that has just come up may have to wait for its link. */
static bool igb_link_may_come(const struct igb_adapter *adapter)
{
	return !adapter->up || time_before(jiffies, adapter->up_since +
					   usecs_to_jiffies(IGB_LINK_USECS));
}

static int igb_test_link(struct igb_adapter *adapter)
{
	struct igb_hw *hw = &adapter->hw;
	u32 status;
	int err;

	err = read_poll_timeout(igb_rd, status, status & IGB_STATUS_LU ||
				!igb_link_may_come(adapter), 10000,
				IGB_LINK_USECS, false, hw, IGB_STATUS);
	if (!igb_hw_present(hw))
		return -ENODEV;
	if (!err && status & IGB_STATUS_LU)
		return 0;
	netdev_err(adapter->netdev,
		   "no link, STATUS reads %#010x, LU is %#x: is the cable plugged in and the partner up?\n",
		   status, (u32)IGB_STATUS_LU);
	return -ENOLINK;
}

static int igb_test_nvm(struct igb_adapter *adapter)
{
	return igb_hw_check_nvm(&adapter->hw);
}

/* ---- Registers --------------------------------------------------------- */

static int igb_test_register(struct igb_adapter *adapter,
			     const struct igb_reg_test *test, unsigned int i)
{
	static const u32 patterns[] = { 0x55555555, 0xaaaaaaaa, 0, U32_MAX };
	u32 reg = test->first + i * test->stride;
	struct igb_hw *hw = &adapter->hw;
	u32 was = igb_rd(hw, reg);
	unsigned int j;
	u32 want, got;

	for (j = 0; j < ARRAY_SIZE(patterns); j++) {
		want = patterns[j] & test->mask;
		igb_wr(hw, reg, want);
		got = igb_rd(hw, reg) & test->mask;
		if (got != want)
			break;
	}
	if (!igb_hw_present(hw))
		return -ENODEV;
	igb_wr(hw, reg, was);
	if (j == ARRAY_SIZE(patterns))
		return 0;
	netdev_err(adapter->netdev,
		   "register %s(%u) at %#06x reads %#010x, %#010x was written (of bits %#010x)\n",
		   test->name, i, reg, got, want, test->mask);
	return -EIO;
}

static int igb_test_registers(struct igb_adapter *adapter)
{
	const struct igb_reg_test *test;
	unsigned int i, j;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(igb_reg_tests) && !err; i++) {
		test = &igb_reg_tests[i];
		for (j = 0; j < test->count && !err; j++)
			err = igb_test_register(adapter, test, j);
	}
	return err;
}

/* ---- Interrupts -------------------------------------------------------- */

/* An interface that is up has its handlers. */
static int igb_test_interrupts(struct igb_adapter *adapter)
{
	bool running = netif_running(adapter->netdev);
	int err = 0;

	if (!running)
		err = igb_irq_request(adapter);
	if (err)
		return err;
	err = igb_irq_test(adapter);
	if (!running)
		igb_irq_free(adapter);
	return err;
}

/* ---- Loopback ---------------------------------------------------------- */

/* For nobody but the test: the filter lets in its address alone. */
static struct sk_buff *igb_loopback_frame(struct igb_adapter *adapter,
					  unsigned int size)
{
	struct sk_buff *skb = netdev_alloc_skb(adapter->netdev, size);
	struct ethhdr *eth;

	if (!skb)
		return NULL;
	eth = skb_put(skb, size);
	get_random_bytes(eth, size);
	ether_addr_copy(eth->h_dest, adapter->hw.rar[0]);
	ether_addr_copy(eth->h_source, adapter->hw.rar[0]);
	/* Neither IP nor a length. */
	eth->h_proto = htons(ETH_P_LOOPBACK);
	return skb;
}

/* Send a frame, or without one take back what was sent.  Reclaiming wakes a
 * queue that is stopped: it is on while its lock keeps the stack from it.
 */
static void igb_loopback_send(struct igb_tx *tx, struct sk_buff *skb)
{
	__netif_tx_lock_bh(tx->txq);
	netif_tx_start_queue(tx->txq);
	if (!skb)
		igb_tx_kick(tx);
	else if (netdev_start_xmit(skb_get(skb), skb->dev, tx->txq, false) !=
		 NETDEV_TX_OK)
		kfree_skb(skb);
	netif_tx_stop_queue(tx->txq);
	__netif_tx_unlock_bh(tx->txq);
}

/* Compare what came with what was sent; -EAGAIN if it is another's. */
static int igb_loopback_compare(const struct sk_buff *skb, const u8 *data,
				unsigned int len)
{
	unsigned int i;

	if (len < ETH_HLEN || memcmp(data, skb->data, ETH_HLEN))
		return -EAGAIN;
	if (len != skb->len) {
		netdev_err(skb->dev, "loopback: a frame of %u bytes came back with %u\n",
			   skb->len, len);
		return -EIO;
	}
	for (i = 0; i < len; i++) {
		if (data[i] == skb->data[i])
			continue;
		netdev_err(skb->dev, "loopback: byte %u of a frame of %u came back as %#04x, should be %#04x\n",
			   i, len, data[i], skb->data[i]);
		return -EIO;
	}
	return 0;
}

/* Look at the next frame received, if there is one; -EAGAIN if it is none or
 * another's.
 */
static int igb_loopback_take(struct igb_rx *rx, const struct sk_buff *skb)
{
	unsigned int i = rx->next_to_clean;
	int err = -EAGAIN;
	struct page *page;
	unsigned int len;
	u32 status;

	if (!igb_rx_is_done(rx, i, &status))
		return err;

	local_bh_disable();
	page = rx->ring.page[i];
	len = le16_to_cpu(rx->ring.desc[i].wb.length);
	if (igb_rx_is_whole(rx, status, len, IGB_RX_BUF_LEN)) {
		page_pool_dma_sync_for_cpu(rx->ring.pool, page, 0, len);
		err = igb_loopback_compare(skb, page_address(page) +
					   IGB_RX_HEADROOM, len);
		igb_rx_count(rx, len);
	}
	igb_rx_advance(rx, i, 0);
	local_bh_enable();
	return err;
}

static int igb_loopback_exchange(struct igb_queue *q, unsigned int size)
{
	struct net_device *netdev = q->adapter->netdev;
	struct sk_buff *skb;
	int err;

	skb = igb_loopback_frame(q->adapter, size);
	if (!skb)
		return -ENOMEM;

	igb_loopback_send(&q->tx, skb);
	if (read_poll_timeout(igb_loopback_take, err, err != -EAGAIN, 50,
			      IGB_LOOPBACK_USECS, false, &q->rx, skb)) {
		netdev_err(netdev, "loopback: a frame of %u bytes did not come back in 100 ms\n",
			   size);
		err = -ETIMEDOUT;
	}
	igb_loopback_send(&q->tx, NULL);
	kfree_skb(skb);
	return err;
}

/* Only queue 0, and nobody's frames but these. */
static int igb_loopback_start(struct igb_adapter *adapter)
{
	static const u32 no_groups[IGB_MTA_REGS];
	struct igb_hw *hw = &adapter->hw;
	u8 addr[ETH_ALEN];
	int err;

	igb_wr(hw, IGB_MRQC, 0);
	err = igb_configure_queues(adapter, 0, 1);
	if (err)
		return err;
	eth_random_addr(addr);
	igb_hw_set_rar(hw, 0, addr);
	igb_hw_set_mta(hw, no_groups);
	igb_hw_set_max_frame(hw, ETH_DATA_LEN);
	igb_hw_start_tx(hw);
	igb_hw_start_rx(hw);
	return 0;
}

static void igb_loopback_stop(struct igb_adapter *adapter)
{
	igb_hw_stop_rx(&adapter->hw);
	igb_hw_set_rar(&adapter->hw, 0, NULL);
	igb_stop_dma_queues(adapter);
	igb_update_hw_stats(adapter);
	igb_tx_drain(&adapter->queue[0]->tx);
}

static int igb_loopback_frames(struct igb_adapter *adapter)
{
	unsigned int i;
	u16 size;
	int err;

	err = igb_loopback_start(adapter);
	if (err)
		return err;
	for (i = 0; i < IGB_LOOPBACK_FRAMES && !err; i++) {
		size = igb_loopback_sizes[i % ARRAY_SIZE(igb_loopback_sizes)];
		err = igb_loopback_exchange(adapter->queue[0], size);
	}
	igb_loopback_stop(adapter);
	return err;
}

/* The link's work is not there to do this. */
static bool igb_loopback_is_up(struct igb_hw *hw)
{
	struct igb_link link;

	igb_phy_configure_link(hw, &link);
	return link.up && !hw->phy.force_pending;
}

static int igb_loopback_link(struct igb_adapter *adapter)
{
	struct igb_hw *hw = &adapter->hw;
	bool up;
	int err;

	mutex_lock(&hw->phy.lock);
	hw->phy.loopback = true;
	err = igb_phy_start(hw);
	mutex_unlock(&hw->phy.lock);
	if (err)
		return err;
	msleep(IGB_LOOPBACK_MSECS);
	err = read_poll_timeout(igb_loopback_is_up, up,
				up || READ_ONCE(hw->gone), 20000,
				IGB_LINK_USECS, false, hw);
	if (err)
		netdev_err(adapter->netdev,
			   "loopback: no link in 5 s, STATUS reads %#010x, LU is %#x\n",
			   igb_rd(hw, IGB_STATUS), (u32)IGB_STATUS_LU);
	return up ? 0 : err ?: -ENODEV;
}

/* Rings of pages, even where an application's memory is used or headers are
 * split.
 */
static int igb_loopback_rings(struct igb_adapter *adapter,
			      struct igb_rings *rings)
{
	static const struct igb_config config = {
		.num_queues = 1,
		.tx_count = IGB_MIN_DESC,
		.rx_count = IGB_MIN_DESC,
	};
	struct igb_rx_ring *ring = &rings->rx[0];
	int err;

	err = igb_rings_alloc(adapter, rings, &config);
	if (err || !ring->xsk_pool)
		return err;
	ring->xsk_pool = NULL;
	if (igb_rx_fill(ring, 0, ring->count - 1) == ring->count - 1)
		return 0;
	igb_rings_free(adapter, rings);
	return -ENOMEM;
}

static int igb_test_loopback(struct igb_adapter *adapter)
{
	struct igb_phy *phy = &adapter->hw.phy;
	bool loopback = phy->loopback;
	struct igb_rings rings;
	int err;

	err = igb_loopback_rings(adapter, &rings);
	if (err)
		return err;

	igb_rings_swap(adapter, &rings);
	err = igb_loopback_link(adapter);
	if (!err)
		err = igb_loopback_frames(adapter);
	mutex_lock(&phy->lock);
	phy->loopback = loopback;
	mutex_unlock(&phy->lock);
	igb_rings_swap(adapter, &rings);
	igb_rings_free(adapter, &rings);
	return err;
}

/* ---- All --------------------------------------------------------------- */

/* In the order in which they run: later ones need what earlier ones test, but
 * the link, which is to be seen as it was.
 */
static const struct igb_test {
	const char *name;
	int (*run)(struct igb_adapter *adapter);
	bool offline;
} igb_tests[] = {
	{ "link (on/offline)", igb_test_link },
	{ "NVM (on/offline)", igb_test_nvm },
	{ "register (offline)", igb_test_registers, true },
	{ "interrupt (offline)", igb_test_interrupts, true },
	{ "loopback (offline)", igb_test_loopback, true },
};

static_assert(ARRAY_SIZE(igb_tests) == IGB_NUM_TESTS);

static void igb_run_tests(struct igb_adapter *adapter, bool offline,
			  struct ethtool_test *test, u64 *data)
{
	unsigned int i;
	int err;

	for (i = 0; i < IGB_NUM_TESTS; i++) {
		if (igb_tests[i].offline != offline)
			continue;
		err = igb_tests[i].run(adapter);
		if (!err)
			continue;
		netdev_err(adapter->netdev, "self-test failed: %s: %pe\n",
			   igb_tests[i].name, ERR_PTR(err));
		data[i] = -err;
		test->flags |= ETH_TEST_FL_FAILED;
	}
}

/**
 * igb_get_test_strings() - name the tests
 * @data: IGB_NUM_TESTS times ETH_GSTRING_LEN bytes
 *
 * Context: any.
 */
void igb_get_test_strings(u8 *data)
{
	unsigned int i;

	for (i = 0; i < IGB_NUM_TESTS; i++)
		ethtool_puts(&data, igb_tests[i].name);
}

/**
 * igb_self_test() - self_test of ethtool
 * @netdev: the interface, present, up or down
 * @test: which tests; on return whether one failed
 * @data: for each test 0, or the number of the error that it failed with
 *
 * Each failure is logged with what was expected and what was found.  Offline
 * the port is reset, as igb_restart() does: all that was set comes back, the
 * link by a new negotiation.  A port that does not is a failure, too, and
 * stays down and detached.
 *
 * Context: process context, sleeps, RTNL.
 */
void igb_self_test(struct net_device *netdev, struct ethtool_test *test,
		   u64 *data)
{
	struct igb_adapter *adapter = netdev_priv(netdev);

	ASSERT_RTNL();

	igb_run_tests(adapter, false, test, data);
	if (!(test->flags & ETH_TEST_FL_OFFLINE))
		return;

	netif_device_detach(netdev);
	igb_down(adapter);
	igb_run_tests(adapter, true, test, data);
	if (igb_restart(adapter))
		test->flags |= ETH_TEST_FL_FAILED;
}
