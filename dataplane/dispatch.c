/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/dispatch.h"

#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_icmp.h>
#include <rte_ip.h>
#include <rte_mbuf.h>

#define NDP_FIRST    133 /* RFC 4861 §4 */
#define NDP_LAST     137
#define ICMP6_HEADER 8

/* A flow as it is seen on input: the peer is the source. Ports in network byte order. */
struct flow {
	uint32_t remote, local; /* IPv6 addresses folded */
	uint16_t remote_port, local_port;
};

static uint32_t mix(uint32_t h)
{
	h ^= h >> 16;
	h *= 0x85ebca6bu;
	h ^= h >> 13;
	h *= 0xc2b2ae35u;
	return h ^ h >> 16;
}

static uint32_t flow_worker(const struct flow *f, unsigned workers)
{
	uint32_t h = mix(f->remote ^ mix(f->local));

	h = mix(h ^ ((uint32_t)f->remote_port << 16 | f->local_port));
	return (uint32_t)((uint64_t)h * workers >> 32);
}

static uint32_t fold(const uint8_t *bytes, unsigned words)
{
	uint32_t sum = 0, word;

	for (unsigned i = 0; i < words; i++) {
		memcpy(&word, bytes + 4 * i, sizeof(word));
		sum ^= word;
	}
	return sum;
}

/* The transport header of an IPv4 packet at `offset`; 0 if there is no port to read. */
static uint32_t ip4_flow(const struct rte_mbuf *m, uint32_t offset, bool quoted, struct flow *f)
{
	const struct rte_ipv4_hdr *ip;
	const uint16_t *ports;
	uint32_t next;

	if (m->data_len < offset + sizeof(*ip))
		return 0;
	ip = rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, offset);
	next = offset + rte_ipv4_hdr_len(ip);
	if (m->data_len < next + 4)
		return 0;
	ports = rte_pktmbuf_mtod_offset(m, const uint16_t *, next);
	*f = (struct flow){ip->src_addr, ip->dst_addr, ports[0], ports[1]};
	if (quoted) /* a packet of ours comes back: we were the source */
		*f = (struct flow){ip->dst_addr, ip->src_addr, ports[1], ports[0]};
	return next;
}

static bool has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

static uint32_t ip4_owner(const struct rte_mbuf *m, uint32_t offset, unsigned workers)
{
	const struct rte_ipv4_hdr *ip =
		rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, offset);
	const struct rte_icmp_hdr *icmp;
	struct flow f;
	uint32_t next = ip4_flow(m, offset, false, &f);

	if (!next ||
	    (ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_OFFSET_MASK | RTE_IPV4_HDR_MF_FLAG)))
		return 0;
	if (has_ports(ip->next_proto_id))
		return flow_worker(&f, workers);
	if (ip->next_proto_id != IPPROTO_ICMP || m->data_len < next + sizeof(*icmp))
		return 0;
	icmp = rte_pktmbuf_mtod_offset(m, const struct rte_icmp_hdr *, next);
	if (icmp->icmp_type == 8 || icmp->icmp_type == 0)
		return 0;
	return ip4_flow(m, next + sizeof(*icmp), true, &f) ? flow_worker(&f, workers) : 0;
}

static const struct rte_ipv6_hdr *ip6_at(const struct rte_mbuf *m, uint32_t offset)
{
	if (m->data_len < offset + sizeof(struct rte_ipv6_hdr) + 4)
		return NULL;
	return rte_pktmbuf_mtod_offset(m, const struct rte_ipv6_hdr *, offset);
}

/* Of a packet without extension headers, received or quoted. */
static uint32_t ip6_flow_owner(const struct rte_mbuf *m, uint32_t offset, bool quoted,
			       unsigned workers)
{
	const struct rte_ipv6_hdr *ip = ip6_at(m, offset);
	const uint16_t *ports;
	struct flow f;

	if (!ip || !has_ports(ip->proto))
		return 0;
	ports = rte_pktmbuf_mtod_offset(m, const uint16_t *, offset + sizeof(*ip));
	f = (struct flow){fold(ip->src_addr, 4), fold(ip->dst_addr, 4), ports[0], ports[1]};
	if (quoted)
		f = (struct flow){f.local, f.remote, f.local_port, f.remote_port};
	return flow_worker(&f, workers);
}

/* RFC 4443 §2.1: errors are below 128, and quote. RFC 4861: every worker has neighbours. */
static uint32_t icmp6_owner(const struct rte_mbuf *m, uint32_t offset, unsigned workers)
{
	uint8_t type = *rte_pktmbuf_mtod_offset(m, const uint8_t *, offset);

	if (type >= NDP_FIRST && type <= NDP_LAST)
		return DISPATCH_ALL;
	return type < 128 ? ip6_flow_owner(m, offset + ICMP6_HEADER, true, workers) : 0;
}

static uint32_t ip6_owner(const struct rte_mbuf *m, uint32_t offset, unsigned workers)
{
	const struct rte_ipv6_hdr *ip = ip6_at(m, offset);

	if (ip && ip->proto == IPPROTO_ICMPV6)
		return icmp6_owner(m, offset + sizeof(*ip), workers);
	return ip6_flow_owner(m, offset, false, workers);
}

uint32_t dispatch_owner(const struct rte_mbuf *m, unsigned workers)
{
	uint32_t offset = sizeof(struct rte_ether_hdr);
	uint16_t type;

	if (m->data_len < offset)
		return 0;
	type = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *)->ether_type;
	if (type == RTE_BE16(RTE_ETHER_TYPE_VLAN) &&
	    m->data_len >= offset + sizeof(struct rte_vlan_hdr)) {
		type = rte_pktmbuf_mtod_offset(m, const struct rte_vlan_hdr *, offset)->eth_proto;
		offset += sizeof(struct rte_vlan_hdr);
	}
	if (type == RTE_BE16(RTE_ETHER_TYPE_IPV4))
		return m->data_len < offset + sizeof(struct rte_ipv4_hdr)
			       ? 0
			       : ip4_owner(m, offset, workers);
	if (type == RTE_BE16(RTE_ETHER_TYPE_IPV6))
		return ip6_owner(m, offset, workers);
	return type == RTE_BE16(RTE_ETHER_TYPE_ARP) ? DISPATCH_ALL : 0;
}

bool dispatch_owns(const struct endpoint *local, const struct endpoint *remote, unsigned worker,
		   unsigned workers)
{
	unsigned words = local->addr.family == ADDR_IP6 ? 4 : 1;
	struct flow f = {
		.remote = fold(remote->addr.bytes, words),
		.local = fold(local->addr.bytes, words),
		.remote_port = rte_cpu_to_be_16(remote->port),
		.local_port = rte_cpu_to_be_16(local->port),
	};

	return flow_worker(&f, workers) == worker;
}
