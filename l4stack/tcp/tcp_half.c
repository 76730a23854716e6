/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_half.h"

#include <rte_common.h>

#include "l4stack/tcp/tcp_ecn.h"
#include "l4stack/tcp/tcp_ident.h"
#include "l4stack/tcp/tcp_listener.h"
#include "l4stack/tcp/tcp_lookup.h"
#include "l4stack/tcp/tcp_reply.h"
#include "l4stack/tcp/tcp_segment.h"
#include "l4stack/tcp/tcp_seq.h"

/* How long the nth SYN-ACK waits for its answer (RFC 6298 §5.5): a minute in all. */
static const uint32_t wait_ms[TCP_HALF_QUEUES] = {0, 1000, 2000, 4000, 8000, 16000, 29000};

#define SENDING 0 /* the queue of those whose SYN-ACK goes out with the next flush */
#define AGREED  (TCP_OPT_WSCALE | TCP_OPT_TS | TCP_OPT_SACK_OK)

/* ---- queues ---- */

static void queue_push(struct tcp_proto *tcp, struct tcp_half *half, uint8_t index)
{
	struct tcp_half_queue *queue = &tcp->halves.queues[index];

	half->queue = index;
	half->due_ms = tcp_now_ms(tcp) + wait_ms[index];
	TAILQ_INSERT_TAIL(queue, half, in_queue);
}

static void queue_remove(struct tcp_proto *tcp, struct tcp_half *half)
{
	TAILQ_REMOVE(&tcp->halves.queues[half->queue], half, in_queue);
}

static uintptr_t ref_of(const struct tcp_half *half)
{
	return (uintptr_t)half | TCP_REF_HALF;
}

/* It is out of the table. */
static void record_free(struct tcp_proto *tcp, struct tcp_half *half)
{
	queue_remove(tcp, half);
	half->listener->half_count--;
	tcp_slab_free(&tcp->halves.slab, half);
}

/* ---- time ---- */

static void timer_start(struct tcp_proto *tcp)
{
	uint32_t now_ms = tcp_now_ms(tcp), soonest_ms = UINT32_MAX;

	for (unsigned i = SENDING + 1; i < TCP_HALF_QUEUES; i++) {
		const struct tcp_half *first = TAILQ_FIRST(&tcp->halves.queues[i]);

		if (first)
			soonest_ms =
				RTE_MIN(soonest_ms,
					seq_gt(first->due_ms, now_ms) ? first->due_ms - now_ms : 0);
	}
	if (soonest_ms != UINT32_MAX)
		stack_timer_start(tcp->stack, &tcp->halves.timer,
				  (tcp->stack->now_us / 1000 + soonest_ms) * 1000);
}

static void give_up(struct tcp_proto *tcp, struct tcp_half *half)
{
	stack_count(tcp->stack, tcp_attempt_fails);
	tcp_table_remove(&tcp->table, half->hash, ref_of(half));
	record_free(tcp, half);
}

static void again(struct tcp_proto *tcp, struct tcp_half *half)
{
	stack_count(tcp->stack, tcp_retransmits);
	half->resent = true;
	queue_remove(tcp, half);
	queue_push(tcp, half, SENDING);
}

static void timer_fire(void *owner)
{
	struct tcp_proto *tcp = owner;
	uint32_t now_ms = tcp_now_ms(tcp);
	struct tcp_half *half;

	for (unsigned i = SENDING + 1; i < TCP_HALF_QUEUES; i++) {
		while ((half = TAILQ_FIRST(&tcp->halves.queues[i])) &&
		       seq_le(half->due_ms, now_ms)) {
			if (i == TCP_HALF_QUEUES - 1)
				give_up(tcp, half);
			else
				again(tcp, half);
		}
	}
	timer_start(tcp);
}

void tcp_half_init(struct tcp_proto *tcp)
{
	struct tcp_halves *halves = &tcp->halves;

	tcp_slab_init(&halves->slab, sizeof(struct tcp_half), TCP_HALVES_MOST);
	for (unsigned i = 0; i < TCP_HALF_QUEUES; i++)
		TAILQ_INIT(&halves->queues[i]);
	halves->timer.fire = timer_fire;
	halves->timer.owner = tcp;
}

void tcp_half_fini(struct tcp_proto *tcp)
{
	if (stack_timer_running(&tcp->halves.timer))
		stack_timer_stop(tcp->stack, &tcp->halves.timer);
	tcp_slab_fini(&tcp->halves.slab);
}

/* ---- the SYN and its answer ---- */

void tcp_half_fill(struct tcp_half *half, struct tcp_listener *listener, const struct tcp_seg *syn,
		   const struct tcp_ident *ident)
{
	const struct tcp_options *options = &syn->options;

	half->listener = listener;
	half->local = syn->local.addr;
	half->remote = syn->remote.addr;
	half->local_port = syn->local.port;
	half->remote_port = syn->remote.port;
	half->hash = syn->hash;
	half->ts_offset = ident->ts_offset;
	half->iss = ident->iss;
	half->irs = syn->seq;
	half->window = syn->window;
	half->flags = syn->flags;
	half->options = (uint8_t)(options->present & AGREED);
	if (listener->conf.fast_open)
		half->options |= (uint8_t)(options->present & TCP_OPT_FAST_OPEN);
	half->mss = options->present & TCP_OPT_MSS ? options->mss : TCP_MSS_DEFAULT;
	half->ts_recent = options->present & TCP_OPT_TS ? options->tsval : 0;
	half->snd_wscale = options->present & TCP_OPT_WSCALE ? options->wscale : 0;
	half->rcv_wscale = tcp_listener_wscale(listener);
}

bool tcp_half_open(struct tcp_listener *listener, const struct tcp_seg *syn,
		   const struct tcp_ident *ident)
{
	struct tcp_proto *tcp = listener->tcp;
	struct tcp_half *half = tcp_slab_alloc(&tcp->halves.slab);

	if (!half)
		return false;
	tcp_half_fill(half, listener, syn, ident);
	if (tcp_table_insert(&tcp->table, half->hash, ref_of(half))) {
		tcp_slab_free(&tcp->halves.slab, half);
		return false;
	}
	queue_push(tcp, half, SENDING);
	listener->half_count++;
	return true;
}

bool tcp_half_match(const struct tcp_half *half, const struct endpoint *local,
		    const struct endpoint *remote)
{
	return half->local_port == local->port && half->remote_port == remote->port &&
	       addr_equal(&half->remote, &remote->addr) && addr_equal(&half->local, &local->addr);
}

/* What both the SYN-ACK and an ACK of the record say. */
static struct tcp_reply reply_of(const struct tcp_proto *tcp, const struct tcp_half *half)
{
	return (struct tcp_reply){
		.local = {half->local, half->local_port},
		.remote = {half->remote, half->remote_port},
		.seq = half->iss,
		.ack = half->irs + 1,
		.window = tcp_listener_window(half->listener),
		.tsval = tcp_now_ms(tcp) + half->ts_offset,
		.tsecr = half->ts_recent,
	};
}

struct tcp_reply tcp_half_syn_ack(const struct tcp_proto *tcp, const struct tcp_half *half)
{
	struct tcp_reply reply = reply_of(tcp, half);

	reply.flags = TCP_SYN | TCP_ACK |
		      tcp_ecn_answer(half->listener->conf.ecn, half->listener->cc_ops, half->flags);
	reply.options = TCP_OPT_MSS | half->options;
	reply.wscale = half->rcv_wscale;
	reply.mss_most = half->listener->conf.mss_most;
	return reply;
}

/* None that was sent now is due before the first queue's wait is over. */
static bool timer_is_soon_enough(const struct tcp_proto *tcp)
{
	const struct stack_timer *timer = &tcp->halves.timer;

	return stack_timer_running(timer) &&
	       timer->wheel.due_us <= tcp->stack->now_us + wait_ms[SENDING + 1] * 1000ull;
}

void tcp_half_flush(struct tcp_proto *tcp)
{
	struct tcp_half *half;
	bool any = !TAILQ_EMPTY(&tcp->halves.queues[SENDING]);

	while ((half = TAILQ_FIRST(&tcp->halves.queues[SENDING]))) {
		struct tcp_reply reply = tcp_half_syn_ack(tcp, half);

		if (half->tries == 0)
			half->sent_us = (uint32_t)tcp->stack->now_us;
		tcp_segment_send_reply(tcp, &reply);
		queue_remove(tcp, half);
		queue_push(tcp, half, ++half->tries);
	}
	if (any && !timer_is_soon_enough(tcp))
		timer_start(tcp);
}

void tcp_half_unlisten(struct tcp_listener *listener)
{
	struct tcp_proto *tcp = listener->tcp;

	for (unsigned i = 0; i < TCP_HALF_QUEUES && listener->half_count; i++) {
		struct tcp_half *half = TAILQ_FIRST(&tcp->halves.queues[i]), *next;

		for (; half; half = next) {
			struct tcp_reply reset = reply_of(tcp, half);

			next = TAILQ_NEXT(half, in_queue);
			if (half->listener != listener)
				continue;
			reset.seq++;
			reset.flags = TCP_RST | TCP_ACK;
			tcp_reply_push(tcp, &reset);
			give_up(tcp, half);
		}
	}
}

/* ---- the connection ---- */

/* The SYN as it came, for what a connection takes from it. */
static struct tcp_seg syn_of(const struct tcp_half *half)
{
	return (struct tcp_seg){
		.local = {half->local, half->local_port},
		.remote = {half->remote, half->remote_port},
		.seq = half->irs,
		.flags = half->flags,
		.window = half->window,
		.options = {.present = half->options | TCP_OPT_MSS,
			    .mss = half->mss,
			    .wscale = half->snd_wscale,
			    .tsval = half->ts_recent},
	};
}

/* Rounded up, so that the edge which the SYN-ACK told does not seem to move left. */
static uint32_t scaled(uint32_t window, uint8_t shift)
{
	return (window + (1u << shift) - 1) >> shift;
}

/* As if the connection had sent the SYN-ACK itself. */
static void syn_ack_was_sent(struct tcp_conn *conn, const struct tcp_half *half)
{
	uint32_t window = tcp_listener_window(half->listener);

	conn->flags &= ~(uint32_t)TCP_SYN_NOW;
	conn->snd_nxt = conn->snd_max = conn->iss + 1;
	conn->rcv_edge = conn->rcv_nxt + (scaled(window, conn->rcv_wscale) << conn->rcv_wscale);
	if (half->resent)
		conn->flags |= TCP_SYN_RESENT;
	else if (half->tries)
		conn->flags |= TCP_RTT_TIMED;
	conn->rtt_seq = conn->iss;
	conn->rtt_start_us = half->sent_us;
}

struct tcp_conn *tcp_half_promote(struct tcp_proto *tcp, const struct tcp_half *half, uintptr_t ref)
{
	struct tcp_seg syn = syn_of(half);
	struct tcp_conn *conn = tcp_listener_conn(half->listener, &syn, half->hash, ref);

	if (!conn) {
		stack_count(tcp->stack, tcp_syn_drops);
		return NULL;
	}
	conn->rcv_wscale = half->rcv_wscale;
	tcp_conn_take_syn(conn, &syn);
	tcp_conn_start(conn, half->iss, half->ts_offset);
	syn_ack_was_sent(conn, half);
	return conn;
}

/* ---- segments: RFC 9293 §3.10.7.4 in SYN-RECEIVED ---- */

static void answer(struct tcp_proto *tcp, const struct tcp_half *half)
{
	struct tcp_reply ack = reply_of(tcp, half);

	if (!tcp_challenge_take(tcp))
		return;
	ack.seq++;
	ack.flags = TCP_ACK;
	if (half->options & TCP_OPT_WSCALE)
		ack.window = (uint16_t)scaled(ack.window, half->rcv_wscale);
	ack.options = half->options & TCP_OPT_TS;
	tcp_reply_push(tcp, &ack);
}

/* Our SYN-ACK was lost, or is late. A SYN that asks for ECN no more takes back what the first
 * asked: RFC 3168 §6.1.1. */
static void answer_same_syn(struct tcp_proto *tcp, struct tcp_half *half, const struct tcp_seg *syn)
{
	struct tcp_reply reply;

	half->flags &= syn->flags;
	if (half->tries == 0)
		return; /* it is about to be sent */
	half->resent = true;
	reply = tcp_half_syn_ack(tcp, half);
	tcp_reply_push(tcp, &reply);
}

static bool is_in_window(const struct tcp_half *half, const struct tcp_seg *seg)
{
	uint32_t first = seg->seq - (half->irs + 1);

	return first == 0 || first < tcp_listener_window(half->listener);
}

/* RFC 7323 §3.2 and §5.3; RST is not measured by its time stamp. */
static bool timestamp_is_good(const struct tcp_half *half, const struct tcp_seg *seg)
{
	if (!(half->options & TCP_OPT_TS) || seg->flags & TCP_RST)
		return true;
	return seg->options.present & TCP_OPT_TS && seq_ge(seg->options.tsval, half->ts_recent);
}

/* First step, the sequence number. */
static bool step_sequence(struct tcp_proto *tcp, struct tcp_half *half, const struct tcp_seg *seg)
{
	const uint16_t watched = TCP_SYN | TCP_ACK | TCP_RST;

	if (seg->seq == half->irs && (seg->flags & watched) == TCP_SYN) {
		answer_same_syn(tcp, half, seg);
		return false;
	}
	if (is_in_window(half, seg) && timestamp_is_good(half, seg))
		return true;
	stack_count(tcp->stack, tcp_out_of_window);
	if (!(seg->flags & TCP_RST))
		answer(tcp, half);
	return false;
}

/* Second, RST (RFC 5961 §3.2: only the exact number counts), and fourth, SYN (§4.2). */
static bool step_reset_and_syn(struct tcp_proto *tcp, struct tcp_half *half,
			       const struct tcp_seg *seg)
{
	if (!(seg->flags & (TCP_RST | TCP_SYN)))
		return true;
	if (seg->flags & TCP_RST && seg->seq == half->irs + 1) {
		stack_count(tcp->stack, tcp_resets_in);
		give_up(tcp, half);
	} else {
		answer(tcp, half);
	}
	return false;
}

/* Fifth, ACK: of our SYN and nothing else. */
static bool step_ack(struct tcp_proto *tcp, const struct tcp_half *half, const struct tcp_seg *seg)
{
	if (!(seg->flags & TCP_ACK))
		return false;
	if (seg->ack == half->iss + 1 && half->tries)
		return true;
	stack_count(tcp->stack, tcp_bad_ack);
	tcp_reply_reset(tcp, seg);
	return false;
}

struct tcp_conn *tcp_half_input(struct tcp_proto *tcp, struct tcp_half *half,
				const struct tcp_seg *seg)
{
	struct tcp_conn *conn;

	if (!step_sequence(tcp, half, seg) || !step_reset_and_syn(tcp, half, seg) ||
	    !step_ack(tcp, half, seg))
		return NULL;
	/* Without room the record stays: the SYN-ACK that is sent again asks once more. */
	conn = tcp_half_promote(tcp, half, ref_of(half));
	if (conn)
		record_free(tcp, half);
	return conn;
}
