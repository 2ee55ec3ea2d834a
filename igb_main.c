// SPDX-License-Identifier: GPL-2.0
/*
 * igb_demo - Intel 82576 gigabit Ethernet controller
 *
 * When the port comes and goes: module, probe and remove, open and stop,
 * suspend, function-level reset, a reset that repairs.
 *
 * The chip is reset and negotiation starts in probe.  Open and stop only
 * start and stop traffic, so the link is there when the interface comes up.
 */
#include <linux/ethtool.h>
#include <linux/module.h>
#include <linux/pm_runtime.h>
#include <linux/rtnetlink.h>
#include <linux/unaligned.h>

#include "igb.h"
#define CREATE_TRACE_POINTS
#include "igb_trace.h"

#define IGB_SERVICE_INTERVAL	HZ
#define IGB_LINK_PATIENCE	(5 * HZ)
#define IGB_MOST_RESETS		5
#define IGB_PROBATION		(30 * HZ)
#define IGB_AWAKE_MS		2000

/* Descriptors prefetched when few are cached, and written back at once. */
#define IGB_RX_THRESHOLDS	(FIELD_PREP(IGB_DCTL_PTHRESH, 8) |	\
				 FIELD_PREP(IGB_DCTL_HTHRESH, 8) |	\
				 FIELD_PREP(IGB_DCTL_WTHRESH, 1))
#define IGB_TX_THRESHOLDS	(FIELD_PREP(IGB_DCTL_PTHRESH, 8) |	\
				 FIELD_PREP(IGB_DCTL_HTHRESH, 1) |	\
				 FIELD_PREP(IGB_DCTL_WTHRESH, 1))

/* ---- Chip -------------------------------------------------------------- */

/* Everything that a reset took away, up to the start of negotiation. */
static int igb_program_chip(struct igb_adapter *adapter)
{
	int err;

	igb_hw_init(&adapter->hw);
	igb_irq_configure(adapter);
	igb_restore_vlans(adapter);
	igb_filter_restore(adapter);

	mutex_lock(&adapter->hw.phy.lock);
	err = igb_phy_start(&adapter->hw);
	mutex_unlock(&adapter->hw.phy.lock);
	return err;
}

/* A chip that does not obey may not reach memory, nor be used, until a reset
 * works.
 */
static void igb_cut_off(struct igb_adapter *adapter)
{
	pci_clear_master(adapter->pdev);
	WRITE_ONCE(adapter->hw.gone, true);
}

/* Until then it may remember rings that are freed. */
static int igb_reset_chip(struct igb_adapter *adapter)
{
	int err;

	err = igb_hw_reset(&adapter->hw);
	if (!err) {
		pci_set_master(adapter->pdev);
		err = igb_program_chip(adapter);
	}
	if (err)
		igb_cut_off(adapter);
	return err;
}

/* ---- Sleep while down -------------------------------------------------- */

/**
 * igb_get_awake() - have the device answer until igb_put_awake()
 * @adapter: the port
 *
 * One that is up is awake.  ethtool's core does so around each operation.
 * What does not answer after sleep is a device that is gone; igb_open() tries
 * again.
 *
 * Context: process context, sleeps.
 * Return: 0, or an error of the PCI core's.
 */
int igb_get_awake(struct igb_adapter *adapter)
{
	return pm_runtime_resume_and_get(&adapter->pdev->dev);
}

/**
 * igb_put_awake() - undo igb_get_awake(): the device may sleep in a while
 * @adapter: the port
 *
 * Context: process context.
 */
void igb_put_awake(struct igb_adapter *adapter)
{
	pm_runtime_mark_last_busy(&adapter->pdev->dev);
	pm_runtime_put_autosuspend(&adapter->pdev->dev);
}

/* ---- Traffic: up and down --------------------------------------------- */

/* 4.5.10: ring, then enable; the tail stays at the head. */
static int igb_configure_tx(struct igb_hw *hw, struct igb_tx *tx)
{
	dma_addr_t head = tx->ring.head_dma;
	u16 q = tx->index;

	igb_tx_rewind(tx);
	igb_wr(hw, IGB_TDBAL(q), lower_32_bits(tx->ring.dma));
	igb_wr(hw, IGB_TDBAH(q), upper_32_bits(tx->ring.dma));
	igb_wr(hw, IGB_TDLEN(q), tx->ring.count * sizeof(*tx->ring.desc));
	igb_wr(hw, IGB_TDH(q), 0);
	igb_wr(hw, IGB_TDT(q), 0);
	/* A head must not overtake a later one. */
	igb_rmw(hw, IGB_DCA_TXCTRL(q), IGB_DCA_TXCTRL_WB_RO, 0);
	igb_wr(hw, IGB_TDWBAL(q), lower_32_bits(head) | IGB_TDWBAL_ENABLE);
	igb_wr(hw, IGB_TDWBAH(q), upper_32_bits(head));
	return igb_hw_enable_queue(hw, IGB_TXDCTL(q), IGB_TX_THRESHOLDS);
}

/* 4.5.9: ring, then enable, then the tail. */
static int igb_configure_rx(struct igb_adapter *adapter, struct igb_rx *rx)
{
	u32 kib = DIV_ROUND_UP(igb_rx_buf_len(&rx->ring), SZ_1K);
	u32 srrctl = igb_rx_desctype(&rx->ring) |
		     FIELD_PREP(IGB_SRRCTL_BSIZEPACKET, kib);
	struct igb_hw *hw = &adapter->hw;
	u16 q = rx->index;
	int err;

	/* A queue that is full must not hold up the others. */
	if (adapter->num_queues > 1)
		srrctl |= IGB_SRRCTL_DROP_EN;

	igb_rx_rewind(rx);
	igb_wr(hw, IGB_RDBAL(q), lower_32_bits(rx->ring.dma));
	igb_wr(hw, IGB_RDBAH(q), upper_32_bits(rx->ring.dma));
	igb_wr(hw, IGB_RDLEN(q), rx->ring.count * sizeof(*rx->ring.desc));
	igb_wr(hw, IGB_SRRCTL(q), srrctl);
	if (rx->ring.split)
		igb_wr(hw, IGB_PSRTYPE(q), IGB_PSRTYPE_TRANSPORT);
	igb_wr(hw, IGB_RDH(q), 0);
	igb_wr(hw, IGB_RDT(q), 0);
	err = igb_hw_enable_queue(hw, IGB_RXDCTL(q), IGB_RX_THRESHOLDS);
	if (!err)
		writel(rx->next_to_kick, rx->tail);
	return err;
}

/* Some functions work on the queue pairs from @first to before @end. */
static int igb_disable_queues(struct igb_adapter *adapter, unsigned int first,
			      unsigned int end)
{
	unsigned int i;
	int err = 0;

	for (i = first; i < end; i++) {
		err = igb_hw_disable_queue(&adapter->hw, IGB_RXDCTL(i)) ?: err;
		err = igb_hw_disable_queue(&adapter->hw, IGB_TXDCTL(i)) ?: err;
	}
	return err;
}

/**
 * igb_configure_queues() - enable queue pairs, with their rings
 * @adapter: the port, with rings that are empty
 * @first: the first pair
 * @end: the one behind the last
 *
 * Context: process context, RTNL.
 * Return: 0, or with all of them disabled -ETIMEDOUT, or -ENODEV when the
 * device is gone; one that does not disable them either is cut off.
 */
int igb_configure_queues(struct igb_adapter *adapter, unsigned int first,
			 unsigned int end)
{
	struct igb_queue *q;
	unsigned int i;
	int err;

	for (i = first; i < end; i++) {
		q = adapter->queue[i];
		err = igb_configure_tx(&adapter->hw, &q->tx);
		if (!err)
			err = igb_configure_rx(adapter, &q->rx);
		if (err) {
			if (igb_disable_queues(adapter, first, end))
				igb_cut_off(adapter);
			return err;
		}
	}
	return 0;
}

/* What came since the rings were enabled, and what applications have queued,
 * interrupts nobody: have NAPI look.
 */
static void igb_start_queues(struct igb_adapter *adapter, unsigned int first,
			     unsigned int end)
{
	struct igb_queue *q;
	unsigned int i;

	for (i = first; i < end; i++) {
		q = adapter->queue[i];
		napi_enable(&q->napi);
		igb_tx_start(&q->tx);
		igb_irq_enable_queue(q);
		igb_irq_kick(q);
	}
}

/* Nobody polls, sends or interrupts any more. */
static void igb_stop_queues(struct igb_adapter *adapter, unsigned int first,
			    unsigned int end)
{
	struct igb_queue *q;
	unsigned int i;

	for (i = first; i < end; i++) {
		q = adapter->queue[i];
		igb_irq_disable_queue(q);
		/* It may have been stopped alone. */
		if (q->tx.up)
			napi_disable(&q->napi);
	}
	/* A poll that has completed may still be about to unmask, to start its
	 * timer and to look into its rings.
	 */
	synchronize_net();
	for (i = first; i < end; i++) {
		q = adapter->queue[i];
		igb_irq_quiesce(q);
		igb_irq_disable_queue(q);
		igb_tx_stop(&q->tx);
	}
}

/* The chip has done with the rings: drop what they hold. */
static void igb_empty_queues(struct igb_adapter *adapter, unsigned int first,
			     unsigned int end)
{
	unsigned int i;

	for (i = first; i < end; i++) {
		igb_tx_drain(&adapter->queue[i]->tx);
		igb_rx_discard(&adapter->queue[i]->rx);
	}
}

/* Filters open last: what waited while the port was down is not let in. */
static void igb_start_receiver(struct igb_adapter *adapter)
{
	struct net_device *netdev = adapter->netdev;

	igb_hw_set_max_frame(&adapter->hw, netdev->mtu);
	igb_hw_start_rx(&adapter->hw);
	netif_addr_lock_bh(netdev);
	igb_write_filters(adapter, netdev->features);
	netif_addr_unlock_bh(netdev);
}

static void igb_stop_receiver(struct igb_adapter *adapter)
{
	struct igb_hw *hw = &adapter->hw;
	unsigned int i;

	netif_addr_lock_bh(adapter->netdev);
	igb_hw_set_rx_filter(hw, 0);
	for (i = 0; i < IGB_RAR_ENTRIES; i++)
		igb_hw_set_rar(hw, i, NULL);
	netif_addr_unlock_bh(adapter->netdev);
	igb_hw_stop_rx(hw);
}

/**
 * igb_refill() - have buffers posted where nothing interrupts for want of them
 * @adapter: the port, up
 *
 * Context: process context.
 */
void igb_refill(struct igb_adapter *adapter)
{
	unsigned int i;

	for (i = 0; i < adapter->num_queues; i++)
		if (READ_ONCE(adapter->queue[i]->rx.starved))
			igb_irq_kick(adapter->queue[i]);
}

static void igb_refill_task(struct work_struct *work)
{
	igb_refill(container_of(to_delayed_work(work), struct igb_adapter,
				refill_work));
}

/**
 * igb_up() - start traffic
 * @adapter: the port, initialised, with rings
 *
 * The carrier follows from adapter->link_work.
 *
 * Context: process context, RTNL.
 * Return: 0, or with the port as it was -ETIMEDOUT, or -ENODEV when the
 * device is gone.
 */
int igb_up(struct igb_adapter *adapter)
{
	int err;

	ASSERT_RTNL();

	igb_hw_set_rss(&adapter->hw, adapter->rss_key, adapter->reta,
		       adapter->rss_ports);
	err = igb_configure_queues(adapter, 0, adapter->num_queues);
	if (err)
		return err;

	igb_hw_start_tx(&adapter->hw);
	WRITE_ONCE(adapter->link_seen, false);
	WRITE_ONCE(adapter->hangs, false);
	adapter->up_since = jiffies;
	WRITE_ONCE(adapter->up, true);
	igb_irq_enable(adapter);
	igb_start_queues(adapter, 0, adapter->num_queues);
	igb_start_receiver(adapter);
	/* The stack's watchdog also looks at those out of use. */
	netif_tx_start_all_queues(adapter->netdev);

	queue_work(system_wq, &adapter->link_work);
	queue_delayed_work(system_wq, &adapter->service_work,
			   IGB_SERVICE_INTERVAL);
	return 0;
}

/**
 * igb_stop_dma_queues() - have the chip do with all rings
 * @adapter: the port, its receiver stopped
 *
 * No buffer may be freed while the chip could still write to it, be it that
 * it does not obey or that its registers cannot be reached: it is reset then,
 * or kept from memory.
 *
 * Context: process context, RTNL.
 */
void igb_stop_dma_queues(struct igb_adapter *adapter)
{
	int err;

	err = igb_disable_queues(adapter, 0, adapter->num_queues);
	igb_hw_stop_tx(&adapter->hw);
	if (!err)
		return;

	if (igb_hw_present(&adapter->hw)) {
		netdev_warn(adapter->netdev, "queues do not stop, resetting\n");
		if (!igb_reset_chip(adapter))
			return;
	}
	igb_cut_off(adapter);
}

/**
 * igb_down() - stop traffic; the chip keeps its configuration and link
 * @adapter: the port; nothing happens where it is down already
 *
 * The carrier stays as it was, so a quick igb_up() is not seen outside.  On
 * return the chip has done with the rings, and what they held is freed.
 *
 * Context: process context, RTNL.
 */
void igb_down(struct igb_adapter *adapter)
{
	ASSERT_RTNL();
	if (!adapter->up)
		return;
	/* Handlers queue no work from here on. */
	WRITE_ONCE(adapter->up, false);

	igb_stop_receiver(adapter);
	igb_stop_queues(adapter, 0, adapter->num_queues);
	igb_irq_disable(adapter);
	cancel_delayed_work_sync(&adapter->service_work);
	cancel_work_sync(&adapter->link_work);
	cancel_delayed_work_sync(&adapter->refill_work);

	igb_stop_dma_queues(adapter);
	igb_update_hw_stats(adapter);
	igb_empty_queues(adapter, 0, adapter->num_queues);
}

static void igb_link_queues(struct igb_adapter *adapter, bool link)
{
	struct napi_struct *napi;
	unsigned int i;

	for (i = 0; i < adapter->num_queues; i++) {
		napi = link ? &adapter->queue[i]->napi : NULL;
		netif_queue_set_napi(adapter->netdev, i, NETDEV_QUEUE_TYPE_RX,
				     napi);
		netif_queue_set_napi(adapter->netdev, i, NETDEV_QUEUE_TYPE_TX,
				     napi);
	}
}

static void igb_free_rings(struct igb_adapter *adapter)
{
	struct igb_rings rings = {};

	igb_rings_swap(adapter, &rings);
	igb_rings_free(adapter, &rings);
}

/**
 * igb_get_config() - what rings a port has, or will have when opened
 * @adapter: the port
 *
 * Context: process context, RTNL.
 * Return: the configuration.
 */
struct igb_config igb_get_config(const struct igb_adapter *adapter)
{
	return (struct igb_config) {
		.num_queues = adapter->num_queues,
		.tx_count = adapter->tx_count,
		.rx_count = adapter->rx_count,
		.split = adapter->split,
	};
}

/**
 * igb_open() - ndo_open
 * @netdev: the interface
 *
 * Context: process context, RTNL.
 * Return: 0, -ENODEV when the device is gone, -ENOMEM, -ETIMEDOUT when a
 * queue does not start, or what waking or request_irq() failed with; the port
 * is then down.
 */
int igb_open(struct net_device *netdev)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	struct igb_config config = igb_get_config(adapter);
	struct igb_rings rings;
	int err;

	err = igb_get_awake(adapter);
	if (err)
		return err;
	/* What did not work last may work now. */
	if (READ_ONCE(adapter->hw.gone))
		err = igb_reset_chip(adapter);
	else if (!igb_hw_present(&adapter->hw))
		err = -ENODEV;
	if (!err)
		err = igb_rings_alloc(adapter, &rings, &config);
	if (err)
		goto put_awake;
	igb_rings_swap(adapter, &rings);

	err = igb_irq_request(adapter);
	if (err)
		goto free_rings;
	igb_link_queues(adapter, true);
	err = igb_up(adapter);
	if (err)
		goto free_irq;
	return 0;

free_irq:
	igb_link_queues(adapter, false);
	igb_irq_free(adapter);
free_rings:
	igb_free_rings(adapter);
put_awake:
	igb_put_awake(adapter);
	return err;
}

/**
 * igb_stop() - ndo_stop
 * @netdev: the interface
 *
 * Context: process context, RTNL.
 * Return: 0.
 */
int igb_stop(struct net_device *netdev)
{
	struct igb_adapter *adapter = netdev_priv(netdev);

	igb_down(adapter);
	/* The PHY keeps it. */
	netif_carrier_off(netdev);
	adapter->link.up = false;
	igb_link_queues(adapter, false);
	igb_irq_free(adapter);
	igb_free_rings(adapter);
	igb_put_awake(adapter);
	return 0;
}

/* ---- Link ------------------------------------------------------------- */

static const char *igb_pause_str(const struct igb_link *link)
{
	if (link->rx_pause && link->tx_pause)
		return "rx/tx";
	if (link->rx_pause)
		return "rx";
	return link->tx_pause ? "tx" : "off";
}

static const char *igb_speed_str(const struct igb_link *link)
{
	if (link->speed == SPEED_10)
		return "10Mbps";
	return link->speed == SPEED_100 ? "100Mbps" : "1Gbps";
}

static void igb_log_link(struct igb_adapter *adapter)
{
	const struct igb_link *link = &adapter->link;

	if (link->up)
		netif_info(adapter, link, adapter->netdev,
			   "Link is Up - %s/%s - flow control %s\n",
			   igb_speed_str(link),
			   link->duplex == DUPLEX_FULL ? "Full" : "Half",
			   igb_pause_str(link));
	else
		netif_info(adapter, link, adapter->netdev, "Link is Down\n");
}

static bool igb_link_equal(const struct igb_link *a, const struct igb_link *b)
{
	return a->up == b->up && (!a->up || (a->speed == b->speed &&
					     a->duplex == b->duplex &&
					     a->rx_pause == b->rx_pause &&
					     a->tx_pause == b->tx_pause));
}

/* What the link has come to: remembered, and said if it is new. */
static void igb_adopt_link(struct igb_adapter *adapter,
			   const struct igb_link *link)
{
	bool same = igb_link_equal(link, &adapter->link);

	spin_lock(&adapter->link_lock);
	adapter->link = *link;
	spin_unlock(&adapter->link_lock);
	if (same)
		return;
	if (link->up) {
		netif_carrier_on(adapter->netdev);
		igb_xsk_kick(adapter);
	} else {
		netif_carrier_off(adapter->netdev);
		WRITE_ONCE(adapter->link_downs, adapter->link_downs + 1);
	}
	igb_log_link(adapter);
}

/* A reset follows, which takes the link down, too. */
static void igb_down_link(struct igb_adapter *adapter)
{
	static const struct igb_link none;

	igb_down(adapter);
	igb_adopt_link(adapter, &none);
}

/* Runs for a link interrupt and after igb_up(); alone, being one work item. */
static void igb_link_task(struct work_struct *work)
{
	struct igb_adapter *adapter = container_of(work, struct igb_adapter,
						   link_work);
	struct igb_link link;
	int err;

	err = igb_phy_configure_link(&adapter->hw, &link);
	WRITE_ONCE(adapter->link_again, err);
	if (link.up)
		WRITE_ONCE(adapter->link_seen, true);
	igb_adopt_link(adapter, &link);
}

/**
 * igb_check_link() - have the link looked at, and the MAC set to match
 * @adapter: the port; one that is down does so when it comes up
 *
 * Context: process context, RTNL.
 */
void igb_check_link(struct igb_adapter *adapter)
{
	if (adapter->up)
		queue_work(system_wq, &adapter->link_work);
}

/**
 * igb_restart_link() - act on new link settings in hw->phy
 * @adapter: the port
 *
 * Context: process context; the caller holds hw->phy.lock.
 * Return: 0, or as igb_phy_start().
 */
int igb_restart_link(struct igb_adapter *adapter)
{
	int err = igb_phy_start(&adapter->hw);

	/* Forcing a link that is up may come without an interrupt. */
	igb_check_link(adapter);
	return err;
}

/* ---- Service and repair ----------------------------------------------- */

/* Say once that nothing came of it; negotiation takes less than this. */
static void igb_check_link_came(struct igb_adapter *adapter)
{
	if (READ_ONCE(adapter->link_seen) ||
	    time_before(jiffies, adapter->up_since + IGB_LINK_PATIENCE))
		return;

	WRITE_ONCE(adapter->link_seen, true);
	netif_warn(adapter, link, adapter->netdev,
		   "no link yet: is the cable plugged in and the partner up?\n");
}

/* Frames waited when last looked, and still wait for the same ones. */
static bool igb_tx_is_stuck(struct igb_tx *tx)
{
	u64 reclaimed = igb_read_stat(&tx->syncp, &tx->stats.packets);
	bool stuck;

	stuck = tx->waiting && tx->watched == reclaimed;
	tx->watched = reclaimed;
	tx->waiting = READ_ONCE(tx->up) && READ_ONCE(tx->next_to_use) !=
					   READ_ONCE(tx->next_to_clean);
	return stuck && tx->waiting;
}

/* The stack's watchdog sees full queues only.  One that the sender's socket
 * buffer keeps from filling up hangs as badly.
 */
static void igb_check_hang(struct igb_adapter *adapter)
{
	bool paused = igb_rd(&adapter->hw, IGB_STATUS) & IGB_STATUS_TXOFF;
	bool hangs = false;
	unsigned int i;

	for (i = 0; i < adapter->num_queues; i++) {
		if (!igb_tx_is_stuck(&adapter->queue[i]->tx) || paused)
			continue;
		igb_tx_hangs(adapter, i);
		hangs = true;
	}
	if (hangs)
		return;
	WRITE_ONCE(adapter->hangs, false);
	igb_devlink_tx_works(adapter);
}

/**
 * igb_starves() - is there a receive ring that memory is not to be had for?
 * @adapter: the port, up
 *
 * What an application does not give is not ours to report.
 *
 * Context: process context.
 * Return: true if so.
 */
bool igb_starves(const struct igb_adapter *adapter)
{
	const struct igb_queue *q;
	unsigned int i;

	for (i = 0; i < adapter->num_queues; i++) {
		q = adapter->queue[i];
		if (READ_ONCE(q->rx.starved) && !READ_ONCE(q->xsk_pool))
			return true;
	}
	return false;
}

/* For some seconds, so that it is more than a moment's want. */
static void igb_check_starved(struct igb_adapter *adapter)
{
	bool starved = adapter->starves;

	adapter->starves = igb_starves(adapter);
	if (starved && adapter->starves)
		igb_report_trouble(adapter, IGB_RX_STARVES);
	else if (!adapter->starves)
		igb_devlink_rx_works(adapter);
}

/* Is the device still there?  Counters before they saturate; pages. */
static void igb_service_task(struct work_struct *work)
{
	struct igb_adapter *adapter = container_of(to_delayed_work(work),
						   struct igb_adapter,
						   service_work);

	if (!igb_hw_present(&adapter->hw)) {
		netif_carrier_off(adapter->netdev);
		netif_device_detach(adapter->netdev);
		netdev_err(adapter->netdev, "detached, the device is gone\n");
		return;
	}
	igb_update_hw_stats(adapter);
	igb_irq_check_other(adapter);
	igb_check_hang(adapter);
	igb_check_starved(adapter);
	igb_check_link_came(adapter);
	if (READ_ONCE(adapter->link_again))
		queue_work(system_wq, &adapter->link_work);
	queue_delayed_work(system_wq, &adapter->service_work,
			   IGB_SERVICE_INTERVAL);
}

/**
 * igb_freeze() - stop all traffic, and keep the stack away
 * @adapter: the port
 *
 * Context: process context, takes RTNL.
 */
void igb_freeze(struct igb_adapter *adapter)
{
	rtnl_lock();
	netif_device_detach(adapter->netdev);
	igb_down_link(adapter);
	rtnl_unlock();
}

/**
 * igb_restart() - reset the chip, and start traffic if the interface is up
 * @adapter: the port, detached
 *
 * Context: process context, RTNL.
 * Return: 0 with the port attached; an error, which is logged, with the port
 * detached and its carrier off.
 */
int igb_restart(struct igb_adapter *adapter)
{
	int err;

	igb_down_link(adapter);
	err = igb_reset_chip(adapter);
	if (!err && netif_running(adapter->netdev))
		err = igb_up(adapter);
	if (err)
		netdev_err(adapter->netdev, "cannot be started again: %pe\n",
			   ERR_PTR(err));
	else
		netif_device_attach(adapter->netdev);
	if (!err)
		igb_devlink_tx_works(adapter);
	return err;
}

/**
 * igb_thaw() - undo igb_freeze(), with a reset of the chip
 * @adapter: the port
 *
 * Configuration space is kept for igb_slot_reset() each time: the PCI core
 * forgets what it has restored.
 *
 * Context: process context, takes RTNL.
 * Return: as igb_restart().
 */
int igb_thaw(struct igb_adapter *adapter)
{
	int err;

	rtnl_lock();
	err = igb_restart(adapter);
	rtnl_unlock();
	if (!err)
		pci_save_state(adapter->pdev);
	return err;
}

/**
 * igb_repair() - reset a port that hangs
 * @adapter: the port
 *
 * Context: process context, takes RTNL.
 * Return: as igb_restart(), 0 with nothing done when the port is down, or
 * -ENODEV when it is detached.
 */
int igb_repair(struct igb_adapter *adapter)
{
	int err = 0;

	/* One section under RTNL: a function-level reset, suspend or shutdown
	 * that has detached the port is not to be undone.
	 */
	rtnl_lock();
	if (!netif_device_present(adapter->netdev)) {
		err = -ENODEV;
	} else if (adapter->up) {
		netif_device_detach(adapter->netdev);
		err = igb_restart(adapter);
	}
	rtnl_unlock();
	return err;
}

/* Each reset takes the link down, and the last ones helped nobody. */
static int igb_give_up(struct igb_adapter *adapter)
{
	igb_freeze(adapter);
	adapter->resets = 0;
	netdev_err(adapter->netdev,
		   "detached, still hangs after %u resets: reset the device or reload the driver\n",
		   IGB_MOST_RESETS);
	return -EIO;
}

/**
 * igb_unhang() - reset a port that was found to hang
 * @adapter: the port
 *
 * It is given up after some resets none of which helped for long.
 *
 * Context: process context, repair_work; takes RTNL.
 * Return: as igb_repair(), or -EIO with the port detached.
 */
int igb_unhang(struct igb_adapter *adapter)
{
	if (time_after(jiffies, adapter->last_hang + IGB_PROBATION))
		adapter->resets = 0;
	adapter->last_hang = jiffies;
	if (adapter->resets++ == IGB_MOST_RESETS)
		return igb_give_up(adapter);
	return igb_repair(adapter);
}

static void igb_repair_task(struct work_struct *work)
{
	struct igb_adapter *adapter = container_of(work, struct igb_adapter,
						   repair_work);

	if (test_and_clear_bit(IGB_TX_HANGS, &adapter->trouble))
		igb_devlink_tx_hangs(adapter);
	if (test_and_clear_bit(IGB_TX_WAITS, &adapter->trouble))
		igb_repair(adapter);
	if (test_and_clear_bit(IGB_RX_STARVES, &adapter->trouble))
		igb_devlink_rx_starves(adapter);
}

/**
 * igb_report_trouble() - have something seen to
 * @adapter: the port
 * @what: what it is
 *
 * Context: any.
 */
void igb_report_trouble(struct igb_adapter *adapter, enum igb_trouble what)
{
	set_bit(what, &adapter->trouble);
	queue_work(system_freezable_wq, &adapter->repair_work);
}

/* ---- Single queues ---------------------------------------------------- */

/**
 * igb_stop_queue() - stop one queue pair, while the others go on
 * @q: the pair, up
 *
 * On return the chip has done with the pair's rings, and what they held is
 * freed.  If it does not obey, the port is down and detached.
 *
 * Context: process context, RTNL.
 */
void igb_stop_queue(struct igb_queue *q)
{
	struct igb_adapter *adapter = q->adapter;
	unsigned int i = q->tx.index;

	ASSERT_RTNL();

	igb_stop_queues(adapter, i, i + 1);
	if (igb_disable_queues(adapter, i, i + 1)) {
		netif_device_detach(adapter->netdev);
		igb_down(adapter);
		return;
	}
	igb_empty_queues(adapter, i, i + 1);
}

/**
 * igb_start_queue() - undo igb_stop_queue()
 * @q: the pair, with rings
 *
 * A pair that does not start, or did not stop, has the port reset.  What
 * igb_restart() says of that is for the administrator.
 *
 * Context: process context, RTNL.
 */
void igb_start_queue(struct igb_queue *q)
{
	struct igb_adapter *adapter = q->adapter;
	unsigned int i = q->tx.index;

	ASSERT_RTNL();

	if (adapter->up && !igb_configure_queues(adapter, i, i + 1)) {
		igb_start_queues(adapter, i, i + 1);
		return;
	}
	netif_device_detach(adapter->netdev);
	igb_restart(adapter);
}

/* ---- Queues and ring sizes -------------------------------------------- */

/* Only unregistering frees these maps; who set others keeps them. */
static void igb_set_xps(struct igb_adapter *adapter, unsigned int first)
{
	unsigned int i;

	for (i = first; i < adapter->num_queues; i++)
		netif_set_xps_queue(adapter->netdev,
				    cpumask_of(adapter->queue[i]->cpu), i);
}

static int igb_set_num_queues(struct igb_adapter *adapter, unsigned int count)
{
	struct net_device *netdev = adapter->netdev;
	unsigned int i;
	int err;

	err = netif_set_real_num_queues(netdev, count, count);
	if (err)
		return err;

	WRITE_ONCE(adapter->num_queues, count);
	for (i = 0; i < IGB_RETA_ENTRIES && !netif_is_rxfh_configured(netdev);
	     i++)
		adapter->reta[i] = ethtool_rxfh_indir_default(i, count);
	return 0;
}

static int igb_adopt(struct igb_adapter *adapter, const struct igb_config *want)
{
	unsigned int was = adapter->num_queues;
	int err = 0;

	if (want->num_queues != was)
		err = igb_set_num_queues(adapter, want->num_queues);
	if (err)
		return err;

	igb_set_xps(adapter, was);
	adapter->tx_count = want->tx_count;
	adapter->rx_count = want->rx_count;
	adapter->split = want->split;
	return 0;
}

/* The port is down and detached; it comes up again, one way or the other. */
static int igb_switch(struct igb_adapter *adapter,
		      const struct igb_config *want, struct igb_rings *rings)
{
	struct igb_config was = igb_get_config(adapter);
	int err;

	err = igb_adopt(adapter, want);
	if (!err) {
		igb_rings_swap(adapter, rings);
		err = igb_up(adapter);
		if (err) {
			igb_rings_swap(adapter, rings);
			igb_adopt(adapter, &was);
		}
	}
	if (err && igb_up(adapter))
		igb_restart(adapter);
	else
		netif_device_attach(adapter->netdev);
	return err;
}

static int igb_reconfigure_open(struct igb_adapter *adapter,
				const struct igb_config *want,
				struct netlink_ext_ack *extack)
{
	unsigned int most = max(adapter->num_queues, want->num_queues);
	struct igb_rings rings;
	int err;

	err = igb_rings_alloc(adapter, &rings, want);
	if (err) {
		NL_SET_ERR_MSG_MOD(extack, "no memory for these rings");
		return err;
	}
	err = igb_irq_grow(adapter, want->num_queues);
	if (err) {
		NL_SET_ERR_MSG_MOD(extack, "no interrupts for these queues");
		igb_rings_free(adapter, &rings);
		return err;
	}

	/* Detached, or the watchdog would take the stopped queues for hung. */
	netif_device_detach(adapter->netdev);
	igb_down(adapter);
	igb_link_queues(adapter, false);
	err = igb_switch(adapter, want, &rings);
	if (err)
		NL_SET_ERR_MSG_MOD(extack, "the port did not start with them");
	igb_link_queues(adapter, true);
	igb_irq_shrink(adapter, most);
	igb_rings_free(adapter, &rings);
	return err;
}

static bool igb_is_configured(const struct igb_adapter *adapter,
			      const struct igb_config *want)
{
	return want->num_queues == adapter->num_queues &&
	       want->tx_count == adapter->tx_count &&
	       want->rx_count == adapter->rx_count &&
	       want->split == adapter->split;
}

/**
 * igb_reconfigure() - change the number of queues, size and kind of rings
 * @adapter: the port
 * @want: what to have; the caller has checked it
 * @extack: where a reason goes; may be NULL
 *
 * What is new is built first; traffic stops for the exchange only, the link
 * not at all.
 *
 * Context: process context, RTNL.
 * Return: 0, or an error with the port as it was.
 */
int igb_reconfigure(struct igb_adapter *adapter, const struct igb_config *want,
		    struct netlink_ext_ack *extack)
{
	if (igb_is_configured(adapter, want))
		return 0;
	if (adapter->up)
		return igb_reconfigure_open(adapter, want, extack);
	return igb_adopt(adapter, want);
}

/* ---- PCI -------------------------------------------------------------- */

static int igb_set_dma_mask(struct pci_dev *pdev)
{
	int err;

	err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (err)
		err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(32));
	if (err)
		pci_err(pdev, "neither 64 nor 32 bits of DMA address: %pe\n",
			ERR_PTR(err));
	return err;
}

static int igb_map_device(struct igb_adapter *adapter)
{
	struct pci_dev *pdev = adapter->pdev;
	void __iomem *io;
	int err;

	err = pcim_enable_device(pdev);
	if (err)
		return err;

	if (!(pci_resource_flags(pdev, 0) & IORESOURCE_MEM) ||
	    pci_resource_len(pdev, 0) < IGB_BAR0_SIZE) {
		pci_err(pdev, "BAR0 %pR is not 128 KiB of registers\n",
			pci_resource_n(pdev, 0));
		return -ENODEV;
	}
	io = pcim_iomap_region(pdev, 0, IGB_DRV_NAME);
	if (IS_ERR(io)) {
		pci_err(pdev, "cannot map BAR0 %pR: %pe\n",
			pci_resource_n(pdev, 0), io);
		return PTR_ERR(io);
	}

	igb_hw_setup(&adapter->hw, &pdev->dev, io);
	igb_hw_set_quirks(&adapter->hw, pdev->subsystem_vendor,
			  pdev->subsystem_device);
	err = igb_set_dma_mask(pdev);
	if (!err)
		pci_set_master(pdev);
	return err;
}

static void igb_read_nvm(struct igb_adapter *adapter)
{
	struct net_device *netdev = adapter->netdev;
	struct igb_hw *hw = &adapter->hw;
	bool nvm_valid;
	u8 addr[ETH_ALEN];
	u8 version[2];

	igb_hw_size_nvm(hw);
	nvm_valid = !igb_hw_check_nvm(hw);
	if (nvm_valid && !igb_hw_read_nvm(hw, 2 * IGB_NVM_VERSION,
					  sizeof(version), version))
		adapter->nvm_version = get_unaligned_le16(version);

	if (!igb_hw_read_mac(hw, nvm_valid, addr)) {
		eth_hw_addr_set(netdev, addr);
		return;
	}
	eth_hw_addr_random(netdev);
	pci_warn(adapter->pdev, "MAC address %pM is not valid, using %pM\n",
		 addr, netdev->dev_addr);
}

static void igb_init_queue(struct igb_adapter *adapter, unsigned int i)
{
	struct igb_queue *q = adapter->queue[i];

	q->adapter = adapter;
	q->cpu = cpumask_local_spread(i, dev_to_node(&adapter->pdev->dev));

	q->tx.index = i;
	q->tx.copybreak = IGB_TX_COPY_SPACE;
	q->tx.dev = &adapter->pdev->dev;
	q->tx.tail = adapter->hw.io + IGB_TDT(i);
	q->tx.txq = netdev_get_tx_queue(adapter->netdev, i);
	u64_stats_init(&q->tx.syncp);

	q->rx.index = i;
	q->rx.fill_first = igb_has_quirk(&adapter->hw, IGB_QUIRK_RDT_FLUSH);
	q->rx.netdev = adapter->netdev;
	q->rx.napi = &q->napi;
	q->rx.tail = adapter->hw.io + IGB_RDT(i);
	u64_stats_init(&q->rx.syncp);

	igb_irq_setup_queue(q, i);
	netif_napi_add_config(adapter->netdev, &q->napi, igb_poll, i);
	netif_napi_set_irq(&q->napi, q->irq);
}

static void igb_free_queues(struct igb_adapter *adapter)
{
	unsigned int i;

	for (i = 0; i < adapter->max_queues; i++) {
		if (!adapter->queue[i])
			continue;
		netif_napi_del(&adapter->queue[i]->napi);
		kfree(adapter->queue[i]);
		adapter->queue[i] = NULL;
	}
	igb_irq_exit(adapter);
}

/* Queue pairs live as long as the port: their counters never go back. */
static int igb_alloc_queues(struct igb_adapter *adapter)
{
	unsigned int i;
	int err;

	err = igb_irq_init(adapter);
	if (err)
		return err;

	for (i = 0; i < adapter->max_queues; i++) {
		adapter->queue[i] = kzalloc(sizeof(*adapter->queue[i]),
					    GFP_KERNEL);
		if (!adapter->queue[i]) {
			igb_free_queues(adapter);
			return -ENOMEM;
		}
		igb_init_queue(adapter, i);
	}
	return 0;
}

static void igb_init_adapter(struct igb_adapter *adapter)
{
	adapter->msg_enable = NETIF_MSG_DRV | NETIF_MSG_PROBE |
			      NETIF_MSG_LINK | NETIF_MSG_TX_ERR;
	adapter->tx_count = IGB_DEFAULT_DESC;
	adapter->rx_count = IGB_DEFAULT_DESC;
	adapter->rss_ports = IGB_MRQC_ALL_PORTS;
	adapter->vfta[0] = BIT(0);
	spin_lock_init(&adapter->link_lock);
	mutex_init(&adapter->stats_lock);
	u64_stats_init(&adapter->stats_syncp);
	INIT_WORK(&adapter->link_work, igb_link_task);
	INIT_WORK(&adapter->repair_work, igb_repair_task);
	INIT_DELAYED_WORK(&adapter->refill_work, igb_refill_task);
	INIT_DELAYED_WORK(&adapter->service_work, igb_service_task);
}

static void igb_log_probe(struct igb_adapter *adapter)
{
	static const char * const mode[] = {
		[PCI_IRQ_INTX] = "INTx",
		[PCI_IRQ_MSI] = "MSI",
		[PCI_IRQ_MSIX] = "MSI-X",
	};
	struct net_device *netdev = adapter->netdev;
	struct pci_dev *pdev = adapter->pdev;

	netif_info(adapter, probe, netdev,
		   "82576 rev %u, %pM, PHY %#010x, %s, %u queue pair(s)\n",
		   pdev->revision, netdev->dev_addr, adapter->hw.phy.id,
		   mode[adapter->irq_mode], adapter->num_queues);
	netif_info(adapter, probe, netdev,
		   "BAR0 %pR, BAR3 %pR, PM at %#x, MSI at %#x, MSI-X at %#x (%d vectors), PCIe at %#x\n",
		   pci_resource_n(pdev, 0), pci_resource_n(pdev, 3),
		   pdev->pm_cap, pdev->msi_cap, pdev->msix_cap,
		   max(pci_msix_vec_count(pdev), 0), pdev->pcie_cap);
}

/* From a mapped device to a chip that negotiates. */
static int igb_start_chip(struct igb_adapter *adapter)
{
	int err;

	err = igb_hw_reset(&adapter->hw);
	if (err)
		return err;
	igb_read_nvm(adapter);
	igb_filter_init(adapter);
	return igb_phy_init(&adapter->hw);
}

static int igb_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct igb_adapter *adapter;
	struct net_device *netdev;
	int err;

	netdev = devm_alloc_etherdev_mqs(&pdev->dev, sizeof(*adapter),
					 IGB_MAX_QUEUES, IGB_MAX_QUEUES);
	if (!netdev)
		return -ENOMEM;
	SET_NETDEV_DEV(netdev, &pdev->dev);
	pci_set_drvdata(pdev, netdev);
	adapter = netdev_priv(netdev);
	adapter->netdev = netdev;
	adapter->pdev = pdev;
	igb_init_adapter(adapter);

	err = igb_map_device(adapter);
	if (!err)
		err = igb_devlink_init(adapter);
	if (err)
		return err;
	igb_netdev_init(netdev);
	err = igb_start_chip(adapter);
	if (err)
		return err;

	err = igb_alloc_queues(adapter);
	if (err)
		goto stop_chip;
	netdev_rss_key_fill(adapter->rss_key, sizeof(adapter->rss_key));
	err = igb_set_num_queues(adapter, adapter->num_queues);
	if (err)
		goto free_queues;
	err = igb_program_chip(adapter);
	if (err)
		goto free_queues;
	netif_carrier_off(netdev);
	err = register_netdev(netdev);
	if (err)
		goto free_queues;

	pci_save_state(pdev);
	igb_set_xps(adapter, 0);
	igb_log_probe(adapter);
	/* The PCI core has it awake until here, and from igb_remove() on. */
	pm_runtime_set_autosuspend_delay(&pdev->dev, IGB_AWAKE_MS);
	pm_runtime_use_autosuspend(&pdev->dev);
	igb_put_awake(adapter);
	return 0;

free_queues:
	igb_free_queues(adapter);
stop_chip:
	igb_hw_stop(&adapter->hw);
	return err;
}

static void igb_remove(struct pci_dev *pdev)
{
	struct net_device *netdev = pci_get_drvdata(pdev);
	struct igb_adapter *adapter = netdev_priv(netdev);

	pm_runtime_get_noresume(&pdev->dev);
	pm_runtime_dont_use_autosuspend(&pdev->dev);
	unregister_netdev(netdev);
	cancel_work_sync(&adapter->repair_work);
	igb_free_queues(adapter);
	igb_hw_stop(&adapter->hw);
}

static u32 igb_wake_events(u32 wake)
{
	u32 wufc = 0;

	if (wake & WAKE_PHY)
		wufc |= IGB_WUFC_LNKC;
	if (wake & WAKE_MAGIC)
		wufc |= IGB_WUFC_MAG;
	if (wake & WAKE_UCAST)
		wufc |= IGB_WUFC_EX;
	if (wake & WAKE_MCAST)
		wufc |= IGB_WUFC_MC;
	if (wake & WAKE_BCAST)
		wufc |= IGB_WUFC_BC;
	return wufc;
}

/* The port is frozen; it keeps an ear open where that is wanted. */
static void igb_sleep(struct igb_adapter *adapter)
{
	igb_hw_stop(&adapter->hw);
	if (adapter->wake)
		igb_hw_arm_wake(&adapter->hw, adapter->netdev->dev_addr,
				igb_wake_events(adapter->wake));
}

static void igb_shutdown(struct pci_dev *pdev)
{
	struct igb_adapter *adapter = netdev_priv(pci_get_drvdata(pdev));

	igb_freeze(adapter);
	cancel_work_sync(&adapter->repair_work);
	igb_sleep(adapter);
	pci_clear_master(pdev);
	if (system_state == SYSTEM_POWER_OFF && adapter->wake) {
		pci_wake_from_d3(pdev, true);
		pci_set_power_state(pdev, PCI_D3hot);
	}
}

/* The PCI core sees to the power state, and to PME as the device may wake. */
static int igb_suspend(struct device *dev)
{
	struct igb_adapter *adapter = netdev_priv(dev_get_drvdata(dev));

	igb_freeze(adapter);
	igb_sleep(adapter);
	return 0;
}

static int igb_resume(struct device *dev)
{
	return igb_thaw(netdev_priv(dev_get_drvdata(dev)));
}

/* The port is down: there is nothing to stop but the chip, and nobody waits
 * for what a reset takes.
 */
static int igb_runtime_suspend(struct device *dev)
{
	struct igb_adapter *adapter = netdev_priv(dev_get_drvdata(dev));

	igb_hw_stop(&adapter->hw);
	return 0;
}

/* After an error the PM core would never ask again; igb_open() does. */
static int igb_runtime_resume(struct device *dev)
{
	struct igb_adapter *adapter = netdev_priv(dev_get_drvdata(dev));
	int err = igb_reset_chip(adapter);

	if (err)
		netdev_err(adapter->netdev, "does not wake: %pe\n",
			   ERR_PTR(err));
	pci_save_state(adapter->pdev);
	return 0;
}

static const struct dev_pm_ops igb_pm_ops = {
	SYSTEM_SLEEP_PM_OPS(igb_suspend, igb_resume)
	RUNTIME_PM_OPS(igb_runtime_suspend, igb_runtime_resume, NULL)
};

/* Function-level reset: the PCI core keeps configuration space. */
static void igb_reset_prepare(struct pci_dev *pdev)
{
	igb_freeze(netdev_priv(pci_get_drvdata(pdev)));
}

static void igb_reset_done(struct pci_dev *pdev)
{
	igb_thaw(netdev_priv(pci_get_drvdata(pdev)));
}

/* An error on the bus: what was under way is lost, whatever its kind.  With a
 * fatal one the link to the device is reset before igb_slot_reset().
 */
static pci_ers_result_t igb_error_detected(struct pci_dev *pdev,
					   pci_channel_state_t state)
{
	igb_freeze(netdev_priv(pci_get_drvdata(pdev)));
	return state == pci_channel_io_perm_failure ?
	       PCI_ERS_RESULT_DISCONNECT : PCI_ERS_RESULT_NEED_RESET;
}

static pci_ers_result_t igb_slot_reset(struct pci_dev *pdev)
{
	struct igb_adapter *adapter = netdev_priv(pci_get_drvdata(pdev));

	pci_restore_state(pdev);
	/* igb_reset_chip() gives it back. */
	pci_clear_master(pdev);
	if (igb_hw_reset(&adapter->hw))
		return PCI_ERS_RESULT_DISCONNECT;
	return PCI_ERS_RESULT_RECOVERED;
}

static void igb_error_resume(struct pci_dev *pdev)
{
	igb_thaw(netdev_priv(pci_get_drvdata(pdev)));
}

static const struct pci_error_handlers igb_err_handler = {
	.error_detected	= igb_error_detected,
	.slot_reset	= igb_slot_reset,
	.resume		= igb_error_resume,
	.reset_prepare	= igb_reset_prepare,
	.reset_done	= igb_reset_done,
};

static const struct pci_device_id igb_pci_ids[] = {
	{ PCI_VDEVICE(INTEL, 0x10c9) },		/* 82576 */
	{ PCI_VDEVICE(INTEL, 0x10e8) },		/* quad port adapter */
	{ PCI_VDEVICE(INTEL, 0x1526) },		/* ET2 quad port adapter */
	{ PCI_VDEVICE(INTEL, 0x150a) },		/* 82576NS */
	{ }
};
MODULE_DEVICE_TABLE(pci, igb_pci_ids);

static struct pci_driver igb_driver = {
	.name		= IGB_DRV_NAME,
	.id_table	= igb_pci_ids,
	.probe		= igb_probe,
	.remove		= igb_remove,
	.shutdown	= igb_shutdown,
	.err_handler	= &igb_err_handler,
	.driver.pm	= pm_ptr(&igb_pm_ops),
};
module_pci_driver(igb_driver);

MODULE_DESCRIPTION("Intel 82576 gigabit Ethernet driver");
MODULE_LICENSE("GPL");
