/* SPDX-License-Identifier: BSD-3-Clause */
#include "key.h"

#include <errno.h>
#include <string.h>

#include "nf/common/list.h"
#include "nf/common/read.h"
#include "ring.h"

static int parse_named(const char *text, const char *prefix, enum key_source source,
		       struct key_rule *out)
{
	size_t len = strlen(prefix);

	if (strncmp(text, prefix, len) != 0 || !read_is_token(text + len))
		return -EINVAL;
	*out = (struct key_rule){source, text + len};
	return 0;
}

int key_rule_parse(const char *text, struct key_rule *out)
{
	static const struct {
		const char *text;
		enum key_source source;
	} plain[] = {{"client", KEY_CLIENT}, {"path", KEY_PATH}, {"host", KEY_HOST}};

	for (unsigned i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (!strcmp(text, plain[i].text)) {
			*out = (struct key_rule){.source = plain[i].source};
			return 0;
		}
	if (!parse_named(text, "header:", KEY_HEADER, out))
		return 0;
	return parse_named(text, "cookie:", KEY_COOKIE, out);
}

/* One "name=value" off the front of `rest`. */
static struct sluice_str next_pair(struct sluice_str *rest)
{
	const char *end = memchr(rest->ptr, ';', rest->len);
	uint32_t len = end ? (uint32_t)(end - rest->ptr) : rest->len;
	struct sluice_str pair = {rest->ptr, len};
	uint32_t step = end ? len + 1 : len;

	rest->ptr += step;
	rest->len -= step;
	return list_trim(pair);
}

int key_cookie(struct sluice_str field, struct sluice_str name, struct sluice_str *value)
{
	while (field.len) {
		struct sluice_str pair = next_pair(&field);

		if (pair.len > name.len && pair.ptr[name.len] == '=' &&
		    !memcmp(pair.ptr, name.ptr, name.len)) {
			*value = (struct sluice_str){pair.ptr + name.len + 1,
						     pair.len - name.len - 1};
			return 0;
		}
	}
	return -ENOENT;
}

static int find_cookie(const struct sluice_exchange *x, const char *name, struct sluice_str *value)
{
	unsigned i = sluice_field_first(x, SLUICE_FIELD_COOKIE);

	for (; i != SLUICE_NONE16; i = sluice_field_next(x, i))
		if (!key_cookie(sluice_field_value(x, i), sluice_str(name), value))
			return 0;
	return -ENOENT;
}

/* 0, or -ENOENT: the client's address it is. */
static int find_text(const struct key_rule *rule, const struct sluice_exchange *x,
		     struct sluice_str *out)
{
	switch (rule->source) {
	case KEY_HEADER:
		return sluice_field_named(x, rule->name, out);
	case KEY_COOKIE:
		return find_cookie(x, rule->name, out);
	case KEY_PATH:
		*out = sluice_path(x);
		return 0;
	case KEY_HOST:
		*out = sluice_host(x);
		return 0;
	case KEY_CLIENT:
		break;
	}
	return -ENOENT;
}

uint64_t key_hash(const struct key_rule *rule, const struct sluice_exchange *x)
{
	const struct sluice_peer *client = &sluice_head(x)->client;
	struct sluice_str text;

	if (find_text(rule, x, &text))
		return ring_hash(client->bytes, sizeof(client->bytes));
	return ring_hash(text.ptr, text.len);
}
