/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_mbuf.h>

#include "l4stack/tcp/tcp_conn.h"
#include "l4stack/tcp/tcp_ecn.h"
#include "l4stack/tcp/tcp_recovery.h"
#include "l4stack/tcp/tcp_recvq.h"
#include "l4stack/tcp/tcp_seq.h"

static uint32_t resent_in_flight(const struct tcp_conn *conn)
{
	uint32_t bytes = 0;

	for (const struct tcp_run *run = conn->sent.first; run; run = run->next)
		if (run->resent && run->state == TCP_RUN_FLYING)
			bytes += run->hi - run->lo;
	return bytes;
}

void tcp_info(const struct tcp_conn *conn, struct tcp_info *out)
{
	*out = (struct tcp_info){
		.local = tcp_local(conn),
		.remote = tcp_remote(conn),
		.state = tcp_state_table[conn->state].name,
		.congestion = conn->cc.ops ? conn->cc.ops->name : "",
		.srtt_us = tcp_rto_srtt_us(&conn->rto),
		.rttvar_us = tcp_rto_rttvar_us(&conn->rto),
		.rto_us = conn->rto.rto_us,
		.cwnd_bytes = conn->cc.cwnd,
		.ssthresh_bytes = conn->cc.ssthresh,
		.flight_bytes = tcp_recovery_pipe(conn),
		.send_window_bytes = conn->snd_wnd,
		.recv_window_bytes = tcp_recv_window(conn),
		.recv_queue_bytes = conn->rcv_ready,
		.send_queue_bytes = conn->snd_bytes,
		.sent_bytes = conn->snd_max - conn->snd_una,
		.sacked_bytes = tcp_scoreboard_sacked(&conn->sent),
		.lost_bytes = tcp_scoreboard_lost(&conn->sent),
		.resent_bytes = resent_in_flight(conn),
		.delivered_bytes = conn->rate.delivered,
		.min_rtt_us = conn->rack.min_rtt_us,
		.mss = conn->mss,
		.mss_offered = (uint16_t)tcp_recvq_mss(conn),
		.path_mtu = conn->path.mtu,
		.recv_mss = conn->rcv_mss,
		.wscale_send = conn->snd_wscale,
		.wscale_recv = conn->rcv_wscale,
		.retries = conn->retries,
		.keep_probes = conn->keep_probes,
		.timestamps = tcp_has(conn, TCP_USE_TS),
		.sack = tcp_has(conn, TCP_USE_SACK),
		.wscale = tcp_has(conn, TCP_USE_WSCALE),
		.ecn = conn->ecn & TCP_ECN_ON,
		.recovering = tcp_has(conn, TCP_RECOVERY),
		.mending = conn->loss & TCP_LOSS_TIMEOUT,
		.reduced = conn->ecn & TCP_ECN_ON && seq_lt(conn->snd_una, conn->ecn_end),
		.disordered = conn->dup_acks || tcp_scoreboard_sacked(&conn->sent),
		.fast_text = tcp_has(conn, TCP_FAST_TEXT),
		.age_us = conn->tcp->stack->now_us - (uint64_t)conn->born_s * 1000000,
		.bytes_in = conn->bytes_in,
		.bytes_out = conn->bytes_out,
		.retransmits = conn->retransmits,
	};
}

struct each {
	void (*fn)(void *ctx, const struct tcp_conn *conn);
	void *ctx;
};

static void each_conn(void *ctx, void *object)
{
	const struct each *each = ctx;
	const struct tcp_conn *conn = object;

	if (conn->state != TCP_FREE)
		each->fn(each->ctx, conn);
}

void tcp_each(const struct stack *stack, void (*fn)(void *ctx, const struct tcp_conn *conn),
	      void *ctx)
{
	struct each each = {fn, ctx};

	tcp_slab_each(&stack->tcp->conns, each_conn, &each);
}

uint32_t tcp_count(const struct stack *stack)
{
	return stack->tcp->conns.used + stack->tcp->halves.slab.used;
}
