/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * NewReno: RFC 5681, with byte counting (RFC 3465). The inflation and deflation of the
 * window during fast recovery (RFC 6582 §3.2) is not here: TCP counts what has left the
 * network instead, and sends by PRR.
 */
#include "l4stack/cc/cc.h"

struct newreno {
	uint64_t acked_bytes; /* towards the next step of congestion avoidance */
};
_Static_assert(sizeof(struct newreno) <= sizeof(((struct cc *)0)->state), "fits");

static struct newreno *newreno_of(struct cc *cc)
{
	return (struct newreno *)(void *)cc->state;
}

static void newreno_init(struct cc *cc, bool resent_syn, uint64_t now_us)
{
	(void)now_us;
	cc->cwnd = resent_syn ? cc->mss : cc_initial_window(cc->mss);
	cc->ssthresh = CC_SSTHRESH_INFINITE;
	cc->quiet = true;
}

/* RFC 3465 §2.1: one segment for each window of bytes acknowledged. */
static void avoid_congestion(struct cc *cc, uint32_t acked_bytes)
{
	struct newreno *reno = newreno_of(cc);

	reno->acked_bytes += acked_bytes;
	if (reno->acked_bytes < cc->cwnd)
		return;
	reno->acked_bytes -= cc->cwnd;
	cc->cwnd += cc->mss;
}

static void newreno_on_ack(struct cc *cc, const struct cc_ack *ack)
{
	uint32_t left = ack->acked_bytes;

	if (!ack->cwnd_limited || cc->cwnd > UINT32_MAX / 4)
		return;
	if (cc->cwnd < cc->ssthresh)
		left = cc_slow_start(cc, ack);
	if (left)
		avoid_congestion(cc, left);
}

/* RFC 5681 §3.1, equation 4. */
static uint32_t half_flight(const struct cc *cc, uint32_t flight_bytes)
{
	uint32_t half = flight_bytes / 2;

	return half > 2 * cc->mss ? half : 2 * cc->mss;
}

/* RFC 3168 §6.1.2: a mark counts as a loss. */
static void newreno_on_loss(struct cc *cc, enum cc_loss kind, uint32_t flight_bytes,
			    uint64_t now_us)
{
	(void)now_us;
	newreno_of(cc)->acked_bytes = 0;
	/* RFC 5681 §3.1: the threshold is held while the same segment times out again. */
	if (kind != CC_LOSS_AGAIN)
		cc->ssthresh = half_flight(cc, flight_bytes);
	cc->cwnd = kind < CC_LOSS_TIMEOUT ? cc->ssthresh : cc->mss;
}

/* RFC 6582 §3.2 step 3, full acknowledgment, first option: no burst when little is in flight. */
static void newreno_on_recovered(struct cc *cc, uint32_t flight_bytes, uint64_t now_us)
{
	uint32_t floor = (flight_bytes > cc->mss ? flight_bytes : cc->mss) + cc->mss;

	(void)now_us;
	cc->cwnd = floor < cc->ssthresh ? floor : cc->ssthresh;
}

static void newreno_on_undo(struct cc *cc)
{
	newreno_of(cc)->acked_bytes = 0;
}

static void newreno_on_idle(struct cc *cc, uint64_t idle_us, uint64_t now_us)
{
	(void)idle_us;
	(void)now_us;
	cc_restart(cc);
}

static void newreno_on_mss(struct cc *cc, uint32_t old_mss)
{
	(void)old_mss;
	if (cc->cwnd < cc->mss)
		cc->cwnd = cc->mss;
}

const struct cc_ops cc_newreno = {
	.name = "newreno",
	.ecn = true,
	.init = newreno_init,
	.on_ack = newreno_on_ack,
	.on_loss = newreno_on_loss,
	.on_recovered = newreno_on_recovered,
	.on_undo = newreno_on_undo,
	.on_idle = newreno_on_idle,
	.on_mss = newreno_on_mss,
};
