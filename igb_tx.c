// SPDX-License-Identifier: GPL-2.0
/*
 * How one packet goes out: igb_xmit_frame() from the stack to the doorbell,
 * igb_tx_clean() from descriptor done to BQL.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/sctp.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/netdev_queues.h>
#include <net/xdp_sock_drv.h>

#include "igb.h"
#include "igb_trace.h"

/* Context, head and all fragments. */
#define IGB_TX_NEEDED		(MAX_SKB_FRAGS + 2)
#define IGB_TX_WAKE		(IGB_TX_NEEDED + 8)
static_assert(IGB_TX_WAKE < IGB_MIN_DESC);

/* What every data descriptor says. */
#define IGB_TX_DATA		(FIELD_PREP(IGB_TXD_DTYP, IGB_TXD_DTYP_DATA) | \
				 IGB_TXD_DEXT | IGB_TXD_IFCS)

static u16 igb_tx_unused(const struct igb_tx *tx)
{
	return igb_unused(tx->ring.count, tx->next_to_use, tx->next_to_clean);
}

/* L4 type for the context descriptor, if the chip can sum this frame. */
static int igb_tx_l4_type(const struct sk_buff *skb, u8 proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		if (skb->csum_offset == offsetof(struct tcphdr, check))
			return IGB_CTXT_L4T_TCP;
		break;
	case IPPROTO_UDP:
		if (skb->csum_offset == offsetof(struct udphdr, check))
			return IGB_CTXT_L4T_UDP;
		break;
	case IPPROTO_SCTP:
		if (skb->csum_offset == offsetof(struct sctphdr, checksum))
			return IGB_CTXT_L4T_SCTP;
		break;
	}
	return -EPROTONOSUPPORT;
}

/* Describe the headers; the frame's own checksum must be the one to fill. */
static int igb_tx_describe(const struct sk_buff *skb, u32 *lens, u32 *tucmd)
{
	u32 maclen = skb_network_offset(skb);
	u32 iplen = skb_checksum_start_offset(skb) - maclen;
	int l4t = -EPROTONOSUPPORT;
	u32 ipv4 = 0;

	switch (vlan_get_protocol(skb)) {
	case htons(ETH_P_IP):
		ipv4 = IGB_CTXT_IPV4;
		if (iplen == ip_hdrlen(skb))
			l4t = igb_tx_l4_type(skb, ip_hdr(skb)->protocol);
		break;
	case htons(ETH_P_IPV6):
		if (iplen == sizeof(struct ipv6hdr))
			l4t = igb_tx_l4_type(skb, ipv6_hdr(skb)->nexthdr);
		break;
	}
	if (l4t < 0)
		return l4t;
	if (!FIELD_FIT(IGB_CTXT_MACLEN, maclen))
		return -EPROTONOSUPPORT;

	*lens = FIELD_PREP(IGB_CTXT_MACLEN, maclen) |
		FIELD_PREP(IGB_CTXT_IPLEN, iplen);
	*tucmd = ipv4 | FIELD_PREP(IGB_CTXT_L4T, l4t);
	return 0;
}

/* Bytes behind the datagram, be they there or to come.  The chip would take
 * them for payload.
 */
static bool igb_tx_is_padded(const struct sk_buff *skb)
{
	u32 len = skb->len - skb_network_offset(skb);

	if (skb->len < ETH_ZLEN)
		return true;
	if (ip_hdr(skb)->version == 4)
		return ntohs(ip_hdr(skb)->tot_len) != len;
	return ntohs(ipv6_hdr(skb)->payload_len) + sizeof(struct ipv6hdr) !=
	       len;
}

/**
 * struct igb_tx_offload - what the chip shall do to a frame
 * @ctxt: context that it needs; @ctxt.lens is zero when none
 * @cmd: command bits of its data descriptors
 * @olinfo: options of its data descriptors
 * @bytes: on the wire, all segments
 * @segs: frames on the wire
 */
struct igb_tx_offload {
	struct igb_tx_ctxt ctxt;
	u32 cmd;
	u32 olinfo;
	u32 bytes;
	u16 segs;
};

/* The chip counts each segment's length into its checksum, so the length of
 * the whole has to go from the sum over the pseudo header.
 */
static void igb_tx_prepare_headers(struct sk_buff *skb)
{
	u32 len = skb->len - skb_transport_offset(skb);
	__sum16 *check;

	check = (__sum16 *)(skb_transport_header(skb) + skb->csum_offset);
	csum_replace_by_diff(check, (__force __wsum)htonl(len));
	if (ip_hdr(skb)->version == 4) {
		ip_hdr(skb)->tot_len = 0;
		ip_hdr(skb)->check = 0;
	} else {
		ipv6_hdr(skb)->payload_len = 0;
	}
}

static int igb_tx_segment(struct sk_buff *skb, struct igb_tx_offload *off)
{
	struct skb_shared_info *shinfo = skb_shinfo(skb);
	u32 hdr_len;
	u32 l4_len;

	if (skb_cow_head(skb, 0) ||
	    igb_tx_describe(skb, &off->ctxt.lens, &off->ctxt.tucmd))
		return -EPROTONOSUPPORT;

	l4_len = shinfo->gso_type & SKB_GSO_UDP_L4 ? sizeof(struct udphdr) :
						     tcp_hdrlen(skb);
	hdr_len = skb_transport_offset(skb) + l4_len;
	igb_tx_prepare_headers(skb);

	off->ctxt.mss = FIELD_PREP(IGB_CTXT_MSS, shinfo->gso_size) |
			FIELD_PREP(IGB_CTXT_L4LEN, l4_len);
	off->cmd |= IGB_TXD_TSE;
	off->olinfo = FIELD_PREP(IGB_TXD_PAYLEN, skb->len - hdr_len) |
		      IGB_TXD_TXSM;
	if (off->ctxt.tucmd & IGB_CTXT_IPV4)
		off->olinfo |= IGB_TXD_IXSM;
	off->segs = max_t(u16, shinfo->gso_segs, 1);
	off->bytes += (off->segs - 1) * hdr_len;
	return 0;
}

static int igb_tx_csum(struct sk_buff *skb, struct igb_tx_offload *off)
{
	if (igb_tx_is_padded(skb) ||
	    igb_tx_describe(skb, &off->ctxt.lens, &off->ctxt.tucmd))
		return skb_csum_is_sctp(skb) ? skb_crc32c_csum_help(skb) :
					       skb_checksum_help(skb);
	off->olinfo |= IGB_TXD_TXSM;
	return 0;
}

/* What the chip cannot do for this frame is done here. */
static int igb_tx_offload(struct sk_buff *skb, struct igb_tx_offload *off)
{
	u32 bytes = max_t(u32, skb->len, ETH_ZLEN);
	int err = 0;

	*off = (struct igb_tx_offload) {
		.cmd = IGB_TX_DATA,
		.olinfo = FIELD_PREP(IGB_TXD_PAYLEN, bytes),
		.bytes = bytes,
		.segs = 1,
	};

	if (skb_is_gso(skb))
		err = igb_tx_segment(skb, off);
	else if (skb->ip_summed == CHECKSUM_PARTIAL)
		err = igb_tx_csum(skb, off);

	if (skb_vlan_tag_present(skb)) {
		if (!off->ctxt.lens)
			off->ctxt.lens = FIELD_PREP(IGB_CTXT_MACLEN, ETH_HLEN);
		off->ctxt.lens |= FIELD_PREP(IGB_CTXT_VLAN,
					     skb_vlan_tag_get(skb));
		off->cmd |= IGB_TXD_VLE;
	}
	return err;
}

static void igb_tx_write_ctxt(struct igb_tx *tx, u8 slot,
			      const struct igb_tx_ctxt *ctxt)
{
	struct igb_tx_ctxt_desc *desc = (struct igb_tx_ctxt_desc *)
					&tx->ring.desc[tx->next_to_use];

	desc->vlan_macip_lens = cpu_to_le32(ctxt->lens);
	desc->seqnum_seed = 0;
	desc->type_tucmd = cpu_to_le32(ctxt->tucmd);
	desc->mss_l4len_idx = cpu_to_le32(ctxt->mss |
					  FIELD_PREP(IGB_CTXT_IDX, slot));
	tx->ctxt[slot] = *ctxt;
}

static bool igb_tx_has_ctxt(const struct igb_tx *tx, u8 slot,
			    const struct igb_tx_ctxt *ctxt)
{
	return !memcmp(&tx->ctxt[slot], ctxt, sizeof(*ctxt));
}

/* Have the chip know the frame's context; it remembers two.  Returns where
 * the frame's data starts.
 */
static u16 igb_tx_use_ctxt(struct igb_tx *tx, struct igb_tx_offload *off)
{
	u16 i = tx->next_to_use;
	u8 slot = tx->ctxt_last;

	if (!off->ctxt.lens)
		return i;

	off->ctxt.tucmd |= IGB_TXD_DEXT |
			   FIELD_PREP(IGB_TXD_DTYP, IGB_TXD_DTYP_CTXT);
	if (!igb_tx_has_ctxt(tx, slot, &off->ctxt)) {
		slot = !slot;
		if (!igb_tx_has_ctxt(tx, slot, &off->ctxt)) {
			igb_tx_write_ctxt(tx, slot, &off->ctxt);
			i = igb_next(tx->ring.count, i);
		}
		tx->ctxt_last = slot;
	}
	off->olinfo |= IGB_TXD_CC | FIELD_PREP(IGB_TXD_IDX, slot);
	return i;
}

static void igb_tx_unmap(struct igb_tx *tx, struct igb_tx_buf *buf)
{
	dma_unmap_page(tx->dev, buf->dma, buf->len, DMA_TO_DEVICE);
	buf->len = 0;
}

/* Where the frame at @i is copied to. */
static void *igb_tx_copy_space(const struct igb_tx *tx, u16 i)
{
	return tx->ring.copies + i * IGB_TX_COPY_SPACE;
}

static dma_addr_t igb_tx_copy_dma(const struct igb_tx *tx, u16 i)
{
	return tx->ring.copies_dma + i * IGB_TX_COPY_SPACE;
}

static void igb_tx_write_data(struct igb_tx *tx, u16 i, dma_addr_t dma,
			      u32 cmd_len, u32 olinfo)
{
	struct igb_tx_desc *desc = &tx->ring.desc[i];

	desc->addr = cpu_to_le64(dma);
	desc->cmd_type_len = cpu_to_le32(cmd_len);
	desc->olinfo_status = cpu_to_le32(olinfo);
}

/* Remember what is to be unmapped when the descriptor at @i is done. */
static void igb_tx_note_mapping(struct igb_tx *tx, u16 i, dma_addr_t dma,
				u32 len)
{
	tx->ring.buf[i].dma = dma;
	tx->ring.buf[i].len = len;
}

/* Forget a frame whose descriptor at @i could not be mapped. */
static void igb_tx_unwind(struct igb_tx *tx, u16 i)
{
	struct igb_tx_buf *buf;

	while (i != tx->next_to_use) {
		i = (i ?: tx->ring.count) - 1;
		buf = &tx->ring.buf[i];
		if (buf->len)
			igb_tx_unmap(tx, buf);
	}
}

/* The frame's last descriptor is at @last. */
static struct igb_tx_buf *igb_tx_commit(struct igb_tx *tx, u16 last, u32 bytes,
					u16 segs)
{
	struct igb_tx_buf *first = &tx->ring.buf[tx->next_to_use];

	first->last = last;
	first->bytes = bytes;
	first->segs = segs;
	WRITE_ONCE(tx->next_to_use, igb_next(tx->ring.count, last));
	return first;
}

/* Map head and fragments into descriptors from @i on; nothing is given to
 * the chip yet.  Returns the index of the last one.
 */
static int igb_tx_map(struct igb_tx *tx, struct sk_buff *skb, u16 i,
		      const struct igb_tx_offload *off)
{
	unsigned int left = skb_shinfo(skb)->nr_frags;
	skb_frag_t *frag = skb_shinfo(skb)->frags;
	u32 len = skb_headlen(skb);
	dma_addr_t dma;

	dma = dma_map_single(tx->dev, skb->data, len, DMA_TO_DEVICE);
	for (;; frag++) {
		if (unlikely(dma_mapping_error(tx->dev, dma))) {
			igb_tx_unwind(tx, i);
			return -ENOMEM;
		}
		igb_tx_note_mapping(tx, i, dma, len);
		if (!left--)
			break;
		igb_tx_write_data(tx, i, dma, off->cmd | len, off->olinfo);
		i = igb_next(tx->ring.count, i);
		len = skb_frag_size(frag);
		dma = skb_frag_dma_map(tx->dev, frag, 0, len, DMA_TO_DEVICE);
	}
	igb_tx_write_data(tx, i, dma, off->cmd | IGB_TXD_EOP | len,
			  off->olinfo);
	return i;
}

/* Two pieces of constant size, which may overlap, are a few instructions. */
static void igb_tx_copy_small(void *to, const void *from, u32 len)
{
	if (len > 64) {
		memcpy(to, from, 64);
		memcpy(to + len - 64, from + len - 64, 64);
	} else if (len >= 32) {
		memcpy(to, from, 32);
		memcpy(to + len - 32, from + len - 32, 32);
	} else {
		memcpy(to, from, len);
	}
}

/* Copying what is small is cheaper than mapping it, and the way to pad what
 * is too short.  Memory beside the ring needs no mapping.
 */
static int igb_tx_copy(struct igb_tx *tx, const struct sk_buff *skb, u16 i,
		       const struct igb_tx_offload *off)
{
	void *copy = igb_tx_copy_space(tx, i);

	if (likely(!skb_is_nonlinear(skb)))
		igb_tx_copy_small(copy, skb->data, skb->len);
	else if (skb_copy_bits(skb, 0, copy, skb->len))
		return -EFAULT;
	if (unlikely(off->bytes > skb->len))
		memset(copy + skb->len, 0, off->bytes - skb->len);
	igb_tx_write_data(tx, i, igb_tx_copy_dma(tx, i),
			  off->cmd | IGB_TXD_EOP | off->bytes, off->olinfo);
	return i;
}

static bool igb_tx_is_small(const struct igb_tx *tx, const struct sk_buff *skb,
			    const struct igb_tx_offload *off)
{
	return !(off->cmd & IGB_TXD_TSE) &&
	       (skb->len <= READ_ONCE(tx->copybreak) || skb->len < ETH_ZLEN);
}

static int igb_tx_queue(struct igb_tx *tx, struct sk_buff *skb)
{
	struct igb_tx_offload off;
	int last;
	u16 i;

	if (igb_tx_offload(skb, &off))
		return -EINVAL;

	i = igb_tx_use_ctxt(tx, &off);
	last = igb_tx_is_small(tx, skb, &off) ? igb_tx_copy(tx, skb, i, &off) :
						igb_tx_map(tx, skb, i, &off);
	if (last < 0) {
		/* A context that was written is not sent either. */
		memset(tx->ctxt, 0, sizeof(tx->ctxt));
		return last;
	}

	skb_tx_timestamp(skb);
	igb_tx_commit(tx, last, off.bytes, off.segs)->skb = skb;
	return 0;
}

/* Descriptors from @from up to @to. */
static u32 igb_tx_distance(const struct igb_tx *tx, u32 from, u32 to)
{
	return to < from ? to + tx->ring.count - from : to - from;
}

/* Up to where the chip has sent.  If it claims what cannot be, it has sent
 * nothing.
 */
static u16 igb_tx_head(const struct igb_tx *tx)
{
	u32 head = le32_to_cpu(READ_ONCE(*tx->ring.head));
	u16 clean, kick;

	/* What it was told of is at least as new. */
	dma_rmb();
	clean = READ_ONCE(tx->next_to_clean);
	kick = READ_ONCE(tx->next_to_kick);
	if (likely(head == kick))
		return head;
	if (unlikely(head >= tx->ring.count ||
		     igb_tx_distance(tx, clean, head) >
		     igb_tx_distance(tx, clean, kick)))
		return clean;
	return head;
}

/* Has the frame that starts at @i been sent?  The head may well be amid it. */
static bool igb_tx_is_sent(const struct igb_tx *tx, u16 i, u16 head)
{
	u16 last = tx->ring.buf[i].last;
	u16 count = tx->ring.count;

	if (i == head)
		return false;
	if (likely(i == last))
		return true;
	return (head > i ? head : head + count) > (last > i ? last :
							      last + count);
}

/* Give frames back up to @head.  A nonzero @budget says that bottom halves are
 * off and nothing more; without it, which is netpoll's way, memory of XDP's
 * must not be touched.
 */
static void igb_tx_release(struct igb_tx *tx, u16 head, int budget,
			   struct igb_tx_sum *sum)
{
	u16 i = tx->next_to_clean;
	struct igb_tx_buf *first;
	struct igb_tx_buf *buf;
	u16 last;

	while (igb_tx_is_sent(tx, i, head)) {
		first = &tx->ring.buf[i];
		if (unlikely(!budget && !first->skb))
			break;
		last = first->last;
		sum->packets += first->segs;
		sum->bytes += first->bytes;
		for (;; i = igb_next(tx->ring.count, i)) {
			buf = &tx->ring.buf[i];
			if (buf->len)
				igb_tx_unmap(tx, buf);
			if (i == last)
				break;
		}
		i = igb_next(tx->ring.count, i);
		if (likely(first->skb)) {
			sum->bql += first->bytes;
			napi_consume_skb(first->skb, budget);
			first->skb = NULL;
		} else if (first->xdpf) {
			xdp_return_frame(first->xdpf);
			first->xdpf = NULL;
		} else {
			sum->xsk++;
		}
	}
	WRITE_ONCE(tx->next_to_clean, i);
	if (sum->xsk)
		xsk_tx_completed(tx->xsk_pool, sum->xsk);
	if (unlikely(!budget && igb_tx_is_sent(tx, i, head)))
		napi_schedule(&container_of(tx, struct igb_queue, tx)->napi);
}

/* Give back what has been sent; @budget as above. */
static void igb_tx_reclaim(struct igb_tx *tx, int budget)
{
	struct igb_tx_sum sum = {};

	igb_tx_release(tx, igb_tx_head(tx), budget, &sum);
	if (!sum.packets)
		return;

	trace_igb_tx_reclaim(tx, &sum);
	u64_stats_update_begin(&tx->syncp);
	u64_stats_add(&tx->stats.packets, sum.packets);
	u64_stats_add(&tx->stats.bytes, sum.bytes);
	u64_stats_update_end(&tx->syncp);
	if (unlikely(!netif_txq_completed_wake(tx->txq, sum.packets, sum.bql,
					       igb_tx_unused(tx), IGB_TX_WAKE)))
		igb_count(&tx->syncp, &tx->stats.woken);
}

/* The doorbell. */
static void igb_tx_write_tail(struct igb_tx *tx)
{
	WRITE_ONCE(tx->next_to_kick, tx->next_to_use);
	writel(tx->next_to_use, tx->tail);
}

/* What the chip is about to be told of. */
static void igb_tx_trace_descs(const struct igb_tx *tx)
{
	const struct igb_tx_desc *desc;
	u16 i = tx->next_to_kick;

	for (; i != tx->next_to_use; i = igb_next(tx->ring.count, i)) {
		desc = &tx->ring.desc[i];
		trace_igb_tx_desc(tx, i, le64_to_cpu(desc->addr),
				  le32_to_cpu(desc->cmd_type_len));
	}
}

/* The rest of igb_tx_kick() where somebody watches: if it went on there, it
 * would have to save registers for all.
 */
static noinline void igb_tx_kick_traced(struct igb_tx *tx)
{
	igb_tx_trace_descs(tx);
	trace_igb_tx_doorbell(tx);
	igb_tx_write_tail(tx);
	igb_tx_reclaim(tx, !irqs_disabled());
}

/**
 * igb_tx_kick() - tell the chip of what was queued
 * @tx: the queue
 *
 * The last frame is to be reported, and what has been sent is taken back.
 *
 * Context: bottom halves off, the queue's transmit lock held.
 */
void igb_tx_kick(struct igb_tx *tx)
{
	u16 last = (tx->next_to_use ?: tx->ring.count) - 1;

	if (tx->next_to_kick != tx->next_to_use) {
		tx->ring.desc[last].cmd_type_len |= cpu_to_le32(IGB_TXD_RS);
		if (trace_igb_tx_desc_enabled() ||
		    trace_igb_tx_doorbell_enabled()) {
			igb_tx_kick_traced(tx);
			return;
		}
		igb_tx_write_tail(tx);
	}
	igb_tx_reclaim(tx, !irqs_disabled());
}

/* A frame that is too short, padded beside the ring. */
static dma_addr_t igb_tx_pad(struct igb_tx *tx, u16 i, const void *data,
			     u32 len)
{
	void *copy = igb_tx_copy_space(tx, i);

	memcpy(copy, data, len);
	memset(copy + len, 0, ETH_ZLEN - len);
	return igb_tx_copy_dma(tx, i);
}

/* Pages of the pair's own pool are mapped, and will be: the pool goes after
 * what is queued here.  Another's, be it this port's, may go while its pages
 * are under way.
 */
static bool igb_tx_xdp_is_mapped(struct igb_tx *tx,
				 const struct xdp_frame *xdpf)
{
	struct igb_queue *q = container_of(tx, struct igb_queue, tx);

	return igb_xdpf_mem_type(xdpf) == MEM_TYPE_PAGE_POOL &&
	       virt_to_head_page(xdpf)->pp == q->rx.ring.pool;
}

/* Where a piece of a frame of XDP's is, or DMA_MAPPING_ERROR. */
static dma_addr_t igb_tx_xdp_dma(struct igb_tx *tx, u16 i, void *data, u32 len,
				 bool mapped)
{
	dma_addr_t dma;

	if (mapped) {
		dma = page_pool_get_dma_addr(virt_to_page(data)) +
		      offset_in_page(data);
		dma_sync_single_for_device(tx->dev, dma, len,
					   DMA_BIDIRECTIONAL);
		return dma;
	}

	dma = dma_map_single(tx->dev, data, len, DMA_TO_DEVICE);
	if (unlikely(dma_mapping_error(tx->dev, dma)))
		return DMA_MAPPING_ERROR;
	igb_tx_note_mapping(tx, i, dma, len);
	return dma;
}

/* As igb_tx_map(). */
static int igb_tx_map_xdp(struct igb_tx *tx, struct xdp_frame *xdpf, u32 olinfo)
{
	struct skb_shared_info *sinfo = xdp_get_shared_info_from_frame(xdpf);
	unsigned int left = xdp_frame_has_frags(xdpf) ? sinfo->nr_frags : 0;
	bool mapped = igb_tx_xdp_is_mapped(tx, xdpf);
	skb_frag_t *frag = sinfo->frags;
	u16 i = tx->next_to_use;
	void *data = xdpf->data;
	u32 len = xdpf->len;
	dma_addr_t dma;

	for (;; frag++) {
		dma = igb_tx_xdp_dma(tx, i, data, len, mapped);
		if (unlikely(dma == DMA_MAPPING_ERROR)) {
			igb_tx_unwind(tx, i);
			return -ENOMEM;
		}
		if (likely(!left--))
			break;
		igb_tx_write_data(tx, i, dma, IGB_TX_DATA | len, olinfo);
		i = igb_next(tx->ring.count, i);
		data = skb_frag_address(frag);
		len = skb_frag_size(frag);
	}
	igb_tx_write_data(tx, i, dma, IGB_TX_DATA | IGB_TXD_EOP | len, olinfo);
	return i;
}

/* A frame that is too short, be it of several pieces. */
static void igb_tx_copy_xdp(struct igb_tx *tx, u16 i, struct xdp_frame *xdpf)
{
	struct skb_shared_info *sinfo = xdp_get_shared_info_from_frame(xdpf);
	unsigned int left = xdp_frame_has_frags(xdpf) ? sinfo->nr_frags : 0;
	dma_addr_t dma = igb_tx_pad(tx, i, xdpf->data, xdpf->len);
	void *to = igb_tx_copy_space(tx, i) + xdpf->len;
	skb_frag_t *frag;

	for (frag = sinfo->frags; left; left--, frag++) {
		memcpy(to, skb_frag_address(frag), skb_frag_size(frag));
		to += skb_frag_size(frag);
	}
	igb_tx_write_data(tx, i, dma, IGB_TX_DATA | IGB_TXD_EOP | ETH_ZLEN,
			  FIELD_PREP(IGB_TXD_PAYLEN, ETH_ZLEN));
}

static bool igb_tx_make_room(struct igb_tx *tx)
{
	if (likely(igb_tx_unused(tx) >= IGB_TX_NEEDED))
		return true;
	igb_tx_kick(tx);
	return igb_tx_unused(tx) >= IGB_TX_NEEDED;
}

/**
 * igb_tx_queue_xdp() - queue a frame of XDP's; no doorbell
 * @tx: the queue
 * @xdpf: the frame; the queue's when 0 is returned
 *
 * Context: bottom halves off, the queue's transmit lock held.
 * Return: 0, -EBUSY when the ring is full, or -ENOMEM.
 */
int igb_tx_queue_xdp(struct igb_tx *tx, struct xdp_frame *xdpf)
{
	u32 len = xdp_get_frame_len(xdpf);
	int last = tx->next_to_use;

	if (unlikely(!igb_tx_make_room(tx)))
		return -EBUSY;

	if (likely(len >= ETH_ZLEN))
		last = igb_tx_map_xdp(tx, xdpf,
				      FIELD_PREP(IGB_TXD_PAYLEN, len));
	else
		igb_tx_copy_xdp(tx, last, xdpf);
	if (unlikely(last < 0))
		return last;

	igb_tx_commit(tx, last, max_t(u32, len, ETH_ZLEN), 1)->xdpf = xdpf;
	txq_trans_cond_update(tx->txq);
	return 0;
}

/**
 * igb_tx_room() - how many frames of applications may be queued now
 * @tx: the queue
 *
 * The stack keeps enough for its largest frame.
 *
 * Context: the queue's transmit lock held.
 * Return: number of descriptors.
 */
u32 igb_tx_room(const struct igb_tx *tx)
{
	u16 unused = igb_tx_unused(tx);

	return unused > IGB_TX_WAKE ? unused - IGB_TX_WAKE : 0;
}

/**
 * igb_tx_queue_xsk() - queue a frame of an application's; no doorbell
 * @tx: the queue, with a pool and room
 * @desc: where the frame is
 *
 * Context: bottom halves off, the queue's transmit lock held.
 */
void igb_tx_queue_xsk(struct igb_tx *tx, const struct xdp_desc *desc)
{
	dma_addr_t dma = xsk_buff_raw_get_dma(tx->xsk_pool, desc->addr);
	u32 len = max_t(u32, desc->len, ETH_ZLEN);
	u16 i = tx->next_to_use;

	if (likely(len == desc->len))
		xsk_buff_raw_dma_sync_for_device(tx->xsk_pool, dma, len);
	else
		dma = igb_tx_pad(tx, i, xsk_buff_raw_get_data(tx->xsk_pool,
							      desc->addr),
				 desc->len);
	igb_tx_write_data(tx, i, dma, IGB_TX_DATA | IGB_TXD_EOP | len,
			  FIELD_PREP(IGB_TXD_PAYLEN, len));
	igb_tx_commit(tx, i, len, 1);
}

/**
 * igb_features_check() - ndo_features_check
 * @skb: a frame
 * @netdev: the interface
 * @features: what the stack means to leave to the chip
 *
 * Context: any.
 * Return: what of that the chip does right for this frame.
 */
netdev_features_t igb_features_check(struct sk_buff *skb,
				     struct net_device *netdev,
				     netdev_features_t features)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	u32 lens, tucmd;

	features = vlan_features_check(skb, features);
	if (!skb_is_gso(skb))
		return features;
	if (igb_tx_describe(skb, &lens, &tucmd) ||
	    (igb_has_quirk(&adapter->hw, IGB_QUIRK_TSO_NO_FIN) &&
	     skb_is_gso_tcp(skb) && tcp_hdr(skb)->fin))
		features &= ~NETIF_F_GSO_MASK;
	return features;
}

static void igb_tx_stop_full(struct igb_tx *tx)
{
	netif_tx_stop_queue(tx->txq);
	igb_count(&tx->syncp, &tx->stats.stopped);
}

/**
 * igb_xmit_frame() - ndo_start_xmit
 * @skb: the frame, this function's from now on
 * @netdev: the interface
 *
 * Context: bottom halves off, the queue's transmit lock held.
 * Return: NETDEV_TX_OK, or NETDEV_TX_BUSY when frames of XDP's have filled the
 * ring since the last one of the stack's.
 */
netdev_tx_t igb_xmit_frame(struct sk_buff *skb, struct net_device *netdev)
{
	struct igb_adapter *adapter = netdev_priv(netdev);
	struct igb_tx *tx = &adapter->queue[skb_get_queue_mapping(skb)]->tx;
	struct igb_tx_buf *first = &tx->ring.buf[tx->next_to_use];

	if (unlikely(igb_tx_unused(tx) < IGB_TX_NEEDED)) {
		igb_tx_stop_full(tx);
		return NETDEV_TX_BUSY;
	}

	trace_igb_xmit(tx, skb);
	if (unlikely(igb_tx_queue(tx, skb))) {
		dev_kfree_skb_any(skb);
		igb_count(&tx->syncp, &tx->stats.dropped);
		/* Frames before this one may still wait for the doorbell. */
		if (!netdev_xmit_more())
			igb_tx_kick(tx);
		return NETDEV_TX_OK;
	}

	if (unlikely(igb_tx_unused(tx) < IGB_TX_NEEDED))
		igb_tx_stop_full(tx);
	if (__netdev_tx_sent_queue(tx->txq, first->bytes, netdev_xmit_more()))
		igb_tx_kick(tx);
	return NETDEV_TX_OK;
}

/**
 * igb_tx_pending() - is there something to reclaim?
 * @tx: the queue
 *
 * Context: any; beside a poll the answer may be out of date.
 * Return: true when igb_tx_clean() would find a frame.
 */
bool igb_tx_pending(const struct igb_tx *tx)
{
	return igb_tx_is_sent(tx, READ_ONCE(tx->next_to_clean),
			      igb_tx_head(tx));
}

/**
 * igb_tx_clean() - reclaim what has been sent
 * @tx: the queue
 * @budget: NAPI's
 *
 * Context: NAPI poll.  Netpoll, with a budget of 0, may hold the queue's lock.
 */
void igb_tx_clean(struct igb_tx *tx, int budget)
{
	if (!igb_tx_pending(tx))
		return;
	if (budget)
		__netif_tx_lock(tx->txq, smp_processor_id());
	else if (!__netif_tx_trylock(tx->txq))
		return;

	igb_tx_reclaim(tx, budget);
	__netif_tx_unlock(tx->txq);
}

/**
 * igb_tx_start() - let the stack, XDP and applications send
 * @tx: the queue, its ring enabled
 *
 * Context: process context, RTNL.
 */
void igb_tx_start(struct igb_tx *tx)
{
	__netif_tx_lock_bh(tx->txq);
	tx->waiting = false;
	WRITE_ONCE(tx->up, true);
	netif_tx_wake_queue(tx->txq);
	__netif_tx_unlock_bh(tx->txq);
}

/**
 * igb_tx_stop() - have nobody send any more
 * @tx: the queue, its NAPI disabled: that would wake it
 *
 * Context: process context, RTNL.
 */
void igb_tx_stop(struct igb_tx *tx)
{
	__netif_tx_lock_bh(tx->txq);
	WRITE_ONCE(tx->up, false);
	netif_tx_stop_queue(tx->txq);
	__netif_tx_unlock_bh(tx->txq);
}

/**
 * igb_tx_rewind() - start the ring over at its first descriptor
 * @tx: the queue, drained
 *
 * Context: process context; the ring is disabled.
 */
void igb_tx_rewind(struct igb_tx *tx)
{
	WRITE_ONCE(tx->next_to_use, 0);
	WRITE_ONCE(tx->next_to_kick, 0);
	WRITE_ONCE(tx->next_to_clean, 0);
	*tx->ring.head = 0;
	memset(tx->ctxt, 0, sizeof(tx->ctxt));
}

/**
 * igb_tx_drain() - drop what was queued and never sent
 * @tx: the queue
 *
 * Context: process context; after igb_tx_stop(), the ring is disabled.
 */
void igb_tx_drain(struct igb_tx *tx)
{
	struct igb_tx_sum sum = {};

	local_bh_disable();
	igb_tx_release(tx, tx->next_to_use, 1, &sum);
	u64_stats_update_begin(&tx->syncp);
	u64_stats_add(&tx->stats.dropped, sum.packets);
	u64_stats_update_end(&tx->syncp);
	local_bh_enable();
	netdev_tx_reset_queue(tx->txq);
}
