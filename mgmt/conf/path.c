/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Paths: functions in a row, and branches between functions.
 *
 * A path is laid out flat. Where it branches, the functions for requests that fulfil the condition
 * come first, then those for the others; a branch is the two ranges. Branches may hold branches.
 */
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "mgmt/conf/key.h"
#include "mgmt/nearest/nearest.h"

#define BRANCHES_MAX 16

struct path_reader {
	struct reader *reader;
	const struct key *key;
	struct conf_chain *chain;
};

/* --- conditions -------------------------------------------------------------------- */

static void check_pattern(struct reader *reader, const config_setting_t *setting, const char *text)
{
	PCRE2_UCHAR message[256];
	PCRE2_SIZE offset;
	pcre2_code *code;
	int error;

	code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, 0, &error, &offset, NULL);
	if (!code) {
		pcre2_get_error_message(error, message, sizeof(message));
		reader_error(reader, setting, "bad pattern at offset %zu: %s", (size_t)offset,
			     (const char *)message);
	}
	pcre2_code_free(code);
}

static void read_pattern(struct reader *reader, const struct key *key,
			 const config_setting_t *setting, void *field)
{
	const char *text = read_text(reader, key, setting);

	if (text)
		check_pattern(reader, setting, text);
	*(const char **)field = text;
}

/* "NAME", "*.NAME" or "~PATTERN", as in the functions' own rules. */
static void read_host(struct reader *reader, const struct key *key, const config_setting_t *setting,
		      void *field)
{
	const char *text = read_text(reader, key, setting);

	if (text && text[0] == '~')
		check_pattern(reader, setting, text + 1);
	else if (text && strpbrk(strncmp(text, "*.", 2) ? text : text + 2, "*/"))
		reader_error(reader, setting,
			     "host \"%s\" is neither a host, nor *.host, nor ~PATTERN", text);
	*(const char **)field = text;
}

static void check_condition(struct reader *reader, const config_setting_t *setting, void *group)
{
	const struct conf_condition *when = group;

	if (!when->path && !when->host && !when->method && !when->header)
		reader_error(reader, setting, "needs a path, a host, a method or a header");
	if (when->value && !when->header)
		reader_error(reader, setting, "value is that of a header: which one?");
}

static const struct key_type key_pattern = {"PCRE2 pattern", read_pattern};
static const struct key_type key_host = {"host, *.host or ~PATTERN", read_host};

#define TEXT(member, kind, text)                                                  \
	{                                                                         \
		.name = #member, .type = &(kind), .fallback = "",                 \
		.offset = offsetof(struct conf_condition, member), .help = (text) \
	}

static const struct key condition_keys[] = {
	TEXT(path, key_pattern, "the request's path matches it"),
	TEXT(host, key_host, "the host asked for is this one"),
	TEXT(method, key_name, "the request's method"),
	TEXT(header, key_name, "the request has such a field"),
	TEXT(value, key_pattern, "and its value matches this"),
	{0},
};

static const struct key_group condition_group = {
	.keys = condition_keys,
	.size = sizeof(struct conf_condition),
	.place = offsetof(struct conf_condition, place),
	.check = check_condition,
};

/* --- functions ---------------------------------------------------------------------- */

static const struct conf_function *find_function(const struct conf *conf, const char *name)
{
	for (unsigned i = 0; i < conf->functions_count; i++)
		if (conf->functions[i].name && strcmp(conf->functions[i].name, name) == 0)
			return &conf->functions[i];
	return NULL;
}

static void refuse_function(struct reader *reader, const config_setting_t *setting,
			    const char *name)
{
	const struct conf *conf = reader->conf;
	struct nearest nearest;

	nearest_begin(&nearest, name);
	for (unsigned i = 0; i < conf->functions_count; i++)
		if (conf->functions[i].name)
			nearest_offer(&nearest, conf->functions[i].name);
	if (nearest_best(&nearest))
		reader_error(reader, setting,
			     "path: there is no function \"%s\"; did you mean \"%s\"?", name,
			     nearest.best);
	else
		reader_error(reader, setting, "path: there is no function \"%s\"", name);
}

/* One of the two is in the first part of a branch, the other in its second: no request meets
 * both. */
static bool exclude_each_other(const struct conf_chain *chain, unsigned a, unsigned b)
{
	for (unsigned i = 0; i < chain->branches_count; i++) {
		const struct conf_branch *branch = &chain->branches[i];

		if (a >= branch->begin && a < branch->middle && b >= branch->middle &&
		    (b < branch->end || !branch->end))
			return true;
	}
	return false;
}

/* A request would meet the function at `place` twice. */
static bool is_met_before(const struct conf_chain *chain, unsigned place)
{
	for (unsigned i = 0; i < place; i++)
		if (chain->path[i] == chain->path[place] && !exclude_each_other(chain, i, place))
			return true;
	return false;
}

static void read_function(const struct path_reader *p, const config_setting_t *setting)
{
	struct conf_chain *chain = p->chain;
	const char *name = read_text(p->reader, p->key, setting);
	const struct conf_function *function = name ? find_function(p->reader->conf, name) : NULL;

	if (!name)
		return;
	if (!function) {
		refuse_function(p->reader, setting, name);
	} else if (chain->path_length == (unsigned)p->key->max) {
		reader_error(p->reader, setting, "path: there are more than %lld functions",
			     (long long)p->key->max);
	} else {
		chain->path[chain->path_length] = function;
		if (is_met_before(chain, chain->path_length++))
			reader_error(p->reader, setting, "path: function \"%s\" stands there twice",
				     name);
	}
}

/* --- branches ------------------------------------------------------------------------ */

static void read_steps(const struct path_reader *p, const config_setting_t *list);

static void read_part(const struct path_reader *p, const config_setting_t *branch, const char *name)
{
	const config_setting_t *part = config_setting_get_member(branch, name);

	if (part && !setting_is_sequence(part))
		reader_error(p->reader, part, "%s must be a list of functions", name);
	else if (part)
		read_steps(p, part);
}

static void refuse_others(const struct path_reader *p, const config_setting_t *setting)
{
	static const char *const known[] = {"when", "path", "else"};

	for (int i = 0; i < config_setting_length(setting); i++) {
		const config_setting_t *member = config_setting_get_elem(setting, (unsigned)i);
		bool good = false;

		for (unsigned k = 0; k < sizeof(known) / sizeof(known[0]); k++)
			good = good || !strcmp(config_setting_name(member), known[k]);
		if (!good)
			reader_error(p->reader, member,
				     "unknown key \"%s\"; a branch has when, path and else",
				     config_setting_name(member));
	}
}

/* Its `end` stays 0 while the second part is being read: see exclude_each_other. */
static void read_branch(const struct path_reader *p, const config_setting_t *setting)
{
	const config_setting_t *when = config_setting_get_member(setting, "when");
	struct conf_chain *chain = p->chain;
	struct conf_branch *branch = &chain->branches[chain->branches_count];

	refuse_others(p, setting);
	if (!when || !config_setting_is_group(when)) {
		reader_error(p->reader, setting, "a branch needs when = { … }");
		return;
	}
	if (chain->branches_count == BRANCHES_MAX) {
		reader_error(p->reader, setting, "there are more than %d branches", BRANCHES_MAX);
		return;
	}
	chain->branches_count++;
	read_group(p->reader, when, &condition_group, &branch->when);
	branch->begin = branch->middle = chain->path_length;
	read_part(p, setting, "path");
	branch->middle = chain->path_length;
	read_part(p, setting, "else");
	branch->end = chain->path_length;
	if (branch->begin == branch->end)
		reader_error(p->reader, setting, "a branch without functions");
}

static void read_steps(const struct path_reader *p, const config_setting_t *list)
{
	for (int i = 0; i < config_setting_length(list); i++) {
		const config_setting_t *step = config_setting_get_elem(list, (unsigned)i);
		size_t before;

		if (!config_setting_is_group(step)) {
			read_function(p, step);
			continue;
		}
		before = reader_enter(p->reader, step);
		read_branch(p, step);
		reader_leave(p->reader, before);
	}
}

/* --- the path ------------------------------------------------------------------------ */

static void read_path(struct reader *reader, const struct key *key, const config_setting_t *setting,
		      void *field)
{
	struct conf_chain *chain = field;
	struct path_reader p = {.reader = reader, .key = key, .chain = chain};

	if (!setting_is_sequence(setting)) {
		reader_type_error(reader, key, setting, "a list of functions [ \"NAME\", … ]");
		return;
	}
	if (config_setting_length(setting) == 0) {
		reader_error(reader, setting, "%s has 0 functions; it may have %lld to %lld",
			     key->name, (long long)key->min, (long long)key->max);
		return;
	}
	chain->path = conf_arena_alloc(reader->arena, (size_t)key->max, sizeof(const void *));
	chain->branches = conf_arena_alloc(reader->arena, BRANCHES_MAX, sizeof(*chain->branches));
	if (chain->path && chain->branches)
		read_steps(&p, setting);
}

const struct key_type key_path = {"list of functions and branches", read_path};
