/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The timers of a connection: six due times, one timer in the stack's wheel.
 *
 * The wheel's timer is only started again when a due time comes before it. One that was
 * put off (as each ACK does) lets it fire early once, which finds nothing due and
 * starts it for the rest. Due times are milliseconds of the stack's clock, rounded up.
 * Internal to l4stack/tcp.
 */
#ifndef L4STACK_TCP_TCP_TIMER_H
#define L4STACK_TCP_TCP_TIMER_H

#include "l4stack/tcp/tcp_conn.h"

#define TCP_DELAYED_ACK_US 40000u  /* RFC 9293 §3.8.6.3 allows 500 ms */
#define TCP_GIVE_UP_MS     300000u /* R2 of §3.8.3: at least 100 s */
#define TCP_PEERS_WISH_MS  600000u /* the longest user timeout a peer can ask for: RFC 5482 §3.1 */
#define TCP_SYN_GIVE_UP_MS 180000u /* R2 for SYN: at least 3 minutes */
#define TCP_FIN_WAIT_MS    60000u  /* FIN-WAIT-2 without an owner */
#define TCP_KEEP_PROBES    9
#define TCP_KEEP_EACH_MS   75000u
#define TCP_ORPHAN_PROBES  8 /* window probes of a connection nobody owns */

void tcp_timer_init(struct tcp_conn *conn);

/* The wheel's timer fires then, or before. */
static inline void tcp_timer_fire_by(struct tcp_conn *conn, uint64_t at_us)
{
	if (!stack_timer_running(&conn->timer) || conn->timer.wheel.due_us > at_us)
		stack_timer_start(conn->tcp->stack, &conn->timer, at_us);
}

static inline void tcp_timer_set(struct tcp_conn *conn, enum tcp_timer which, uint64_t delay_us)
{
	uint64_t due_ms = (conn->tcp->stack->now_us + delay_us + 999) / 1000;

	due_ms += (uint32_t)due_ms == 0; /* which would mean that it is off */
	conn->due_ms[which] = (uint32_t)due_ms;
	tcp_timer_fire_by(conn, due_ms * 1000);
}

/* The settings of tcp_set_keepalive and tcp_set_user_timeout. */
void tcp_timer_keepalive(struct tcp_conn *conn, uint32_t idle_ms, uint32_t each_ms,
			 uint32_t probes);
void tcp_timer_patience(struct tcp_conn *conn, uint32_t timeout_ms);

/* `delay_us`, or what is left of the time the owner has set: it does not end much later. */
uint64_t tcp_timer_patient_us(const struct tcp_conn *conn, uint64_t delay_us);

/* From now on silence counts. */
void tcp_timer_keep_start(struct tcp_conn *conn);

void tcp_timer_stop_all(struct tcp_conn *conn);

static inline void tcp_timer_clear(struct tcp_conn *conn, enum tcp_timer which)
{
	conn->due_ms[which] = 0;
}

static inline bool tcp_timer_is_set(const struct tcp_conn *conn, enum tcp_timer which)
{
	return conn->due_ms[which];
}

#endif
