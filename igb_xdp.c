// SPDX-License-Identifier: GPL-2.0
/*
 * XDP: what a program decides about a received frame, and frames that other
 * ports' programs send through this one.
 *
 * A program is attached by exchanging a pointer; rings, link and frames under
 * way do not notice.
 */
#include <linux/bpf_trace.h>
#include <linux/filter.h>

#include "igb.h"
#include "igb_trace.h"

#define IGB_XDP_DID_TX		BIT(0)
#define IGB_XDP_DID_REDIRECT	BIT(1)

/* Back out of the port that it came in by, through the pair's other half.
 * What lies in an application's memory is copied for that.
 */
static int igb_xdp_tx(struct igb_rx *rx, struct xdp_buff *xdp)
{
	struct igb_tx *tx = &container_of(rx, struct igb_queue, rx)->tx;
	struct xdp_frame *xdpf = xdp_convert_buff_to_frame(xdp);
	int err;

	if (unlikely(!xdpf)) {
		xdp_return_buff(xdp);
		return -EOVERFLOW;
	}

	__netif_tx_lock(tx->txq, smp_processor_id());
	err = igb_tx_queue_xdp(tx, xdpf);
	__netif_tx_unlock(tx->txq);
	rx->xdp_done |= IGB_XDP_DID_TX;
	if (unlikely(err))
		xdp_return_frame(xdpf);
	return err;
}

static int igb_xdp_redirect(struct igb_rx *rx, struct xdp_buff *xdp,
			    struct bpf_prog *prog)
{
	int err = xdp_do_redirect(rx->netdev, xdp, prog);

	if (likely(!err))
		rx->xdp_done |= IGB_XDP_DID_REDIRECT;
	else
		xdp_return_buff(xdp);
	return err;
}

/**
 * igb_xdp_trace_verdict() - trace what a program decided about a frame
 * @rx: the queue
 * @act: the verdict
 *
 * Context: NAPI poll.
 * Return: @act, for the reason of igb_rx_trace_desc().
 */
u32 igb_xdp_trace_verdict(const struct igb_rx *rx, u32 act)
{
	trace_igb_xdp_verdict(rx, act);
	return act;
}

/**
 * igb_xdp_act() - do what a program decided about a frame
 * @rx: the queue
 * @xdp: the frame; no longer the caller's
 * @prog: the program
 * @act: its verdict, neither XDP_PASS nor XDP_DROP
 *
 * Context: NAPI poll.
 */
void igb_xdp_act(struct igb_rx *rx, struct xdp_buff *xdp,
		 struct bpf_prog *prog, u32 act)
{
	int err = -EINVAL;

	switch (act) {
	case XDP_TX:
		err = igb_xdp_tx(rx, xdp);
		if (!err)
			igb_count(&rx->syncp, &rx->stats.xdp_tx);
		break;
	case XDP_REDIRECT:
		err = igb_xdp_redirect(rx, xdp, prog);
		if (!err)
			igb_count(&rx->syncp, &rx->stats.xdp_redirect);
		break;
	default:
		bpf_warn_invalid_xdp_action(rx->netdev, prog, act);
		fallthrough;
	case XDP_ABORTED:
		xdp_return_buff(xdp);
		break;
	}
	if (unlikely(err)) {
		trace_xdp_exception(rx->netdev, prog, act);
		igb_count(&rx->syncp, &rx->stats.xdp_failed);
	}
}

/**
 * igb_xdp_flush() - send what a poll's verdicts have queued
 * @rx: the queue
 *
 * Context: NAPI poll.
 */
void igb_xdp_flush(struct igb_rx *rx)
{
	struct igb_tx *tx = &container_of(rx, struct igb_queue, rx)->tx;

	if (rx->xdp_done & IGB_XDP_DID_REDIRECT)
		xdp_do_flush();
	if (rx->xdp_done & IGB_XDP_DID_TX) {
		__netif_tx_lock(tx->txq, smp_processor_id());
		igb_tx_kick(tx);
		__netif_tx_unlock(tx->txq);
	}
	rx->xdp_done = 0;
}

/**
 * igb_xdp_xmit() - ndo_xdp_xmit
 * @netdev: the interface
 * @n: number of frames
 * @frames: the frames
 * @flags: XDP_XMIT_FLUSH or none; the doorbell is rung once in any case
 *
 * Context: bottom halves off.
 * Return: how many frames were queued, the others stay the caller's; -ENETDOWN
 * when the port or the queue is down, -EINVAL for other flags.
 */
int igb_xdp_xmit(struct net_device *netdev, int n, struct xdp_frame **frames,
		 u32 flags)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	unsigned int cpu = smp_processor_id();
	struct igb_tx *tx;
	int sent;

	if (unlikely(flags & ~XDP_XMIT_FLAGS_MASK))
		return -EINVAL;

	tx = &adapter->queue[cpu % READ_ONCE(adapter->num_queues)]->tx;
	__netif_tx_lock(tx->txq, cpu);
	if (unlikely(!tx->up || !netif_carrier_ok(netdev))) {
		__netif_tx_unlock(tx->txq);
		return -ENETDOWN;
	}

	for (sent = 0; sent < n; sent++)
		if (igb_tx_queue_xdp(tx, frames[sent]))
			break;
	igb_tx_kick(tx);
	__netif_tx_unlock(tx->txq);
	return sent;
}

/**
 * igb_xdp_takes_frags() - may what a program sees lie in several buffers?
 * @prog: the program, or NULL
 *
 * Context: any; the caller keeps @prog.
 * Return: true if it may, or there is no program.
 */
bool igb_xdp_takes_frags(const struct bpf_prog *prog)
{
	return !prog || prog->aux->xdp_has_frags;
}

/**
 * igb_xdp_fits() - can a program see frames of this size?
 * @prog: the program, or NULL
 * @mtu: the interface's
 *
 * Context: any; the caller keeps @prog.
 * Return: true if they fit into one buffer, or it may be several.
 */
bool igb_xdp_fits(const struct bpf_prog *prog, unsigned int mtu)
{
	return igb_xdp_takes_frags(prog) ||
	       mtu + VLAN_ETH_HLEN <= IGB_RX_BUF_LEN;
}

static int igb_xdp_setup(struct igb_adapter *adapter, struct bpf_prog *prog,
			 struct netlink_ext_ack *extack)
{
	struct bpf_prog *old;
	unsigned int i;

	if (!igb_xdp_fits(prog, adapter->netdev->mtu)) {
		NL_SET_ERR_MSG_FMT_MOD(extack,
				       "the program takes no fragments, so the MTU may be %u at most",
				       IGB_RX_BUF_LEN - VLAN_ETH_HLEN);
		return -EOPNOTSUPP;
	}

	if (adapter->split && !igb_xdp_takes_frags(prog)) {
		NL_SET_ERR_MSG_MOD(extack,
				   "the program takes no fragments, and tcp-data-split makes some");
		return -EOPNOTSUPP;
	}

	for (i = 0; i < adapter->max_queues; i++)
		xchg(&adapter->queue[i]->rx.xdp_prog, prog);
	old = xchg(&adapter->xdp_prog, prog);
	if (old)
		bpf_prog_put(old);
	return 0;
}

/**
 * igb_bpf() - ndo_bpf
 * @netdev: the interface
 * @bpf: command
 *
 * Context: process context, RTNL.
 * Return: 0, -EOPNOTSUPP for a program that takes no fragments with an MTU or
 * header split that makes some, as igb_xsk_setup(), -EINVAL for other commands.
 */
int igb_bpf(struct net_device *netdev, struct netdev_bpf *bpf)
{
	switch (bpf->command) {
	case XDP_SETUP_PROG:
		return igb_xdp_setup(netdev_priv(netdev), bpf->prog,
				     bpf->extack);
	case XDP_SETUP_XSK_POOL:
		return igb_xsk_setup(netdev_priv(netdev), bpf->xsk.pool,
				     bpf->xsk.queue_id);
	default:
		return -EINVAL;
	}
}

static int igb_xdp_rx_hash(const struct xdp_md *ctx, u32 *hash,
			   enum xdp_rss_hash_type *type)
{
	static const enum xdp_rss_hash_type types[] = {
		[IGB_RSS_TCPIPV4]	= XDP_RSS_TYPE_L4_IPV4_TCP,
		[IGB_RSS_IPV4]		= XDP_RSS_TYPE_L3_IPV4,
		[IGB_RSS_TCPIPV6]	= XDP_RSS_TYPE_L4_IPV6_TCP,
		[IGB_RSS_IPV6EX]	= XDP_RSS_TYPE_L3_IPV6_EX,
		[IGB_RSS_IPV6]		= XDP_RSS_TYPE_L3_IPV6,
		[IGB_RSS_TCPIPV6EX]	= XDP_RSS_TYPE_L4_IPV6_TCP_EX,
		[IGB_RSS_UDPIPV4]	= XDP_RSS_TYPE_L4_IPV4_UDP,
		[IGB_RSS_UDPIPV6]	= XDP_RSS_TYPE_L4_IPV6_UDP,
		[IGB_RSS_UDPIPV6EX]	= XDP_RSS_TYPE_L4_IPV6_UDP_EX,
	};
	const struct igb_xdp_buff *frame = (const void *)ctx;
	u32 rss = le32_get_bits(frame->desc->wb.pkt_info, IGB_RXD_RSS_TYPE);

	if (!(frame->xdp.rxq->dev->features & NETIF_F_RXHASH) ||
	    rss >= ARRAY_SIZE(types) || !types[rss])
		return -ENODATA;
	*hash = le32_to_cpu(frame->desc->wb.rss_hash);
	*type = types[rss];
	return 0;
}

static int igb_xdp_rx_vlan_tag(const struct xdp_md *ctx, __be16 *proto,
			       u16 *tci)
{
	const struct igb_xdp_buff *frame = (const void *)ctx;

	if (!(le32_to_cpu(frame->desc->wb.status_error) & IGB_RXD_VP))
		return -ENODATA;
	*proto = htons(ETH_P_8021Q);
	*tci = le16_to_cpu(frame->desc->wb.vlan);
	return 0;
}

const struct xdp_metadata_ops igb_xdp_metadata_ops = {
	.xmo_rx_hash		= igb_xdp_rx_hash,
	.xmo_rx_vlan_tag	= igb_xdp_rx_vlan_tag,
};
