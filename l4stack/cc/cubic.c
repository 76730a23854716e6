/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CUBIC: RFC 9438. After a loss the window comes back to where it was by a cubic function of the
 * time, fast at first, slowly near the old value, and then faster and faster beyond it; but it is
 * never smaller than what Reno would have. Slow start is HyStart++ (RFC 9406).
 *
 * Windows are in segments and times in seconds here, as in the RFC.
 */
#include <math.h>

#include "l4stack/cc/hystart.h"

#define C         0.4f                          /* §5: how steep */
#define BETA      0.7f                          /* §4.6 */
#define ALPHA     (3 * (1 - BETA) / (1 + BETA)) /* §4.3: as aggressive as Reno with its half */
#define RISE_MOST 1.5f                          /* §4.2: of the window, in a round trip */

struct curve {
	float w_max;      /* the window before the last reduction */
	float k;          /* seconds from the epoch's begin until it is reached again */
	float w_est;      /* Reno's window */
	float cwnd_prior; /* at which Reno's is no longer handicapped */
};

struct cubic {
	uint64_t epoch_us;  /* when congestion avoidance began; 0: it has not */
	uint64_t paused_us; /* since when the window is not used; 0: it is */
	struct curve curve, prior;
	float credit; /* of a segment, towards the window */
	bool timeout; /* the last loss was one */
	struct hystart hystart;
};
_Static_assert(sizeof(struct cubic) <= sizeof(((struct cc *)0)->state), "fits");

static struct cubic *cubic_of(struct cc *cc)
{
	return (struct cubic *)(void *)cc->state;
}

static float segments(const struct cc *cc, uint32_t bytes)
{
	return (float)bytes / (float)cc->mss;
}

static void cubic_init(struct cc *cc, bool resent_syn, uint64_t now_us)
{
	(void)now_us;
	cc->cwnd = resent_syn ? cc->mss : cc_initial_window(cc->mss);
	cc->ssthresh = CC_SSTHRESH_INFINITE;
	hystart_begin(&cubic_of(cc)->hystart);
}

/* ---- congestion avoidance ---- */

/* §4.2: K of figure 2. After a timeout, or slow start without a loss, the curve begins at its
 * middle (§4.8, §4.10): there is nothing to come back to. */
static void epoch_begin(struct cubic *cubic, float cwnd, uint64_t now_us)
{
	struct curve *curve = &cubic->curve;

	cubic->epoch_us = now_us;
	cubic->credit = 0;
	curve->w_est = cwnd;
	if (cubic->timeout || curve->w_max <= cwnd) {
		curve->w_max = cwnd;
		curve->k = 0;
		return;
	}
	curve->k = cbrtf((curve->w_max - cwnd) / C);
}

/* Figure 1. */
static float w_cubic(const struct curve *curve, float t)
{
	float d = t - curve->k;

	return C * d * d * d + curve->w_max;
}

static float clamp(float v, float lo, float hi)
{
	if (v < lo)
		return lo;
	return v > hi ? hi : v;
}

/* §4.3, figure 4. */
static void reno_grow(struct curve *curve, float acked, float cwnd)
{
	float alpha = curve->w_est < curve->cwnd_prior ? ALPHA : 1;

	curve->w_est += alpha * acked / cwnd;
}

/* §4.2 to §4.5: how many segments the window grows for `acked` of them. */
static float growth(struct curve *curve, float t, float rtt, float acked, float cwnd)
{
	float target = clamp(w_cubic(curve, t + rtt), cwnd, RISE_MOST * cwnd);

	reno_grow(curve, acked, cwnd);
	if (w_cubic(curve, t) < curve->w_est)
		return curve->w_est > cwnd ? curve->w_est - cwnd : 0;
	return (target - cwnd) / cwnd * acked;
}

/* §5.8: the time in which the window was not used does not count. */
static void go_on(struct cubic *cubic, uint64_t now_us)
{
	if (cubic->epoch_us && cubic->paused_us)
		cubic->epoch_us += now_us - cubic->paused_us;
	cubic->paused_us = 0;
}

static void avoid_congestion(struct cc *cc, const struct cc_ack *ack, uint32_t acked_bytes)
{
	struct cubic *cubic = cubic_of(cc);
	float cwnd = segments(cc, cc->cwnd) + cubic->credit, t;

	if (!cubic->epoch_us)
		epoch_begin(cubic, cwnd, ack->now_us);
	t = (float)(ack->now_us - cubic->epoch_us) / 1e6f;
	cubic->credit += growth(&cubic->curve, t, (float)ack->rtt_us / 1e6f,
				segments(cc, acked_bytes), cwnd);
	cc->cwnd += (uint32_t)cubic->credit * cc->mss;
	cubic->credit -= truncf(cubic->credit);
}

static void cubic_on_ack(struct cc *cc, const struct cc_ack *ack)
{
	struct cubic *cubic = cubic_of(cc);
	uint32_t left = ack->acked_bytes;

	if (cc->cwnd > UINT32_MAX / 4)
		return;
	if (!ack->cwnd_limited) {
		if (!cubic->paused_us)
			cubic->paused_us = ack->now_us;
		cc->quiet = cubic->paused_us;
		return;
	}
	go_on(cubic, ack->now_us);
	cc->quiet = false;
	/* HyStart++ is for the first slow start: RFC 9406 §4.3. */
	if (cc->ssthresh == CC_SSTHRESH_INFINITE)
		left = hystart_on_ack(&cubic->hystart, cc, ack);
	else if (cc->cwnd < cc->ssthresh)
		left = cc_slow_start(cc, ack);
	if (left && cc->cwnd >= cc->ssthresh)
		avoid_congestion(cc, ack, left);
}

/* ---- losses ---- */

/* §4.7, fast convergence: less than the last time is left to us, for there is somebody new. */
static void remember(struct cubic *cubic, float cwnd)
{
	struct curve *curve = &cubic->curve;

	cubic->prior = *curve;
	curve->cwnd_prior = cwnd;
	curve->w_max = cwnd < curve->w_max ? cwnd * (1 + BETA) / 2 : cwnd;
	cubic->epoch_us = 0;
}

/* §4.6, by what is in flight (RFC 5681): a window that was not filled says nothing. */
static void cubic_on_loss(struct cc *cc, enum cc_loss kind, uint32_t flight_bytes, uint64_t now_us)
{
	struct cubic *cubic = cubic_of(cc);
	uint32_t threshold = (uint32_t)((float)flight_bytes * BETA), least = 2 * cc->mss;

	(void)now_us;
	cubic->timeout = kind >= CC_LOSS_TIMEOUT; /* §4.8 */
	if (kind != CC_LOSS_AGAIN) {
		remember(cubic, segments(cc, cc->cwnd));
		cc->ssthresh = threshold > least ? threshold : least;
	}
	cc->cwnd = cubic->timeout ? cc->mss : cc->ssthresh;
}

static void cubic_on_recovered(struct cc *cc, uint32_t flight_bytes, uint64_t now_us)
{
	(void)flight_bytes;
	(void)now_us;
	cc->cwnd = cc->ssthresh; /* RFC 6937 §3: PRR has brought the flight there */
}

/* §4.9.2 */
static void cubic_on_undo(struct cc *cc)
{
	struct cubic *cubic = cubic_of(cc);

	cubic->curve = cubic->prior;
	cubic->epoch_us = 0;
	cubic->timeout = false;
}

static void cubic_on_idle(struct cc *cc, uint64_t idle_us, uint64_t now_us)
{
	(void)idle_us;
	(void)now_us;
	cubic_of(cc)->epoch_us = 0;
	cc_restart(cc);
}

static void cubic_on_mss(struct cc *cc, uint32_t old_mss)
{
	struct curve *curve = &cubic_of(cc)->curve;
	float ratio = (float)old_mss / (float)cc->mss;

	curve->w_max *= ratio;
	curve->w_est *= ratio;
	curve->cwnd_prior *= ratio;
	if (cc->cwnd < cc->mss)
		cc->cwnd = cc->mss;
}

const struct cc_ops cc_cubic = {
	.name = "cubic",
	.ecn = true,
	.init = cubic_init,
	.on_ack = cubic_on_ack,
	.on_loss = cubic_on_loss,
	.on_recovered = cubic_on_recovered,
	.on_undo = cubic_on_undo,
	.on_idle = cubic_on_idle,
	.on_mss = cubic_on_mss,
};
