/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/common/template.h"

#include <errno.h>
#include <string.h>

#include "nf/common/pool.h"

enum part_kind { PART_TEXT, PART_CAPTURE, PART_VARIABLE, PART_KEPT };

struct template_part {
	enum part_kind kind;
	unsigned number; /* of the capture, or of what was kept */
	struct variable variable;
	struct sluice_str text;
};

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || c == '_';
}

/* Between braces there may be an argument, of any characters. */
static uint32_t name_len(const char *name, bool braces)
{
	uint32_t len = 0;

	if (*name == '$' || (*name >= '0' && *name <= '9'))
		return 1;
	while (is_name(name[len]))
		++len;
	if (braces && len > 0 && name[len] == ':')
		len += (uint32_t)strcspn(name + len, "}");
	return len;
}

/* The name after a dollar at `p`; `*end`: where the text goes on. Empty: there is none. */
static struct sluice_str hole_name(const char *p, const char **end)
{
	const char *name = *p == '{' ? p + 1 : p;
	uint32_t len = name_len(name, *p == '{');

	*end = name + len;
	if (*p == '{' && **end != '}')
		len = 0;
	else if (*p == '{')
		++*end;
	return (struct sluice_str){name, len};
}

static int set_capture(const struct sluice_conf *where, unsigned number,
		       const struct template_scope *scope, struct template_part *part)
{
	*part = (struct template_part){.kind = PART_CAPTURE, .number = number};
	if (!scope->matched_by)
		return sluice_conf_error(where, "$%u: nothing is matched here", number);
	if (number > scope->captures)
		return sluice_conf_error(where, "$%u: the %s gives no more than $%u", number,
					 scope->matched_by, scope->captures);
	return 0;
}

/* Its place among what is noted of every exchange. */
static int set_kept(const struct sluice_conf *where, struct keep *keep, struct template_part *part)
{
	part->kind = PART_KEPT;
	for (part->number = 0; part->number < keep->count; ++part->number)
		if (variable_equal(&keep->variable[part->number], &part->variable))
			return 0;
	if (keep->count == KEEP_MAX)
		return sluice_conf_error(where, "more than %d values of an earlier head are named",
					 KEEP_MAX);
	keep->variable[keep->count++] = part->variable;
	return 0;
}

static int set_variable(struct pool *pool, const struct sluice_conf *where, struct sluice_str name,
			const struct template_scope *scope, struct template_part *part)
{
	int err = variable_find(pool, where, name, scope->own, &part->variable);
	enum variable_stage stage;

	part->kind = PART_VARIABLE;
	if (err)
		return err;
	stage = part->variable.kind->stage;
	if (variable_is_id(&part->variable) && !scope->has_id)
		return sluice_conf_error(where, "$%.*s is not known", (int)name.len, name.ptr);
	if (stage == STAGE_ALWAYS || stage == scope->stage)
		return 0;
	if (stage > scope->stage || !scope->keep)
		return sluice_conf_error(where, "$%.*s cannot be told here", (int)name.len,
					 name.ptr);
	return set_kept(where, scope->keep, part);
}

static int set_hole(struct pool *pool, const struct sluice_conf *where, struct sluice_str name,
		    const struct template_scope *scope, struct template_part *part)
{
	if (sluice_str_equal(name, sluice_str("$"))) {
		*part = (struct template_part){.kind = PART_TEXT, .text = sluice_str("$")};
		return 0;
	}
	if (name.ptr[0] >= '0' && name.ptr[0] <= '9')
		return set_capture(where, (unsigned)(name.ptr[0] - '0'), scope, part);
	return set_variable(pool, where, name, scope, part);
}

/* Every dollar makes at most two parts: the text before it and its own. */
static unsigned parts_max(const char *text)
{
	unsigned n = 1;

	for (; *text != '\0'; ++text)
		n += *text == '$' ? 2 : 0;
	return n;
}

static void add_text(struct template *out, const char *text, size_t len)
{
	if (len == 0)
		return;
	out->part[out->parts++] =
		(struct template_part){.kind = PART_TEXT, .text = {text, (uint32_t)len}};
	if (memchr(text, '?', len))
		out->has_query = true;
}

int template_compile(struct pool *pool, const struct sluice_conf *where, const char *text,
		     const struct template_scope *scope, struct template *out)
{
	*out = (struct template){0};
	out->part = pool_alloc(pool, parts_max(text), sizeof(*out->part));
	if (!out->part)
		return -ENOMEM;
	for (;;) {
		size_t len = strcspn(text, "$");
		struct sluice_str name;

		add_text(out, text, len);
		text += len;
		if (*text == '\0')
			return 0;
		name = hole_name(text + 1, &text);
		if (name.len == 0)
			return sluice_conf_error(where, "a name must follow $ ($$ is a dollar)");
		if (set_hole(pool, where, name, scope, &out->part[out->parts]))
			return -EINVAL;
		++out->parts;
		if (sluice_str_equal(name, sluice_str("target")))
			out->has_query = true;
	}
}

int template_plain(struct pool *pool, const char *text, struct template *out)
{
	*out = (struct template){.part = pool_alloc(pool, 1, sizeof(*out->part))};
	if (!out->part)
		return -ENOMEM;
	add_text(out, text, strlen(text));
	return 0;
}

static struct sluice_str value_of(const struct template_part *part,
				  const struct template_source *source, char *scratch)
{
	const struct kept *kept = source->kept;

	switch (part->kind) {
	case PART_CAPTURE:
		return source->capture[part->number];
	case PART_VARIABLE:
		return variable_get(&part->variable, &source->from, scratch);
	case PART_KEPT:
		return (struct sluice_str){kept->room + kept->value[part->number].off,
					   kept->value[part->number].len};
	case PART_TEXT:
		break;
	}
	return part->text;
}

static bool is_number(const struct template_part *part)
{
	return part->variable.kind && part->variable.kind->number;
}

void template_expand_by(const struct template *template, const struct template_source *source,
			template_put *put, struct text *out)
{
	for (unsigned i = 0; i < template->parts; ++i) {
		const struct template_part *part = &template->part[i];
		char scratch[VARIABLE_SCRATCH];

		if (part->kind == PART_TEXT)
			text_put(out, part->text);
		else
			put(value_of(part, source, scratch), is_number(part), out);
	}
}

static void put_as_it_is(struct sluice_str value, bool number, struct text *out)
{
	(void)number;
	text_put(out, value);
}

void template_expand(const struct template *template, const struct template_source *source,
		     struct text *out)
{
	template_expand_by(template, source, put_as_it_is, out);
}

bool template_is_steady(const struct template *template)
{
	for (unsigned i = 0; i < template->parts; ++i) {
		const struct template_part *part = &template->part[i];

		if (part->kind == PART_KEPT ||
		    (part->kind == PART_VARIABLE && !variable_is_steady(&part->variable)))
			return false;
	}
	return true;
}

bool template_begins(const struct template *template, const char *text)
{
	const struct template_part *first = template->part;
	size_t len = strlen(text);

	return template->parts > 0 && first->kind == PART_TEXT && first->text.len >= len &&
	       memcmp(first->text.ptr, text, len) == 0;
}

static void note(struct kept *kept, unsigned i, struct sluice_str value)
{
	uint32_t left = KEPT_BYTES - kept->used;
	uint32_t len = value.len < left ? value.len : left;

	kept->cut = kept->cut || len < value.len;
	memcpy(kept->room + kept->used, value.ptr, len);
	kept->value[i].off = kept->used;
	kept->value[i].len = (uint16_t)len;
	kept->used = (uint16_t)(kept->used + len);
}

void keep_note(const struct keep *keep, enum variable_stage stage,
	       const struct variable_source *from, struct kept *kept)
{
	for (unsigned i = 0; i < keep->count; ++i) {
		char scratch[VARIABLE_SCRATCH];

		if (keep->variable[i].kind->stage == stage)
			note(kept, i, variable_get(&keep->variable[i], from, scratch));
	}
}
