// SPDX-License-Identifier: GPL-2.0
/*
 * pagepools: the kernel's page pools, one a line as
 * "ID IFINDEX INFLIGHT". An IFINDEX of 0 is a pool whose device is gone but
 * some of whose pages are still out: a driver that forgot a page makes one.
 */
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rigtool.h"

/* From the kernel's netdev.h, which Debian's user headers do not have yet. */
#define NETDEV_CMD_PAGE_POOL_GET	5
#define NETDEV_A_PAGE_POOL_ID		1
#define NETDEV_A_PAGE_POOL_IFINDEX	2
#define NETDEV_A_PAGE_POOL_INFLIGHT	4

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

static void request(int fd, int family, int command, int flags, const char *name)
{
	struct {
		struct nlmsghdr header;
		struct genlmsghdr generic;
		struct nlattr attr;
		char text[16];
	} message = {
		.header = { .nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN, .nlmsg_type = family,
			    .nlmsg_flags = NLM_F_REQUEST | flags },
		.generic = { .cmd = command, .version = 1 },
		.attr = { .nla_len = NLA_HDRLEN, .nla_type = CTRL_ATTR_FAMILY_NAME },
	};

	if (name) {
		strncpy(message.text, name, sizeof(message.text) - 1);
		message.attr.nla_len += strlen(name) + 1;
		message.header.nlmsg_len += NLA_ALIGN(message.attr.nla_len);
	}
	if (send(fd, &message, message.header.nlmsg_len, 0) < 0)
		die("netlink");
}

int pagepools_main(int argc, char **argv)
{
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC), family;
	struct nlmsghdr *message = (void *)buffer;
	ssize_t len;

	(void)argc;
	(void)argv;
	request(fd, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0, "netdev");
	if (recv(fd, buffer, sizeof(buffer), 0) < 0)
		die("netlink");
	family = attribute(message, CTRL_ATTR_FAMILY_ID);
	request(fd, family, NETDEV_CMD_PAGE_POOL_GET, NLM_F_DUMP, NULL);
	while ((len = recv(fd, buffer, sizeof(buffer), 0)) > 0) {
		for (message = (void *)buffer; NLMSG_OK(message, len);
		     message = NLMSG_NEXT(message, len)) {
			if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR)
				return message->nlmsg_type == NLMSG_ERROR;
			printf("%llu %llu %llu\n",
			       (unsigned long long)attribute(message, NETDEV_A_PAGE_POOL_ID),
			       (unsigned long long)attribute(message, NETDEV_A_PAGE_POOL_IFINDEX),
			       (unsigned long long)attribute(message, NETDEV_A_PAGE_POOL_INFLIGHT));
		}
	}
	return 1;
}
