/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The first bytes of a body. They go on as they come, so that no upload ever waits for us, while
 * a copy of them is put together; rules see it each time it has doubled, when it is full, and when
 * the body ends, before its last piece goes on: an origin never gets the whole of a short
 * body that is denied, and of a long one it gets part of the first `body_bytes`.
 */
#include "nf/filter/filter.h"

#include <stdlib.h>
#include <string.h>

/* --- room ----------------------------------------------------------------------------- */

static struct filter_body *body_new(struct filter *filter)
{
	struct filter_body *body = malloc(sizeof(*body) + filter->body_bytes);

	if (!body)
		return NULL;
	body->other = filter->bodies_all;
	filter->bodies_all = body;
	++filter->bodies;
	return body;
}

/* NULL: too many bodies are looked at already. */
static struct filter_body *body_take(struct filter *filter)
{
	struct filter_body *body = filter->bodies_free;

	if (body) {
		filter->bodies_free = body->next;
	} else if (filter->bodies < filter->bodies_max) {
		body = body_new(filter);
	}
	if (body)
		body->used = body->looked = 0;
	return body;
}

static void body_give(struct filter *filter, struct filter_ctx *ctx)
{
	if (!ctx->body)
		return;
	ctx->body->next = filter->bodies_free;
	filter->bodies_free = ctx->body;
	ctx->body = NULL;
}

void filter_bodies_free(struct filter *filter)
{
	while (filter->bodies_all) {
		struct filter_body *body = filter->bodies_all;

		filter->bodies_all = body->other;
		free(body);
	}
}

static void append(const struct filter *filter, struct filter_body *body,
		   const struct sluice_span *spans, unsigned n)
{
	for (unsigned i = 0; i < n; ++i) {
		uint32_t room = filter->body_bytes - body->used;
		uint32_t len = spans[i].len < room ? spans[i].len : room;

		memcpy(body->bytes + body->used, spans[i].ptr, len);
		body->used += len;
	}
}

/* --- rules ------------------------------------------------------------------------------ */

static enum pattern_result matches(struct filter *filter, const struct filter_rule *rule,
				   const struct filter_ctx *ctx, struct sluice_str text)
{
	enum pattern_result result = filter_checks_body(rule, text);

	if (result != PATTERN_NO || !ctx->form)
		return result;
	return filter_checks_body(rule, filter_form_decode(text, filter->body_room));
}

static enum sluice_verdict obey(struct filter *filter, const struct filter_rule *rule,
				struct sluice_exchange *x, struct filter_ctx *ctx)
{
	ctx->pending &= ~(UINT64_C(1) << rule->body_bit);
	if (filter_hit(filter, rule, x, &ctx->score))
		return filter_score_out(filter, x);
	if (filter_acts(filter, rule) && rule->action == FILTER_DENY)
		return filter_deny_by(filter, rule, x);
	return SLUICE_PASS;
}

static enum sluice_verdict on_limit(struct filter *filter, const struct filter_rule *rule,
				    struct sluice_exchange *x, struct filter_ctx *ctx)
{
	ctx->pending &= ~(UINT64_C(1) << rule->body_bit);
	++*filter->counters.match_limits;
	if (filter->deny_on_limit && filter_acts(filter, rule))
		return filter_deny(filter, x, filter->status);
	return SLUICE_PASS;
}

static enum sluice_verdict look(struct filter *filter, struct sluice_exchange *x,
				struct filter_ctx *ctx)
{
	struct sluice_str text = {ctx->body->bytes, ctx->body->used};
	enum sluice_verdict verdict = SLUICE_PASS;

	ctx->body->looked = ctx->body->used;
	for (unsigned i = 0; i < filter->body_rules && verdict == SLUICE_PASS; ++i) {
		const struct filter_rule *rule = filter->body_rule[i];
		enum pattern_result result = PATTERN_NO;

		if (ctx->pending & UINT64_C(1) << i)
			result = matches(filter, rule, ctx, text);
		if (result == PATTERN_YES)
			verdict = obey(filter, rule, x, ctx);
		if (result == PATTERN_LIMIT)
			verdict = on_limit(filter, rule, x, ctx);
	}
	if (verdict != SLUICE_PASS)
		++*filter->counters.body_denied;
	return verdict;
}

static enum sluice_verdict unseen(struct filter *filter, struct sluice_exchange *x)
{
	++*filter->counters.body_unseen;
	if (filter->deny_on_limit) {
		++*filter->counters.body_denied;
		return filter_deny(filter, x, filter->status);
	}
	++*filter->counters.allowed;
	return SLUICE_LEAVE;
}

enum sluice_verdict filter_body(struct sluice_exchange *x, const struct sluice_span *spans,
				unsigned n, bool end)
{
	struct filter *filter = sluice_data(sluice_of(x));
	struct filter_ctx *ctx = sluice_ctx(x);
	enum sluice_verdict verdict = SLUICE_PASS;
	bool last;

	if (!ctx->body)
		ctx->body = body_take(filter);
	if (!ctx->body)
		return unseen(filter, x);
	append(filter, ctx->body, spans, n);
	last = end || ctx->body->used == filter->body_bytes;
	if (last || ctx->body->used / 2 >= ctx->body->looked)
		verdict = look(filter, x, ctx);
	if (verdict != SLUICE_PASS || (ctx->pending && !last))
		return verdict;
	body_give(filter, ctx);
	++*filter->counters.allowed;
	return SLUICE_LEAVE;
}

void filter_body_done(struct sluice_exchange *x, bool reset)
{
	(void)reset;
	body_give(sluice_data(sluice_of(x)), sluice_ctx(x));
}
