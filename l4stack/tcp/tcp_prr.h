/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proportional rate reduction: RFC 9937, once RFC 6937. Pure.
 *
 * During fast recovery as much is sent for each ACK as brings the flight, by its end, to the new
 * slow-start threshold: a part of what was delivered while more than that is in the
 * network; when losses have brought it below, at most what was delivered (the conservative bound)
 * and, while the ACKs go on without new losses, a segment more (slow start).
 */
#ifndef L4STACK_TCP_TCP_PRR_H
#define L4STACK_TCP_TCP_PRR_H

#include <stdbool.h>
#include <stdint.h>

struct tcp_prr {
	uint32_t delivered; /* during this recovery */
	uint32_t out;       /* sent during it */
	uint32_t flight;    /* RecoverFS: in flight when it began */
};

void tcp_prr_begin(struct tcp_prr *prr, uint32_t flight_bytes);

struct tcp_prr_ack {
	uint32_t delivered_bytes; /* by this ACK */
	uint32_t pipe_bytes, ssthresh, mss;
	bool progress; /* the ACK moved SND.UNA, and found no new loss */
	bool forced;   /* recovery begins with it: one segment goes in any case (§3) */
};

/* The congestion window until the next ACK. */
uint32_t tcp_prr_window(struct tcp_prr *prr, const struct tcp_prr_ack *ack);

static inline void tcp_prr_sent(struct tcp_prr *prr, uint32_t bytes)
{
	prr->out += bytes;
}

#endif
