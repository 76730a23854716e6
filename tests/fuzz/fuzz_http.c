/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target of the HTTP codec: one message, parsed whole and parsed in pieces, must give
 * the same head or the same error, and the same body; what is written must be read again and
 * written the same; an edit list is applied whole or not at all.
 *
 * Input: a byte of flags, the size of the pieces, the length of the edit list at the end (in
 * units of 4 bytes), then the message.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "chain/http/body.h"
#include "chain/http/edit.h"
#include "chain/http/head.h"
#include "chain/http/write.h"
#include "tests/fuzz/input.h"

#define RUNS_MAX   4096
#define SLOT_BYTES 32768
#define OUT_BYTES  65536

struct parsed {
	_Alignas(8) uint8_t slot[SLOT_BYTES];
	struct sluice_head *head;
	struct http_head_parser parser;
	enum http_head_result result;
	uint64_t taken;
	uint8_t text[OUT_BYTES]; /* the head, written */
	int text_len;
};

/* References are offsets in the input. */
static const uint8_t *at(void *ctx, uint64_t ref)
{
	return (const uint8_t *)ctx + ref;
}

static void parse(struct parsed *parsed, const uint8_t *data, uint32_t size, uint32_t piece,
		  bool response)
{
	static struct http_run runs[RUNS_MAX];
	const struct http_limits limits = HTTP_LIMITS_DEFAULT;
	uint32_t n = 0;

	for (uint32_t i = 0; i < size && n < RUNS_MAX; i += piece)
		runs[n++] = (struct http_run){data + i, size - i < piece ? size - i : piece, i};
	parsed->head = (struct sluice_head *)parsed->slot;
	expect(http_head_init(parsed->head, UINT64_C(1) << 40, SLOT_BYTES, 110) == 0);
	http_head_reset(&parsed->parser, response, SLUICE_METHOD_GET);
	parsed->result =
		http_head_feed(&parsed->parser, &limits, runs, n, parsed->head, &parsed->taken);
}

static void write_head(struct parsed *parsed, const struct http_memory *memory)
{
	struct http_write how = {.framing = HTTP_BODY_LENGTH,
				 .length = 5,
				 .connection = HTTP_CONNECTION_UPGRADE,
				 .host = {(const uint8_t *)"h", 1}};
	uint32_t bound = http_write_bound(parsed->head, &how);

	expect(bound <= OUT_BYTES);
	parsed->text_len =
		parsed->head->response
			? http_write_response(parsed->head, memory, &how, parsed->text, bound)
			: http_write_request(parsed->head, memory, &how, parsed->text, bound);
	expect(parsed->text_len > 0);
}

static void expect_same(const struct parsed *a, const struct parsed *b)
{
	expect(a->result == b->result && a->parser.error == b->parser.error);
	if (a->result != HTTP_HEAD_DONE)
		return;
	expect(a->taken == b->taken && a->head->fields == b->head->fields);
	expect(memcmp(a->head->first, b->head->first, sizeof a->head->first) == 0);
	expect(a->text_len == b->text_len && memcmp(a->text, b->text, (size_t)a->text_len) == 0);
}

/* What we write is strict, and says the same when it is written once more. */
static void round_trip(const struct parsed *parsed)
{
	static struct parsed again;
	struct http_memory memory = {at, (void *)(uintptr_t)parsed->text};
	struct http_framing framing;

	parse(&again, parsed->text, (uint32_t)parsed->text_len, (uint32_t)parsed->text_len,
	      parsed->head->response);
	if (again.result == HTTP_HEAD_BAD) /* three fields more than came, and no longer a limit */
		expect(again.parser.error == HTTP_ERROR_HEAD_FIELDS ||
		       again.parser.error == HTTP_ERROR_HEAD_BYTES);
	if (again.result != HTTP_HEAD_DONE)
		return;
	expect(again.taken == (uint64_t)parsed->text_len);
	if (parsed->head->response)
		expect(http_framing_response(again.head, &memory, &framing) == HTTP_OK);
	else if (parsed->head->method != SLUICE_METHOD_CONNECT &&
		 parsed->head->method != SLUICE_METHOD_TRACE)
		(void)!http_framing_request(again.head, &memory, &framing);
	write_head(&again, &memory);
	expect(again.text_len == parsed->text_len &&
	       memcmp(again.text, parsed->text, (size_t)again.text_len) == 0);
}

static void edit(struct parsed *parsed, const struct http_memory *memory, const uint8_t *edits,
		 uint32_t len)
{
	static uint8_t before[SLOT_BYTES];
	enum http_error error;

	memcpy(before, parsed->slot, SLOT_BYTES);
	if (http_edits_apply(parsed->head, memory, edits, len, &error) != 0) {
		expect(error != HTTP_OK);
		expect(memcmp(before, parsed->slot, SLOT_BYTES) == 0);
		return;
	}
	write_head(parsed, memory);
	round_trip(parsed);
}

struct decoded {
	struct http_body body;
	uint8_t trailers[512];
	uint8_t payload[OUT_BYTES];
	uint32_t taken;
	uint8_t last;
};

static void decode_piece(struct decoded *decoded, const uint8_t *data, uint32_t len)
{
	struct http_body_step step;

	do {
		http_body_next(&decoded->body, data, len, &step);
		expect(step.bytes <= len);
		if (step.kind == HTTP_BODY_DATA)
			memcpy(decoded->payload + decoded->body.payload - step.bytes, data,
			       step.bytes);
		data += step.bytes;
		len -= step.bytes;
		decoded->taken += step.bytes;
	} while (step.kind == HTTP_BODY_SKIP || step.kind == HTTP_BODY_DATA);
	decoded->last = step.kind;
}

static void decode(struct decoded *decoded, const struct http_framing *framing, const uint8_t *data,
		   uint32_t size, uint32_t piece)
{
	const struct http_limits limits = {.max_extension_bytes = 64};

	decoded->taken = 0;
	http_body_init(&decoded->body, framing, &limits, decoded->trailers,
		       sizeof decoded->trailers);
	decode_piece(decoded, data, 0);
	for (uint32_t i = 0; i < size && decoded->last == HTTP_BODY_MORE; i += piece)
		decode_piece(decoded, data + i, size - i < piece ? size - i : piece);
}

static void check_body(const struct http_framing *framing, const uint8_t *data, uint32_t size,
		       uint32_t piece)
{
	static struct decoded whole, pieces;

	decode(&whole, framing, data, size, size > 0 ? size : 1);
	decode(&pieces, framing, data, size, piece);
	expect(whole.last == pieces.last && whole.body.error == pieces.body.error);
	expect(whole.body.payload == pieces.body.payload);
	expect(memcmp(whole.payload, pieces.payload, whole.body.payload) == 0);
	expect(whole.last == HTTP_BODY_BAD || whole.taken == pieces.taken);
	expect(whole.body.trailers_len == pieces.body.trailers_len);
}

static void check_message(struct parsed *parsed, const struct http_memory *memory,
			  const uint8_t *data, uint32_t size, uint32_t piece)
{
	struct http_framing framing;
	enum http_error error = parsed->head->response
					? http_framing_response(parsed->head, memory, &framing)
					: http_framing_request(parsed->head, memory, &framing);

	if (error != HTTP_OK)
		return;
	write_head(parsed, memory);
	round_trip(parsed);
	check_body(&framing, data + parsed->taken, size - (uint32_t)parsed->taken, piece);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct parsed whole, pieces;
	struct http_memory memory = {at, NULL};
	uint32_t len, edits, piece;
	bool response;

	if (size < 3 || size > RUNS_MAX)
		return 0;
	response = (data[0] & 1) != 0;
	piece = data[1] % 64 + 1;
	len = (uint32_t)size - 3;
	edits = data[2] * 4u < len ? data[2] * 4u : len;
	len -= edits;
	data += 3;
	memory.ctx = (void *)(uintptr_t)data;
	parse(&whole, data, len, len > 0 ? len : 1, response);
	parse(&pieces, data, len, piece, response);
	if (whole.result == HTTP_HEAD_DONE && pieces.result == HTTP_HEAD_DONE) {
		write_head(&whole, &memory);
		write_head(&pieces, &memory);
	}
	expect_same(&whole, &pieces);
	if (whole.result != HTTP_HEAD_DONE)
		return 0;
	check_message(&pieces, &memory, data, len, piece);
	edit(&pieces, &memory, data + len, edits);
	return 0;
}
