// SPDX-License-Identifier: GPL-2.0
/*
 * segment: one TCP or UDP frame that the kernel, or the chip, has to cut up.
 *
 * It goes through a packet socket with a struct virtio_net_hdr, so that every
 * header field is this program's and no TCP is in the way.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rigtool.h"

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4	/* Linux 6.2 */
#define VIRTIO_NET_HDR_GSO_UDP_L4	5
#endif

#define PAYLOAD_MAX	65000
#define TCP_LEN		20
#define UDP_LEN		8

struct segment {
	int ip;			/* 4 or 6 */
	bool tcp, mac;
	int vlan, outer;	/* outer: 0, or the IP version around the frame */
	long payload, mss, flags, padding;
	uint8_t dst[6], src[6];
	size_t base, l3, l4, len;	/* offsets, and bytes so far */
	uint8_t frame[256 + PAYLOAD_MAX];
};

static uint32_t sum16(const uint8_t *data, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += data[i] << 8 | data[i + 1];
	return sum;
}

static uint16_t folded(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void add_addresses(uint8_t *ip, int version)
{
	if (version == 4) {
		inet_pton(AF_INET, "10.0.2.15", ip + 12);
		inet_pton(AF_INET, "10.0.2.2", ip + 16);
	} else {
		inet_pton(AF_INET6, "fd00::15", ip + 8);
		inet_pton(AF_INET6, "fd00::2", ip + 24);
	}
}

#define VXLAN_LEN	8
#define VXLAN_PORT	4789

static size_t outer_len(const struct segment *s)
{
	return s->outer ? 14 + (s->outer == 4 ? 20 : 40) + UDP_LEN + VXLAN_LEN : 0;
}

/* VXLAN without a checksum of its own, around all that there is. */
static void add_outer(struct segment *s)
{
	uint8_t *ip = s->frame + 14, *udp = s->frame + s->base - UDP_LEN - VXLAN_LEN;
	size_t len = s->len - (udp - s->frame);

	memcpy(s->frame, s->dst, 6);
	memcpy(s->frame + 6, s->src, 6);
	put16(s->frame + 12, s->outer == 4 ? ETH_P_IP : ETH_P_IPV6);
	add_addresses(ip, s->outer);
	if (s->outer == 4) {
		ip[0] = 0x45;
		put16(ip + 2, 20 + len);
		ip[8] = 64;
		ip[9] = IPPROTO_UDP;
		put16(ip + 10, ~folded(sum16(ip, 20)));
	} else {
		ip[0] = 0x60;
		put16(ip + 4, len);
		ip[6] = IPPROTO_UDP;
		ip[7] = 64;
	}
	put16(udp, 1024);
	put16(udp + 2, VXLAN_PORT);
	put16(udp + 4, len);
	udp[UDP_LEN] = 0x08;	/* there is a network identifier */
	udp[UDP_LEN + 6] = 42;
}

static void add_ethernet(struct segment *s)
{
	uint8_t *p = s->frame + s->base;

	if (!s->mac)
		return;
	memcpy(p, s->dst, 6);
	memcpy(p + 6, s->src, 6);
	p += 12;
	if (s->vlan >= 0) {
		put16(p, ETH_P_8021Q);
		put16(p + 2, s->vlan);
		p += 4;
	}
	put16(p, s->ip == 4 ? ETH_P_IP : ETH_P_IPV6);
	s->l3 = p + 2 - s->frame;
}

static void add_ipv4(struct segment *s, size_t l4_len)
{
	uint8_t *p = s->frame + s->l3;

	s->l4 = s->l3 + 20;
	p[0] = 0x45;
	put16(p + 2, 20 + l4_len + s->payload);
	put16(p + 4, 1000);
	put16(p + 6, 0x4000);
	p[8] = 64;
	p[9] = s->tcp ? IPPROTO_TCP : IPPROTO_UDP;
	add_addresses(p, 4);
	put16(p + 10, ~folded(sum16(p, 20)));
}

static void add_ipv6(struct segment *s, size_t l4_len)
{
	uint8_t *p = s->frame + s->l3;

	s->l4 = s->l3 + 40;
	p[0] = 0x60;
	put16(p + 4, l4_len + s->payload);
	p[6] = s->tcp ? IPPROTO_TCP : IPPROTO_UDP;
	p[7] = 64;
	add_addresses(p, 6);
}

/* The checksum field holds the pseudo header's sum, as for CHECKSUM_PARTIAL. */
static uint16_t pseudo_sum(const struct segment *s, size_t l4_len)
{
	const uint8_t *p = s->frame + s->l3;
	uint32_t sum = s->ip == 4 ? sum16(p + 12, 8) : sum16(p + 8, 32);

	return folded(sum + (s->tcp ? IPPROTO_TCP : IPPROTO_UDP) + l4_len + s->payload);
}

static void add_transport(struct segment *s, size_t l4_len)
{
	uint8_t *p = s->frame + s->l4;

	put16(p, 1024);
	put16(p + 2, 5555);
	if (s->tcp) {
		put32(p + 4, 1);
		put32(p + 8, 7);
		p[12] = TCP_LEN / 4 << 4;
		p[13] = s->flags;
		put16(p + 14, 8192);
		put16(p + 16, pseudo_sum(s, l4_len));
	} else {
		put16(p + 4, UDP_LEN + s->payload);
		put16(p + 6, pseudo_sum(s, l4_len));
	}
	for (long i = 0; i < s->payload; i++)
		p[l4_len + i] = i % RIG_PERIOD;
	s->len = s->l4 + l4_len + s->payload + s->padding;
}

static void transmit(const struct segment *s, int index, size_t l4_len)
{
	uint8_t type = s->ip == 4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = index };
	static uint8_t out[sizeof(struct virtio_net_hdr) + sizeof(s->frame)];
	struct virtio_net_hdr header = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.hdr_len = s->l4 + l4_len, .csum_start = s->l4, .csum_offset = s->tcp ? 16 : 6,
	};
	int fd = socket(AF_PACKET, SOCK_RAW, 0), on = 1;

	if (!s->mac)
		to.sll_protocol = htons(s->ip == 4 ? ETH_P_IP : ETH_P_IPV6);
	if (s->payload > s->mss) {
		header.gso_type = s->tcp ? type : VIRTIO_NET_HDR_GSO_UDP_L4;
		header.gso_size = s->mss;
	}
	memcpy(out, &header, sizeof(header));
	memcpy(out + sizeof(header), s->frame, s->len);
	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)))
		die("PACKET_VNET_HDR");
	if (sendto(fd, out, sizeof(header) + s->len, 0, (void *)&to, sizeof(to)) < 0)
		die("sendto");
	close(fd);
}

int segment_main(int argc, char **argv)
{
	static struct segment s;
	size_t l4_len;
	int index;

	if (argc < 2)
		usage("segment IF dst=MAC src=MAC [ip=4] [proto=tcp] [payload=N] [mss=N] "
		      "[flags=0x10] [vlan=TCI] [padding=N] [mac=0] [outer=4]");
	index = ifindex(argv[1]);
	/* A tunnel for IP has no addresses of that kind. */
	s.mac = option_long(argc, argv, "mac", 1);
	if (s.mac) {
		parse_mac(option(argc, argv, "dst", ""), s.dst);
		parse_mac(option(argc, argv, "src", ""), s.src);
	}
	s.ip = option_long(argc, argv, "ip", 4);
	s.tcp = !strcmp(option(argc, argv, "proto", "tcp"), "tcp");
	s.payload = option_long(argc, argv, "payload", 10000);
	s.mss = option_long(argc, argv, "mss", 1400);
	s.flags = option_long(argc, argv, "flags", 0x10);
	s.vlan = option_long(argc, argv, "vlan", -1);
	s.padding = option_long(argc, argv, "padding", 0);
	s.outer = option_long(argc, argv, "outer", 0);
	s.base = outer_len(&s);
	if (s.payload < 0 || s.payload + s.padding > PAYLOAD_MAX || s.padding < 0)
		usage("payload and padding from 0 to 65000");

	l4_len = s.tcp ? TCP_LEN : UDP_LEN;
	add_ethernet(&s);
	if (s.ip == 4)
		add_ipv4(&s, l4_len);
	else
		add_ipv6(&s, l4_len);
	add_transport(&s, l4_len);
	if (s.outer)
		add_outer(&s);
	transmit(&s, index, l4_len);
	return 0;
}
