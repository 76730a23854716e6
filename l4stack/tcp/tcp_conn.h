/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A connection, and TCP's state in one stack: the structures that the files of tcp/
 * share, and a connection's birth and death.
 *
 * Life: tcp_conn_new; the table, once it has its tuple; then one of
 *  - tcp_conn_finish: the protocol is over. An owner is told by `closed`, and until that
 *    has returned the connection stays, out of the table, with what was received;
 *  - tcp_timewait_enter, which does the same and leaves a small TIME-WAIT entry behind.
 * A connection that stands on a list is freed when it is taken off (tcp_conn_release).
 *
 * Internal to l4stack/tcp.
 */
#ifndef L4STACK_TCP_TCP_CONN_H
#define L4STACK_TCP_TCP_CONN_H

#include <stddef.h>
#include <sys/queue.h>

#include "l4stack/base/bucket.h"
#include "l4stack/cc/cc.h"
#include "l4stack/ip/ip.h"
#include "l4stack/stack_internal.h"
#include "l4stack/tcp/tcp.h"
#include "l4stack/tcp/tcp_options.h"
#include "l4stack/tcp/tcp_prr.h"
#include "l4stack/tcp/tcp_rack.h"
#include "l4stack/tcp/tcp_rate.h"
#include "l4stack/tcp/tcp_recent.h"
#include "l4stack/tcp/tcp_rto.h"
#include "l4stack/tcp/tcp_scoreboard.h"
#include "l4stack/tcp/tcp_slab.h"
#include "l4stack/tcp/tcp_table.h"

struct tcp_reorder;
struct tcp_timewait;
struct tcp_input_stage;
struct tcp_express;

#define TCP_PROTOCOL      6
#define TCP_HEADER_BYTES  20
#define TCP_MSS_DEFAULT   536 /* RFC 9293 §3.7.1 */
#define TCP_BUFFER_BYTES  (1u << 20)
#define TCP_RECV_BEGIN    (128u << 10) /* what of the receive buffer is used at first */
#define TCP_SYN_BACKLOG   1024         /* half-open connections of a listener */
#define TCP_REPLIES_MAX   256
#define TCP_QUICK_ACKS    16
#define TCP_MSS_FLOOR     88 /* less is an attack on the sender */
#define TCP_ACKS_MOST     64 /* duplicate ACKs of one flush */
#define TCP_PORT_COUNTERS 64
#define TCP_FAST_SERVERS  256
#define TCP_USED_ALL      UINT32_MAX /* of the congestion window: it was what held us back */

enum tcp_state {
	TCP_FREE, /* a slab's object that is nobody */
	TCP_CLOSED,
	TCP_SYN_SENT,
	TCP_SYN_RECEIVED,
	TCP_ESTABLISHED,
	TCP_FIN_WAIT_1,
	TCP_FIN_WAIT_2,
	TCP_CLOSE_WAIT,
	TCP_CLOSING,
	TCP_LAST_ACK,
	TCP_TIME_WAIT, /* until the next flush, or as long as the owner has something to read */
	TCP_STATES,
};

/* What a state allows. */
enum tcp_state_trait {
	TCP_CAN_RECEIVE = 1 << 0, /* text is accepted: RFC 9293 §3.10.7.4, seventh step */
	TCP_CAN_SEND = 1 << 1,    /* data and FIN may go out */
	TCP_CAN_QUEUE = 1 << 2,   /* SEND is accepted: §3.10.2 */
	TCP_SYNCHRONIZED = 1 << 3,
	TCP_OPENING = 1 << 4,
	TCP_SENT_FIN = 1 << 5, /* our half is closed, or will be when the queue is empty */
};

struct tcp_state_info {
	const char *name;
	uint32_t traits;
};
extern const struct tcp_state_info tcp_state_table[TCP_STATES];

enum tcp_event {
	TCP_EVENT_ACCEPT = 1 << 0,
	TCP_EVENT_OPENED = 1 << 1,
	TCP_EVENT_READABLE = 1 << 2,
	TCP_EVENT_WRITABLE = 1 << 3,
	TCP_EVENT_CLOSED = 1 << 4,
};

enum tcp_conn_flag {
	TCP_OWNED = 1 << 0,   /* a handle is out; handlers are called */
	TCP_PASSIVE = 1 << 1, /* made by a listener that has not handed it over yet */
	TCP_IN_TABLE = 1 << 2,
	TCP_ON_FLUSH = 1 << 3, /* on a list, or being worked on: may not be freed */
	TCP_ON_DELIVER = 1 << 4,
	TCP_BUSY = 1 << 5,
	TCP_RELEASED = 1 << 6,    /* to be freed when none of the three above is set */
	TCP_USE_TS = 1 << 7,      /* RFC 7323 was agreed */
	TCP_USE_SACK = 1 << 8,    /* RFC 2018 was agreed */
	TCP_FIN_SENT = 1 << 9,    /* at least once */
	TCP_FIN_HEARD = 1 << 10,  /* a FIN came, in order or not: rcv_fin is its number */
	TCP_FIN_TAKEN = 1 << 11,  /* it was acknowledged */
	TCP_RESET_NOW = 1 << 12,  /* the next flush sends RST */
	TCP_SYN_NOW = 1 << 13,    /* the next flush sends SYN or SYN-ACK */
	TCP_PROBE_NOW = 1 << 14,  /* the next flush sends a window probe */
	TCP_KEEP_NOW = 1 << 15,   /* the next flush sends a keepalive probe */
	TCP_RECOVERY = 1 << 16,   /* fast recovery: RFC 6582, RFC 6675 */
	TCP_RESEND_NOW = 1 << 17, /* the segment at snd_una goes out whatever the window says */
	TCP_RTT_TIMED = 1 << 18,  /* rtt_seq is being timed */
	TCP_RESENT =
		1 << 19, /* something in flight was sent twice: only time stamps tell the RTT */
	TCP_CWND_LIMITED = 1 << 20,
	TCP_FIN_QUEUED = 1 << 21,  /* shut down before it was open */
	TCP_SYN_RESENT = 1 << 22,  /* RFC 6298 §5.7, RFC 5681 §3.1 */
	TCP_WINDOW_SHUT = 1 << 23, /* we advertised a window of zero */
	TCP_USE_WSCALE = 1 << 24,  /* RFC 7323 §2 was agreed */
	TCP_KEEPALIVE = 1 << 25,
	TCP_ACTIVE = 1 << 26,       /* made by tcp_connect */
	TCP_FAST_OPEN = 1 << 27,    /* RFC 7413, until the handshake is done */
	TCP_FAST_TEXT = 1 << 28,    /* the text of its SYN was taken */
	TCP_USER_TIMEOUT = 1 << 29, /* the owner has set it: the peer does not change it */
	TCP_ORPHANED = 1 << 30,     /* counted in tcp->orphans */
};

/* Of loss recovery: conn->loss. */
enum tcp_loss_flag {
	TCP_LOSS_TIMEOUT = 1 << 0,     /* what timed out is being sent again */
	TCP_LOSS_FRTO_FIRST = 1 << 1,  /* RFC 5682: the first ACK after the timeout is waited for */
	TCP_LOSS_FRTO_SECOND = 1 << 2, /* new data goes out, and the second one decides */
	TCP_LOSS_UNDO = 1 << 3,        /* it may still turn out that nothing was lost */
	TCP_LOSS_EIFEL = 1 << 4,     /* RFC 3522: the first ACK for what was sent again will tell */
	TCP_LOSS_PROBE_NOW = 1 << 5, /* the next flush sends a tail loss probe */
	TCP_LOSS_PROBED = 1 << 6,    /* its ACK is waited for */
	TCP_LOSS_PROBE_RESENT = 1 << 7, /* it was no new data */
	TCP_LOSS_MTU_PROBE = 1 << 8,    /* RFC 4821: a longer segment is in flight */
};

/* What the retransmission timer waits for. */
enum tcp_wait {
	TCP_WAIT_RTO,
	TCP_WAIT_PROBE,   /* RFC 8985 §7.2 */
	TCP_WAIT_REORDER, /* RFC 8985 §6.2 step 5 */
};

enum tcp_timer {
	TCP_TIMER_RETRANSMIT,
	TCP_TIMER_PERSIST,
	TCP_TIMER_ACK,
	TCP_TIMER_KEEP,
	TCP_TIMER_LIFE, /* gives up a connection that is opening, or that lingers in FIN-WAIT-2 */
	TCP_TIMER_PACE,
	TCP_TIMERS,
};

/* What is suspected of the path: tcp_mtu.h. */
struct tcp_mtu {
	uint16_t full;                /* the MTU that was given up; 0: none was */
	uint16_t next, tried;         /* of the next probe, and of the one that is in flight */
	uint16_t known;               /* while a probe is sent: what the path carries; or 0 */
	uint32_t probe_end, probe_ms; /* where it ends; when the next one may go */
};

struct tcp_conn {
	/* Line 0: who it is, and where its packets go. */
	struct ip_path path; /* src is ours */

	/* Line 1: receiving. */
	uint16_t local_port, remote_port;
	uint8_t state;  /* enum tcp_state */
	uint8_t events; /* enum tcp_event */
	uint8_t rcv_wscale, snd_wscale;
	uint32_t flags; /* enum tcp_conn_flag */
	uint32_t rcv_nxt;
	uint32_t rcv_edge;   /* right edge of the window as advertised: never moves left */
	uint32_t rcv_acked;  /* the last ACK sent: RFC 7323's Last.ACK.sent */
	uint32_t ts_recent;  /* RFC 7323's TS.Recent */
	uint32_t rcv_ready;  /* bytes that wait in order */
	uint32_t rcv_charge; /* true size of all that waits */
	uint16_t rcv_mss;    /* the largest segment seen */
	uint8_t quick_acks;  /* segments still to be acknowledged at once */
	uint8_t acks_owed;   /* ACKs that the next flush has to send */
	struct rte_mbuf *rcv_head, *rcv_tail;
	struct tcp_reorder *reorder; /* NULL: nothing out of order */

	/* Line 2: sending. */
	uint32_t snd_una;
	uint32_t snd_nxt; /* what is sent next that is new: all before it is on the scoreboard */
	uint32_t snd_max; /* one past the highest ever sent: a FIN or a SYN's
			   * text may be beyond snd_nxt */
	uint32_t snd_wnd;
	uint32_t snd_wl1, snd_wl2;
	uint32_t snd_bytes; /* payload in the queue, sent or not */
	uint16_t mss;       /* payload of a full segment, options taken off */
	uint8_t dup_acks;
	uint8_t retries; /* timeouts or probes since the peer was last heard to move */
	struct rte_mbuf *snd_head, *snd_tail;
	struct rte_mbuf *snd_cursor; /* where snd_nxt is; NULL: at the end */
	uint32_t snd_cursor_off;
	uint32_t snd_left; /* without SACK: bytes that left the network by duplicate ACKs */

	/* Line 3: time. */
	uint32_t due_ms[TCP_TIMERS]; /* 0: off */
	struct tcp_rto rto;
	uint32_t rtt_seq, rtt_start_us;
	uint32_t snd_wnd_max; /* the largest window the peer has shown */
	struct tcp_proto *tcp;
	struct tcp_conn *flush_next;

	/* Lines 4 and 5: congestion control. */
	struct cc cc;

	/* Line 6: the timer and the owner. */
	struct stack_timer timer;
	const struct tcp_handlers *handlers;
	void *user;
	struct tcp_conn *deliver_next;

	/* Lines 7 to 9: what is in flight, and what is lost. */
	struct tcp_scoreboard sent;
	struct tcp_rate rate;
	struct tcp_rack rack;
	uint32_t recover;    /* RFC 6582: one past what was sent when the loss was found */
	uint32_t rto_due_ms; /* when the retransmission timeout is due: the timer may wait for less
			      */
	uint32_t probe_end;  /* RFC 8985's TLP.end_seq */
	uint32_t round_end;  /* `delivered` at which the next round trip begins */
	uint32_t last_sent_ms;
	uint16_t loss;     /* enum tcp_loss_flag */
	uint8_t waits_for; /* enum tcp_wait */
	uint8_t ecn;       /* enum tcp_ecn_flag */
	uint64_t pace_us;  /* nothing is sent before, if it is paced */
	uint32_t ecn_end;  /* marks of what was sent before are one with the last */
	struct tcp_prr prr;
	uint32_t undo_una, undo_bytes; /* sent again since there, and not reported as duplicates */
	uint32_t eifel_ms;             /* the first of that */
	struct tcp_sack_block duplicate; /* RFC 2883: received twice, to be told; empty: nothing */
	struct rte_mbuf *resend_at;      /* where the search of what is sent again begins */
	uint32_t resend_seq;             /* its first byte */
	uint32_t used_most, used_end;    /* the most that was in flight since then: note_used */

	/* Cold from here: opening, closing, books. */
	uint64_t hash;
	struct tcp_listener *listener; /* TCP_PASSIVE */
	struct tcp_conn *backlog_next, **backlog_link;
	uint32_t iss, irs;
	uint32_t rcv_fin;
	uint32_t ts_offset;
	uint32_t ts_recent_s; /* when ts_recent was taken: of seconds, since 24 days matter */
	uint32_t retry_ms;    /* when the peer went silent: the first of `retries` */
	uint32_t heard_ms;
	uint32_t resent_ms; /* the last retransmission */
	uint32_t recv_limit, send_limit;
	uint32_t recv_most;               /* recv_limit grows up to that */
	uint32_t rcv_taken, rcv_taken_us; /* by the owner, since then */
	uint32_t keepalive_ms, keepalive_each_ms;
	uint32_t user_timeout_ms;
	uint32_t mem_charge; /* true size of the send queue */
	struct bucket challenge_limit;
	uint64_t bytes_in, bytes_out;
	uint32_t retransmits;
	uint32_t born_s; /* of the stack's clock */
	uint16_t peer_mss;
	uint8_t close_reason; /* enum tcp_close_reason */
	uint8_t keep_probes, keep_most;
	uint8_t gather; /* enum tcp_gather */
	bool trust_path;
	uint16_t mss_most;
	uint16_t mss_own;   /* what we take: tcp_recvq_mss */
	uint32_t short_end; /* of the last segment sent that was not full */
	struct tcp_mtu mtu;
} __attribute__((aligned(64)));

#define TCP_LINE(field) (offsetof(struct tcp_conn, field) / 64)
_Static_assert(sizeof(struct ip_path) == 64, "line 0");
_Static_assert(TCP_LINE(local_port) == 1 && TCP_LINE(reorder) == 1, "line 1");
_Static_assert(TCP_LINE(snd_una) == 2 && TCP_LINE(snd_left) == 2, "line 2");
_Static_assert(TCP_LINE(due_ms) == 3 && TCP_LINE(flush_next) == 3, "line 3");
_Static_assert(offsetof(struct tcp_conn, cc) == 4 * 64, "line 4");
_Static_assert(TCP_LINE(timer) == 6 && TCP_LINE(deliver_next) == 6, "line 6");
_Static_assert(TCP_LINE(sent) == 7 && TCP_LINE(prr) == 9, "lines 7 to 9");
_Static_assert(sizeof(struct tcp_conn) <= 896, "an idle connection is small");

/* A singly linked queue of connections. */
struct tcp_conn_list {
	struct tcp_conn *head, **tail;
};

struct tcp_listener {
	struct tcp_listener *next;
	struct tcp_proto *tcp;
	struct endpoint local; /* a zero address: any */
	const struct tcp_listen_handlers *handlers;
	void *user;
	const struct cc_ops *cc_ops;
	struct tcp_conf conf;
	struct tcp_conn *backlog; /* established, not handed over yet */
	uint32_t backlog_count;
	uint32_t half_count;       /* records of tcp_half.h */
	uint64_t cookies_until_us; /* ACKs may carry cookies of ours */
};

/* A segment without a connection to send it: RST, SYN cookies, the ACKs of TIME-WAIT and of
 * half-open records. Kept until the next flush. */
struct tcp_reply {
	struct endpoint local, remote;
	uint32_t seq, ack;
	uint32_t tsval, tsecr;
	uint16_t flags; /* enum tcp_flag */
	uint16_t window;
	uint16_t mss_most; /* of what the MSS option says; 0: what the path allows */
	uint8_t options;   /* enum tcp_option_bit: MSS, WSCALE, TS, SACK_OK */
	uint8_t wscale;
};

/* What is known of a server: tcp_fast.h. */
struct tcp_fast_server {
	struct addr addr;
	uint16_t mss;
	uint8_t cookie_len; /* 0: none */
	uint8_t cookie[TCP_FAST_COOKIE_MAX];
	uint32_t blocked_until_s;
};

/* Half-open connections: tcp_half.h. */
struct tcp_half;
#define TCP_HALF_QUEUES 7
TAILQ_HEAD(tcp_half_queue, tcp_half);
struct tcp_halves {
	struct tcp_slab slab;
	struct tcp_half_queue queues[TCP_HALF_QUEUES];
	struct stack_timer timer;
};

/* The stack's allowance of challenge ACKs: tcp_challenge.c. */
struct tcp_challenges {
	uint64_t period;
	uint32_t left;
};

struct tcp_proto {
	struct stack *stack;
	struct tcp_table table;
	struct tcp_recent recent;
	struct tcp_slab conns, timewaits;
	struct tcp_slab runs; /* of all scoreboards */
	struct tcp_conn_list flush, deliver;
	struct tcp_conn_list stopped; /* their ports have no room: they stand before `flush` */
	bool resumed;                 /* some of them have room again */
	/* True size of all payload, received and to be sent; each may have half of the budget, for
	 * if one could take all of it, both ends of a connection could wait for the other. */
	uint64_t share_bytes, recv_held_bytes, send_held_bytes;
	uint32_t copy_below;
	uint16_t syn_window; /* the most that a SYN or SYN-ACK offers */
	uint32_t listener_count;
	struct tcp_listener *listeners[64]; /* by port */
	uint32_t orphans, orphans_most;     /* connections that were closed and are not over */
	struct tcp_reorder *reorder_first, *reorder_last; /* all of them, the oldest first */
	struct tcp_halves halves;
	TAILQ_HEAD(, tcp_timewait) timewait_queue; /* the oldest first */
	struct stack_timer timewait_timer;
	uint64_t isn_key[2], port_key[2], cookie_key[2], fast_key[2];
	uint32_t fast_pending; /* connections of listeners that were opened fast */
	struct tcp_fast_server fast_servers[TCP_FAST_SERVERS];
	uint16_t port_next[TCP_PORT_COUNTERS];
	struct bucket reset_limit;
	struct tcp_challenges challenges;
	struct tcp_input_stage *stage;
	struct tcp_express *express;
	uint32_t reply_count;
	struct tcp_reply replies[TCP_REPLIES_MAX];
};

/* The lines that a segment or a flush needs. */
static inline void tcp_conn_prefetch(const struct tcp_conn *conn)
{
	__builtin_prefetch(&conn->path);
	__builtin_prefetch(&conn->local_port);
	__builtin_prefetch(&conn->snd_una);
	__builtin_prefetch(&conn->due_ms);
}

static inline bool tcp_state_is(const struct tcp_conn *conn, uint32_t traits)
{
	return tcp_state_table[conn->state].traits & traits;
}

static inline bool tcp_has(const struct tcp_conn *conn, uint32_t flags)
{
	return conn->flags & flags;
}

/* Data may go out: also of a connection that was opened fast, before its handshake is done. */
static inline bool tcp_may_send(const struct tcp_conn *conn)
{
	return tcp_state_is(conn, TCP_CAN_SEND) ||
	       (conn->state == TCP_SYN_RECEIVED && tcp_has(conn, TCP_FAST_OPEN));
}

/* Never wraps in a connection's life. */
static inline uint32_t tcp_now_s(const struct tcp_proto *tcp)
{
	return (uint32_t)(tcp->stack->now_us / 1000000);
}

static inline uint32_t tcp_now_ms(const struct tcp_proto *tcp)
{
	return tcp->stack->now_ms;
}

/* The number of the first byte in the send queue: a SYN that is not acknowledged stands before it.
 */
static inline uint32_t tcp_snd_queue_seq(const struct tcp_conn *conn)
{
	return conn->snd_una + (conn->snd_una == conn->iss && tcp_state_is(conn, TCP_OPENING));
}

/* One past the last byte of payload given to us. */
static inline uint32_t tcp_snd_data_end(const struct tcp_conn *conn)
{
	return tcp_snd_queue_seq(conn) + conn->snd_bytes;
}

static inline struct endpoint tcp_local(const struct tcp_conn *conn)
{
	return (struct endpoint){conn->path.src, conn->local_port};
}

static inline struct endpoint tcp_remote(const struct tcp_conn *conn)
{
	return (struct endpoint){conn->path.dst, conn->remote_port};
}

/* What a connection is made from, besides its path. */
struct tcp_conn_spec {
	const struct ip_path *path; /* taken over: released with the connection */
	uint16_t local_port, remote_port;
	uint64_t hash;
	uintptr_t instead_of; /* the table's reference whose place it takes; 0: none */
	const struct tcp_conf *conf;
	const struct cc_ops *cc_ops;
};

/* The receive buffer that a configuration means. */
uint32_t tcp_conn_recv_limit(const struct tcp_conf *conf);

/* In the table, in state CLOSED; the caller sets the rest. NULL: no room. */
struct tcp_conn *tcp_conn_new(struct tcp_proto *tcp, const struct tcp_conn_spec *spec);

/* The stack's share of challenge ACKs, RFC 5961 §7. False: it is used up, and that is counted. */
bool tcp_challenge_take(struct tcp_proto *tcp);

/* SND and RCV variables for an initial sequence number of ours, and where our time stamps begin. */
void tcp_conn_start(struct tcp_conn *conn, uint32_t iss, uint32_t ts_offset);

/* What the options of the peer's SYN say, and the window in it. */
struct tcp_seg;
void tcp_conn_take_syn(struct tcp_conn *conn, const struct tcp_seg *syn);

/* What sending needs: the MSS and congestion control. */
void tcp_conn_begin(struct tcp_conn *conn);

/* The handshake is done: ESTABLISHED. */
void tcp_conn_established(struct tcp_conn *conn);

/* No more will be sent: RFC 9293 §3.10.4, in any state that is open or opening. */
void tcp_conn_shutdown(struct tcp_conn *conn);

/* A connection that nobody reads and nobody will accept. */
static inline bool tcp_conn_is_orphan(const struct tcp_conn *conn)
{
	return !tcp_has(conn, TCP_OWNED | TCP_PASSIVE);
}

/* The payload of a full segment follows from the path's MTU, the peer's MSS and the options. */
void tcp_conn_set_mss(struct tcp_conn *conn);
uint16_t tcp_conn_mss_of(const struct tcp_conn *conn, uint16_t mtu);

/* No path has less: RFC 791's 576 every host can take, and RFC 8200's 1280. */
static inline uint16_t tcp_mtu_floor(const struct tcp_conn *conn)
{
	return conn->path.src.family == ADDR_IP6 ? 1280 : 576;
}

/* At its end, unless the connection stands on one of the lists for flushing already. */
static inline void tcp_conn_list_add(struct tcp_conn_list *list, struct tcp_conn *conn)
{
	if (tcp_has(conn, TCP_ON_FLUSH))
		return;
	conn->flags |= TCP_ON_FLUSH;
	conn->flush_next = NULL;
	*list->tail = conn;
	list->tail = &conn->flush_next;
}

/* Puts the connection on the list of stack_flush, or of stack_deliver with an event for its owner.
 */
static inline void tcp_conn_mark(struct tcp_conn *conn)
{
	tcp_conn_list_add(&conn->tcp->flush, conn);
}

static inline void tcp_conn_event(struct tcp_conn *conn, enum tcp_event event)
{
	struct tcp_conn_list *list = &conn->tcp->deliver;

	if (tcp_conn_is_orphan(conn))
		return;
	conn->events |= (uint8_t)event;
	if (tcp_has(conn, TCP_ON_DELIVER))
		return;
	conn->flags |= TCP_ON_DELIVER;
	conn->deliver_next = NULL;
	*list->tail = conn;
	list->tail = &conn->deliver_next;
}

/* The next flush sends an ACK, at the latest. */
static inline void tcp_conn_owe_ack(struct tcp_conn *conn)
{
	if (conn->acks_owed == 0)
		conn->acks_owed = 1;
	tcp_conn_mark(conn);
}

/* The owner has let go, and the protocol is over: frees, now or when it is off the lists. */
void tcp_conn_release(struct tcp_conn *conn);

static inline void tcp_conn_done(struct tcp_conn *conn)
{
	conn->flags &= ~(uint32_t)TCP_BUSY;
	if (tcp_has(conn, TCP_RELEASED))
		tcp_conn_release(conn);
}

/* The first of a stolen list; NULL at its end. The connection is busy until tcp_conn_done. */
static inline struct tcp_conn *tcp_conn_take_flush(struct tcp_conn_list *list)
{
	struct tcp_conn *conn = list->head;

	if (!conn)
		return NULL;
	list->head = conn->flush_next;
	if (list->head)
		tcp_conn_prefetch(list->head);
	conn->flags = (conn->flags & ~(uint32_t)TCP_ON_FLUSH) | TCP_BUSY;
	return conn;
}
struct tcp_conn *tcp_conn_take_deliver(struct tcp_conn_list *list);
void tcp_conn_list_init(struct tcp_conn_list *list);

/* What stands on `more` comes behind what stands on the list; `more` is used up. */
void tcp_conn_list_append(struct tcp_conn_list *list, const struct tcp_conn_list *more);

/* What stands on the list now; the list is empty. */
struct tcp_conn_list tcp_conn_list_steal(struct tcp_conn_list *list);

/* The listener has handed it over, or it is over. */
void tcp_conn_leave_backlog(struct tcp_conn *conn);

/* Out of the table, timers off, nothing more is sent or received. The receive queue stays. */
void tcp_conn_detach(struct tcp_conn *conn);

/* The protocol is over: tells the owner, or frees. */
void tcp_conn_finish(struct tcp_conn *conn, enum tcp_close_reason reason);

/* The same, with a RST to the peer at the next flush. */
void tcp_conn_reset(struct tcp_conn *conn, enum tcp_close_reason reason);

/* All received is taken and both halves are closed: `closed` is due. */
void tcp_conn_check_end(struct tcp_conn *conn);

/* Frees without a word: tcp_proto_destroy. */
void tcp_conn_free(struct tcp_conn *conn);

#endif
