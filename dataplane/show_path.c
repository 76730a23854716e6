/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/show_path.h"

#include <stdio.h>

#include "dataplane/rows.h"

#define PATH_TEXT_MAX 2048

struct path_text {
	const struct conf_chain *chain;
	char text[PATH_TEXT_MAX];
	size_t used;
	unsigned branch; /* the next one */
};

static void put(struct path_text *p, const char *text)
{
	int n = snprintf(p->text + p->used, sizeof(p->text) - p->used, "%s", text);

	if (n > 0 && p->used + (size_t)n < sizeof(p->text))
		p->used += (size_t)n;
}

static void put_pair(struct path_text *p, const char *what, const char *value)
{
	if (!value)
		return;
	put(p, " ");
	put(p, what);
	put(p, " ");
	put(p, value);
}

static void put_condition(struct path_text *p, const struct conf_condition *when)
{
	put_pair(p, "path", when->path);
	put_pair(p, "host", when->host);
	put_pair(p, "method", when->method);
	put_pair(p, "header", when->header);
	put_pair(p, "value", when->value);
}

static unsigned put_step(struct path_text *p, unsigned at);

static void put_steps(struct path_text *p, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to;) {
		put(p, i == from ? " " : ", ");
		i = put_step(p, i);
	}
}

static unsigned put_branch(struct path_text *p)
{
	const struct conf_branch *branch = &p->chain->branches[p->branch++];

	put(p, "{");
	put_condition(p, &branch->when);
	put(p, ":");
	put_steps(p, branch->begin, branch->middle);
	if (branch->end > branch->middle) {
		put(p, " | else:");
		put_steps(p, branch->middle, branch->end);
	}
	put(p, " }");
	return branch->end;
}

/* A function, or a branch that begins there; returns what comes after it. */
static unsigned put_step(struct path_text *p, unsigned at)
{
	if (p->branch < p->chain->branches_count && p->chain->branches[p->branch].begin == at)
		return put_branch(p);
	put(p, p->chain->path[at]->name);
	return at + 1;
}

struct view_texts show_path(struct rows *rows, const struct conf_chain *chain)
{
	const char **list = rows_texts(rows, chain->path_length);
	struct path_text p = {.chain = chain};
	unsigned count = 0;

	for (unsigned i = 0; list && i < chain->path_length;) {
		p.used = 0;
		i = put_step(&p, i);
		list[count++] = rows_text(rows, "%s", p.text);
	}
	return (struct view_texts){list, count};
}
