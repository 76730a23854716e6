/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * BBR, version 1: draft-cardwell-iccrg-bbr-congestion-control-00; sections are its own.
 *
 * It has a model of the path: the largest bandwidth of the last ten round trips, and the shortest
 * round trip of the last ten seconds. It sends at that bandwidth, and keeps about twice their
 * product in flight at most. From time to time it sends faster, to see whether there is more, then
 * slower, so that the queue this has made goes away; and for a moment next to nothing, to see
 * how short the round trip is when nobody queues. Losses do not tell it anything but how much the
 * network holds for a round trip.
 */
#include "l4stack/cc/cc.h"
#include "l4stack/cc/max_filter.h"

#define GAIN_ONE       256u
#define GAIN_HIGH      739u /* §4.3.2.1: 2/ln 2, doubles in a round trip */
#define GAIN_DRAIN     89u  /* its inverse */
#define GAIN_CWND      512u
#define BW_UNIT        16u /* bytes per second */
#define BW_ROUNDS      10u
#define MIN_RTT_US     10000000u
#define PROBE_RTT_US   200000u
#define SEGMENTS_LEAST 4u
#define FULL_ROUNDS    3u
#define IGNORED_ROUNDS 2u
#define QUANTUM_MOST   65536u
#define CWND_MOST      (UINT32_MAX / 4)

enum mode { STARTUP, DRAIN, PROBE_BW, PROBE_RTT };

/* §4.3.4.3 */
static const uint16_t cycle_gains[] = {320, 192, 256, 256, 256, 256, 256, 256};
#define CYCLE (sizeof(cycle_gains) / sizeof(cycle_gains[0]))

struct bbr {
	struct max_filter bw; /* in BW_UNIT, by rounds */
	uint32_t rounds;
	uint32_t min_rtt_us; /* 0: not known */
	uint64_t min_rtt_at_us;
	uint64_t probe_end_us; /* PROBE_RTT: 0 until the flight is small */
	uint64_t cycle_at_us;
	uint32_t full_bw; /* what growth is measured by */
	uint32_t prior_cwnd;
	uint8_t mode, cycle, full_count;
	uint8_t ignored_rounds; /* after PROBE_RTT, in which little was sent */
	bool full;              /* startup has found the bandwidth */
	bool conserves;         /* no more goes out than arrives */
	bool enters;            /* recovery, with the next ACK */
	bool idle;              /* sending begins again */
	bool probe_round_done;
};
_Static_assert(sizeof(struct bbr) <= sizeof(((struct cc *)0)->state), "fits");

static struct bbr *bbr_of(struct cc *cc)
{
	return (struct bbr *)(void *)cc->state;
}

static uint32_t min(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t max(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static uint32_t below(uint32_t a, uint32_t b)
{
	return a > b ? a - b : 0;
}

/* ---- what follows from the model ---- */

static uint64_t bandwidth(const struct bbr *bbr)
{
	return (uint64_t)max_filter_get(&bbr->bw) * BW_UNIT;
}

/* §4.2.3.2: bytes in flight at which the path is full, times a gain. */
static uint32_t inflight(struct cc *cc, uint32_t gain)
{
	struct bbr *bbr = bbr_of(cc);
	uint64_t bytes;

	if (!bbr->min_rtt_us || !bandwidth(bbr))
		return cc_initial_window(cc->mss);
	bytes = bandwidth(bbr) * bbr->min_rtt_us / 1000000 * gain / GAIN_ONE;
	return bytes < CWND_MOST ? (uint32_t)bytes : CWND_MOST;
}

static uint32_t pacing_gain(const struct bbr *bbr)
{
	switch (bbr->mode) {
	case STARTUP:
		return GAIN_HIGH;
	case DRAIN:
		return GAIN_DRAIN;
	case PROBE_BW:
		return cycle_gains[bbr->cycle];
	default:
		return GAIN_ONE;
	}
}

/* §4.2.1: a little less than the bandwidth, so that no queue stays. */
static void set_pacing(struct cc *cc, uint32_t gain, uint32_t srtt_us)
{
	struct bbr *bbr = bbr_of(cc);
	uint64_t rate = bandwidth(bbr) * gain / GAIN_ONE * 99 / 100;

	/* The first ACK is of one segment, and shows but its part of the window. */
	if (!cc->pacing_bytes_per_s && srtt_us)
		cc->pacing_bytes_per_s = (uint64_t)cc->cwnd * 1000000 / srtt_us * gain / GAIN_ONE;
	if (bbr->full || rate > cc->pacing_bytes_per_s)
		cc->pacing_bytes_per_s = rate;
}

/* §4.2.2: what goes out at once, a millisecond's worth; three of them are in flight beyond what
 * the path holds, at both ends and on the way. */
static uint32_t quantum(const struct cc *cc)
{
	uint64_t bytes = cc->pacing_bytes_per_s / 1000;

	return max(bytes < QUANTUM_MOST ? (uint32_t)bytes : QUANTUM_MOST, 2 * cc->mss);
}

/* ---- the bandwidth: §4.1.1 ---- */

static void take_bandwidth(struct cc *cc, const struct cc_ack *ack)
{
	struct bbr *bbr = bbr_of(cc);
	bool low = ack->app_limited || bbr->mode == PROBE_RTT;
	uint64_t bw;

	if (ack->round_start) {
		bbr->rounds++;
		bbr->conserves = false;
		bbr->ignored_rounds -= bbr->ignored_rounds > 0;
	}
	if (!ack->rate_us)
		return;
	bw = (uint64_t)ack->rate_bytes * 1000000 / ack->rate_us / BW_UNIT;
	if (bw > UINT32_MAX)
		bw = UINT32_MAX;
	if ((low || bbr->ignored_rounds) && bw < max_filter_get(&bbr->bw))
		return;
	max_filter_take(&bbr->bw, BW_ROUNDS, bbr->rounds, (uint32_t)bw);
}

/* ---- the modes ---- */

/* Anywhere but where it slows down. Connections that begin together should not probe together. */
static void probe_bw_begin(struct bbr *bbr, uint64_t now_us)
{
	uint32_t phase = (uint32_t)((uint32_t)now_us * 2654435761u >> 16) % (CYCLE - 1);

	bbr->mode = PROBE_BW;
	bbr->cycle = (uint8_t)(phase ? phase + 1 : 0);
	bbr->cycle_at_us = now_us;
}

/* §4.3.4.3: each phase takes a round trip; a fast one until it has filled the path or lost, a slow
 * one no longer than the queue lasts. */
static bool phase_is_over(struct cc *cc, const struct cc_ack *ack)
{
	struct bbr *bbr = bbr_of(cc);
	uint32_t gain = cycle_gains[bbr->cycle];
	bool whole = ack->now_us - bbr->cycle_at_us > bbr->min_rtt_us;

	if (gain == GAIN_ONE)
		return whole;
	if (gain > GAIN_ONE)
		return whole && (ack->lost_bytes || ack->flight_bytes >= inflight(cc, gain));
	return whole || ack->flight_bytes <= inflight(cc, GAIN_ONE);
}

static void go_round(struct cc *cc, const struct cc_ack *ack)
{
	struct bbr *bbr = bbr_of(cc);

	if (bbr->mode != PROBE_BW || !phase_is_over(cc, ack))
		return;
	bbr->cycle = (uint8_t)((bbr->cycle + 1u) % CYCLE);
	bbr->cycle_at_us = ack->now_us;
}

/* §4.3.2.2: three round trips in which it did not grow by a quarter. */
static void check_full(struct bbr *bbr, const struct cc_ack *ack)
{
	uint32_t bw = max_filter_get(&bbr->bw);

	if (bbr->full || !ack->round_start || ack->app_limited)
		return;
	if (bw >= bbr->full_bw + bbr->full_bw / 4) {
		bbr->full_bw = bw;
		bbr->full_count = 0;
		return;
	}
	bbr->full = ++bbr->full_count >= FULL_ROUNDS;
}

static void check_drain(struct cc *cc, const struct cc_ack *ack)
{
	struct bbr *bbr = bbr_of(cc);

	if (bbr->mode == STARTUP && bbr->full)
		bbr->mode = DRAIN;
	if (bbr->mode == DRAIN && ack->pipe_bytes <= inflight(cc, GAIN_ONE))
		probe_bw_begin(bbr, ack->now_us);
}

/* ---- the round trip: §4.1.2, §4.3.5 ---- */

static void probe_rtt_end(struct cc *cc, uint64_t now_us)
{
	struct bbr *bbr = bbr_of(cc);

	bbr->min_rtt_at_us = now_us;
	bbr->ignored_rounds = IGNORED_ROUNDS;
	cc->cwnd = max(cc->cwnd, bbr->prior_cwnd);
	if (bbr->full)
		probe_bw_begin(bbr, now_us);
	else
		bbr->mode = STARTUP;
}

/* When next to nothing is in flight it stays so for 200 ms and a round trip. */
static void probe_rtt(struct cc *cc, const struct cc_ack *ack)
{
	struct bbr *bbr = bbr_of(cc);

	if (!bbr->probe_end_us) {
		if (ack->pipe_bytes > SEGMENTS_LEAST * cc->mss)
			return;
		bbr->probe_end_us = ack->now_us + PROBE_RTT_US;
		bbr->probe_round_done = false;
		return;
	}
	bbr->probe_round_done |= ack->round_start;
	if (bbr->probe_round_done && ack->now_us >= bbr->probe_end_us)
		probe_rtt_end(cc, ack->now_us);
}

static void save_cwnd(struct cc *cc, bool whole)
{
	struct bbr *bbr = bbr_of(cc);

	bbr->prior_cwnd = whole ? cc->cwnd : max(cc->cwnd, bbr->prior_cwnd);
}

static void take_rtt(struct cc *cc, const struct cc_ack *ack)
{
	struct bbr *bbr = bbr_of(cc);
	bool expired = bbr->min_rtt_us && ack->now_us - bbr->min_rtt_at_us > MIN_RTT_US;

	if (ack->sample_us && (!bbr->min_rtt_us || ack->sample_us <= bbr->min_rtt_us || expired)) {
		bbr->min_rtt_us = ack->sample_us;
		bbr->min_rtt_at_us = ack->now_us;
	}
	if (expired && !bbr->idle && bbr->mode != PROBE_RTT) {
		save_cwnd(cc, !ack->recovering);
		bbr->mode = PROBE_RTT;
		bbr->probe_end_us = 0;
	}
	if (bbr->mode == PROBE_RTT)
		probe_rtt(cc, ack);
	if (ack->delivered_bytes)
		bbr->idle = false;
}

/* ---- the window: §4.2.3 ---- */

/* §4.2.3.4: in the first round trip of recovery only what has arrived is replaced. True when that
 * is all that is to be said. */
static bool conserve(struct cc *cc, const struct cc_ack *ack)
{
	struct bbr *bbr = bbr_of(cc);
	uint32_t arrives = ack->pipe_bytes + max(ack->delivered_bytes, cc->mss);

	if (!ack->recovering)
		return false;
	if (bbr->enters) {
		bbr->enters = false;
		cc->cwnd = arrives;
	} else {
		cc->cwnd = max(below(cc->cwnd, ack->lost_bytes), cc->mss);
	}
	if (bbr->conserves)
		cc->cwnd = max(cc->cwnd, arrives);
	return bbr->conserves;
}

static void set_cwnd(struct cc *cc, const struct cc_ack *ack)
{
	struct bbr *bbr = bbr_of(cc);
	uint32_t gain = bbr->mode == STARTUP || bbr->mode == DRAIN ? GAIN_HIGH : GAIN_CWND;
	uint32_t target = inflight(cc, gain) + 3 * quantum(cc);

	if (!conserve(cc, ack)) {
		if (bbr->full)
			cc->cwnd = min(cc->cwnd + ack->delivered_bytes, target);
		else if (cc->cwnd < target)
			cc->cwnd += ack->delivered_bytes;
		cc->cwnd = max(cc->cwnd, SEGMENTS_LEAST * cc->mss);
	}
	if (bbr->mode == PROBE_RTT)
		cc->cwnd = min(cc->cwnd, SEGMENTS_LEAST * cc->mss);
}

static void bbr_on_ack(struct cc *cc, const struct cc_ack *ack)
{
	struct bbr *bbr = bbr_of(cc);

	take_bandwidth(cc, ack);
	go_round(cc, ack);
	check_full(bbr, ack);
	check_drain(cc, ack);
	take_rtt(cc, ack);
	set_pacing(cc, pacing_gain(bbr), ack->rtt_us);
	set_cwnd(cc, ack);
}

/* ---- events ---- */

static void bbr_init(struct cc *cc, bool resent_syn, uint64_t now_us)
{
	struct bbr *bbr = bbr_of(cc);

	cc->cwnd = resent_syn ? cc->mss : cc_initial_window(cc->mss);
	cc->ssthresh = CC_SSTHRESH_INFINITE;
	bbr->min_rtt_at_us = now_us;
}

/* A timeout begins with one segment, and says that the bandwidth may be another now. */
static void bbr_on_loss(struct cc *cc, enum cc_loss kind, uint32_t flight_bytes, uint64_t now_us)
{
	struct bbr *bbr = bbr_of(cc);

	(void)flight_bytes;
	(void)now_us;
	if (kind == CC_LOSS_ECN)
		return;
	if (kind != CC_LOSS_AGAIN)
		save_cwnd(cc, bbr->mode != PROBE_RTT);
	bbr->conserves = bbr->enters = kind == CC_LOSS_FAST;
	if (kind == CC_LOSS_FAST)
		return;
	bbr->full_bw = 0;
	bbr->full_count = 0;
	cc->cwnd = cc->mss;
}

static void bbr_on_recovered(struct cc *cc, uint32_t flight_bytes, uint64_t now_us)
{
	struct bbr *bbr = bbr_of(cc);

	(void)flight_bytes;
	(void)now_us;
	bbr->conserves = bbr->enters = false;
	cc->cwnd = max(cc->cwnd, bbr->prior_cwnd);
}

static void bbr_on_undo(struct cc *cc)
{
	struct bbr *bbr = bbr_of(cc);

	bbr->conserves = bbr->enters = false;
	bbr->full_bw = 0;
	bbr->full_count = 0;
}

/* §4.3.4.4: the path is known; it begins at its bandwidth, not faster. */
static void bbr_on_idle(struct cc *cc, uint64_t idle_us, uint64_t now_us)
{
	struct bbr *bbr = bbr_of(cc);

	(void)idle_us;
	(void)now_us;
	bbr->idle = true;
	if (bbr->mode == PROBE_BW)
		set_pacing(cc, GAIN_ONE, 0);
}

static void bbr_on_mss(struct cc *cc, uint32_t old_mss)
{
	(void)old_mss;
	cc->cwnd = max(cc->cwnd, cc->mss);
}

const struct cc_ops cc_bbr = {
	.name = "bbr",
	.model = true,
	.init = bbr_init,
	.on_ack = bbr_on_ack,
	.on_loss = bbr_on_loss,
	.on_recovered = bbr_on_recovered,
	.on_undo = bbr_on_undo,
	.on_idle = bbr_on_idle,
	.on_mss = bbr_on_mss,
};
