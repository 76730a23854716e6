/* SPDX-License-Identifier: BSD-3-Clause */
#include "limit.h"

#include <errno.h>
#include <string.h>

#include "nf/common/cookie.h"
#include "nf/common/read.h"

static const struct {
	const char *text;
	enum limit_source source;
	bool named;
} sources[] = {
	{"address", LIMIT_ADDRESS, false}, {"host", LIMIT_HOST, false},
	{"path", LIMIT_PATH, false},       {"method", LIMIT_METHOD, false},
	{"header:", LIMIT_HEADER, true},   {"cookie:", LIMIT_COOKIE, true},
};

int limit_part_parse(const char *text, struct limit_part *out)
{
	for (unsigned i = 0; i < sizeof(sources) / sizeof(sources[0]); ++i) {
		size_t len = strlen(sources[i].text);

		if (strncmp(text, sources[i].text, len) != 0 ||
		    (sources[i].named ? !read_is_token(text + len) : text[len] != '\0'))
			continue;
		*out = (struct limit_part){.source = sources[i].source};
		if (sources[i].named)
			out->name = field_name_of(text + len);
		return 0;
	}
	return -EINVAL;
}

/* Without the bits beyond the prefix. */
static uint64_t hash_address(const struct limit *limit, const struct limit_rule *rule,
			     const struct sluice_peer *peer)
{
	uint8_t bytes[17] = {peer->family}, *address = bytes + 1;
	unsigned prefix = peer->family == 4 ? rule->v4_prefix : rule->v6_prefix;

	memcpy(address, peer->bytes, peer->family == 4 ? 4 : 16);
	if (prefix % 8)
		address[prefix / 8] &= (uint8_t)(0xff00 >> prefix % 8);
	for (unsigned i = (prefix + 7) / 8; i < 16; ++i)
		address[i] = 0;
	return hash_bytes(&limit->hash_key, bytes, sizeof(bytes));
}

static bool text_of(const struct limit_part *part, const struct sluice_exchange *x,
		    struct sluice_str path, struct sluice_str *out)
{
	unsigned i;

	switch (part->source) {
	case LIMIT_HOST:
		*out = sluice_host(x);
		return true;
	case LIMIT_PATH:
		*out = path;
		return true;
	case LIMIT_METHOD:
		*out = sluice_method(x);
		return true;
	case LIMIT_HEADER:
		i = field_first(x, &part->name);
		*out = i == SLUICE_NONE16 ? sluice_str("") : sluice_field_value(x, i);
		return out->len > 0;
	case LIMIT_COOKIE:
		return cookie_find(x, part->name.name, out) == 0 && out->len > 0;
	case LIMIT_ADDRESS:
		break;
	}
	return false;
}

bool limit_key(const struct limit *limit, const struct limit_rule *rule,
	       const struct sluice_exchange *x, struct sluice_str path, uint64_t *key)
{
	const struct sluice_peer *client = &sluice_head(x)->client;
	uint64_t part[LIMIT_PARTS_MAX] = {0};

	for (unsigned i = 0; i < rule->parts; ++i) {
		struct sluice_str text;

		if (text_of(&rule->part[i], x, path, &text))
			part[i] = hash_bytes(&limit->hash_key, text.ptr, text.len);
		else if (rule->part[i].source == LIMIT_ADDRESS ||
			 rule->missing == LIMIT_MISSING_ADDRESS)
			part[i] = hash_address(limit, rule, client);
		else if (rule->missing == LIMIT_MISSING_SKIP)
			return false;
	}
	*key = hash_bytes(&limit->hash_key, part, rule->parts * sizeof(part[0]));
	return true;
}
