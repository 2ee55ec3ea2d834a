// SPDX-License-Identifier: GPL-2.0
/*
 * What has been counted, by the chip and by each queue; ethtool -S, which calls
 * that by names of our own, is in igb_ethtool.c.
 */
#include <linux/ethtool.h>
#include <net/netdev_queues.h>

#include "igb.h"

/**
 * igb_read_stat() - take a counter, whole
 * @syncp: what guards it
 * @stat: the counter
 *
 * Context: any.
 * Return: what it counted.
 */
u64 igb_read_stat(const struct u64_stats_sync *syncp, const u64_stats_t *stat)
{
	unsigned int start;
	u64 value;

	do {
		start = u64_stats_fetch_begin(syncp);
		value = u64_stats_read(stat);
	} while (u64_stats_fetch_retry(syncp, start));
	return value;
}

/**
 * igb_read_stats() - take several counters
 * @to: where to
 * @syncp: what guards them
 * @stats: an array of u64_stats_t, or a structure of nothing else
 * @count: how many
 *
 * Context: any.
 */
void igb_read_stats(u64 *to, const struct u64_stats_sync *syncp,
		    const void *stats, unsigned int count)
{
	const u64_stats_t *from = stats;
	unsigned int i;

	for (i = 0; i < count; i++)
		to[i] = igb_read_stat(syncp, &from[i]);
}

/**
 * igb_update_hw_stats() - fold the chip's counters into adapter->hw_stats
 * @adapter: the port
 *
 * Context: process context, sleeps.
 */
void igb_update_hw_stats(struct igb_adapter *adapter)
{
	u64 stats[IGB_NUM_COUNTERS] = {};
	u32 rqdpc[IGB_MAX_QUEUES];
	unsigned int i;

	mutex_lock(&adapter->stats_lock);
	igb_hw_read_stats(&adapter->hw, stats);
	for (i = 0; i < adapter->max_queues; i++)
		rqdpc[i] = igb_hw_read_rqdpc(&adapter->hw, i);

	/* Readers in a softirq must not find the update half done. */
	local_bh_disable();
	u64_stats_update_begin(&adapter->stats_syncp);
	for (i = 0; i < IGB_NUM_COUNTERS; i++)
		u64_stats_add(&adapter->hw_stats[i], stats[i]);
	for (i = 0; i < adapter->max_queues; i++)
		u64_stats_add(&adapter->rqdpc[i], rqdpc[i]);
	u64_stats_update_end(&adapter->stats_syncp);
	local_bh_enable();
	mutex_unlock(&adapter->stats_lock);
}

static void igb_sum_tx(struct igb_tx *tx, struct rtnl_link_stats64 *stats)
{
	stats->tx_packets += igb_read_stat(&tx->syncp, &tx->stats.packets);
	stats->tx_bytes += igb_read_stat(&tx->syncp, &tx->stats.bytes);
	stats->tx_dropped += igb_read_stat(&tx->syncp, &tx->stats.dropped);
}

static void igb_sum_rx(struct igb_rx *rx, struct rtnl_link_stats64 *stats)
{
	stats->rx_packets += igb_read_stat(&rx->syncp, &rx->stats.packets);
	stats->rx_bytes += igb_read_stat(&rx->syncp, &rx->stats.bytes);
	stats->rx_dropped += igb_read_stat(&rx->syncp, &rx->stats.dropped);
}

/* Frames for which a queue had no descriptor, as last read from the chip. */
static u64 igb_get_rqdpc(const struct igb_adapter *adapter, unsigned int queue)
{
	return igb_read_stat(&adapter->stats_syncp, &adapter->rqdpc[queue]);
}

/* All that the chip counts, as of the last igb_update_hw_stats(). */
static void igb_read_hw_stats(const struct igb_adapter *adapter, u64 *hw)
{
	igb_read_stats(hw, &adapter->stats_syncp, adapter->hw_stats,
		       IGB_NUM_COUNTERS);
}

/* What only the chip can count.  RLEC has every wrong length; those of RUC,
 * RFC, ROC and RJC are among them.
 */
static void igb_sum_hw(struct igb_adapter *adapter,
		       struct rtnl_link_stats64 *stats)
{
	u64 hw[IGB_NUM_COUNTERS];
	unsigned int i;

	igb_read_hw_stats(adapter, hw);
	stats->multicast = hw[IGB_CNT_MPRC];
	stats->collisions = hw[IGB_CNT_COLC];
	stats->rx_crc_errors = hw[IGB_CNT_CRCERRS];
	stats->rx_frame_errors = hw[IGB_CNT_ALGNERRC];
	stats->rx_length_errors = hw[IGB_CNT_RLEC];
	stats->rx_errors = stats->rx_length_errors + stats->rx_crc_errors +
			   stats->rx_frame_errors + hw[IGB_CNT_RXERRC];
	stats->rx_missed_errors = hw[IGB_CNT_MPC] +
				  atomic64_read(&adapter->overflows);
	for (i = 0; i < adapter->max_queues; i++)
		stats->rx_missed_errors += igb_get_rqdpc(adapter, i);
	stats->tx_aborted_errors = hw[IGB_CNT_ECOL];
	stats->tx_window_errors = hw[IGB_CNT_LATECOL];
	/* Those were sent all the same. */
	stats->tx_carrier_errors = hw[IGB_CNT_TNCRS];
	stats->tx_errors = stats->tx_aborted_errors + stats->tx_window_errors;
}

/**
 * igb_get_stats64() - ndo_get_stats64
 * @netdev: the interface
 * @stats: what to add to
 *
 * No MMIO: this may run many times a second.
 *
 * Context: any.
 */
void igb_get_stats64(struct net_device *netdev,
		     struct rtnl_link_stats64 *stats)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	unsigned int i;

	for (i = 0; i < adapter->max_queues; i++) {
		igb_sum_tx(&adapter->queue[i]->tx, stats);
		igb_sum_rx(&adapter->queue[i]->rx, stats);
	}
	igb_sum_hw(adapter, stats);
}

static void igb_get_queue_stats_rx(struct net_device *netdev, int queue,
				   struct netdev_queue_stats_rx *stats)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	const struct igb_rx *rx = &adapter->queue[queue]->rx;

	stats->packets = igb_read_stat(&rx->syncp, &rx->stats.packets);
	stats->bytes = igb_read_stat(&rx->syncp, &rx->stats.bytes);
	stats->alloc_fail = igb_read_stat(&rx->syncp, &rx->stats.alloc_failed);
	stats->hw_drops = igb_get_rqdpc(adapter, queue);
	stats->hw_drop_overruns = stats->hw_drops;
	stats->csum_bad = igb_read_stat(&rx->syncp, &rx->stats.csum_errors);
}

static void igb_get_queue_stats_tx(struct net_device *netdev, int queue,
				   struct netdev_queue_stats_tx *stats)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	const struct igb_tx *tx = &adapter->queue[queue]->tx;

	stats->packets = igb_read_stat(&tx->syncp, &tx->stats.packets);
	stats->bytes = igb_read_stat(&tx->syncp, &tx->stats.bytes);
	stats->stop = igb_read_stat(&tx->syncp, &tx->stats.stopped);
	stats->wake = igb_read_stat(&tx->syncp, &tx->stats.woken);
}

static void igb_add_queue_rx(struct netdev_queue_stats_rx *sum,
			     const struct netdev_queue_stats_rx *stats)
{
	sum->packets += stats->packets;
	sum->bytes += stats->bytes;
	sum->alloc_fail += stats->alloc_fail;
	sum->hw_drops += stats->hw_drops;
	sum->hw_drop_overruns += stats->hw_drop_overruns;
	sum->csum_bad += stats->csum_bad;
}

static void igb_add_queue_tx(struct netdev_queue_stats_tx *sum,
			     const struct netdev_queue_stats_tx *stats)
{
	sum->packets += stats->packets;
	sum->bytes += stats->bytes;
	sum->stop += stats->stop;
	sum->wake += stats->wake;
}

static void igb_clear_base_stats(struct netdev_queue_stats_rx *rx,
				 struct netdev_queue_stats_tx *tx)
{
	rx->packets = 0;
	rx->bytes = 0;
	rx->alloc_fail = 0;
	rx->hw_drops = 0;
	rx->hw_drop_overruns = 0;
	rx->csum_bad = 0;
	tx->packets = 0;
	tx->bytes = 0;
	tx->stop = 0;
	tx->wake = 0;
}

/* What queues counted that are out of use now. */
static void igb_get_base_stats(struct net_device *netdev,
			       struct netdev_queue_stats_rx *rx,
			       struct netdev_queue_stats_tx *tx)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	struct netdev_queue_stats_rx queue_rx;
	struct netdev_queue_stats_tx queue_tx;
	unsigned int i;

	igb_clear_base_stats(rx, tx);
	for (i = adapter->num_queues; i < adapter->max_queues; i++) {
		igb_get_queue_stats_rx(netdev, i, &queue_rx);
		igb_add_queue_rx(rx, &queue_rx);
		igb_get_queue_stats_tx(netdev, i, &queue_tx);
		igb_add_queue_tx(tx, &queue_tx);
	}
}

const struct netdev_stat_ops igb_stat_ops = {
	.get_queue_stats_rx	= igb_get_queue_stats_rx,
	.get_queue_stats_tx	= igb_get_queue_stats_tx,
	.get_base_stats		= igb_get_base_stats,
};

/* ---- By the names of the standards ------------------------------------- */

/* The chip's counters, as of now. */
static void igb_get_counters(struct net_device *netdev, u64 *hw)
{
	struct igb_adapter *adapter = netdev_priv(netdev);

	igb_update_hw_stats(adapter);
	igb_read_hw_stats(adapter, hw);
}

/**
 * igb_get_pause_stats() - PAUSE frames, for ethtool -I -a
 * @netdev: the interface
 * @stats: where they go
 *
 * Context: process context, sleeps.
 */
void igb_get_pause_stats(struct net_device *netdev,
			 struct ethtool_pause_stats *stats)
{
	u64 hw[IGB_NUM_COUNTERS];

	igb_get_counters(netdev, hw);
	stats->tx_pause_frames = hw[IGB_CNT_XONTXC] + hw[IGB_CNT_XOFFTXC];
	stats->rx_pause_frames = hw[IGB_CNT_XONRXC] + hw[IGB_CNT_XOFFRXC];
}

/**
 * igb_get_eth_phy_stats() - IEEE 802.3, 30.3.2.1
 * @netdev: the interface
 * @stats: where they go
 *
 * Context: process context, sleeps.
 */
void igb_get_eth_phy_stats(struct net_device *netdev,
			   struct ethtool_eth_phy_stats *stats)
{
	u64 hw[IGB_NUM_COUNTERS];

	igb_get_counters(netdev, hw);
	stats->SymbolErrorDuringCarrier = hw[IGB_CNT_SYMERRS];
}

static void igb_fill_mac_tx(struct ethtool_eth_mac_stats *stats, const u64 *hw)
{
	stats->FramesTransmittedOK = hw[IGB_CNT_GPTC];
	stats->SingleCollisionFrames = hw[IGB_CNT_SCC];
	stats->MultipleCollisionFrames = hw[IGB_CNT_MCC];
	stats->OctetsTransmittedOK = hw[IGB_CNT_GOTC];
	stats->FramesWithDeferredXmissions = hw[IGB_CNT_DC];
	stats->LateCollisions = hw[IGB_CNT_LATECOL];
	stats->FramesAbortedDueToXSColls = hw[IGB_CNT_ECOL];
	stats->FramesLostDueToIntMACXmitError = hw[IGB_CNT_HTDPMC];
	stats->CarrierSenseErrors = hw[IGB_CNT_TNCRS];
	stats->MulticastFramesXmittedOK = hw[IGB_CNT_MPTC];
	stats->BroadcastFramesXmittedOK = hw[IGB_CNT_BPTC];
}

static void igb_fill_mac_rx(struct ethtool_eth_mac_stats *stats, const u64 *hw)
{
	stats->FramesReceivedOK = hw[IGB_CNT_GPRC];
	stats->FrameCheckSequenceErrors = hw[IGB_CNT_CRCERRS];
	stats->AlignmentErrors = hw[IGB_CNT_ALGNERRC];
	stats->OctetsReceivedOK = hw[IGB_CNT_GORC];
	stats->FramesLostDueToIntMACRcvError = hw[IGB_CNT_MPC];
	stats->MulticastFramesReceivedOK = hw[IGB_CNT_MPRC];
	stats->BroadcastFramesReceivedOK = hw[IGB_CNT_BPRC];
	stats->InRangeLengthErrors = hw[IGB_CNT_LENERRS];
	stats->FrameTooLongErrors = hw[IGB_CNT_ROC] + hw[IGB_CNT_RJC];
}

/**
 * igb_get_eth_mac_stats() - IEEE 802.3, 30.3.1.1
 * @netdev: the interface
 * @stats: where they go; what the chip does not count is left alone
 *
 * Octets are those of whole frames, from the destination address to the frame
 * check sequence.
 *
 * Context: process context, sleeps.
 */
void igb_get_eth_mac_stats(struct net_device *netdev,
			   struct ethtool_eth_mac_stats *stats)
{
	u64 hw[IGB_NUM_COUNTERS];

	igb_get_counters(netdev, hw);
	igb_fill_mac_tx(stats, hw);
	igb_fill_mac_rx(stats, hw);
}

/**
 * igb_get_eth_ctrl_stats() - IEEE 802.3, 30.3.3
 * @netdev: the interface
 * @stats: where they go
 *
 * Of MAC control frames the chip knows PAUSE, and that others are not.
 *
 * Context: process context, sleeps.
 */
void igb_get_eth_ctrl_stats(struct net_device *netdev,
			    struct ethtool_eth_ctrl_stats *stats)
{
	u64 hw[IGB_NUM_COUNTERS];

	igb_get_counters(netdev, hw);
	stats->MACControlFramesTransmitted = hw[IGB_CNT_XONTXC] +
					     hw[IGB_CNT_XOFFTXC];
	stats->MACControlFramesReceived = hw[IGB_CNT_XONRXC] +
					  hw[IGB_CNT_XOFFRXC] +
					  hw[IGB_CNT_FCRUC];
	stats->UnsupportedOpcodesReceived = hw[IGB_CNT_FCRUC];
}

/* PRC64 and PTC64, and the registers behind each. */
static const struct ethtool_rmon_hist_range igb_rmon_ranges[] = {
	{ 64, 64 },
	{ 65, 127 },
	{ 128, 255 },
	{ 256, 511 },
	{ 512, 1023 },
	{ 1024, IGB_MAX_MTU + IGB_FRAME_OVERHEAD },
	{}
};

/**
 * igb_get_rmon_stats() - RFC 2819
 * @netdev: the interface
 * @stats: where they go
 * @ranges: bytes of a frame that each element of the histograms stands for,
 *	with the frame check sequence
 *
 * Context: process context, sleeps.
 */
void igb_get_rmon_stats(struct net_device *netdev,
			struct ethtool_rmon_stats *stats,
			const struct ethtool_rmon_hist_range **ranges)
{
	u64 hw[IGB_NUM_COUNTERS];
	unsigned int i;

	igb_get_counters(netdev, hw);
	stats->undersize_pkts = hw[IGB_CNT_RUC];
	stats->oversize_pkts = hw[IGB_CNT_ROC];
	stats->fragments = hw[IGB_CNT_RFC];
	stats->jabbers = hw[IGB_CNT_RJC];
	for (i = 0; igb_rmon_ranges[i].high; i++) {
		stats->hist[i] = hw[IGB_CNT_PRC64 + i];
		stats->hist_tx[i] = hw[IGB_CNT_PTC64 + i];
	}
	*ranges = igb_rmon_ranges;
}
