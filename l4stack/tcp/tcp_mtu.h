/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The path's MTU where no router tells it (RFC 4821, RFC 8899 §4.3).
 *
 * Segments that time out again and again may be too long for a router that drops them and says
 * nothing: a black hole. From the third timeout in a row on, each lowers the MTU by a step, if what
 * is sent again is longer than the step would allow, down to 1280 bytes; and after twelve
 * seconds of silence to 576.
 *
 * An outage looks the same. So when data flows again, longer segments are tried, one at a time and
 * with others behind them that show whether they arrive: first of the MTU that was given up, then
 * of lower ones, and after ten minutes once more. That one of them is lost is no sign of
 * congestion. The peer has to speak SACK for that.
 *
 * What a router tells is as well tried again after ten minutes (RFC 1191 §6.3), and is shared
 * with the connections to that peer that come later (ip_path_learn_mtu), as is what a probe has
 * shown. Internal to l4stack/tcp.
 */
#ifndef L4STACK_TCP_TCP_MTU_H
#define L4STACK_TCP_TCP_MTU_H

#include "l4stack/tcp/tcp_conn.h"

#define TCP_MTU_RAISE_MS 600000u /* RFC 8899 §5.1.1: PMTU_RAISE_TIMER */

/* A retransmission timeout; what is lost is known, and `retries` were before. */
void tcp_mtu_timeout(struct tcp_conn *conn);

/* The path is new: what is known of it comes from others, and is tried again in its time. */
void tcp_mtu_begin(struct tcp_conn *conn);

/* A router has told the MTU, of what was sent as a probe perhaps. True when the path's is lower
 * now. */
bool tcp_mtu_told(struct tcp_conn *conn, uint16_t mtu);

/* The payload of a probe that may go out now, beside other segments; 0: none. */
uint32_t tcp_mtu_probe_bytes(const struct tcp_conn *conn);

/* What is sent between these two may be as long as the probe: [.., end) was, if it was `sent`. */
void tcp_mtu_probe_begin(struct tcp_conn *conn);
void tcp_mtu_probe_end(struct tcp_conn *conn, bool sent);

/* snd_una has moved. */
void tcp_mtu_acked(struct tcp_conn *conn);

/* Something is lost. True when that is a probe, and nothing else. */
bool tcp_mtu_lost(struct tcp_conn *conn);

#endif
