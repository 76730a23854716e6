/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_timer.h"

#include <rte_common.h>

#include "l4stack/tcp/tcp_fast.h"
#include "l4stack/tcp/tcp_mtu.h"
#include "l4stack/tcp/tcp_output.h"
#include "l4stack/tcp/tcp_probe.h"
#include "l4stack/tcp/tcp_seq.h"

#define TIME_MOST_MS (UINT32_MAX / 4) /* the clocks have 32 bits */

/* ---- what is due ---- */

/* The patience with the peer counts from the start of its silence: with the first timeout, what was
 * sent last had no answer for as long as that took. */
static bool patience_is_over(struct tcp_conn *conn)
{
	uint32_t now_ms = tcp_now_ms(conn->tcp);

	if (conn->retries == 0)
		conn->retry_ms = now_ms - conn->rto.rto_us / 1000;
	if (tcp_conn_is_orphan(conn) && conn->retries >= TCP_ORPHAN_PROBES)
		return true;
	return now_ms - conn->retry_ms >= conn->user_timeout_ms;
}

uint64_t tcp_timer_patient_us(const struct tcp_conn *conn, uint64_t delay_us)
{
	uint32_t silent_ms = tcp_now_ms(conn->tcp) - conn->retry_ms;

	if (!conn->retries || !tcp_has(conn, TCP_USER_TIMEOUT))
		return delay_us;
	return RTE_MIN(delay_us,
		       (conn->user_timeout_ms - RTE_MIN(silent_ms, conn->user_timeout_ms)) *
			       1000ull);
}

static void count_retry(struct tcp_conn *conn)
{
	if (conn->retries < UINT8_MAX)
		conn->retries++;
}

static void on_syn_timeout(struct tcp_conn *conn)
{
	tcp_rto_backoff(&conn->rto);
	tcp_fast_blocked(conn);
	conn->flags |= TCP_SYN_NOW | TCP_SYN_RESENT;
	conn->flags &= ~(uint32_t)TCP_RTT_TIMED;
	conn->retransmits++;
	stack_count(conn->tcp->stack, tcp_retransmits);
	tcp_conn_mark(conn);
}

/* RFC 6298 §5.4 to §5.6 */
static void on_retransmit(struct tcp_conn *conn)
{
	if (tcp_state_is(conn, TCP_OPENING)) {
		on_syn_timeout(conn);
		return;
	}
	if (tcp_probe_timer(conn))
		return;
	if (patience_is_over(conn)) {
		tcp_conn_reset(conn, TCP_CLOSED_TIMEOUT);
		return;
	}
	tcp_recovery_timeout(conn);
	tcp_mtu_timeout(conn);
	tcp_rto_backoff(&conn->rto);
	count_retry(conn);
	tcp_conn_mark(conn);
}

/* RFC 9293 §3.8.6.1. The window may also be open by now: data waited for mbufs, or for more of it.
 */
static void on_persist(struct tcp_conn *conn)
{
	if (!tcp_output_window_is_open(conn)) {
		if (patience_is_over(conn)) {
			tcp_conn_reset(conn, TCP_CLOSED_TIMEOUT);
			return;
		}
		conn->flags |= TCP_PROBE_NOW;
		count_retry(conn);
	}
	tcp_conn_mark(conn);
}

static void on_delayed_ack(struct tcp_conn *conn)
{
	stack_count(conn->tcp->stack, tcp_delayed_acks);
	tcp_conn_owe_ack(conn);
}

/* RFC 9293 §3.8.4 */
static void on_keep(struct tcp_conn *conn)
{
	uint32_t idle_ms = tcp_now_ms(conn->tcp) - conn->heard_ms;
	uint64_t next_ms = conn->keepalive_each_ms;

	if (idle_ms < conn->keepalive_ms) {
		next_ms = conn->keepalive_ms - idle_ms;
	} else if (conn->keep_probes >= conn->keep_most) {
		tcp_conn_reset(conn, TCP_CLOSED_TIMEOUT);
		return;
	} else if (conn->snd_nxt == conn->snd_una) {
		conn->keep_probes++;
		conn->flags |= TCP_KEEP_NOW;
		tcp_conn_mark(conn);
	}
	tcp_timer_set(conn, TCP_TIMER_KEEP, next_ms * 1000);
}

void tcp_timer_keepalive(struct tcp_conn *conn, uint32_t idle_ms, uint32_t each_ms, uint32_t probes)
{
	conn->keepalive_ms = RTE_MIN(idle_ms, TIME_MOST_MS);
	if (!each_ms)
		each_ms = RTE_MIN(conn->keepalive_ms, TCP_KEEP_EACH_MS);
	conn->keepalive_each_ms = RTE_MIN(each_ms, TIME_MOST_MS);
	conn->keep_most =
		(uint8_t)(probes ? RTE_MIN(probes, (uint32_t)UINT8_MAX) : TCP_KEEP_PROBES);
	if (idle_ms)
		conn->flags |= TCP_KEEPALIVE;
	else
		conn->flags &= ~(uint32_t)TCP_KEEPALIVE;
}

void tcp_timer_patience(struct tcp_conn *conn, uint32_t timeout_ms)
{
	conn->user_timeout_ms = timeout_ms ? RTE_MIN(timeout_ms, TIME_MOST_MS) : TCP_GIVE_UP_MS;
	if (timeout_ms)
		conn->flags |= TCP_USER_TIMEOUT;
	else
		conn->flags &= ~(uint32_t)TCP_USER_TIMEOUT;
}

void tcp_timer_keep_start(struct tcp_conn *conn)
{
	conn->keep_probes = 0;
	conn->heard_ms = tcp_now_ms(conn->tcp);
	if (conn->keepalive_ms)
		tcp_timer_set(conn, TCP_TIMER_KEEP, (uint64_t)conn->keepalive_ms * 1000);
	else
		tcp_timer_clear(conn, TCP_TIMER_KEEP);
}

static void on_life(struct tcp_conn *conn)
{
	enum tcp_close_reason reason =
		conn->state == TCP_FIN_WAIT_2 ? TCP_CLOSED_NORMAL : TCP_CLOSED_TIMEOUT;

	tcp_conn_finish(conn, reason);
}

static void on_pace(struct tcp_conn *conn)
{
	tcp_conn_mark(conn);
}

static void (*const handlers[TCP_TIMERS])(struct tcp_conn *) = {
	[TCP_TIMER_RETRANSMIT] = on_retransmit,
	[TCP_TIMER_PERSIST] = on_persist,
	[TCP_TIMER_ACK] = on_delayed_ack,
	[TCP_TIMER_KEEP] = on_keep,
	[TCP_TIMER_LIFE] = on_life,
	[TCP_TIMER_PACE] = on_pace,
};

/* ---- the wheel ---- */

/* Due times of 32 bits, from the clock of 64: they are less than 2^31 ms from now. */
static uint64_t due_us(const struct tcp_conn *conn, uint32_t due_ms)
{
	uint64_t now_ms = conn->tcp->stack->now_us / 1000;

	return (now_ms + (uint64_t)(int64_t)(int32_t)(due_ms - (uint32_t)now_ms)) * 1000;
}

static void wheel_start_again(struct tcp_conn *conn)
{
	for (unsigned i = 0; i < TCP_TIMERS; i++)
		if (conn->due_ms[i])
			tcp_timer_fire_by(conn, due_us(conn, conn->due_ms[i]));
}

static void fire(void *owner)
{
	struct tcp_conn *conn = owner;
	uint32_t now_ms = tcp_now_ms(conn->tcp);

	conn->flags |= TCP_BUSY;
	for (unsigned i = 0; i < TCP_TIMERS; i++) {
		if (!conn->due_ms[i] || seq_gt(conn->due_ms[i], now_ms))
			continue;
		conn->due_ms[i] = 0;
		handlers[i](conn);
	}
	wheel_start_again(conn);
	tcp_conn_done(conn);
}

void tcp_timer_init(struct tcp_conn *conn)
{
	conn->timer.fire = fire;
	conn->timer.owner = conn;
}

void tcp_timer_stop_all(struct tcp_conn *conn)
{
	for (unsigned i = 0; i < TCP_TIMERS; i++)
		conn->due_ms[i] = 0;
	if (stack_timer_running(&conn->timer))
		stack_timer_stop(conn->tcp->stack, &conn->timer);
}
