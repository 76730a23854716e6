/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP Fast Open: RFC 7413. Off unless asked for, for a segment that is duplicated in the network
 * may open twice what it opens (§6.1).
 *
 * Server: a SYN with a good cookie makes a connection at once. It is handed to its owner in
 * SYN-RECEIVED, with the text of the SYN; what the owner sends goes out behind the SYN-ACK. Such
 * connections are limited, since their SYN proves less than a handshake. Cookies are a MAC of the
 * addresses: nothing is kept of them.
 *
 * Client: cookies of servers are kept in a small table. With one, the SYN takes along what was
 * given to tcp_send before the flush; without, it asks for one. Internal to l4stack/tcp.
 */
#ifndef L4STACK_TCP_TCP_FAST_H
#define L4STACK_TCP_TCP_FAST_H

#include "l4stack/tcp/tcp_conn.h"
#include "l4stack/tcp/tcp_options.h"

struct tcp_ident;
struct tcp_seg;
struct tcp_span;

/* ---- server ---- */

/* The cookie that is given to a peer. */
void tcp_fast_give(const struct tcp_proto *tcp, const struct addr *local, const struct addr *remote,
		   struct tcp_options *out);

/* Opens a connection by a SYN with a cookie. False: there is none, or it is not good, or there are
 * too many; then the SYN is one like others. */
bool tcp_fast_open(struct tcp_listener *listener, struct tcp_seg *syn,
		   const struct tcp_ident *ident);

/* The handshake is done, or given up. */
void tcp_fast_done(struct tcp_conn *conn);

/* ---- client ---- */

/* What a SYN says of it, and the text that it takes along: its length is 0 when there is none. */
void tcp_fast_ask(const struct tcp_conn *conn, struct tcp_options *options, struct tcp_span *text);

/* The answer: a cookie to keep. */
void tcp_fast_learn(const struct tcp_conn *conn, const struct tcp_seg *syn_ack);

/* A SYN with text was not answered: for some time the server is not asked again (§4.1.3.1). */
void tcp_fast_blocked(struct tcp_conn *conn);

#endif
