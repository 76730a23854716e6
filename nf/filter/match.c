/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/filter/filter.h"

typedef enum pattern_result condition(const struct filter_rule *rule,
				      const struct filter_request *request);

static enum pattern_result yes_if(bool holds)
{
	return holds ? PATTERN_YES : PATTERN_NO;
}

static enum pattern_result match_from(const struct filter_rule *rule,
				      const struct filter_request *request)
{
	return yes_if(rule->from_any ||
		      networks_contain(&rule->from, &sluice_head(request->x)->client));
}

static enum pattern_result match_method(const struct filter_rule *rule,
					const struct filter_request *request)
{
	return yes_if(methods_contain(&rule->methods, request->x));
}

static enum pattern_result match_host(const struct filter_rule *rule,
				      const struct filter_request *request)
{
	return host_rule_match(&rule->host, sluice_host(request->x));
}

static enum pattern_result match_path(const struct filter_rule *rule,
				      const struct filter_request *request)
{
	return path_rule_match(&rule->path, request->path);
}

static enum pattern_result match_target(const struct filter_rule *rule,
					const struct filter_request *request)
{
	if (!rule->target)
		return PATTERN_YES;
	return pattern_match(rule->target, sluice_target(request->x));
}

static enum pattern_result match_header(const struct filter_header *header,
					const struct sluice_exchange *x)
{
	unsigned i = field_first(x, &header->name);

	if (!header->match)
		return yes_if(i != SLUICE_NONE16);
	for (; i != SLUICE_NONE16; i = field_after(x, &header->name, i)) {
		enum pattern_result result = pattern_match(header->match, sluice_field_value(x, i));

		if (result != PATTERN_NO)
			return result;
	}
	return PATTERN_NO;
}

static enum pattern_result match_headers(const struct filter_rule *rule,
					 const struct filter_request *request)
{
	for (unsigned i = 0; i < rule->headers_count; ++i) {
		enum pattern_result result = match_header(&rule->headers[i], request->x);

		if (result != PATTERN_YES)
			return result;
	}
	return PATTERN_YES;
}

enum pattern_result filter_match(const struct filter_rule *rule,
				 const struct filter_request *request)
{
	/* The cheap ones first: they spare the others. */
	static condition *const conditions[] = {match_from, match_method, match_host,
						match_path, match_target, match_headers};

	for (unsigned i = 0; i < sizeof(conditions) / sizeof(conditions[0]); ++i) {
		enum pattern_result result = conditions[i](rule, request);

		if (result != PATTERN_YES)
			return result;
	}
	return PATTERN_YES;
}
