// SPDX-License-Identifier: GPL-2.0
/*
 * state IF: all that can be set of a port, and what it made of it: one value a
 * line, "NAME VALUE", so that diff tells what a command has changed.
 *
 * What netlink says is named by the numbers of its attributes: rings.5 is
 * ETHTOOL_A_RINGS_RX. Registers are reg.OFFSET, but for those that move with
 * the traffic or with a look at the PHY.
 */
#include <errno.h>
#include <glob.h>
#include <linux/devlink.h>
#include <linux/ethtool.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/mii.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rigtool.h"

#define ATTR_AT(at)	((const struct nlattr *)(at))
/* Of newer headers than Debian's. */
#define MSG_RSS_GET	38
#define CMD_QUEUE_GET	10
#define CMD_NAPI_GET	11

static const char *section;
static unsigned int object;
static int port;

static void print_value(const char *name, const uint8_t *data, size_t len)
{
	uint64_t number = 0;

	printf("%s ", name);
	if (len <= sizeof(number)) {
		memcpy(&number, data, len);
		printf("%llu\n", (unsigned long long)number);
		return;
	}
	for (size_t i = 0; i < len; i++)
		printf("%02x", data[i]);
	printf("\n");
}

static void print_tree(const char *parent, const char *at, const char *end)
{
	for (; at + NLA_HDRLEN <= end; at += NLA_ALIGN(ATTR_AT(at)->nla_len)) {
		const char *data = at + NLA_HDRLEN, *next = at + ATTR_AT(at)->nla_len;
		char name[96];

		if (ATTR_AT(at)->nla_len < NLA_HDRLEN)
			return;
		snprintf(name, sizeof(name), "%s.%u", parent,
			 ATTR_AT(at)->nla_type & NLA_TYPE_MASK);
		if (ATTR_AT(at)->nla_type & NLA_F_NESTED)
			print_tree(name, data, next);
		else
			print_value(name, (const uint8_t *)data, next - data);
	}
}

static void print_generic(const struct nlmsghdr *message)
{
	char name[64];

	snprintf(name, sizeof(name), object ? "%s.%u" : "%s", section, object - 1);
	if (object)
		object++;
	print_tree(name, (const char *)message + NLMSG_HDRLEN + GENL_HDRLEN,
		   (const char *)message + message->nlmsg_len);
}

static void print_ethtool(void)
{
	static const struct {
		const char *name;
		int command;
	} asked[] = {
		{ "linkinfo", ETHTOOL_MSG_LINKINFO_GET },
		{ "linkmodes", ETHTOOL_MSG_LINKMODES_GET },
		{ "linkstate", ETHTOOL_MSG_LINKSTATE_GET },
		{ "debug", ETHTOOL_MSG_DEBUG_GET },
		{ "wol", ETHTOOL_MSG_WOL_GET },
		{ "features", ETHTOOL_MSG_FEATURES_GET },
		{ "privflags", ETHTOOL_MSG_PRIVFLAGS_GET },
		{ "rings", ETHTOOL_MSG_RINGS_GET },
		{ "channels", ETHTOOL_MSG_CHANNELS_GET },
		{ "coalesce", ETHTOOL_MSG_COALESCE_GET },
		{ "pause", ETHTOOL_MSG_PAUSE_GET },
		{ "eee", ETHTOOL_MSG_EEE_GET },
		{ "tsinfo", ETHTOOL_MSG_TSINFO_GET },
		{ "fec", ETHTOOL_MSG_FEC_GET },
		{ "rss", MSG_RSS_GET },
	};
	struct {
		struct nlattr attr;
		uint32_t value;
	} header[2] = {
		{ { sizeof(*header), ETHTOOL_A_HEADER_DEV_INDEX }, port },
		{ { sizeof(*header), ETHTOOL_A_HEADER_FLAGS }, ETHTOOL_FLAG_COMPACT_BITSETS },
	};

	for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
		section = asked[i].name;
		if (ask_generic("ethtool", asked[i].command, 0,
				ETHTOOL_A_LINKINFO_HEADER | NLA_F_NESTED, header, sizeof(header),
				print_generic))
			printf("%s none\n", section);
	}
}

static void print_objects(const char *name, const char *family, int command)
{
	section = name;
	object = 1;
	ask_generic(family, command, NLM_F_DUMP, 0, NULL, 0, print_generic);
	object = 0;
}

/* Calls @print for each message that answers a request of the routing family. */
static void ask_route(int type, int flags, void (*print)(const struct nlmsghdr *message))
{
	struct {
		struct nlmsghdr header;
		union {
			struct ifinfomsg link;
			struct tcmsg qdisc;
		};
	} message = {
		.header = { .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags,
			    .nlmsg_len = NLMSG_LENGTH(type == RTM_GETQDISC ? sizeof(struct tcmsg) :
								sizeof(struct ifinfomsg)) },
		.link.ifi_index = port,
	};
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	static char buffer[65536];
	ssize_t got;

	if (send(fd, &message, message.header.nlmsg_len, 0) < 0)
		die("netlink");
	while ((got = recv(fd, buffer, sizeof(buffer), 0)) > 0) {
		const struct nlmsghdr *answer = (void *)buffer;

		for (; NLMSG_OK(answer, got); answer = NLMSG_NEXT(answer, got)) {
			if (answer->nlmsg_type == NLMSG_DONE || answer->nlmsg_type == NLMSG_ERROR)
				goto done;
			print(answer);
		}
		if (!(flags & NLM_F_DUMP))
			break;
	}
done:
	close(fd);
}

static void print_link(const struct nlmsghdr *message)
{
	const char *at = (const char *)message + NLMSG_LENGTH(sizeof(struct ifinfomsg));
	const char *end = (const char *)message + message->nlmsg_len;
	const struct ifinfomsg *link = NLMSG_DATA(message);

	printf("link.flags 0x%x\n", link->ifi_flags);
	for (; at < end; at += NLA_ALIGN(ATTR_AT(at)->nla_len))
		switch (ATTR_AT(at)->nla_type & NLA_TYPE_MASK) {
		case IFLA_STATS:
		case IFLA_STATS64:
		case IFLA_AF_SPEC:	/* of the protocols, which count as well */
			break;
		default:
			print_tree("link", at, at + ATTR_AT(at)->nla_len);
		}
}

static void print_qdisc(const struct nlmsghdr *message)
{
	const char *at = (const char *)message + NLMSG_LENGTH(sizeof(struct tcmsg));
	const char *end = (const char *)message + message->nlmsg_len;
	const struct tcmsg *qdisc = NLMSG_DATA(message);
	char name[48];

	if (qdisc->tcm_ifindex != port)
		return;
	/* The kernel numbers by itself from 8000: up. */
	snprintf(name, sizeof(name), "qdisc.%x", qdisc->tcm_parent);
	for (; at < end; at += NLA_ALIGN(ATTR_AT(at)->nla_len))
		if ((ATTR_AT(at)->nla_type & NLA_TYPE_MASK) == TCA_KIND)
			printf("%s %s\n", name, at + NLA_HDRLEN);
}

static int control(int command, void *data)
{
	struct ifreq request = { .ifr_data = data };
	static int fd = -1;

	if (fd < 0)
		fd = socket(AF_INET, SOCK_DGRAM, 0);
	if_indextoname(port, request.ifr_name);
	return ioctl(fd, command, &request);
}

/* Whether a register moves by itself. */
static bool restless(unsigned int offset)
{
	unsigned int queue = offset & ~0x3c0u;

	return offset == 0x0020 || offset == 0x1524 || queue == 0xc010 || queue == 0xc018 ||
	       queue == 0xe010 || queue == 0xe018;
}

static void print_registers(void)
{
	static struct {
		struct ethtool_regs regs;
		uint32_t words[16384];
	} dump = { .regs = { .cmd = ETHTOOL_GREGS, .len = sizeof(dump.words) } };
	uint32_t *word = dump.words, *end;

	if (control(SIOCETHTOOL, &dump) < 0)
		die("ETHTOOL_GREGS");
	for (end = word + dump.regs.len / 4; word < end;) {
		unsigned int offset = *word >> 16, stride = *word >> 8 & 0xff, count = *word & 0xff;

		for (word++; count; count--, word++, offset += stride)
			if (!restless(offset))
				printf("reg.%04x 0x%08x\n", offset, *word);
	}
}

static void print_phy(void)
{
	static const int shown[] = { MII_BMCR, MII_ADVERTISE, MII_CTRL1000, 16, 18 };
	struct ifreq request = {};
	struct mii_ioctl_data *mii = (void *)&request.ifr_data;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if_indextoname(port, request.ifr_name);
	ioctl(fd, SIOCGMIIPHY, &request);
	for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++) {
		mii->reg_num = shown[i];
		if (ioctl(fd, SIOCGMIIREG, &request) < 0)
			printf("mii.%d none\n", shown[i]);
		else
			printf("mii.%d 0x%04x\n", shown[i], mii->val_out);
	}
}

/* What only the ioctls tell. */
static void print_more(void)
{
	static const uint32_t flows[] = { TCP_V4_FLOW, UDP_V4_FLOW, SCTP_V4_FLOW, TCP_V6_FLOW,
					  UDP_V6_FLOW, SCTP_V6_FLOW, IPV4_FLOW, IPV6_FLOW,
					  ETHER_FLOW };
	struct {
		struct ethtool_tunable tunable;
		uint32_t value;
	} copybreak = { .tunable = { .cmd = ETHTOOL_GTUNABLE, .id = ETHTOOL_TX_COPYBREAK,
				     .type_id = ETHTOOL_TUNABLE_U32, .len = 4 } };
	struct {
		struct ethtool_eeprom eeprom;
		uint8_t data[128];
	} nvm = { .eeprom = { .cmd = ETHTOOL_GEEPROM, .len = sizeof(nvm.data) } };

	for (size_t i = 0; i < sizeof(flows) / sizeof(*flows); i++) {
		struct ethtool_rxnfc info = { .cmd = ETHTOOL_GRXFH, .flow_type = flows[i] };

		if (!control(SIOCETHTOOL, &info))
			printf("hash.%u 0x%llx\n", flows[i], (unsigned long long)info.data);
	}
	if (!control(SIOCETHTOOL, &copybreak))
		printf("tunable.tx-copybreak %u\n", copybreak.value);
	if (!control(SIOCETHTOOL, &nvm))
		print_value("nvm", nvm.data, sizeof(nvm.data));
}

static void print_queue_coalesce(void)
{
	struct {
		struct ethtool_per_queue_op op;
		struct ethtool_coalesce queue[1];
	} query = { .op = { .cmd = ETHTOOL_PERQUEUE, .sub_command = ETHTOOL_GCOALESCE } };

	for (unsigned int i = 0; i < 8; i++) {
		memset(query.op.queue_mask, 0, sizeof(query.op.queue_mask));
		memset(query.queue, 0, sizeof(query.queue));
		query.op.queue_mask[0] = 1 << i;
		query.queue->cmd = ETHTOOL_GCOALESCE;
		if (!control(SIOCETHTOOL, &query))
			printf("moderation.%u %u %u\n", i, query.queue->rx_coalesce_usecs,
			       query.queue->use_adaptive_rx_coalesce);
	}
}

/* Lines of a file, those that mention @only. */
static void print_lines(const char *name, const char *path, const char *only)
{
	FILE *file = fopen(path, "r");
	unsigned int number = 0;
	char line[512];

	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		if (!only || strstr(line, only))
			printf("%s.%u %s\n", name, number++, line);
	}
	fclose(file);
}

/* By address: the kernel's order is that of joining. */
static void print_groups(const char *interface)
{
	FILE *file = fopen("/proc/net/dev_mcast", "r");
	char line[128], name[32], mac[32];
	int users;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%*d %31s %d %*d %31s", name, &users, mac) == 3 &&
		    !strcmp(name, interface))
			printf("mcast.%s %d\n", mac, users);
	if (file)
		fclose(file);
}

static void print_files(const char *interface)
{
	static const char * const patterns[] = {
		"threaded", "gro_flush_timeout", "napi_defer_hard_irqs", "ifalias",
		"queues/*/[rx]ps_*", "queues/*/tx_maxrate", "queues/*/byte_queue_limits/limit_m*",
		"queues/*/byte_queue_limits/hold_time",
	};
	char path[128];
	size_t prefix;

	prefix = snprintf(path, sizeof(path), "/sys/class/net/%s/", interface);
	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
		glob_t found;

		snprintf(path + prefix, sizeof(path) - prefix, "%s", patterns[i]);
		if (glob(path, 0, NULL, &found))
			continue;
		for (size_t j = 0; j < found.gl_pathc; j++)
			print_lines(found.gl_pathv[j] + prefix, found.gl_pathv[j], NULL);
		globfree(&found);
	}
	print_groups(interface);
	print_lines("vlan", "/proc/net/vlan/config", interface);
}

int state_main(int argc, char **argv)
{
	if (argc < 2)
		usage("state IF");
	setvbuf(stdout, NULL, _IOFBF, 65536);
	port = ifindex(argv[1]);
	ask_route(RTM_GETLINK, 0, print_link);
	ask_route(RTM_GETQDISC, NLM_F_DUMP, print_qdisc);
	print_ethtool();
	print_more();
	print_queue_coalesce();
	print_objects("queues", "netdev", CMD_QUEUE_GET);
	print_objects("napi", "netdev", CMD_NAPI_GET);
	print_objects("health", "devlink", DEVLINK_CMD_HEALTH_REPORTER_GET);
	print_files(argv[1]);
	print_phy();
	print_registers();
	return 0;
}
