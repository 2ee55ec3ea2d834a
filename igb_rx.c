// SPDX-License-Identifier: GPL-2.0
/*
 * How one packet comes in: descriptor done, page, skb, GRO; and how pages
 * get back into the ring.
 */
#include <linux/etherdevice.h>
#include <linux/filter.h>
#include <net/xdp_sock_drv.h>

#include "igb.h"
#include "igb_trace.h"

/* RDT is written so many times on the way round the ring. */
#define IGB_RX_KICKS		8
static_assert(IGB_RX_BATCH + IGB_MIN_DESC / IGB_RX_KICKS < IGB_MIN_DESC);

/* Hash types that say nothing of ports. */
#define IGB_RSS_ADDRESSES_ONLY	(BIT(IGB_RSS_IPV4) | BIT(IGB_RSS_IPV6) | \
				 BIT(IGB_RSS_IPV6EX))

/* Have a descriptor say where its page is. */
static void igb_rx_write_desc(union igb_rx_desc *desc, const struct page *page)
{
	desc->read.pkt_addr = cpu_to_le64(page_pool_get_dma_addr(page) +
					  IGB_RX_HEADROOM);
	desc->read.hdr_addr = 0;
}

/* A program may have written to a page that stays in its place. */
static void igb_rx_give_back(struct page_pool *pool, struct page *page)
{
	dma_sync_single_range_for_device(pool->p.dev,
					 page_pool_get_dma_addr(page),
					 IGB_RX_HEADROOM, IGB_RX_BUF_LEN,
					 DMA_BIDIRECTIONAL);
}

/* A page that stayed in its place when its frame was of no use. */
static struct page *igb_rx_reuse(struct page_pool *pool, struct page *page)
{
	if (unlikely(page_is_pfmemalloc(page))) {
		page_pool_put_full_page(pool, page, false);
		return NULL;
	}
	igb_rx_give_back(pool, page);
	return page;
}

/**
 * igb_rx_fill() - give the chip pages to receive into
 * @ring: receive ring
 * @i: first descriptor that is not posted
 * @count: how many are not
 *
 * The chip sees them when RDT passes.  Nobody sleeps for them: the pool would
 * with BHs off, when there is no memory for what it remembers of its pages.
 *
 * Context: NAPI poll, or process context while the ring is not in use.
 * Return: how many there was memory for.
 */
unsigned int igb_rx_fill(struct igb_rx_ring *ring, unsigned int i,
			 unsigned int count)
{
	struct page_pool *pool = ring->pool;
	unsigned int left = count;
	struct page *page;

	if (ring->split)
		return igb_split_fill(ring, i, count);

	for (; left; left--) {
		page = ring->page[i];
		if (page)
			page = igb_rx_reuse(pool, page);
		if (!page) {
			page = page_pool_dev_alloc_pages(pool);
			ring->page[i] = page;
			if (unlikely(!page))
				break;
		}
		igb_rx_write_desc(&ring->desc[i], page);
		i = igb_next(ring->count, i);
	}
	return count - left;
}

/* An application that is told when to give more is not waited for. */
static bool igb_rx_is_starved(const struct igb_rx *rx)
{
	if (rx->ring.xsk_pool && xsk_uses_need_wakeup(rx->ring.xsk_pool))
		return false;
	return igb_unused(rx->ring.count, rx->next_to_use, rx->next_to_clean) >=
	       rx->ring.count - IGB_RX_BATCH;
}

/* Some buffers were not to be had, or all were.  They are asked for again with
 * the next frames; only a ring that has hardly any left is starved.
 */
static void igb_rx_filled(struct igb_rx *rx, bool missing)
{
	WRITE_ONCE(rx->starved, igb_rx_is_starved(rx));
	if (rx->ring.xsk_pool)
		igb_xsk_filled(rx->ring.xsk_pool, missing);
	else if (unlikely(missing))
		igb_count(&rx->syncp, &rx->stats.alloc_failed);
}

/* Post what is free; returns true if something was not to be had. */
static bool igb_rx_fill_up(struct igb_rx *rx, unsigned int left)
{
	struct igb_rx_ring *ring = &rx->ring;
	unsigned int use = rx->next_to_use;
	unsigned int posted;

	posted = ring->xsk_pool ?
		 igb_xsk_fill(ring, use, left) :
		 igb_rx_fill(ring, use, left);
	use += posted;
	WRITE_ONCE(rx->next_to_use, use < ring->count ? use :
							 use - ring->count);
	igb_rx_filled(rx, posted < left);
	return posted < left;
}

/* The chip has used every descriptor that it was told of, and there is still
 * work to do before they all can be posted again.
 */
static bool igb_rx_is_dry(const struct igb_rx *rx)
{
	u16 last = (rx->next_to_kick ?: rx->ring.count) - 1;

	return igb_rx_status(rx, last) & IGB_RXD_DD && igb_rx_pending(rx);
}

/**
 * igb_rx_refill() - post buffers, and tell the chip
 * @rx: the queue
 *
 * Both pools and the chip are troubled in batches only.
 *
 * Context: NAPI poll.
 */
void igb_rx_refill(struct igb_rx *rx)
{
	u16 count = rx->ring.count;
	bool missing = false;
	u16 posted;
	u16 left;

	left = igb_unused(count, rx->next_to_use, rx->next_to_clean);
	if (left >= IGB_RX_BATCH)
		missing = igb_rx_fill_up(rx, left);

	posted = count - 1 - igb_unused(count, rx->next_to_use,
					rx->next_to_kick);
	if (posted < (missing ? 1 : count / IGB_RX_KICKS) ||
	    (rx->fill_first && igb_rx_is_dry(rx)))
		return;
	writel(rx->next_to_use, rx->tail);
	rx->next_to_kick = rx->next_to_use;
}

/* Have the descriptor at @i say again where its buffer is. */
static void igb_rx_rewrite_desc(struct igb_rx_ring *ring, u16 i)
{
	if (ring->xsk_pool) {
		igb_xsk_write_desc(&ring->desc[i], ring->xsk[i]);
	} else if (ring->split) {
		igb_split_write_desc(ring, i);
	} else {
		igb_rx_give_back(ring->pool, ring->page[i]);
		igb_rx_write_desc(&ring->desc[i], ring->page[i]);
	}
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
		if (ring->split)
			swap(*igb_split_head(ring, posted),
			     *igb_split_head(ring, i));
		igb_rx_rewrite_desc(ring, posted++);
	}
	/* The last one may be there; it may not be posted yet. */
	posted = min(posted, ring->count - 1);
	WRITE_ONCE(rx->next_to_clean, 0);
	WRITE_ONCE(rx->next_to_use, posted);
	rx->next_to_kick = posted;
	WRITE_ONCE(rx->starved, igb_rx_is_starved(rx));
	xdp_init_buff(&rx->frame.xdp, PAGE_SIZE, ring->rxq);
}

/* Give the pages of the frame under construction back. */
static void igb_rx_discard_frame(struct igb_rx *rx)
{
	if (rx->state == IGB_RX_PART)
		xdp_return_buff(&rx->frame.xdp);
	rx->state = IGB_RX_START;
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

/**
 * igb_rx_skip() - throw away a frame, the rest of which may be to come
 * @rx: the queue
 *
 * Context: NAPI poll.
 */
void igb_rx_skip(struct igb_rx *rx)
{
	igb_rx_discard_frame(rx);
	rx->state = IGB_RX_SKIP;
}

/**
 * igb_rx_add_frag() - add a fragment to the frame under construction
 * @rx: the queue
 * @page: where it is; the frame's when 0 is returned
 * @offset: from where on
 * @len: bytes
 *
 * Context: NAPI poll.
 * Return: 0, or -EMSGSIZE when it has as many as there may be.
 */
int igb_rx_add_frag(struct igb_rx *rx, struct page *page, unsigned int offset,
		    unsigned int len)
{
	struct xdp_buff *xdp = &rx->frame.xdp;
	struct skb_shared_info *sinfo = xdp_get_shared_info_from_buff(xdp);

	if (!xdp_buff_has_frags(xdp)) {
		sinfo->nr_frags = 0;
		sinfo->xdp_frags_size = 0;
		xdp_buff_set_frags_flag(xdp);
	}
	if (unlikely(sinfo->nr_frags == MAX_SKB_FRAGS))
		return -EMSGSIZE;
	skb_frag_fill_page_desc(&sinfo->frags[sinfo->nr_frags++], page, offset,
				len);
	sinfo->xdp_frags_size += len;
	if (page_is_pfmemalloc(page))
		xdp_buff_set_frag_pfmemalloc(xdp);
	return 0;
}

/* The first page becomes the head, the others fragments.  What the chip says
 * is checked before it is trusted.
 */
static int igb_rx_add_page(struct igb_rx *rx, struct page *page, u16 len)
{
	if (unlikely(rx->state == IGB_RX_SKIP || len > IGB_RX_BUF_LEN))
		return -EMSGSIZE;
	page_pool_dma_sync_for_cpu(rx->ring.pool, page, 0, len);
	if (rx->state == IGB_RX_PART)
		return igb_rx_add_frag(rx, page, IGB_RX_HEADROOM, len);
	igb_rx_start_frame(rx, page_address(page), len);
	rx->state = IGB_RX_PART;
	return 0;
}

static bool igb_rx_is_bad(const struct igb_rx *rx, const struct bpf_prog *prog,
			  u32 status)
{
	const struct xdp_buff *xdp = &rx->frame.xdp;

	if (rx->state == IGB_RX_SKIP)
		return true;
	if (status & IGB_RXD_RXE && !(rx->netdev->features & NETIF_F_RXALL))
		return true;
	/* Only bad frames are longer than the MTU that @prog agreed to. */
	if (xdp_buff_has_frags(xdp) && !igb_xdp_takes_frags(prog))
		return true;
	return xdp->data_end - xdp->data < ETH_HLEN;
}

/* The page becomes the skb's head. */
static struct sk_buff *igb_rx_build_skb(void *start, unsigned int headroom,
					unsigned int len)
{
	struct sk_buff *skb = napi_build_skb(start, PAGE_SIZE);

	if (unlikely(!skb))
		return NULL;
	skb_mark_for_recycle(skb);
	skb_reserve(skb, headroom);
	__skb_put(skb, len);
	return skb;
}

/* The same for a frame that a program has seen, or of several pages. */
static struct sk_buff *igb_rx_build_xdp_skb(struct xdp_buff *xdp)
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

	skb = igb_rx_build_skb(xdp->data_hard_start,
			       xdp->data - xdp->data_hard_start,
			       xdp->data_end - xdp->data);
	if (unlikely(!skb))
		return NULL;
	if (xdp->data > xdp->data_meta)
		skb_metadata_set(skb, xdp->data - xdp->data_meta);
	if (unlikely(frags))
		xdp_update_skb_frags_info(skb, frags, size, frags * PAGE_SIZE,
					  xdp_buff_get_skb_flags(xdp));
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

/**
 * igb_rx_pass() - give a frame to the stack
 * @rx: the queue
 * @skb: the frame, or NULL when there was no memory for it
 * @desc: its last descriptor
 * @status: what that says
 *
 * Context: NAPI poll.
 * Return: whether there was a frame; that there was none is counted.
 */
bool igb_rx_pass(struct igb_rx *rx, struct sk_buff *skb,
		 const union igb_rx_desc *desc, u32 status)
{
	if (unlikely(!skb)) {
		igb_count(&rx->syncp, &rx->stats.dropped);
		return false;
	}

	igb_rx_csum(rx, skb, status);
	igb_rx_hash(rx, skb, desc);
	if (status & IGB_RXD_VP)
		__vlan_hwaccel_put_tag(skb, htons(ETH_P_8021Q),
				       le16_to_cpu(desc->wb.vlan));
	skb_record_rx_queue(skb, rx->index);
	trace_igb_rx_deliver(rx, skb);
	skb->protocol = eth_type_trans(skb, rx->netdev);
	napi_gro_receive(rx->napi, skb);
	return true;
}

/* A program says what becomes of the frame at hand.  Returns false when the
 * frame's memory is of no more use.
 */
static __always_inline bool igb_rx_run_xdp(struct igb_rx *rx,
					   struct bpf_prog *prog,
					   const union igb_rx_desc *desc,
					   u32 status)
{
	struct xdp_buff *xdp = &rx->frame.xdp;
	u32 act;

	rx->frame.desc = desc;
	act = bpf_prog_run_xdp(prog, xdp);
	if (trace_igb_xdp_verdict_enabled())
		act = igb_xdp_trace_verdict(rx, act);
	if (act == XDP_DROP) {
		igb_count(&rx->syncp, &rx->stats.xdp_drop);
		return false;
	}
	if (act == XDP_PASS)
		return igb_rx_pass(rx, igb_rx_build_xdp_skb(xdp), desc, status);
	igb_xdp_act(rx, xdp, prog, act);
	return true;
}

/**
 * igb_rx_finish() - pass on the frame under construction, if all of it is there
 * @rx: the queue
 * @prog: what sees it first, or NULL
 * @desc: its last descriptor so far
 * @status: what that says
 *
 * Context: NAPI poll.
 * Return: true when its last buffer has come.
 */
bool igb_rx_finish(struct igb_rx *rx, struct bpf_prog *prog,
		   const union igb_rx_desc *desc, u32 status)
{
	struct xdp_buff *xdp = &rx->frame.xdp;
	bool used;

	if (!(status & IGB_RXD_EOP))
		return false;

	if (igb_rx_is_bad(rx, prog, status)) {
		igb_rx_discard_frame(rx);
		igb_count(&rx->syncp, &rx->stats.dropped);
		return true;
	}

	rx->state = IGB_RX_START;
	igb_rx_count(rx, xdp_get_buff_len(xdp));
	used = prog ? igb_rx_run_xdp(rx, prog, desc, status) :
		      igb_rx_pass(rx, igb_rx_build_xdp_skb(xdp), desc, status);
	if (!used)
		xdp_return_buff(xdp);
	return true;
}

/* Gather a frame of several pages, or one that has something wrong.  Returns
 * true when its last page has come.
 */
static noinline bool igb_rx_gather(struct igb_rx *rx, struct bpf_prog *prog,
				   u16 i, u32 status)
{
	struct igb_rx_ring *ring = &rx->ring;
	union igb_rx_desc *desc = &ring->desc[i];

	if (igb_rx_add_page(rx, ring->page[i], le16_to_cpu(desc->wb.length)))
		igb_rx_skip(rx);
	else
		ring->page[i] = NULL;
	return igb_rx_finish(rx, prog, desc, status);
}

/**
 * igb_rx_trace_desc() - trace a descriptor that the chip is done with
 * @rx: the queue
 * @i: the descriptor
 *
 * The caller takes its status from here: to keep it over a call that is not
 * made would cost as much as to make one.
 *
 * Context: NAPI poll.
 * Return: the descriptor's status.
 */
u32 igb_rx_trace_desc(const struct igb_rx *rx, u16 i)
{
	u32 status = igb_rx_status(rx, i);

	trace_igb_rx_desc(rx, i, status);
	return status;
}

/* Nearly all frames are good and have one page, which stays in its place when
 * it is of no more use.
 */
static void igb_rx_take(struct igb_rx *rx, struct bpf_prog *prog,
			unsigned int i, u32 status, unsigned int len)
{
	union igb_rx_desc *desc = &rx->ring.desc[i];
	struct page *page = rx->ring.page[i];
	void *start = page_address(page);
	struct sk_buff *skb;
	bool used;

	page_pool_dma_sync_for_cpu(rx->ring.pool, page, 0, len);
	igb_rx_count(rx, len);
	if (prog) {
		igb_rx_start_frame(rx, start, len);
		used = igb_rx_run_xdp(rx, prog, desc, status);
	} else {
		skb = igb_rx_build_skb(start, IGB_RX_HEADROOM, len);
		used = igb_rx_pass(rx, skb, desc, status);
	}
	if (used)
		rx->ring.page[i] = NULL;
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
	struct igb_rx_ring *ring = &rx->ring;
	unsigned int i = rx->next_to_clean;
	int done = 0;
	u32 status;
	u16 len;

	while (done < budget && igb_rx_is_done(rx, i, &status)) {
		if (trace_igb_rx_desc_enabled())
			status = igb_rx_trace_desc(rx, i);
		len = le16_to_cpu(ring->desc[i].wb.length);
		if (likely(igb_rx_is_whole(rx, status, len, IGB_RX_BUF_LEN))) {
			igb_rx_take(rx, prog, i, status, len);
			done++;
		} else if (igb_rx_gather(rx, prog, i, status)) {
			done++;
		}
		i = igb_rx_advance(rx, i, done);
	}
	return done;
}
