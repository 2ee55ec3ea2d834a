// SPDX-License-Identifier: GPL-2.0
/*
 * What the administrator sees and sets with ethtool.
 */
#include <linux/ethtool.h>
#include <linux/ethtool_netlink.h>
#include <linux/mii.h>

#include "igb.h"

/* Version of the register dump's layout. */
#define IGB_REGS_VERSION	2

/* One run of registers without side effects of reading. */
static const struct {
	u16 first;
	u8 count;
	u8 stride;
} igb_reg_runs[] = {
	{ IGB_CTRL, 1, 4 },
	{ IGB_STATUS, 1, 4 },
	{ IGB_EECD, 2, 4 },
	{ IGB_CTRL_EXT, 1, 4 },
	{ IGB_MDIC, 1, 4 },
	{ IGB_FCAL, 3, 4 },
	{ IGB_VET, 1, 4 },
	{ IGB_LEDCTL, 1, 4 },
	{ IGB_IMS, 1, 4 },
	{ IGB_IAM, 1, 4 },
	{ IGB_GPIE, 1, 4 },
	{ IGB_EIMS, 1, 4 },
	{ IGB_EIAC, 2, 4 },
	{ IGB_EITR(0), IGB_MSIX_VECTORS, 4 },
	{ IGB_IVAR(0), 8, 4 },
	{ IGB_IVAR_MISC, 1, 4 },
	{ IGB_RCTL, 1, 4 },
	{ IGB_FCTTV, 1, 4 },
	{ IGB_FCRTL, 1, 4 },
	{ IGB_FCRTH, 1, 4 },
	{ IGB_FCRTV, 1, 4 },
	{ IGB_RXPBS, 1, 4 },
	{ IGB_TXPBS, 1, 4 },
	{ IGB_TCTL, 1, 4 },
	{ IGB_RXCSUM, 3, 4 },
	{ IGB_MTA(0), IGB_MTA_REGS, 4 },
	{ IGB_RA, 32, 4 },
	{ IGB_RA2, 16, 4 },
	{ IGB_PSRTYPE(0), 8, 4 },
	{ IGB_SYNQF, 1, 4 },
	{ IGB_VFTA(0), IGB_VFTA_REGS, 4 },
	{ IGB_MRQC, 1, 4 },
	{ IGB_SAQF(0), IGB_TUPLE_FILTERS, 4 },
	{ IGB_DAQF(0), IGB_TUPLE_FILTERS, 4 },
	{ IGB_SPQF(0), IGB_TUPLE_FILTERS, 4 },
	{ IGB_FTQF(0), IGB_TUPLE_FILTERS, 4 },
	{ IGB_IMIR(0), IGB_TUPLE_FILTERS, 4 },
	{ IGB_IMIREXT(0), IGB_TUPLE_FILTERS, 4 },
	{ IGB_RETA(0), IGB_RETA_ENTRIES / 4, 4 },
	{ IGB_RSSRK(0), IGB_RSS_KEY_SIZE / 4, 4 },
	{ IGB_ETQF(0), IGB_ETYPE_FILTERS, 4 },
	{ IGB_RDBAL(0), IGB_HW_QUEUES, 0x40 },
	{ IGB_RDBAH(0), IGB_HW_QUEUES, 0x40 },
	{ IGB_RDLEN(0), IGB_HW_QUEUES, 0x40 },
	{ IGB_SRRCTL(0), IGB_HW_QUEUES, 0x40 },
	{ IGB_RDH(0), IGB_HW_QUEUES, 0x40 },
	{ IGB_RDT(0), IGB_HW_QUEUES, 0x40 },
	{ IGB_RXDCTL(0), IGB_HW_QUEUES, 0x40 },
	{ IGB_TDBAL(0), IGB_HW_QUEUES, 0x40 },
	{ IGB_TDBAH(0), IGB_HW_QUEUES, 0x40 },
	{ IGB_TDLEN(0), IGB_HW_QUEUES, 0x40 },
	{ IGB_TDH(0), IGB_HW_QUEUES, 0x40 },
	{ IGB_TDT(0), IGB_HW_QUEUES, 0x40 },
	{ IGB_DCA_TXCTRL(0), IGB_HW_QUEUES, 0x40 },
	{ IGB_TXDCTL(0), IGB_HW_QUEUES, 0x40 },
	{ IGB_TDWBAL(0), IGB_HW_QUEUES, 0x40 },
	{ IGB_TDWBAH(0), IGB_HW_QUEUES, 0x40 },
	{ IGB_EEMNGCTL, 1, 4 },
	{ IGB_FWSM, 1, 4 },
	{ IGB_SW_FW_SYNC, 1, 4 },
};

static const char * const igb_tx_strings[] = {
	"packets", "bytes", "dropped", "stopped", "woken",
};

static const char * const igb_rx_strings[] = {
	"packets", "bytes", "dropped", "csum_errors", "alloc_failed",
	"xdp_drop", "xdp_tx", "xdp_redirect", "xdp_failed",
};

#define IGB_TX_STATS	ARRAY_SIZE(igb_tx_strings)
#define IGB_RX_STATS	ARRAY_SIZE(igb_rx_strings)

static_assert(sizeof(struct igb_tx_stats) / sizeof(u64_stats_t) ==
	      ARRAY_SIZE(igb_tx_strings));
static_assert(sizeof(struct igb_rx_stats) / sizeof(u64_stats_t) ==
	      ARRAY_SIZE(igb_rx_strings));

static void igb_get_drvinfo(struct net_device *netdev,
			    struct ethtool_drvinfo *info)
{
	struct igb_adapter *adapter = netdev_priv(netdev);

	strscpy(info->driver, IGB_DRV_NAME);
	if (adapter->nvm_version)
		snprintf(info->fw_version, sizeof(info->fw_version),
			 "NVM %#06x", adapter->nvm_version);
}

static u32 igb_get_msglevel(struct net_device *netdev)
{
	struct igb_adapter *adapter = netdev_priv(netdev);

	return adapter->msg_enable;
}

static void igb_set_msglevel(struct net_device *netdev, u32 level)
{
	struct igb_adapter *adapter = netdev_priv(netdev);

	adapter->msg_enable = level;
}

/* ---- Registers --------------------------------------------------------- */

/* Each run is a word with its first offset (upper half), the distance of the
 * registers and their count (lowest byte), then the values.
 */
static int igb_get_regs_len(struct net_device *netdev)
{
	unsigned int words = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(igb_reg_runs); i++)
		words += 1 + igb_reg_runs[i].count;
	return words * sizeof(u32);
}

static void igb_get_regs(struct net_device *netdev, struct ethtool_regs *regs,
			 void *data)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	u32 *out = data;
	unsigned int i, j;

	regs->version = IGB_REGS_VERSION;
	for (i = 0; i < ARRAY_SIZE(igb_reg_runs); i++) {
		*out++ = (u32)igb_reg_runs[i].first << 16 |
			 (u32)igb_reg_runs[i].stride << 8 |
			 igb_reg_runs[i].count;
		for (j = 0; j < igb_reg_runs[i].count; j++)
			*out++ = igb_rd(&adapter->hw, igb_reg_runs[i].first +
					j * igb_reg_runs[i].stride);
	}
}

/* ---- Non-volatile memory ------------------------------------------------ */

static int igb_get_eeprom_len(struct net_device *netdev)
{
	struct igb_adapter *adapter = netdev_priv(netdev);

	return adapter->hw.nvm.size;
}

/* Only who knows which card this is may write to it. */
static u32 igb_nvm_magic(const struct igb_adapter *adapter)
{
	return (u32)adapter->pdev->device << 16 | adapter->pdev->vendor;
}

static int igb_get_eeprom(struct net_device *netdev,
			  struct ethtool_eeprom *eeprom, u8 *data)
{
	struct igb_adapter *adapter = netdev_priv(netdev);

	eeprom->magic = igb_nvm_magic(adapter);
	return igb_hw_read_nvm(&adapter->hw, eeprom->offset, eeprom->len, data);
}

static int igb_set_eeprom(struct net_device *netdev,
			  struct ethtool_eeprom *eeprom, u8 *data)
{
	struct igb_adapter *adapter = netdev_priv(netdev);

	if (eeprom->magic != igb_nvm_magic(adapter)) {
		netdev_info(netdev, "writing to the NVM takes the magic number %#x\n",
			    igb_nvm_magic(adapter));
		return -EINVAL;
	}
	return igb_hw_write_nvm(&adapter->hw, eeprom->offset, eeprom->len,
				data);
}

/* ---- Statistics -------------------------------------------------------- */

static int igb_get_sset_count(struct net_device *netdev, int sset)
{
	struct igb_adapter *adapter = netdev_priv(netdev);

	if (sset == ETH_SS_TEST)
		return IGB_NUM_TESTS;
	if (sset != ETH_SS_STATS)
		return -EOPNOTSUPP;
	return adapter->max_queues * (IGB_TX_STATS + IGB_RX_STATS + 1) +
	       IGB_NUM_COUNTERS;
}

static void igb_get_strings(struct net_device *netdev, u32 sset, u8 *data)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	unsigned int i, j;

	if (sset == ETH_SS_TEST)
		igb_get_test_strings(data);
	if (sset != ETH_SS_STATS)
		return;

	for (i = 0; i < adapter->max_queues; i++) {
		for (j = 0; j < IGB_TX_STATS; j++)
			ethtool_sprintf(&data, "tx_queue_%u_%s", i,
					igb_tx_strings[j]);
		for (j = 0; j < IGB_RX_STATS; j++)
			ethtool_sprintf(&data, "rx_queue_%u_%s", i,
					igb_rx_strings[j]);
	}
	for (i = 0; i < IGB_NUM_COUNTERS; i++)
		ethtool_puts(&data, igb_hw_counters[i].name);
	for (i = 0; i < adapter->max_queues; i++)
		ethtool_sprintf(&data, "hw_rqdpc_%u", i);
}

static u64 *igb_copy_queue_stats(u64 *data, const struct igb_queue *q)
{
	igb_read_stats(data, &q->tx.syncp, &q->tx.stats, IGB_TX_STATS);
	data += IGB_TX_STATS;
	igb_read_stats(data, &q->rx.syncp, &q->rx.stats, IGB_RX_STATS);
	return data + IGB_RX_STATS;
}

static void igb_get_ethtool_stats(struct net_device *netdev,
				  struct ethtool_stats *stats, u64 *data)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	unsigned int i;

	igb_update_hw_stats(adapter);
	for (i = 0; i < adapter->max_queues; i++)
		data = igb_copy_queue_stats(data, adapter->queue[i]);

	igb_read_stats(data, &adapter->stats_syncp, adapter->hw_stats,
		       IGB_NUM_COUNTERS);
	igb_read_stats(data + IGB_NUM_COUNTERS, &adapter->stats_syncp,
		       adapter->rqdpc, adapter->max_queues);
}

/* ---- Rings and channels ------------------------------------------------ */

static void igb_get_ringparam(struct net_device *netdev,
			      struct ethtool_ringparam *ring,
			      struct kernel_ethtool_ringparam *kernel_ring,
			      struct netlink_ext_ack *extack)
{
	struct igb_adapter *adapter = netdev_priv(netdev);

	ring->rx_max_pending = IGB_MAX_DESC;
	ring->tx_max_pending = IGB_MAX_DESC;
	ring->rx_pending = adapter->rx_count;
	ring->tx_pending = adapter->tx_count;
	kernel_ring->tcp_data_split = adapter->split ?
				      ETHTOOL_TCP_DATA_SPLIT_ENABLED :
				      ETHTOOL_TCP_DATA_SPLIT_DISABLED;
}

static int igb_check_ring(u32 count, struct netlink_ext_ack *extack)
{
	if (count >= IGB_MIN_DESC && count <= IGB_MAX_DESC &&
	    count % IGB_DESC_MULTIPLE == 0)
		return 0;

	NL_SET_ERR_MSG_FMT_MOD(extack,
			       "a ring has %u to %u descriptors, a multiple of %u",
			       IGB_MIN_DESC, IGB_MAX_DESC, IGB_DESC_MULTIPLE);
	return -EINVAL;
}

/* Headers and what they carry are two buffers. */
static int igb_check_split(const struct igb_adapter *adapter,
			   struct netlink_ext_ack *extack)
{
	if (igb_xsk_in_use(adapter)) {
		NL_SET_ERR_MSG_MOD(extack,
				   "no tcp-data-split with an AF_XDP socket");
		return -EOPNOTSUPP;
	}
	if (!igb_xdp_takes_frags(adapter->xdp_prog)) {
		NL_SET_ERR_MSG_MOD(extack,
				   "no tcp-data-split while the XDP program takes no fragments");
		return -EOPNOTSUPP;
	}
	return 0;
}

static int igb_set_ringparam(struct net_device *netdev,
			     struct ethtool_ringparam *ring,
			     struct kernel_ethtool_ringparam *kernel_ring,
			     struct netlink_ext_ack *extack)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	struct igb_config want = igb_get_config(adapter);
	int err;

	err = igb_check_ring(ring->rx_pending, extack);
	if (!err)
		err = igb_check_ring(ring->tx_pending, extack);
	if (err)
		return err;

	want.tx_count = ring->tx_pending;
	want.rx_count = ring->rx_pending;
	want.split = kernel_ring->tcp_data_split ==
		     ETHTOOL_TCP_DATA_SPLIT_ENABLED;
	err = want.split ? igb_check_split(adapter, extack) : 0;
	if (err)
		return err;
	return igb_reconfigure(adapter, &want, extack);
}

static void igb_get_channels(struct net_device *netdev,
			     struct ethtool_channels *ch)
{
	struct igb_adapter *adapter = netdev_priv(netdev);

	ch->max_combined = adapter->max_queues;
	ch->combined_count = adapter->num_queues;
	ch->max_other = adapter->eims_other ? 1 : 0;
	ch->other_count = ch->max_other;
}

/* The core has seen to the range, and that the spreading set fits. */
static int igb_set_channels(struct net_device *netdev,
			    struct ethtool_channels *ch)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	struct igb_config want = igb_get_config(adapter);

	if (!ch->combined_count ||
	    ch->other_count != (adapter->eims_other ? 1 : 0))
		return -EINVAL;
	want.num_queues = ch->combined_count;
	return igb_reconfigure(adapter, &want, NULL);
}

/* ---- Interrupt moderation ----------------------------------------------- */

/* Receive and transmit share the vector, so they share this. */
static void igb_report_coalesce(const struct igb_queue *q,
				struct ethtool_coalesce *ec)
{
	ec->rx_coalesce_usecs = q->coalesce.usecs;
	ec->tx_coalesce_usecs = q->coalesce.usecs;
	ec->use_adaptive_rx_coalesce = q->coalesce.adaptive;
	ec->use_adaptive_tx_coalesce = q->coalesce.adaptive;
}

static int igb_get_coalesce(struct net_device *netdev,
			    struct ethtool_coalesce *ec,
			    struct kernel_ethtool_coalesce *kernel_ec,
			    struct netlink_ext_ack *extack)
{
	struct igb_adapter *adapter = netdev_priv(netdev);

	igb_report_coalesce(adapter->queue[0], ec);
	return 0;
}

static int igb_get_queue_coalesce(struct net_device *netdev, u32 queue,
				  struct ethtool_coalesce *ec)
{
	struct igb_adapter *adapter = netdev_priv(netdev);

	if (queue >= adapter->num_queues)
		return -EINVAL;
	igb_report_coalesce(adapter->queue[queue], ec);
	return 0;
}

/* Whichever of the two differs from what there was is what is wanted. */
static u32 igb_pick_changed(u32 was, u32 rx, u32 tx)
{
	return rx != was ? rx : tx;
}

static int igb_want_coalesce(const struct igb_coalesce *was,
			     const struct ethtool_coalesce *ec,
			     struct igb_coalesce *want,
			     struct netlink_ext_ack *extack)
{
	u32 usecs = igb_pick_changed(was->usecs, ec->rx_coalesce_usecs,
				     ec->tx_coalesce_usecs);

	if (ec->rx_coalesce_usecs != was->usecs &&
	    ec->tx_coalesce_usecs != was->usecs &&
	    ec->rx_coalesce_usecs != ec->tx_coalesce_usecs) {
		NL_SET_ERR_MSG_MOD(extack,
				   "rx-usecs and tx-usecs cannot differ: one vector serves both");
		return -EINVAL;
	}
	if (usecs > IGB_MAX_USECS) {
		NL_SET_ERR_MSG_FMT_MOD(extack, "at most %lu microseconds",
				       IGB_MAX_USECS);
		return -EINVAL;
	}
	want->usecs = usecs;
	want->adaptive = igb_pick_changed(was->adaptive,
					  ec->use_adaptive_rx_coalesce,
					  ec->use_adaptive_tx_coalesce);
	if (want->adaptive && usecs != was->usecs) {
		NL_SET_ERR_MSG_MOD(extack,
				   "a fixed time needs adaptive-rx off");
		return -EINVAL;
	}
	return 0;
}

static int igb_set_coalesce(struct net_device *netdev,
			    struct ethtool_coalesce *ec,
			    struct kernel_ethtool_coalesce *kernel_ec,
			    struct netlink_ext_ack *extack)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	struct igb_coalesce want;
	unsigned int i;
	int err;

	err = igb_want_coalesce(&adapter->queue[0]->coalesce, ec, &want,
				extack);
	for (i = 0; !err && i < adapter->max_queues; i++)
		igb_irq_set_coalesce(adapter->queue[i], &want);
	return err;
}

static int igb_set_queue_coalesce(struct net_device *netdev, u32 queue,
				  struct ethtool_coalesce *ec)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	struct igb_coalesce want;
	int err;

	if (queue >= adapter->num_queues)
		return -EINVAL;
	err = igb_want_coalesce(&adapter->queue[queue]->coalesce, ec, &want,
				NULL);
	if (!err)
		igb_irq_set_coalesce(adapter->queue[queue], &want);
	return err;
}

/* ---- Tunables ----------------------------------------------------------- */

static int igb_get_tunable(struct net_device *netdev,
			   const struct ethtool_tunable *tuna, void *data)
{
	struct igb_adapter *adapter = netdev_priv(netdev);

	if (tuna->id != ETHTOOL_TX_COPYBREAK)
		return -EOPNOTSUPP;
	*(u32 *)data = adapter->queue[0]->tx.copybreak;
	return 0;
}

static int igb_set_tunable(struct net_device *netdev,
			   const struct ethtool_tunable *tuna, const void *data)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	unsigned int i;
	u32 bytes;

	/* The core checks a length that goes with the kind. */
	if (tuna->id != ETHTOOL_TX_COPYBREAK)
		return -EOPNOTSUPP;
	bytes = *(const u32 *)data;
	if (bytes > IGB_TX_COPY_SPACE) {
		netdev_info(netdev, "tx-copybreak can be %u at most\n",
			    IGB_TX_COPY_SPACE);
		return -EINVAL;
	}
	for (i = 0; i < adapter->max_queues; i++)
		WRITE_ONCE(adapter->queue[i]->tx.copybreak, bytes);
	return 0;
}

/* ---- Spreading --------------------------------------------------------- */

static u32 igb_get_rxfh_key_size(struct net_device *netdev)
{
	return IGB_RSS_KEY_SIZE;
}

static u32 igb_get_rxfh_indir_size(struct net_device *netdev)
{
	return IGB_RETA_ENTRIES;
}

static int igb_get_rxfh(struct net_device *netdev,
			struct ethtool_rxfh_param *rxfh)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	unsigned int i;

	rxfh->hfunc = ETH_RSS_HASH_TOP;
	if (rxfh->key)
		memcpy(rxfh->key, adapter->rss_key, IGB_RSS_KEY_SIZE);
	for (i = 0; rxfh->indir && i < IGB_RETA_ENTRIES; i++)
		rxfh->indir[i] = adapter->reta[i];
	return 0;
}

static void igb_apply_rss(struct igb_adapter *adapter)
{
	if (adapter->up)
		igb_hw_set_rss(&adapter->hw, adapter->rss_key, adapter->reta,
			       adapter->rss_ports);
}

static int igb_set_rxfh(struct net_device *netdev,
			struct ethtool_rxfh_param *rxfh,
			struct netlink_ext_ack *extack)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	unsigned int i;

	if (rxfh->hfunc != ETH_RSS_HASH_NO_CHANGE &&
	    rxfh->hfunc != ETH_RSS_HASH_TOP) {
		NL_SET_ERR_MSG_MOD(extack, "the chip has Toeplitz only");
		return -EOPNOTSUPP;
	}

	if (rxfh->key)
		memcpy(adapter->rss_key, rxfh->key, IGB_RSS_KEY_SIZE);
	for (i = 0; rxfh->indir && i < IGB_RETA_ENTRIES; i++)
		adapter->reta[i] = rxfh->indir[i];
	igb_apply_rss(adapter);
	return 0;
}

/* Bits of MRQC that have a kind of frame hashed over its ports; 0 where only
 * addresses can be.
 */
static u32 igb_rss_ports(u32 flow_type)
{
	switch (flow_type) {
	case TCP_V4_FLOW:
		return IGB_MRQC_TCP4_PORTS;
	case TCP_V6_FLOW:
		return IGB_MRQC_TCP6_PORTS;
	case UDP_V4_FLOW:
		return IGB_MRQC_UDP4_PORTS;
	case UDP_V6_FLOW:
		return IGB_MRQC_UDP6_PORTS;
	default:
		return 0;
	}
}

#define IGB_RXH_ADDRESSES	(RXH_IP_SRC | RXH_IP_DST)
#define IGB_RXH_PORTS		(RXH_L4_B_0_1 | RXH_L4_B_2_3)

static u32 igb_get_hash_fields(const struct igb_adapter *adapter, u32 flow_type)
{
	if (flow_type == ETHER_FLOW)
		return 0;
	if (adapter->rss_ports & igb_rss_ports(flow_type))
		return IGB_RXH_ADDRESSES | IGB_RXH_PORTS;
	return IGB_RXH_ADDRESSES;
}

static int igb_get_rxfh_fields(struct net_device *netdev,
			       struct ethtool_rxfh_fields *fields)
{
	fields->data = igb_get_hash_fields(netdev_priv(netdev),
					   fields->flow_type);
	return 0;
}

static int igb_set_rxfh_fields(struct net_device *netdev,
			       const struct ethtool_rxfh_fields *fields,
			       struct netlink_ext_ack *extack)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	u32 ports = igb_rss_ports(fields->flow_type);

	if (fields->data == (IGB_RXH_ADDRESSES | IGB_RXH_PORTS) && ports) {
		adapter->rss_ports |= ports;
	} else if (fields->data ==
		   igb_get_hash_fields(adapter, fields->flow_type)) {
		return 0;
	} else if (fields->data == IGB_RXH_ADDRESSES && ports) {
		adapter->rss_ports &= ~ports;
	} else {
		NL_SET_ERR_MSG_MOD(extack,
				   "the chip hashes both addresses, with both ports of TCP and UDP or without");
		return -EINVAL;
	}
	igb_apply_rss(adapter);
	return 0;
}

static int igb_get_rxnfc(struct net_device *netdev, struct ethtool_rxnfc *info,
			 u32 *rules)
{
	struct igb_adapter *adapter = netdev_priv(netdev);

	switch (info->cmd) {
	case ETHTOOL_GRXRINGS:
		info->data = adapter->num_queues;
		return 0;
	case ETHTOOL_GRXFH:	/* an older kernel */
		info->data = igb_get_hash_fields(adapter, info->flow_type);
		return 0;
	case ETHTOOL_GRXCLSRLCNT:
		return igb_filter_list(adapter, info, NULL);
	case ETHTOOL_GRXCLSRLALL:
		return igb_filter_list(adapter, info, rules);
	case ETHTOOL_GRXCLSRULE:
		return igb_filter_get(adapter, &info->fs);
	default:
		return -EOPNOTSUPP;
	}
}

/* For a kernel without set_rxfh_fields. */
static int igb_set_hash_fields(struct net_device *netdev,
			       const struct ethtool_rxnfc *info)
{
	const struct ethtool_rxfh_fields fields = {
		.data = info->data,
		.flow_type = info->flow_type,
	};

	if (info->data > U32_MAX)
		return -EOPNOTSUPP;
	return igb_set_rxfh_fields(netdev, &fields, NULL);
}

static int igb_set_rxnfc(struct net_device *netdev, struct ethtool_rxnfc *info)
{
	struct igb_adapter *adapter = netdev_priv(netdev);

	switch (info->cmd) {
	case ETHTOOL_SRXFH:
		return igb_set_hash_fields(netdev, info);
	case ETHTOOL_SRXCLSRLINS:
		return igb_filter_insert(adapter, &info->fs);
	case ETHTOOL_SRXCLSRLDEL:
		return igb_filter_delete(adapter, info->fs.location);
	default:
		return -EOPNOTSUPP;
	}
}

/* ---- Link --------------------------------------------------------------- */

/* Anyone may ask, in sysfs: it does not wait for the PHY, nor for who has it.
 * RTNL keeps the settings.
 */
static int igb_get_link_ksettings(struct net_device *netdev,
				  struct ethtool_link_ksettings *cmd)
{
	unsigned long *partner = cmd->link_modes.lp_advertising;
	struct igb_adapter *adapter = netdev_priv(netdev);
	const struct igb_phy *phy = &adapter->hw.phy;
	struct igb_link link;

	spin_lock(&adapter->link_lock);
	link = adapter->link;
	spin_unlock(&adapter->link_lock);

	igb_phy_supported(cmd->link_modes.supported);
	linkmode_copy(cmd->link_modes.advertising, phy->want.advertising);
	linkmode_mod_bit(ETHTOOL_LINK_MODE_Autoneg_BIT,
			 cmd->link_modes.advertising, phy->want.autoneg);
	cmd->base.autoneg = phy->want.autoneg;
	cmd->base.eth_tp_mdix_ctrl = phy->want.mdix;
	cmd->base.port = PORT_TP;
	cmd->base.phy_address = IGB_PHY_ADDR;
	cmd->base.speed = SPEED_UNKNOWN;
	cmd->base.duplex = DUPLEX_UNKNOWN;
	if (!link.up)
		return 0;

	cmd->base.speed = link.speed;
	cmd->base.duplex = link.duplex;
	cmd->base.eth_tp_mdix = link.mdix;
	mii_lpa_mod_linkmode_lpa_t(partner, link.lpa);
	mii_stat1000_mod_linkmode_lpa_t(partner, link.stat1000);
	return 0;
}

/* Some speed must be left to negotiate, and nothing the PHY has not. */
static int igb_check_autoneg(struct net_device *netdev,
			     const unsigned long *advertising)
{
	__ETHTOOL_DECLARE_LINK_MODE_MASK(supported);

	igb_phy_supported(supported);
	if (!linkmode_subset(advertising, supported)) {
		netdev_info(netdev,
			    "only 10, 100 and 1000baseT/Full can be advertised\n");
		return -EINVAL;
	}
	if (!(linkmode_adv_to_mii_adv_t(advertising) & ADVERTISE_ALL) &&
	    !linkmode_adv_to_mii_ctrl1000_t(advertising)) {
		netdev_info(netdev, "cannot negotiate without a speed to advertise\n");
		return -EINVAL;
	}
	return 0;
}

static int igb_check_forced(struct net_device *netdev, u32 speed, u8 duplex)
{
	if ((speed == SPEED_10 || speed == SPEED_100) &&
	    (duplex == DUPLEX_HALF || duplex == DUPLEX_FULL))
		return 0;

	netdev_info(netdev,
		    "only 10 and 100 Mb/s can be forced, 1000 Mb/s full duplex must be negotiated\n");
	return -EINVAL;
}

/* An old caller may not say; then it stays. */
static int igb_check_mdix(struct net_device *netdev, u8 mdix, bool autoneg)
{
	if (mdix > ETH_TP_MDI_AUTO)
		return -EINVAL;
	if (mdix != ETH_TP_MDI_X || autoneg)
		return 0;

	netdev_info(netdev, "pairs can be crossed only where the link is negotiated\n");
	return -EINVAL;
}

/* An interface can say which of several it wants. */
static int igb_check_port(struct net_device *netdev, u8 port, u8 phy_address)
{
	if (port == PORT_TP && phy_address == IGB_PHY_ADDR)
		return 0;

	netdev_info(netdev, "there is no other port than TP, no other PHY than %u\n",
		    IGB_PHY_ADDR);
	return -EINVAL;
}

/* The caller holds the PHY's lock. */
static int igb_renegotiate(struct igb_adapter *adapter,
			   const struct igb_phy_settings *want)
{
	struct igb_phy *phy = &adapter->hw.phy;
	struct igb_phy_settings old = phy->want;
	int err;

	phy->want = *want;
	err = igb_restart_link(adapter);
	if (err)
		phy->want = old;
	return err;
}

static int igb_set_link_ksettings(struct net_device *netdev,
				  const struct ethtool_link_ksettings *cmd)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	bool autoneg = cmd->base.autoneg == AUTONEG_ENABLE;
	struct igb_phy *phy = &adapter->hw.phy;
	struct igb_phy_settings want;
	int err;

	err = igb_check_port(netdev, cmd->base.port, cmd->base.phy_address);
	if (!err && autoneg)
		err = igb_check_autoneg(netdev, cmd->link_modes.advertising);
	else if (!err)
		err = igb_check_forced(netdev, cmd->base.speed,
				       cmd->base.duplex);
	if (!err)
		err = igb_check_mdix(netdev, cmd->base.eth_tp_mdix_ctrl,
				     autoneg);
	if (err)
		return err;

	mutex_lock(&phy->lock);
	want = phy->want;
	want.autoneg = autoneg;
	if (cmd->base.eth_tp_mdix_ctrl != ETH_TP_MDI_INVALID)
		want.mdix = cmd->base.eth_tp_mdix_ctrl;
	if (autoneg) {
		linkmode_copy(want.advertising, cmd->link_modes.advertising);
		linkmode_set_bit(ETHTOOL_LINK_MODE_Autoneg_BIT,
				 want.advertising);
	} else {
		want.forced_speed = cmd->base.speed;
		want.forced_duplex = cmd->base.duplex;
	}
	err = igb_renegotiate(adapter, &want);
	mutex_unlock(&phy->lock);
	return err;
}

static int igb_nway_reset(struct net_device *netdev)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	struct igb_phy *phy = &adapter->hw.phy;
	int err = -EINVAL;

	mutex_lock(&phy->lock);
	if (phy->want.autoneg)
		err = igb_restart_link(adapter);
	mutex_unlock(&phy->lock);
	return err;
}

/* A forced link has no flow control unless that is forced, too. */
static void igb_get_pauseparam(struct net_device *netdev,
			       struct ethtool_pauseparam *pause)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	struct igb_phy *phy = &adapter->hw.phy;
	u8 fc = 0;

	mutex_lock(&phy->lock);
	pause->autoneg = phy->want.autoneg && !phy->want.forced_pause;
	if (phy->want.autoneg || phy->want.forced_pause)
		fc = igb_phy_wanted_pause(&phy->want);
	mutex_unlock(&phy->lock);

	pause->rx_pause = !!(fc & FLOW_CTRL_RX);
	pause->tx_pause = !!(fc & FLOW_CTRL_TX);
}

/* Only what the partner is told of costs the link. */
static int igb_change_pause(struct igb_adapter *adapter,
			    const struct igb_phy_settings *want)
{
	struct igb_phy *phy = &adapter->hw.phy;

	if (want->autoneg && !linkmode_equal(want->advertising,
					     phy->want.advertising))
		return igb_renegotiate(adapter, want);

	phy->want = *want;
	igb_check_link(adapter);
	return 0;
}

/* The directions are advertised even where the partner is not listened to. */
static int igb_set_pauseparam(struct net_device *netdev,
			      struct ethtool_pauseparam *pause)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	bool rx = pause->rx_pause, tx = pause->tx_pause;
	struct igb_phy *phy = &adapter->hw.phy;
	struct igb_phy_settings want;
	int err = -EINVAL;

	mutex_lock(&phy->lock);
	want = phy->want;
	want.forced_pause = !pause->autoneg;
	linkmode_mod_bit(ETHTOOL_LINK_MODE_Pause_BIT, want.advertising, rx);
	linkmode_mod_bit(ETHTOOL_LINK_MODE_Asym_Pause_BIT, want.advertising,
			 rx != tx);
	if (want.autoneg || want.forced_pause)
		err = igb_change_pause(adapter, &want);
	else
		netdev_info(netdev, "flow control of a forced link cannot be negotiated\n");
	mutex_unlock(&phy->lock);
	return err;
}

/* Why there is no link, as far as this PHY can tell. */
static int igb_get_link_ext_state(struct net_device *netdev,
				  struct ethtool_link_ext_state_info *info)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	u16 bmsr, lpa;

	if (netif_carrier_ok(netdev) ||
	    igb_phy_read(&adapter->hw, IGB_PHY_ADDR, MII_BMSR, &bmsr) ||
	    igb_phy_read(&adapter->hw, IGB_PHY_ADDR, MII_LPA, &lpa))
		return -ENODATA;

	info->link_ext_state = ETHTOOL_LINK_EXT_STATE_AUTONEG;
	if (!adapter->hw.phy.want.autoneg)
		info->autoneg =
		    ETHTOOL_LINK_EXT_SUBSTATE_AN_NO_PARTNER_DETECTED_FORCE_MODE;
	else if (!(lpa & LPA_LPACK))
		info->autoneg =
			ETHTOOL_LINK_EXT_SUBSTATE_AN_NO_PARTNER_DETECTED;
	else if (bmsr & BMSR_ANEGCOMPLETE)
		info->autoneg = ETHTOOL_LINK_EXT_SUBSTATE_AN_NO_HCD;
	else
		return -ENODATA;
	return 0;
}

static void igb_get_link_ext_stats(struct net_device *netdev,
				   struct ethtool_link_ext_stats *stats)
{
	struct igb_adapter *adapter = netdev_priv(netdev);

	stats->link_down_events = READ_ONCE(adapter->link_downs);
}

/* All LEDs blink, each as if it was on. */
static int igb_set_phys_id(struct net_device *netdev,
			   enum ethtool_phys_id_state state)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	struct igb_hw *hw = &adapter->hw;

	if (!igb_hw_present(hw))
		return -ENODEV;

	switch (state) {
	case ETHTOOL_ID_ACTIVE:
		adapter->ledctl = igb_rd(hw, IGB_LEDCTL);
		igb_wr(hw, IGB_LEDCTL, IGB_LEDCTL_ON | IGB_LEDCTL_BLINK);
		return 0;
	case ETHTOOL_ID_INACTIVE:
		igb_wr(hw, IGB_LEDCTL, adapter->ledctl);
		return 0;
	default:
		return -EINVAL;
	}
}

/* ---- Wake-on-LAN -------------------------------------------------------- */

#define IGB_WAKE	(WAKE_PHY | WAKE_UCAST | WAKE_MCAST | WAKE_BCAST | \
			 WAKE_MAGIC)

/* Without PME nobody would hear of it. */
static bool igb_can_wake(struct pci_dev *pdev)
{
	return pci_pme_capable(pdev, PCI_D3hot) ||
	       pci_pme_capable(pdev, PCI_D3cold);
}

static void igb_get_wol(struct net_device *netdev, struct ethtool_wolinfo *wol)
{
	struct igb_adapter *adapter = netdev_priv(netdev);

	wol->supported = igb_can_wake(adapter->pdev) ? IGB_WAKE : 0;
	wol->wolopts = adapter->wake;
}

static int igb_set_wol(struct net_device *netdev, struct ethtool_wolinfo *wol)
{
	struct igb_adapter *adapter = netdev_priv(netdev);

	if (!igb_can_wake(adapter->pdev))
		return -EOPNOTSUPP;
	if (wol->wolopts & ~IGB_WAKE)
		return -EINVAL;

	adapter->wake = wol->wolopts;
	device_set_wakeup_enable(&adapter->pdev->dev, adapter->wake);
	return 0;
}

const struct ethtool_ops igb_ethtool_ops = {
	.supported_ring_params	= ETHTOOL_RING_USE_TCP_DATA_SPLIT,
	.supported_coalesce_params = ETHTOOL_COALESCE_USECS |
				     ETHTOOL_COALESCE_USE_ADAPTIVE,
	.get_drvinfo		= igb_get_drvinfo,
	.get_regs_len		= igb_get_regs_len,
	.get_regs		= igb_get_regs,
	.get_wol		= igb_get_wol,
	.set_wol		= igb_set_wol,
	.get_msglevel		= igb_get_msglevel,
	.set_msglevel		= igb_set_msglevel,
	.nway_reset		= igb_nway_reset,
	.get_link		= ethtool_op_get_link,
	.get_eeprom_len		= igb_get_eeprom_len,
	.get_eeprom		= igb_get_eeprom,
	.set_eeprom		= igb_set_eeprom,
	.get_link_ext_state	= igb_get_link_ext_state,
	.get_link_ext_stats	= igb_get_link_ext_stats,
	.set_phys_id		= igb_set_phys_id,
	.get_ringparam		= igb_get_ringparam,
	.set_ringparam		= igb_set_ringparam,
	.get_pauseparam		= igb_get_pauseparam,
	.set_pauseparam		= igb_set_pauseparam,
	.get_coalesce		= igb_get_coalesce,
	.set_coalesce		= igb_set_coalesce,
	.get_per_queue_coalesce	= igb_get_queue_coalesce,
	.set_per_queue_coalesce	= igb_set_queue_coalesce,
	.get_tunable		= igb_get_tunable,
	.set_tunable		= igb_set_tunable,
	.self_test		= igb_self_test,
	.get_strings		= igb_get_strings,
	.get_sset_count		= igb_get_sset_count,
	.get_ethtool_stats	= igb_get_ethtool_stats,
	.get_pause_stats	= igb_get_pause_stats,
	.get_eth_phy_stats	= igb_get_eth_phy_stats,
	.get_eth_mac_stats	= igb_get_eth_mac_stats,
	.get_eth_ctrl_stats	= igb_get_eth_ctrl_stats,
	.get_rmon_stats		= igb_get_rmon_stats,
	.get_ts_info		= ethtool_op_get_ts_info,
	.get_channels		= igb_get_channels,
	.set_channels		= igb_set_channels,
	.get_rxfh_key_size	= igb_get_rxfh_key_size,
	.get_rxfh_indir_size	= igb_get_rxfh_indir_size,
	.get_rxfh		= igb_get_rxfh,
	.set_rxfh		= igb_set_rxfh,
	.get_rxnfc		= igb_get_rxnfc,
	.set_rxnfc		= igb_set_rxnfc,
#ifdef IGB_HAVE_ETHTOOL_RXFH_FIELDS
	.get_rxfh_fields	= igb_get_rxfh_fields,
	.set_rxfh_fields	= igb_set_rxfh_fields,
#endif
	.get_link_ksettings	= igb_get_link_ksettings,
	.set_link_ksettings	= igb_set_link_ksettings,
};
