// SPDX-License-Identifier: GPL-2.0
/*
 * split IF on|off|auto: what ethtool -G IF tcp-data-split does, which ethtool 6.1
 * cannot yet. Prints the kernel's reason when it refuses.
 *
 * mapped PORT: how much of what a connection brings can be mapped, not copied.
 * flow HOST PORT: the other end, which sends bytes= numbered bytes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rigtool.h"

#define ROOM	(1 << 20)

static char buffer[ROOM / 16];

static struct nlattr *add(struct nlmsghdr *message, int type, const void *value, size_t len)
{
	struct nlattr *attr = (void *)((char *)message + NLMSG_ALIGN(message->nlmsg_len));

	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + len;
	memcpy((char *)attr + NLA_HDRLEN, value, len);
	message->nlmsg_len = NLMSG_ALIGN(message->nlmsg_len) + NLA_ALIGN(attr->nla_len);
	return attr;
}

static struct nlmsghdr *start(int family, int command)
{
	struct nlmsghdr *message = (void *)buffer;
	struct genlmsghdr *generic = NLMSG_DATA(message);

	memset(buffer, 0, sizeof(buffer));
	message->nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN;
	message->nlmsg_type = family;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	generic->cmd = command;
	generic->version = 1;
	return message;
}

/* The answer's attribute of this type, or NULL; @at is where attributes start. */
static void *find(char *at, int type)
{
	const char *end = buffer + ((struct nlmsghdr *)buffer)->nlmsg_len;

	for (; at + NLA_HDRLEN <= end; at += NLA_ALIGN(((struct nlattr *)at)->nla_len))
		if ((((struct nlattr *)at)->nla_type & NLA_TYPE_MASK) == type)
			return at + NLA_HDRLEN;
	return NULL;
}

static void ask(int fd, const struct nlmsghdr *message)
{
	if (send(fd, message, message->nlmsg_len, 0) < 0 || recv(fd, buffer, sizeof(buffer), 0) < 0)
		die("netlink");
}

static int family_id(int fd)
{
	struct nlmsghdr *message = start(GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	uint16_t *id;

	message->nlmsg_flags = NLM_F_REQUEST;
	add(message, CTRL_ATTR_FAMILY_NAME, ETHTOOL_GENL_NAME, sizeof(ETHTOOL_GENL_NAME));
	ask(fd, message);
	id = find(buffer + NLMSG_HDRLEN + GENL_HDRLEN, CTRL_ATTR_FAMILY_ID);
	return id ? *id : 0;
}

int split_main(int argc, char **argv)
{
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC), on = 1;
	struct nlmsgerr *answer = NLMSG_DATA(buffer);
	struct nlmsghdr *message;
	struct nlattr *nest;
	uint8_t how;
	char *why;

	if (argc < 3)
		usage("split IF on|off|auto");
	how = !strcmp(argv[2], "on") ? ETHTOOL_TCP_DATA_SPLIT_ENABLED :
	      !strcmp(argv[2], "off") ? ETHTOOL_TCP_DATA_SPLIT_DISABLED :
					ETHTOOL_TCP_DATA_SPLIT_UNKNOWN;
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	message = start(family_id(fd), ETHTOOL_MSG_RINGS_SET);
	nest = add(message, ETHTOOL_A_RINGS_HEADER | NLA_F_NESTED, "", 0);
	add(message, ETHTOOL_A_HEADER_DEV_NAME, argv[1], strlen(argv[1]) + 1);
	nest->nla_len = (char *)message + message->nlmsg_len - (char *)nest;
	add(message, ETHTOOL_A_RINGS_TCP_DATA_SPLIT, &how, sizeof(how));
	ask(fd, message);
	if (!answer->error)
		return 0;
	why = find((char *)(answer + 1), NLMSGERR_ATTR_MSG);
	printf("%s: %s\n", strerror(-answer->error), why ? why : "no reason given");
	return 1;
}

static int64_t wrong, at;

static void check(const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++, at++)
		wrong += data[i] != (uint8_t)(at % RIG_PERIOD);
}

int mapped_main(int argc, char **argv)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), room = 8 * ROOM;
	int64_t mapped = 0, copied = 0;
	uint8_t *area;
	ssize_t len;

	if (argc < 2)
		usage("mapped PORT");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	listen_at(fd, argv[1], 1);
	fd = accept(fd, NULL, NULL);
	area = mmap(NULL, ROOM, PROT_READ, MAP_SHARED, fd, 0);
	if (area == MAP_FAILED)
		die("mmap");
	for (;;) {
		struct tcp_zerocopy_receive want = { .address = (uintptr_t)area, .length = ROOM };
		socklen_t want_len = sizeof(want);

		if (getsockopt(fd, IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, &want, &want_len) < 0) {
			if (errno == EIO)	/* no more will come */
				break;
			die("TCP_ZEROCOPY_RECEIVE");
		}
		check(area, want.length);
		mapped += want.length;
		if (want.length && !want.recv_skip_hint)
			continue;
		/* What cannot be mapped; or wait, and leave the page whole. */
		len = want.recv_skip_hint;
		if (!len && recv(fd, buffer, 1, MSG_PEEK) > 0)
			continue;
		len = recv(fd, buffer, len < ROOM / 16 ? len : ROOM / 16, 0);
		if (len <= 0)
			break;
		check((uint8_t *)buffer, len);
		copied += len;
	}
	printf("mapped %lld copied %lld wrong %lld\n", (long long)mapped, (long long)copied,
	       (long long)wrong);
	return 0;
}

int flow_main(int argc, char **argv)
{
	struct sockaddr_in peer = { .sin_family = AF_INET };
	long bytes = option_long(argc, argv, "bytes", ROOM);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	uint8_t *data = malloc(bytes > 0 ? bytes : 1);

	if (argc < 3 || !inet_aton(argv[1], &peer.sin_addr) || bytes < 1)
		usage("flow HOST PORT [bytes=N]");
	peer.sin_port = htons(atoi(argv[2]));
	for (long i = 0; i < bytes; i++)
		data[i] = i % RIG_PERIOD;
	if (connect(fd, (void *)&peer, sizeof(peer)) < 0)
		die("connect");
	for (long sent = 0; sent < bytes;) {
		ssize_t now = send(fd, data + sent, bytes - sent, 0);

		if (now < 0)
			die("send");
		sent += now;
	}
	shutdown(fd, SHUT_WR);
	return recv(fd, data, 1, 0) != 0;
}
