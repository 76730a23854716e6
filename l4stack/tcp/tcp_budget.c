/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_budget.h"

#include <rte_common.h>

#define INITIAL_BURST  14600u
#define SHARED_EIGHTHS 5 /* what is shared out so; the rest is for those that hold little */
#define RTT_UNKNOWN_US 100000u
#define SEGMENTS_SPARE 16u /* beyond two round trips' worth */

/* A little, or as much as is free: of n connections that take all they may, each gets one part in
 * n + 1. */
static uint32_t most_of(uint64_t share, uint64_t held)
{
	uint64_t all = share / 8 * SHARED_EIGHTHS, part = held < all ? all - held : 0;

	return (uint32_t)RTE_MIN(RTE_MAX(part, TCP_BUDGET_LITTLE), (uint64_t)UINT32_MAX);
}

uint16_t tcp_budget_syn_window(uint64_t share_bytes, uint32_t max_conns)
{
	uint64_t each = share_bytes / 2 / RTE_MAX(max_conns, 1u); /* true size is about twice */

	return (uint16_t)RTE_MIN(RTE_MAX(each, INITIAL_BURST), (uint64_t)UINT16_MAX);
}

uint32_t tcp_budget_recv_most(const struct tcp_conn *conn)
{
	const struct tcp_proto *tcp = conn->tcp;

	if (tcp_budget_recv_above(tcp, 7))
		return 0;
	return most_of(tcp->share_bytes, tcp->recv_held_bytes);
}

uint32_t tcp_budget_send_most(const struct tcp_conn *conn)
{
	return most_of(conn->tcp->share_bytes, conn->tcp->send_held_bytes);
}

uint32_t tcp_budget_send_room(const struct tcp_conn *conn)
{
	const struct tcp_proto *tcp = conn->tcp;
	uint64_t charge_most = RTE_MIN(2ull * conn->send_limit + TCP_BUDGET_LITTLE,
				       (uint64_t)tcp_budget_send_most(conn));
	uint32_t room;

	if (conn->snd_bytes >= conn->send_limit || conn->mem_charge >= charge_most)
		return 0;
	room = conn->send_limit - conn->snd_bytes;
	if (tcp->send_held_bytes >= tcp->share_bytes)
		return conn->mem_charge ? 0 : RTE_MIN(room, TCP_BUDGET_LITTLE);
	return (uint32_t)RTE_MIN(room, charge_most - conn->mem_charge);
}

/* ---- dynamic right-sizing ---- */

static bool may_grow(const struct tcp_conn *conn)
{
	return conn->recv_limit < conn->recv_most && !tcp_budget_recv_above(conn->tcp, 6);
}

void tcp_budget_taken(struct tcp_conn *conn, uint32_t bytes)
{
	uint32_t now_us = (uint32_t)conn->tcp->stack->now_us;
	uint32_t rtt_us = tcp_rto_srtt_us(&conn->rto), want;

	if (!may_grow(conn))
		return;
	conn->rcv_taken += bytes;
	if (now_us - conn->rcv_taken_us < (rtt_us ? rtt_us : RTT_UNKNOWN_US))
		return;
	want = 2 * RTE_MIN(conn->rcv_taken, conn->recv_most) + SEGMENTS_SPARE * conn->rcv_mss;
	if (want > conn->recv_limit) {
		conn->recv_limit = RTE_MIN(want, conn->recv_most);
		stack_count(conn->tcp->stack, tcp_recv_grown);
	}
	conn->rcv_taken = 0;
	conn->rcv_taken_us = now_us;
}
