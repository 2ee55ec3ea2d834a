// SPDX-License-Identifier: GPL-2.0
/* hear: TCP segments as the stack has them, after it put some of them together. */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "rigtool.h"

#define IPV4_LEN	20
#define IPV6_LEN	40

static uint8_t frame[70000];

/* Where a TCP segment's payload starts and ends; false for any other frame. */
static bool find_payload(size_t len, size_t *from, size_t *to)
{
	const uint8_t *l3 = frame + ETH_HLEN;
	size_t l4 = ETH_HLEN;

	if (len < ETH_HLEN + IPV4_LEN + 20)
		return false;
	if (frame[12] == 0x08 && frame[13] == 0x00 && l3[0] == 0x45 && l3[9] == IPPROTO_TCP) {
		l4 += IPV4_LEN;
		*to = ETH_HLEN + (l3[2] << 8 | l3[3]);
	} else if (frame[12] == 0x86 && frame[13] == 0xdd && l3[6] == IPPROTO_TCP) {
		l4 += IPV6_LEN;
		*to = l4 + (l3[4] << 8 | l3[5]);
	} else {
		return false;
	}
	*from = l4 + (frame[l4 + 12] >> 4) * 4;
	return *to <= len && *from <= *to;
}

/*
 * Prints "GSO_SIZE HEADERS PAYLOAD", both in hexadecimal ("-" for none), for each
 * segment; GSO_SIZE is 0 for one that came alone. Ends after payload= bytes, or
 * when nothing came for idle= milliseconds.
 */
int hear_main(int argc, char **argv)
{
	long payload = option_long(argc, argv, "payload", 0);
	long idle = option_long(argc, argv, "idle", 10000);
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	struct virtio_net_hdr header;
	struct iovec parts[] = {
		{ .iov_base = &header, .iov_len = sizeof(header) },
		{ .iov_base = frame, .iov_len = sizeof(frame) },
	};
	int fd = socket(AF_PACKET, SOCK_RAW, 0), on = 1;

	if (argc < 2)
		usage("hear IF [payload=BYTES] [idle=MS]");
	address.sll_ifindex = ifindex(argv[1]);
	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) ||
	    bind(fd, (void *)&address, sizeof(address)))
		die("packet socket");
	printf("ready\n");
	while (payload > 0) {
		struct sockaddr_ll from = {};
		struct msghdr message = { .msg_name = &from, .msg_namelen = sizeof(from),
					  .msg_iov = parts, .msg_iovlen = 2 };
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		size_t start, end;
		ssize_t len;

		if (poll(&wait, 1, idle) <= 0)
			break;
		len = recvmsg(fd, &message, MSG_DONTWAIT) - (ssize_t)sizeof(header);
		if (len < 0 || from.sll_pkttype == PACKET_OUTGOING ||
		    !find_payload(len, &start, &end))
			continue;
		printf("%u ", header.gso_type ? header.gso_size : 0);
		for (size_t i = 0; i < start; i++)
			printf("%02x", frame[i]);
		printf(start < end ? " " : " -");
		for (size_t i = start; i < end; i++)
			printf("%02x", frame[i]);
		printf("\n");
		payload -= end - start;
	}
	return 0;
}
