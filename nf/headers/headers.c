/* SPDX-License-Identifier: BSD-3-Clause */
#include "headers.h"

#include <errno.h>
#include <stdlib.h>

#include "nf/common/answer.h"

static int apply(struct headers *headers, const struct headers_rule *rule,
		 struct template_source *source)
{
	int err;

	if (!headers_rule_holds(headers, rule, source))
		return 0;
	err = headers_rule_do(headers, rule, source);
	*headers->counters.edits += !err;
	*headers->counters.edit_errors += err != 0;
	return err;
}

static bool is_for(struct headers *headers, const struct headers_rule *rule,
		   const struct template_source *source)
{
	enum pattern_result result =
		request_rule_match(&rule->when, source->from.x, source->from.path);

	*headers->counters.match_limits += result == PATTERN_LIMIT;
	return result == PATTERN_YES;
}

static int change_request(struct headers *headers, struct template_source *source)
{
	int err = 0;

	for (unsigned i = 0; !err && i < headers->request.count; ++i)
		if (is_for(headers, &headers->request.rule[i], source))
			err = apply(headers, &headers->request.rule[i], source);
	return err;
}

/* The response's rules whose conditions on the request hold. */
static uint64_t rules_for(struct headers *headers, const struct template_source *source)
{
	uint64_t rules = 0;

	for (unsigned i = 0; i < headers->response.count; ++i)
		if (is_for(headers, &headers->response.rule[i], source))
			rules |= UINT64_C(1) << i;
	return rules;
}

static struct template_source source_of(struct headers *headers, struct sluice_exchange *x)
{
	struct headers_context *context = sluice_ctx(x);

	return (struct template_source){
		.from = {.x = x, .unique = &headers->unique, .id = context->id},
		.kept = &context->kept,
	};
}

static enum sluice_verdict headers_request(struct sluice_exchange *x)
{
	struct headers *headers = sluice_data(sluice_of(x));
	struct headers_context *context = sluice_ctx(x);
	struct template_source source = source_of(headers, x);
	int err;

	++*headers->counters.requests;
	source.from.path = path_canonical(sluice_path(x), &headers->path_room);
	err = change_request(headers, &source);
	if (err)
		return answer_status(x, err == -ENOSPC ? 431 : 500);
	context->rules = rules_for(headers, &source);
	if (!context->rules)
		return SLUICE_LEAVE;
	keep_note(&headers->keep, STAGE_REQUEST, &source.from, &context->kept);
	return SLUICE_PASS;
}

static bool has_status(const struct headers_rule *rule, uint16_t status)
{
	return status < 600 && rule->statuses[status / 8] & 1u << status % 8;
}

/* One edit that fails is not a reason to withhold the answer. */
static enum sluice_verdict headers_response(struct sluice_exchange *x)
{
	struct headers *headers = sluice_data(sluice_of(x));
	const struct headers_context *context = sluice_ctx(x);
	struct template_source source = source_of(headers, x);

	++*headers->counters.responses;
	if (context->kept.cut) {
		++*headers->counters.edit_errors;
		return SLUICE_LEAVE;
	}
	for (unsigned i = 0; i < headers->response.count; ++i) {
		const struct headers_rule *rule = &headers->response.rule[i];

		if (context->rules >> i & 1 && has_status(rule, sluice_head(x)->status) &&
		    apply(headers, rule, &source))
			break;
	}
	return SLUICE_LEAVE;
}

static void headers_free(struct headers *headers)
{
	patterns_destroy(headers->patterns);
	pool_free(&headers->pool);
	free(headers);
}

static int headers_init(struct sluice_nf *nf, const struct sluice_conf *config)
{
	struct headers *headers = calloc(1, sizeof(*headers));
	int err;

	if (!headers)
		return -ENOMEM;
	err = headers_read(headers, nf, config);
	if (err) {
		headers_free(headers);
		return err;
	}
	patterns_report(headers->patterns, nf);
	sluice_set_data(nf, headers);
	return 0;
}

static void headers_fini(struct sluice_nf *nf)
{
	headers_free(sluice_data(nf));
}

static const struct sluice_nf_hooks headers_hooks = {
	SLUICE_HOOKS,
	.name = "headers",
	.summary = "sets, adds, removes and replaces fields of requests and responses",
	.ctx_bytes = sizeof(struct headers_context),
	.init = headers_init,
	.fini = headers_fini,
	.request_head = headers_request,
	.response_head = headers_response,
};
SLUICE_FUNCTION(headers_hooks);
