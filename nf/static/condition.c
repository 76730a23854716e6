/* SPDX-License-Identifier: BSD-3-Clause */
/* Conditional requests (RFC 9110 §13). */
#include "nf/static/static.h"

#include "nf/common/list.h"

enum compare { COMPARE_WEAK, COMPARE_STRONG };

/* What a field with a date says of the body. */
enum since { SINCE_UNKNOWN, SINCE_SAME, SINCE_CHANGED };

/* RFC 9110 §8.8.3.2; our own tag is strong. */
static bool is_ours(struct sluice_str tag, const struct static_body *body, enum compare how)
{
	if (tag.len > 2 && tag.ptr[0] == 'W' && tag.ptr[1] == '/') {
		if (how == COMPARE_STRONG)
			return false;
		tag = (struct sluice_str){tag.ptr + 2, tag.len - 2};
	}
	return body->etag[0] != '\0' && sluice_str_equal(tag, sluice_str(body->etag));
}

/* One of the tags in those fields is ours, or "*". */
static bool names_ours(const struct sluice_exchange *x, enum sluice_field_id id,
		       const struct static_body *body, enum compare how)
{
	for (unsigned i = sluice_field_first(x, id); i != SLUICE_NONE16;
	     i = sluice_field_next(x, i)) {
		struct sluice_str rest = sluice_field_value(x, i), tag;

		while (list_next(&rest, &tag))
			if (is_ours(tag, body, how) || sluice_str_equal(tag, sluice_str("*")))
				return true;
	}
	return false;
}

static enum since changed_since(struct sluice_exchange *x, enum sluice_field_id id,
				const struct static_body *body)
{
	struct sluice_str value;
	int64_t then;

	if (!body->dated || sluice_field(x, id, &value) ||
	    date_parse(value, sluice_wall_seconds(sluice_of(x)), &then))
		return SINCE_UNKNOWN;
	return body->modified > then ? SINCE_CHANGED : SINCE_SAME;
}

static bool has(const struct sluice_exchange *x, enum sluice_field_id id)
{
	return sluice_field_first(x, id) != SLUICE_NONE16;
}

static bool may_go_on(struct sluice_exchange *x, const struct static_body *body)
{
	if (has(x, SLUICE_FIELD_IF_MATCH))
		return names_ours(x, SLUICE_FIELD_IF_MATCH, body, COMPARE_STRONG);
	return changed_since(x, SLUICE_FIELD_IF_UNMODIFIED_SINCE, body) != SINCE_CHANGED;
}

static bool client_has_it(struct sluice_exchange *x, const struct static_body *body)
{
	if (has(x, SLUICE_FIELD_IF_NONE_MATCH))
		return names_ours(x, SLUICE_FIELD_IF_NONE_MATCH, body, COMPARE_WEAK);
	return changed_since(x, SLUICE_FIELD_IF_MODIFIED_SINCE, body) == SINCE_SAME;
}

uint16_t static_condition(struct sluice_exchange *x, const struct static_body *body)
{
	if (!may_go_on(x, body))
		return 412;
	return client_has_it(x, body) ? 304 : 200;
}

bool static_if_range(struct sluice_exchange *x, const struct static_body *body)
{
	struct sluice_str value;
	int64_t then;

	if (sluice_field(x, SLUICE_FIELD_IF_RANGE, &value))
		return true;
	if (value.len > 0 && (value.ptr[0] == '"' || value.ptr[0] == 'W'))
		if (is_ours(value, body, COMPARE_STRONG))
			return true;
	return body->dated && date_parse(value, sluice_wall_seconds(sluice_of(x)), &then) == 0 &&
	       then == body->modified;
}
