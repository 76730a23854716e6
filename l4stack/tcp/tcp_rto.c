/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_rto.h"

static uint32_t clamp(uint32_t v, uint32_t lo, uint32_t hi)
{
	if (v < lo)
		return lo;
	return v > hi ? hi : v;
}

void tcp_rto_init(struct tcp_rto *rto)
{
	*rto = (struct tcp_rto){.rto_us = TCP_RTO_INITIAL_US};
}

/* RFC 6298 §2.2 */
static void first_sample(struct tcp_rto *rto, uint32_t rtt_us)
{
	rto->srtt8_us = rtt_us * 8;
	rto->rttvar4_us = rtt_us * 2;
}

/* RFC 6298 §2.3, alpha = 1/8 and beta = 1/4, in the scaled values. */
static void next_sample(struct tcp_rto *rto, uint32_t rtt_us)
{
	uint32_t srtt_us = rto->srtt8_us >> 3;
	uint32_t differ_us = srtt_us > rtt_us ? srtt_us - rtt_us : rtt_us - srtt_us;

	rto->rttvar4_us = rto->rttvar4_us - (rto->rttvar4_us >> 2) + differ_us;
	rto->srtt8_us = rto->srtt8_us - srtt_us + rtt_us;
}

void tcp_rto_restore(struct tcp_rto *rto)
{
	uint32_t spread_us = rto->rttvar4_us;

	if (rto->srtt8_us == 0)
		return;
	if (spread_us < TCP_RTO_SPREAD_MIN_US)
		spread_us = TCP_RTO_SPREAD_MIN_US;
	rto->rto_us = clamp((rto->srtt8_us >> 3) + spread_us, 1, TCP_RTO_MAX_US);
}

void tcp_rto_sample(struct tcp_rto *rto, uint32_t rtt_us)
{
	rtt_us = clamp(rtt_us, 1, TCP_RTO_MAX_US);
	if (rto->srtt8_us == 0)
		first_sample(rto, rtt_us);
	else
		next_sample(rto, rtt_us);
	tcp_rto_restore(rto);
}

void tcp_rto_backoff(struct tcp_rto *rto)
{
	rto->rto_us = clamp(rto->rto_us * 2, 1, TCP_RTO_MAX_US);
}
