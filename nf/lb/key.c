/* SPDX-License-Identifier: BSD-3-Clause */
#include "key.h"

#include <errno.h>
#include <string.h>

#include "nf/common/cookie.h"
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

/* 0, or -ENOENT: the client's address it is. */
static int find_text(const struct key_rule *rule, const struct sluice_exchange *x,
		     struct sluice_str *out)
{
	switch (rule->source) {
	case KEY_HEADER:
		return sluice_field_named(x, rule->name, out);
	case KEY_COOKIE:
		return cookie_find(x, rule->name, out);
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
