/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/cc/cc.h"

#include <stddef.h>
#include <string.h>

/* The first is the default. */
static const struct cc_ops *const algorithms[] = {
	&cc_cubic,
	&cc_newreno,
	&cc_bbr,
};
#define ALGORITHMS (sizeof(algorithms) / sizeof(algorithms[0]))

const struct cc_ops *cc_find(const char *name)
{
	if (!name)
		return algorithms[0];
	for (size_t i = 0; i < ALGORITHMS; i++)
		if (!strcmp(algorithms[i]->name, name))
			return algorithms[i];
	return NULL;
}

const char *cc_name(unsigned index)
{
	return index < ALGORITHMS ? algorithms[index]->name : NULL;
}

void cc_init(struct cc *cc, const struct cc_ops *ops, uint32_t mss, bool resent_syn,
	     uint64_t now_us)
{
	*cc = (struct cc){.ops = ops, .mss = mss};
	ops->init(cc, resent_syn, now_us);
}

void cc_set_mss(struct cc *cc, uint32_t mss)
{
	uint32_t old_mss = cc->mss;

	cc->mss = mss;
	cc->ops->on_mss(cc, old_mss);
}

void cc_lose(struct cc *cc, enum cc_loss kind, uint32_t flight_bytes, uint64_t now_us)
{
	if (kind != CC_LOSS_AGAIN) {
		cc->prior_cwnd = cc->cwnd;
		cc->prior_ssthresh = cc->ssthresh;
	}
	cc->ops->on_loss(cc, kind, flight_bytes, now_us);
}

void cc_undo(struct cc *cc, uint32_t flight_bytes)
{
	uint32_t most = flight_bytes + cc_initial_window(cc->mss);
	uint32_t before = cc->prior_cwnd > cc->cwnd ? cc->prior_cwnd : cc->cwnd;

	cc->ssthresh = cc->prior_ssthresh;
	if (before > most && cc->ssthresh < before)
		cc->ssthresh = before;
	if (before < most)
		cc->cwnd = before;
	else if (cc->cwnd < most)
		cc->cwnd = most;
	cc->ops->on_undo(cc);
}

uint32_t cc_initial_window(uint32_t mss)
{
	uint32_t window = 10 * mss, limit = 2 * mss > 14600 ? 2 * mss : 14600;

	return window < limit ? window : limit;
}

uint32_t cc_slow_start(struct cc *cc, const struct cc_ack *ack)
{
	/* After a timeout RFC 3465 §2.3 allows one segment for each ACK. Else all that it covers
	 * counts, however much: receivers merge segments, 64 KB of them, before they acknowledge,
	 * and a bound would punish their peers for that. */
	uint32_t most = ack->after_timeout ? cc->mss : UINT32_MAX;
	uint32_t step = ack->acked_bytes < most ? ack->acked_bytes : most;
	uint32_t room = cc->ssthresh > cc->cwnd ? cc->ssthresh - cc->cwnd : 0;

	if (step <= room) {
		cc->cwnd += step;
		return 0;
	}
	cc->cwnd += room;
	return step - room;
}

void cc_restart(struct cc *cc)
{
	uint32_t restart = cc_initial_window(cc->mss), most = cc->cwnd / 4 * 3;

	if (cc->ssthresh < most)
		cc->ssthresh = most;
	if (cc->cwnd > restart)
		cc->cwnd = restart;
}
