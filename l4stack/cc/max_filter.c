/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/cc/max_filter.h"

/* The first is too old: the others move up. */
static void expire(struct max_filter *f, uint32_t window, const struct max_filter_sample *new)
{
	for (unsigned i = 0; i < 2 && new->at - f->best[0].at > window; i++) {
		f->best[0] = f->best[1];
		f->best[1] = f->best[2];
		f->best[2] = *new;
	}
}

/* So that there is a second when the first expires, it is to be from a later quarter; the third
 * from a later half. */
static void spread(struct max_filter *f, uint32_t window, const struct max_filter_sample *new)
{
	uint32_t age = new->at - f->best[0].at;

	if (f->best[1].at == f->best[0].at && age > window / 4)
		f->best[1] = f->best[2] = *new;
	else if (f->best[2].at == f->best[1].at && age > window / 2)
		f->best[2] = *new;
}

void max_filter_take(struct max_filter *filter, uint32_t window, uint32_t at, uint32_t value)
{
	const struct max_filter_sample new = {value, at};
	struct max_filter_sample *best = filter->best;

	if (value >= best[0].value || at - best[2].at > window) {
		best[0] = best[1] = best[2] = new;
		return;
	}
	if (value >= best[1].value)
		best[1] = best[2] = new;
	else if (value >= best[2].value)
		best[2] = new;
	if (at - best[0].at > window)
		expire(filter, window, &new);
	else
		spread(filter, window, &new);
}
