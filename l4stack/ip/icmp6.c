/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMP for IPv6, in: RFC 4443. Discovery is link/ndp.c's, what we send of errors icmp6_error.c's.
 */
#include <rte_mbuf.h>
#include <string.h>

#include "l4stack/base/csum.h"
#include "l4stack/base/pkt.h"
#include "l4stack/ip/ip6.h"
#include "l4stack/ip/ip6_ext.h"
#include "l4stack/ip/mld.h"
#include "l4stack/link/ndp.h"

#define ECHOES_PER_SECOND 1000
#define ECHOES_BURST      200

#define TYPE_ECHO_REQUEST 128
#define TYPE_ECHO_REPLY   129

#define ICMP_HEADER  sizeof(struct icmp6_header)
#define TRANSPORT_AT 8   /* how much of the transport's header an error has to quote */
#define QUOTE_MOST   512 /* bytes of the quoted packet in which its transport is looked for */
#define SUM_RIGHT    0xffff

void icmp6_reply(struct stack *stack, const struct ip_rx *rx, struct rte_mbuf *pkt)
{
	static const struct addr any_source;
	struct ip_path path;
	uint16_t sum;

	if (ip_path_find(stack, &rx->src, addr_is_group(&rx->dst) ? &any_source : &rx->dst,
			 &path) != 0) {
		stack_drop(stack, pkt, COUNTER_ip_no_route);
		return;
	}
	sum = csum_add(csum_pseudo(&path.src, &path.dst, IP_PROTOCOL_ICMP6, pkt->pkt_len),
		       csum_mbuf(pkt, 0, pkt->pkt_len));
	rte_pktmbuf_mtod(pkt, struct icmp6_header *)->csum = csum_finish(sum);
	stack_count(stack, icmp6_packets_out);
	ip_output(stack, &path, IP_PROTOCOL_ICMP6, pkt, 0);
	ip_path_release(stack, &path);
}

/* RFC 4443 §4.2. The data goes back in the mbufs it came in, behind a header of its own. */
static void echo_reply(struct stack *stack, const struct ip_rx *rx, struct rte_mbuf *pkt)
{
	struct rte_mbuf *reply = rte_pktmbuf_alloc(stack->pools.control);
	struct icmp6_header *icmp;

	if (!reply) {
		stack_drop(stack, pkt, COUNTER_ip_no_mbuf);
		return;
	}
	icmp = (struct icmp6_header *)rte_pktmbuf_append(reply, ICMP_HEADER);
	*icmp = (struct icmp6_header){
		.type = TYPE_ECHO_REPLY,
		.word = rte_pktmbuf_mtod(pkt, const struct icmp6_header *)->word,
	};
	pkt_pull(pkt, ICMP_HEADER);
	pkt_chain(reply, pkt);
	icmp6_reply(stack, rx, reply);
}

static void echo_input(struct stack *stack, const struct ip_rx *rx, struct rte_mbuf *pkt)
{
	stack_count(stack, icmp6_echo_in);
	if (bucket_take(&stack->ip->echo6_limit, stack->now_us, ECHOES_PER_SECOND, ECHOES_BURST))
		echo_reply(stack, rx, pkt);
	else
		stack_drop(stack, pkt, COUNTER_icmp6_echo_limited);
}

/* ---- errors ---- */

/* RFC 4443 §3: which of them end a connection that is not yet open (RFC 1122 §4.2.3.9 by analogy,
 * RFC 5461 §2). */
static bool error_kind(const struct icmp6_header *icmp, enum ip_error *kind)
{
	static const uint8_t hard_codes = 1 << 1 | 1 << 4 | 1 << 5 | 1 << 6;

	*kind = IP_ERROR_UNREACHABLE_SOFT;
	if (icmp->type == ICMP6_TOO_BIG)
		*kind = IP_ERROR_TOO_BIG;
	else if (icmp->type == ICMP6_UNREACHABLE && icmp->code < 8 && hard_codes >> icmp->code & 1)
		*kind = IP_ERROR_UNREACHABLE_HARD;
	else if (icmp->type == ICMP6_PARAMETER && icmp->code == ICMP6_CODE_NEXT_HEADER)
		*kind = IP_ERROR_UNREACHABLE_HARD;
	return icmp->type >= ICMP6_UNREACHABLE && icmp->type <= ICMP6_PARAMETER;
}

/* Where the transport's header is in a quoted packet of `len` bytes. */
static bool transport_find(const uint8_t *quoted, uint32_t len, struct ip_error_info *error)
{
	const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)quoted;
	struct ip6_fragment fragment;
	struct ip6_walk walk;

	ip6_walk(quoted, len, IP6_HEADER, ip->proto, offsetof(struct rte_ipv6_hdr, proto), &walk);
	if (walk.end == IP6_WALK_FRAGMENT) {
		ip6_fragment_read(quoted + walk.at, &fragment);
		if (fragment.offset != 0)
			return false;
		ip6_walk(quoted, len, walk.at + IP6_FRAGMENT_HEADER, fragment.protocol, walk.at,
			 &walk);
	}
	if (walk.end != IP6_WALK_UPPER || !ip_has_errors(walk.protocol) || walk.at > len ||
	    len - walk.at < TRANSPORT_AT)
		return false;
	error->protocol = walk.protocol;
	memcpy(error->quoted, quoted + walk.at, sizeof(error->quoted));
	return true;
}

/* An error goes to the source of what it is about, which we are. */
static bool quote_parse(const struct stack *stack, const struct ip_rx *rx, const uint8_t *quoted,
			uint32_t len, struct ip_error_info *error)
{
	const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)quoted;
	struct addr local, remote;

	if (len < IP6_HEADER || quoted[0] >> 4 != 6)
		return false;
	local = addr_from_ip6(ip->src_addr);
	remote = addr_from_ip6(ip->dst_addr);
	error->local = addr_on_port(&local, rx->port);
	error->remote = addr_on_port(&remote, rx->port);
	if (!addr_equal(&error->local, &rx->dst) ||
	    ip_address_kind(stack, &error->remote) != IP_ADDRESS_OTHER)
		return false;
	return transport_find(quoted, len, error);
}

/* RFC 8201 §4: less than IPv6's least MTU is not believed, nor more than what was sent. */
static bool mtu_parse(const struct icmp6_header *icmp, const uint8_t *quoted, uint16_t *mtu)
{
	const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)quoted;
	uint32_t told = rte_be_to_cpu_32(icmp->word);
	uint32_t sent = (uint32_t)IP6_HEADER + rte_be_to_cpu_16(ip->payload_len);

	*mtu = (uint16_t)told;
	return told >= IP6_MTU_MIN && told < sent;
}

static enum stack_counter error_parse(const struct stack *stack, const struct ip_rx *rx,
				      const struct rte_mbuf *pkt, struct ip_error_info *error)
{
	const struct icmp6_header *icmp = rte_pktmbuf_mtod(pkt, const struct icmp6_header *);
	uint32_t len = RTE_MIN(pkt->pkt_len - (uint32_t)ICMP_HEADER, (uint32_t)QUOTE_MOST);
	uint8_t quoted[QUOTE_MOST];

	if (!error_kind(icmp, &error->kind))
		return COUNTER_icmp6_ignored;
	if (!pkt_read(pkt, ICMP_HEADER, len, quoted) || !quote_parse(stack, rx, quoted, len, error))
		return COUNTER_icmp6_bad_quote;
	if (error->kind == IP_ERROR_TOO_BIG && !mtu_parse(icmp, quoted, &error->mtu))
		return COUNTER_icmp6_bad_quote;
	return COUNTER_icmp6_errors_in;
}

static void error_input(struct stack *stack, const struct ip_rx *rx, struct rte_mbuf *pkt)
{
	struct ip_error_info error = {0};
	enum stack_counter verdict = error_parse(stack, rx, pkt, &error);

	stack_drop(stack, pkt, verdict);
	if (verdict == COUNTER_icmp6_errors_in)
		ip_error_deliver(stack, &error);
}

static bool csum_ok(const struct ip_rx *rx, const struct rte_mbuf *pkt)
{
	uint16_t pseudo = csum_pseudo(&rx->src, &rx->dst, IP_PROTOCOL_ICMP6, pkt->pkt_len);

	return csum_add(pseudo, csum_mbuf(pkt, 0, pkt->pkt_len)) == SUM_RIGHT;
}

static void message_input(struct stack *stack, const struct ip6_packet *packet,
			  struct rte_mbuf *pkt)
{
	uint8_t type = rte_pktmbuf_mtod(pkt, const struct icmp6_header *)->type;

	bool discovery = type >= NDP_TYPE_FIRST && type <= NDP_TYPE_LAST;

	/* RFC 6980 §5 */
	if (discovery && packet->reassembled)
		stack_drop(stack, pkt, COUNTER_ndp_fragmented);
	else if (discovery)
		ndp_input(stack, &packet->rx, pkt);
	else if (type == MLD_TYPE_QUERY)
		mld_input(stack, packet, pkt);
	else if (addr_is_any(&packet->rx.src))
		stack_drop(stack, pkt, COUNTER_icmp6_ignored);
	else if (type == TYPE_ECHO_REQUEST)
		echo_input(stack, &packet->rx, pkt);
	else
		error_input(stack, &packet->rx, pkt);
}

void icmp6_input(struct stack *stack, const struct ip6_packet *packet, struct rte_mbuf *pkt)
{
	stack_count(stack, icmp6_packets_in);
	if (pkt->data_len < ICMP_HEADER)
		stack_drop(stack, pkt, COUNTER_icmp6_truncated);
	else if (!csum_ok(&packet->rx, pkt))
		stack_drop(stack, pkt, COUNTER_icmp6_bad_csum);
	else
		message_input(stack, packet, pkt);
}
