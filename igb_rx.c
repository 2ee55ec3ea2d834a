// SPDX-License-Identifier: GPL-2.0
/*
 * How one packet comes in: descriptor done, page, skb, GRO; and how pages
 * get back into the ring.
 */
#include <linux/etherdevice.h>
#include <linux/filter.h>
#include <net/xdp_sock_drv.h>

#include "igb.h"

/* Buffers are allocated so many at a time; RDT is written so many times on the
 * way round the ring.
 */
#define IGB_RX_BATCH		16
#define IGB_RX_KICKS		8
static_assert(IGB_RX_BATCH + IGB_MIN_DESC / IGB_RX_KICKS < IGB_MIN_DESC);

/* Hash types that say nothing of ports. */
#define IGB_RSS_ADDRESSES_ONLY	(BIT(IGB_RSS_IPV4) | BIT(IGB_RSS_IPV6) | \
				 BIT(IGB_RSS_IPV6EX))

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
	return ring->xsk_pool ? xsk_pool_get_rx_frame_size(ring->xsk_pool) :
				IGB_RX_BUF_LEN;
}

/* Have a descriptor say where its buffer is. */
static void igb_rx_write_desc(struct igb_rx_ring *ring, u16 index)
{
	union igb_rx_desc *desc = &ring->desc[index];
	dma_addr_t dma;

	if (ring->xsk_pool)
		dma = xsk_buff_xdp_get_dma(ring->xsk[index]);
	else
		dma = page_pool_get_dma_addr(ring->page[index]) +
		      IGB_RX_HEADROOM;
	desc->read.pkt_addr = cpu_to_le64(dma);
	desc->read.hdr_addr = 0;
}

/**
 * igb_rx_post() - give the chip a buffer to receive into
 * @ring: receive ring
 * @index: descriptor, without a buffer
 * @gfp: how to allocate
 *
 * The chip sees it when RDT passes @index.
 *
 * Context: NAPI poll, or process context while the ring is not in use.
 * Return: 0 or -ENOMEM.
 */
int igb_rx_post(struct igb_rx_ring *ring, u16 index, gfp_t gfp)
{
	if (ring->xsk_pool)
		ring->xsk[index] = xsk_buff_alloc(ring->xsk_pool);
	else
		ring->page[index] = page_pool_alloc_pages(ring->pool, gfp);
	if (unlikely(!ring->page[index]))
		return -ENOMEM;
	igb_rx_write_desc(ring, index);
	return 0;
}

/**
 * igb_rx_repost() - let the chip have a frame's page again
 * @rx: the queue
 * @xdp: a frame in one page, of no more use
 *
 * Cheaper than giving the page to its pool and asking for another.
 *
 * Context: NAPI poll.
 */
void igb_rx_repost(struct igb_rx *rx, struct xdp_buff *xdp)
{
	struct page *page = virt_to_page(xdp->data_hard_start);

	if (unlikely(page_is_pfmemalloc(page))) {
		page_pool_recycle_direct(rx->ring.pool, page);
		return;
	}
	dma_sync_single_range_for_device(rx->ring.pool->p.dev,
					 page_pool_get_dma_addr(page),
					 IGB_RX_HEADROOM, IGB_RX_BUF_LEN,
					 DMA_BIDIRECTIONAL);
	rx->ring.page[rx->next_to_use] = page;
	igb_rx_write_desc(&rx->ring, rx->next_to_use);
	rx->next_to_use = igb_next(rx->ring.count, rx->next_to_use);
}

static u32 igb_rx_status(const struct igb_rx *rx, u16 index)
{
	return le32_to_cpu(READ_ONCE(rx->ring.desc[index].wb.status_error));
}

/**
 * igb_rx_pending() - is there something to receive?
 * @rx: the queue
 *
 * Context: any; beside a poll the answer may be out of date.
 * Return: true when igb_rx_clean() would find a buffer.
 */
bool igb_rx_pending(const struct igb_rx *rx)
{
	u16 i = READ_ONCE(rx->next_to_clean);

	return i != READ_ONCE(rx->next_to_use) &&
	       igb_rx_status(rx, i) & IGB_RXD_DD;
}

/* An application that is told when to give more is not waited for. */
static bool igb_rx_is_starved(const struct igb_rx *rx)
{
	if (rx->ring.xsk_pool && xsk_uses_need_wakeup(rx->ring.xsk_pool))
		return false;
	return igb_unused(rx->ring.count, rx->next_to_use, rx->next_to_clean) >=
	       rx->ring.count - IGB_RX_BATCH;
}

/* An application that wants to be told gives more buffers, and then calls. */
static void igb_rx_ask_application(struct igb_rx *rx, bool missing)
{
	if (missing)
		xsk_set_rx_need_wakeup(rx->ring.xsk_pool);
	else
		xsk_clear_rx_need_wakeup(rx->ring.xsk_pool);
}

/* Some buffers were not to be had, or all were.  They are asked for again with
 * the next frames; only a ring that has hardly any left is starved.
 */
static void igb_rx_filled(struct igb_rx *rx, bool missing)
{
	if (rx->ring.xsk_pool && xsk_uses_need_wakeup(rx->ring.xsk_pool))
		igb_rx_ask_application(rx, missing);
	WRITE_ONCE(rx->starved, igb_rx_is_starved(rx));

	if (unlikely(missing) && !rx->ring.xsk_pool)
		igb_count(&rx->syncp, &rx->stats.alloc_failed);
}

/* Post what is free; returns true if something was not to be had. */
static bool igb_rx_fill(struct igb_rx *rx, u16 left)
{
	for (; left; left--) {
		if (igb_rx_post(&rx->ring, rx->next_to_use,
				GFP_ATOMIC | __GFP_NOWARN))
			break;
		rx->next_to_use = igb_next(rx->ring.count, rx->next_to_use);
	}
	igb_rx_filled(rx, left);
	return left;
}

/* The chip has used every descriptor that it was told of, and there is still
 * work to do before they all can be posted again.
 */
static bool igb_rx_is_dry(const struct igb_rx *rx)
{
	u16 last = (rx->next_to_kick ?: rx->ring.count) - 1;

	return igb_rx_status(rx, last) & IGB_RXD_DD && igb_rx_pending(rx);
}

/* Both pools and the chip are troubled in batches only. */
static void igb_rx_refill(struct igb_rx *rx)
{
	u16 count = rx->ring.count;
	bool missing = false;
	u16 posted;
	u16 left;

	left = igb_unused(count, rx->next_to_use, rx->next_to_clean);
	if (left >= IGB_RX_BATCH)
		missing = igb_rx_fill(rx, left);

	posted = count - 1 - igb_unused(count, rx->next_to_use,
					rx->next_to_kick);
	if (posted < (missing ? 1 : count / IGB_RX_KICKS) ||
	    (rx->fill_first && igb_rx_is_dry(rx)))
		return;
	writel(rx->next_to_use, rx->tail);
	rx->next_to_kick = rx->next_to_use;
}

/**
 * igb_rx_rewind() - start the ring over at its first descriptor
 * @rx: the queue
 *
 * Posted buffers move to the front.
 *
 * Context: process context; the ring is disabled.
 */
void igb_rx_rewind(struct igb_rx *rx)
{
	struct igb_rx_ring *ring = &rx->ring;
	u16 posted = 0;
	u16 i;

	for (i = 0; i < ring->count; i++) {
		if (!ring->page[i])
			continue;
		swap(ring->page[posted], ring->page[i]);
		igb_rx_write_desc(ring, posted++);
	}
	rx->next_to_clean = 0;
	rx->next_to_use = posted;
	rx->next_to_kick = posted;
	rx->starved = igb_rx_is_starved(rx);
}

/* Give the pages of the frame under construction back. */
static void igb_rx_discard_frame(struct igb_rx *rx)
{
	if (rx->frame)
		xdp_return_buff(&rx->frame->xdp);
	rx->frame = NULL;
	rx->skip = false;
}

/**
 * igb_rx_discard() - drop a frame that was not complete
 * @rx: the queue
 *
 * Context: process context; NAPI is disabled.
 */
void igb_rx_discard(struct igb_rx *rx)
{
	struct bpf_net_context *ctx, context;

	local_bh_disable();
	/* Returning a frame asks what NAPI has set up. */
	ctx = bpf_net_ctx_set(&context);
	igb_rx_discard_frame(rx);
	bpf_net_ctx_clear(ctx);
	local_bh_enable();
}

static int igb_rx_add_frag(struct xdp_buff *xdp, struct page *page, u16 len)
{
	struct skb_shared_info *sinfo = xdp_get_shared_info_from_buff(xdp);

	if (!xdp_buff_has_frags(xdp)) {
		sinfo->nr_frags = 0;
		sinfo->xdp_frags_size = 0;
		xdp_buff_set_frags_flag(xdp);
	}
	if (unlikely(sinfo->nr_frags == MAX_SKB_FRAGS))
		return -EMSGSIZE;
	skb_frag_fill_page_desc(&sinfo->frags[sinfo->nr_frags++], page,
				IGB_RX_HEADROOM, len);
	sinfo->xdp_frags_size += len;
	if (page_is_pfmemalloc(page))
		xdp_buff_set_frag_pfmemalloc(xdp);
	return 0;
}

/* The first buffer becomes the head, the others fragments.  What the chip
 * says is checked before it is trusted.
 */
static int igb_rx_add_page(struct igb_rx *rx, struct page *page, u16 len)
{
	struct xdp_buff *xdp = &rx->paged.xdp;

	if (unlikely(rx->skip || len > IGB_RX_BUF_LEN))
		return -EMSGSIZE;
	page_pool_dma_sync_for_cpu(rx->ring.pool, page, 0, len);
	if (unlikely(rx->frame))
		return igb_rx_add_frag(xdp, page, len);

	xdp_init_buff(xdp, PAGE_SIZE, rx->ring.rxq);
	xdp_prepare_buff(xdp, page_address(page), IGB_RX_HEADROOM, len, true);
	rx->frame = &rx->paged;
	return 0;
}

/* In an application's memory a frame has one buffer. */
static int igb_rx_add_xsk(struct igb_rx *rx, struct xdp_buff *xdp, u16 len)
{
	XSK_CHECK_PRIV_TYPE(struct igb_xdp_buff);
	if (unlikely(rx->skip || rx->frame || len > igb_rx_buf_len(&rx->ring)))
		return -EMSGSIZE;
	xsk_buff_set_size(xdp, len);
	xsk_buff_dma_sync_for_cpu(xdp);
	rx->frame = container_of(xdp, struct igb_xdp_buff, xdp);
	return 0;
}

static void igb_rx_take_xsk(struct igb_rx *rx, u16 index, u16 len)
{
	struct xdp_buff *xdp = rx->ring.xsk[index];

	rx->ring.xsk[index] = NULL;
	if (likely(!igb_rx_add_xsk(rx, xdp, len)))
		return;
	xsk_buff_free(xdp);
	rx->skip = true;
}

static void igb_rx_take_page(struct igb_rx *rx, u16 index, u16 len)
{
	struct page *page = rx->ring.page[index];

	rx->ring.page[index] = NULL;
	if (likely(!igb_rx_add_page(rx, page, len)))
		return;
	page_pool_recycle_direct(rx->ring.pool, page);
	rx->skip = true;
}

static void igb_rx_take_buffer(struct igb_rx *rx, const union igb_rx_desc *desc)
{
	u16 len = le16_to_cpu(desc->wb.length);
	u16 i = rx->next_to_clean;

	rx->next_to_clean = igb_next(rx->ring.count, i);
	if (rx->ring.xsk_pool)
		igb_rx_take_xsk(rx, i, len);
	else
		igb_rx_take_page(rx, i, len);
}

/* What an application's program lets pass is copied out of its memory. */
static struct sk_buff *igb_rx_copy_skb(struct igb_rx *rx, struct xdp_buff *xdp)
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
	xsk_buff_free(xdp);
	return skb;
}

/* The frame's first page becomes the skb's head; the others follow. */
static struct sk_buff *igb_rx_build_skb(struct xdp_buff *xdp)
{
	struct skb_shared_info *sinfo;
	unsigned int size = 0;
	struct sk_buff *skb;
	u8 frags = 0;

	if (unlikely(xdp_buff_has_frags(xdp))) {
		sinfo = xdp_get_shared_info_from_buff(xdp);
		frags = sinfo->nr_frags;
		size = sinfo->xdp_frags_size;
	}

	skb = napi_build_skb(xdp->data_hard_start, PAGE_SIZE);
	if (unlikely(!skb))
		return NULL;
	skb_mark_for_recycle(skb);
	skb_reserve(skb, xdp->data - xdp->data_hard_start);
	__skb_put(skb, xdp->data_end - xdp->data);
	if (xdp->data > xdp->data_meta)
		skb_metadata_set(skb, xdp->data - xdp->data_meta);
	if (unlikely(frags))
		xdp_update_skb_shared_info(skb, frags, size, frags * PAGE_SIZE,
					   xdp_buff_is_frag_pfmemalloc(xdp));
	return skb;
}

static void igb_rx_csum(struct igb_rx *rx, struct sk_buff *skb, u32 status)
{
	if (!(rx->netdev->features & NETIF_F_RXCSUM) || status & IGB_RXD_IXSM)
		return;
	if (unlikely(status & (IGB_RXD_L4E | IGB_RXD_IPE))) {
		igb_count(&rx->syncp, &rx->stats.csum_errors);
		return;
	}
	if (status & (IGB_RXD_L4CS | IGB_RXD_UDPCS))
		skb->ip_summed = CHECKSUM_UNNECESSARY;
}

static void igb_rx_hash(struct igb_rx *rx, struct sk_buff *skb,
			const union igb_rx_desc *desc)
{
	u32 type = le32_get_bits(desc->wb.pkt_info, IGB_RXD_RSS_TYPE);

	if (type == IGB_RSS_NONE || !(rx->netdev->features & NETIF_F_RXHASH))
		return;
	skb_set_hash(skb, le32_to_cpu(desc->wb.rss_hash),
		     BIT(type) & IGB_RSS_ADDRESSES_ONLY ? PKT_HASH_TYPE_L3 :
							  PKT_HASH_TYPE_L4);
}

static void igb_rx_drop_frame(struct igb_rx *rx)
{
	igb_rx_discard_frame(rx);
	igb_count(&rx->syncp, &rx->stats.dropped);
}

static bool igb_rx_is_bad(const struct igb_rx *rx, u32 status)
{
	if (status & IGB_RXD_RXE && !(rx->netdev->features & NETIF_F_RXALL))
		return true;
	return rx->skip ||
	       rx->frame->xdp.data_end - rx->frame->xdp.data < ETH_HLEN;
}

/* Longer than the MTU, which only bad frames are. */
static bool igb_rx_is_too_long(const struct xdp_buff *xdp,
			       const struct bpf_prog *prog)
{
	return xdp_buff_has_frags(xdp) && !prog->aux->xdp_has_frags;
}

/* The frame is complete and good: the program's, or the stack's. */
static void igb_rx_deliver(struct igb_rx *rx, struct bpf_prog *prog,
			   const union igb_rx_desc *desc, u32 status)
{
	struct xdp_buff *xdp = &rx->frame->xdp;
	struct sk_buff *skb;

	rx->frame->desc = desc;
	if (prog && unlikely(igb_rx_is_too_long(xdp, prog))) {
		igb_rx_drop_frame(rx);
		return;
	}
	if (prog && igb_xdp_run(rx, xdp, prog)) {
		rx->frame = NULL;
		return;
	}

	skb = rx->ring.xsk_pool ? igb_rx_copy_skb(rx, xdp) :
				  igb_rx_build_skb(xdp);
	if (unlikely(!skb)) {
		igb_rx_drop_frame(rx);
		return;
	}
	rx->frame = NULL;
	igb_rx_csum(rx, skb, status);
	igb_rx_hash(rx, skb, desc);
	if (status & IGB_RXD_VP)
		__vlan_hwaccel_put_tag(skb, htons(ETH_P_8021Q),
				       le16_to_cpu(desc->wb.vlan));
	skb_record_rx_queue(skb, rx->index);
	skb->protocol = eth_type_trans(skb, rx->netdev);
	napi_gro_receive(rx->napi, skb);
}

/**
 * igb_rx_clean() - pass received frames to the stack
 * @rx: the queue
 * @budget: frames at most
 *
 * Context: NAPI poll.
 * Return: number of frames taken off the ring.
 */
int igb_rx_clean(struct igb_rx *rx, int budget)
{
	struct bpf_prog *prog = READ_ONCE(rx->xdp_prog);
	const union igb_rx_desc *desc;
	unsigned int packets = 0;
	unsigned int bytes = 0;
	int done = 0;
	u32 status;

	while (done < budget && igb_rx_pending(rx)) {
		desc = &rx->ring.desc[rx->next_to_clean];
		status = igb_rx_status(rx, rx->next_to_clean);
		/* The rest of the descriptor is valid once DD is. */
		dma_rmb();
		igb_rx_take_buffer(rx, desc);
		if (!(status & IGB_RXD_EOP))
			continue;

		done++;
		if (unlikely(igb_rx_is_bad(rx, status))) {
			igb_rx_drop_frame(rx);
		} else {
			packets++;
			bytes += xdp_get_buff_len(&rx->frame->xdp);
			igb_rx_deliver(rx, prog, desc, status);
		}
		if (done % IGB_RX_BATCH == 0)
			igb_rx_refill(rx);
	}
	igb_rx_refill(rx);
	if (rx->xdp_done)
		igb_xdp_flush(rx);

	u64_stats_update_begin(&rx->syncp);
	u64_stats_add(&rx->stats.packets, packets);
	u64_stats_add(&rx->stats.bytes, bytes);
	u64_stats_update_end(&rx->syncp);
	return done;
}
