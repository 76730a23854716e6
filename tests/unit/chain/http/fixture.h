/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Heads for the codec's tests: a message is cut into runs, each in a block of its own (so that
 * reading beyond one shows), parsed, and written down as text that can be compared.
 */
#ifndef TESTS_UNIT_CHAIN_HTTP_FIXTURE_H
#define TESTS_UNIT_CHAIN_HTTP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "chain/http/head.h"
#include "chain/http/text.h"

#define FIXTURE_RUNS_MAX   2048
#define FIXTURE_SLOT_BYTES 65536
#define FIXTURE_FIELDS     128

/* Text that may hold NUL. */
struct bytes {
	const char *data;
	uint32_t len;
};
#define BYTES(literal)                       \
	{                                    \
		literal, sizeof(literal) - 1 \
	}

/* Edits, one behind the other; what pads them may be anything. */
struct list {
	uint8_t bytes[4096];
	uint32_t len;
};
/* `edit` without its lengths. */
void list_put(struct list *list, struct sluice_edit edit, struct bytes name, struct bytes value);
void list_put_text(struct list *list, uint8_t op, const char *name, const char *value);

struct fixture {
	struct sluice_head *head;
	struct http_head_parser parser;
	struct http_limits limits;
	struct http_memory memory;
	uint8_t *block[FIXTURE_RUNS_MAX];
	struct http_run run[FIXTURE_RUNS_MAX];
	uint32_t runs;
	enum http_head_result result;
	uint64_t taken;
};

struct fixture *fixture_new(void);
void fixture_free(struct fixture *fixture);

/* Each cuts the message anew and parses it. `request_method` >= 0: a response to that. */
enum http_head_result fixture_parse(struct fixture *fixture, struct bytes message,
				    int request_method);
/* Cut before `at`; in one call or in two. */
enum http_head_result fixture_parse_cut(struct fixture *fixture, struct bytes message,
					int request_method, uint32_t at, bool one_call);
/* Runs of `size` bytes. */
enum http_head_result fixture_parse_pieces(struct fixture *fixture, struct bytes message,
					   int request_method, uint32_t size, bool one_call);

/* A request or response that must be right. */
void fixture_request(struct fixture *fixture, const char *message);
void fixture_response(struct fixture *fixture, const char *message, uint8_t request_method);

/* What was parsed, or the error, as text; `out` holds FIXTURE_DUMP bytes. */
#define FIXTURE_DUMP 65536
void fixture_dump(const struct fixture *fixture, char *out);

/* Parses in every way there is to cut it; asserts that all give the same; leaves the last. */
void fixture_parse_all(struct fixture *fixture, struct bytes message, int request_method);

/* "name: value\n" for each field. */
void fixture_fields(const struct fixture *fixture, char *out, size_t size);
bool fixture_text_is(const struct fixture *fixture, struct sluice_text text, const char *expected);

static inline struct http_bytes http_bytes_of(const char *text)
{
	return (struct http_bytes){(const uint8_t *)text, (uint32_t)strlen(text)};
}

#endif
