// SPDX-License-Identifier: GPL-2.0
/*
 * Where the memory of the rings comes from.
 *
 * Rings are built before they are used: what could fail has failed before
 * the port is touched, and igb_rings_swap() cannot fail.
 */
#include <net/xdp_sock_drv.h>

#include "igb.h"

/* Sockets give pages back in lumps, far more than a ring holds.  What a pool
 * has no room for it frees, to allocate (and clear) other pages soon after.
 */
#define IGB_POOL_RINGS		4

/* The chip reports its head in a cache line of its own. */
static size_t igb_tx_head_offset(u16 count)
{
	return count * (sizeof(struct igb_tx_desc) + IGB_TX_COPY_SPACE);
}

static size_t igb_tx_ring_size(u16 count)
{
	return igb_tx_head_offset(count) + IGB_TX_HEAD_SPACE;
}

static void igb_tx_ring_free(struct device *dev, struct igb_tx_ring *ring)
{
	if (ring->desc)
		dma_free_coherent(dev, igb_tx_ring_size(ring->count),
				  ring->desc, ring->dma);
	kvfree(ring->buf);
	*ring = (struct igb_tx_ring) {};
}

static int igb_tx_ring_alloc(struct igb_queue *q, struct igb_tx_ring *ring,
			     u16 count)
{
	struct device *dev = &q->adapter->pdev->dev;

	ring->count = count;
	ring->buf = kvcalloc(count, sizeof(*ring->buf),
			     GFP_KERNEL | __GFP_NOWARN);
	ring->desc = dma_alloc_coherent(dev, igb_tx_ring_size(count),
					&ring->dma, GFP_KERNEL | __GFP_NOWARN);
	if (!ring->buf || !ring->desc)
		return -ENOMEM;
	ring->copies = ring->desc + count;
	ring->copies_dma = ring->dma + count * sizeof(*ring->desc);
	ring->head = (void *)ring->desc + igb_tx_head_offset(count);
	ring->head_dma = ring->dma + igb_tx_head_offset(count);
	return 0;
}

/* With header split, each descriptor has two pages. */
static u16 igb_rx_places(const struct igb_rx_ring *ring)
{
	return ring->split ? 2 * ring->count : ring->count;
}

static void igb_rx_ring_empty(struct igb_rx_ring *ring)
{
	u16 i;

	for (i = 0; ring->page && i < igb_rx_places(ring); i++) {
		if (!ring->page[i])
			continue;
		if (ring->xsk_pool)
			xsk_buff_free(ring->xsk[i]);
		else
			page_pool_put_full_page(ring->pool, ring->page[i],
						false);
		ring->page[i] = NULL;
	}
}

/**
 * igb_rx_buf_len() - how much fits into a buffer
 * @ring: receive ring
 *
 * An application's buffer may be smaller than the next KiB, which SRRCTL is
 * told; the chip writes no more than a frame of the MTU, which does fit.
 *
 * Context: any.
 * Return: bytes.
 */
unsigned int igb_rx_buf_len(const struct igb_rx_ring *ring)
{
	if (ring->xsk_pool)
		return xsk_pool_get_rx_frame_size(ring->xsk_pool);
	return ring->split ? IGB_SPLIT_BUF_LEN : IGB_RX_BUF_LEN;
}

/**
 * igb_rx_desctype() - how descriptors and buffers are used
 * @ring: receive ring
 *
 * Context: any.
 * Return: bits of SRRCTL.
 */
u32 igb_rx_desctype(const struct igb_rx_ring *ring)
{
	if (!ring->split)
		return FIELD_PREP(IGB_SRRCTL_DESCTYPE, IGB_SRRCTL_ADV_ONEBUF);
	return FIELD_PREP(IGB_SRRCTL_DESCTYPE, IGB_SRRCTL_ADV_HDR_SPLIT) |
	       FIELD_PREP(IGB_SRRCTL_BSIZEHEADER, IGB_SPLIT_HDR_LEN / 64);
}

static void igb_rxq_destroy(struct xdp_rxq_info *rxq)
{
	if (rxq && xdp_rxq_info_is_reg(rxq))
		xdp_rxq_info_unreg(rxq);
	kfree(rxq);
}

/**
 * igb_rx_ring_free() - free the memory of a receive ring
 * @dev: device that it was made for
 * @ring: a ring that no queue uses, emptied; it may lack parts
 *
 * Context: process context.
 */
void igb_rx_ring_free(struct device *dev, struct igb_rx_ring *ring)
{
	igb_rx_ring_empty(ring);
	igb_rxq_destroy(ring->rxq);
	page_pool_destroy(ring->pool);
	if (ring->desc)
		dma_free_coherent(dev, ring->count * sizeof(*ring->desc),
				  ring->desc, ring->dma);
	kvfree(ring->page);
	*ring = (struct igb_rx_ring) {};
}

static struct page_pool *igb_pool_create(struct igb_queue *q,
					 const struct igb_config *config)
{
	struct page_pool_params params = {
		.flags = PP_FLAG_DMA_MAP | PP_FLAG_DMA_SYNC_DEV,
		.pool_size = IGB_POOL_RINGS * config->rx_count,
		.nid = cpu_to_node(q->cpu),
		.dev = &q->adapter->pdev->dev,
		.dma_dir = DMA_BIDIRECTIONAL,	/* XDP_TX */
		.offset = config->split ? 0 : IGB_RX_HEADROOM,
		.max_len = config->split ? PAGE_SIZE : IGB_RX_BUF_LEN,
		.netdev = q->adapter->netdev,
		.queue_idx = q->rx.index,
	};

	return page_pool_create(&params);
}

/**
 * igb_rxq_register() - tell XDP where a queue's frames lie
 * @q: the queue pair
 * @rxq: what XDP will know of them
 * @type: kind of memory
 * @pool: where it comes from, or NULL for applications'
 *
 * Context: process context, sleeps.
 * Return: 0, or what XDP refused it with; nothing is registered then.
 */
int igb_rxq_register(struct igb_queue *q, struct xdp_rxq_info *rxq,
		     enum xdp_mem_type type, struct page_pool *pool)
{
	int err;

	err = __xdp_rxq_info_reg(rxq, q->adapter->netdev, q->rx.index,
				 q->napi.napi_id, PAGE_SIZE);
	if (err)
		return err;
	err = xdp_rxq_info_reg_mem_model(rxq, type, pool);
	if (err)
		xdp_rxq_info_unreg(rxq);
	return err;
}

static struct xdp_rxq_info *igb_rxq_create(struct igb_queue *q,
					   struct page_pool *pool)
{
	struct xdp_rxq_info *rxq;
	int err;

	rxq = kzalloc(sizeof(*rxq), GFP_KERNEL | __GFP_NOWARN);
	if (!rxq)
		return ERR_PTR(-ENOMEM);
	err = igb_rxq_register(q, rxq, MEM_TYPE_PAGE_POOL, pool);
	if (err) {
		kfree(rxq);
		return ERR_PTR(err);
	}
	return rxq;
}

/* An application may have given few buffers so far. */
static int igb_rx_ring_fill(struct igb_rx_ring *ring)
{
	u16 most = ring->count - 1;

	if (ring->xsk_pool)
		igb_xsk_fill(ring, 0, most);
	else if (igb_rx_fill(ring, 0, most) < most)
		return -ENOMEM;
	return 0;
}

/**
 * igb_rx_ring_set_xsk() - have a ring use an application's memory, or pages
 * @q: the queue pair, with or without a pool; it has a ring and is down
 *
 * Cannot fail: what pages cannot be had now NAPI asks for later.
 *
 * Context: process context, sleeps.
 */
void igb_rx_ring_set_xsk(struct igb_queue *q)
{
	struct igb_rx_ring *ring = &q->rx.ring;

	igb_rx_ring_empty(ring);
	ring->xsk_pool = q->xsk_pool;
	igb_rx_ring_fill(ring);
}

/**
 * igb_rx_ring_alloc() - build a receive ring, full of pages
 * @q: the queue pair that it is for
 * @ring: result, empty before; on failure what is to be freed
 * @config: of what size and kind
 *
 * Context: process context, sleeps.
 * Return: 0, -ENOMEM, or what the pool or XDP refused it with.
 */
int igb_rx_ring_alloc(struct igb_queue *q, struct igb_rx_ring *ring,
		      const struct igb_config *config)
{
	struct device *dev = &q->adapter->pdev->dev;
	u16 count = config->rx_count;
	int err;

	ring->pool = igb_pool_create(q, config);
	if (IS_ERR(ring->pool)) {
		err = PTR_ERR(ring->pool);
		ring->pool = NULL;
		return err;
	}

	ring->count = count;
	ring->split = config->split;
	ring->page = kvcalloc(igb_rx_places(ring), sizeof(*ring->page),
			      GFP_KERNEL | __GFP_NOWARN);
	ring->desc = dma_alloc_coherent(dev, count * sizeof(*ring->desc),
					&ring->dma, GFP_KERNEL | __GFP_NOWARN);
	if (!ring->page || !ring->desc)
		return -ENOMEM;
	ring->rxq = igb_rxq_create(q, ring->pool);
	if (IS_ERR(ring->rxq)) {
		err = PTR_ERR(ring->rxq);
		ring->rxq = NULL;
		return err;
	}
	/* An application's memory has one user at a time: see the swap. */
	ring->xsk_pool = q->xsk_pool;
	return ring->xsk_pool ? 0 : igb_rx_ring_fill(ring);
}

/**
 * igb_rings_free() - free the memory of all rings
 * @adapter: the port
 * @rings: rings that no queue uses, emptied
 *
 * Context: process context.
 */
void igb_rings_free(struct igb_adapter *adapter, struct igb_rings *rings)
{
	struct device *dev = &adapter->pdev->dev;
	unsigned int i;

	for (i = 0; i < adapter->max_queues; i++) {
		igb_tx_ring_free(dev, &rings->tx[i]);
		igb_rx_ring_free(dev, &rings->rx[i]);
	}
}

/**
 * igb_rings_alloc() - build rings, receive rings full of pages
 * @adapter: the port
 * @rings: result, empty on failure
 * @config: how many, and of what size
 *
 * Context: process context, sleeps.
 * Return: 0, or as igb_rx_ring_alloc().
 */
int igb_rings_alloc(struct igb_adapter *adapter, struct igb_rings *rings,
		    const struct igb_config *config)
{
	struct igb_queue *q;
	unsigned int i;
	int err;

	*rings = (struct igb_rings) {};
	for (i = 0; i < config->num_queues; i++) {
		q = adapter->queue[i];
		err = igb_tx_ring_alloc(q, &rings->tx[i], config->tx_count);
		if (!err)
			err = igb_rx_ring_alloc(q, &rings->rx[i], config);
		if (err) {
			igb_rings_free(adapter, rings);
			return err;
		}
	}
	return 0;
}

/**
 * igb_rx_ring_swap() - exchange the receive ring of a queue pair
 * @q: the pair, down
 * @ring: ring to use from now on, or an empty one; on return that used before
 *
 * A pool may recycle into its cache only while the NAPI instance that
 * allocates from it is the one that frees.
 *
 * Context: process context, sleeps.
 */
void igb_rx_ring_swap(struct igb_queue *q, struct igb_rx_ring *ring)
{
	if (q->rx.ring.xsk_pool)
		igb_rx_ring_empty(&q->rx.ring);
	if (q->rx.ring.pool)
		page_pool_disable_direct_recycling(q->rx.ring.pool);
	swap(q->rx.ring, *ring);
	if (q->rx.ring.pool)
		page_pool_enable_direct_recycling(q->rx.ring.pool, &q->napi);
	if (q->rx.ring.xsk_pool)
		igb_rx_ring_fill(&q->rx.ring);
}

/**
 * igb_rings_swap() - exchange the rings of all queues
 * @adapter: the port, down
 * @rings: rings to use from now on; on return those used before
 *
 * Context: process context; the port is down, see igb_down().
 */
void igb_rings_swap(struct igb_adapter *adapter, struct igb_rings *rings)
{
	struct igb_queue *q;
	unsigned int i;

	for (i = 0; i < adapter->max_queues; i++) {
		q = adapter->queue[i];
		swap(q->tx.ring, rings->tx[i]);
		igb_rx_ring_swap(q, &rings->rx[i]);
	}
}
