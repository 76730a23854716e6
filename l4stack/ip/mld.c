/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Multicast Listener Discovery, the host's half: RFC 3810 §5.2, §6. Which groups a port listens
 * to is told when that changes and when a router asks; switches that snoop need it to let neighbor
 * solicitations through (RFC 4862 §5.4.2). Nobody here filters sources: every report says
 * "exclude none". Queries of version 1 are answered as those of version 2.
 */
#include <rte_mbuf.h>
#include <string.h>

#include "l4stack/base/pkt.h"
#include "l4stack/base/siphash.h"
#include "l4stack/ip/ip6.h"
#include "l4stack/ip/mld.h"

#define TYPE_REPORT 143

#define RECORD_IS_EXCLUDE 2
#define RECORD_TO_EXCLUDE 4

#define RECORDS_MOST 16      /* in one report: they fit in a control mbuf */
#define ROBUSTNESS   2       /* RFC 3810 §9.1 */
#define AGAIN_US     1000000 /* RFC 3810 §9.11: at most so long until the change is told again */
#define QUERY_BYTES  24      /* of version 1; later ones are longer */

struct mld_report {
	uint8_t type, reserved;
	uint16_t csum, unused, records;
};

struct mld_record {
	uint8_t type, aux_words;
	uint16_t sources;
	uint8_t group[16];
};
_Static_assert(sizeof(struct mld_report) == 8, "RFC 3810 §5.2");
_Static_assert(sizeof(struct mld_record) == 20, "RFC 3810 §5.2");

static bool is_reported(const struct ip_address *a, uint16_t port)
{
	struct addr all = ip6_all_nodes(port);

	/* RFC 3810 §6: nobody needs to be told of the group of all nodes. */
	return a->kind == IP_ADDRESS_GROUP && a->port == port && !addr_equal(&a->addr, &all);
}

static void report_send(struct stack *stack, uint16_t port, const struct mld_record *records,
			uint16_t count)
{
	static const struct addr to = {.bytes = {0xff, 2, [15] = 0x16}, .family = ADDR_IP6};
	static const struct addr none = {.family = ADDR_IP6};
	struct addr group = addr_on_port(&to, port);
	const struct addr *source = ip_source_for(stack, port, &group);
	struct mld_report head = {.type = TYPE_REPORT, .records = rte_cpu_to_be_16(count)};
	struct rte_mbuf *pkt = rte_pktmbuf_alloc(stack->pools.control);

	if (!pkt) {
		stack_count(stack, ip_no_mbuf);
		return;
	}
	/* RFC 3810 §5.2.13: from the link-local address, or from none while it is not ours. */
	if (!source || !addr_is_link_local(source))
		source = &none;
	memcpy(rte_pktmbuf_append(pkt, sizeof(head)), &head, sizeof(head));
	memcpy(rte_pktmbuf_append(pkt, (uint16_t)(count * sizeof(*records))), records,
	       count * sizeof(*records));
	stack_count(stack, mld_reports_out);
	ip6_send_on_link(stack,
			 &(struct ip6_on_link){.port = port,
					       .src = source,
					       .dst = &group,
					       .hop_limit = 1,
					       .router_alert = true},
			 pkt);
}

static void report_all(struct stack *stack, uint16_t port, uint8_t type)
{
	struct mld_record records[RECORDS_MOST];
	uint16_t n = 0;

	for (unsigned i = 0; i < stack->ip->address_count; i++) {
		const struct ip_address *a = &stack->ip->addresses[i];

		if (!is_reported(a, port))
			continue;
		records[n] = (struct mld_record){.type = type};
		memcpy(records[n++].group, a->addr.bytes, sizeof(records[0].group));
		if (n == RECORDS_MOST) {
			report_send(stack, port, records, n);
			n = 0;
		}
	}
	if (n > 0)
		report_send(stack, port, records, n);
}

static uint64_t chance_us(const struct stack *stack, uint64_t span_us)
{
	return siphash13(stack->conf.secret, &stack->now_us, sizeof(stack->now_us)) % (span_us + 1);
}

static void mld_timeout(void *owner)
{
	struct mld_port *mld = owner;
	bool changed = mld->changes_left > 0;

	report_all(mld->stack, mld->port, changed ? RECORD_TO_EXCLUDE : RECORD_IS_EXCLUDE);
	if (changed && --mld->changes_left > 0)
		stack_timer_start(mld->stack, &mld->timer,
				  mld->stack->now_us + chance_us(mld->stack, AGAIN_US));
}

static struct mld_port *mld_of(struct stack *stack, uint16_t port)
{
	struct mld_port *mld = &stack->ip->mld[port];

	mld->stack = stack;
	mld->port = port;
	mld->timer.fire = mld_timeout;
	mld->timer.owner = mld;
	return mld;
}

static bool is_quiet(const struct stack *stack, uint16_t port)
{
	uint8_t claim = link_port(stack, port)->claim;

	return claim == STACK_CLAIM_FOLLOW || claim == STACK_CLAIM_SILENT;
}

void mld_groups_changed(struct stack *stack, uint16_t port)
{
	struct mld_port *mld = mld_of(stack, port);

	if (is_quiet(stack, port))
		return;
	mld->changes_left = ROBUSTNESS;
	stack_timer_start(stack, &mld->timer, stack->now_us);
}

/* RFC 3810 §5.1.3: above 32768 it is a floating point number; no one waits that long. */
static uint64_t delay_us(uint16_t code)
{
	return RTE_MIN(code, (uint16_t)32767) * 1000ull;
}

/* RFC 3810 §6.2. A question about one group is answered with all of them. */
void mld_input(struct stack *stack, const struct ip6_packet *packet, struct rte_mbuf *pkt)
{
	const struct ip_rx *rx = &packet->rx;
	struct mld_port *mld = mld_of(stack, rx->port);
	uint16_t code;
	bool good = pkt->pkt_len >= QUERY_BYTES && rx->ttl == 1 && addr_is_link_local(&rx->src) &&
		    pkt_read(pkt, 4, sizeof(code), &code);

	rte_pktmbuf_free(pkt);
	if (!good) {
		stack_count(stack, mld_bad_query);
		return;
	}
	stack_count(stack, mld_queries_in);
	if (!is_quiet(stack, rx->port) && !stack_timer_running(&mld->timer))
		stack_timer_start(stack, &mld->timer,
				  stack->now_us +
					  chance_us(stack, delay_us(rte_be_to_cpu_16(code))));
}
