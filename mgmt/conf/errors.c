/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The list of what is wrong. It is kept in the order a person reads the files: errors of
 * one file together, by line.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/conf/conf.h"

static unsigned kept(const struct conf_errors *errors)
{
	return errors->count < CONF_ERRORS_MAX ? errors->count : CONF_ERRORS_MAX;
}

/* The line of an error that was kept, or -1 when it is about another file. */
static long line_in(const char *text, const char *file)
{
	size_t len = strlen(file);

	if (strncmp(text, file, len) != 0 || text[len] != ':')
		return -1;
	return strtol(text + len + 1, NULL, 10);
}

/* Behind all errors of the same file that stand at or above this line. */
static unsigned slot_of(const struct conf_errors *errors, const char *file, unsigned line)
{
	unsigned n = kept(errors), slot = n;
	bool seen = false;

	for (unsigned i = 0; i < n; i++) {
		long there = line_in(errors->text[i], file);

		if (there > (long)line)
			return i;
		if (there >= 0) {
			seen = true;
			slot = i + 1;
		} else if (seen) {
			return slot;
		}
	}
	return slot;
}

static void insert(struct conf_errors *errors, unsigned slot, char *text)
{
	unsigned n = kept(errors);

	errors->count++;
	if (slot >= CONF_ERRORS_MAX) {
		free(text);
		return;
	}
	if (n == CONF_ERRORS_MAX)
		free(errors->text[--n]);
	memmove(&errors->text[slot + 1], &errors->text[slot], (n - slot) * sizeof(*errors->text));
	errors->text[slot] = text;
}

void conf_error(struct conf_errors *errors, const struct conf_place *place, const char *format, ...)
{
	unsigned line = place->line ? place->line : 1;
	char *what = NULL, *text = NULL;
	va_list ap;
	int written;

	va_start(ap, format);
	written = vasprintf(&what, format, ap);
	va_end(ap);
	if (written < 0)
		what = NULL;
	written = asprintf(&text, "%s:%u: %s", place->file, line, what ? what : "out of memory");
	free(what);
	if (written >= 0)
		insert(errors, slot_of(errors, place->file, line), text);
}

void conf_errors_clear(struct conf_errors *errors)
{
	unsigned n = kept(errors);

	for (unsigned i = 0; i < n; i++)
		free(errors->text[i]);
	*errors = (struct conf_errors){0};
}
