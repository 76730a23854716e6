/* SPDX-License-Identifier: BSD-3-Clause */
#include "vary.h"

#include "nf/common/str.h"

#define MEMBERS_MAX 32

struct out {
	char *text;
	uint32_t len, size;
	bool full;
};

static void put(struct out *out, struct sluice_str s)
{
	if (out->full || s.len > out->size - out->len) {
		out->full = true;
		return;
	}
	memcpy(out->text + out->len, s.ptr, s.len);
	out->len += s.len;
}

/* Fields whose members stand in no order and have no case (RFC 9110 §12.5). */
static bool is_preference(struct sluice_str name)
{
	return str_equal_nocase(name, sluice_str("accept-encoding")) ||
	       str_equal_nocase(name, sluice_str("accept-language")) ||
	       str_equal_nocase(name, sluice_str("accept-charset"));
}

static bool is_tight(char c)
{
	return c == ',' || c == ';';
}

/* Copies a line without empty members and without the white space around , and ; outside of quotes.
 */
static void put_tight(struct out *out, struct sluice_str s)
{
	uint32_t from = out->len;
	bool quoted = false;

	for (uint32_t i = 0; i < s.len; i++) {
		char c = s.ptr[i], before = out->len > from ? out->text[out->len - 1] : ',';

		if (c == '"')
			quoted = !quoted;
		else if (quoted && c == '\\' && i + 1 < s.len)
			put(out, str_make(&s.ptr[i++], 1));
		else if (!quoted &&
			 ((str_is_space(c) && is_tight(before)) || (c == ',' && before == ',')))
			continue;
		else if (!quoted && is_tight(c))
			while (out->len > from && str_is_space(out->text[out->len - 1]))
				out->len--;
		put(out, str_make(&s.ptr[i], 1));
	}
	while (out->len > from &&
	       (out->text[out->len - 1] == ',' || str_is_space(out->text[out->len - 1])))
		out->len--;
}

static unsigned split(struct sluice_str s, struct sluice_str *member)
{
	unsigned n = 0;

	while (s.len) {
		const char *comma = memchr(s.ptr, ',', s.len);
		uint32_t len = comma ? (uint32_t)(comma - s.ptr) : s.len;

		if (n == MEMBERS_MAX)
			return 0;
		member[n++] = str_make(s.ptr, len);
		s = str_skip(s, comma ? len + 1 : len);
	}
	return n;
}

static int compare(struct sluice_str a, struct sluice_str b)
{
	int rc = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);

	return rc ? rc : (a.len > b.len) - (a.len < b.len);
}

/* Sorts the members of the list that lies in `text`. More than a few stay as they are. */
static void sort_members(char *text, uint32_t len)
{
	struct sluice_str member[MEMBERS_MAX];
	char copy[VARY_KEY_MAX];
	unsigned n;
	struct out out = {.text = text, .size = len};

	memcpy(copy, text, len);
	n = split(str_make(copy, len), member);
	for (unsigned i = 1; i < n; i++)
		for (unsigned k = i; k && compare(member[k], member[k - 1]) < 0; k--) {
			struct sluice_str t = member[k];

			member[k] = member[k - 1];
			member[k - 1] = t;
		}
	for (unsigned i = 0; i < n; i++) {
		if (i)
			put(&out, sluice_str(","));
		put(&out, member[i]);
	}
}

static void put_lower(char *text, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		text[i] = str_lower(text[i]);
}

/* A line of the key: "name:value\n", or "name\n" when the request has no such field. */
static void put_line(struct out *out, struct sluice_str name, const struct vary_request *request)
{
	struct sluice_str value;
	uint32_t from = out->len;

	put(out, name);
	if (out->full)
		return;
	put_lower(out->text + from, name.len);
	for (unsigned i = 0; request->line(request->ctx, name, i, &value); i++) {
		put(out, i ? sluice_str(",") : sluice_str(":"));
		put_tight(out, value);
	}
	from += name.len + 1;
	if (!out->full && out->len > from && is_preference(name)) {
		put_lower(out->text + from, out->len - from);
		sort_members(out->text + from, out->len - from);
	}
	put(out, sluice_str("\n"));
}

void vary_key_init(struct vary_key *key)
{
	key->len = 0;
	key->never = false;
}

static void add_name(struct vary_key *key, struct sluice_str name,
		     const struct vary_request *request)
{
	struct out out = {.text = key->text, .len = key->len, .size = VARY_KEY_MAX};

	if (str_equal(name, sluice_str("*")) || !str_is_token(name)) {
		key->never = true;
		return;
	}
	put_line(&out, name, request);
	key->never = key->never || out.full;
	key->len = out.len;
}

void vary_key_add(struct vary_key *key, struct sluice_str vary, const struct vary_request *request)
{
	while (vary.len && !key->never) {
		const char *comma = memchr(vary.ptr, ',', vary.len);
		uint32_t len = comma ? (uint32_t)(comma - vary.ptr) : vary.len;
		struct sluice_str name = str_trim(str_make(vary.ptr, len));

		if (name.len)
			add_name(key, name, request);
		vary = str_skip(vary, comma ? len + 1 : len);
	}
}

static uint32_t name_len(struct sluice_str line)
{
	uint32_t n = 0;

	while (n < line.len && line.ptr[n] != ':')
		n++;
	return n;
}

bool vary_matches(struct sluice_str key, const struct vary_request *request)
{
	char room[VARY_KEY_MAX];

	while (key.len) {
		const char *end = memchr(key.ptr, '\n', key.len);
		uint32_t len = end ? (uint32_t)(end - key.ptr) : key.len - 1;
		struct sluice_str line = str_make(key.ptr, len);
		struct out out = {.text = room, .size = sizeof(room)};

		put_line(&out, str_make(line.ptr, name_len(line)), request);
		if (out.full || !str_equal(str_make(room, out.len), str_make(line.ptr, len + 1)))
			return false;
		key = str_skip(key, len + 1);
	}
	return true;
}
