/* SPDX-License-Identifier: BSD-3-Clause */
/* A file of rules, one in each line: NAME ACTION[=VALUE] [level=N] WHERE[:NAME] PATTERN */
#include "nf/filter/filter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nf/common/answer.h"
#include "nf/common/read.h"

#define FILE_BYTES_MAX (4 << 20)
#define PLACE_BYTES    300

struct line {
	struct filter *filter;
	const struct sluice_conf *config;
	char place[PLACE_BYTES];
	char *rest;
};

static int refuse(const struct line *line, const char *what, const char *word)
{
	return sluice_conf_error_key(line->config, "rules_file", "%s%s \"%s\"", line->place, what,
				     word);
}

/* The next word; "" at the end. */
static char *take(struct line *line)
{
	char *word = line->rest + strspn(line->rest, " \t");
	size_t len = strcspn(word, " \t");

	line->rest = word + len;
	if (*line->rest)
		*line->rest++ = '\0';
	return word;
}

/* Cuts `word` at `mark`; what follows it, or NULL. */
static char *cut(char *word, char mark)
{
	char *at = strchr(word, mark);

	if (!at)
		return NULL;
	*at = '\0';
	return at + 1;
}

static int number(const struct line *line, const char *text, long min, long max, long *out)
{
	char *end;

	*out = strtol(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && *out >= min && *out <= max)
		return 0;
	return refuse(line, "not a number that may stand here:", text);
}

/* --- the action ------------------------------------------------------------------------ */

static int take_value(const struct line *line, const char *value, struct filter_rule *rule)
{
	long n = rule->status;
	int err = 0;

	switch (rule->action) {
	case FILTER_DENY:
		err = value ? number(line, value, 400, 599, &n) : 0;
		rule->status = (uint16_t)n;
		rule->body = sluice_str(answer_reason(rule->status));
		return err;
	case FILTER_SCORE:
		err = number(line, value ? value : "", 1, 1000000, &n);
		rule->score = (uint32_t)n;
		return err;
	case FILTER_TAG:
		rule->tag = value;
		return value && !read_is_token(value) ? refuse(line, "not a tag:", value) : 0;
	default:
		return value ? refuse(line, "no value may stand here:", value) : 0;
	}
}

static int take_action(struct line *line, struct filter_rule *rule)
{
	static const char *const names[] = {"allow", "deny", "tag", "log", "score"};
	char *word = take(line), *value = cut(word, '=');

	rule->status = 403;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); ++i)
		if (strcmp(word, names[i]) == 0) {
			rule->action = (uint8_t)i;
			return take_value(line, value, rule);
		}
	return refuse(line, "not an action:", word);
}

/* --- where ------------------------------------------------------------------------------ */

static int set_name(const struct line *line, const char *name, struct filter_check *check)
{
	bool named = check->where == FILTER_ARG || check->where == FILTER_HEADER ||
		     check->where == FILTER_COOKIE;

	if (name && (!named || !name[0]))
		return refuse(line, "no name may stand here:", name);
	if (name && check->where == FILTER_HEADER && !read_is_token(name))
		return refuse(line, "not a field name:", name);
	check->name = name;
	if (name && check->where == FILTER_HEADER)
		check->field = field_name_of(name);
	return 0;
}

static int take_where(struct line *line, char *word, struct filter_check *check)
{
	static const char *const names[] = {
		[FILTER_PATH] = "path", [FILTER_TARGET] = "target", [FILTER_RAW] = "raw",
		[FILTER_ARG] = "arg",   [FILTER_HEADER] = "header", [FILTER_COOKIE] = "cookie",
		[FILTER_BODY] = "body",
	};
	char *name = cut(word, ':');

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); ++i)
		if (strcmp(word, names[i]) == 0) {
			check->where = i;
			return set_name(line, name, check);
		}
	return refuse(line, "not a place to look at:", word);
}

static int take_check(struct line *line, struct filter_rule *rule)
{
	struct filter_check *check = pool_alloc(&line->filter->pool, 1, sizeof(*check));
	char *word = take(line);
	long level = 1;
	int err = 0;

	if (!check)
		return -ENOMEM;
	if (strncmp(word, "level=", 6) == 0) {
		err = number(line, word + 6, 1, FILTER_LEVELS, &level);
		word = take(line);
	}
	rule->level = (uint8_t)level;
	if (!err)
		err = take_where(line, word, check);
	if (err)
		return err;
	rule->check = check;
	rule->checks = 1;
	line->rest += strspn(line->rest, " \t");
	if (!line->rest[0])
		return refuse(line, "a pattern must follow", word);
	if (!pattern_compile(line->filter->patterns, line->config, line->rest, 0, &check->match))
		return 0;
	return refuse(line, "the pattern is refused:", line->rest);
}

/* --- lines ------------------------------------------------------------------------------ */

static int read_line(struct line *line)
{
	struct filter *filter = line->filter;
	struct filter_rule *rule = &filter->rules[filter->rules_count];
	int err;

	line->rest += strspn(line->rest, " \t");
	line->rest[strcspn(line->rest, "\r")] = '\0';
	if (line->rest[0] == '\0' || line->rest[0] == '#')
		return 0;
	rule->when.from_any = true;
	rule->name = take(line);
	err = take_action(line, rule);
	if (!err)
		err = take_check(line, rule);
	if (!err)
		err = filter_rule_check(filter, line->config, line->place, rule);
	++filter->rules_count;
	return err;
}

int filter_lines_read(struct filter *filter, const struct sluice_conf *config, char *text)
{
	struct line line = {.filter = filter, .config = config};
	const char *file;
	int errors = sluice_conf_string(config, "rules_file", "", &file);

	for (unsigned n = 1; (line.rest = strsep(&text, "\n")); ++n) {
		snprintf(line.place, sizeof(line.place), "%s:%u: ", file, n);
		errors |= read_line(&line);
	}
	return errors ? -EINVAL : 0;
}

static unsigned count_lines(const char *text)
{
	unsigned lines = 1;

	while ((text = strchr(text, '\n'))) {
		++lines;
		++text;
	}
	return lines;
}

int filter_lines_load(struct filter *filter, const struct sluice_conf *config, char **text,
		      unsigned *lines)
{
	const char *file;
	FILE *stream;
	size_t len;
	int err = sluice_conf_string(config, "rules_file", NULL, &file);

	*text = NULL;
	*lines = 0;
	if (err || !file)
		return err;
	stream = fopen(file, "re");
	if (!stream)
		return sluice_conf_error_key(config, "rules_file", "%s: %s", file, strerror(errno));
	*text = pool_alloc(&filter->pool, FILE_BYTES_MAX, 1);
	len = *text ? fread(*text, 1, FILE_BYTES_MAX, stream) : 0;
	fclose(stream);
	if (!*text)
		return -ENOMEM;
	if (len == FILE_BYTES_MAX || memchr(*text, '\0', len))
		return sluice_conf_error_key(config, "rules_file", "%s is no file of rules", file);
	*lines = count_lines(*text);
	return 0;
}
