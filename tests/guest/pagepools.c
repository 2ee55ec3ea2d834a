// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's netdev family.
 *
 * pagepools: page pools, one a line as "ID IFINDEX INFLIGHT". An IFINDEX of 0
 * is a pool whose device is gone but some of whose pages are still out: a
 * driver that forgot a page makes one.
 *
 * netdev COMMAND [SCOPE]: what a command dumps, one object a line, each
 * attribute as TYPE=NUMBER; SCOPE is that of queue statistics.
 */
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

/* Calls @print for each object that a command dumps; returns the exit status. */
static int dump(int command, uint32_t scope, void (*print)(const struct nlmsghdr *message))
{
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC), family;
	struct nlmsghdr *message = (void *)buffer;
	ssize_t len;

	request(fd, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0, CTRL_ATTR_FAMILY_NAME, "netdev",
		sizeof("netdev"));
	if (recv(fd, buffer, sizeof(buffer), 0) < 0)
		die("netlink");
	family = attribute(message, CTRL_ATTR_FAMILY_ID);
	request(fd, family, command, NLM_F_DUMP, NETDEV_A_QSTATS_SCOPE, &scope,
		scope ? sizeof(scope) : 0);
	while ((len = recv(fd, buffer, sizeof(buffer), 0)) > 0) {
		for (message = (void *)buffer; NLMSG_OK(message, len);
		     message = NLMSG_NEXT(message, len)) {
			if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR)
				return message->nlmsg_type == NLMSG_ERROR;
			print(message);
		}
	}
	return 1;
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
