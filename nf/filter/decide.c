/* SPDX-License-Identifier: BSD-3-Clause */
/* Down the rules, until one decides. */
#include "nf/filter/filter.h"

#include "nf/common/answer.h"

/* --- how it ends ---------------------------------------------------------------------- */

static enum sluice_verdict allow(struct filter *filter, const struct filter_ctx *ctx)
{
	if (ctx->pending)
		return SLUICE_PASS; /* the body is still to be seen */
	++*filter->counters.allowed;
	return SLUICE_LEAVE;
}

/* `by`: the number of the rule that says so, from 1; 0: none did. */
static enum sluice_verdict allow_by(const struct filter_view *view, const struct filter_ctx *ctx,
				    unsigned by)
{
	if (view->steady && !ctx->pending)
		sluice_steady(view->x, SLUICE_STEADY_MS_MAX, by);
	return allow(view->filter, ctx);
}

void filter_repeated(struct sluice_nf *nf, uint32_t by, uint64_t times)
{
	struct filter *filter = sluice_data(nf);

	*filter->counters.requests += times;
	*filter->counters.allowed += times;
	if (by && by <= filter->rules_count)
		*filter->rules[by - 1].hits += times;
}

enum sluice_verdict filter_deny(struct filter *filter, struct sluice_exchange *x, uint16_t status)
{
	++*filter->counters.denied;
	return answer_status(x, status);
}

enum sluice_verdict filter_deny_by(struct filter *filter, const struct filter_rule *rule,
				   struct sluice_exchange *x)
{
	struct answer answer = {.status = rule->status, .text = rule->body};

	++*filter->counters.denied;
	return answer_send(x, &answer);
}

enum sluice_verdict filter_score_out(struct filter *filter, struct sluice_exchange *x)
{
	++*filter->counters.scored_out;
	return filter_deny(filter, x, filter->score_status);
}

/* --- what a rule does ------------------------------------------------------------------- */

static const char *label(const struct filter_rule *rule)
{
	return rule->tag ? rule->tag : rule->name;
}

/* So many lines in a second: a log is no place for an attacker to write to. */
static void write_log(struct filter *filter, const struct filter_rule *rule,
		      struct sluice_exchange *x)
{
	int64_t second = sluice_wall_seconds(sluice_of(x));
	struct sluice_str target = sluice_target(x);

	if (second != filter->log_second) {
		filter->log_second = second;
		filter->logged = 0;
	}
	if (filter->logged >= filter->log_per_s) {
		++*filter->counters.log_dropped;
		return;
	}
	++filter->logged;
	sluice_log(sluice_of(x), SLUICE_LOG_WARN, "rule %s matched: %.*s", rule->name,
		   target.len < 200 ? (int)target.len : 200, target.ptr);
}

bool filter_acts(const struct filter *filter, const struct filter_rule *rule)
{
	return rule->level <= filter->paranoia;
}

bool filter_hit(struct filter *filter, const struct filter_rule *rule, struct sluice_exchange *x,
		uint32_t *score)
{
	++*rule->hits;
	if (!filter_acts(filter, rule))
		return false;
	if (rule->action == FILTER_LOG)
		write_log(filter, rule, x);
	if (rule->action == FILTER_TAG &&
	    !sluice_field_add(x, filter->tag_header.name, sluice_str(label(rule))))
		++*filter->counters.tagged;
	if (rule->action == FILTER_SCORE)
		*score += rule->score;
	return rule->action == FILTER_SCORE && filter->threshold && *score >= filter->threshold;
}

/* --- the rules -------------------------------------------------------------------------- */

/* SLUICE_PASS: the next rule. */
static enum sluice_verdict obey(struct filter *filter, const struct filter_rule *rule,
				struct sluice_exchange *x, struct filter_ctx *ctx)
{
	if (rule->in_body) {
		ctx->pending |= UINT64_C(1) << rule->body_bit;
		return SLUICE_PASS;
	}
	if (filter_hit(filter, rule, x, &ctx->score))
		return filter_score_out(filter, x);
	if (filter_acts(filter, rule) && rule->action == FILTER_DENY)
		return filter_deny_by(filter, rule, x);
	return SLUICE_PASS;
}

static enum pattern_result matches(const struct filter_rule *rule, struct filter_view *view,
				   bool has_body)
{
	enum pattern_result result;

	if (rule->in_body && !has_body)
		return PATTERN_NO;
	result = request_rule_match(&rule->when, view->x, view->path);
	return result == PATTERN_YES ? filter_checks_match(rule, view) : result;
}

static bool has_body(const struct sluice_exchange *x)
{
	uint64_t bytes = sluice_head(x)->body_bytes;

	return bytes != SLUICE_LENGTH_NONE && bytes > 0;
}

static enum sluice_verdict by_rules(struct filter *filter, struct filter_view *view,
				    struct filter_ctx *ctx)
{
	bool body = filter->body_rules && has_body(view->x);

	for (unsigned i = 0; i < filter->rules_count; ++i) {
		const struct filter_rule *rule = &filter->rules[i];
		enum pattern_result result =
			rule->level > filter->watch ? PATTERN_NO : matches(rule, view, body);
		enum sluice_verdict verdict;

		if (result == PATTERN_NO)
			continue;
		if (result == PATTERN_LIMIT) {
			view->steady = false;
			++*filter->counters.match_limits;
			if (filter->deny_on_limit && filter_acts(filter, rule))
				return filter_deny(filter, view->x, filter->status);
			continue;
		}
		verdict = obey(filter, rule, view->x, ctx);
		if (verdict != SLUICE_PASS)
			return verdict;
		if (rule->action == FILTER_ALLOW && filter_acts(filter, rule))
			return allow_by(view, ctx, i + 1);
		view->steady = false;
	}
	return filter->deny_by_default ? filter_deny(filter, view->x, filter->status)
				       : allow_by(view, ctx, 0);
}

/* A tag that the client brings is no tag of ours. */
static void drop_tags(struct filter *filter, struct sluice_exchange *x)
{
	if (filter->tags && field_first(x, &filter->tag_header) != SLUICE_NONE16)
		(void)sluice_field_remove(x, filter->tag_header.name);
}

static bool is_form(struct sluice_exchange *x)
{
	static const char form[] = "application/x-www-form-urlencoded";
	struct sluice_str type;

	if (sluice_field(x, SLUICE_FIELD_CONTENT_TYPE, &type) || type.len < sizeof(form) - 1)
		return false;
	type.len = sizeof(form) - 1;
	return sluice_str_equal_nocase(type, sluice_str(form));
}

enum sluice_verdict filter_decide(struct filter *filter, struct sluice_exchange *x)
{
	struct filter_view view = {.filter = filter, .x = x, .steady = filter->by_head};
	struct filter_ctx *ctx = sluice_ctx(x);
	uint8_t network = network_map_find(&filter->networks, &sluice_head(x)->client);

	++*filter->counters.requests;
	drop_tags(filter, x);
	if (network == FILTER_NETWORK_ALLOW)
		return allow(filter, ctx);
	if (network == FILTER_NETWORK_DENY) {
		++*filter->counters.networks_denied;
		return filter_deny(filter, x, filter->status);
	}
	view.path = path_decoded(sluice_path(x), &filter->room);
	ctx->form = filter->body_rules && is_form(x);
	return by_rules(filter, &view, ctx);
}
