/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMP for IPv4: RFC 792, RFC 1122 §3.2.2. */
#include <rte_icmp.h>
#include <rte_ip.h>
#include <rte_mbuf.h>

#include "l4stack/base/csum.h"
#include "l4stack/base/pkt.h"
#include "l4stack/ip/ip4.h"

#define ECHOES_PER_SECOND 1000
#define ECHOES_BURST      200
#define ERRORS_PER_SECOND 100
#define ERRORS_BURST      50

#define TYPE_UNREACHABLE   3
#define TYPE_TIME_EXCEEDED 11
#define TYPE_PARAMETER     12
#define CODE_TOO_BIG       4
#define CODE_REASSEMBLY    1

#define ICMP_HEADER  sizeof(struct rte_icmp_hdr)
#define QUOTE_MAX    128 /* of the packet an error of ours is about; RFC 1122 wants header + 8 */
#define MTU_SMALLEST 68  /* RFC 791 §3.2 */

/* NULL when there is no mbuf. */
static struct rte_mbuf *icmp_alloc(struct stack *stack, uint16_t bytes)
{
	struct rte_mbuf *pkt = rte_pktmbuf_alloc(stack->pools.control);

	if (!pkt) {
		stack_count(stack, ip_no_mbuf);
		return NULL;
	}
	rte_pktmbuf_append(pkt, bytes);
	return pkt;
}

/* Answers the sender of `rx` from the address it wrote to. */
static void icmp_reply(struct stack *stack, const struct ip_rx *rx, struct rte_mbuf *pkt)
{
	struct ip_path path;

	if (ip_path_find(stack, &rx->src, &rx->dst, &path) != 0) {
		stack_drop(stack, pkt, COUNTER_ip_no_route);
		return;
	}
	stack_count(stack, icmp4_packets_out);
	ip_output(stack, &path, IP_PROTOCOL_ICMP4, pkt, 0);
	ip_path_release(stack, &path);
}

/* RFC 1122 §3.2.2.6. The data goes back in the mbufs it came in, behind a header of its own. */
static void echo_reply(struct stack *stack, const struct ip_rx *rx, struct rte_mbuf *pkt)
{
	struct rte_mbuf *reply;
	struct rte_icmp_hdr *icmp;

	reply = icmp_alloc(stack, ICMP_HEADER);
	if (!reply) {
		rte_pktmbuf_free(pkt);
		return;
	}
	icmp = rte_pktmbuf_mtod(reply, struct rte_icmp_hdr *);
	*icmp = *rte_pktmbuf_mtod(pkt, const struct rte_icmp_hdr *);
	icmp->icmp_cksum =
		csum_update16(icmp->icmp_cksum, RTE_IP_ICMP_ECHO_REQUEST, RTE_IP_ICMP_ECHO_REPLY);
	icmp->icmp_type = RTE_IP_ICMP_ECHO_REPLY;
	pkt_pull(pkt, ICMP_HEADER);
	pkt_chain(reply, pkt);
	icmp_reply(stack, rx, reply);
}

static void echo_input(struct stack *stack, const struct ip_rx *rx, struct rte_mbuf *pkt)
{
	stack_count(stack, icmp4_echo_in);
	if (bucket_take(&stack->ip->echo_limit, stack->now_us, ECHOES_PER_SECOND, ECHOES_BURST))
		echo_reply(stack, rx, pkt);
	else
		stack_drop(stack, pkt, COUNTER_icmp4_echo_limited);
}

/* The packet quoted by an error: of ours, and with the transport's first 8 bytes. */
static bool quote_parse(const struct stack *stack, const struct ip_rx *rx,
			const struct rte_mbuf *pkt, struct rte_ipv4_hdr *ip,
			struct ip_error_info *error)
{
	if (!pkt_read(pkt, ICMP_HEADER, sizeof(*ip), ip))
		return false;
	if (ip->version != 4 || ip->ihl * 4u < IP4_HEADER || !ip_has_errors(ip->next_proto_id))
		return false;
	error->protocol = ip->next_proto_id;
	if (ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_OFFSET_MASK))
		return false;
	error->local = addr_from_ip4(ip->src_addr);
	error->remote = addr_from_ip4(ip->dst_addr);
	/* An error goes to the source of what it is about, which we are. */
	if (!addr_equal(&error->local, &rx->dst) ||
	    ip_address_kind(stack, &error->remote) != IP_ADDRESS_OTHER)
		return false;
	return pkt_read(pkt, ICMP_HEADER + ip->ihl * 4u, sizeof(error->quoted), error->quoted);
}

/* RFC 1191 §5: a router that does not tell the MTU of its next hop gets the next lower one
 * that is common. */
static uint16_t plateau_below(uint16_t bytes)
{
	static const uint16_t plateaus[] = {32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296};

	for (unsigned i = 0; i < RTE_DIM(plateaus); i++)
		if (plateaus[i] < bytes)
			return plateaus[i];
	return MTU_SMALLEST;
}

/* The second half of the header's last word (RFC 1191 §4) is where rte_icmp_hdr has the
 * sequence number. */
static bool mtu_parse(const struct rte_icmp_hdr *icmp, const struct rte_ipv4_hdr *quoted,
		      uint16_t *mtu)
{
	uint16_t total = rte_be_to_cpu_16(quoted->total_length);

	*mtu = rte_be_to_cpu_16(icmp->icmp_seq_nb);
	if (*mtu == 0)
		*mtu = plateau_below(total);
	return *mtu >= MTU_SMALLEST && *mtu < total;
}

/* RFC 1122 §4.2.3.9, and RFC 1812 §5.2.7.1 for the codes that came later. */
static bool error_kind(const struct rte_icmp_hdr *icmp, enum ip_error *kind)
{
	static const uint16_t hard_codes = 1 << 2 | 1 << 3 | 1 << 9 | 1 << 10 | 1 << 13;
	uint8_t code = icmp->icmp_code;

	*kind = IP_ERROR_UNREACHABLE_SOFT;
	if (icmp->icmp_type == TYPE_TIME_EXCEEDED || icmp->icmp_type == TYPE_PARAMETER)
		return true;
	if (icmp->icmp_type != TYPE_UNREACHABLE || code > 15)
		return false;
	if (code == CODE_TOO_BIG)
		*kind = IP_ERROR_TOO_BIG;
	else if (hard_codes >> code & 1)
		*kind = IP_ERROR_UNREACHABLE_HARD;
	return true;
}

static enum stack_counter error_parse(const struct stack *stack, const struct ip_rx *rx,
				      const struct rte_mbuf *pkt, struct ip_error_info *error)
{
	const struct rte_icmp_hdr *icmp = rte_pktmbuf_mtod(pkt, const struct rte_icmp_hdr *);
	struct rte_ipv4_hdr quoted;

	if (!error_kind(icmp, &error->kind))
		return COUNTER_icmp4_ignored;
	if (!quote_parse(stack, rx, pkt, &quoted, error))
		return COUNTER_icmp4_bad_quote;
	if (error->kind == IP_ERROR_TOO_BIG && !mtu_parse(icmp, &quoted, &error->mtu))
		return COUNTER_icmp4_bad_quote;
	return COUNTER_icmp4_errors_in;
}

static void error_input(struct stack *stack, const struct ip_rx *rx, struct rte_mbuf *pkt)
{
	struct ip_error_info error = {0};
	enum stack_counter verdict = error_parse(stack, rx, pkt, &error);

	stack_drop(stack, pkt, verdict);
	if (verdict == COUNTER_icmp4_errors_in)
		ip_error_deliver(stack, &error);
}

void icmp4_input(struct stack *stack, const struct ip_rx *rx, struct rte_mbuf *pkt)
{
	stack_count(stack, icmp4_packets_in);
	if (pkt->data_len < ICMP_HEADER) {
		stack_drop(stack, pkt, COUNTER_icmp4_truncated);
		return;
	}
	if (csum_mbuf(pkt, 0, pkt->pkt_len) != UINT16_MAX) {
		stack_drop(stack, pkt, COUNTER_icmp4_bad_csum);
		return;
	}
	if (rte_pktmbuf_mtod(pkt, const struct rte_icmp_hdr *)->icmp_type ==
	    RTE_IP_ICMP_ECHO_REQUEST)
		echo_input(stack, rx, pkt);
	else
		error_input(stack, rx, pkt);
}

static struct rte_mbuf *error_make(struct stack *stack, const struct rte_mbuf *about, uint8_t type,
				   uint8_t code)
{
	uint16_t quote = (uint16_t)RTE_MIN(about->pkt_len, (uint32_t)QUOTE_MAX);
	struct rte_mbuf *pkt = icmp_alloc(stack, (uint16_t)(ICMP_HEADER + quote));
	struct rte_icmp_hdr *icmp;

	if (!pkt)
		return NULL;
	icmp = rte_pktmbuf_mtod(pkt, struct rte_icmp_hdr *);
	*icmp = (struct rte_icmp_hdr){.icmp_type = type, .icmp_code = code};
	pkt_read(about, 0, quote, icmp + 1);
	icmp->icmp_cksum = csum_finish(csum_bytes(icmp, pkt->data_len));
	return pkt;
}

/* RFC 1812 §4.3.2.8: limited. What RFC 1122 §3.2.2 forbids to answer (groups, fragments,
 * broadcasts) does not come here; errors are not answered because ICMP has no ports and is told of
 * no timeout. */
static void error_send(struct stack *stack, const struct ip4_packet *about, struct rte_mbuf *pkt,
		       uint8_t type, uint8_t code)
{
	struct rte_mbuf *error = NULL;

	if (bucket_take(&stack->ip->error_limit, stack->now_us, ERRORS_PER_SECOND, ERRORS_BURST)) {
		error = error_make(stack, pkt, type, code);
	} else {
		stack_count(stack, icmp4_errors_limited);
	}
	rte_pktmbuf_free(pkt);
	if (!error)
		return;
	stack_count(stack, icmp4_errors_out);
	icmp_reply(stack, &about->rx, error);
}

void icmp4_unreachable(struct stack *stack, const struct ip4_packet *about, struct rte_mbuf *pkt,
		       uint8_t code)
{
	error_send(stack, about, pkt, TYPE_UNREACHABLE, code);
}

void icmp4_time_exceeded(struct stack *stack, const struct ip4_packet *about, struct rte_mbuf *pkt)
{
	if (about->protocol == IP_PROTOCOL_ICMP4)
		rte_pktmbuf_free(pkt);
	else
		error_send(stack, about, pkt, TYPE_TIME_EXCEEDED, CODE_REASSEMBLY);
}
