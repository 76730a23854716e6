/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/packetdrill/play/lex.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "tests/packetdrill/play/report.h"

/* ---- between tokens ---- */

static void skip_to(struct lex *lex, const char *end)
{
	const char *stop = strstr(lex->at, end);

	if (!stop)
		fail("\"%s\" is missing", end);
	for (; lex->at < stop; lex->at++)
		lex->line += *lex->at == '\n';
	lex->at += strlen(end);
	lex->line += *end == '\n';
}

static void skip_space(struct lex *lex)
{
	for (;;) {
		if (isspace((unsigned char)*lex->at))
			lex->line += *lex->at++ == '\n';
		else if (!strncmp(lex->at, "//", 2))
			skip_to(lex, "\n");
		else if (!strncmp(lex->at, "/*", 2))
			skip_to(lex, "*/");
		else
			return;
	}
}

/* ---- one token ---- */

static char *copy(const char *from, size_t len)
{
	char *text = keep(len + 1);

	memcpy(text, from, len);
	return text;
}

static bool starts_number(const char *p)
{
	if (*p == '-')
		p++;
	return isdigit((unsigned char)*p) || (*p == '.' && isdigit((unsigned char)p[1]));
}

static void take_number(struct lex *lex)
{
	struct token *t = &lex->token;
	char *end, *digits;

	t->kind = TOKEN_INTEGER;
	t->integer = strtoll(lex->at, &end, !strncmp(lex->at, "0x", 2) ? 16 : 10);
	t->number = (double)t->integer;
	if (*end == '.' && isdigit((unsigned char)end[1])) {
		strtoll(end + 1, &digits, 10);
		t->kind = TOKEN_FLOAT;
		t->number = strtod(lex->at, NULL);
		end = digits;
	}
	lex->at = end;
}

static bool is_word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static void take_word(struct lex *lex, enum token_kind kind)
{
	size_t len = 0;

	while (is_word_char(lex->at[len]))
		len++;
	lex->token.kind = kind;
	lex->token.text = copy(lex->at, len);
	lex->at += len;
}

static void take_until(struct lex *lex, enum token_kind kind, const char *end)
{
	const char *start = lex->at;

	skip_to(lex, end);
	lex->token.kind = kind;
	lex->token.text = copy(start, (size_t)(lex->at - start) - strlen(end));
}

static void take_token(struct lex *lex)
{
	if (!*lex->at) {
		lex->token.kind = TOKEN_END;
	} else if (!strncmp(lex->at, "...", 3)) {
		lex->token.kind = TOKEN_ELLIPSIS;
		lex->at += 3;
	} else if (starts_number(lex->at)) {
		take_number(lex);
	} else if (is_word_char(*lex->at)) {
		take_word(lex, TOKEN_WORD);
	} else if (!strncmp(lex->at, "--", 2)) {
		lex->at += 2;
		take_word(lex, TOKEN_OPTION);
	} else if (!strncmp(lex->at, "%{", 2)) {
		lex->at += 2;
		take_until(lex, TOKEN_CODE, "}%");
	} else if (*lex->at == '"') {
		lex->at++;
		take_until(lex, TOKEN_STRING, "\"");
	} else {
		lex->token.kind = TOKEN_PUNCT;
		lex->token.punct = *lex->at++;
	}
}

void lex_next(struct lex *lex)
{
	report.line = lex->line;
	skip_space(lex);
	lex->token = (struct token){.line = lex->line};
	take_token(lex);
}

void lex_start(struct lex *lex, const char *text)
{
	*lex = (struct lex){.at = text, .line = 1};
	lex_next(lex);
}

/* ---- asking ---- */

void lex_unexpected(struct lex *lex, const char *expected)
{
	static const char *const kinds[] = {"the end",  "a number", "a number", "",
					    "a string", "...",      "code",     "an option"};
	const struct token *t = &lex->token;

	report.line = t->line;
	if (t->kind == TOKEN_PUNCT)
		fail("expected %s, not '%c'", expected, t->punct);
	if (t->kind == TOKEN_WORD)
		fail("expected %s, not \"%s\"", expected, t->text);
	fail("expected %s, not %s", expected, kinds[t->kind]);
}

bool lex_is(const struct lex *lex, char punct)
{
	return lex->token.kind == TOKEN_PUNCT && lex->token.punct == punct;
}

bool lex_is_word(const struct lex *lex, const char *word)
{
	return lex->token.kind == TOKEN_WORD && !strcmp(lex->token.text, word);
}

bool lex_accept(struct lex *lex, char punct)
{
	bool is = lex_is(lex, punct);

	if (is)
		lex_next(lex);
	return is;
}

bool lex_accept_word(struct lex *lex, const char *word)
{
	bool is = lex_is_word(lex, word);

	if (is)
		lex_next(lex);
	return is;
}

void lex_expect(struct lex *lex, char punct)
{
	const char expected[] = {'\'', punct, '\'', 0};

	if (!lex_accept(lex, punct))
		lex_unexpected(lex, expected);
}

void lex_expect_word(struct lex *lex, const char *word)
{
	if (!lex_accept_word(lex, word))
		lex_unexpected(lex, word);
}

int64_t lex_integer(struct lex *lex)
{
	int64_t v = lex->token.integer;

	if (lex->token.kind != TOKEN_INTEGER)
		lex_unexpected(lex, "a whole number");
	lex_next(lex);
	return v;
}

char *lex_word(struct lex *lex)
{
	char *text = lex->token.text;

	if (lex->token.kind != TOKEN_WORD)
		lex_unexpected(lex, "a word");
	lex_next(lex);
	return text;
}

char *lex_hex_digits(struct lex *lex)
{
	const char *start;
	char *text;

	skip_space(lex);
	start = lex->at;
	while (isxdigit((unsigned char)*lex->at))
		lex->at++;
	text = copy(start, (size_t)(lex->at - start));
	lex_next(lex);
	return text;
}
