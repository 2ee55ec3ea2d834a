// SPDX-License-Identifier: GPL-2.0
/*
 * igb_rx.c and igb_split.c: descriptors that no sound chip writes.
 *
 * The ring, its pages and the way into the stack are the driver's and the
 * kernel's own; what arrives there is looked at.
 */
#include <linux/etherdevice.h>
#include <linux/filter.h>
#include <linux/prandom.h>

#include "fake.h"

#define RING		64
#define DD		BIT(0)
#define EOP		BIT(1)
#define RXE		BIT(31)
#define SPH		BIT(31)		/* of pkt_info */
#define HDR_LEN(len)	((u32)(len) << 21)

/* What has come to the stack. */
static struct {
	struct packet_type type;
	struct page_pool *pool;
	unsigned int frames;
	unsigned int wrong;
	unsigned int bytes;	/* of the last frame */
	unsigned int linear;
} caught;

static bool is_ours(const struct page *page)
{
	return page->pp == caught.pool;
}

/* All of a frame lies within pages of the ring's. */
static bool is_sound(const struct sk_buff *skb)
{
	const struct skb_shared_info *sinfo = skb_shinfo(skb);
	unsigned int bytes = 0;
	unsigned int i;

	if (sinfo->nr_frags > MAX_SKB_FRAGS || !is_ours(virt_to_page(skb->head)) ||
	    skb_tail_pointer(skb) > skb_end_pointer(skb) ||
	    skb_end_offset(skb) + SKB_DATA_ALIGN(sizeof(*sinfo)) > PAGE_SIZE)
		return false;
	for (i = 0; i < sinfo->nr_frags; i++) {
		if (!is_ours(skb_frag_page(&sinfo->frags[i])) ||
		    skb_frag_off(&sinfo->frags[i]) + skb_frag_size(&sinfo->frags[i]) > PAGE_SIZE)
			return false;
		bytes += skb_frag_size(&sinfo->frags[i]);
	}
	return bytes == skb->data_len;
}

static int catch(struct sk_buff *skb, struct net_device *netdev, struct packet_type *type,
		 struct net_device *orig)
{
	caught.frames++;
	caught.wrong += !is_sound(skb);
	caught.bytes = skb->len + ETH_HLEN;
	caught.linear = skb_headlen(skb) + ETH_HLEN;
	kfree_skb(skb);
	return NET_RX_SUCCESS;
}

static void end_catching(void *data)
{
	dev_remove_pack(&caught.type);
}

static struct igb_queue *receiver(struct kunit *test, bool split)
{
	struct igb_queue *q = fake_queue(test, RING, split);

	memset(&caught, 0, sizeof(caught));
	caught.pool = q->rx.ring.pool;
	caught.type.type = cpu_to_be16(ETH_P_ALL);
	caught.type.dev = q->rx.netdev;
	caught.type.func = catch;
	dev_add_pack(&caught.type);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, end_catching, NULL));
	return q;
}

/* One poll; returns how many frames were taken off the ring. */
static int poll(struct igb_queue *q)
{
	struct bpf_net_context *ctx, context;
	int done;

	local_bh_disable();
	napi_schedule_prep(&q->napi);
	ctx = bpf_net_ctx_set(&context);
	done = q->rx.ring.split ? igb_split_rx_clean(&q->rx, RING) : igb_rx_clean(&q->rx, RING);
	igb_rx_refill(&q->rx);
	bpf_net_ctx_clear(ctx);
	/* Hands over what GRO has gathered. */
	napi_complete_done(&q->napi, done);
	local_bh_enable();
	return done;
}

static void write_back(struct igb_queue *q, unsigned int i, u32 status, u16 len, u32 info)
{
	union igb_rx_desc *desc = &q->rx.ring.desc[i % RING];

	desc->wb.pkt_info = cpu_to_le32(info);
	desc->wb.length = cpu_to_le16(len);
	WRITE_ONCE(desc->wb.status_error, cpu_to_le32(status));
}

/* The next descriptor, and a poll. */
static int receive(struct igb_queue *q, u32 status, u16 len, u32 info)
{
	caught.bytes = 0;
	write_back(q, q->rx.next_to_clean, status, len, info);
	return poll(q);
}

static void expect_nothing_wrong(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 0, caught.wrong);
}

static void lengths(struct kunit *test)
{
	const u16 bad[] = { 0, 1, ETH_HLEN - 1, IGB_RX_BUF_LEN + 1, 4096, 0x8000, 0xffff };
	const u16 good[] = { ETH_HLEN, ETH_ZLEN, 1514, IGB_RX_BUF_LEN };
	struct igb_queue *q = receiver(test, false);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		KUNIT_EXPECT_EQ(test, 1, receive(q, DD | EOP, good[i], 0));
		KUNIT_EXPECT_EQ(test, good[i], caught.bytes);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		KUNIT_EXPECT_EQ(test, 1, receive(q, DD | EOP, bad[i], 0));
		KUNIT_EXPECT_EQ_MSG(test, 0, caught.bytes, "%u", bad[i]);
	}
	KUNIT_EXPECT_EQ(test, ARRAY_SIZE(good), caught.frames);
	KUNIT_EXPECT_EQ(test, ARRAY_SIZE(bad), u64_stats_read(&q->rx.stats.dropped));
	expect_nothing_wrong(test);
}

/* A frame of as many buffers as an skb can have, and of one more. */
static void fragments(struct kunit *test)
{
	struct igb_queue *q = receiver(test, false);
	const unsigned int most = IGB_RX_BUF_LEN;
	unsigned int parts, want, i;

	for (parts = 2; parts <= MAX_SKB_FRAGS + 2; parts++) {
		want = parts > MAX_SKB_FRAGS + 1 ? 0 : (parts - 1) * most + 1;
		for (i = 1; i < parts; i++)
			KUNIT_EXPECT_EQ(test, 0, receive(q, DD, most, 0));
		KUNIT_EXPECT_EQ(test, 1, receive(q, DD | EOP, 1, 0));
		KUNIT_EXPECT_EQ_MSG(test, want, caught.bytes, "%u", parts);
	}
	/* One of them too long: nothing of it is used. */
	receive(q, DD, most, 0);
	receive(q, DD, most + 1, 0);
	receive(q, DD, 100, 0);
	KUNIT_EXPECT_EQ(test, 1, receive(q, DD | EOP, 100, 0));
	KUNIT_EXPECT_EQ(test, 0, caught.bytes);
	KUNIT_EXPECT_EQ(test, 1, receive(q, DD | EOP, 100, 0));
	KUNIT_EXPECT_EQ(test, 100, caught.bytes);
	expect_nothing_wrong(test);
}

/* A frame that never ends holds no more than an skb's worth of pages. */
static void endless(struct kunit *test)
{
	struct igb_queue *q = receiver(test, false);
	unsigned int i;

	for (i = 0; i < 5 * RING; i++)
		KUNIT_ASSERT_EQ(test, 0, receive(q, DD, IGB_RX_BUF_LEN, 0));
	KUNIT_EXPECT_EQ(test, 0, caught.frames);
	KUNIT_EXPECT_EQ(test, 1, receive(q, DD | EOP, 60, 0));
	KUNIT_EXPECT_EQ(test, 1, receive(q, DD | EOP, 60, 0));
	KUNIT_EXPECT_EQ(test, 1, caught.frames);
	KUNIT_EXPECT_EQ(test, 1, u64_stats_read(&q->rx.stats.dropped));
}

/* Done descriptors count only in their turn, and where there is a buffer. */
static void order(struct kunit *test)
{
	struct igb_queue *q = receiver(test, false);
	struct igb_rx *rx = &q->rx;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, RING - 1, rx->next_to_use);
	for (i = 1; i < RING; i++)
		write_back(q, i, DD | EOP, 60, 0);
	KUNIT_EXPECT_EQ(test, 0, poll(q));
	KUNIT_EXPECT_EQ(test, RING - 1, receive(q, DD | EOP, 61, 0));
	KUNIT_EXPECT_EQ(test, RING - 1, caught.frames);
	KUNIT_EXPECT_EQ(test, RING - 1, rx->next_to_clean);

	/* Whatever is posted by now, all say that they are done. */
	for (i = 0; i < RING; i++)
		write_back(q, i, DD | EOP, 60, 0);
	KUNIT_EXPECT_LT(test, poll(q), RING);
	expect_nothing_wrong(test);
}

/* As when there was no memory: nothing is taken that was not posted. */
static void unposted(struct kunit *test)
{
	struct igb_queue *q = receiver(test, false);
	unsigned int i;

	q->rx.next_to_use = 3;
	for (i = 0; i < RING; i++)
		write_back(q, i, DD | EOP, 60, 0);
	KUNIT_EXPECT_EQ(test, 3, poll(q));
	KUNIT_EXPECT_EQ(test, 3, caught.frames);
	expect_nothing_wrong(test);
}

static void split_lengths(struct kunit *test)
{
	const unsigned int header = IGB_SPLIT_HDR_LEN, most = IGB_SPLIT_BUF_LEN;
	struct igb_queue *q = receiver(test, true);

	/* As a chip does it: headers apart, none of them, nothing beyond them */
	receive(q, DD | EOP, 1000, SPH | HDR_LEN(54));
	KUNIT_EXPECT_EQ(test, 1054, caught.bytes);
	KUNIT_EXPECT_EQ(test, 54, caught.linear);
	receive(q, DD | EOP, 1000, 0);
	KUNIT_EXPECT_EQ(test, 1000, caught.bytes);
	receive(q, DD | EOP, 0, SPH | HDR_LEN(60));
	KUNIT_EXPECT_EQ(test, 60, caught.bytes);
	/* Headers longer than their buffer are not believed in. */
	receive(q, DD | EOP, 1000, SPH | HDR_LEN(header));
	KUNIT_EXPECT_EQ(test, 1000 + header, caught.bytes);
	receive(q, DD | EOP, 1000, SPH | HDR_LEN(header + 1));
	KUNIT_EXPECT_EQ(test, 1000, caught.bytes);
	receive(q, DD | EOP, 1000, SPH | HDR_LEN(1023));
	KUNIT_EXPECT_EQ(test, 1000, caught.bytes);
	/* What they carry is not longer than its page. */
	receive(q, DD | EOP, most, SPH | HDR_LEN(54));
	KUNIT_EXPECT_EQ(test, most + 54, caught.bytes);
	receive(q, DD | EOP, most + 1, SPH | HDR_LEN(54));
	KUNIT_EXPECT_EQ(test, 0, caught.bytes);
	receive(q, DD | EOP, 0xffff, 0);
	KUNIT_EXPECT_EQ(test, 0, caught.bytes);
	receive(q, DD | EOP, 0, 0);
	KUNIT_EXPECT_EQ(test, 0, caught.bytes);
	expect_nothing_wrong(test);
}

/* Any bits at all, mostly in turn. */
static void anything(struct kunit *test, bool split)
{
	struct igb_queue *q = receiver(test, split);
	struct rnd_state dice;
	unsigned int i, j;
	u32 status;

	prandom_seed_state(&dice, 82576);
	for (i = 0; i < 20000; i++) {
		status = prandom_u32_state(&dice);
		/* Good ones as well, or nothing would get through. */
		if (i % 4)
			status = (status & ~RXE) | DD;
		write_back(q, q->rx.next_to_clean + prandom_u32_state(&dice) % 3, status,
			   prandom_u32_state(&dice) >> (i % 3 ? 20 : 16),
			   prandom_u32_state(&dice));
		for (j = 0; j < i % 2; j++)
			poll(q);
	}
	poll(q);
	KUNIT_EXPECT_GT(test, caught.frames, 1000);
	KUNIT_EXPECT_GT(test, u64_stats_read(&q->rx.stats.dropped), 1000);
	expect_nothing_wrong(test);
	kunit_info(test, "%u frames", caught.frames);
}

static void random(struct kunit *test)
{
	anything(test, false);
}

static void split_random(struct kunit *test)
{
	anything(test, true);
}

static struct kunit_case rx_cases[] = {
	KUNIT_CASE(lengths),
	KUNIT_CASE(fragments),
	KUNIT_CASE(endless),
	KUNIT_CASE(order),
	KUNIT_CASE(unposted),
	KUNIT_CASE(split_lengths),
	KUNIT_CASE(random),
	KUNIT_CASE(split_random),
	{}
};

struct kunit_suite igb_rx_suite = {
	.name = "rx",
	.test_cases = rx_cases,
};
