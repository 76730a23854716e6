/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/cc/cc.h"

#include <stddef.h>
#include <string.h>

/* The first is the default. */
static const struct cc_ops *const algorithms[] = {
	&cc_newreno,
};

const struct cc_ops *cc_find(const char *name)
{
	if (!name)
		return algorithms[0];
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (!strcmp(algorithms[i]->name, name))
			return algorithms[i];
	return NULL;
}

void cc_init(struct cc *cc, const struct cc_ops *ops, uint32_t mss, bool resent_syn,
	     uint64_t now_us)
{
	*cc = (struct cc){.ops = ops, .mss = mss};
	ops->init(cc, resent_syn, now_us);
}

void cc_fini(struct cc *cc)
{
	if (cc->ops && cc->mss)
		cc->ops->fini(cc);
	cc->ops = NULL;
}

void cc_set_mss(struct cc *cc, uint32_t mss)
{
	uint32_t old_mss = cc->mss;

	cc->mss = mss;
	cc->ops->on_mss(cc, old_mss);
}

uint32_t cc_initial_window(uint32_t mss)
{
	uint32_t window = 10 * mss, limit = 2 * mss > 14600 ? 2 * mss : 14600;

	return window < limit ? window : limit;
}
