/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pacing: what congestion control allows in a second is sent over the second, not at once.
 *
 * The grain is the timing wheel's millisecond: in each, what one is worth goes out, with as few
 * packets as segmentation offload allows. Without a rate nothing is held back. Nobody but
 * the stack has to do anything for it: stack_next_us tells when the next packet is due.
 * Internal to l4stack/tcp.
 */
#ifndef L4STACK_TCP_TCP_PACE_H
#define L4STACK_TCP_TCP_PACE_H

#include "l4stack/tcp/tcp_conn.h"

/* Bytes that may go out now: UINT32_MAX when it is not paced. When there are none the timer
 * is started. */
uint32_t tcp_pace_room(struct tcp_conn *conn);

/* So many went out. */
void tcp_pace_sent(struct tcp_conn *conn, uint32_t bytes);

#endif
