/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/cc/hystart.h"

/* RFC 9406 §4.3 */
#define RTT_THRESH_MIN_US 4000
#define RTT_THRESH_MAX_US 16000
#define RTT_DIVISOR       8
#define RTT_SAMPLES       8
#define CSS_DIVISOR       4
#define CSS_ROUNDS        5

void hystart_begin(struct hystart *hystart)
{
	*hystart = (struct hystart){0};
}

static void next_round(struct hystart *h)
{
	h->last_min_us = h->now_min_us;
	h->now_min_us = 0;
	h->samples = 0;
}

static void take_sample(struct hystart *h, uint32_t rtt_us)
{
	if (!rtt_us)
		return;
	if (!h->now_min_us || rtt_us < h->now_min_us)
		h->now_min_us = rtt_us;
	h->samples += h->samples < UINT8_MAX;
}

static bool enough(const struct hystart *h)
{
	return h->samples >= RTT_SAMPLES && h->now_min_us && h->last_min_us;
}

static uint32_t threshold_us(const struct hystart *h)
{
	uint32_t us = h->last_min_us / RTT_DIVISOR;

	if (us < RTT_THRESH_MIN_US)
		return RTT_THRESH_MIN_US;
	return us > RTT_THRESH_MAX_US ? RTT_THRESH_MAX_US : us;
}

/* §4.2: the path has become slower, or is as fast as it was after all. */
static void judge(struct hystart *h)
{
	if (!enough(h))
		return;
	if (h->css) {
		h->css = h->now_min_us >= h->css_min_us;
	} else if (h->now_min_us >= h->last_min_us + threshold_us(h)) {
		h->css = true;
		h->css_min_us = h->now_min_us;
		h->css_rounds = 0;
	}
}

uint32_t hystart_on_ack(struct hystart *h, struct cc *cc, const struct cc_ack *ack)
{
	uint32_t before = cc->cwnd, left;

	if (ack->round_start) {
		next_round(h);
		if (h->css && ++h->css_rounds >= CSS_ROUNDS) {
			cc->ssthresh = cc->cwnd;
			return ack->acked_bytes;
		}
	}
	take_sample(h, ack->sample_us);
	judge(h);
	left = cc_slow_start(cc, ack);
	if (h->css)
		cc->cwnd = before + (cc->cwnd - before) / CSS_DIVISOR;
	return left;
}
