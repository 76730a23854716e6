/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_recvq.h"

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "l4stack/tcp/tcp_budget.h"
#include "l4stack/tcp/tcp_options.h"
#include "l4stack/tcp/tcp_reorder.h"
#include "l4stack/tcp/tcp_seq.h"

#define IP4_HEADER_BYTES 20
#define IP6_HEADER_BYTES 40

/* Beyond twice the limit: what one merged burst (LRO) may overshoot. */
#define CHARGE_SLACK 65536u

uint32_t tcp_recvq_mtu_mss(uint8_t family, uint16_t mtu, uint16_t most)
{
	uint32_t ip = family == ADDR_IP6 ? IP6_HEADER_BYTES : IP4_HEADER_BYTES;
	uint32_t mss = mtu - ip - TCP_HEADER_BYTES;

	return most ? RTE_MIN(mss, (uint32_t)most) : mss;
}

uint32_t tcp_recvq_path_mss(const struct stack *stack, const struct ip_path *path, uint16_t most)
{
	return tcp_recvq_mtu_mss(path->src.family, ip_path_port_mtu(stack, path), most);
}

uint8_t tcp_recvq_wscale(uint32_t limit)
{
	uint32_t bits = 32 - (uint32_t)__builtin_clz(limit | UINT16_MAX);

	return (uint8_t)RTE_MIN(bits - 16, (uint32_t)TCP_WSCALE_MAX);
}

/* ---- the window ---- */

/* How far the window could reach from rcv_nxt. */
static uint32_t offer(const struct tcp_conn *conn)
{
	uint32_t by_bytes = tcp_recvq_sub(conn->recv_limit, conn->rcv_ready);
	uint32_t by_charge = tcp_recvq_sub(2 * conn->recv_limit, conn->rcv_charge) / 2;
	uint32_t by_budget = tcp_recvq_sub(tcp_budget_recv_most(conn), conn->rcv_charge) / 2;

	return RTE_MIN(RTE_MIN(by_bytes, by_charge), by_budget);
}

/* By how much the edge could move right; 0 when it could not by `least`, which the bytes alone tell
 * nearly always. */
static uint32_t offer_gain(const struct tcp_conn *conn, uint32_t least)
{
	uint32_t window = tcp_recv_window(conn), gain;

	if (likely(!tcp_recvq_may_gain(conn, least)))
		return 0;
	gain = tcp_recvq_sub(offer(conn), window);
	return gain < least ? 0 : gain;
}

static void note_window(struct tcp_conn *conn, uint32_t window)
{
	if (window) {
		conn->flags &= ~(uint32_t)TCP_WINDOW_SHUT;
	} else if (!tcp_has(conn, TCP_WINDOW_SHUT)) {
		conn->flags |= TCP_WINDOW_SHUT;
		stack_count(conn->tcp->stack, tcp_window_closed);
	}
}

uint16_t tcp_recvq_window_any(struct tcp_conn *conn)
{
	uint32_t window = tcp_recv_window(conn) + offer_gain(conn, tcp_recvq_step(conn)), field;

	/* Rounded up: the edge that was told once must not seem to move left. */
	field = (window + (1u << conn->rcv_wscale) - 1) >> conn->rcv_wscale;
	if (field > UINT16_MAX)
		field = UINT16_MAX;
	conn->rcv_edge = seq_max(conn->rcv_edge, conn->rcv_nxt + (field << conn->rcv_wscale));
	note_window(conn, field);
	return (uint16_t)field;
}

uint16_t tcp_recvq_syn_window(struct tcp_conn *conn)
{
	uint32_t window = RTE_MIN(offer(conn), (uint32_t)conn->tcp->syn_window);

	conn->rcv_edge = seq_max(conn->rcv_edge, conn->rcv_nxt + window);
	return (uint16_t)window;
}

bool tcp_recvq_update_pays(const struct tcp_conn *conn, uint32_t step)
{
	uint32_t most = (uint32_t)UINT16_MAX << conn->rcv_wscale; /* that the field can tell */
	uint32_t untold = tcp_recvq_sub(most, tcp_recv_window(conn));

	return untold >= step && offer_gain(conn, step) >= step;
}

/* ---- the queue ---- */

static bool has_room(struct tcp_conn *conn, uint32_t charge, bool in_order)
{
	struct tcp_proto *tcp = conn->tcp;
	uint32_t most = 2 * conn->recv_limit + CHARGE_SLACK;

	if (tcp_budget_recv_above(tcp, 7))
		tcp_reorder_prune(tcp, in_order ? NULL : conn);
	if (!in_order)
		return conn->rcv_charge + charge <= most / 4 * 3 && !tcp_budget_recv_above(tcp, 7);
	return conn->rcv_charge + charge <= most &&
	       tcp->recv_held_bytes + charge <= tcp->share_bytes;
}

/* More is spent on buffers than the limit foresees, and this chain would waste more than it brings.
 */
static bool worth_merging(const struct tcp_conn *conn, const struct tcp_chain_size *size)
{
	return size->bytes < size->charge / 2 &&
	       (conn->rcv_charge + size->charge > conn->recv_limit ||
		tcp_budget_recv_above(conn->tcp, 6));
}

struct rte_mbuf *tcp_recvq_measure(struct tcp_conn *conn, struct rte_mbuf *chain,
				   struct rte_mbuf **last, struct tcp_chain_size *size)
{
	chain = tcp_chain_measure(chain, last, size);
	if (unlikely(chain->next && worth_merging(conn, size))) {
		stack_count_add(conn->tcp->stack, payload_copied_bytes, tcp_chain_compact(chain));
		chain = tcp_chain_measure(chain, last, size);
	}
	return chain;
}

enum tcp_recvq_admission tcp_recvq_admit(struct tcp_conn *conn, struct rte_mbuf *tail,
					 const struct rte_mbuf *chain,
					 const struct tcp_chain_size *size, bool in_order)
{
	if (tail && worth_merging(conn, size) && tcp_chain_merge(tail, chain, size->bytes)) {
		stack_count_add(conn->tcp->stack, payload_copied_bytes, size->bytes);
		return TCP_RECVQ_MERGED;
	}
	if (!has_room(conn, size->charge, in_order))
		return TCP_RECVQ_REFUSED;
	tcp_recvq_charge(conn, size->charge);
	return TCP_RECVQ_ADMITTED;
}

bool tcp_recvq_append_any(struct tcp_conn *conn, struct rte_mbuf **chain)
{
	struct tcp_chain_size size;
	struct rte_mbuf *last;

	*chain = tcp_recvq_measure(conn, *chain, &last, &size);
	switch (tcp_recvq_admit(conn, conn->rcv_tail, *chain, &size, true)) {
	case TCP_RECVQ_ADMITTED:
		tcp_recvq_link(conn, *chain, last, size.bytes);
		*chain = NULL;
		return true;
	case TCP_RECVQ_MERGED:
		tcp_recvq_link(conn, NULL, NULL, size.bytes);
		return true;
	default:
		return false;
	}
}

static uint32_t chain_charge(const struct rte_mbuf *chain)
{
	uint32_t charge = 0;

	for (; chain; chain = chain->next)
		charge += tcp_mbuf_charge(chain);
	return charge;
}

static struct rte_mbuf *take_all(struct tcp_conn *conn)
{
	struct rte_mbuf *chain = conn->rcv_head;

	if (!conn->reorder)
		return tcp_recvq_take_all(conn);
	tcp_recvq_uncharge(conn, chain_charge(chain));
	conn->rcv_head = conn->rcv_tail = NULL;
	conn->rcv_ready = 0;
	return chain;
}

/* The first `bytes` of the head mbuf, less than it has: a reference to it, or where none is left a
 * copy, in memory of the same kind. */
static struct rte_mbuf *take_part(struct tcp_conn *conn, uint32_t bytes)
{
	struct stack *stack = conn->tcp->stack;
	struct rte_mbuf *m = conn->rcv_head, *part = tcp_chain_ref(m, 0, bytes, stack->pools.ref);

	if (!part) {
		stack_count(stack, tcp_no_mbuf);
		part = tcp_chain_copy(m, 0, bytes, m->pool);
		if (!part)
			return NULL;
		stack_count_add(stack, payload_copied_bytes, bytes);
	}
	m->data_off = (uint16_t)(m->data_off + bytes);
	m->data_len = (uint16_t)(m->data_len - bytes);
	conn->rcv_ready -= bytes;
	return part;
}

static struct rte_mbuf *take_head(struct tcp_conn *conn)
{
	struct rte_mbuf *m = conn->rcv_head;

	conn->rcv_head = m->next;
	m->next = NULL;
	conn->rcv_ready -= m->data_len;
	tcp_recvq_uncharge(conn, tcp_mbuf_charge(m));
	return m;
}

struct rte_mbuf *tcp_recvq_take_some(struct tcp_conn *conn, uint32_t max_bytes)
{
	struct rte_mbuf *chain = NULL, **link = &chain;

	if (max_bytes >= conn->rcv_ready)
		return take_all(conn);
	while (max_bytes) {
		uint32_t n = conn->rcv_head->data_len;

		if (n > max_bytes)
			n = max_bytes;
		*link = n < conn->rcv_head->data_len ? take_part(conn, n) : take_head(conn);
		if (!*link)
			break;
		link = &(*link)->next;
		max_bytes -= n;
	}
	return chain;
}

void tcp_recvq_free_chain(struct tcp_conn *conn, struct rte_mbuf *chain)
{
	tcp_recvq_uncharge(conn, chain_charge(chain));
	rte_pktmbuf_free(chain);
}

void tcp_recvq_free(struct tcp_conn *conn)
{
	rte_pktmbuf_free(take_all(conn));
}
