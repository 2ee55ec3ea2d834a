// SPDX-License-Identifier: GPL-2.0
/*
 * Who has a queue of their own: receive filters, the rules of ethtool -N.
 *
 * The location of a rule says which of the chip's filters it is.  Where
 * several match a frame the lowest location wins: the chip looks at EtherTypes
 * first, then for SYNs (RFCTL.SYNQFP), then at 5-tuples by their priority
 * (7.1.2).  A frame that none matches goes by its hash.
 */
#include <linux/ethtool.h>
#include <linux/in.h>
#include <linux/rtnetlink.h>
#include <linux/unaligned.h>
#include <net/tcp.h>

#include "igb.h"

/* Three bits: the queue in ETQF and SYNQF, and the priority in IMIR, of which
 * each 5-tuple has its own.
 */
static_assert(IGB_MAX_QUEUES <= 8 && IGB_TUPLE_FILTERS <= 8);

static const struct {
	const char *name;
	u8 first;
	u8 count;
} igb_filter_table[IGB_FILTER_KINDS] = {
	[IGB_FILTER_ETYPE] = { "EtherType", IGB_LOC_ETYPE, IGB_ETYPE_FILTERS },
	[IGB_FILTER_SYN] = { "TCP SYN", IGB_LOC_SYN, 1 },
	[IGB_FILTER_TUPLE] = { "5-tuple", IGB_LOC_TUPLE, IGB_TUPLE_FILTERS },
};

/* ---- Registers --------------------------------------------------------- */

/* What has to read back as written, or there are no such filters. */
static const struct {
	enum igb_filter_kind kind;
	u32 reg;
	u32 fields;
} igb_filter_regs[] = {
	{ IGB_FILTER_ETYPE, IGB_ETQF(0), IGB_ETQF_ETYPE | IGB_ETQF_QUEUE |
	  IGB_ETQF_FILTER_ENABLE | IGB_ETQF_QUEUE_ENABLE },
	{ IGB_FILTER_SYN, IGB_SYNQF, IGB_SYNQF_ENABLE | IGB_SYNQF_QUEUE },
	{ IGB_FILTER_TUPLE, IGB_SAQF(0), U32_MAX },
	{ IGB_FILTER_TUPLE, IGB_DAQF(0), U32_MAX },
	{ IGB_FILTER_TUPLE, IGB_SPQF(0), U16_MAX },
	{ IGB_FILTER_TUPLE, IGB_FTQF(0), IGB_FTQF_PROTOCOL |
	  IGB_FTQF_QUEUE_ENABLE | IGB_FTQF_VF_BP | IGB_FTQF_QUEUE |
	  IGB_FTQF_PROTOCOL_BP | IGB_FTQF_SADDR_BP | IGB_FTQF_DADDR_BP |
	  IGB_FTQF_SPORT_BP },
	{ IGB_FILTER_TUPLE, IGB_IMIR(0), IGB_IMIR_DPORT | IGB_IMIR_DPORT_BP |
	  IGB_IMIR_PRIORITY },
	{ IGB_FILTER_TUPLE, IGB_IMIREXT(0), IGB_IMIREXT_SIZE_BP |
	  IGB_IMIREXT_FLAGS_BP },
};

/* Neither zeros nor ones, which is what a register that is not there reads. */
static bool igb_reads_back(struct igb_hw *hw, u32 reg, u32 fields)
{
	u32 was = igb_rd(hw, reg);
	u32 want = fields & 0x5a5a5a5a;
	u32 got;

	igb_wr(hw, reg, want);
	got = igb_rd(hw, reg) & fields;
	igb_wr(hw, reg, was);
	return got == want;
}

/* Also says why there are none. */
static bool igb_has_filters(struct igb_hw *hw, enum igb_filter_kind kind)
{
	unsigned int i;
	u32 reg;

	if (kind == IGB_FILTER_ETYPE &&
	    igb_has_quirk(hw, IGB_QUIRK_ETQF_NO_QUEUE)) {
		dev_info(hw->dev,
			 "no %s filters, they do not choose the queue\n",
			 igb_filter_table[kind].name);
		return false;
	}
	for (i = 0; i < ARRAY_SIZE(igb_filter_regs); i++) {
		reg = igb_filter_regs[i].reg;
		if (igb_filter_regs[i].kind != kind ||
		    igb_reads_back(hw, reg, igb_filter_regs[i].fields))
			continue;
		dev_info(hw->dev,
			 "no %s filters, register %#06x does not read back as written\n",
			 igb_filter_table[kind].name, reg);
		return false;
	}
	return true;
}

/* Never enabled with half of another rule in it. */
static void igb_write_tuple(struct igb_hw *hw, unsigned int i,
			    const struct igb_match *match, u32 queue)
{
	u32 priority = IGB_TUPLE_FILTERS - 1 - i;

	igb_wr(hw, IGB_FTQF(i), 0);
	igb_wr(hw, IGB_SAQF(i), match->saddr);
	igb_wr(hw, IGB_DAQF(i), match->daddr);
	igb_wr(hw, IGB_SPQF(i), match->sport);
	igb_wr(hw, IGB_IMIR(i), match->dport |
	       FIELD_PREP(IGB_IMIR_PRIORITY, priority));
	igb_wr(hw, IGB_IMIREXT(i), IGB_IMIREXT_SIZE_BP | IGB_IMIREXT_FLAGS_BP);
	igb_wr(hw, IGB_FTQF(i), match->type |
	       FIELD_PREP(IGB_FTQF_QUEUE, queue));
}

/* 8.10: where there is no rule all is zero, which switches the filter off. */
static void igb_write_filter(struct igb_adapter *adapter, unsigned int location)
{
	const struct igb_match *match = &adapter->filters[location].match;
	u32 queue = adapter->filters[location].spec.ring_cookie;
	struct igb_hw *hw = &adapter->hw;

	if (location >= IGB_LOC_TUPLE)
		igb_write_tuple(hw, location - IGB_LOC_TUPLE, match, queue);
	else if (location == IGB_LOC_SYN)
		igb_wr(hw, IGB_SYNQF, match->type |
		       FIELD_PREP(IGB_SYNQF_QUEUE, queue));
	else
		igb_wr(hw, IGB_ETQF(location), match->type |
		       FIELD_PREP(IGB_ETQF_QUEUE, queue));
}

/* ---- From a rule to what the chip compares ----------------------------- */

/* A field is compared as a whole, or not at all and then has its bypass. */
static int igb_match_field(u32 *field, u32 value, u32 mask, u32 whole,
			   u32 *bypasses, u32 bypass,
			   struct netlink_ext_ack *extack)
{
	if (mask == whole) {
		*field |= value;
		return 0;
	}
	if (!mask) {
		*bypasses |= bypass;
		return 0;
	}
	NL_SET_ERR_MSG(extack,
		       "a field is looked at as a whole or not at all, no other mask is possible");
	return -EOPNOTSUPP;
}

/* Registers have the first byte of an address or a port lowest. */
static int igb_match_address(u32 *field, __be32 value, __be32 mask,
			     u32 *bypasses, u32 bypass,
			     struct netlink_ext_ack *extack)
{
	return igb_match_field(field, get_unaligned_le32(&value),
			       get_unaligned_le32(&mask), U32_MAX,
			       bypasses, bypass, extack);
}

static int igb_match_port(u32 *field, __be16 value, __be16 mask,
			  u32 *bypasses, u32 bypass,
			  struct netlink_ext_ack *extack)
{
	return igb_match_field(field, get_unaligned_le16(&value),
			       get_unaligned_le16(&mask), U16_MAX,
			       bypasses, bypass, extack);
}

static int igb_parse_etype(const struct ethtool_rx_flow_spec *spec,
			   struct igb_match *match,
			   struct netlink_ext_ack *extack)
{
	const struct ethhdr *mask = &spec->m_u.ether_spec;
	__be16 proto = spec->h_u.ether_spec.h_proto;

	if (!is_zero_ether_addr(mask->h_dest) ||
	    !is_zero_ether_addr(mask->h_source) ||
	    mask->h_proto != cpu_to_be16(U16_MAX)) {
		NL_SET_ERR_MSG(extack,
			       "with flow-type ether all of proto is looked at, and nothing else");
		return -EOPNOTSUPP;
	}
	/* 7.1.2: what the chip takes apart further has filters of its own. */
	if (!eth_proto_is_802_3(proto) || eth_type_vlan(proto) ||
	    proto == cpu_to_be16(ETH_P_IP) ||
	    proto == cpu_to_be16(ETH_P_IPV6)) {
		NL_SET_ERR_MSG(extack,
			       "proto is an EtherType other than IP's and VLANs'");
		return -EINVAL;
	}
	match->kind = IGB_FILTER_ETYPE;
	match->type = be16_to_cpu(proto) | IGB_ETQF_FILTER_ENABLE |
		      IGB_ETQF_QUEUE_ENABLE;
	return 0;
}

/* user-def is TCP's flags as they are in the header. */
static int igb_parse_flags(const struct ethtool_rx_flow_spec *spec,
			   struct igb_match *match,
			   struct netlink_ext_ack *extack)
{
	if (spec->h_ext.data[0] ||
	    spec->h_ext.data[1] != cpu_to_be32(TCPHDR_SYN) ||
	    spec->m_ext.data[1] != cpu_to_be32(U32_MAX)) {
		NL_SET_ERR_MSG(extack,
			       "of TCP's flags only SYN is looked at, user-def 2");
		return -EOPNOTSUPP;
	}
	if ((spec->flow_type & ~FLOW_EXT) != TCP_V4_FLOW ||
	    memchr_inv(&spec->m_u.tcp_ip4_spec, 0,
		       sizeof(spec->m_u.tcp_ip4_spec))) {
		NL_SET_ERR_MSG(extack,
			       "user-def 2 goes with flow-type tcp4 and no other field");
		return -EOPNOTSUPP;
	}
	match->kind = IGB_FILTER_SYN;
	match->type = IGB_SYNQF_ENABLE;
	return 0;
}

static void igb_start_tuple(struct igb_match *match, u8 protocol)
{
	match->kind = IGB_FILTER_TUPLE;
	match->type = FIELD_PREP(IGB_FTQF_PROTOCOL, protocol) |
		      IGB_FTQF_VF_BP | IGB_FTQF_QUEUE_ENABLE;
}

static int igb_parse_l4(const struct ethtool_rx_flow_spec *spec, u8 protocol,
			struct igb_match *match, struct netlink_ext_ack *extack)
{
	const struct ethtool_tcpip4_spec *want = &spec->h_u.tcp_ip4_spec;
	const struct ethtool_tcpip4_spec *mask = &spec->m_u.tcp_ip4_spec;

	if (mask->tos) {
		NL_SET_ERR_MSG(extack,
			       "no filter looks at the type of service");
		return -EOPNOTSUPP;
	}
	if (protocol == IPPROTO_SCTP && (mask->psrc || mask->pdst)) {
		NL_SET_ERR_MSG(extack,
			       "only TCP's and UDP's ports are looked at");
		return -EOPNOTSUPP;
	}
	igb_start_tuple(match, protocol);
	return igb_match_address(&match->saddr, want->ip4src, mask->ip4src,
				 &match->type, IGB_FTQF_SADDR_BP, extack) ?:
	       igb_match_address(&match->daddr, want->ip4dst, mask->ip4dst,
				 &match->type, IGB_FTQF_DADDR_BP, extack) ?:
	       igb_match_port(&match->sport, want->psrc, mask->psrc,
			      &match->type, IGB_FTQF_SPORT_BP, extack) ?:
	       igb_match_port(&match->dport, want->pdst, mask->pdst,
			      &match->dport, IGB_IMIR_DPORT_BP, extack);
}

static int igb_parse_ip(const struct ethtool_rx_flow_spec *spec,
			struct igb_match *match, struct netlink_ext_ack *extack)
{
	const struct ethtool_usrip4_spec *want = &spec->h_u.usr_ip4_spec;
	const struct ethtool_usrip4_spec *mask = &spec->m_u.usr_ip4_spec;

	if (mask->tos || mask->l4_4_bytes || mask->ip_ver ||
	    want->ip_ver != ETH_RX_NFC_IP4) {
		NL_SET_ERR_MSG(extack,
			       "with flow-type ip4 only src-ip, dst-ip and l4proto are looked at");
		return -EOPNOTSUPP;
	}
	if (!mask->ip4src && !mask->ip4dst && !mask->proto) {
		NL_SET_ERR_MSG(extack,
			       "the rule says nothing about the frames that it is for");
		return -EINVAL;
	}
	igb_start_tuple(match, 0);
	match->type |= IGB_FTQF_SPORT_BP;
	match->dport = IGB_IMIR_DPORT_BP;
	return igb_match_address(&match->saddr, want->ip4src, mask->ip4src,
				 &match->type, IGB_FTQF_SADDR_BP, extack) ?:
	       igb_match_address(&match->daddr, want->ip4dst, mask->ip4dst,
				 &match->type, IGB_FTQF_DADDR_BP, extack) ?:
	       igb_match_field(&match->type, want->proto, mask->proto, U8_MAX,
			       &match->type, IGB_FTQF_PROTOCOL_BP, extack);
}

static int igb_parse_rule(const struct ethtool_rx_flow_spec *spec,
			  struct igb_match *match,
			  struct netlink_ext_ack *extack)
{
	if (spec->flow_type & (FLOW_MAC_EXT | FLOW_RSS) ||
	    (spec->flow_type & FLOW_EXT &&
	     (spec->m_ext.vlan_etype || spec->m_ext.vlan_tci))) {
		NL_SET_ERR_MSG(extack,
			       "no filter looks at MAC addresses or VLANs, or leads to RSS");
		return -EOPNOTSUPP;
	}
	if (spec->flow_type & FLOW_EXT &&
	    (spec->m_ext.data[0] || spec->m_ext.data[1]))
		return igb_parse_flags(spec, match, extack);

	switch (spec->flow_type & ~FLOW_EXT) {
	case ETHER_FLOW:
		return igb_parse_etype(spec, match, extack);
	case TCP_V4_FLOW:
		return igb_parse_l4(spec, IPPROTO_TCP, match, extack);
	case UDP_V4_FLOW:
		return igb_parse_l4(spec, IPPROTO_UDP, match, extack);
	case SCTP_V4_FLOW:
		return igb_parse_l4(spec, IPPROTO_SCTP, match, extack);
	case IPV4_USER_FLOW:
		return igb_parse_ip(spec, match, extack);
	default:
		NL_SET_ERR_MSG(extack,
			       "there are filters for flow-type ether, tcp4, udp4, sctp4 and ip4");
		return -EOPNOTSUPP;
	}
}

/* ---- Rules ------------------------------------------------------------- */

static bool igb_has_rule(const struct igb_adapter *adapter,
			 unsigned int location)
{
	return location < IGB_LOCATIONS &&
	       adapter->filters[location].spec.flow_type;
}

static int igb_no_rule(const struct igb_adapter *adapter)
{
	return adapter->filter_kinds ? -ENOENT : -EOPNOTSUPP;
}

static int igb_check_rule(const struct igb_adapter *adapter,
			  const struct ethtool_rx_flow_spec *spec,
			  const struct igb_match *match,
			  struct netlink_ext_ack *extack)
{
	if (!(adapter->filter_kinds & BIT(match->kind))) {
		NL_SET_ERR_MSG_FMT(extack, "this device has no %s filters",
				   igb_filter_table[match->kind].name);
		return -EOPNOTSUPP;
	}
	if (!(adapter->netdev->features & NETIF_F_NTUPLE)) {
		NL_SET_ERR_MSG(extack, "ntuple is off");
		return -EOPNOTSUPP;
	}
	if (spec->ring_cookie == RX_CLS_FLOW_DISC ||
	    spec->ring_cookie == RX_CLS_FLOW_WAKE) {
		NL_SET_ERR_MSG(extack,
			       "a filter leads to a queue, it neither drops nor wakes");
		return -EOPNOTSUPP;
	}
	if (spec->ring_cookie >= adapter->num_queues) {
		NL_SET_ERR_MSG_FMT(extack, "there are queues 0 to %u",
				   adapter->num_queues - 1);
		return -EINVAL;
	}
	return 0;
}

/* Another rule for the same frames would never see one. */
static int igb_check_unique(const struct igb_adapter *adapter,
			    const struct igb_match *match, u32 location,
			    struct netlink_ext_ack *extack)
{
	unsigned int i;

	for (i = 0; i < IGB_LOCATIONS; i++) {
		if (i == location || !igb_has_rule(adapter, i) ||
		    memcmp(&adapter->filters[i].match, match, sizeof(*match)))
			continue;
		NL_SET_ERR_MSG_FMT(extack, "rule %u is for the same frames", i);
		return -EEXIST;
	}
	return 0;
}

/* Return: a location for that kind of rule, or an error. */
static int igb_find_location(const struct igb_adapter *adapter,
			     enum igb_filter_kind kind, u32 wanted,
			     struct netlink_ext_ack *extack)
{
	unsigned int first = igb_filter_table[kind].first;
	unsigned int end = first + igb_filter_table[kind].count;
	unsigned int i;

	if (wanted >= first && wanted < end)
		return wanted;
	if (wanted != RX_CLS_LOC_ANY) {
		NL_SET_ERR_MSG_FMT(extack, "%s filters have locations %u to %u",
				   igb_filter_table[kind].name, first, end - 1);
		return -EINVAL;
	}
	for (i = first; i < end; i++)
		if (!igb_has_rule(adapter, i))
			return i;
	NL_SET_ERR_MSG_FMT(extack, "all %s filters are in use",
			   igb_filter_table[kind].name);
	return -ENOSPC;
}

/* Return: where the rule goes, or an error. */
static int igb_place_rule(const struct igb_adapter *adapter,
			  const struct ethtool_rx_flow_spec *spec,
			  struct igb_match *match,
			  struct netlink_ext_ack *extack)
{
	int err;

	err = igb_parse_rule(spec, match, extack);
	if (!err)
		err = igb_check_rule(adapter, spec, match, extack);
	if (!err)
		err = igb_check_unique(adapter, match, spec->location, extack);
	if (err)
		return err;
	return igb_find_location(adapter, match->kind, spec->location, extack);
}

/**
 * igb_filter_insert() - have a rule steer frames to a queue
 * @adapter: the port
 * @spec: the rule; its location is one of a filter of its kind, whose rule it
 *	then replaces, or RX_CLS_LOC_ANY, and is set to where it went
 *
 * The kernel's log says why a rule is refused, as this call has no other way.
 *
 * Context: process context, RTNL.
 * Return: 0, or with nothing changed -EOPNOTSUPP when the chip cannot do it,
 * -EINVAL when nobody could, -EEXIST when there is another rule for the same
 * frames, -ENOSPC when all filters of that kind are in use.
 */
int igb_filter_insert(struct igb_adapter *adapter,
		      struct ethtool_rx_flow_spec *spec)
{
	struct netlink_ext_ack extack = {};
	struct igb_match match = {};
	int location;

	ASSERT_RTNL();

	location = igb_place_rule(adapter, spec, &match, &extack);
	if (location < 0) {
		netdev_info(adapter->netdev, "rule refused: %s\n", extack._msg);
		return location;
	}
	spec->location = location;
	adapter->filters[location].spec = *spec;
	adapter->filters[location].match = match;
	igb_write_filter(adapter, location);
	return 0;
}

/**
 * igb_filter_delete() - take a rule back
 * @adapter: the port
 * @location: where it is
 *
 * Context: process context, RTNL.
 * Return: 0, -ENOENT when there is none, -EOPNOTSUPP without filters.
 */
int igb_filter_delete(struct igb_adapter *adapter, u32 location)
{
	ASSERT_RTNL();

	if (!igb_has_rule(adapter, location))
		return igb_no_rule(adapter);
	adapter->filters[location] = (struct igb_filter) {};
	igb_write_filter(adapter, location);
	return 0;
}

/**
 * igb_filter_clear() - take all rules back
 * @adapter: the port
 *
 * Context: process context, RTNL.
 */
void igb_filter_clear(struct igb_adapter *adapter)
{
	unsigned int i;

	for (i = 0; i < IGB_LOCATIONS; i++)
		igb_filter_delete(adapter, i);
}

/**
 * igb_filter_get() - look a rule up
 * @adapter: the port
 * @spec: where the rule goes; its location is where to look
 *
 * Context: process context, RTNL.
 * Return: 0, -ENOENT when there is none, -EOPNOTSUPP without filters.
 */
int igb_filter_get(const struct igb_adapter *adapter,
		   struct ethtool_rx_flow_spec *spec)
{
	if (!igb_has_rule(adapter, spec->location))
		return igb_no_rule(adapter);
	*spec = adapter->filters[spec->location].spec;
	return 0;
}

/**
 * igb_filter_list() - where rules are
 * @adapter: the port
 * @info: ETHTOOL_GRXCLSRLCNT to count them, ETHTOOL_GRXCLSRLALL for at most
 *	rule_cnt locations; how many there are and could be goes there
 * @locations: where the locations go
 *
 * Context: process context, RTNL.
 * Return: 0, -EOPNOTSUPP when there are no filters, -EMSGSIZE when there are
 * more rules.
 */
int igb_filter_list(const struct igb_adapter *adapter,
		    struct ethtool_rxnfc *info, u32 *locations)
{
	bool all = info->cmd == ETHTOOL_GRXCLSRLALL;
	unsigned int count = 0;
	unsigned int i;

	if (!adapter->filter_kinds)
		return -EOPNOTSUPP;
	for (i = 0; i < IGB_LOCATIONS; i++) {
		if (!igb_has_rule(adapter, i))
			continue;
		if (all && count == info->rule_cnt)
			return -EMSGSIZE;
		if (all)
			locations[count] = i;
		count++;
	}
	info->rule_cnt = count;
	info->data = IGB_LOCATIONS | (all ? 0 : RX_CLS_LOC_SPECIAL);
	return 0;
}

/**
 * igb_filter_restore() - tell the chip of the rules again
 * @adapter: the port, after a reset
 *
 * Context: process context; RTNL, or probe.
 */
void igb_filter_restore(struct igb_adapter *adapter)
{
	enum igb_filter_kind kind;
	unsigned int i, first;

	for (kind = 0; kind < IGB_FILTER_KINDS; kind++) {
		if (!(adapter->filter_kinds & BIT(kind)))
			continue;
		first = igb_filter_table[kind].first;
		for (i = 0; i < igb_filter_table[kind].count; i++)
			igb_write_filter(adapter, first + i);
	}
}

/**
 * igb_filter_init() - find out what filters there are, and offer them
 * @adapter: the port, just reset
 *
 * Context: process context; probe only.
 */
void igb_filter_init(struct igb_adapter *adapter)
{
	enum igb_filter_kind kind;

	for (kind = 0; kind < IGB_FILTER_KINDS; kind++)
		if (igb_has_filters(&adapter->hw, kind))
			adapter->filter_kinds |= BIT(kind);
	if (!adapter->filter_kinds)
		return;
	adapter->netdev->hw_features |= NETIF_F_NTUPLE;
	adapter->netdev->features |= NETIF_F_NTUPLE;
}
