// SPDX-License-Identifier: GPL-2.0
/*
 * xsk: an AF_XDP application. It brings its own program, which sends all of a
 * queue's frames to the socket and goes away with the process, however it ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rigtool.h"

#ifndef SOL_XDP
#define SOL_XDP 283
#endif
#ifndef AF_XDP
#define AF_XDP 44
#endif

#define RING	2048		/* entries in each ring */
#define CHUNKS	(2 * RING)	/* half to receive into, half to send from */
#define BATCH	64
#define QUEUES	16

struct ring {
	uint32_t *producer, *consumer, *flags;
	void *entries;
	uint32_t mine;		/* our own index, not yet published */
};

struct xsk {
	int fd;
	uint8_t *memory;
	uint32_t chunk;
	struct ring fill, done, rx, tx;
	uint64_t free[RING];
	unsigned int free_count;
};

/* ------------------------------------------------------------------ program */

static int bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int create_map(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_XSKMAP, .key_size = 4, .value_size = 4,
		.max_entries = QUEUES,
	};
	int fd = bpf(BPF_MAP_CREATE, &attr);

	if (fd < 0)
		die("XSKMAP");
	return fd;
}

/* return bpf_redirect_map(map, ctx->rx_queue_index, XDP_PASS); */
static int load_program(int map)
{
	struct bpf_insn program[] = {
		{ .code = BPF_LDX | BPF_W | BPF_MEM, .dst_reg = 2, .src_reg = 1,
		  .off = offsetof(struct xdp_md, rx_queue_index) },
		{ .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = 1,
		  .src_reg = BPF_PSEUDO_MAP_FD, .imm = map },
		{},
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect_map },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_XDP, .insns = (uintptr_t)program,
		.insn_cnt = sizeof(program) / sizeof(*program), .license = (uintptr_t)"GPL",
		.expected_attach_type = BPF_XDP,
	};
	int fd = bpf(BPF_PROG_LOAD, &attr);

	if (fd < 0)
		die("BPF_PROG_LOAD");
	return fd;
}

static void attach(int index, int program)
{
	union bpf_attr attr = {
		.link_create = { .prog_fd = program, .target_ifindex = index,
				 .attach_type = BPF_XDP, .flags = XDP_FLAGS_DRV_MODE },
	};
	int tries;

	/* One that was killed may not be quite gone. */
	for (tries = 0; bpf(BPF_LINK_CREATE, &attr) < 0; tries++) {
		if (errno != EBUSY || tries == 100)
			die("BPF_LINK_CREATE");
		usleep(20000);
	}
}

static void enter(int map, uint32_t queue, int fd)
{
	union bpf_attr attr = {
		.map_fd = map, .key = (uintptr_t)&queue, .value = (uintptr_t)&fd,
	};

	if (bpf(BPF_MAP_UPDATE_ELEM, &attr) < 0)
		die("XSKMAP entry");
}

/* ------------------------------------------------------------------- socket */

static void set(int fd, int name, const void *value, socklen_t len)
{
	if (setsockopt(fd, SOL_XDP, name, value, len) < 0)
		die("setsockopt(SOL_XDP)");
}

static void map_ring(int fd, struct ring *ring, const struct xdp_ring_offset *at, size_t entry,
		     off_t page)
{
	uint8_t *start = mmap(NULL, at->desc + RING * entry, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_POPULATE, fd, page);

	if (start == MAP_FAILED)
		die("mmap of a ring");
	ring->producer = (void *)(start + at->producer);
	ring->consumer = (void *)(start + at->consumer);
	ring->flags = (void *)(start + at->flags);
	ring->entries = start + at->desc;
	ring->mine = 0;
}

static void open_rings(struct xsk *xsk)
{
	struct xdp_mmap_offsets at;
	socklen_t len = sizeof(at);
	uint32_t size = RING;

	set(xsk->fd, XDP_UMEM_FILL_RING, &size, sizeof(size));
	set(xsk->fd, XDP_UMEM_COMPLETION_RING, &size, sizeof(size));
	set(xsk->fd, XDP_RX_RING, &size, sizeof(size));
	set(xsk->fd, XDP_TX_RING, &size, sizeof(size));
	if (getsockopt(xsk->fd, SOL_XDP, XDP_MMAP_OFFSETS, &at, &len) < 0)
		die("XDP_MMAP_OFFSETS");
	map_ring(xsk->fd, &xsk->fill, &at.fr, 8, XDP_UMEM_PGOFF_FILL_RING);
	map_ring(xsk->fd, &xsk->done, &at.cr, 8, XDP_UMEM_PGOFF_COMPLETION_RING);
	map_ring(xsk->fd, &xsk->rx, &at.rx, sizeof(struct xdp_desc), XDP_PGOFF_RX_RING);
	map_ring(xsk->fd, &xsk->tx, &at.tx, sizeof(struct xdp_desc), XDP_PGOFF_TX_RING);
}

static unsigned int available(const struct ring *ring)
{
	return __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE) - ring->mine;
}

static void consumed(struct ring *ring)
{
	__atomic_store_n(ring->consumer, ring->mine, __ATOMIC_RELEASE);
}

static void produced(struct ring *ring)
{
	__atomic_store_n(ring->producer, ring->mine, __ATOMIC_RELEASE);
}

/* The kernel lets go of a queue some time after its last user has died. */
static void bind_queue(int fd, const struct sockaddr_xdp *address)
{
	int tries = 0;

	while (bind(fd, (const void *)address, sizeof(*address)) < 0) {
		if (errno != EBUSY || tries++ == 100)
			die("bind");
		usleep(50000);
	}
}

static void open_xsk(struct xsk *xsk, int index, uint32_t queue, uint16_t flags, bool late)
{
	struct sockaddr_xdp address = {
		.sxdp_family = AF_XDP, .sxdp_ifindex = index, .sxdp_queue_id = queue,
		.sxdp_flags = flags,
	};
	struct xdp_umem_reg memory = { .len = (uint64_t)CHUNKS * xsk->chunk,
				       .chunk_size = xsk->chunk };

	xsk->memory = mmap(NULL, memory.len, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (xsk->memory == MAP_FAILED)
		die("mmap of the frames");
	memory.addr = (uintptr_t)xsk->memory;
	xsk->fd = socket(AF_XDP, SOCK_RAW, 0);
	if (xsk->fd < 0)
		die("AF_XDP socket");
	set(xsk->fd, XDP_UMEM_REG, &memory, sizeof(memory));
	open_rings(xsk);
	for (unsigned int i = 0; i < RING; i++) {
		((uint64_t *)xsk->fill.entries)[i] = (uint64_t)i * xsk->chunk;
		xsk->free[xsk->free_count++] = (uint64_t)(RING + i) * xsk->chunk;
	}
	xsk->fill.mine = RING;
	if (!late)
		produced(&xsk->fill);
	bind_queue(xsk->fd, &address);
}

#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL	69
#define SO_BUSY_POLL_BUDGET	70
#endif

/* Our calls poll the queue; without them nobody does for a while. */
static void poll_ourselves(int fd, const char *name)
{
	static const char * const files[] = { "napi_defer_hard_irqs", "gro_flush_timeout" };
	static const char * const values[] = { "2", "200000" };
	int usecs = 20, budget = BATCH, on = 1;
	char path[80];

	for (int i = 0; i < 2; i++) {
		FILE *file;

		snprintf(path, sizeof(path), "/sys/class/net/%s/%s", name, files[i]);
		file = fopen(path, "w");
		if (!file || fputs(values[i], file) < 0 || fclose(file))
			die(path);
	}
	if (setsockopt(fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_SOCKET, SO_BUSY_POLL, &usecs, sizeof(usecs)) ||
	    setsockopt(fd, SOL_SOCKET, SO_BUSY_POLL_BUDGET, &budget, sizeof(budget)))
		die("busy poll");
}

static bool wants_wakeup(const struct ring *ring)
{
	return __atomic_load_n(ring->flags, __ATOMIC_RELAXED) & XDP_RING_NEED_WAKEUP;
}

static void give_back(struct xsk *xsk, uint64_t address)
{
	uint64_t *entries = xsk->fill.entries;

	entries[xsk->fill.mine++ % RING] = address - address % xsk->chunk;
}

/* What was sent can be used again: to send from, or to receive into. */
static void complete(struct xsk *xsk, bool received)
{
	const uint64_t *entries = xsk->done.entries;

	for (unsigned int left = available(&xsk->done); left; left--) {
		uint64_t address = entries[xsk->done.mine++ % RING];

		if (received)
			give_back(xsk, address);
		else
			xsk->free[xsk->free_count++] = address;
	}
	consumed(&xsk->done);
}

static void kick(struct xsk *xsk, bool sent, bool always)
{
	if (sent && (always || wants_wakeup(&xsk->tx)))
		sendto(xsk->fd, NULL, 0, MSG_DONTWAIT, NULL, 0);
	if (always || wants_wakeup(&xsk->fill))
		recvfrom(xsk->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
}

static void queue_frame(struct xsk *xsk, uint64_t address, uint32_t len)
{
	struct xdp_desc *entries = xsk->tx.entries;

	entries[xsk->tx.mine++ % RING] = (struct xdp_desc) { .addr = address, .len = len };
}

/* -------------------------------------------------------------------- modes */

struct work {
	struct xsk xsk;
	const char *mode;
	long count, until, idle;
	uint8_t dst[6], src[6];
	long size;
	bool busy;		/* nobody but us polls the queue */
	bool always;		/* the driver does not say when it wants a call */
	long frames;
	bool last_seen;
	bool forward;		/* what was sent is received into again */
};

/* The frame goes out again with its addresses exchanged. */
static void turn_round(struct work *work, const struct xdp_desc *desc)
{
	uint8_t *from = work->xsk.memory + desc->addr;
	uint64_t address = work->xsk.free[--work->xsk.free_count];
	uint8_t *to = work->xsk.memory + address;

	memcpy(to, from + 6, 6);
	memcpy(to + 6, from, 6);
	memcpy(to + 12, from + 12, desc->len - 12);
	queue_frame(&work->xsk, address, desc->len);
}

static bool is_ours(const uint8_t *frame, uint32_t len)
{
	return len >= 14 + RIG_HEADER && frame[12] == RIG_ETHERTYPE >> 8 &&
	       frame[13] == (RIG_ETHERTYPE & 0xff) && get32(frame + 14) == RIG_MAGIC;
}

static void look_at(struct work *work, const struct xdp_desc *desc)
{
	uint8_t *frame = work->xsk.memory + desc->addr;
	uint32_t number;

	if (!is_ours(frame, desc->len))
		return;
	work->frames++;
	number = get32(frame + 18);
	if (!strcmp(work->mode, "back"))
		turn_round(work, desc);
	else
		print_frame(frame, number, desc->len, -1, 0,
			    check_body(frame + 14, desc->len - 14));
	work->last_seen |= work->until >= 0 && number == (uint32_t)work->until;
}

static bool unsent(const struct xsk *xsk)
{
	return xsk->tx.mine != __atomic_load_n(xsk->tx.consumer, __ATOMIC_RELAXED);
}

static unsigned int receive(struct work *work)
{
	const struct xdp_desc *entries = work->xsk.rx.entries;
	unsigned int count = available(&work->xsk.rx);
	bool drop = !strcmp(work->mode, "drop");

	complete(&work->xsk, work->forward);
	if (count > BATCH)
		count = BATCH;
	if (!strcmp(work->mode, "back") && count > work->xsk.free_count)
		count = work->xsk.free_count;
	for (unsigned int i = 0; i < count; i++) {
		struct xdp_desc desc = entries[work->xsk.rx.mine++ % RING];

		if (work->forward) {
			work->frames++;
			queue_frame(&work->xsk, desc.addr, desc.len);
			continue;
		}
		if (drop)
			work->frames++;
		else
			look_at(work, &desc);
		give_back(&work->xsk, desc.addr);
	}
	if (count) {
		consumed(&work->xsk.rx);
		produced(&work->xsk.tx);
	}
	produced(&work->xsk.fill);
	kick(&work->xsk, unsent(&work->xsk), work->always);
	return count;
}

static void receive_all(struct work *work)
{
	int64_t quiet_since = now_us();
	struct pollfd wait = { .fd = work->xsk.fd, .events = POLLIN };

	while (!work->last_seen && (work->count < 0 || work->frames < work->count)) {
		if (receive(work)) {
			quiet_since = now_us();
			continue;
		}
		if (now_us() - quiet_since > work->idle * 1000)
			break;
		/* A call without zero copy sends a batch only: we go on calling. */
		if (!unsent(&work->xsk))
			poll(&wait, 1, work->busy ? 0 : 50);
	}
}

/* What a socket has not sent when it is closed is lost. */
static void wait_until_sent(struct work *work)
{
	int64_t start = now_us();

	while (work->xsk.free_count < RING && now_us() - start < work->idle * 1000) {
		kick(&work->xsk, true, work->always);
		complete(&work->xsk, false);
	}
}

static void send_all(struct work *work)
{
	int64_t quiet_since = now_us();
	struct xsk *xsk = &work->xsk;

	while (work->frames < work->count || xsk->free_count < RING) {
		unsigned int batch = 0;

		complete(xsk, false);
		for (; batch < BATCH && xsk->free_count && work->frames < work->count; batch++) {
			uint64_t address = xsk->free[--xsk->free_count];
			size_t len = build_frame(xsk->memory + address, work->dst, work->src,
						 work->frames++, work->size, -1);

			queue_frame(xsk, address, len);
		}
		produced(&xsk->tx);
		kick(xsk, xsk->free_count < RING, work->always);
		if (batch)
			quiet_since = now_us();
		if (now_us() - quiet_since > work->idle * 1000)
			break;
	}
	printf("completed %ld\n", work->frames - (RING - (long)xsk->free_count));
}

/* Bytes of the same frame again and again: what is measured is the driver. */
static void push_all(struct work *work)
{
	struct xsk *xsk = &work->xsk;
	int64_t quiet_since = 0;

	for (unsigned int i = 0; i < RING; i++)
		build_frame(xsk->memory + xsk->free[i], work->dst, work->src, i, work->size, -1);
	while (work->frames < work->count || xsk->free_count < RING) {
		unsigned int batch = 0;

		complete(xsk, false);
		for (; batch < BATCH && xsk->free_count && work->frames < work->count; batch++) {
			queue_frame(xsk, xsk->free[--xsk->free_count], work->size);
			work->frames++;
		}
		produced(&xsk->tx);
		kick(xsk, true, work->always);
		if (batch)
			quiet_since = 0;
		else if (!quiet_since)
			quiet_since = now_us();
		else if (now_us() - quiet_since > work->idle * 1000)
			break;
	}
}

static void print_statistics(const struct work *work)
{
	struct xdp_statistics stats = {};
	socklen_t len = sizeof(stats);

	getsockopt(work->xsk.fd, SOL_XDP, XDP_STATISTICS, &stats, &len);
	printf("frames %ld drops %llu\n", work->frames,
	       (unsigned long long)(stats.rx_dropped + stats.rx_ring_full));
}

static bool is_zero_copy(int fd)
{
	struct xdp_options options = {};
	socklen_t len = sizeof(options);

	if (getsockopt(fd, SOL_XDP, XDP_OPTIONS, &options, &len) < 0)
		die("XDP_OPTIONS");
	return options.flags & XDP_OPTIONS_ZEROCOPY;
}

/* Before anybody else, whenever there is something to do. */
static void be_first(void)
{
	struct sched_param param = { .sched_priority = 1 };

	if (sched_setscheduler(0, SCHED_FIFO, &param))
		die("SCHED_FIFO");
}

/* Someone who opens the FIFO at its other end starts us, and hears what it took. */
static int64_t await(const char *fifo)
{
	int fd = open(fifo, O_RDONLY);

	if (fd < 0 || close(fd))
		die(fifo);
	return now_us();
}

static void tell(const char *fifo, int64_t start)
{
	int64_t took = now_us() - start;
	int fd = open(fifo, O_WRONLY);

	if (fd < 0 || dprintf(fd, "took %lld us\n", (long long)took) < 0)
		die(fifo);
}

/*
 * recv prints each frame as rigtool recv does, back sends it back, drop counts
 * it; forward sends any frame as it came, from where it came; send sends count=
 * different frames, push any frame. With late=1 there is nothing to receive into
 * for a while. With take=0 or program=0 all that is
 * received is left to the stack. any=1 takes copies where there is no zero copy.
 */
int xsk_main(int argc, char **argv)
{
	bool wakeup = option_long(argc, argv, "wakeup", 1);
	bool copy = option_long(argc, argv, "copy", 0);
	bool any = option_long(argc, argv, "any", 0);
	bool busy = option_long(argc, argv, "busy", 0);
	const char *go = option(argc, argv, "go", NULL);
	struct work work = {
		.mode = option(argc, argv, "mode", "recv"),
		.count = option_long(argc, argv, "count", -1),
		.until = option_long(argc, argv, "until", -1),
		.idle = option_long(argc, argv, "idle", 10000),
		.size = option_long(argc, argv, "size", 60),
		.xsk = { .chunk = option_long(argc, argv, "chunk", 2048) },
		.busy = busy,
		.forward = !strcmp(option(argc, argv, "mode", ""), "forward"),
		.always = !wakeup || busy,
	};
	uint16_t flags = (any ? 0 : copy ? XDP_COPY : XDP_ZEROCOPY) |
			 (wakeup ? XDP_USE_NEED_WAKEUP : 0);
	int64_t start = 0;
	long queue = option_long(argc, argv, "queue", 0);
	bool program = option_long(argc, argv, "program", 1);
	bool late = option_long(argc, argv, "late", 0);
	int map = -1, index;

	if (argc < 2)
		usage("xsk IF [mode=recv|back|drop|forward|send|push] [queue=N] [count=N] "
		      "[until=N] [idle=MS] [size=N] [dst=MAC] [chunk=BYTES] [wakeup=0] "
		      "[copy=1] [any=1] [take=0] [program=0] [busy=1] [first=1] [late=1] "
		      "[go=FIFO]");
	index = ifindex(argv[1]);
	own_mac(argv[1], work.src);
	parse_mac(option(argc, argv, "dst", "ff:ff:ff:ff:ff:ff"), work.dst);
	if (program) {
		map = create_map();
		attach(index, load_program(map));
	}
	open_xsk(&work.xsk, index, queue, flags, late);
	if (busy)
		poll_ourselves(work.xsk.fd, argv[1]);
	if (program && option_long(argc, argv, "take", 1))
		enter(map, queue, work.xsk.fd);
	if (option_long(argc, argv, "first", 0))
		be_first();
	if (late) {
		usleep(200000);
		if (wakeup != wants_wakeup(&work.xsk.fill)) {
			fprintf(stderr, "the fill ring is empty, and %s\n",
				wakeup ? "nobody asks to be called" : "a call is wanted");
			return 1;
		}
		produced(&work.xsk.fill);
		kick(&work.xsk, false, work.always);
	}
	printf("ready, %s\n", is_zero_copy(work.xsk.fd) ? "zero copy" : "copy");
	setvbuf(stdout, NULL, _IOFBF, 65536);
	if (go)
		start = await(go);
	if (!strcmp(work.mode, "send"))
		send_all(&work);
	else if (!strcmp(work.mode, "push"))
		push_all(&work);
	else
		receive_all(&work);
	if (!strcmp(work.mode, "back"))
		wait_until_sent(&work);
	if (go)
		tell(go, start);
	print_statistics(&work);
	return 0;
}
