// SPDX-License-Identifier: GPL-2.0
/*
 * XDP programs of the tests, one a verdict. Compiled twice: SECTION is "xdp"
 * or, for programs that take frames of several buffers, "xdp.frags".
 */
#include <linux/bpf.h>
#include <linux/types.h>

#define XDP_PROGRAM	__attribute__((section(SECTION), used))

static long (*bpf_redirect)(__u32 ifindex, __u64 flags) = (void *)BPF_FUNC_redirect;
static long (*bpf_redirect_map)(void *map, __u64 key, __u64 flags) =
	(void *)BPF_FUNC_redirect_map;
static long (*bpf_xdp_adjust_head)(struct xdp_md *ctx, int delta) =
	(void *)BPF_FUNC_xdp_adjust_head;
static long (*bpf_xdp_adjust_meta)(struct xdp_md *ctx, int delta) =
	(void *)BPF_FUNC_xdp_adjust_meta;

/* Four places for 32-bit numbers, which rigtool bpfmap fills. */
#define MAP(name, kind)						\
	struct {						\
		int (*type)[kind];				\
		int (*max_entries)[4];				\
		__u32 *key;					\
		__u32 *value;					\
	} name __attribute__((section(".maps"), used))

MAP(ports, BPF_MAP_TYPE_DEVMAP);
MAP(cpus, BPF_MAP_TYPE_CPUMAP);

/* Source and destination change places; false when the frame is too short. */
static __attribute__((always_inline)) int turn_round(struct xdp_md *ctx)
{
	__u16 *mac = (__u16 *)(long)ctx->data;

	if ((void *)(mac + 7) > (void *)(long)ctx->data_end)
		return 0;
	for (int i = 0; i < 3; i++) {
		__u16 half = mac[i];

		mac[i] = mac[i + 3];
		mac[i + 3] = half;
	}
	return 1;
}

XDP_PROGRAM int pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}

XDP_PROGRAM int drop(struct xdp_md *ctx)
{
	return XDP_DROP;
}

XDP_PROGRAM int aborted(struct xdp_md *ctx)
{
	return XDP_ABORTED;
}

XDP_PROGRAM int nonsense(struct xdp_md *ctx)
{
	return 77;
}

XDP_PROGRAM int back(struct xdp_md *ctx)
{
	return turn_round(ctx) ? XDP_TX : XDP_DROP;
}

/* As back(), by way of ndo_xdp_xmit. */
XDP_PROGRAM int redirect(struct xdp_md *ctx)
{
	return turn_round(ctx) ? bpf_redirect(ctx->ingress_ifindex, 0) : XDP_DROP;
}

/* The same, but to the port that a map names. */
XDP_PROGRAM int to_port(struct xdp_md *ctx)
{
	return turn_round(ctx) ? bpf_redirect_map(&ports, 1, XDP_ABORTED) : XDP_DROP;
}

/* To the stack, even frames on CPU 0 and odd ones on CPU 1. */
XDP_PROGRAM int to_cpu(struct xdp_md *ctx)
{
	__u8 *data = (__u8 *)(long)ctx->data;

	if ((void *)(data + 22) > (void *)(long)ctx->data_end)
		return XDP_DROP;
	return bpf_redirect_map(&cpus, data[21] & 1, XDP_ABORTED);
}

/* Only frames whose headers are apart from what they carry, or which are short. */
XDP_PROGRAM int headers(struct xdp_md *ctx)
{
	return ctx->data_end - ctx->data <= 256 ? XDP_PASS : XDP_DROP;
}

/* To an interface that takes no frames: the loopback. */
XDP_PROGRAM int astray(struct xdp_md *ctx)
{
	return bpf_redirect(1, 0);
}

/* Out again as they came, for measuring: nobody has these addresses. */
XDP_PROGRAM int bounce(struct xdp_md *ctx)
{
	return XDP_TX;
}

XDP_PROGRAM int rebound(struct xdp_md *ctx)
{
	return bpf_redirect(ctx->ingress_ifindex, 0);
}

/* Even frames pass, with four bytes of metadata before them; odd ones go back. */
XDP_PROGRAM int sort(struct xdp_md *ctx)
{
	__u8 *data = (__u8 *)(long)ctx->data;

	if ((void *)(data + 22) > (void *)(long)ctx->data_end)
		return XDP_DROP;
	if (data[21] & 1)
		return turn_round(ctx) ? XDP_TX : XDP_DROP;
	return bpf_xdp_adjust_meta(ctx, -4) ? XDP_ABORTED : XDP_PASS;
}

/* Sixteen bytes in front, and the MAC header moved there: an EtherType and zeros between. */
XDP_PROGRAM int grow(struct xdp_md *ctx)
{
	__u16 *to, *from;

	if (bpf_xdp_adjust_head(ctx, -16))
		return XDP_ABORTED;
	to = (__u16 *)(long)ctx->data;
	from = to + 8;
	if ((void *)(from + 7) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	for (int i = 0; i < 7; i++)
		to[i] = from[i];
	to[7] = 0x4242;
	return turn_round(ctx) ? XDP_TX : XDP_DROP;
}

char _license[] __attribute__((section("license"), used)) = "GPL";
