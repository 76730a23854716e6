/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Losses that were none, and what was done about them undone.
 *
 * A segment was only late, or its ACK was. Three things show it: the time stamp that the peer
 * echoes is older than what was sent again (Eifel, RFC 3522); all that was sent again comes
 * back as received twice (DSACK, RFC 2883, RFC 3708); or after a timeout the peer acknowledges
 * what was sent only once (F-RTO, RFC 5682). Then the window is what it was before (RFC 4015).
 * Internal to l4stack/tcp.
 */
#ifndef L4STACK_TCP_TCP_UNDO_H
#define L4STACK_TCP_TCP_UNDO_H

#include "l4stack/tcp/tcp_recovery.h"

/* A loss was found, and the answer to it begins. The second is for timeouts; `again`: one of the
 * same data. */
void tcp_undo_begin(struct tcp_conn *conn);
void tcp_undo_timeout(struct tcp_conn *conn, bool again);

/* So much went out again. */
void tcp_undo_resent(struct tcp_conn *conn, uint32_t bytes);

/* What an ACK says of it. True when the loss was none: recovery is over. */
bool tcp_undo_take(struct tcp_conn *conn, const struct tcp_ack *ack);

#endif
