/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A scenario's text in tokens. Comments are those of C and C++.
 */
#ifndef TESTS_PACKETDRILL_PLAY_LEX_H
#define TESTS_PACKETDRILL_PLAY_LEX_H

#include <stdbool.h>
#include <stdint.h>

enum token_kind {
	TOKEN_END,
	TOKEN_INTEGER,
	TOKEN_FLOAT,
	TOKEN_WORD,
	TOKEN_STRING,
	TOKEN_ELLIPSIS,
	TOKEN_CODE,   /* what stands between %{ and }% */
	TOKEN_OPTION, /* --name */
	TOKEN_PUNCT,
};

struct token {
	enum token_kind kind;
	int line;
	char punct;
	int64_t integer;
	double number; /* of INTEGER too */
	char *text;    /* WORD, STRING, CODE, OPTION */
};

struct lex {
	const char *at;
	int line;
	struct token token; /* the next one */
};

void lex_start(struct lex *lex, const char *text);
void lex_next(struct lex *lex);

bool lex_is(const struct lex *lex, char punct);
bool lex_is_word(const struct lex *lex, const char *word);

/* Takes it if it is the next. */
bool lex_accept(struct lex *lex, char punct);
bool lex_accept_word(struct lex *lex, const char *word);

/* Takes it or fails. */
void lex_expect(struct lex *lex, char punct);
void lex_expect_word(struct lex *lex, const char *word);
int64_t lex_integer(struct lex *lex);
char *lex_word(struct lex *lex);

/* The hexadecimal digits that stand before the next token, which may begin with any of them. */
char *lex_hex_digits(struct lex *lex);

/* Fails: this was not what stands there. */
void lex_unexpected(struct lex *lex, const char *expected) __attribute__((noreturn));

#endif
