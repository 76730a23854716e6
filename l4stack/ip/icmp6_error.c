/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMPv6 errors that we send: RFC 4443 §2.4, §3. */
#include <rte_mbuf.h>

#include "l4stack/base/pkt.h"
#include "l4stack/ip/ip6.h"

#define ERRORS_PER_SECOND 100
#define ERRORS_BURST      50

#define TYPE_INFORMATIVE 128 /* and above; those below are errors */
#define TYPE_REDIRECT    137
#define ICMP_HEADER      sizeof(struct icmp6_header)
#define QUOTE_MOST       (IP6_MTU_MIN - IP6_HEADER - ICMP_HEADER)

/* RFC 4443 §2.4 (e.1), (e.2): what is told by an error is not answered by one. */
static bool is_error(const struct ip6_packet *about, const struct rte_mbuf *pkt)
{
	uint8_t type;

	if (about->protocol != IP_PROTOCOL_ICMP6)
		return false;
	if (!pkt_read(pkt, about->header_bytes, 1, &type))
		return true;
	return type < TYPE_INFORMATIVE || type == TYPE_REDIRECT;
}

/* (e.3) to (e.6): nor what many may have got, or what no one host has sent. */
static bool may_answer(const struct ip6_packet *about, const struct rte_mbuf *pkt,
		       const struct icmp6_fault *fault)
{
	bool option = fault->type == ICMP6_PARAMETER && fault->code == ICMP6_CODE_OPTION;

	if (is_error(about, pkt) || !ip6_is_host(&about->rx.src))
		return false;
	return option || (about->to_us && !addr_is_group(&about->rx.dst));
}

/* As much of the packet as fits is quoted: (c). It is chained, not copied. */
static struct rte_mbuf *error_make(struct stack *stack, struct rte_mbuf *about,
				   const struct icmp6_fault *fault)
{
	uint32_t quote = RTE_MIN(about->pkt_len, (uint32_t)QUOTE_MOST);
	struct rte_mbuf *pkt = rte_pktmbuf_alloc(stack->pools.control);
	struct icmp6_header *icmp;

	if (!pkt) {
		stack_drop(stack, about, COUNTER_ip_no_mbuf);
		return NULL;
	}
	icmp = (struct icmp6_header *)rte_pktmbuf_append(pkt, ICMP_HEADER);
	*icmp = (struct icmp6_header){
		.type = fault->type, .code = fault->code, .word = rte_cpu_to_be_32(fault->word)};
	pkt_truncate(about, quote);
	pkt_chain(pkt, about);
	return pkt;
}

void icmp6_error(struct stack *stack, const struct ip6_packet *about, struct rte_mbuf *pkt,
		 const struct icmp6_fault *fault)
{
	struct rte_mbuf *error;

	if (!may_answer(about, pkt, fault)) {
		rte_pktmbuf_free(pkt);
		return;
	}
	/* (f) */
	if (!bucket_take(&stack->ip->error6_limit, stack->now_us, ERRORS_PER_SECOND,
			 ERRORS_BURST)) {
		stack_drop(stack, pkt, COUNTER_icmp6_errors_limited);
		return;
	}
	error = error_make(stack, pkt, fault);
	if (!error)
		return;
	stack_count(stack, icmp6_errors_out);
	icmp6_reply(stack, &about->rx, error);
}
