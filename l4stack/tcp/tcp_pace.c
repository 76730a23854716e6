/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_pace.h"

#include <rte_common.h>

#include "l4stack/tcp/tcp_timer.h"

#define GRAIN_US       1000u
#define SEGMENTS_LEAST 2 /* of a burst: a receiver acknowledges every second */

/* What was not used in the past is lost, but for the grain: a timer may be late by that. */
static uint64_t due_us(const struct tcp_conn *conn)
{
	uint64_t now_us = conn->tcp->stack->now_us;

	return RTE_MAX(conn->pace_us, now_us - RTE_MIN(now_us, (uint64_t)GRAIN_US));
}

uint32_t tcp_pace_room(struct tcp_conn *conn)
{
	uint64_t rate = conn->cc.pacing_bytes_per_s, now_us = conn->tcp->stack->now_us;
	uint64_t at_us = due_us(conn), bytes;

	if (!rate)
		return UINT32_MAX;
	if (at_us > now_us) {
		tcp_timer_set(conn, TCP_TIMER_PACE, at_us - now_us);
		return 0;
	}
	bytes = (now_us + GRAIN_US - at_us) * rate / 1000000;
	bytes = RTE_MAX(bytes, (uint64_t)SEGMENTS_LEAST * conn->mss);
	return (uint32_t)RTE_MIN(bytes, (uint64_t)UINT32_MAX);
}

void tcp_pace_sent(struct tcp_conn *conn, uint32_t bytes)
{
	uint64_t rate = conn->cc.pacing_bytes_per_s;

	if (rate)
		conn->pace_us = due_us(conn) + bytes * 1000000ull / rate;
}
