/* SPDX-License-Identifier: BSD-3-Clause */
/* Words from the command line: to the plugin's hook, and what it answers as JSON. */
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nf/sdk/core.h"

#define ROW_BYTES 2 /* of a row, and of a value, besides their texts */

struct sluice_command {
	const char *words;
	unsigned words_count;
	json_t *rows;
	json_t *row;  /* the one that is being filled; NULL: the next value begins one */
	size_t bytes; /* of the rows as text, at most */
	char error[SLUICE_HOST_TEXT_MAX];
};

/* --- words ------------------------------------------------------------------------- */

unsigned sluice_words(const struct sluice_command *c)
{
	return c->words_count;
}

const char *sluice_word(const struct sluice_command *c, unsigned i)
{
	const char *word = c->words;

	if (i >= c->words_count)
		return "";
	while (i--)
		word += strlen(word) + 1;
	return word;
}

static unsigned count_words(const char *words, size_t bytes)
{
	unsigned count = 0;

	for (size_t i = 0; i < bytes; i++)
		count += words[i] == '\0';
	return count;
}

/* --- the answer -------------------------------------------------------------------- */

static size_t bytes_of(const json_t *value)
{
	return json_dumpb(value, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY);
}

/* Within the bound, whatever the plugin says. */
static int count_bytes(struct sluice_command *c, const char *name, const json_t *value)
{
	json_t *key = json_string(name);
	size_t more = bytes_of(value) + ROW_BYTES + (c->row ? 0 : ROW_BYTES + 1);

	if (!key)
		return -EINVAL;
	more += bytes_of(key);
	json_decref(key);
	if (more > SLUICE_HOST_ANSWER_MAX - c->bytes)
		return -ENOSPC;
	c->bytes += more;
	return 0;
}

static int row_begin(struct sluice_command *c)
{
	json_t *row = json_object();

	if (json_array_append_new(c->rows, row))
		return -ENOMEM;
	c->row = row;
	return 0;
}

/* Takes over `value`; NULL: it could not be made. */
static int row_add(struct sluice_command *c, const char *name, json_t *value)
{
	int rc = value ? count_bytes(c, name, value) : -EINVAL;

	if (!rc && !c->row)
		rc = row_begin(c);
	if (rc)
		json_decref(value);
	else if (json_object_set_new(c->row, name, value))
		rc = -ENOMEM;
	return rc;
}

int sluice_row_text(struct sluice_command *c, const char *name, struct sluice_str value)
{
	return row_add(c, name, json_stringn(value.ptr, value.len));
}

int sluice_row_number(struct sluice_command *c, const char *name, int64_t value)
{
	return row_add(c, name, json_integer(value));
}

void sluice_row_end(struct sluice_command *c)
{
	c->row = NULL;
}

int sluice_refuse(struct sluice_command *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(c->error, sizeof(c->error), format, args);
	va_end(args);
	return -EINVAL;
}

/* --- for the embedder -------------------------------------------------------------- */

static int run(struct sluice_nf *nf, struct sluice_command *c)
{
	int rc;

	if (!nf->hooks.command)
		return sluice_refuse(c, "takes no commands");
	rc = nf->hooks.command(nf, c);
	if (rc && !c->error[0])
		sluice_refuse(c, "%s", rc < 0 ? strerror(-rc) : "no reason given");
	return rc ? -EINVAL : 0;
}

int nf_command(struct sluice_nf *nf, const char *words, size_t bytes, char **answer)
{
	struct sluice_command c = {.words = words, .rows = json_array()};
	int rc;

	*answer = NULL;
	if (!c.rows || !bytes || words[bytes - 1] != '\0') {
		json_decref(c.rows);
		return -EINVAL;
	}
	c.bytes = ROW_BYTES;
	c.words_count = count_words(words, bytes);
	rc = run(nf, &c);
	*answer = rc ? strdup(c.error) : json_dumps(c.rows, JSON_COMPACT);
	json_decref(c.rows);
	return rc;
}
