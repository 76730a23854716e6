/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A stream socket over the stack's connections, as it is between the calls of libc and
 * l4stack/tcp/tcp.h. Linux's own structures and numbers are not known here: linux_*.c
 * translate. All functions answer 0 (or a count) or -errno, and are called with the
 * world's lock held. Those that can block say `until_us`: SOCK_AT_ONCE does not.
 */
#ifndef TESTS_PACKETDRILL_SO_SOCK_H
#define TESTS_PACKETDRILL_SO_SOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "l4stack/base/addr.h"

struct rte_mbuf;
struct tcp_conn;
struct tcp_listener;
struct world;

#define SOCK_AT_ONCE       0
#define SOCK_NAME_MAX      16
#define SOCK_KEPT_MOST     32
#define SOCK_DEFAULT_FIRST 8080 /* what an unbound socket listens on */

enum sock_phase {
	SOCK_NEW,
	SOCK_DEFERRED, /* connected with TCP_FASTOPEN_CONNECT: the first write opens it */
	SOCK_LISTENING,
	SOCK_CONNECTING,
	SOCK_CONNECTED,
	SOCK_OVER,
};

/* What can be set before and after there is a connection; copied to accepted ones. */
struct sock_options {
	bool nodelay, cork, keepalive, reuse, linger;
	bool tell_writes; /* when the memory of MSG_ZEROCOPY's is free again */
	bool tell_unread; /* recvmsg says how much is left */
	uint32_t linger_s;
	uint32_t user_timeout_ms;
	uint32_t fast_opens;      /* how many a listener would have waiting; 0: none */
	bool fast_connect;        /* connect() waits for the first bytes, if there is a cookie */
	int kept[SOCK_KEPT_MOST]; /* options without an effect here: what was set */
	uint32_t keep_idle_s, keep_each_s, keep_count;
	uint32_t send_bytes, recv_bytes; /* 0: the world's */
	uint32_t recv_least;             /* not readable while less waits; 0: one byte */
	uint32_t window_most;            /* that is offered; 0: as the buffer has it */
	uint32_t syn_retries;            /* 0: as many as usual */
	uint32_t accept_after_s; /* connections are accepted with their first text, or then */
	bool slow_acks;          /* TCP_QUICKACK is off */
	uint32_t unsent_most;    /* not writable while as much is not sent yet; 0: any */
	uint64_t send_timeout_us, recv_timeout_us; /* 0: none */
	uint16_t max_segment;
	char congestion[SOCK_NAME_MAX];
};

/* A connection's state in the stack's words, for TCP_INFO; kept when the connection is gone. */
struct sock_info {
	const char *state;
	const char *congestion;
	bool timestamps, sack, wscale, ecn, fast_text;
	bool recovering, mending, reduced, disordered;
	uint8_t wscale_send, wscale_recv, retries, probes;
	uint32_t mss, advertised_mss, path_mtu, recv_mss;
	uint32_t srtt_us, rttvar_us, rto_us, min_rtt_us;
	uint32_t lost_bytes, resent_bytes, delivered_bytes;
	uint64_t busy_us, window_us, buffer_us;
	uint32_t cwnd_bytes, ssthresh_bytes, pipe_bytes, unacked_bytes, sacked_bytes;
	uint32_t send_queue_bytes, unsent_bytes;
	uint32_t recv_window_bytes, send_window_bytes, retransmits;
	uint64_t bytes_in, bytes_out;
	uint64_t idle_sent_us, idle_recv_us,
		idle_acked_us; /* since data was sent, received, acked */
};

/* Writes whose memory the writer waits for: sock_notes.c. */
#define SOCK_NOTES_MOST 64
struct sock_note {
	uint32_t first, last; /* their numbers */
};
struct sock_notes {
	uint64_t end[SOCK_NOTES_MOST]; /* of those that are not acknowledged yet */
	uint32_t first_waiting;        /* the number of the first of them */
	unsigned waiting, told;
	struct sock_note notes[SOCK_NOTES_MOST];
};

struct sock_record;

struct sock {
	struct world *world;
	bool is_ip6; /* IPv4 addresses are told in IPv6's form: RFC 4038 §4.2 */
	enum sock_phase phase;
	struct endpoint local, peer;
	struct sock_options options;
	struct tcp_listener *listener;
	struct sock *accept_first, **accept_last, *accept_next;
	struct tcp_conn *conn;
	struct rte_mbuf *left; /* what was not read when the connection ended */
	struct sock_info info; /* of the connection that is gone */
	int error;             /* SO_ERROR, positive */
	bool ended;            /* the peer's FIN was the end */
	bool shut_read, shut_write;
	bool fast; /* RFC 7413 is asked for, or used */
	bool more; /* the last call said that more will follow */
	bool was_full;
	bool record_ended;           /* nothing may join what was given last */
	struct sock_record *records; /* what is written behind that: sock_record.c */
	uint32_t record_bytes;
	uint64_t given_bytes; /* to the connection, and kept in records */
	struct sock_notes notes;
	uint64_t opened_us, sent_us, recv_us, acked_us;
	uint64_t gathered_until_us; /* what is corked goes then; 0: nothing is */
	/* How long anything was to be sent, and what held it back: the peer's window; a buffer that
	 * was full. */
	uint64_t busy_us, window_us, buffer_us;
	unsigned news_in, news_out; /* count what an edge-triggered watch waits for */
};

enum sock_event {
	SOCK_READABLE = 1 << 0,
	SOCK_WRITABLE = 1 << 1,
	SOCK_ERROR = 1 << 2,
	SOCK_HUNG_UP = 1 << 3, /* both halves are closed */
	SOCK_PEER_ENDED = 1 << 4,
	SOCK_NOTED = 1 << 5, /* there is something to be told */
};

struct sock *sock_new(struct world *world);
int sock_bind(struct sock *sock, const struct endpoint *local);
int sock_listen(struct sock *sock);
int sock_accept(struct sock *sock, uint64_t until_us, struct sock **out);
int sock_connect(struct sock *sock, const struct endpoint *peer, uint64_t until_us);
/* sendto(MSG_FASTOPEN), or the first write of one that is deferred: opens it, with as much of the
 * text as the SYN takes. How much went, 0 or -EINPROGRESS when there is no cookie. */
ssize_t sock_connect_fast(struct sock *sock, const struct endpoint *peer, const void *buf,
			  size_t len, uint64_t until_us);

/* Another congestion control, of what is connected too. */
int sock_set_congestion(struct sock *sock, const char *name);

/* Of all the world's cookies. */
void sock_set_fast_key(struct sock *sock, const uint64_t key[2]);

int sock_shutdown(struct sock *sock, bool read, bool write);

/* Frees it. Blocks as SO_LINGER says. */
void sock_close(struct sock *sock);

enum sock_event sock_events(const struct sock *sock);
void sock_get_info(const struct sock *sock, struct sock_info *out);
uint32_t sock_unread(const struct sock *sock);
bool sock_peer_has_ended(const struct sock *sock);

/* How many bytes a write could leave here. */
uint32_t sock_send_room(const struct sock *sock);

/* Gives the connection what the options say. */
void sock_apply(struct sock *sock);
void sock_apply_gather(struct sock *sock);

/* What came is acknowledged at once, or not. */
void sock_quick_ack(struct sock *sock);

/* What waits for more goes out now, even when it is corked. */
void sock_push(struct sock *sock);

/* The error that waits, positive, and takes it. */
int sock_take_error(struct sock *sock);

/* sock_time.c: `us` pass, before something else happens; when something is due by itself, and that
 * what is due is done. */
void sock_spend(struct sock *sock, uint64_t us);
uint64_t sock_due_us(const struct sock *sock);
void sock_tend(struct sock *sock);

/* sock_notes.c: the write that was just made is to be told of; ranges of what is acknowledged, the
 * oldest first. False: there is none. */
void sock_note_write(struct sock *sock);
void sock_notes_tend(struct sock *sock);
bool sock_note_take(struct sock *sock, struct sock_note *out);

/* sock_record.c: what is written now is kept; it ends here; what may go goes. */
bool sock_record_must_wait(const struct sock *sock);
int sock_record_keep(struct sock *sock, const void *buf, size_t len)
	__attribute__((warn_unused_result));
void sock_record_end(struct sock *sock);
void sock_record_tend(struct sock *sock);
void sock_record_release_all(struct sock *sock);

/* Given to the connection, and not sent yet. */
uint32_t sock_unsent(const struct sock *sock);

/* sock_io.c */
enum sock_recv_flag { SOCK_PEEK = 1 << 0, SOCK_WAIT_ALL = 1 << 1, SOCK_DISCARD = 1 << 2 };
ssize_t sock_recv(struct sock *sock, void *buf, size_t len, unsigned flags, uint64_t until_us);

/* Gives bytes to the connection, without a turn. How many, or -errno. */
ssize_t sock_give(struct sock *sock, const void *buf, size_t len);

/* `more`: the last part of a segment may wait. */
ssize_t sock_send(struct sock *sock, const void *buf, size_t len, bool more, uint64_t until_us);

#endif
