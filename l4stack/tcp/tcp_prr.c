/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_prr.h"

static uint32_t min(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t above(uint32_t a, uint32_t b)
{
	return a > b ? a - b : 0;
}

void tcp_prr_begin(struct tcp_prr *prr, uint32_t flight_bytes)
{
	*prr = (struct tcp_prr){.flight = flight_bytes ? flight_bytes : 1};
}

/* Proportional: delivered * ssthresh / RecoverFS, rounded up, less what was sent. */
static uint32_t reduce(const struct tcp_prr *prr, uint32_t ssthresh)
{
	uint64_t share = ((uint64_t)prr->delivered * ssthresh + prr->flight - 1) / prr->flight;

	return share > prr->out ? (uint32_t)(share - prr->out) : 0;
}

/* The two reduction bounds: PRR-CRB and PRR-SSRB. What this ACK delivered may go out in any case,
 * even when the latter has sent more than that before. */
static uint32_t refill(const struct tcp_prr *prr, const struct tcp_prr_ack *ack)
{
	uint32_t limit = above(prr->delivered, prr->out);

	limit = limit > ack->delivered_bytes ? limit : ack->delivered_bytes;
	if (ack->progress)
		limit += ack->mss;
	return min(ack->ssthresh - ack->pipe_bytes, limit);
}

uint32_t tcp_prr_window(struct tcp_prr *prr, const struct tcp_prr_ack *ack)
{
	uint32_t send;

	prr->delivered += ack->delivered_bytes;
	if (ack->pipe_bytes > ack->ssthresh)
		send = reduce(prr, ack->ssthresh);
	else
		send = refill(prr, ack);
	if (ack->forced && send < ack->mss)
		send = ack->mss;
	return ack->pipe_bytes + send;
}
