/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls: name(arguments) = result ERROR (words that are not read).
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "tests/packetdrill/play/lex.h"
#include "tests/packetdrill/play/names.h"
#include "tests/packetdrill/play/report.h"
#include "tests/packetdrill/play/script.h"

static struct value *parse_value(struct lex *lex);

static struct value *value_new(enum value_kind kind)
{
	struct value *value = keep(sizeof(*value));

	value->kind = kind;
	return value;
}

static void grow(struct value *list, char *name, struct value *item)
{
	struct value **items = keep((list->count + 1) * sizeof(*items));
	char **names = keep((list->count + 1) * sizeof(*names));

	if (list->count) {
		memcpy(items, list->items, list->count * sizeof(*items));
		memcpy(names, list->names, list->count * sizeof(*names));
	}
	items[list->count] = item;
	names[list->count++] = name;
	list->items = items;
	list->names = names;
}

static struct value *parse_list(struct lex *lex, char close)
{
	struct value *list = value_new(VALUE_LIST);

	while (!lex_accept(lex, close)) {
		grow(list, NULL, parse_value(lex));
		if (!lex_is(lex, close))
			lex_expect(lex, ',');
	}
	return list;
}

/* {name=value, ...}; packetdrill's {..., 1000} of an iovec has no names. */
static struct value *parse_record(struct lex *lex)
{
	struct value *record = value_new(VALUE_RECORD);

	while (!lex_accept(lex, '}')) {
		char *name = NULL;

		if (lex->token.kind == TOKEN_WORD) {
			name = lex_word(lex);
			lex_expect(lex, '=');
		}
		grow(record, name, parse_value(lex));
		if (!lex_is(lex, '}'))
			lex_expect(lex, ',');
	}
	return record;
}

/* htons(8080) and inet_addr("192.0.2.1") stand for what is in them. */
static struct value *parse_word(struct lex *lex)
{
	struct value *value = value_new(VALUE_NUMBER);
	char *word = lex_word(lex);

	if (lex_accept(lex, '(')) {
		value = parse_value(lex);
		lex_expect(lex, ')');
	} else if (!name_number(word, &value->number)) {
		fail("\"%s\" is not known", word);
	}
	return value;
}

static struct value *parse_one(struct lex *lex)
{
	struct value *value;

	if (lex->token.kind == TOKEN_ELLIPSIS) {
		lex_next(lex);
		return value_new(VALUE_ANY);
	}
	if (lex->token.kind == TOKEN_WORD)
		return parse_word(lex);
	if (lex->token.kind == TOKEN_STRING) {
		value = value_new(VALUE_STRING);
		value->text = lex->token.text;
		lex_next(lex);
		return value;
	}
	if (lex_accept(lex, '['))
		return parse_list(lex, ']');
	if (lex_accept(lex, '{'))
		return parse_record(lex);
	value = value_new(VALUE_NUMBER);
	value->number = lex_integer(lex);
	return value;
}

static struct value *parse_value(struct lex *lex)
{
	struct value *value = parse_one(lex);

	while (lex_accept(lex, '|')) {
		struct value *other = parse_one(lex);

		if (value->kind != VALUE_NUMBER || other->kind != VALUE_NUMBER)
			fail("only numbers can be joined with '|'");
		value->number |= other->number;
	}
	return value;
}

/* (Operation now in progress) */
static void skip_note(struct lex *lex)
{
	if (!lex_accept(lex, '('))
		return;
	while (!lex_accept(lex, ')')) {
		if (lex->token.kind == TOKEN_END)
			lex_unexpected(lex, "')'");
		lex_next(lex);
	}
}

struct call *call_parse(struct lex *lex)
{
	struct call *call = keep(sizeof(*call));

	if (lex->token.kind == TOKEN_ELLIPSIS) {
		lex_next(lex);
		call->blocks = true;
		call->end_s = lex->token.number;
		if (lex->token.kind != TOKEN_INTEGER && lex->token.kind != TOKEN_FLOAT)
			lex_unexpected(lex, "the time when the call ends");
		lex_next(lex);
	}
	call->name = lex_word(lex);
	lex_expect(lex, '(');
	call->args = parse_list(lex, ')');
	lex_expect(lex, '=');
	call->result = parse_value(lex);
	if (lex->token.kind == TOKEN_WORD)
		call->error = lex_word(lex);
	skip_note(lex);
	return call;
}
