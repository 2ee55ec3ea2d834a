// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's netdev family, and a bit of ethtool's.
 *
 * pagepools: page pools, one a line as "ID IFINDEX INFLIGHT". An IFINDEX of 0
 * is a pool whose device is gone but some of whose pages are still out: a
 * driver that forgot a page makes one.
 *
 * netdev COMMAND [SCOPE]: what a command dumps, one object a line, each
 * attribute as TYPE=NUMBER; SCOPE is that of queue statistics.
 *
 * linkdowns IF: how often the link went down, which ethtool 6.1 does not show.
 */
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rigtool.h"

/* From the kernel's netdev.h, which Debian's user headers do not have yet. */
#define NETDEV_CMD_PAGE_POOL_GET	5
#define NETDEV_A_PAGE_POOL_ID		1
#define NETDEV_A_PAGE_POOL_IFINDEX	2
#define NETDEV_A_PAGE_POOL_INFLIGHT	4
#define NETDEV_A_QSTATS_SCOPE		4
/* From ethtool_netlink.h, the same. */
#define LINKSTATE_EXT_DOWN_CNT		7

static char buffer[65536];

/* Attribute @type of a message as a number of any width; 0 when absent. */
static uint64_t attribute(const struct nlmsghdr *message, unsigned int type)
{
	const char *at = (const char *)message + NLMSG_HDRLEN + GENL_HDRLEN;
	const char *end = (const char *)message + message->nlmsg_len;
	uint64_t value = 0;

	while (at + NLA_HDRLEN <= end) {
		const struct nlattr *attr = (const struct nlattr *)at;
		size_t len = attr->nla_len - NLA_HDRLEN;

		if ((attr->nla_type & NLA_TYPE_MASK) == type) {
			memcpy(&value, at + NLA_HDRLEN, len < 8 ? len : 8);
			break;
		}
		at += NLA_ALIGN(attr->nla_len);
	}
	return value;
}

static void request(int fd, int family, int command, int flags, int type,
		    const void *value, size_t len)
{
	struct {
		struct nlmsghdr header;
		struct genlmsghdr generic;
		struct nlattr attr;
		char value[16];
	} message = {
		.header = { .nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN, .nlmsg_type = family,
			    .nlmsg_flags = NLM_F_REQUEST | flags },
		.generic = { .cmd = command, .version = 1 },
		.attr = { .nla_len = NLA_HDRLEN + len, .nla_type = type },
	};

	if (len) {
		memcpy(message.value, value, len);
		message.header.nlmsg_len += NLA_ALIGN(message.attr.nla_len);
	}
	if (send(fd, &message, message.header.nlmsg_len, 0) < 0)
		die("netlink");
}

int ask_generic(const char *family, int command, int flags, int type, const void *value,
		size_t len, void (*print)(const struct nlmsghdr *message))
{
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	struct nlmsghdr *message = (void *)buffer;
	unsigned int family_id;
	ssize_t got;

	request(fd, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0, CTRL_ATTR_FAMILY_NAME, family,
		strlen(family) + 1);
	if (recv(fd, buffer, sizeof(buffer), 0) < 0)
		die("netlink");
	family_id = attribute(message, CTRL_ATTR_FAMILY_ID);
	if (message->nlmsg_type == NLMSG_ERROR || !family_id)
		return 1;
	request(fd, family_id, command, flags, type, value, len);
	while ((got = recv(fd, buffer, sizeof(buffer), 0)) > 0) {
		for (message = (void *)buffer; NLMSG_OK(message, got);
		     message = NLMSG_NEXT(message, got)) {
			if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR)
				return message->nlmsg_type == NLMSG_ERROR;
			print(message);
		}
		if (!(flags & NLM_F_DUMP))
			return 0;
	}
	return 1;
}

/* Calls @print for each object that a command dumps; returns the exit status. */
static int dump(int command, uint32_t scope, void (*print)(const struct nlmsghdr *message))
{
	return ask_generic("netdev", command, NLM_F_DUMP, NETDEV_A_QSTATS_SCOPE, &scope,
			   scope ? sizeof(scope) : 0, print);
}

static void print_pool(const struct nlmsghdr *message)
{
	printf("%llu %llu %llu\n",
	       (unsigned long long)attribute(message, NETDEV_A_PAGE_POOL_ID),
	       (unsigned long long)attribute(message, NETDEV_A_PAGE_POOL_IFINDEX),
	       (unsigned long long)attribute(message, NETDEV_A_PAGE_POOL_INFLIGHT));
}

int pagepools_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return dump(NETDEV_CMD_PAGE_POOL_GET, 0, print_pool);
}

static void print_attributes(const struct nlmsghdr *message)
{
	const char *at = (const char *)message + NLMSG_HDRLEN + GENL_HDRLEN;
	const char *end = (const char *)message + message->nlmsg_len;

	while (at + NLA_HDRLEN <= end) {
		const struct nlattr *attr = (const struct nlattr *)at;
		unsigned int type = attr->nla_type & NLA_TYPE_MASK;

		printf("%u=%llu ", type, (unsigned long long)attribute(message, type));
		at += NLA_ALIGN(attr->nla_len);
	}
	printf("\n");
}

int netdev_main(int argc, char **argv)
{
	if (argc < 2)
		usage("netdev COMMAND [SCOPE]");
	return dump(strtol(argv[1], NULL, 0), argc > 2 ? strtol(argv[2], NULL, 0) : 0,
		    print_attributes);
}

static void print_downs(const struct nlmsghdr *message)
{
	printf("%llu\n", (unsigned long long)attribute(message, LINKSTATE_EXT_DOWN_CNT));
}

int linkdowns_main(int argc, char **argv)
{
	struct {
		struct nlattr attr;
		uint32_t value;
	} header[2] = {
		{ { sizeof(*header), ETHTOOL_A_HEADER_DEV_INDEX }, 0 },
		{ { sizeof(*header), ETHTOOL_A_HEADER_FLAGS }, ETHTOOL_FLAG_STATS },
	};

	if (argc < 2)
		usage("linkdowns IF");
	header[0].value = ifindex(argv[1]);
	return ask_generic("ethtool", ETHTOOL_MSG_LINKSTATE_GET, 0,
			   ETHTOOL_A_LINKSTATE_HEADER | NLA_F_NESTED, header, sizeof(header),
			   print_downs);
}
