// SPDX-License-Identifier: GPL-2.0
/*
 * igb_filter.c: what a rule of ethtool -N becomes in the chip's registers.
 *
 * Registers and values are numbers here, from the datasheet (8.10, 8.11), so
 * that a wrong definition is not proven by itself.
 */
#include <linux/in.h>
#include <linux/rtnetlink.h>

#include "fake.h"

enum {
	ETQF = 0x5cb0, SYNQF = 0x55fc, SAQF = 0x5980, DAQF = 0x59a0, SPQF = 0x59c0,
	FTQF = 0x59e0, IMIR = 0x5a80, IMIREXT = 0x5aa0, RFCTL = 0x5008,
	LOCATIONS = 17, FIRST_TUPLE = 9, SYN = 8,
};

static struct igb_adapter *port(struct kunit *test)
{
	struct igb_adapter *adapter = fake_port(test, 8);

	igb_filter_init(adapter);
	KUNIT_ASSERT_EQ(test, 7, adapter->filter_kinds);
	return adapter;
}

static int insert(struct igb_adapter *adapter, struct ethtool_rx_flow_spec spec)
{
	int err;

	rtnl_lock();
	err = igb_filter_insert(adapter, &spec);
	rtnl_unlock();
	return err ?: spec.location;
}

static int delete(struct igb_adapter *adapter, u32 location)
{
	int err;

	rtnl_lock();
	err = igb_filter_delete(adapter, location);
	rtnl_unlock();
	return err;
}

static struct ethtool_rx_flow_spec ether(u16 proto, u64 queue)
{
	return (struct ethtool_rx_flow_spec) {
		.flow_type = ETHER_FLOW,
		.h_u.ether_spec.h_proto = cpu_to_be16(proto),
		.m_u.ether_spec.h_proto = cpu_to_be16(0xffff),
		.ring_cookie = queue,
		.location = RX_CLS_LOC_ANY,
	};
}

/* From 10.1.2.3 port 1000 to 10.4.5.6 port 80. */
static struct ethtool_rx_flow_spec tuple(u32 flow_type, u64 queue)
{
	return (struct ethtool_rx_flow_spec) {
		.flow_type = flow_type,
		.h_u.tcp_ip4_spec = {
			.ip4src = cpu_to_be32(0x0a010203),
			.ip4dst = cpu_to_be32(0x0a040506),
			.psrc = cpu_to_be16(1000),
			.pdst = cpu_to_be16(80),
		},
		.m_u.tcp_ip4_spec = {
			.ip4src = cpu_to_be32(0xffffffff),
			.ip4dst = cpu_to_be32(0xffffffff),
			.psrc = cpu_to_be16(0xffff),
			.pdst = cpu_to_be16(0xffff),
		},
		.ring_cookie = queue,
		.location = RX_CLS_LOC_ANY,
	};
}

/* The same addresses with a protocol. */
static struct ethtool_rx_flow_spec ip(u8 protocol, u64 queue)
{
	struct ethtool_rx_flow_spec spec = tuple(IPV4_USER_FLOW, queue);

	spec.h_u.usr_ip4_spec.l4_4_bytes = 0;
	spec.m_u.usr_ip4_spec.l4_4_bytes = 0;
	spec.h_u.usr_ip4_spec.ip_ver = ETH_RX_NFC_IP4;
	spec.h_u.usr_ip4_spec.proto = protocol;
	spec.m_u.usr_ip4_spec.proto = 0xff;
	return spec;
}

static struct ethtool_rx_flow_spec syn(u64 queue)
{
	return (struct ethtool_rx_flow_spec) {
		.flow_type = TCP_V4_FLOW | FLOW_EXT,
		.h_ext.data[1] = cpu_to_be32(2),
		.m_ext.data[0] = cpu_to_be32(0xffffffff),
		.m_ext.data[1] = cpu_to_be32(0xffffffff),
		.ring_cookie = queue,
		.location = RX_CLS_LOC_ANY,
	};
}

static void etype_encoding(struct kunit *test)
{
	struct igb_adapter *adapter = port(test);

	KUNIT_EXPECT_EQ(test, 0, insert(adapter, ether(0x88f7, 3)));
	KUNIT_EXPECT_EQ(test, 0x840388f7, fake_get(adapter, ETQF));
	KUNIT_EXPECT_EQ(test, 1, insert(adapter, ether(0x0806, 7)));
	KUNIT_EXPECT_EQ(test, 0x84070806, fake_get(adapter, ETQF + 4));
	KUNIT_EXPECT_EQ(test, 0, fake_get(adapter, ETQF + 8));
}

static void tuple_encoding(struct kunit *test)
{
	struct igb_adapter *adapter = port(test);

	KUNIT_EXPECT_EQ(test, FIRST_TUPLE, insert(adapter, tuple(TCP_V4_FLOW, 5)));
	KUNIT_EXPECT_EQ(test, 0x0302010a, fake_get(adapter, SAQF));
	KUNIT_EXPECT_EQ(test, 0x0605040a, fake_get(adapter, DAQF));
	KUNIT_EXPECT_EQ(test, 0x0000e803, fake_get(adapter, SPQF));
	KUNIT_EXPECT_EQ(test, 0xe0005000, fake_get(adapter, IMIR));
	KUNIT_EXPECT_EQ(test, 0x00081000, fake_get(adapter, IMIREXT));
	KUNIT_EXPECT_EQ(test, 0x00058106, fake_get(adapter, FTQF));
	KUNIT_EXPECT_EQ(test, 0, fake_get(adapter, FTQF + 4));
}

static void protocol_encoding(struct kunit *test)
{
	struct igb_adapter *adapter = port(test);
	struct ethtool_rx_flow_spec sctp = tuple(SCTP_V4_FLOW, 2);

	sctp.m_u.sctp_ip4_spec.psrc = 0;
	sctp.m_u.sctp_ip4_spec.pdst = 0;
	KUNIT_EXPECT_EQ(test, 9, insert(adapter, tuple(UDP_V4_FLOW, 1)));
	KUNIT_EXPECT_EQ(test, 0x00018111, fake_get(adapter, FTQF));
	KUNIT_EXPECT_EQ(test, 10, insert(adapter, sctp));
	KUNIT_EXPECT_EQ(test, 0x80028184, fake_get(adapter, FTQF + 4));
	KUNIT_EXPECT_EQ(test, 11, insert(adapter, ip(89, 0)));
	KUNIT_EXPECT_EQ(test, 0x80008159, fake_get(adapter, FTQF + 8));
	KUNIT_EXPECT_EQ(test, 0xa0020000, fake_get(adapter, IMIR + 8));
}

/* What is not to be looked at is bypassed, and its value left out. */
static void bypass_encoding(struct kunit *test)
{
	struct igb_adapter *adapter = port(test);
	struct ethtool_rx_flow_spec spec;

	spec = tuple(TCP_V4_FLOW, 0);
	spec.m_u.tcp_ip4_spec.ip4src = 0;
	KUNIT_EXPECT_EQ(test, 9, insert(adapter, spec));
	KUNIT_EXPECT_EQ(test, 0x20008106, fake_get(adapter, FTQF));
	KUNIT_EXPECT_EQ(test, 0, fake_get(adapter, SAQF));

	spec = tuple(TCP_V4_FLOW, 0);
	spec.m_u.tcp_ip4_spec.ip4dst = 0;
	KUNIT_EXPECT_EQ(test, 10, insert(adapter, spec));
	KUNIT_EXPECT_EQ(test, 0x40008106, fake_get(adapter, FTQF + 4));
	KUNIT_EXPECT_EQ(test, 0, fake_get(adapter, DAQF + 4));

	spec = tuple(TCP_V4_FLOW, 0);
	spec.m_u.tcp_ip4_spec.psrc = 0;
	KUNIT_EXPECT_EQ(test, 11, insert(adapter, spec));
	KUNIT_EXPECT_EQ(test, 0x80008106, fake_get(adapter, FTQF + 8));
	KUNIT_EXPECT_EQ(test, 0, fake_get(adapter, SPQF + 8));

	spec = tuple(TCP_V4_FLOW, 0);
	spec.m_u.tcp_ip4_spec.pdst = 0;
	KUNIT_EXPECT_EQ(test, 12, insert(adapter, spec));
	KUNIT_EXPECT_EQ(test, 0x00008106, fake_get(adapter, FTQF + 12));
	KUNIT_EXPECT_EQ(test, 0x80020000, fake_get(adapter, IMIR + 12));

	spec = ip(0, 0);
	spec.m_u.usr_ip4_spec.proto = 0;
	KUNIT_EXPECT_EQ(test, 13, insert(adapter, spec));
	KUNIT_EXPECT_EQ(test, 0x90008100, fake_get(adapter, FTQF + 16));
}

static void syn_encoding(struct kunit *test)
{
	struct igb_adapter *adapter = port(test);

	KUNIT_EXPECT_EQ(test, SYN, insert(adapter, syn(6)));
	KUNIT_EXPECT_EQ(test, 0x0000000d, fake_get(adapter, SYNQF));
	KUNIT_EXPECT_EQ(test, 0, fake_get(adapter, FTQF));
	igb_hw_init(&adapter->hw);
	KUNIT_EXPECT_EQ(test, 0x00080000, fake_get(adapter, RFCTL));
}

/* A lower location has its way: by IMIR's priority, as the datasheet has it. */
static void priority_by_location(struct kunit *test)
{
	struct igb_adapter *adapter = port(test);
	struct ethtool_rx_flow_spec spec;
	u32 i;

	for (i = 0; i < 8; i++) {
		spec = tuple(UDP_V4_FLOW, i);
		spec.h_u.udp_ip4_spec.pdst = cpu_to_be16(i);
		spec.location = LOCATIONS - 1 - i;
		KUNIT_EXPECT_EQ(test, LOCATIONS - 1 - i, insert(adapter, spec));
	}
	for (i = 0; i < 8; i++) {
		KUNIT_EXPECT_EQ(test, 7 - i, fake_get(adapter, IMIR + 4 * i) >> 29);
		KUNIT_EXPECT_EQ(test, 7 - i, fake_get(adapter, FTQF + 4 * i) >> 16 & 15);
	}
}

/* One refusal: this error, the rules as they were, and no register written. */
static void refuse(struct kunit *test, struct igb_adapter *adapter, int err,
		   struct ethtool_rx_flow_spec spec, const char *what)
{
	size_t size = sizeof(adapter->filters);
	unsigned int writes = fake_chip_of(adapter)->writes;
	void *rules = kunit_kmalloc(test, size, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, rules);
	memcpy(rules, adapter->filters, size);
	KUNIT_EXPECT_EQ_MSG(test, err, insert(adapter, spec), "%s", what);
	/* Shown byte by byte they would keep the processor for too long. */
	KUNIT_EXPECT_EQ_MSG(test, 0, memcmp(rules, adapter->filters, size), "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, writes, fake_chip_of(adapter)->writes, "%s", what);
	kunit_kfree(test, rules);
}

/* @spec with one member changed is refused. */
#define REFUSE(err, spec, member, value)					\
	do {									\
		struct ethtool_rx_flow_spec _spec = spec;			\
										\
		_spec.member = value;						\
		refuse(test, adapter, err, _spec, #spec ": " #member " = " #value); \
	} while (0)

static void refused_masks(struct kunit *test)
{
	struct igb_adapter *adapter = port(test);

	REFUSE(-EOPNOTSUPP, ether(0x88f7, 0), m_u.ether_spec.h_proto, cpu_to_be16(0xff00));
	REFUSE(-EOPNOTSUPP, ether(0x88f7, 0), m_u.ether_spec.h_proto, 0);
	REFUSE(-EOPNOTSUPP, ether(0x88f7, 0), m_u.ether_spec.h_dest[5], 1);
	REFUSE(-EOPNOTSUPP, ether(0x88f7, 0), m_u.ether_spec.h_source[0], 1);
	REFUSE(-EOPNOTSUPP, tuple(TCP_V4_FLOW, 0), m_u.tcp_ip4_spec.ip4src,
	       cpu_to_be32(0xffffff00));
	REFUSE(-EOPNOTSUPP, tuple(TCP_V4_FLOW, 0), m_u.tcp_ip4_spec.ip4dst, cpu_to_be32(1));
	REFUSE(-EOPNOTSUPP, tuple(UDP_V4_FLOW, 0), m_u.udp_ip4_spec.psrc, cpu_to_be16(0x00ff));
	REFUSE(-EOPNOTSUPP, tuple(UDP_V4_FLOW, 0), m_u.udp_ip4_spec.pdst, cpu_to_be16(0xfffe));
	REFUSE(-EOPNOTSUPP, tuple(UDP_V4_FLOW, 0), m_u.udp_ip4_spec.tos, 0xff);
	REFUSE(-EOPNOTSUPP, tuple(SCTP_V4_FLOW, 0), m_u.sctp_ip4_spec.psrc, 0);
	REFUSE(-EOPNOTSUPP, tuple(SCTP_V4_FLOW, 0), m_u.sctp_ip4_spec.pdst, 0);
	REFUSE(-EOPNOTSUPP, ip(6, 0), m_u.usr_ip4_spec.proto, 0x0f);
	REFUSE(-EOPNOTSUPP, ip(6, 0), m_u.usr_ip4_spec.tos, 0xff);
	REFUSE(-EOPNOTSUPP, ip(6, 0), m_u.usr_ip4_spec.l4_4_bytes, cpu_to_be32(0xffffffff));
	REFUSE(-EOPNOTSUPP, ip(6, 0), m_u.usr_ip4_spec.ip_ver, 0xff);
}

static void refused_kinds(struct kunit *test)
{
	static const u32 types[] = {
		0, AH_ESP_V4_FLOW, TCP_V6_FLOW, UDP_V6_FLOW, SCTP_V6_FLOW, AH_V4_FLOW, ESP_V4_FLOW,
		IPV6_USER_FLOW, IPV4_FLOW, ETHER_FLOW | FLOW_MAC_EXT, ETHER_FLOW | FLOW_RSS,
	};
	struct igb_adapter *adapter = port(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		REFUSE(-EOPNOTSUPP, ether(0x88f7, 0), flow_type, types[i]);
	refuse(test, adapter, -EINVAL, ether(0x0800, 0), "IPv4");
	refuse(test, adapter, -EINVAL, ether(0x86dd, 0), "IPv6");
	refuse(test, adapter, -EINVAL, ether(0x8100, 0), "VLAN");
	refuse(test, adapter, -EINVAL, ether(0x88a8, 0), "service VLAN");
	refuse(test, adapter, -EINVAL, ether(0x05ff, 0), "a length");
	REFUSE(-EOPNOTSUPP, ip(6, 0), h_u.usr_ip4_spec.ip_ver, 6);
	REFUSE(-EINVAL, ip(6, 0), m_u, (union ethtool_flow_union) {});
}

static void refused_extensions(struct kunit *test)
{
	struct igb_adapter *adapter = port(test);

	REFUSE(-EOPNOTSUPP, syn(0), m_ext.vlan_tci, cpu_to_be16(0x0fff));
	REFUSE(-EOPNOTSUPP, syn(0), m_ext.vlan_etype, cpu_to_be16(0xffff));
	REFUSE(-EOPNOTSUPP, syn(0), h_ext.data[1], cpu_to_be32(0x12));
	REFUSE(-EOPNOTSUPP, syn(0), h_ext.data[1], 0);
	REFUSE(-EOPNOTSUPP, syn(0), h_ext.data[0], cpu_to_be32(2));
	REFUSE(-EOPNOTSUPP, syn(0), m_ext.data[1], cpu_to_be32(2));
	REFUSE(-EOPNOTSUPP, syn(0), flow_type, UDP_V4_FLOW | FLOW_EXT);
	REFUSE(-EOPNOTSUPP, syn(0), m_u.tcp_ip4_spec.pdst, cpu_to_be16(0xffff));
}

static void refused_actions(struct kunit *test)
{
	struct igb_adapter *adapter = port(test);

	REFUSE(-EINVAL, ether(0x88f7, 0), ring_cookie, 8);
	REFUSE(-EINVAL, tuple(TCP_V4_FLOW, 0), ring_cookie, 1ULL << 32);
	REFUSE(-EOPNOTSUPP, ether(0x88f7, 0), ring_cookie, RX_CLS_FLOW_DISC);
	REFUSE(-EOPNOTSUPP, ether(0x88f7, 0), ring_cookie, RX_CLS_FLOW_WAKE);
	adapter->num_queues = 2;
	REFUSE(-EINVAL, syn(0), ring_cookie, 2);
	KUNIT_EXPECT_EQ(test, SYN, insert(adapter, syn(1)));
}

/* Each kind has locations of its own. */
static void refused_locations(struct kunit *test)
{
	struct igb_adapter *adapter = port(test);

	REFUSE(-EINVAL, ether(0x88f7, 0), location, SYN);
	REFUSE(-EINVAL, ether(0x88f7, 0), location, LOCATIONS);
	REFUSE(-EINVAL, syn(0), location, FIRST_TUPLE);
	REFUSE(-EINVAL, syn(0), location, 0);
	REFUSE(-EINVAL, tuple(TCP_V4_FLOW, 0), location, SYN);
	REFUSE(-EINVAL, tuple(TCP_V4_FLOW, 0), location, LOCATIONS);
	REFUSE(-EINVAL, tuple(TCP_V4_FLOW, 0), location, RX_CLS_LOC_FIRST);
}

static void refused_when_off(struct kunit *test)
{
	struct igb_adapter *adapter = port(test);

	adapter->netdev->features &= ~NETIF_F_NTUPLE;
	refuse(test, adapter, -EOPNOTSUPP, ether(0x88f7, 0), "ntuple off");
}

/* The first one that has no place is refused, one that is freed is taken. */
static void full(struct kunit *test)
{
	struct igb_adapter *adapter = port(test);
	struct ethtool_rx_flow_spec spec;
	u32 i;

	for (i = 0; i < 8; i++) {
		spec = tuple(TCP_V4_FLOW, 0);
		spec.h_u.tcp_ip4_spec.pdst = cpu_to_be16(i);
		KUNIT_EXPECT_EQ(test, i, insert(adapter, ether(0x9000 + i, 0)));
		KUNIT_EXPECT_EQ(test, FIRST_TUPLE + i, insert(adapter, spec));
	}
	refuse(test, adapter, -ENOSPC, ether(0x88f7, 0), "a ninth EtherType");
	refuse(test, adapter, -ENOSPC, tuple(TCP_V4_FLOW, 0), "a ninth 5-tuple");
	KUNIT_EXPECT_EQ(test, 0, delete(adapter, 5));
	KUNIT_EXPECT_EQ(test, 5, insert(adapter, ether(0x88f7, 0)));
	KUNIT_EXPECT_EQ(test, 0, delete(adapter, 16));
	KUNIT_EXPECT_EQ(test, 16, insert(adapter, tuple(TCP_V4_FLOW, 0)));
}

/* The same frames twice, however the rule is put; not the same place twice. */
static void duplicates(struct kunit *test)
{
	struct igb_adapter *adapter = port(test);
	struct ethtool_rx_flow_spec spec = ip(6, 1), other;

	KUNIT_EXPECT_EQ(test, 0, insert(adapter, ether(0x88f7, 0)));
	KUNIT_EXPECT_EQ(test, SYN, insert(adapter, syn(0)));
	KUNIT_EXPECT_EQ(test, FIRST_TUPLE, insert(adapter, spec));
	refuse(test, adapter, -EEXIST, ether(0x88f7, 1), "EtherType");
	refuse(test, adapter, -EEXIST, syn(1), "SYN");
	other = tuple(TCP_V4_FLOW, 2);
	other.m_u.tcp_ip4_spec.psrc = 0;
	other.m_u.tcp_ip4_spec.pdst = 0;
	refuse(test, adapter, -EEXIST, other, "ip4 with TCP");
	other.location = FIRST_TUPLE;
	KUNIT_EXPECT_EQ(test, FIRST_TUPLE, insert(adapter, other));
	KUNIT_EXPECT_EQ(test, 2, fake_get(adapter, FTQF) >> 16 & 15);
}

static void deleted(struct kunit *test)
{
	struct igb_adapter *adapter = port(test);

	insert(adapter, ether(0x88f7, 3));
	insert(adapter, syn(3));
	insert(adapter, tuple(TCP_V4_FLOW, 3));
	KUNIT_EXPECT_EQ(test, 0, delete(adapter, 0));
	KUNIT_EXPECT_EQ(test, 0, fake_get(adapter, ETQF));
	KUNIT_EXPECT_EQ(test, 0, delete(adapter, SYN));
	KUNIT_EXPECT_EQ(test, 0, fake_get(adapter, SYNQF));
	KUNIT_EXPECT_EQ(test, 0, delete(adapter, FIRST_TUPLE));
	KUNIT_EXPECT_EQ(test, 0, fake_get(adapter, FTQF));
	KUNIT_EXPECT_EQ(test, 0, fake_get(adapter, SAQF));
	KUNIT_EXPECT_EQ(test, -ENOENT, delete(adapter, FIRST_TUPLE));
	KUNIT_EXPECT_EQ(test, -ENOENT, delete(adapter, LOCATIONS));
	KUNIT_EXPECT_EQ(test, -ENOENT, delete(adapter, RX_CLS_LOC_ANY));
}

/* A reset costs the chip all it had. */
static void restored(struct kunit *test)
{
	static const u32 regs[] = { ETQF + 8, SYNQF, SAQF, DAQF, SPQF, FTQF, IMIR, IMIREXT };
	struct igb_adapter *adapter = port(test);
	struct ethtool_rx_flow_spec spec = ether(0x88f7, 3);
	u32 was[ARRAY_SIZE(regs)];
	unsigned int i;

	spec.location = 2;
	insert(adapter, spec);
	insert(adapter, syn(4));
	insert(adapter, tuple(UDP_V4_FLOW, 5));
	for (i = 0; i < ARRAY_SIZE(regs); i++) {
		was[i] = fake_get(adapter, regs[i]);
		KUNIT_EXPECT_NE(test, 0, was[i]);
		fake_set(adapter, regs[i], 0);
	}
	fake_set(adapter, ETQF, 0xffffffff);
	igb_filter_restore(adapter);
	for (i = 0; i < ARRAY_SIZE(regs); i++)
		KUNIT_EXPECT_EQ(test, was[i], fake_get(adapter, regs[i]));
	KUNIT_EXPECT_EQ(test, 0, fake_get(adapter, ETQF));
}

static void listed(struct kunit *test)
{
	struct ethtool_rxnfc info = { .cmd = ETHTOOL_GRXCLSRLCNT };
	struct igb_adapter *adapter = port(test);
	struct ethtool_rx_flow_spec found = {};
	u32 locations[3] = {};

	insert(adapter, tuple(UDP_V4_FLOW, 5));
	insert(adapter, ether(0x88f7, 3));
	KUNIT_EXPECT_EQ(test, 0, igb_filter_list(adapter, &info, NULL));
	KUNIT_EXPECT_EQ(test, 2, info.rule_cnt);
	KUNIT_EXPECT_EQ(test, LOCATIONS | RX_CLS_LOC_SPECIAL, info.data);

	info.cmd = ETHTOOL_GRXCLSRLALL;
	KUNIT_EXPECT_EQ(test, 0, igb_filter_list(adapter, &info, locations));
	KUNIT_EXPECT_EQ(test, LOCATIONS, info.data);
	KUNIT_EXPECT_EQ(test, 0, locations[0]);
	KUNIT_EXPECT_EQ(test, FIRST_TUPLE, locations[1]);
	info.rule_cnt = 1;
	KUNIT_EXPECT_EQ(test, -EMSGSIZE, igb_filter_list(adapter, &info, locations));

	found.location = FIRST_TUPLE;
	KUNIT_EXPECT_EQ(test, 0, igb_filter_get(adapter, &found));
	KUNIT_EXPECT_EQ(test, UDP_V4_FLOW, found.flow_type);
	KUNIT_EXPECT_EQ(test, 5, found.ring_cookie);
	KUNIT_EXPECT_EQ(test, FIRST_TUPLE, found.location);
	found.location = 1;
	KUNIT_EXPECT_EQ(test, -ENOENT, igb_filter_get(adapter, &found));
}

/* Where registers do not read back nothing is offered. */
static void not_there(struct kunit *test)
{
	struct ethtool_rxnfc info = { .cmd = ETHTOOL_GRXCLSRLCNT };
	struct igb_adapter *adapter = fake_port(test, 8);

	fake_chip_of(adapter)->missing = 0x5000;
	fake_chip_of(adapter)->missing_end = 0x6000;
	igb_filter_init(adapter);
	KUNIT_EXPECT_EQ(test, 0, adapter->filter_kinds);
	KUNIT_EXPECT_FALSE(test, adapter->netdev->hw_features & NETIF_F_NTUPLE);
	refuse(test, adapter, -EOPNOTSUPP, ether(0x88f7, 0), "no EtherType filters");
	refuse(test, adapter, -EOPNOTSUPP, syn(0), "no SYN filter");
	refuse(test, adapter, -EOPNOTSUPP, tuple(UDP_V4_FLOW, 0), "no 5-tuple filters");
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, delete(adapter, 0));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, igb_filter_list(adapter, &info, NULL));
}

/* Nor where the chip is gone. */
static void gone(struct kunit *test)
{
	struct igb_adapter *adapter = fake_port(test, 8);

	fake_chip_of(adapter)->dead = 0xffffffff;
	igb_filter_init(adapter);
	KUNIT_EXPECT_EQ(test, 0, adapter->filter_kinds);
}

/* Each register of a filter has to be there. */
static void any_missing(struct kunit *test)
{
	static const u32 regs[] = { ETQF, SYNQF, SAQF, DAQF, SPQF, FTQF, IMIR, IMIREXT };
	static const unsigned int kinds[] = { 6, 5, 3, 3, 3, 3, 3, 3 };
	struct igb_adapter *adapter = fake_port(test, 8);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(regs); i++) {
		fake_chip_of(adapter)->missing = regs[i];
		fake_chip_of(adapter)->missing_end = regs[i] + 4;
		adapter->filter_kinds = 0;
		igb_filter_init(adapter);
		KUNIT_EXPECT_EQ_MSG(test, kinds[i], adapter->filter_kinds, "%#x", regs[i]);
	}
}

/* A kind that is missing is refused alone; what was tried out is put back. */
static void some_there(struct kunit *test)
{
	struct igb_adapter *adapter = fake_port(test, 8);

	adapter->hw.quirks = IGB_QUIRK_ETQF_NO_QUEUE;
	fake_set(adapter, FTQF, 0xf0000000);
	igb_filter_init(adapter);
	KUNIT_EXPECT_EQ(test, 6, adapter->filter_kinds);
	KUNIT_EXPECT_EQ(test, 0xf0000000, fake_get(adapter, FTQF));
	KUNIT_EXPECT_EQ(test, 0, fake_get(adapter, SYNQF));
	KUNIT_EXPECT_TRUE(test, adapter->netdev->features & NETIF_F_NTUPLE);
	refuse(test, adapter, -EOPNOTSUPP, ether(0x88f7, 0), "no EtherType filters");
	KUNIT_EXPECT_EQ(test, SYN, insert(adapter, syn(0)));
}

static struct kunit_case filter_cases[] = {
	KUNIT_CASE(etype_encoding),
	KUNIT_CASE(tuple_encoding),
	KUNIT_CASE(protocol_encoding),
	KUNIT_CASE(bypass_encoding),
	KUNIT_CASE(syn_encoding),
	KUNIT_CASE(priority_by_location),
	KUNIT_CASE(refused_masks),
	KUNIT_CASE(refused_kinds),
	KUNIT_CASE(refused_extensions),
	KUNIT_CASE(refused_actions),
	KUNIT_CASE(refused_locations),
	KUNIT_CASE(refused_when_off),
	KUNIT_CASE(full),
	KUNIT_CASE(duplicates),
	KUNIT_CASE(deleted),
	KUNIT_CASE(restored),
	KUNIT_CASE(listed),
	KUNIT_CASE(not_there),
	KUNIT_CASE(gone),
	KUNIT_CASE(any_missing),
	KUNIT_CASE(some_there),
	{}
};

struct kunit_suite igb_filter_suite = {
	.name = "filter",
	.test_cases = filter_cases,
};
