/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_timewait.h"

#include <rte_common.h>

#include "l4stack/tcp/tcp_lookup.h"
#include "l4stack/tcp/tcp_reply.h"
#include "l4stack/tcp/tcp_segment.h"
#include "l4stack/tcp/tcp_seq.h"

/* What a new connection's numbers are ahead of the old one's: more than any window. */
#define ISS_STEP (1u << 16)

#define PREFETCH_AHEAD 3 /* entries */

struct tcp_timewait {
	TAILQ_ENTRY(tcp_timewait) in_queue;
	uint64_t hash;
	struct addr local, remote;
	uint16_t local_port, remote_port;
	uint32_t since_ms;
	uint32_t snd_nxt, rcv_nxt;
	uint32_t ts_recent, ts_offset;
	uint16_t window;
	bool has_ts;
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct tcp_timewait) == 128, "two lines");

static uintptr_t ref_of(const struct tcp_timewait *tw)
{
	return (uintptr_t)tw | TCP_REF_TIMEWAIT;
}

/* ---- the queue ---- */

static void queue_push(struct tcp_proto *tcp, struct tcp_timewait *tw)
{
	tw->since_ms = tcp_now_ms(tcp);
	TAILQ_INSERT_TAIL(&tcp->timewait_queue, tw, in_queue);
}

static void queue_remove(struct tcp_proto *tcp, struct tcp_timewait *tw)
{
	TAILQ_REMOVE(&tcp->timewait_queue, tw, in_queue);
}

static struct tcp_timewait *oldest(const struct tcp_proto *tcp)
{
	return TAILQ_FIRST(&tcp->timewait_queue);
}

static void drop(struct tcp_proto *tcp, struct tcp_timewait *tw)
{
	tcp_table_remove(&tcp->table, tw->hash, ref_of(tw));
	queue_remove(tcp, tw);
	tcp_slab_free(&tcp->timewaits, tw);
}

static uint32_t waited_ms(const struct tcp_proto *tcp, const struct tcp_timewait *tw)
{
	return tcp_now_ms(tcp) - tw->since_ms;
}

static void timer_start(struct tcp_proto *tcp)
{
	uint64_t left_ms;

	if (!oldest(tcp) || stack_timer_running(&tcp->timewait_timer))
		return;
	left_ms = TCP_TIME_WAIT_MS - waited_ms(tcp, oldest(tcp));
	stack_timer_start(tcp->stack, &tcp->timewait_timer,
			  tcp->stack->now_us + (left_ms + 1) * 1000);
}

static void timer_fire(void *owner)
{
	struct tcp_proto *tcp = owner;

	while (oldest(tcp) && waited_ms(tcp, oldest(tcp)) >= TCP_TIME_WAIT_MS)
		drop(tcp, oldest(tcp));
	timer_start(tcp);
}

void tcp_timewait_init(struct tcp_proto *tcp)
{
	tcp_slab_init(&tcp->timewaits, sizeof(struct tcp_timewait), tcp->conns.most);
	TAILQ_INIT(&tcp->timewait_queue);
	tcp->timewait_timer.fire = timer_fire;
	tcp->timewait_timer.owner = tcp;
}

void tcp_timewait_fini(struct tcp_proto *tcp)
{
	if (stack_timer_running(&tcp->timewait_timer))
		stack_timer_stop(tcp->stack, &tcp->timewait_timer);
	tcp_slab_fini(&tcp->timewaits);
}

/* ---- in and out ---- */

/* What others will ask of memory that nobody has touched for long: the place in the table of one
 * that is to go soon, and the entry behind it. */
static void prefetch_ahead(const struct tcp_proto *tcp)
{
	const struct tcp_timewait *tw = oldest(tcp);

	for (unsigned i = 0; tw && i < PREFETCH_AHEAD; i++)
		tw = TAILQ_NEXT(tw, in_queue);
	if (!tw)
		return;
	tcp_table_prefetch(&tcp->table, tw->hash);
	__builtin_prefetch(TAILQ_NEXT(tw, in_queue));
}

static struct tcp_timewait *entry_new(struct tcp_proto *tcp)
{
	if (tcp->timewaits.used == tcp->timewaits.most && oldest(tcp)) {
		drop(tcp, oldest(tcp));
		prefetch_ahead(tcp);
	}
	return tcp_slab_take(&tcp->timewaits);
}

static void entry_fill(struct tcp_timewait *tw, const struct tcp_conn *conn)
{
	uint32_t window = (conn->rcv_edge - conn->rcv_nxt) >> conn->rcv_wscale;

	*tw = (struct tcp_timewait){
		.hash = conn->hash,
		.local = conn->path.src,
		.remote = conn->path.dst,
		.local_port = conn->local_port,
		.remote_port = conn->remote_port,
		.snd_nxt = conn->snd_max,
		.rcv_nxt = conn->rcv_nxt,
		.ts_recent = conn->ts_recent,
		.ts_offset = conn->ts_offset,
		.window = (uint16_t)RTE_MIN(window, (uint32_t)UINT16_MAX),
		.has_ts = tcp_has(conn, TCP_USE_TS),
	};
}

void tcp_timewait_enter(struct tcp_conn *conn)
{
	struct tcp_proto *tcp = conn->tcp;
	struct tcp_timewait *tw = entry_new(tcp);

	if (tw) {
		entry_fill(tw, conn);
		tcp_table_replace(&tcp->table, conn->hash, (uintptr_t)conn, ref_of(tw));
		conn->flags &= ~(uint32_t)TCP_IN_TABLE;
		queue_push(tcp, tw);
		timer_start(tcp);
	}
	tcp_conn_detach(conn);
	conn->close_reason = TCP_CLOSED_NORMAL;
	if (tcp_has(conn, TCP_OWNED))
		tcp_conn_check_end(conn);
	else
		tcp_conn_release(conn);
}

bool tcp_timewait_match(const struct tcp_timewait *tw, const struct endpoint *local,
			const struct endpoint *remote)
{
	return tw->local_port == local->port && tw->remote_port == remote->port &&
	       addr_equal(&tw->remote, &remote->addr) && addr_equal(&tw->local, &local->addr);
}

/* RFC 6191 §2, which takes the place of RFC 9293 §3.6.1: newer by its time stamp where the old
 * connection had them, else by its number. One that is older by its time stamp is an old duplicate,
 * whatever its number. */
static bool syn_is_new(const struct tcp_timewait *tw, const struct tcp_seg *seg)
{
	if ((seg->flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN)
		return false;
	if (!(seg->options.present & TCP_OPT_TS))
		return seq_gt(seg->seq, tw->rcv_nxt);
	if (!tw->has_ts || seq_gt(seg->options.tsval, tw->ts_recent))
		return true;
	return seg->options.tsval == tw->ts_recent && seq_gt(seg->seq, tw->rcv_nxt);
}

static uint32_t give_way(struct tcp_proto *tcp, struct tcp_timewait *tw)
{
	uint32_t floor = tw->snd_nxt + ISS_STEP;

	stack_count(tcp->stack, tcp_time_wait_reused);
	drop(tcp, tw);
	return floor ? floor : 1;
}

/* An old duplicate, or our last ACK was lost: say it again. */
static void answer(struct tcp_proto *tcp, const struct tcp_timewait *tw)
{
	const struct tcp_reply reply = {
		.local = {tw->local, tw->local_port},
		.remote = {tw->remote, tw->remote_port},
		.seq = tw->snd_nxt,
		.ack = tw->rcv_nxt,
		.flags = TCP_ACK,
		.window = tw->window,
		.options = tw->has_ts ? TCP_OPT_TS : 0,
		.tsval = tcp_now_ms(tcp) + tw->ts_offset,
		.tsecr = tw->ts_recent,
	};

	tcp_reply_push(tcp, &reply);
}

bool tcp_timewait_input(struct tcp_proto *tcp, struct tcp_timewait *tw, const struct tcp_seg *seg,
			uint32_t *iss_floor)
{
	if (seg->flags & TCP_RST) /* RFC 1337 §3: or it would be the assassin */
		return false;
	if (syn_is_new(tw, seg)) {
		*iss_floor = give_way(tcp, tw);
		return true;
	}
	if (seg->flags & TCP_FIN && seg->seq + seg->len + 1 == tw->rcv_nxt) {
		answer(tcp, tw);
		queue_remove(tcp, tw);
		queue_push(tcp, tw);
	} else if (tcp_seg_span(seg) && tcp_challenge_take(tcp)) {
		answer(tcp, tw);
	}
	return false;
}

bool tcp_timewait_reuse(struct tcp_proto *tcp, struct tcp_timewait *tw, uint32_t *iss_floor)
{
	if (!tw->has_ts || waited_ms(tcp, tw) < TCP_TIME_WAIT_REUSE_MS)
		return false;
	*iss_floor = give_way(tcp, tw);
	return true;
}
