/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/link/frame.h"

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <string.h>

#define TAG_TYPE_AT 12 /* where the tag begins: in the place of the type */
#define TAG_BYTES   4
#define VLAN_MASK   0xfff

_Static_assert(sizeof(struct rte_ether_hdr) == LINK_HEADER, "without a tag");
_Static_assert(LINK_HEADER_MAX == LINK_HEADER + TAG_BYTES, "with one");

static uint16_t get16(const struct rte_mbuf *pkt, unsigned at)
{
	uint16_t value;

	memcpy(&value, rte_pktmbuf_mtod_offset(pkt, const uint8_t *, at), sizeof(value));
	return rte_be_to_cpu_16(value);
}

static bool is_tag(uint16_t type)
{
	return type == RTE_ETHER_TYPE_VLAN || type == RTE_ETHER_TYPE_QINQ;
}

/* The tag that stands in the frame; a device that took it out tells in the mbuf. */
static enum stack_counter tag_read(const struct rte_mbuf *pkt, struct frame *out, uint16_t *vlan)
{
	bool stripped = pkt->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED;

	*vlan = stripped ? pkt->vlan_tci & VLAN_MASK : 0;
	if (!is_tag(out->type))
		return COUNTER_NONE;
	if (stripped || out->type == RTE_ETHER_TYPE_QINQ)
		return COUNTER_link_stacked_tags;
	if (pkt->data_len < LINK_HEADER_MAX)
		return COUNTER_link_truncated;
	*vlan = get16(pkt, LINK_HEADER) & VLAN_MASK;
	out->type = get16(pkt, LINK_HEADER + 2);
	out->header_bytes = LINK_HEADER_MAX;
	return is_tag(out->type) ? COUNTER_link_stacked_tags : COUNTER_NONE;
}

static bool is_ip6_group(const uint8_t mac[6])
{
	return mac[0] == 0x33 && mac[1] == 0x33;
}

static bool has_group(const struct link_port *port, const uint8_t mac[6])
{
	return port->groups[mac[5] / 64] >> mac[5] % 64 & 1;
}

static enum stack_counter stations_check(const struct link_port *port,
					 const struct rte_ether_hdr *eth, bool *to_us)
{
	const uint8_t *dst = eth->dst_addr.addr_bytes;

	*to_us = memcmp(dst, port->mac, sizeof(port->mac)) == 0;
	if (!*to_us && rte_is_unicast_ether_addr(&eth->dst_addr))
		return COUNTER_link_not_for_us;
	if (is_ip6_group(dst) && !has_group(port, dst))
		return COUNTER_link_not_for_us;
	if (rte_is_multicast_ether_addr(&eth->src_addr) ||
	    memcmp(&eth->src_addr, port->mac, sizeof(port->mac)) == 0)
		return COUNTER_link_own_source;
	return COUNTER_NONE;
}

enum stack_counter frame_check(const struct link_port *port, const struct rte_mbuf *pkt,
			       struct frame *out)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(pkt, const struct rte_ether_hdr *);
	enum stack_counter fault;
	uint16_t vlan;

	if (pkt->data_len < LINK_HEADER)
		return COUNTER_link_truncated;
	fault = stations_check(port, eth, &out->to_us);
	if (fault != COUNTER_NONE)
		return fault;
	out->type = rte_be_to_cpu_16(eth->ether_type);
	out->header_bytes = LINK_HEADER;
	fault = tag_read(pkt, out, &vlan);
	if (fault != COUNTER_NONE)
		return fault;
	/* IEEE 802.1Q §6.9: VLAN 0 is a tag with a priority only, and is as good as none. */
	return vlan == port->vlan ? COUNTER_NONE : COUNTER_link_other_vlan;
}

void frame_header_make(const struct link_port *port, const uint8_t dst[6], uint16_t type,
		       uint8_t header[LINK_HEADER_MAX])
{
	uint16_t tag[2] = {RTE_BE16(RTE_ETHER_TYPE_VLAN), rte_cpu_to_be_16(port->vlan)};
	uint16_t type_be = rte_cpu_to_be_16(type);

	memcpy(header, dst, 6);
	memcpy(header + 6, port->mac, 6);
	if (port->vlan)
		memcpy(header + TAG_TYPE_AT, tag, sizeof(tag));
	memcpy(header + port->header_bytes - 2, &type_be, sizeof(type_be));
}

void link_group_mac(const struct addr *group, uint8_t mac[6])
{
	mac[0] = mac[1] = 0x33;
	memcpy(mac + 2, group->bytes + 12, 4);
}

void frame_group_add(struct link_port *port, const struct addr *group)
{
	uint8_t last = group->bytes[15];

	port->groups[last / 64] |= 1ull << last % 64;
}
