// SPDX-License-Identifier: GPL-2.0
/*
 * AF_XDP without copies: a queue pair receives into an application's memory,
 * and sends from it.
 *
 * Only where the memory comes from differs: verdicts, what the stack is told of
 * a frame, and reclaim are those of igb_xdp.c, igb_rx.c and igb_tx.c.
 */
#include <linux/filter.h>
#include <net/xdp_sock_drv.h>

#include "igb.h"
#include "igb_trace.h"

/**
 * igb_xsk_in_use() - does any queue pair work on an application's memory?
 * @adapter: the port
 *
 * Context: process context, RTNL.
 * Return: true if one does.
 */
bool igb_xsk_in_use(const struct igb_adapter *adapter)
{
	unsigned int i;

	for (i = 0; i < adapter->max_queues; i++)
		if (adapter->queue[i]->xsk_pool)
			return true;
	return false;
}

static bool igb_xsk_pool_fits(struct xsk_buff_pool *pool, unsigned int mtu)
{
	/* The chip may allow a frame a second tag. */
	return mtu + VLAN_ETH_HLEN + VLAN_HLEN <=
	       xsk_pool_get_rx_frame_size(pool);
}

/**
 * igb_xsk_fits() - do applications' buffers hold frames of this size?
 * @adapter: the port
 * @mtu: the interface's
 *
 * Context: process context, RTNL.
 * Return: true if all do.
 */
bool igb_xsk_fits(const struct igb_adapter *adapter, unsigned int mtu)
{
	unsigned int i;

	for (i = 0; i < adapter->max_queues; i++)
		if (adapter->queue[i]->xsk_pool &&
		    !igb_xsk_pool_fits(adapter->queue[i]->xsk_pool, mtu))
			return false;
	return true;
}

static void igb_xsk_assign(struct igb_queue *q, struct xsk_buff_pool *pool)
{
	WRITE_ONCE(q->xsk_pool, pool);
	q->tx.xsk_pool = pool;
	if (q->rx.ring.desc)
		igb_rx_ring_set_xsk(q);
}

/* The memory is exchanged while the pair is down; the others go on. */
static void igb_xsk_switch(struct igb_queue *q, struct xsk_buff_pool *pool)
{
	if (!q->tx.up) {
		igb_xsk_assign(q, pool);
		return;
	}

	igb_stop_queue(q);
	igb_xsk_assign(q, pool);
	igb_start_queue(q);
}

/* There is nobody but the log to tell why. */
static int igb_xsk_check(struct igb_queue *q, struct xsk_buff_pool *pool)
{
	struct net_device *netdev = q->adapter->netdev;
	const char *why = NULL;

	if (!igb_xsk_pool_fits(pool, netdev->mtu))
		why = "frames of the MTU are larger than its buffers";
	else if (netdev->features & NETIF_F_RXALL)
		why = "rx-all lets in frames of any size";
	else if (q->adapter->split)
		why = "tcp-data-split takes frames apart";
	if (!why)
		return 0;
	netdev_info(netdev, "queue %u cannot use the memory of an AF_XDP socket: %s\n",
		    q->rx.index, why);
	return -EOPNOTSUPP;
}

static int igb_xsk_enable(struct igb_queue *q, struct xsk_buff_pool *pool)
{
	int err;

	err = igb_xsk_check(q, pool);
	if (err)
		return err;
	err = xsk_pool_dma_map(pool, &q->adapter->pdev->dev, 0);
	if (err)
		return err;
	err = igb_rxq_register(q, &q->xsk_rxq, MEM_TYPE_XSK_BUFF_POOL, NULL);
	if (err) {
		xsk_pool_dma_unmap(pool, 0);
		return err;
	}
	xsk_pool_set_rxq_info(pool, &q->xsk_rxq);
	igb_xsk_switch(q, pool);
	return 0;
}

static int igb_xsk_disable(struct igb_queue *q)
{
	struct xsk_buff_pool *pool = q->xsk_pool;

	if (!pool)
		return -EINVAL;
	igb_xsk_switch(q, NULL);
	xdp_rxq_info_unreg(&q->xsk_rxq);
	xsk_pool_dma_unmap(pool, 0);
	return 0;
}

/**
 * igb_xsk_setup() - give a queue pair an application's memory, or take it
 * @adapter: the port
 * @pool: the memory, or NULL for none any more
 * @queue: number of the pair
 *
 * Context: process context, RTNL.
 * Return: 0; -EINVAL for a pair that is not used, -EOPNOTSUPP for buffers
 * smaller than a frame may be, with rx-all and with header split, or what
 * mapping failed with.
 */
int igb_xsk_setup(struct igb_adapter *adapter, struct xsk_buff_pool *pool,
		  u16 queue)
{
	if (queue >= (pool ? adapter->num_queues : adapter->max_queues))
		return -EINVAL;
	return pool ? igb_xsk_enable(adapter->queue[queue], pool) :
		      igb_xsk_disable(adapter->queue[queue]);
}

/**
 * igb_xsk_wakeup() - ndo_xsk_wakeup
 * @netdev: the interface
 * @queue: number of the queue pair
 * @flags: XDP_WAKEUP_RX, XDP_WAKEUP_TX; NAPI sees to both
 *
 * Context: process context or softirq, RCU.
 * Return: 0; -ENETDOWN, or -EINVAL for a pair without applications.
 */
int igb_xsk_wakeup(struct net_device *netdev, u32 queue, u32 flags)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	struct igb_queue *q;

	if (!READ_ONCE(adapter->up) || !netif_carrier_ok(netdev))
		return -ENETDOWN;
	if (queue >= READ_ONCE(adapter->num_queues))
		return -EINVAL;
	q = adapter->queue[queue];
	if (!READ_ONCE(q->xsk_pool))
		return -EINVAL;

	igb_irq_kick(q);
	return 0;
}

/**
 * igb_xsk_kick() - have the queues send what waited for a link
 * @adapter: the port, up
 *
 * Context: process context; igb_down() waits for it.
 */
void igb_xsk_kick(struct igb_adapter *adapter)
{
	unsigned int i;

	for (i = 0; i < adapter->num_queues; i++)
		if (READ_ONCE(adapter->queue[i]->xsk_pool))
			igb_irq_kick(adapter->queue[i]);
}

/**
 * igb_xsk_xmit() - send what applications have queued
 * @tx: the queue, with a pool
 * @budget: frames at most
 *
 * Without a link they wait where they are: in a ring they would look like a
 * queue that hangs.
 *
 * Context: NAPI poll.
 * Return: true when there may be more that there is room for.
 */
bool igb_xsk_xmit(struct igb_tx *tx, unsigned int budget)
{
	struct xsk_buff_pool *pool = tx->xsk_pool;
	u32 most, count, i;

	__netif_tx_lock(tx->txq, smp_processor_id());
	most = min(budget, igb_tx_room(tx));
	if (!netif_carrier_ok(tx->txq->dev))
		most = 0;
	count = most ? xsk_tx_peek_release_desc_batch(pool, most) : 0;
	for (i = 0; i < count; i++)
		igb_tx_queue_xsk(tx, &pool->tx_descs[i]);
	igb_tx_kick(tx);
	if (count)
		txq_trans_cond_update(tx->txq);
	__netif_tx_unlock(tx->txq);

	if (xsk_uses_need_wakeup(pool))
		xsk_set_tx_need_wakeup(pool);
	return count && count == most;
}

/**
 * igb_xsk_write_desc() - have a descriptor say where its buffer is
 * @desc: the descriptor
 * @xdp: the buffer
 *
 * Context: any; the chip may not see the descriptor.
 */
void igb_xsk_write_desc(union igb_rx_desc *desc, struct xdp_buff *xdp)
{
	desc->read.pkt_addr = cpu_to_le64(xsk_buff_xdp_get_dma(xdp));
	desc->read.hdr_addr = 0;
}

/**
 * igb_xsk_fill() - give the chip buffers of applications' to receive into
 * @ring: receive ring, with a pool
 * @i: first descriptor, without a buffer as those that follow
 * @count: how many
 *
 * Context: NAPI poll, or process context while the ring is not in use.
 * Return: how many the applications have given.
 */
unsigned int igb_xsk_fill(struct igb_rx_ring *ring, unsigned int i,
			  unsigned int count)
{
	unsigned int left = count;
	unsigned int end;

	do {
		end = i + xsk_buff_alloc_batch(ring->xsk_pool, &ring->xsk[i],
					       min(left, ring->count - i));
		if (i == end)
			break;
		left -= end - i;
		for (; i < end; i++)
			igb_xsk_write_desc(&ring->desc[i], ring->xsk[i]);
		if (i == ring->count)
			i = 0;
	} while (left);
	return count - left;
}

/**
 * igb_xsk_filled() - tell an application whether to give more, and call
 * @pool: its memory
 * @missing: more would be taken
 *
 * Context: NAPI poll.
 */
void igb_xsk_filled(struct xsk_buff_pool *pool, bool missing)
{
	if (!xsk_uses_need_wakeup(pool))
		return;
	if (missing)
		xsk_set_rx_need_wakeup(pool);
	else
		xsk_clear_rx_need_wakeup(pool);
}

/* What an application's program lets pass is copied out of its memory. */
static struct sk_buff *igb_xsk_copy_skb(struct igb_rx *rx,
					const struct xdp_buff *xdp)
{
	unsigned int meta = xdp->data - xdp->data_meta;
	unsigned int len = xdp->data_end - xdp->data;
	struct sk_buff *skb;

	skb = napi_alloc_skb(rx->napi, meta + len);
	if (unlikely(!skb))
		return NULL;
	memcpy(__skb_put(skb, meta + len), xdp->data_meta, meta + len);
	if (meta) {
		__skb_pull(skb, meta);
		skb_metadata_set(skb, meta);
	}
	return skb;
}

static void igb_xsk_deliver(struct igb_rx *rx, struct bpf_prog *prog,
			    struct xdp_buff *xdp,
			    const union igb_rx_desc *desc, u32 status)
{
	u32 act = XDP_PASS;

	if (prog) {
		container_of(xdp, struct igb_xdp_buff, xdp)->desc = desc;
		act = bpf_prog_run_xdp(prog, xdp);
		if (trace_igb_xdp_verdict_enabled())
			act = igb_xdp_trace_verdict(rx, act);
	}
	if (act == XDP_PASS) {
		igb_rx_pass(rx, igb_xsk_copy_skb(rx, xdp), desc, status);
	} else if (act == XDP_DROP) {
		igb_count(&rx->syncp, &rx->stats.xdp_drop);
	} else {
		igb_xdp_act(rx, xdp, prog, act);
		return;
	}
	xsk_buff_free(xdp);
}

/* Only bad frames have several buffers. */
static void igb_xsk_drop(struct igb_rx *rx, struct xdp_buff *xdp, u32 status)
{
	xsk_buff_free(xdp);
	rx->state = status & IGB_RXD_EOP ? IGB_RX_START : IGB_RX_SKIP;
	if (status & IGB_RXD_EOP)
		igb_count(&rx->syncp, &rx->stats.dropped);
}

/**
 * igb_xsk_rx_clean() - pass received frames to applications
 * @rx: the queue, with a pool
 * @budget: frames at most
 *
 * Context: NAPI poll.
 * Return: number of frames taken off the ring.
 */
int igb_xsk_rx_clean(struct igb_rx *rx, int budget)
{
	struct bpf_prog *prog = READ_ONCE(rx->xdp_prog);
	unsigned int most = igb_rx_buf_len(&rx->ring);
	struct igb_rx_ring *ring = &rx->ring;
	unsigned int i = rx->next_to_clean;
	union igb_rx_desc *desc;
	struct xdp_buff *xdp;
	unsigned int len;
	int done = 0;
	u32 status;

	XSK_CHECK_PRIV_TYPE(struct igb_xdp_buff);
	while (done < budget && igb_rx_is_done(rx, i, &status)) {
		if (trace_igb_rx_desc_enabled())
			status = igb_rx_trace_desc(rx, i);
		desc = &ring->desc[i];
		xdp = ring->xsk[i];
		ring->xsk[i] = NULL;
		len = le16_to_cpu(desc->wb.length);
		if (likely(igb_rx_is_whole(rx, status, len, most))) {
			igb_rx_count(rx, len);
			xsk_buff_set_size(xdp, len);
			xsk_buff_dma_sync_for_cpu(xdp);
			igb_xsk_deliver(rx, prog, xdp, desc, status);
		} else {
			igb_xsk_drop(rx, xdp, status);
		}

		done += !!(status & IGB_RXD_EOP);
		i = igb_rx_advance(rx, i, done);
	}
	return done;
}
