/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TIME-WAIT, without the connection: RFC 9293 §3.6.1 and §3.10.7.4, RFC 6191, RFC 1337.
 *
 * An entry is two cache lines. All wait equally long, so they stand in a queue with one
 * timer; when there are too many, the oldest goes. Internal to l4stack/tcp.
 */
#ifndef L4STACK_TCP_TCP_TIMEWAIT_H
#define L4STACK_TCP_TCP_TIMEWAIT_H

#include "l4stack/tcp/tcp_conn.h"

#define TCP_TIME_WAIT_MS       60000u /* twice an MSL of 30 s */
#define TCP_TIME_WAIT_REUSE_MS 1000u  /* RFC 6191: after that time stamps tell old from new */

struct tcp_seg;

void tcp_timewait_init(struct tcp_proto *tcp);
void tcp_timewait_fini(struct tcp_proto *tcp);

/* The connection leaves the table and an entry takes its place. */
void tcp_timewait_enter(struct tcp_conn *conn);

bool tcp_timewait_match(const struct tcp_timewait *tw, const struct endpoint *local,
			const struct endpoint *remote);

/* True when the segment is a SYN that may open a new connection: the entry is gone then, and
 * *iss_floor is what the new ISN has to be after. */
bool tcp_timewait_input(struct tcp_proto *tcp, struct tcp_timewait *tw, const struct tcp_seg *seg,
			uint32_t *iss_floor);

/* The same for a connection that we open. */
bool tcp_timewait_reuse(struct tcp_proto *tcp, struct tcp_timewait *tw, uint32_t *iss_floor);

#endif
