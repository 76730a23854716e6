/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/filter/filter.h"

#include <errno.h>
#include <stdlib.h>

#include "nf/common/answer.h"

static enum sluice_verdict allow(struct filter *filter)
{
	++*filter->counters.allowed;
	return SLUICE_LEAVE;
}

static enum sluice_verdict deny(struct filter *filter, struct sluice_exchange *x)
{
	++*filter->counters.denied;
	return answer_status(x, filter->status);
}

static enum sluice_verdict obey(struct filter *filter, const struct filter_rule *rule,
				struct sluice_exchange *x)
{
	struct answer answer = {.status = rule->status, .text = rule->body};

	++*rule->hits;
	if (!rule->deny)
		return allow(filter);
	++*filter->counters.denied;
	return answer_send(x, &answer);
}

/* The first rule that matches wins. */
static enum sluice_verdict filter_request(struct sluice_exchange *x)
{
	struct filter *filter = sluice_data(sluice_of(x));
	struct sluice_str path = path_decoded(sluice_path(x), &filter->room);

	++*filter->counters.requests;
	for (unsigned i = 0; i < filter->rules_count; ++i) {
		switch (request_rule_match(&filter->rules[i].when, x, path)) {
		case PATTERN_NO:
			break;
		case PATTERN_YES:
			return obey(filter, &filter->rules[i], x);
		case PATTERN_LIMIT:
			++*filter->counters.match_limits;
			if (filter->deny_on_limit)
				return deny(filter, x);
			break;
		}
	}
	return filter->deny_by_default ? deny(filter, x) : allow(filter);
}

static void filter_free(struct filter *filter)
{
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
	.init = filter_init,
	.fini = filter_fini,
	.request_head = filter_request,
};
SLUICE_FUNCTION(filter_hooks);
