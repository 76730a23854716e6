/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/proxy/template.h"

#include <errno.h>
#include <string.h>

#include "nf/common/network.h"
#include "nf/common/pool.h"

enum part_kind { PART_TEXT, PART_CAPTURE, PART_VARIABLE };

typedef struct sluice_str variable(const struct template_source *source);

struct template_part {
	enum part_kind kind;
	unsigned capture;
	variable *value;
	struct sluice_str text;
};

static struct sluice_str value_host(const struct template_source *source)
{
	return sluice_host(source->x);
}

static struct sluice_str value_path(const struct template_source *source)
{
	return source->path;
}

static struct sluice_str value_query(const struct template_source *source)
{
	return sluice_query(source->x);
}

static struct sluice_str value_target(const struct template_source *source)
{
	return sluice_target(source->x);
}

static struct sluice_str value_method(const struct template_source *source)
{
	return sluice_method(source->x);
}

static const struct {
	const char *name;
	variable *value; /* NULL: written by put_client */
} variables[] = {
	{"host", value_host},     {"path", value_path},     {"query", value_query},
	{"target", value_target}, {"method", value_method}, {"client", NULL},
};
#define VARIABLES (sizeof(variables) / sizeof(variables[0]))

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || c == '_';
}

/* The name after a dollar at `p`; `*end`: where the text goes on. Empty: there is none. */
static struct sluice_str hole_name(const char *p, const char **end)
{
	const char *name = *p == '{' ? p + 1 : p;
	uint32_t len = 0;

	if (*name == '$' || (*name >= '0' && *name <= '9'))
		len = 1;
	else
		while (is_name(name[len]))
			++len;
	*end = name + len;
	if (*p == '{' && **end != '}')
		len = 0;
	else if (*p == '{')
		++*end;
	return (struct sluice_str){name, len};
}

static int set_hole(const struct sluice_conf *where, struct sluice_str name, unsigned captures,
		    struct template_part *part)
{
	if (sluice_str_equal(name, sluice_str("$"))) {
		*part = (struct template_part){.kind = PART_TEXT, .text = sluice_str("$")};
		return 0;
	}
	if (name.ptr[0] >= '0' && name.ptr[0] <= '9') {
		*part = (struct template_part){.kind = PART_CAPTURE,
					       .capture = (unsigned)(name.ptr[0] - '0')};
		if (part->capture <= captures)
			return 0;
		return sluice_conf_error(where, "$%u: the path gives no more than $%u",
					 part->capture, captures);
	}
	for (size_t i = 0; i < VARIABLES; ++i) {
		if (sluice_str_equal(name, sluice_str(variables[i].name))) {
			*part = (struct template_part){.kind = PART_VARIABLE,
						       .value = variables[i].value};
			return 0;
		}
	}
	return sluice_conf_error(where, "$%.*s is not known", (int)name.len, name.ptr);
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
		     unsigned captures, struct template *out)
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
		if (set_hole(where, name, captures, &out->part[out->parts]))
			return -EINVAL;
		if (out->part[out->parts++].value == value_target)
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

static void put_client(const struct template_source *source, struct text *out)
{
	char room[NETWORK_TEXT_BYTES];

	text_put(out, network_peer_text(&sluice_head(source->x)->client, room));
}

void template_expand(const struct template *template, const struct template_source *source,
		     struct text *out)
{
	for (unsigned i = 0; i < template->parts; ++i) {
		const struct template_part *part = &template->part[i];

		if (part->kind == PART_TEXT)
			text_put(out, part->text);
		else if (part->kind == PART_CAPTURE)
			text_put(out, source->capture[part->capture]);
		else if (part->value)
			text_put(out, part->value(source));
		else
			put_client(source, out);
	}
}

bool template_begins(const struct template *template, const char *text)
{
	const struct template_part *first = template->part;
	size_t len = strlen(text);

	return template->parts > 0 && first->kind == PART_TEXT && first->text.len >= len &&
	       memcmp(first->text.ptr, text, len) == 0;
}
