// SPDX-License-Identifier: GPL-2.0
/*
 * Header split: the chip puts the headers of a frame into one page, and what
 * they carry into another from its start, so that it can be mapped to an
 * application.
 *
 * Only how a frame is put together differs: verdicts, and what the stack is
 * told of a frame, are those of igb_xdp.c and igb_rx.c.
 */
#include "igb.h"
#include "igb_trace.h"

/**
 * igb_split_write_desc() - have a descriptor say where its buffers are
 * @ring: receive ring with header split
 * @i: the descriptor, with pages
 *
 * Context: any; the chip may not see the descriptor.
 */
void igb_split_write_desc(const struct igb_rx_ring *ring, unsigned int i)
{
	dma_addr_t head = page_pool_get_dma_addr(*igb_split_head(ring, i));
	dma_addr_t data = page_pool_get_dma_addr(ring->page[i]);
	union igb_rx_desc *desc = &ring->desc[i];

	desc->read.pkt_addr = cpu_to_le64(data);
	desc->read.hdr_addr = cpu_to_le64(head + IGB_RX_HEADROOM);
}

/* Only the first buffers of a frame have headers, so a head may be there. */
static bool igb_split_alloc(struct igb_rx_ring *ring, unsigned int i)
{
	struct page **head = igb_split_head(ring, i);

	if (!*head)
		*head = page_pool_dev_alloc_pages(ring->pool);
	if (likely(*head))
		ring->page[i] = page_pool_dev_alloc_pages(ring->pool);
	return ring->page[i];
}

/**
 * igb_split_fill() - give the chip pages to receive into
 * @ring: receive ring with header split
 * @i: first descriptor, without a page as those that follow
 * @count: how many
 *
 * Context: NAPI poll, or process context while the ring is not in use.
 * Return: how many there was memory for.
 */
unsigned int igb_split_fill(struct igb_rx_ring *ring, unsigned int i,
			    unsigned int count)
{
	unsigned int left;

	for (left = count; left && igb_split_alloc(ring, i); left--) {
		igb_split_write_desc(ring, i);
		i = igb_next(ring->count, i);
	}
	return count - left;
}

/* How much the chip has put into the buffer for headers: nothing if it does
 * not know the protocol, or they are longer.
 */
static unsigned int igb_split_hdr_len(const union igb_rx_desc *desc, u32 status)
{
	u32 info = le32_to_cpu(desc->wb.pkt_info);
	u32 len = FIELD_GET(IGB_RXD_HDR_LEN, info);

	if (!(info & IGB_RXD_SPH) || status & IGB_RXD_HBO ||
	    len > IGB_SPLIT_HDR_LEN)
		return 0;
	return len;
}

/* Headers become the head of the frame.  Of a frame whose headers stayed with
 * the rest, as much is copied as they could have been.  Returns how much.
 */
static unsigned int igb_split_start(struct igb_rx *rx, unsigned int i,
				    u32 status, const struct page *page,
				    unsigned int len)
{
	unsigned int hdr_len = igb_split_hdr_len(&rx->ring.desc[i], status);
	struct page **head = igb_split_head(&rx->ring, i);
	void *start = page_address(*head);
	unsigned int copied = 0;

	if (hdr_len) {
		page_pool_dma_sync_for_cpu(rx->ring.pool, *head,
					   IGB_RX_HEADROOM, hdr_len);
	} else {
		copied = min(len, IGB_SPLIT_HDR_LEN);
		memcpy(start + IGB_RX_HEADROOM, page_address(page), copied);
	}
	igb_rx_start_frame(rx, start, hdr_len + copied);
	rx->state = IGB_RX_PART;
	*head = NULL;
	return copied;
}

/* What the chip says is checked before it is trusted. */
static int igb_split_add(struct igb_rx *rx, unsigned int i, u32 status,
			 struct page *page)
{
	unsigned int len = le16_to_cpu(rx->ring.desc[i].wb.length);
	unsigned int copied = 0;

	if (unlikely(rx->state == IGB_RX_SKIP || len > IGB_SPLIT_BUF_LEN))
		return -EMSGSIZE;
	if (len)
		page_pool_dma_sync_for_cpu(rx->ring.pool, page, 0, len);
	if (rx->state == IGB_RX_START)
		copied = igb_split_start(rx, i, status, page, len);
	if (copied < len)
		return igb_rx_add_frag(rx, page, copied, len - copied);
	page_pool_put_full_page(rx->ring.pool, page, true);
	return 0;
}

/* Take what a descriptor has off the ring. */
static void igb_split_take(struct igb_rx *rx, unsigned int i, u32 status)
{
	struct igb_rx_ring *ring = &rx->ring;
	struct page *page = ring->page[i];

	ring->page[i] = NULL;
	if (likely(!igb_split_add(rx, i, status, page)))
		return;
	page_pool_put_full_page(ring->pool, page, true);
	igb_rx_skip(rx);
}

/**
 * igb_split_rx_clean() - pass received frames to the stack
 * @rx: the queue, with header split
 * @budget: frames at most
 *
 * Context: NAPI poll.
 * Return: number of frames taken off the ring.
 */
int igb_split_rx_clean(struct igb_rx *rx, int budget)
{
	struct bpf_prog *prog = READ_ONCE(rx->xdp_prog);
	struct igb_rx_ring *ring = &rx->ring;
	unsigned int i = rx->next_to_clean;
	int done = 0;
	u32 status;

	while (done < budget && igb_rx_is_done(rx, i, &status)) {
		if (trace_igb_rx_desc_enabled())
			status = igb_rx_trace_desc(rx, i);
		igb_split_take(rx, i, status);
		done += igb_rx_finish(rx, prog, &ring->desc[i], status);
		i = igb_rx_advance(rx, i, done);
	}
	return done;
}
