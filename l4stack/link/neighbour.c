/* SPDX-License-Identifier: BSD-3-Clause */
/* The states of a neighbour: RFC 4861 §7.3, with the family's question put in INCOMPLETE and PROBE.
 */
#include "l4stack/link/neighbour.h"

#include <rte_ether.h>
#include <rte_mbuf.h>
#include <stddef.h>
#include <string.h>

#include "l4stack/ip/ip_layer.h"
#include "l4stack/link/arp.h"
#include "l4stack/link/link.h"
#include "l4stack/link/ndp.h"
#include "l4stack/link/neighbour_table.h"

static struct neighbours *table_of(const struct neighbour *n)
{
	return n->stack->link->neighbours;
}

static bool is_known(const struct neighbour *n)
{
	return n->state >= NEIGHBOUR_REACHABLE;
}

_Static_assert(offsetof(struct neighbour, way) == 0, "neighbour_way casts");

static void state_set(struct neighbour *n, enum neighbour_state state)
{
	n->state = (uint8_t)state;
	n->way.open = is_known(n) && state != NEIGHBOUR_STALE;
}

static void state_enter(struct neighbour *n, enum neighbour_state state, uint32_t timeout_us)
{
	state_set(n, state);
	stack_timer_start(n->stack, &n->timer, n->stack->now_us + timeout_us);
}

/* Asks once more: everyone while the address is unknown, the neighbour alone to check it. */
static void solicit(struct neighbour *n)
{
	const uint8_t *mac = is_known(n) ? n->way.header : NULL;

	n->solicits++;
	if (n->addr.family == ADDR_IP6)
		ndp_solicit(n->stack, n->port, &n->addr, mac);
	else
		arp_request(n->stack, n->port, &n->addr, mac);
	stack_timer_start(n->stack, &n->timer, n->stack->now_us + NEIGHBOUR_RETRANS_US);
}

static void solicit_first(struct neighbour *n, enum neighbour_state state)
{
	state_set(n, state);
	n->solicits = 0;
	solicit(n);
}

/* RFC 1122 §2.3.2.2: the newest packets are the ones worth keeping. */
static void queue_push(struct neighbour *n, struct rte_mbuf *pkt)
{
	struct neighbours *table = table_of(n);
	struct neighbour_packet *place;

	if (n->queued == NEIGHBOUR_QUEUE_MAX) {
		stack_drop(n->stack, neighbour_packet_take(table, &n->queue),
			   COUNTER_neighbour_queue_full);
		n->queued--;
	}
	place = STAILQ_FIRST(&table->spare);
	if (!place) {
		stack_drop(n->stack, pkt, COUNTER_neighbour_queue_full);
		return;
	}
	stack_count(n->stack, neighbour_queued);
	STAILQ_REMOVE_HEAD(&table->spare, link);
	place->pkt = pkt;
	STAILQ_INSERT_TAIL(&n->queue, place, link);
	n->queued++;
}

/* Empties the queue into `out`, so that whatever is called meanwhile finds it empty. */
static void queue_take(struct neighbour *n, struct neighbour_packets *out)
{
	STAILQ_INIT(out);
	STAILQ_CONCAT(out, &n->queue);
	n->queued = 0;
}

static void queue_send(struct neighbour *n)
{
	struct neighbours *table = table_of(n);
	struct neighbour_packets queue;
	struct rte_mbuf *pkt;

	queue_take(n, &queue);
	while ((pkt = neighbour_packet_take(table, &queue)))
		neighbour_output(n, pkt);
}

static void drop_if_unused(struct neighbour *n)
{
	if (n->holders == 0)
		neighbour_forget(table_of(n), n);
}

/* A neighbour that never answered will not do so soon (hard); one that did may come back. */
static void neighbour_fail(struct neighbour *n)
{
	enum ip_error kind = n->was_known ? IP_ERROR_UNREACHABLE_SOFT : IP_ERROR_UNREACHABLE_HARD;
	struct neighbours *table = table_of(n);
	struct stack *stack = n->stack;
	uint16_t port = n->port;
	struct neighbour_packets queue;
	struct rte_mbuf *pkt;

	stack_count(stack, neighbour_failed);
	stack_count_add(stack, neighbour_unreachable, n->queued);
	queue_take(n, &queue);
	state_set(n, NEIGHBOUR_IDLE);
	drop_if_unused(n);
	while ((pkt = neighbour_packet_take(table, &queue)))
		ip_undeliverable(stack, port, pkt, kind);
}

static void solicit_timeout(struct neighbour *n)
{
	if (n->solicits < NEIGHBOUR_SOLICITS)
		solicit(n);
	else
		neighbour_fail(n);
}

static void reachable_timeout(struct neighbour *n)
{
	uint64_t until_us = n->confirmed_us + NEIGHBOUR_REACHABLE_US;

	if (until_us > n->stack->now_us)
		stack_timer_start(n->stack, &n->timer, until_us);
	else
		state_enter(n, NEIGHBOUR_STALE, NEIGHBOUR_FORGET_US);
}

static void stale_timeout(struct neighbour *n)
{
	if (n->holders == 0)
		neighbour_forget(table_of(n), n);
	else
		state_enter(n, NEIGHBOUR_STALE, NEIGHBOUR_FORGET_US);
}

void neighbour_timeout(void *owner)
{
	struct neighbour *n = owner;

	switch ((enum neighbour_state)n->state) {
	case NEIGHBOUR_INCOMPLETE:
	case NEIGHBOUR_PROBE:
		solicit_timeout(n);
		break;
	case NEIGHBOUR_REACHABLE:
		reachable_timeout(n);
		break;
	case NEIGHBOUR_STALE:
		stale_timeout(n);
		break;
	case NEIGHBOUR_DELAY:
		solicit_first(n, NEIGHBOUR_PROBE);
		break;
	case NEIGHBOUR_IDLE:
		break;
	}
}

uint64_t neighbours_generation(const struct stack *stack)
{
	return stack->link->neighbours->generation;
}

void neighbour_hold(struct neighbour *n)
{
	if (n->holders++ == 0)
		TAILQ_REMOVE(&table_of(n)->unused, n, in_list);
}

struct neighbour *neighbour_get(struct stack *stack, uint16_t port, const struct addr *addr)
{
	struct neighbours *table = stack->link->neighbours;
	struct neighbour *n = neighbour_find(table, port, addr);

	if (!n)
		n = neighbour_make(table, port, addr);
	if (n)
		neighbour_hold(n);
	return n;
}

void neighbour_put(struct neighbour *n)
{
	if (--n->holders > 0)
		return;
	TAILQ_INSERT_TAIL(&table_of(n)->unused, n, in_list);
	if (n->state == NEIGHBOUR_IDLE)
		neighbour_forget(table_of(n), n);
}

void neighbour_output(struct neighbour *n, struct rte_mbuf *pkt)
{
	if (is_known(n)) {
		if (n->state == NEIGHBOUR_STALE)
			state_enter(n, NEIGHBOUR_DELAY, NEIGHBOUR_DELAY_US);
		link_output(n->stack, n->port, n->way.header, pkt);
		return;
	}
	queue_push(n, pkt);
	if (n->state == NEIGHBOUR_IDLE)
		solicit_first(n, NEIGHBOUR_INCOMPLETE);
}

void neighbour_confirm(struct neighbour *n)
{
	n->confirmed_us = n->stack->now_us;
	if (n->state > NEIGHBOUR_REACHABLE)
		state_enter(n, NEIGHBOUR_REACHABLE, NEIGHBOUR_REACHABLE_US);
}

static uint16_t ether_type(const struct addr *addr)
{
	return addr->family == ADDR_IP6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4;
}

/* Takes the hardware address; the entry is no better than stale by that. */
static void learn(struct neighbour *n, const uint8_t mac[6])
{
	link_header_make(n->stack, n->port, mac, ether_type(&n->addr), n->way.header);
	n->way.header_bytes = link_port(n->stack, n->port)->header_bytes;
	n->was_known = true;
	n->confirmed_us = n->stack->now_us;
	state_enter(n, NEIGHBOUR_STALE, NEIGHBOUR_FORGET_US);
}

/*
 * Another station claims a known neighbour's address: a fail-over, or an attack. Not
 * believed while the old one is known to be there; afterwards checked on its next use.
 */
static void heard_other(struct neighbour *n, const uint8_t mac[6])
{
	if (n->confirmed_us + NEIGHBOUR_LOCK_US > n->stack->now_us) {
		stack_count(n->stack, neighbour_override_refused);
		return;
	}
	stack_count(n->stack, neighbour_moved);
	learn(n, mac);
}

static bool is_answer(enum neighbour_news news)
{
	return news == NEIGHBOUR_ANSWER || news == NEIGHBOUR_ANSWER_SOFT;
}

static bool is_soft(enum neighbour_news news)
{
	return news == NEIGHBOUR_ANSWER_SOFT || news == NEIGHBOUR_CLAIMS_SOFT;
}

/* RFC 4861 §7.2.5: what does not override only makes doubtful. */
static void heard_known(struct neighbour *n, const uint8_t *mac, enum neighbour_news news)
{
	bool same = !mac || memcmp(n->way.header, mac, 6) == 0;

	if (same && is_answer(news) && n->state == NEIGHBOUR_PROBE)
		neighbour_confirm(n);
	if (same)
		return;
	if (!is_soft(news))
		heard_other(n, mac);
	else if (n->state == NEIGHBOUR_REACHABLE)
		state_enter(n, NEIGHBOUR_STALE, NEIGHBOUR_FORGET_US);
}

static void heard_unknown(struct neighbour *n, const uint8_t mac[6], enum neighbour_news news)
{
	bool asked = n->state == NEIGHBOUR_INCOMPLETE;

	learn(n, mac);
	if (asked && is_answer(news))
		neighbour_confirm(n);
	queue_send(n);
}

void neighbour_heard(struct stack *stack, uint16_t port, const struct addr *addr,
		     const uint8_t *mac, enum neighbour_news news)
{
	struct neighbours *table = stack->link->neighbours;
	struct neighbour *n = neighbour_find(table, port, addr);

	/* Who asks for us is about to be talked to; nobody else makes an entry. */
	if (!n && mac && news == NEIGHBOUR_ASKS)
		n = neighbour_make(table, port, addr);
	if (!n)
		stack_count(stack, neighbour_unsolicited);
	else if (is_known(n))
		heard_known(n, mac, news);
	else if (mac)
		heard_unknown(n, mac, news);
}
