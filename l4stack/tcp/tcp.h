/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP connections, as their owner sees them.
 *
 * Threads: the stack's own, as in stack.h. Nothing here blocks, and nothing here calls
 * a handler: handlers run in stack_deliver only.
 *
 * Handle: a `struct tcp_conn *` is valid from tcp_connect, or from the listener's
 * `accepted`, until the owner calls tcp_close or tcp_abort, or until `closed` returns.
 * After tcp_close or tcp_abort no handler of that connection is called any more; the
 * stack finishes the protocol by itself (FIN, retransmissions, TIME-WAIT).
 *
 * Payload is a chain of mbufs linked by `next`, each trimmed to payload bytes
 * (data_off, data_len > 0); pkt_len and nb_segs of the first are not meaningful. Payload
 * that was received may be sent on another connection as it is: proxying by reference.
 * The stack never writes into payload it was given, nor over payload it received. It does link
 * and trim the mbufs of a chain it was given: none of them may be held by others (a reference
 * count of one). Who wants to keep a buffer, or send it twice, gives a reference to it
 * (rte_pktmbuf_attach).
 *
 * Flow control: bytes that wait in the receive queue are charged to the window at their
 * true size; tcp_recv takes them and opens the window. An owner that does not want more
 * data simply does not call tcp_recv.
 */
#ifndef L4STACK_TCP_TCP_H
#define L4STACK_TCP_TCP_H

#include <stdbool.h>
#include <stdint.h>

#include "l4stack/base/addr.h"

struct rte_mbuf;
struct stack;
struct tcp_conn;
struct tcp_listener;

enum tcp_close_reason {
	TCP_CLOSED_NORMAL,  /* both directions ended with FIN, all is acknowledged and was taken */
	TCP_CLOSED_RESET,   /* the peer sent RST */
	TCP_CLOSED_REFUSED, /* RST in answer to our SYN */
	TCP_CLOSED_TIMEOUT, /* retransmissions or the SYN went unanswered */
	TCP_CLOSED_UNREACHABLE, /* in SYN-SENT: no neighbour answers, or ICMP said so (hard error)
				 */
	TCP_CLOSED_NO_MEMORY,   /* not given by this version: short memory closes windows */
};
const char *tcp_close_reason_text(enum tcp_close_reason reason);

/* All may be NULL. What is due of `readable` and `writable` at the same time is called once when
 * both are the same function. `user` is what was set with tcp_set_user or given to tcp_connect. */
struct tcp_handlers {
	void (*opened)(struct tcp_conn *conn,
		       void *user); /* the handshake of tcp_connect is done */
	void (*readable)(struct tcp_conn *conn,
			 void *user); /* new bytes in order, or the peer's FIN */
	void (*writable)(struct tcp_conn *conn,
			 void *user); /* bytes were acknowledged: there is more room to send */
	/* What still waits can be taken inside. After NORMAL nothing does: it comes when the last
	 * byte was taken, so an owner that never reads never hears it. */
	void (*closed)(struct tcp_conn *conn, void *user, enum tcp_close_reason reason);
};

/* When a last part goes out that does not fill a segment. */
enum tcp_gather {
	TCP_GATHER_FLUSH, /* at the next flush: until then writes are gathered in any case */
	TCP_GATHER_NAGLE, /* when no other that was short is in flight: RFC 9293 §3.7.4 */
	TCP_GATHER_FULL,  /* not before this is changed, or with FIN */
};

/* RFC 3168; "bbr" does without, for it takes no notice of marks. */
enum tcp_ecn {
	TCP_ECN_IF_ASKED, /* peers that ask for it get it */
	TCP_ECN_ASK,      /* and tcp_connect asks */
	TCP_ECN_NEVER,
};

struct tcp_conf {
	const char *congestion; /* "cubic", "newreno", "bbr"; NULL: the first. Unknown: -ENOENT */
	/* Most that waits unread; 0: 1 MiB. The window begins with recv_begin_bytes of it (0: 128
	 * KiB), and grows with what is taken in a round trip. */
	uint32_t recv_buffer_bytes, recv_begin_bytes;
	uint32_t send_buffer_bytes;  /* most that waits unsent and unacknowledged; 0: 1 MiB */
	uint32_t connect_timeout_ms; /* 0: RFC 9293's R2 for SYN, 3 minutes */
	uint32_t keepalive_ms;       /* idle time before the first probe; 0: off */
	/* Between probes; 0: 75 s, or keepalive_ms where that is less. */
	uint32_t keepalive_each_ms;
	uint32_t keepalive_probes; /* given up when so many are unanswered; 0: 9 */
	uint32_t user_timeout_ms;  /* as tcp_set_user_timeout */
	enum tcp_gather gather;
	uint16_t mss_most;     /* payload of a segment, either way; 0: what the path allows */
	struct endpoint local; /* tcp_connect: from here; family or port 0: chosen */
	/* RFC 7413. Listeners: a SYN with a cookie opens at once, with its text, and others get
	 * one. tcp_connect: what is given to tcp_send before the next flush goes along with the
	 * SYN, if the server has given a cookie before. Either side may see that text twice. */
	bool fast_open;
	bool trust_path; /* no black holes are suspected (RFC 4821): ICMP tells what is too long */
	enum tcp_ecn ecn;
};

/* 0, or -ENOENT: there is no such congestion control. */
int tcp_conf_check(const struct tcp_conf *conf) __attribute__((warn_unused_result));

struct tcp_listen_handlers {
	/* A connection is established, or opened fast. Set its handlers and user here; without that
	 * it is reset. Its `opened` is not called; it may be sent on at once. */
	void (*accepted)(struct tcp_conn *conn, void *listener_user);
};

/* `local` with a zero address of its family listens on every address. -EADDRINUSE, -EADDRNOTAVAIL,
 * -EINVAL (no port), -ENOENT (no such congestion control), -ENOMEM. */
int tcp_listen(struct stack *stack, const struct endpoint *local, const struct tcp_conf *conf,
	       const struct tcp_listen_handlers *handlers, void *user, struct tcp_listener **out)
	__attribute__((warn_unused_result));

/* Connections that are established from now on get these settings. An unknown congestion control:
 * that one stays what it was. Nothing of `conf` is needed after the call. */
void tcp_relisten(struct tcp_listener *listener, const struct tcp_conf *conf);

/* Connections already accepted live on; half-open ones are reset. */
void tcp_unlisten(struct tcp_listener *listener);

/* Opens a connection from the address of the route's port and an ephemeral port (RFC 6056),
 * unless `conf` says from where. -ENETUNREACH, -EADDRNOTAVAIL (no port left, or not ours),
 * -EADDRINUSE, -ENOENT (no such congestion control), -ENOMEM. Later failures come by `closed`. */
int tcp_connect(struct stack *stack, const struct endpoint *remote, const struct tcp_conf *conf,
		const struct tcp_handlers *handlers, void *user, struct tcp_conn **out)
	__attribute__((warn_unused_result));

void tcp_set_handlers(struct tcp_conn *conn, const struct tcp_handlers *handlers, void *user);
void *tcp_user(const struct tcp_conn *conn);

/* Whom it connects; as tcp_info says. */
void tcp_endpoints(const struct tcp_conn *conn, struct endpoint *local, struct endpoint *remote);

/* Another congestion control from now on; the window stays what it is. -ENOENT: there is none of
 * that name. */
int tcp_set_congestion(struct tcp_conn *conn, const char *name) __attribute__((warn_unused_result));

/* Fast Open's cookies are made with this key from now on, so that several machines of one address
 * take each other's (RFC 7413 §6.3.3). Without it they come from the stack's secret. */
void tcp_set_fast_key(struct stack *stack, const uint64_t key[2]);

/* How much text a SYN to `remote` can take along: 0 when that server has given no cookie. */
uint32_t tcp_fast_room(const struct stack *stack, const struct addr *remote);

void tcp_set_gather(struct tcp_conn *conn, enum tcp_gather gather);

/* For how long what was sent may be unacknowledged (R2 of RFC 9293 §3.8.3), and the peer's window
 * shut. 0: 5 minutes for the former, which the peer may lengthen to 10 (RFC 5482), no end for the
 * latter. */
void tcp_set_user_timeout(struct tcp_conn *conn, uint32_t timeout_ms);

/* RFC 9293 §3.8.4: probes when nothing was heard for `idle_ms` (0: never), one each `each_ms`;
 * it is given up when `probes` of them had no answer. 0 for the last two: as in tcp_conf. */
void tcp_set_keepalive(struct tcp_conn *conn, uint32_t idle_ms, uint32_t each_ms, uint32_t probes);

/* True: the next segments are acknowledged at once, as they are at the start, and so is what came
 * just now. False: from now on the usual delay (RFC 9293 §3.8.6.3). */
void tcp_set_quick_ack(struct tcp_conn *conn, bool quick);

/* Most that waits unread, as recv_buffer_bytes. A window that the peer was told of stays. */
void tcp_set_recv_buffer(struct tcp_conn *conn, uint32_t bytes);

/* Bytes in order that wait to be taken. */
uint32_t tcp_recv_ready(const struct tcp_conn *conn);

/* True when the peer has sent FIN: what waits is all. */
bool tcp_recv_last(const struct tcp_conn *conn);
/* The same, and every byte before it was taken. */
bool tcp_recv_ended(const struct tcp_conn *conn);

/* The waiting bytes as a chain that still belongs to the connection: to look at, not to keep.
 * NULL when nothing waits. Valid until the next call that takes bytes or until the loop turns. */
struct rte_mbuf *tcp_recv_peek(const struct tcp_conn *conn);

/* Takes at most `max_bytes` of them; the chain is the caller's (free with rte_pktmbuf_free). An
 * mbuf that straddles the limit is shared by reference. NULL when nothing waits or no memory is
 * left. */
struct rte_mbuf *tcp_recv(struct tcp_conn *conn, uint32_t max_bytes);

/* Room to send now. tcp_send takes more than that (the chain is never split), but should not be
 * asked to. */
uint32_t tcp_send_room(const struct tcp_conn *conn);

/* Takes ownership of the chain on success, holds it until acknowledged. Before the connection is
 * open it waits for that (RFC 9293 §3.10.2). -EPIPE after tcp_shutdown, or when the connection is
 * over; then the chain stays the caller's. */
int tcp_send(struct tcp_conn *conn, struct rte_mbuf *chain) __attribute__((warn_unused_result));

/* Bytes given to tcp_send that are not yet acknowledged. */
uint32_t tcp_send_pending(const struct tcp_conn *conn);

/* FIN after all that was sent; receiving goes on. */
void tcp_shutdown(struct tcp_conn *conn);

/* The owner is done in both directions: FIN after all that was sent; bytes that come or wait
 * unread are answered with RST (RFC 9293 §3.6.1, RFC 2525 §2.17). The handle is gone. */
void tcp_close(struct tcp_conn *conn);

/* RST now; unsent bytes are dropped. The handle is gone. */
void tcp_abort(struct tcp_conn *conn);

/* For `show flows` and for tests. Times in µs. */
struct tcp_info {
	struct endpoint local, remote;
	const char *state; /* "ESTABLISHED", … */
	const char *congestion;
	uint32_t srtt_us, rttvar_us, rto_us;
	uint32_t cwnd_bytes, ssthresh_bytes, flight_bytes;
	uint32_t send_window_bytes, recv_window_bytes;
	uint32_t recv_queue_bytes, send_queue_bytes;
	uint32_t sent_bytes, sacked_bytes; /* sent and not acknowledged; reported as received */
	uint32_t lost_bytes, resent_bytes; /* of what was sent: lost; sent again, and in flight */
	uint32_t delivered_bytes;          /* in all; wraps */
	uint32_t min_rtt_us;
	uint16_t mss, mss_offered, path_mtu;
	uint16_t recv_mss; /* the longest segment that came */
	uint8_t wscale_send, wscale_recv;
	uint8_t retries; /* timeouts or window probes since the peer was last heard to move */
	uint8_t keep_probes;
	bool timestamps, sack, wscale, ecn; /* agreed */
	bool recovering, mending;           /* a loss; a timeout */
	bool reduced;    /* ECN has made the window smaller, in this round trip */
	bool disordered; /* duplicate ACKs or reports of holes */
	bool fast_text;  /* the text of a SYN was taken: RFC 7413 */
	uint64_t age_us, bytes_in, bytes_out, retransmits;
};
void tcp_info(const struct tcp_conn *conn, struct tcp_info *out);

/* Every connection, in no order; `fn` must not change any. A listener's half-open ones are not
 * among them: they are no connections yet. */
void tcp_each(const struct stack *stack, void (*fn)(void *ctx, const struct tcp_conn *conn),
	      void *ctx);

/* Connections, and a listener's half-open ones. */
uint32_t tcp_count(const struct stack *stack);

#endif
