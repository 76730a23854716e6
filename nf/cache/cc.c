/* SPDX-License-Identifier: BSD-3-Clause */
#include "cc.h"

#include <stddef.h>

#include "nf/common/str.h"

enum kind {
	FLAG,
	SECONDS,
	SECONDS_OR_ANY, /* max-stale */
	FIELDS_OR_FLAG, /* no-cache, private */
};

struct directive {
	const char *name;
	enum kind kind;
	uint32_t flag;
	size_t seconds; /* offset in struct cc */
};

static const struct directive directives[] = {
	{"max-age", SECONDS, 0, offsetof(struct cc, max_age)},
	{"s-maxage", SECONDS, 0, offsetof(struct cc, s_maxage)},
	{"no-cache", FIELDS_OR_FLAG, CC_NO_CACHE, 0},
	{"no-store", FLAG, CC_NO_STORE, 0},
	{"private", FIELDS_OR_FLAG, CC_PRIVATE, 0},
	{"public", FLAG, CC_PUBLIC, 0},
	{"must-revalidate", FLAG, CC_MUST_REVALIDATE, 0},
	{"proxy-revalidate", FLAG, CC_PROXY_REVALIDATE, 0},
	{"must-understand", FLAG, CC_MUST_UNDERSTAND, 0},
	{"only-if-cached", FLAG, CC_ONLY_IF_CACHED, 0},
	{"max-stale", SECONDS_OR_ANY, CC_MAX_STALE_ANY, offsetof(struct cc, max_stale)},
	{"min-fresh", SECONDS, 0, offsetof(struct cc, min_fresh)},
	{"stale-while-revalidate", SECONDS, 0, offsetof(struct cc, stale_while_revalidate)},
	{"stale-if-error", SECONDS, 0, offsetof(struct cc, stale_if_error)},
};

struct argument {
	struct sluice_str text; /* without its quotes */
	bool given, escaped, quoted;
};

void cc_init(struct cc *cc)
{
	*cc = (struct cc){
		.max_age = CC_ABSENT,
		.s_maxage = CC_ABSENT,
		.max_stale = CC_ABSENT,
		.min_fresh = CC_ABSENT,
		.stale_while_revalidate = CC_ABSENT,
		.stale_if_error = CC_ABSENT,
	};
}

static const struct directive *find_directive(struct sluice_str name)
{
	for (size_t i = 0; i < sizeof(directives) / sizeof(directives[0]); i++)
		if (str_equal_nocase(name, sluice_str(directives[i].name)))
			return &directives[i];
	return NULL;
}

/* A number given twice must be the same twice. */
static void set_seconds(struct cc *cc, const struct directive *d, struct sluice_str text)
{
	int64_t *slot = (int64_t *)((char *)cc + d->seconds);
	int64_t seconds = str_number(text, CC_SECONDS_MAX);

	if (seconds < 0 || (*slot != CC_ABSENT && *slot != seconds))
		cc->flags |= CC_BAD;
	else
		*slot = seconds;
}

/* What cannot be read as names of fields holds for the whole response. */
static void add_fields(struct cc *cc, const struct directive *d, const struct argument *argument)
{
	if (!argument->given || argument->escaped || !argument->text.len ||
	    cc->fields_count == CC_LISTS_MAX)
		cc->flags |= d->flag;
	else
		cc->fields[cc->fields_count++] = argument->text;
}

static void apply(struct cc *cc, struct sluice_str name, const struct argument *argument)
{
	const struct directive *d = find_directive(name);

	cc->values++;
	if (!d)
		return;
	switch (d->kind) {
	case FIELDS_OR_FLAG:
		add_fields(cc, d, argument);
		return;
	case SECONDS:
		set_seconds(cc, d, argument->text);
		return;
	case SECONDS_OR_ANY:
		if (argument->given)
			set_seconds(cc, d, argument->text);
		else
			cc->flags |= d->flag;
		return;
	case FLAG:
		cc->flags |= d->flag;
		return;
	}
}

static uint32_t token_len(struct sluice_str s)
{
	uint32_t n = 0;

	while (n < s.len && str_is_token_char(s.ptr[n]))
		n++;
	return n;
}

/* The length of a quoted string with its quotes; 0: it is not closed. */
static uint32_t quoted_len(struct sluice_str s, bool *escaped)
{
	for (uint32_t i = 1; i < s.len; i++) {
		if (s.ptr[i] == '"')
			return i + 1;
		if (s.ptr[i] == '\\') {
			*escaped = true;
			i++;
		}
	}
	return 0;
}

static bool take_argument(struct sluice_str *rest, struct argument *argument)
{
	bool quoted = rest->len && rest->ptr[0] == '"';
	uint32_t len = quoted ? quoted_len(*rest, &argument->escaped) : token_len(*rest);

	argument->given = true;
	argument->quoted = quoted;
	if (!len)
		return false;
	argument->text = quoted ? str_make(rest->ptr + 1, len - 2) : str_make(rest->ptr, len);
	*rest = str_skip(*rest, len);
	return true;
}

/* To behind the next comma that is not quoted. */
static void skip_element(struct sluice_str *rest)
{
	bool quoted = false;
	uint32_t i = 0;

	for (; i < rest->len && (quoted || rest->ptr[i] != ','); i++) {
		if (rest->ptr[i] == '"')
			quoted = !quoted;
		else if (quoted && rest->ptr[i] == '\\')
			i++;
	}
	*rest = str_skip(*rest, i < rest->len ? i + 1 : rest->len);
}

/* "=" and what follows. */
static bool take_value(struct sluice_str *rest, struct argument *argument)
{
	if (!rest->len || rest->ptr[0] != '=')
		return true;
	*rest = str_skip(*rest, 1);
	return take_argument(rest, argument);
}

/* One directive. Something wrong in it spoils the field only if the directive is one we know. */
static void take_directive(struct cc *cc, struct sluice_str *rest)
{
	struct sluice_str name = str_make(rest->ptr, token_len(*rest));
	struct argument argument = {.text = str_make("", 0)};
	bool good = name.len > 0;

	*rest = str_skip(*rest, name.len);
	good = take_value(rest, &argument) && good;
	*rest = str_trim(*rest);
	if (rest->len && rest->ptr[0] != ',')
		good = false;
	if (good)
		apply(cc, name, &argument);
	else if (find_directive(name) || memchr(rest->ptr, '"', rest->len))
		cc->flags |= CC_BAD;
	skip_element(rest);
}

void cc_parse(struct cc *cc, struct sluice_str value)
{
	for (value = str_trim(value); value.len; value = str_trim(value)) {
		if (value.ptr[0] == ',')
			value = str_skip(value, 1);
		else
			take_directive(cc, &value);
	}
}

/* --- structured fields --------------------------------------------------------------- */

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

/* A key (RFC 8941 §3.1.2). */
static uint32_t key_len(struct sluice_str s)
{
	uint32_t n = 0;

	if (!s.len || (!is_lower(s.ptr[0]) && s.ptr[0] != '*'))
		return 0;
	while (n < s.len && s.ptr[n] &&
	       (is_lower(s.ptr[n]) || str_is_digit(s.ptr[n]) || strchr("_-.*", s.ptr[n])))
		n++;
	return n;
}

/* Of the directives that we know, those with numbers must have bare ones. */
static bool is_right_type(struct sluice_str name, const struct argument *argument)
{
	const struct directive *d = find_directive(name);

	return !d || d->kind != SECONDS || (argument->given && !argument->quoted);
}

/* Values of kinds that no directive of ours has, and parameters, are passed over. */
static void take_member(struct cc *cc, struct sluice_str *rest)
{
	struct sluice_str name = str_make(rest->ptr, key_len(*rest));
	struct argument argument = {.text = str_make("", 0)};

	*rest = str_skip(*rest, name.len);
	if (name.len && rest->len > 1 && rest->ptr[0] == '=' && rest->ptr[1] &&
	    strchr("(:?", rest->ptr[1]) && !find_directive(name)) {
		cc->values++;
		skip_element(rest);
		return;
	}
	if (!name.len || !take_value(rest, &argument) || !is_right_type(name, &argument) ||
	    (*rest = str_trim(*rest), rest->len && rest->ptr[0] != ',' && rest->ptr[0] != ';'))
		cc->flags |= CC_BAD;
	else
		apply(cc, name, &argument);
	skip_element(rest);
}

void cc_parse_strict(struct cc *cc, struct sluice_str value)
{
	for (value = str_trim(value); value.len; value = str_trim(value))
		take_member(cc, &value);
}

static bool list_has(struct sluice_str list, struct sluice_str name)
{
	while (list.len) {
		const char *comma = memchr(list.ptr, ',', list.len);
		uint32_t len = comma ? (uint32_t)(comma - list.ptr) : list.len;

		if (str_equal_nocase(str_trim(str_make(list.ptr, len)), name))
			return true;
		list = str_skip(list, comma ? len + 1 : len);
	}
	return false;
}

bool cc_names_field(const struct cc *cc, struct sluice_str name)
{
	for (unsigned i = 0; i < cc->fields_count; i++)
		if (list_has(cc->fields[i], name))
			return true;
	return false;
}
