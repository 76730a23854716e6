/* SPDX-License-Identifier: BSD-3-Clause */
#include "ask.h"

#include "nf/common/str.h"

static bool has(const struct sluice_exchange *x, enum sluice_field_id id)
{
	return sluice_field_first(x, id) != SLUICE_NONE16;
}

/* What follows the host in the Host field, without its colon. */
static struct sluice_str port_of(const struct sluice_exchange *x, struct sluice_str host)
{
	struct sluice_str field;

	if (sluice_field(x, SLUICE_FIELD_HOST, &field) || field.len <= host.len + 1 ||
	    field.ptr[host.len] != ':')
		return str_make("", 0);
	return str_skip(field, host.len + 1);
}

/* Path and query as they stand in the target, whatever form it has: "/a", "/a?", "?x" after an
 * authority. */
static struct sluice_str path_and_query(const struct sluice_exchange *x)
{
	struct sluice_str target = sluice_target(x), path = sluice_path(x), query = sluice_query(x);
	const char *from = path.len    ? path.ptr
			   : query.len ? query.ptr - 1
				       : target.ptr + target.len;

	if (from >= target.ptr && from <= target.ptr + target.len)
		return str_skip(target, (uint32_t)(from - target.ptr));
	return path;
}

static enum ask_kind kind_of(const struct sluice_exchange *x)
{
	const struct sluice_head *head = sluice_head(x);
	bool body = head->body_bytes != SLUICE_LENGTH_NONE && head->body_bytes != 0;

	switch (head->method) {
	case SLUICE_METHOD_GET:
	case SLUICE_METHOD_HEAD:
		/* If-Match and the like are for the origin alone (RFC 9111 §4.3.2). */
		if (body || has(x, SLUICE_FIELD_UPGRADE) || has(x, SLUICE_FIELD_IF_MATCH) ||
		    has(x, SLUICE_FIELD_IF_UNMODIFIED_SINCE))
			return ASK_OTHER;
		return ASK_READ;
	case SLUICE_METHOD_OPTIONS:
	case SLUICE_METHOD_TRACE:
	case SLUICE_METHOD_CONNECT:
		return ASK_OTHER;
	case SLUICE_METHOD_PURGE:
		return ASK_PURGE;
	default:
		return ASK_CHANGE;
	}
}

static void read_directives(struct cc *cc, const struct sluice_exchange *x)
{
	unsigned i = sluice_field_first(x, SLUICE_FIELD_CACHE_CONTROL);
	struct sluice_str pragma;

	for (; i != SLUICE_NONE16; i = sluice_field_next(x, i))
		cc_parse(cc, sluice_field_value(x, i));
	/* RFC 9111 §5.4: where there is no Cache-Control. */
	if (!has(x, SLUICE_FIELD_CACHE_CONTROL) && !sluice_field(x, SLUICE_FIELD_PRAGMA, &pragma) &&
	    str_equal_nocase(pragma, sluice_str("no-cache")))
		cc->flags |= CC_NO_CACHE;
}

void ask_make(struct ask *ask, const struct sluice_exchange *x, bool client_directives)
{
	struct sluice_str host = sluice_host(x);

	ask->kind = kind_of(x);
	ask->head = sluice_head(x)->method == SLUICE_METHOD_HEAD;
	ask->post = sluice_head(x)->method == SLUICE_METHOD_POST;
	ask->authorized = has(x, SLUICE_FIELD_AUTHORIZATION);
	ask->conditional =
		has(x, SLUICE_FIELD_IF_NONE_MATCH) || has(x, SLUICE_FIELD_IF_MODIFIED_SINCE);
	ask->range = !ask->head && has(x, SLUICE_FIELD_RANGE);
	cc_init(&ask->cc);
	if (client_directives)
		read_directives(&ask->cc, x);
	if (!uri_key_make(&ask->key, host, port_of(x, host), path_and_query(x)))
		ask->kind = ASK_OTHER;
}

static bool line(const void *ctx, struct sluice_str name, unsigned n, struct sluice_str *value)
{
	const struct sluice_exchange *x = ctx;
	unsigned count = sluice_head(x)->fields;

	for (unsigned i = 0; i < count; i++) {
		if (!str_equal_nocase(sluice_field_name(x, i), name) || n--)
			continue;
		*value = sluice_field_value(x, i);
		return true;
	}
	return false;
}

struct vary_request ask_vary(const struct sluice_exchange *x)
{
	return (struct vary_request){line, x};
}
