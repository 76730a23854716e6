/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/filter/filter.h"

#include <errno.h>
#include <stdlib.h>

static enum sluice_verdict filter_request(struct sluice_exchange *x)
{
	return filter_decide(sluice_data(sluice_of(x)), x);
}

static void filter_free(struct filter *filter)
{
	filter_bodies_free(filter);
	patterns_destroy(filter->patterns);
	pool_free(&filter->pool);
	free(filter);
}

static int filter_init(struct sluice_nf *nf, const struct sluice_conf *config)
{
	struct filter *filter = calloc(1, sizeof(*filter));
	int err;

	if (!filter)
		return -ENOMEM;
	err = filter_read(filter, nf, config);
	if (err) {
		filter_free(filter);
		return err;
	}
	patterns_report(filter->patterns, nf);
	sluice_set_data(nf, filter);
	return 0;
}

static void filter_fini(struct sluice_nf *nf)
{
	filter_free(sluice_data(nf));
}

static const struct sluice_nf_hooks filter_hooks = {
	SLUICE_HOOKS,
	.name = "filter",
	.summary = "lets requests through or denies them, by ordered rules",
	.ctx_bytes = sizeof(struct filter_ctx),
	.init = filter_init,
	.fini = filter_fini,
	.request_head = filter_request,
	.request_body = filter_body,
	.done = filter_body_done,
	.command = filter_command,
	.repeated = filter_repeated,
};
SLUICE_FUNCTION(filter_hooks);
