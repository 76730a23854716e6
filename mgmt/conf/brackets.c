/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Square brackets hold scalars only, says libconfig; whoever puts a group between them means a
 * list. They are made round before the text is parsed: it stays as long as it was, and its lines
 * stay where they were.
 */
#include <string.h>

#include "mgmt/conf/key.h"

#define DEPTH_MAX 64

struct bracket {
	char *at;
	bool holds_more; /* than scalars */
};

struct brackets {
	struct bracket open[DEPTH_MAX];
	unsigned depth;
};

static char *string_end(char *at)
{
	for (at++; *at && *at != '"'; at++)
		if (*at == '\\' && at[1])
			at++;
	return *at ? at : at - 1;
}

static char *comment_end(char *at, const char *closing)
{
	char *end = strstr(at, closing);

	return end ? end + strlen(closing) - 1 : at + strlen(at) - 1;
}

/* The last character of the string or comment that begins at `at`, or `at` itself. */
static char *skip(char *at)
{
	if (*at == '"')
		return string_end(at);
	if (*at == '#' || (at[0] == '/' && at[1] == '/'))
		return comment_end(at, "\n");
	if (at[0] == '/' && at[1] == '*')
		return comment_end(at + 2, "*/");
	return at;
}

static void opened(struct brackets *b, char *at)
{
	if (b->depth > 0 && b->depth <= DEPTH_MAX)
		b->open[b->depth - 1].holds_more = true;
	if (b->depth < DEPTH_MAX)
		b->open[b->depth] = (struct bracket){.at = at};
	b->depth++;
}

static void closed(struct brackets *b, char *at)
{
	const struct bracket *last;

	if (b->depth == 0 || --b->depth >= DEPTH_MAX)
		return;
	last = &b->open[b->depth];
	if (!last->holds_more || *last->at != '[' || *at != ']')
		return;
	*last->at = '(';
	*at = ')';
}

void brackets_relax(char *text)
{
	struct brackets b = {.depth = 0};

	for (char *at = text; *at; at++) {
		at = skip(at);
		if (strchr("[({", *at))
			opened(&b, at);
		else if (strchr("])}", *at))
			closed(&b, at);
	}
}
