/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/supervise/follow.h"

#define SHARE 4 /* of a sample in the mean: one of so many */

/* As many as make the queue of each short enough, but at most twice as many as now: what waits
 * tells that there are too few better than how many. */
static unsigned enough(double queue, unsigned n)
{
	unsigned wanted = (unsigned)(queue / FOLLOW_HIGH) + 1;

	return wanted < 2 * n ? wanted : 2 * n;
}

static unsigned within(unsigned n, unsigned least, unsigned most)
{
	n = n < most ? n : most;
	return n > least ? n : least;
}

unsigned follow_step(struct follow *f, unsigned n, unsigned least, unsigned most, uint64_t queued,
		     uint64_t now_us)
{
	f->queue += ((double)queued - f->queue) / SHARE;
	if (n <= 1 || !f->crowd_us || f->queue > (double)FOLLOW_LOW * (n - 1))
		f->crowd_us = now_us;
	if (n && f->queue > (double)FOLLOW_HIGH * n)
		return within(enough(f->queue, n), least, most);
	if (now_us - f->crowd_us < FOLLOW_CALM_US)
		return within(n, least, most);
	f->crowd_us = now_us;
	return within(n - 1, least, most);
}
