/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * %{ assert tcpi_snd_cwnd == 10 }%: what packetdrill gives to Python, as far as scripts use
 * it. Statements stand on lines of their own or have ';' between them:
 *
 *	statement  = "assert" or [ "," anything ]
 *	or         = and { "or" and }
 *	and        = not { "and" not }
 *	not        = [ "not" ] compare
 *	compare    = sum { ( "==" | "!=" | "<=" | ">=" | "<" | ">" ) sum }
 *	sum        = product { ( "+" | "-" | "&" | "|" ) product }
 *	product    = atom { ( "*" | "/" | "%" ) atom }
 *	atom       = number | name | "(" or ")"
 *
 * Names are fields of struct tcp_info and constants. It is looked at when its line is played.
 */
#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/packetdrill/play/names.h"
#include "tests/packetdrill/play/play.h"
#include "tests/packetdrill/play/report.h"

#define TCP_INFO_OPTION 11 /* TCP_INFO: its header has another struct tcp_info */
#define SEEN_BYTES      256

struct code {
	const char *at;
	uint64_t info[INFO_BYTES / 8];
	char seen[SEEN_BYTES]; /* the fields that were looked at, for the report */
};

static int64_t eval_or(struct code *c);

static void skip_space(struct code *c)
{
	while (*c->at == ' ' || *c->at == '\t' || *c->at == '\r')
		c->at++;
}

static bool take(struct code *c, const char *op)
{
	size_t len = strlen(op);

	skip_space(c);
	if (strncmp(c->at, op, len) != 0)
		return false;
	if (isalpha((unsigned char)*op) &&
	    (isalnum((unsigned char)c->at[len]) || c->at[len] == '_'))
		return false;
	c->at += len;
	return true;
}

/* ---- values ---- */

static void note_seen(struct code *c, const char *name, int64_t value)
{
	size_t len = strlen(c->seen);

	snprintf(c->seen + len, sizeof(c->seen) - len, "%s%s = %ld", len ? ", " : "", name,
		 (long)value);
}

static int64_t eval_name(struct code *c)
{
	char name[64];
	size_t len = 0;
	int64_t value;

	while ((isalnum((unsigned char)c->at[len]) || c->at[len] == '_') && len < sizeof(name) - 1)
		len++;
	snprintf(name, sizeof(name), "%.*s", (int)len, c->at);
	c->at += len;
	if (name_info_field(name, c->info, &value))
		note_seen(c, name, value);
	else if (!name_number(name, &value))
		fail("\"%s\" is not known here", len ? name : c->at);
	return value;
}

static int64_t eval_atom(struct code *c)
{
	int64_t value;
	char *end;

	skip_space(c);
	if (take(c, "(")) {
		value = eval_or(c);
		if (!take(c, ")"))
			fail("a ')' is missing");
		return value;
	}
	if (!isdigit((unsigned char)*c->at) && *c->at != '-')
		return eval_name(c);
	value = strtoll(c->at, &end, 0);
	c->at = end;
	return value;
}

static int64_t eval_product(struct code *c)
{
	int64_t value = eval_atom(c);

	for (;;) {
		int64_t other;
		char op = 0;

		skip_space(c);
		if (*c->at == '*' || *c->at == '/' || *c->at == '%')
			op = *c->at++;
		if (!op)
			return value;
		other = eval_atom(c);
		if (op != '*' && other == 0)
			fail("division by zero");
		value = op == '*' ? value * other : op == '/' ? value / other : value % other;
	}
}

static int64_t eval_sum(struct code *c)
{
	int64_t value = eval_product(c);

	for (;;) {
		if (take(c, "+"))
			value += eval_product(c);
		else if (take(c, "-"))
			value -= eval_product(c);
		else if (take(c, "&"))
			value &= eval_product(c);
		else if (take(c, "|"))
			value |= eval_product(c);
		else
			return value;
	}
}

/* 1 <= x <= 2 is what it says, as in Python. */
static int64_t eval_compare(struct code *c)
{
	static const char *const ops[] = {"==", "!=", "<=", ">=", "<", ">"};
	int64_t left = eval_sum(c), all = left;
	bool first = true;

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		int64_t right;
		bool holds;

		if (!take(c, ops[i]))
			continue;
		right = eval_sum(c);
		holds = i == 0   ? left == right
			: i == 1 ? left != right
			: i == 2 ? left <= right
			: i == 3 ? left >= right
			: i == 4 ? left < right
				 : left > right;
		all = holds && (first || all);
		first = false;
		left = right;
		i = (size_t)-1;
	}
	return all;
}

static int64_t eval_not(struct code *c)
{
	bool negate = take(c, "not");
	int64_t value = eval_compare(c);

	return negate ? !value : value;
}

static int64_t eval_and(struct code *c)
{
	int64_t value = eval_not(c);

	while (take(c, "and")) {
		int64_t other = eval_not(c);

		value = value && other;
	}
	return value;
}

static int64_t eval_or(struct code *c)
{
	int64_t value = eval_and(c);

	while (take(c, "or")) {
		int64_t other = eval_and(c);

		value = value || other;
	}
	return value;
}

/* ---- statements ---- */

static void statement(struct code *c)
{
	const char *start = c->at;

	c->seen[0] = '\0';
	if (!take(c, "assert"))
		fail("only \"assert\" is known, not \"%.20s\"", start);
	if (!eval_or(c))
		fail("not so: %.*s\n  got       %s", (int)(c->at - start), start, c->seen);
	if (take(c, ","))
		c->at += strcspn(c->at, ";\n");
}

static void get_info(struct play *play, struct code *c)
{
	socklen_t len = sizeof(c->info);
	int fd = play->subject;

	if (fd <= 0 || fd >= PLAY_FDS || !play->fds[fd].used)
		fail("no connection to look at");
	if (play->stack.getsockopt(play->stack.userdata, play->fds[fd].live, IPPROTO_TCP,
				   TCP_INFO_OPTION, c->info, &len))
		fail("the socket has no TCP_INFO");
}

void play_code(struct play *play, const char *text)
{
	struct code c = {.at = text};

	get_info(play, &c);
	for (;;) {
		skip_space(&c);
		if (*c.at == '\0')
			return;
		if (*c.at == '#')
			c.at += strcspn(c.at, "\n");
		else if (*c.at == '\n' || *c.at == ';')
			c.at++;
		else
			statement(&c);
	}
}
