/* SPDX-License-Identifier: BSD-3-Clause */
/* Every row of tests/corpus/http_smuggling.tsv, played byte by byte: who sees what. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/chain/engine/bench.h"

#define COLUMNS_MAX 10
#define ROWS_LEAST  400

struct row {
	char *column[COLUMNS_MAX]; /* side, name, rule, outcome, bytes, what is seen … */
	size_t bytes_len;
	unsigned seen; /* columns of it */
};

/* --- reading --------------------------------------------------------------------- */

static char hex_of(const char *digits)
{
	char text[3] = {digits[0], digits[1], '\0'};

	return (char)strtol(text, NULL, 16);
}

/* In place; how many bytes there are then. */
static size_t unescape(char *text)
{
	char *out = text;

	for (const char *in = text; *in;) {
		if (*in != '\\') {
			*out++ = *in++;
			continue;
		}
		switch (in[1]) {
		case 'r':
			*out++ = '\r';
			break;
		case 'n':
			*out++ = '\n';
			break;
		case 't':
			*out++ = '\t';
			break;
		case 'x':
			*out++ = hex_of(in + 2);
			in += 2;
			break;
		default:
			*out++ = in[1];
		}
		in += 2;
	}
	*out = '\0';
	return (size_t)(out - text);
}

/* False: a comment. */
static bool row_parse(char *line, struct row *row)
{
	unsigned n = 0;

	memset(row, 0, sizeof(*row));
	line[strcspn(line, "\n")] = '\0';
	if (line[0] == '#' || line[0] == '\0')
		return false;
	for (char *part = strtok(line, "\t"); part; part = strtok(NULL, "\t")) {
		assert_true(n < COLUMNS_MAX);
		row->column[n++] = part;
	}
	assert_true(n >= 5);
	row->bytes_len = unescape(row->column[4]);
	row->seen = n - 5;
	for (unsigned i = 5; i < n; i++)
		unescape(row->column[i]);
	return true;
}

static bool outcome_is(const struct row *row, const char *outcome)
{
	return strcmp(row->column[3], outcome) == 0;
}

static void hear_status(struct peer *p, const char *status)
{
	char line[32];

	snprintf(line, sizeof(line), "HTTP/1.1 %s ", status);
	head_has(hear_head(p), line);
}

/* --- what clients say ------------------------------------------------------------ */

/* As much of it as was said before the fault was seen, which may be nothing, and then the end. */
static void hear_cut_message(struct peer *o, const char *message)
{
	if (!o && !origin_has_new(0))
		return;
	if (!o)
		o = origin_accept(0);
	until(o->ended || o->closed);
	assert_true(o->in_len <= strlen(message));
	assert_memory_equal(o->in, message, o->in_len);
	o->in_len = 0;
}

static void serve(struct peer *c, struct peer *o, const char *message)
{
	hear(o, message);
	hear_nothing(o, 2);
	say(o, OK(0));
	hear_status(c, "200");
}

/* The connection takes another request, and nothing is left of those before. */
static void probe(struct peer *c, struct peer *o)
{
	say(c, GET("/probe"));
	serve(c, o, GET("/probe"));
}

static void refused(const struct row *row, struct peer *c)
{
	const char *head;
	char line[32];

	snprintf(line, sizeof(line), "HTTP/1.1 %s ", row->column[3]);
	head = hear_head(c);
	head_has(head, line);
	head_has(head, "Connection: close\r\n");
	until(c->ended);
}

static void play_request(const struct row *row)
{
	struct peer *c = client_open(), *o = NULL;

	say_bytes(c, row->column[4], row->bytes_len);
	for (unsigned i = 0; i < row->seen && row->column[5 + i][0] != '~'; i++) {
		if (!o)
			o = origin_accept(0);
		serve(c, o, row->column[5 + i]);
	}
	if (outcome_is(row, "ok"))
		probe(c, o);
	else if (outcome_is(row, "close"))
		hear_end(c);
	else
		refused(row, c);
	if (row->seen && row->column[4 + row->seen][0] == '~')
		hear_cut_message(o, row->column[4 + row->seen] + 1);
	assert_false(origin_has_new(0));
	if (o)
		assert_int_equal(o->in_len, 0);
}

/* --- what origins answer --------------------------------------------------------- */

static void play_answer(const struct row *row)
{
	struct peer *c = client_open(), *o;

	say(c, row->column[0] + 1);
	say(c, " / HTTP/1.1\r\nHost: a\r\n\r\n");
	o = origin_accept(0);
	hear_head(o);
	say_bytes(o, row->column[4], row->bytes_len);
	if (outcome_is(row, "502"))
		hear_status(c, "502");
	else
		hear(c, row->column[5]);
	if (outcome_is(row, "cut")) {
		until(c->ended || c->closed);
		assert_int_equal(c->in_len, row->seen > 1 ? strlen(row->column[6]) : 0);
		return;
	}
	if (outcome_is(row, "502")) {
		until(o->ended || o->closed);
		hear(c, "502 Bad Gateway\n");
	}
	if (outcome_is(row, "ok")) {
		probe(c, o);
		return;
	}
	say(c, GET("/probe"));
	serve(c, origin_accept(0), GET("/probe"));
}

/* --- all of it ------------------------------------------------------------------- */

static void play(const struct row *row)
{
	static const struct options plain;

	print_message("%s\n", row->column[1]);
	bench_open(&plain);
	if (row->column[0][0] == '>')
		play_request(row);
	else
		play_answer(row);
	bench_close();
}

static void test_corpus(void **state)
{
	FILE *file = fopen(CORPUS, "r");
	size_t size = 0, rows = 0;
	char *line = NULL;
	struct row row;

	(void)state;
	assert_non_null(file);
	while (getline(&line, &size, file) > 0) {
		if (!row_parse(line, &row))
			continue;
		play(&row);
		rows++;
	}
	free(line);
	fclose(file);
	assert_true(rows >= ROWS_LEAST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_corpus),
	};

	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
