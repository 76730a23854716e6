/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Branches of a path. Where a request comes to one, its condition decides which functions are left
 * out of this exchange; from there on they are like any that is skipped.
 */
#include <errno.h>

#include "chain/engine/path.h"
#include "chain/when/when.h"

int branches_make(struct chain *chain, const struct conf_branch *from, unsigned count)
{
	if (count > ENGINE_BRANCHES_MAX)
		return -E2BIG;
	for (unsigned i = 0; i < count; i++) {
		struct branch *branch = &chain->branch[i];
		int error;

		if (from[i].end > chain->path_length || from[i].middle > from[i].end ||
		    from[i].begin > from[i].middle)
			return -EINVAL;
		error = when_create(&from[i].when, &branch->when);
		if (error)
			return error;
		branch->begin = (uint8_t)from[i].begin;
		branch->middle = (uint8_t)from[i].middle;
		branch->end = (uint8_t)from[i].end;
		chain->branches++;
	}
	return 0;
}

void branches_free(struct chain *chain)
{
	while (chain->branches)
		when_destroy(chain->branch[--chain->branches].when);
}

static void leave_out(struct exchange *x, unsigned from, unsigned to)
{
	x->out |= ((1u << to) - 1) & ~((1u << from) - 1);
}

void branches_take(struct exchange *x)
{
	const struct chain *chain = x->chain;

	for (; x->branch < chain->branches; x->branch++) {
		const struct branch *branch = &chain->branch[x->branch];

		if (branch->begin > x->stage)
			return;
		if (when_holds(branch->when, &x->engine->memory, x->message[REQUEST].head))
			leave_out(x, branch->middle, branch->end);
		else
			leave_out(x, branch->begin, branch->middle);
	}
}
