// SPDX-License-Identifier: GPL-2.0
/*
 * igb_tx.c: what frames become in descriptors, and what is made of where the
 * chip says it is.
 *
 * Descriptors' fields are numbers here, from the datasheet (7.2.2), so that a
 * wrong definition is not proven by itself.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "fake.h"

#define RING		64

#define DATA		0x22300000	/* DEXT, IFCS, DTYP 3 */
#define EOP		0x01000000
#define RS		0x08000000	/* each is the last of its batch */
#define VLE		0x40000000
#define CC		0x80
#define TXSM		0x200

/* A UDP or TCP frame whose checksum is left to the chip; @len is its head's. */
static struct sk_buff *frame(struct kunit *test, u8 proto, unsigned int len)
{
	struct sk_buff *skb = alloc_skb(2048, GFP_KERNEL);
	struct iphdr *ip;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_put_zero(skb, len);
	skb_reset_mac_header(skb);
	skb_set_network_header(skb, ETH_HLEN);
	skb_set_transport_header(skb, ETH_HLEN + sizeof(*ip));
	skb->protocol = htons(ETH_P_IP);
	eth_hdr(skb)->h_proto = skb->protocol;
	ip = ip_hdr(skb);
	ip->version = 4;
	ip->ihl = 5;
	ip->protocol = proto;
	ip->tot_len = htons(len - ETH_HLEN);
	if (proto == IPPROTO_TCP)
		tcp_hdr(skb)->doff = 5;
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = proto == IPPROTO_TCP ? offsetof(struct tcphdr, check) :
						  offsetof(struct udphdr, check);
	return skb;
}

static struct sk_buff *plain(struct kunit *test, unsigned int len)
{
	struct sk_buff *skb = frame(test, IPPROTO_UDP, len);

	skb->ip_summed = CHECKSUM_NONE;
	return skb;
}

/* Returns how many descriptors it took. */
static unsigned int send(struct igb_queue *q, struct sk_buff *skb)
{
	unsigned int before = q->tx.next_to_use;

	local_bh_disable();
	igb_xmit_frame(skb, q->adapter->netdev);
	local_bh_enable();
	return (q->tx.next_to_use + RING - before) % RING;
}

/* The chip says that it has sent up to @head. */
static void clean(struct igb_queue *q, u32 head)
{
	*q->tx.ring.head = cpu_to_le32(head);
	local_bh_disable();
	igb_tx_clean(&q->tx, RING);
	local_bh_enable();
}

static const struct igb_tx_desc *desc(struct igb_queue *q, unsigned int i)
{
	return &q->tx.ring.desc[i % RING];
}

static u64 packets(struct igb_queue *q)
{
	return u64_stats_read(&q->tx.stats.packets);
}

/* A head that cannot be gives nothing back; one that can, what was sent. */
static void heads(struct kunit *test)
{
	struct igb_queue *q = fake_queue(test, RING, false);
	unsigned int round, first, head, ahead;

	for (round = 0; round < 2 * RING; round++) {
		first = q->tx.next_to_use;
		send(q, plain(test, 200));
		send(q, plain(test, 200));
		send(q, plain(test, 200));
		KUNIT_ASSERT_EQ(test, q->tx.next_to_use, fake_get(q->adapter, 0xe018));
		for (head = 0; head < 2 * RING; head++) {
			ahead = (head + RING - first) % RING;
			if (head < RING && ahead <= 3)
				continue;
			clean(q, head);
			KUNIT_ASSERT_EQ(test, first, q->tx.next_to_clean);
		}
		clean(q, 0xffff);
		clean(q, 0x10000 + (first + 1) % RING);
		clean(q, 0xffffffff);
		KUNIT_ASSERT_EQ(test, 3 * round, packets(q));
		clean(q, (first + 2) % RING);
		KUNIT_ASSERT_EQ(test, 3 * round + 2, packets(q));
		/* It does not go back. */
		clean(q, (first + 1) % RING);
		KUNIT_ASSERT_EQ(test, (first + 2) % RING, q->tx.next_to_clean);
		clean(q, (first + 3) % RING);
		KUNIT_ASSERT_EQ(test, 3 * round + 3, packets(q));
	}
}

/* Of a frame of several descriptors nothing goes before all of it is sent. */
static void amid(struct kunit *test)
{
	struct igb_queue *q = fake_queue(test, RING, false);
	struct sk_buff *skb;
	unsigned int i;

	for (i = 0; i < RING; i++) {
		skb = frame(test, IPPROTO_UDP, 200);
		/* Another context each time. */
		__vlan_hwaccel_put_tag(skb, htons(ETH_P_8021Q), i + 1);
		KUNIT_ASSERT_EQ(test, 2, send(q, skb));
		clean(q, (2 * i + 1) % RING);
		KUNIT_ASSERT_EQ(test, i, packets(q));
		clean(q, (2 * i + 2) % RING);
		KUNIT_ASSERT_EQ(test, i + 1, packets(q));
	}
}

static void fragments(struct kunit *test)
{
	struct igb_queue *q = fake_queue(test, RING, false);
	static const unsigned int sizes[] = { 100, 2000, 3000 };
	struct sk_buff *skb = plain(test, sizes[0]);
	struct page *page;
	unsigned int i;

	for (i = 1; i < ARRAY_SIZE(sizes); i++) {
		page = alloc_page(GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, page);
		skb_add_rx_frag(skb, i - 1, page, 8 * i, sizes[i], PAGE_SIZE);
	}
	KUNIT_ASSERT_EQ(test, 3, send(q, skb));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		KUNIT_EXPECT_EQ(test, DATA | (i == 2 ? EOP | RS : 0) | sizes[i],
				le32_to_cpu(desc(q, i)->cmd_type_len));
		KUNIT_EXPECT_EQ(test, 5100 << 14, le32_to_cpu(desc(q, i)->olinfo_status));
		KUNIT_EXPECT_EQ(test, q->tx.ring.buf[i].dma, le64_to_cpu(desc(q, i)->addr));
	}
	KUNIT_EXPECT_EQ(test, 16, le64_to_cpu(desc(q, 2)->addr) % PAGE_SIZE);
	clean(q, 3);
	KUNIT_EXPECT_EQ(test, 1, packets(q));
	KUNIT_EXPECT_EQ(test, 5100, u64_stats_read(&q->tx.stats.bytes));
}

/* What is shorter than a frame may be leaves from beside the ring, padded. */
static void padding(struct kunit *test)
{
	struct igb_queue *q = fake_queue(test, RING, false);
	u8 *copy = q->tx.ring.copies;

	memset(copy, 0xff, ETH_ZLEN);
	KUNIT_ASSERT_EQ(test, 1, send(q, plain(test, 42)));
	KUNIT_EXPECT_EQ(test, DATA | EOP | RS | 60, le32_to_cpu(desc(q, 0)->cmd_type_len));
	KUNIT_EXPECT_EQ(test, q->tx.ring.copies_dma, le64_to_cpu(desc(q, 0)->addr));
	KUNIT_EXPECT_NULL(test, memchr_inv(copy + 42, 0, 18));
}

/* The chip remembers two contexts; the one not used last makes room. */
static void contexts(struct kunit *test)
{
	static const struct {
		u16 tag;		/* in place of which context it is */
		unsigned int count;	/* descriptors it takes */
		unsigned int slot;
	} steps[] = {
		{ 1, 2, 1 }, { 1, 1, 1 }, { 2, 2, 0 }, { 1, 1, 1 }, { 2, 1, 0 },
		{ 3, 2, 1 }, { 2, 1, 0 }, { 1, 2, 1 }, { 3, 2, 0 }, { 1, 1, 1 },
	};
	struct igb_queue *q = fake_queue(test, RING, false);
	const struct igb_tx_ctxt_desc *ctxt;
	struct sk_buff *skb;
	unsigned int i, at;
	u32 olinfo;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		at = q->tx.next_to_use;
		skb = frame(test, IPPROTO_TCP, 200);
		__vlan_hwaccel_put_tag(skb, htons(ETH_P_8021Q), steps[i].tag);
		KUNIT_EXPECT_EQ_MSG(test, steps[i].count, send(q, skb), "%u", i);
		ctxt = (const void *)desc(q, at);
		if (steps[i].count == 2) {
			/* MAC 14, IP 20; DEXT, DTYP 2, TCP, IPv4 */
			KUNIT_EXPECT_EQ(test, steps[i].tag << 16 | 14 << 9 | 20,
					le32_to_cpu(ctxt->vlan_macip_lens));
			KUNIT_EXPECT_EQ(test, 0x20200c00, le32_to_cpu(ctxt->type_tucmd));
			KUNIT_EXPECT_EQ(test, steps[i].slot << 4,
					le32_to_cpu(ctxt->mss_l4len_idx) & 0x70);
		}
		at += steps[i].count - 1;
		olinfo = le32_to_cpu(desc(q, at)->olinfo_status);
		KUNIT_EXPECT_EQ_MSG(test, 200 << 14 | TXSM | CC | steps[i].slot << 4, olinfo,
				    "%u", i);
		KUNIT_EXPECT_EQ(test, DATA | EOP | RS | VLE | 200,
				le32_to_cpu(desc(q, at)->cmd_type_len));
	}
}

static struct kunit_case tx_cases[] = {
	KUNIT_CASE(heads),
	KUNIT_CASE(amid),
	KUNIT_CASE(fragments),
	KUNIT_CASE(padding),
	KUNIT_CASE(contexts),
	{}
};

struct kunit_suite igb_tx_suite = {
	.name = "tx",
	.test_cases = tx_cases,
};
