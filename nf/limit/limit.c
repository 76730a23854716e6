/* SPDX-License-Identifier: BSD-3-Clause */
#include "limit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "nf/common/answer.h"

/* What the rules say of one request. */
struct opinion {
	uint32_t counted; /* bit n: rule n counts it */
	uint32_t over;    /* and says that it is one too many */
	uint64_t key[LIMIT_RULES_MAX];
	struct gcra_answer answer[LIMIT_RULES_MAX];
};

static uint32_t seconds(uint64_t us)
{
	return (uint32_t)((us + 999999) / 1000000);
}

/* A match that was given up counts as one: nobody gets around a limit by a long line. */
static bool applies(struct limit *limit, const struct limit_rule *rule,
		    const struct sluice_exchange *x, struct sluice_str path)
{
	enum pattern_result result = request_rule_match(&rule->when, x, path);

	*limit->counters.match_limits += result == PATTERN_LIMIT;
	return result != PATTERN_NO;
}

static void ask(struct limit *limit, struct sluice_exchange *x, struct opinion *opinion)
{
	struct sluice_str path = path_decoded(sluice_path(x), &limit->room);
	uint64_t now_us = sluice_now_us(sluice_of(x));

	for (unsigned i = 0; i < limit->rules_count; ++i) {
		const struct limit_rule *rule = &limit->rules[i];
		uint64_t *key = &opinion->key[i];

		if (!applies(limit, rule, x, path) || !limit_key(limit, rule, x, path, key))
			continue;
		opinion->answer[i] = gcra_ask(&rule->rate, table_get(&rule->table, *key), now_us);
		opinion->counted |= 1u << i;
		if (!opinion->answer[i].allowed)
			opinion->over |= 1u << i;
	}
}

/* Counts those who say no; the one with the longest wait answers. NULL: it may pass. */
static const struct limit_rule *refusing(struct limit *limit, const struct opinion *opinion,
					 uint64_t *wait_us)
{
	const struct limit_rule *found = NULL;

	*wait_us = 0;
	for (unsigned i = 0; i < limit->rules_count; ++i) {
		const struct limit_rule *rule = &limit->rules[i];

		if (!(opinion->over & 1u << i))
			continue;
		++*rule->over;
		if (rule->dry_run || opinion->answer[i].wait_us <= *wait_us)
			continue;
		*wait_us = opinion->answer[i].wait_us;
		found = rule;
	}
	return found;
}

/* Only what is let through is charged. */
static void charge(struct limit *limit, const struct opinion *opinion, uint64_t now_us)
{
	for (unsigned i = 0; i < limit->rules_count; ++i)
		if ((opinion->counted & ~opinion->over) & 1u << i)
			*limit->counters.forgotten +=
				table_set(&limit->rules[i].table, opinion->key[i],
					  opinion->answer[i].regained_us, now_us);
}

static void note(const struct limit *limit, const struct opinion *opinion, struct limit_seen *seen)
{
	for (unsigned i = 0; i < limit->rules_count; ++i) {
		if (!(opinion->counted & 1u << i) || limit->rules[i].dry_run)
			continue;
		seen->rules |= 1u << i;
		seen->rule[i].left = opinion->answer[i].left;
		seen->rule[i].full_s = seconds(opinion->answer[i].full_us);
	}
}

static enum sluice_verdict refuse(struct limit *limit, struct sluice_exchange *x,
				  const struct limit_rule *rule, uint64_t wait_us)
{
	char after[16];
	struct answer answer = {.status = rule->status,
				.text = rule->body,
				.name = "Retry-After",
				.value = {after, 0}};
	enum sluice_verdict verdict;

	++*limit->counters.refused;
	answer.value.len = (uint32_t)snprintf(after, sizeof(after), "%u", seconds(wait_us));
	verdict = answer_send(x, &answer);
	if (verdict == SLUICE_RESPOND && limit->fields != LIMIT_FIELDS_NEVER &&
	    limit_tell(limit, x, sluice_ctx(x)))
		return SLUICE_RESET;
	return verdict;
}

static enum sluice_verdict limit_request(struct sluice_exchange *x)
{
	struct limit *limit = sluice_data(sluice_of(x));
	const struct limit_rule *rule;
	struct opinion opinion;
	uint64_t wait_us;

	++*limit->counters.requests;
	if (networks_contain(&limit->exempt, &sluice_head(x)->client)) {
		++*limit->counters.exempt;
		return SLUICE_LEAVE;
	}
	opinion.counted = opinion.over = 0;
	ask(limit, x, &opinion);
	rule = refusing(limit, &opinion, &wait_us);
	note(limit, &opinion, sluice_ctx(x));
	if (rule)
		return refuse(limit, x, rule, wait_us);
	charge(limit, &opinion, sluice_now_us(sluice_of(x)));
	++*limit->counters.allowed;
	return limit->fields == LIMIT_FIELDS_ALWAYS && opinion.counted ? SLUICE_PASS : SLUICE_LEAVE;
}

static enum sluice_verdict limit_response(struct sluice_exchange *x)
{
	const struct limit *limit = sluice_data(sluice_of(x));

	/* An answer without these fields is better than none. */
	(void)limit_tell(limit, x, sluice_ctx(x));
	return SLUICE_LEAVE;
}

static void limit_free(struct limit *limit)
{
	patterns_destroy(limit->patterns);
	pool_free(&limit->pool);
	free(limit);
}

static int limit_init(struct sluice_nf *nf, const struct sluice_conf *config)
{
	struct limit *limit = calloc(1, sizeof(*limit));
	int err;

	if (!limit)
		return -ENOMEM;
	err = limit_read(limit, nf, config);
	if (err) {
		limit_free(limit);
		return err;
	}
	patterns_report(limit->patterns, nf);
	sluice_set_data(nf, limit);
	return 0;
}

static void limit_fini(struct sluice_nf *nf)
{
	limit_free(sluice_data(nf));
}

static const struct sluice_nf_hooks limit_hooks = {
	SLUICE_HOOKS,
	.name = "limit",
	.summary = "limits how many requests come, by address, header, cookie, path",
	.ctx_bytes = sizeof(struct limit_seen),
	.init = limit_init,
	.fini = limit_fini,
	.request_head = limit_request,
	.response_head = limit_response,
};
SLUICE_FUNCTION(limit_hooks);
