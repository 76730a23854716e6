/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The retransmission timeout: RFC 6298. Pure.
 *
 * A timeout doubles the value (§5.5) and only a new sample takes that back, as Karn's
 * algorithm asks: samples are taken from segments sent once, or by time stamps.
 */
#ifndef L4STACK_TCP_TCP_RTO_H
#define L4STACK_TCP_TCP_RTO_H

#include <stdint.h>

#define TCP_RTO_INITIAL_US   1000000u  /* §2.1 */
#define TCP_RTO_AFTER_SYN_US 3000000u  /* §5.7: when the SYN itself timed out */
#define TCP_RTO_MAX_US       60000000u /* §2.5 */
/* §2.4 asks for a second at least, for clocks of 500 ms. Ours has 1 ms; but peers delay ACKs by
 * 40 to 200 ms, and a loss probe should have its chance before the timeout. So, as in Linux, the
 * variance counts for no less than 200 ms: it takes the place of §2.3's G, too. */
#define TCP_RTO_SPREAD_MIN_US 200000u

struct tcp_rto {
	uint32_t srtt8_us;   /* SRTT times 8; 0: no sample yet */
	uint32_t rttvar4_us; /* RTTVAR times 4 */
	uint32_t rto_us;
};

void tcp_rto_init(struct tcp_rto *rto);
void tcp_rto_backoff(struct tcp_rto *rto);

static inline uint32_t tcp_rto_clamp(uint32_t v, uint32_t lo, uint32_t hi)
{
	if (v < lo)
		return lo;
	return v > hi ? hi : v;
}

/* RFC 6298 §2.2 */
static inline void tcp_rto_first_sample(struct tcp_rto *rto, uint32_t rtt_us)
{
	rto->srtt8_us = rtt_us * 8;
	rto->rttvar4_us = rtt_us * 2;
}

/* RFC 6298 §2.3, alpha = 1/8 and beta = 1/4, in the scaled values. */
static inline void tcp_rto_next_sample(struct tcp_rto *rto, uint32_t rtt_us)
{
	uint32_t srtt_us = rto->srtt8_us >> 3;
	uint32_t differ_us = srtt_us > rtt_us ? srtt_us - rtt_us : rtt_us - srtt_us;

	rto->rttvar4_us = rto->rttvar4_us - (rto->rttvar4_us >> 2) + differ_us;
	rto->srtt8_us = rto->srtt8_us - srtt_us + rtt_us;
}

/* The timeout was wrong: the value is made anew of what is known. */
static inline void tcp_rto_restore(struct tcp_rto *rto)
{
	uint32_t spread_us = rto->rttvar4_us;

	if (rto->srtt8_us == 0)
		return;
	if (spread_us < TCP_RTO_SPREAD_MIN_US)
		spread_us = TCP_RTO_SPREAD_MIN_US;
	rto->rto_us = tcp_rto_clamp((rto->srtt8_us >> 3) + spread_us, 1, TCP_RTO_MAX_US);
}

static inline void tcp_rto_sample(struct tcp_rto *rto, uint32_t rtt_us)
{
	rtt_us = tcp_rto_clamp(rtt_us, 1, TCP_RTO_MAX_US);
	if (rto->srtt8_us == 0)
		tcp_rto_first_sample(rto, rtt_us);
	else
		tcp_rto_next_sample(rto, rtt_us);
	tcp_rto_restore(rto);
}

static inline uint32_t tcp_rto_srtt_us(const struct tcp_rto *rto)
{
	return rto->srtt8_us >> 3;
}

static inline uint32_t tcp_rto_rttvar_us(const struct tcp_rto *rto)
{
	return rto->rttvar4_us >> 2;
}

#endif
