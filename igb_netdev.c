// SPDX-License-Identifier: GPL-2.0
/*
 * What the stack asks of a port: addresses, filters, MTU, MII ioctls, a stuck
 * queue, single queues restarted.
 */
#include <linux/mii.h>
#include <net/netdev_queues.h>

#include "igb.h"

/* A device that has these is locked in another way since there is an instance
 * lock, which this driver does not know of.
 */
#ifndef IGB_HAVE_NETDEV_NEED_OPS_LOCK
static int igb_queue_mem_alloc(struct net_device *netdev, void *mem, int queue)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	struct igb_config config = igb_get_config(adapter);
	struct igb_rx_ring *ring = mem;
	int err;

	*ring = (struct igb_rx_ring) {};
	err = igb_rx_ring_alloc(adapter->queue[queue], ring, &config);
	if (err)
		igb_rx_ring_free(&adapter->pdev->dev, ring);
	return err;
}

static void igb_queue_mem_free(struct net_device *netdev, void *mem)
{
	struct igb_adapter *adapter = netdev_priv(netdev);

	igb_rx_ring_free(&adapter->pdev->dev, mem);
}

static int igb_queue_stop(struct net_device *netdev, void *mem, int queue)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	struct igb_queue *q = adapter->queue[queue];
	struct igb_rx_ring *ring = mem;

	if (!adapter->up)
		return -ENETDOWN;
	if (!q->tx.up)
		return -EBUSY;

	igb_stop_queue(q);
	*ring = (struct igb_rx_ring) {};
	igb_rx_ring_swap(q, ring);
	return 0;
}

/* The memory is the queue's from here on, even if the port has to be reset. */
static int igb_queue_start(struct net_device *netdev, void *mem, int queue)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	struct igb_queue *q = adapter->queue[queue];

	if (!netif_running(netdev))
		return -ENETDOWN;
	if (q->rx.ring.desc)
		return -EBUSY;

	igb_rx_ring_swap(q, mem);
	igb_start_queue(q);
	return 0;
}

static const struct netdev_queue_mgmt_ops igb_queue_mgmt_ops = {
	.ndo_queue_mem_size	= sizeof(struct igb_rx_ring),
	.ndo_queue_mem_alloc	= igb_queue_mem_alloc,
	.ndo_queue_mem_free	= igb_queue_mem_free,
	.ndo_queue_start	= igb_queue_start,
	.ndo_queue_stop		= igb_queue_stop,
};

static void igb_set_queue_ops(struct net_device *netdev)
{
	netdev->queue_mgmt_ops = &igb_queue_mgmt_ops;
}
#else
static void igb_set_queue_ops(struct net_device *netdev) {}
#endif

/* Exact filters for the port's own and other unicast addresses. */
static bool igb_write_unicast(struct net_device *netdev, struct igb_hw *hw)
{
	struct netdev_hw_addr *ha;
	unsigned int i = 0;

	igb_hw_set_rar(hw, i++, netdev->dev_addr);
	netdev_for_each_uc_addr(ha, netdev) {
		if (i == IGB_RAR_ENTRIES)
			return false;
		igb_hw_set_rar(hw, i++, ha->addr);
	}
	while (i < IGB_RAR_ENTRIES)
		igb_hw_set_rar(hw, i++, NULL);
	return true;
}

static void igb_write_multicast(struct net_device *netdev, struct igb_hw *hw)
{
	u32 mta[IGB_MTA_REGS] = {};
	struct netdev_hw_addr *ha;
	unsigned int hash;

	netdev_for_each_mc_addr(ha, netdev) {
		hash = igb_hw_mta_hash(ha->addr);
		mta[hash / 32] |= BIT(hash % 32);
	}
	igb_hw_set_mta(hw, mta);
}

/**
 * igb_write_filters() - let the chip receive what the stack wants
 * @adapter: the port, up
 * @features: the interface's, or what they are to be
 *
 * Context: any; the caller holds the interface's address list lock.
 */
void igb_write_filters(struct igb_adapter *adapter,
		       netdev_features_t features)
{
	struct net_device *netdev = adapter->netdev;
	struct igb_hw *hw = &adapter->hw;
	u32 filter = IGB_RCTL_BAM;

	/* More addresses than filters: take everything. */
	if (!igb_write_unicast(netdev, hw))
		filter |= IGB_RCTL_UPE;
	igb_write_multicast(netdev, hw);

	if (netdev->flags & IFF_PROMISC)
		filter |= IGB_RCTL_UPE | IGB_RCTL_MPE;
	else if (features & NETIF_F_HW_VLAN_CTAG_FILTER)
		filter |= IGB_RCTL_VFE;
	if (netdev->flags & IFF_ALLMULTI)
		filter |= IGB_RCTL_MPE;
	if (features & NETIF_F_RXALL)
		filter |= IGB_RCTL_SBP;
	igb_hw_set_rx_filter(hw, filter);
}

/**
 * igb_restore_vlans() - tell the chip of VLANs again
 * @adapter: the port, after a reset
 *
 * Context: process context, sleeps; RTNL, or probe.
 */
void igb_restore_vlans(struct igb_adapter *adapter)
{
	netdev_features_t features = adapter->netdev->features;
	unsigned int i;

	igb_hw_set_vlan_strip(&adapter->hw,
			      features & NETIF_F_HW_VLAN_CTAG_RX);
	for (i = 0; i < IGB_VFTA_REGS; i++)
		igb_hw_set_vfta(&adapter->hw, i, adapter->vfta[i]);
}

static int igb_vlan_rx_add_vid(struct net_device *netdev, __be16 proto, u16 vid)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	int err = igb_get_awake(adapter);

	if (err)
		return err;
	adapter->vfta[vid / 32] |= BIT(vid % 32);
	igb_hw_set_vfta(&adapter->hw, vid / 32, adapter->vfta[vid / 32]);
	igb_put_awake(adapter);
	return 0;
}

static int igb_vlan_rx_kill_vid(struct net_device *netdev, __be16 proto,
				u16 vid)
{
	struct igb_adapter *adapter = netdev_priv(netdev);

	/* Frames that carry a priority only are for the port itself. */
	if (!vid)
		return 0;
	adapter->vfta[vid / 32] &= ~BIT(vid % 32);
	/* A chip that does not wake is told when it is reset. */
	if (igb_get_awake(adapter))
		return 0;
	igb_hw_set_vfta(&adapter->hw, vid / 32, adapter->vfta[vid / 32]);
	igb_put_awake(adapter);
	return 0;
}

static int igb_set_loopback(struct igb_adapter *adapter, bool on)
{
	struct igb_phy *phy = &adapter->hw.phy;
	int err;

	mutex_lock(&phy->lock);
	phy->loopback = on;
	err = igb_restart_link(adapter);
	if (err)
		phy->loopback = !on;
	mutex_unlock(&phy->lock);
	return err;
}

/* Bad frames may be longer than an application's buffers. */
static netdev_features_t igb_fix_features(struct net_device *netdev,
					  netdev_features_t features)
{
	if (features & NETIF_F_RXALL && igb_xsk_in_use(netdev_priv(netdev))) {
		netdev_info(netdev, "no bad frames with an AF_XDP socket\n");
		features &= ~NETIF_F_RXALL;
	}
	return features;
}

static int igb_apply_features(struct igb_adapter *adapter,
			      netdev_features_t features)
{
	struct net_device *netdev = adapter->netdev;
	netdev_features_t changed = netdev->features ^ features;
	int err;

	if (changed & NETIF_F_LOOPBACK) {
		err = igb_set_loopback(adapter, features & NETIF_F_LOOPBACK);
		if (err)
			return err;
	}
	if (changed & ~features & NETIF_F_NTUPLE)
		igb_filter_clear(adapter);
	if (changed & NETIF_F_HW_VLAN_CTAG_RX)
		igb_hw_set_vlan_strip(&adapter->hw,
				      features & NETIF_F_HW_VLAN_CTAG_RX);
	if (changed & (NETIF_F_HW_VLAN_CTAG_FILTER | NETIF_F_RXALL) &&
	    adapter->up) {
		netif_addr_lock_bh(netdev);
		igb_write_filters(adapter, features);
		netif_addr_unlock_bh(netdev);
	}
	return 0;
}

static int igb_set_features(struct net_device *netdev,
			    netdev_features_t features)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	int err;

	err = igb_get_awake(adapter);
	if (err)
		return err;
	err = igb_apply_features(adapter, features);
	igb_put_awake(adapter);
	return err;
}

static void igb_set_rx_mode(struct net_device *netdev)
{
	igb_write_filters(netdev_priv(netdev), netdev->features);
}

static int igb_set_mac_address(struct net_device *netdev, void *data)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	struct sockaddr *addr = data;

	if (!is_valid_ether_addr(addr->sa_data))
		return -EADDRNOTAVAIL;

	eth_hw_addr_set(netdev, addr->sa_data);
	if (adapter->up) {
		netif_addr_lock_bh(netdev);
		igb_write_filters(adapter, netdev->features);
		netif_addr_unlock_bh(netdev);
	}
	return 0;
}

/* Buffers hold any frame already; only the chip's limit moves. */
static int igb_change_mtu(struct net_device *netdev, int mtu)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	struct igb_hw *hw = &adapter->hw;

	if (!igb_xdp_fits(adapter->xdp_prog, mtu)) {
		netdev_warn(netdev, "the XDP program takes no fragments, so the MTU may be %u at most\n",
			    IGB_RX_BUF_LEN - VLAN_ETH_HLEN);
		return -EINVAL;
	}

	if (!igb_xsk_fits(adapter, mtu)) {
		netdev_warn(netdev, "an AF_XDP socket's buffers are too small for an MTU of %d\n",
			    mtu);
		return -EINVAL;
	}

	WRITE_ONCE(netdev->mtu, mtu);
	if (adapter->up) {
		igb_hw_stop_rx(hw);
		igb_hw_set_max_frame(hw, mtu);
		igb_hw_start_rx(hw);
	}
	return 0;
}

static int igb_mii_ioctl(struct igb_hw *hw, struct mii_ioctl_data *mii,
			 int cmd)
{
	switch (cmd) {
	case SIOCGMIIPHY:
		mii->phy_id = IGB_PHY_ADDR;
		fallthrough;
	case SIOCGMIIREG:
		return igb_phy_read(hw, mii->phy_id & 0x1f,
				    mii->reg_num & 0x1f, &mii->val_out);
	case SIOCSMIIREG:
		return igb_phy_write(hw, mii->phy_id & 0x1f,
				     mii->reg_num & 0x1f, mii->val_in);
	default:
		return -EOPNOTSUPP;
	}
}

static int igb_eth_ioctl(struct net_device *netdev, struct ifreq *ifr, int cmd)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	int err;

	err = igb_get_awake(adapter);
	if (err)
		return err;
	err = igb_mii_ioctl(&adapter->hw, if_mii(ifr), cmd);
	igb_put_awake(adapter);
	return err;
}

/**
 * igb_tx_hangs() - say that a queue hangs, and have it seen to
 * @adapter: the port
 * @queue: number of the transmit queue
 *
 * Once, until none hangs or the port was started again.
 *
 * Context: any.
 */
void igb_tx_hangs(struct igb_adapter *adapter, unsigned int queue)
{
	struct igb_tx *tx = &adapter->queue[queue]->tx;

	/* Frames just have to be given back. */
	if (!netif_carrier_ok(adapter->netdev)) {
		igb_report_trouble(adapter, IGB_TX_WAITS);
		return;
	}
	if (xchg(&adapter->hangs, true))
		return;

	netif_warn(adapter, tx_err, adapter->netdev,
		   "queue %u hangs: use %u, clean %u, TDH %u, TDT %u\n",
		   queue, tx->next_to_use, tx->next_to_clean,
		   igb_rd(&adapter->hw, IGB_TDH(queue)),
		   igb_rd(&adapter->hw, IGB_TDT(queue)));
	igb_report_trouble(adapter, IGB_TX_HANGS);
}

static void igb_tx_timeout(struct net_device *netdev, unsigned int txqueue)
{
	struct igb_adapter *adapter = netdev_priv(netdev);

	/* Detaching stops the queues that were never used as well. */
	if (txqueue < adapter->num_queues)
		igb_tx_hangs(adapter, txqueue);
}

const struct net_device_ops igb_netdev_ops = {
	.ndo_open		= igb_open,
	.ndo_stop		= igb_stop,
	.ndo_start_xmit		= igb_xmit_frame,
	.ndo_features_check	= igb_features_check,
	.ndo_get_stats64	= igb_get_stats64,
	.ndo_set_rx_mode	= igb_set_rx_mode,
	.ndo_fix_features	= igb_fix_features,
	.ndo_set_features	= igb_set_features,
	.ndo_vlan_rx_add_vid	= igb_vlan_rx_add_vid,
	.ndo_vlan_rx_kill_vid	= igb_vlan_rx_kill_vid,
	.ndo_set_mac_address	= igb_set_mac_address,
	.ndo_validate_addr	= eth_validate_addr,
	.ndo_change_mtu		= igb_change_mtu,
	.ndo_eth_ioctl		= igb_eth_ioctl,
	.ndo_tx_timeout		= igb_tx_timeout,
	.ndo_bpf		= igb_bpf,
	.ndo_xdp_xmit		= igb_xdp_xmit,
	.ndo_xsk_wakeup		= igb_xsk_wakeup,
};

/**
 * igb_netdev_init() - tell the stack what this interface can do
 * @netdev: the interface, not yet registered
 *
 * Context: process context, probe only.
 */
void igb_netdev_init(struct net_device *netdev)
{
	struct igb_adapter *adapter = netdev_priv(netdev);

	netdev->netdev_ops = &igb_netdev_ops;
	netdev->ethtool_ops = &igb_ethtool_ops;
	netdev->stat_ops = &igb_stat_ops;
	igb_set_queue_ops(netdev);
	netdev->watchdog_timeo = 5 * HZ;
	netdev->min_mtu = ETH_MIN_MTU;
	netdev->max_mtu = IGB_MAX_MTU;
	netdev->priv_flags |= IFF_UNICAST_FLT | IFF_LIVE_ADDR_CHANGE;

	netdev->xdp_metadata_ops = &igb_xdp_metadata_ops;
	netdev->xdp_features = NETDEV_XDP_ACT_BASIC | NETDEV_XDP_ACT_REDIRECT |
			       NETDEV_XDP_ACT_NDO_XMIT |
			       NETDEV_XDP_ACT_XSK_ZEROCOPY |
			       NETDEV_XDP_ACT_RX_SG |
			       NETDEV_XDP_ACT_NDO_XMIT_SG;
	netdev->vlan_features = NETIF_F_SG | NETIF_F_IP_CSUM |
				NETIF_F_IPV6_CSUM | NETIF_F_SCTP_CRC |
				NETIF_F_TSO | NETIF_F_TSO6;
	if (!igb_has_quirk(&adapter->hw, IGB_QUIRK_NO_USO))
		netdev->vlan_features |= NETIF_F_GSO_UDP_L4;
	netdev->hw_features = netdev->vlan_features |
			      NETIF_F_RXCSUM | NETIF_F_RXHASH |
			      NETIF_F_HW_VLAN_CTAG_TX |
			      NETIF_F_HW_VLAN_CTAG_RX |
			      NETIF_F_HW_VLAN_CTAG_FILTER;
	netdev->vlan_features |= NETIF_F_HIGHDMA;
	netdev->features = netdev->hw_features | NETIF_F_HIGHDMA;
	netdev->hw_features |= NETIF_F_RXALL | NETIF_F_LOOPBACK;
}
