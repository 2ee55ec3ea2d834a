// SPDX-License-Identifier: GPL-2.0
/*
 * send, recv: frames whose every byte is known from their number and size.
 *
 * Body after the EtherType: magic, number, body length (big endian), then
 * fill bytes with a period of 251, so that a lost, doubled or shifted piece
 * of a frame that took several buffers is seen and located. tests/rig/frames.py
 * builds and checks the same frames on the other end of the wire.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "rigtool.h"

#define FRAME_MAX	70000
#define MAC_HEADER	14
#define TAG		4

static uint8_t frame[FRAME_MAX];

static uint8_t fill_byte(uint32_t number, size_t offset)
{
	return (number * 17u + offset) % RIG_PERIOD;
}

size_t build_frame(uint8_t *out, const uint8_t *dst, const uint8_t *src,
		   uint32_t number, size_t size, int vlan)
{
	size_t body_len = size - MAC_HEADER;
	uint8_t header[RIG_HEADER];
	uint8_t *p = out;

	memcpy(p, dst, 6);
	memcpy(p + 6, src, 6);
	p += 12;
	if (vlan >= 0) {
		*p++ = 0x81;
		*p++ = 0x00;
		*p++ = vlan >> 8;
		*p++ = vlan;
	}
	*p++ = RIG_ETHERTYPE >> 8;
	*p++ = RIG_ETHERTYPE & 0xff;
	put32(header, RIG_MAGIC);
	put32(header + 4, number);
	put32(header + 8, body_len);
	for (size_t i = 0; i < body_len; i++)
		p[i] = i < RIG_HEADER ? header[i] : fill_byte(number, i - RIG_HEADER);
	return p + body_len - out;
}

void own_mac(const char *name, uint8_t mac[6])
{
	char path[64], text[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/sys/class/net/%s/address", name);
	file = fopen(path, "r");
	if (!file || !fgets(text, sizeof(text), file))
		die(path);
	fclose(file);
	parse_mac(text, mac);
}

struct wire {
	int fd;
	struct sockaddr_ll address;
	uint8_t dst[6], src[6];
	int vlan;
	uint32_t number;
};

/* A full queue empties within this time, or will not. */
#define PATIENCE_US	2000000

static void send_one(struct wire *wire, size_t size)
{
	int64_t start = now_us();
	size_t len;

	if (size < MAC_HEADER || size > FRAME_MAX - TAG)
		usage("sizes from 14 to 69996");
	len = build_frame(frame, wire->dst, wire->src, wire->number, size, wire->vlan);
	while (sendto(wire->fd, frame, len, 0, (void *)&wire->address,
		      sizeof(wire->address)) < 0) {
		if ((errno == ENOBUFS || errno == EAGAIN) && now_us() - start < PATIENCE_US) {
			usleep(200);
			continue;
		}
		printf("refused %zu %s\n", size, strerror(errno));
		break;
	}
	wire->number++;
}

/* One item of the list: "60", or "60-64" for each size from 60 to 64. */
static void send_item(struct wire *wire, const char *item)
{
	unsigned long first = strtoul(item, NULL, 10), last = first;
	const char *dash = strchr(item, '-');

	if (dash)
		last = strtoul(dash + 1, NULL, 10);
	for (unsigned long size = first; size <= last; size++)
		send_one(wire, size);
}

int send_main(int argc, char **argv)
{
	struct wire wire = { .address = { .sll_family = AF_PACKET } };
	long repeat = option_long(argc, argv, "repeat", 1);
	int bypass = option_long(argc, argv, "bypass", 0);
	const char *sizes = option(argc, argv, "sizes", "60");

	if (argc < 2)
		usage("send IF [dst=MAC] [sizes=60,1500-1514] [repeat=N] [number=N] [vlan=TCI] "
		      "[bypass=1]");
	wire.address.sll_ifindex = ifindex(argv[1]);
	wire.number = option_long(argc, argv, "number", 0);
	wire.vlan = option_long(argc, argv, "vlan", -1);
	parse_mac(option(argc, argv, "dst", "ff:ff:ff:ff:ff:ff"), wire.dst);
	own_mac(argv[1], wire.src);
	wire.fd = socket(AF_PACKET, SOCK_RAW, 0);
	if (wire.fd < 0)
		die("packet socket");
	if (bypass && setsockopt(wire.fd, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass, sizeof(bypass)))
		die("PACKET_QDISC_BYPASS");
	while (repeat-- > 0) {
		char *list = strdup(sizes), *save = NULL;

		for (char *item = strtok_r(list, ",", &save); item;
		     item = strtok_r(NULL, ",", &save))
			send_item(&wire, item);
		free(list);
	}
	printf("sent %u\n", wire.number);
	return 0;
}

static void member(int fd, int index, int type, const uint8_t *mac)
{
	struct packet_mreq request = {
		.mr_ifindex = index, .mr_type = type, .mr_alen = mac ? 6 : 0,
	};

	if (mac)
		memcpy(request.mr_address, mac, 6);
	if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof(request)) < 0)
		die("PACKET_ADD_MEMBERSHIP");
}

/* Joins @count groups: the base address with its low three bytes as a number counted up. */
static void join(int fd, int index, const char *text, long count)
{
	uint8_t mac[6];
	uint32_t low;

	parse_mac(text, mac);
	low = mac[3] << 16 | mac[4] << 8 | mac[5];
	for (long i = 0; i < count; i++, low++) {
		mac[3] = low >> 16;
		mac[4] = low >> 8;
		mac[5] = low;
		member(fd, index, mac[0] & 1 ? PACKET_MR_MULTICAST : PACKET_MR_UNICAST, mac);
	}
}

long check_body(const uint8_t *body, size_t len)
{
	uint32_t number = get32(body + 4);
	size_t want = get32(body + 8);

	if (want > len)
		return len;
	for (size_t i = RIG_HEADER; i < want; i++)
		if (body[i] != fill_byte(number, i - RIG_HEADER))
			return i;
	for (size_t i = want; i < len; i++)
		if (body[i])
			return i;
	return -1;
}

void print_frame(const uint8_t *mac, uint32_t number, size_t len, int vlan, int type, long wrong)
{
	printf("%u %zu %d %d %02x:%02x:%02x:%02x:%02x:%02x ", number, len, vlan, type,
	       mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	if (wrong < 0)
		printf("ok\n");
	else
		printf("%ld\n", wrong);
}

struct received {
	uint8_t *body;
	size_t len;		/* of the whole frame, tag not counted */
	size_t body_len;
	int vlan;
	int type;		/* PACKET_HOST, ... */
};

/* Takes one of our frames; false for anything else the stack sends or hears. */
static bool take(int fd, struct received *got)
{
	uint8_t control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	struct sockaddr_ll from = {};
	struct iovec part = { .iov_base = frame, .iov_len = sizeof(frame) };
	struct msghdr message = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &part, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	ssize_t len = recvmsg(fd, &message, MSG_DONTWAIT);
	size_t at = 12;

	if (len < MAC_HEADER + RIG_HEADER || from.sll_pkttype == PACKET_OUTGOING)
		return false;
	got->vlan = -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
		struct tpacket_auxdata aux;

		memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		if (c->cmsg_type == PACKET_AUXDATA && aux.tp_status & TP_STATUS_VLAN_VALID)
			got->vlan = aux.tp_vlan_tci;
	}
	if (got->vlan < 0 && frame[12] == 0x81 && frame[13] == 0x00) {
		got->vlan = frame[14] << 8 | frame[15];
		at += TAG;
	}
	if (frame[at] != RIG_ETHERTYPE >> 8 || frame[at + 1] != (RIG_ETHERTYPE & 0xff))
		return false;
	got->body = frame + at + 2;
	got->body_len = len - at - 2;
	got->len = got->body_len + MAC_HEADER;
	got->type = from.sll_pkttype;
	return got->body_len >= RIG_HEADER && get32(got->body) == RIG_MAGIC;
}

/*
 * Prints "NUMBER LENGTH VLAN TYPE DESTINATION ok|OFFSET" a frame. Ends after
 * count= frames, after the frame numbered until=, or when nothing came for
 * idle= milliseconds; the last line says how many came and how many the
 * socket itself had to drop.
 */
int recv_main(int argc, char **argv)
{
	long count = option_long(argc, argv, "count", -1);
	long until = option_long(argc, argv, "until", -1);
	long idle = option_long(argc, argv, "idle", 10000);
	const char *group = option(argc, argv, "join", NULL);
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	struct tpacket_stats stats = {};
	socklen_t stats_len = sizeof(stats);
	int on = 1, buffer = 256 << 20, fd;
	int64_t quiet_since;
	long frames = 0;

	if (argc < 2)
		usage("recv IF [count=N] [until=N] [idle=MS] [join=MAC joins=N] [promisc=1] "
		      "[allmulti=1]");
	address.sll_ifindex = ifindex(argv[1]);
	fd = socket(AF_PACKET, SOCK_RAW, 0);
	if (fd < 0)
		die("packet socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer));
	setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on));
	if (bind(fd, (void *)&address, sizeof(address)) < 0)
		die("bind");
	if (option_long(argc, argv, "promisc", 0))
		member(fd, address.sll_ifindex, PACKET_MR_PROMISC, NULL);
	if (option_long(argc, argv, "allmulti", 0))
		member(fd, address.sll_ifindex, PACKET_MR_ALLMULTI, NULL);
	if (group)
		join(fd, address.sll_ifindex, group, option_long(argc, argv, "joins", 1));
	printf("ready\n");
	setvbuf(stdout, NULL, _IOFBF, 65536);
	quiet_since = now_us();
	while (count < 0 || frames < count) {
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		struct received got;
		long wrong;

		if (poll(&wait, 1, 50) <= 0) {
			if (now_us() - quiet_since > idle * 1000)
				break;
			continue;
		}
		if (!take(fd, &got))
			continue;
		quiet_since = now_us();
		frames++;
		wrong = check_body(got.body, got.body_len);
		print_frame(frame, get32(got.body + 4), got.len, got.vlan, got.type, wrong);
		if (until >= 0 && get32(got.body + 4) == (uint32_t)until)
			break;
	}
	getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &stats_len);
	printf("frames %ld drops %u\n", frames, stats.tp_drops);
	return 0;
}
