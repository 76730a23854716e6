/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * http_judge: what the codec makes of a client's bytes. Reads inputs (a length of 4 bytes, little
 * endian, then the bytes) until the end of stdin, and writes a line of JSON for each:
 *
 *    {"messages": [{"method", "target", "fields": [[name, value] …], "body", "whole"} …],
 *     "end": "more" | "closed" | the counter of an error}
 *
 * Bytes are written as Latin-1, so that any byte can be. The target is as it came.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/http/body.h"
#include "chain/http/framing.h"
#include "chain/http/head.h"
#include "chain/http/text.h"

#define INPUT_MAX     (1u << 20)
#define SLOT_BYTES    65536
#define TRAILER_BYTES 1024

struct judge {
	uint8_t input[INPUT_MAX];
	uint32_t len, at;
	_Alignas(8) uint8_t slot[SLOT_BYTES];
	uint8_t trailers[TRAILER_BYTES];
	struct http_memory memory;
	json_t *messages;
};

/* References: 0 and on are the input, SLOT_REF and on the slot. */
#define SLOT_REF (UINT64_C(1) << 32)

static const uint8_t *memory_at(void *ctx, uint64_t ref)
{
	const struct judge *judge = ctx;

	return ref >= SLOT_REF ? judge->slot + (ref - SLOT_REF) : judge->input + ref;
}

static json_t *latin1(const uint8_t *bytes, size_t len)
{
	char *text = malloc(2 * len + 1);
	size_t n = 0;
	json_t *json;

	for (size_t i = 0; text && i < len; i++) {
		if (bytes[i] < 0x80) {
			text[n++] = (char)bytes[i];
			continue;
		}
		text[n++] = (char)(0xc0 | bytes[i] >> 6);
		text[n++] = (char)(0x80 | (bytes[i] & 0x3f));
	}
	json = json_stringn(text, n);
	free(text);
	return json;
}

static json_t *text_of(struct http_bytes bytes)
{
	return latin1(bytes.data, bytes.len);
}

/* The second word of the request line. */
static json_t *target_of(const uint8_t *head)
{
	const uint8_t *from = (const uint8_t *)memchr(head, ' ', INPUT_MAX) + 1;
	const uint8_t *to = memchr(from, ' ', INPUT_MAX);

	return latin1(from, (size_t)(to - from));
}

static json_t *fields_of(const struct judge *judge, const struct sluice_head *head)
{
	json_t *fields = json_array();

	for (uint16_t i = 0; i < head->fields; i++)
		json_array_append_new(fields,
				      json_pack("[oo]", text_of(http_name(&judge->memory, head, i)),
						text_of(http_value(&judge->memory, head, i))));
	return fields;
}

static json_t *message_of(const struct judge *judge, const struct sluice_head *head,
			  const uint8_t *from)
{
	while (*from == '\r' || *from == '\n')
		from++;
	return json_pack("{sosososssb}", "method",
			 text_of(http_text(&judge->memory, head, head->method_text)), "target",
			 target_of(from), "fields", fields_of(judge, head), "body", "", "whole", 0);
}

/* NULL, or what ends it all. */
static const char *read_body(struct judge *judge, const struct http_framing *framing,
			     json_t *message)
{
	const struct http_limits limits = HTTP_LIMITS_DEFAULT;
	uint8_t *payload = malloc(INPUT_MAX);
	struct http_body_step step;
	struct http_body body;
	size_t len = 0;

	http_body_init(&body, framing, &limits, judge->trailers, sizeof(judge->trailers));
	do {
		const uint8_t *data = judge->input + judge->at;

		http_body_next(&body, data, judge->len - judge->at, &step);
		if (step.kind == HTTP_BODY_DATA)
			memcpy(payload + len, data, step.bytes);
		len += step.kind == HTTP_BODY_DATA ? step.bytes : 0;
		judge->at += step.bytes;
	} while (step.kind == HTTP_BODY_SKIP || step.kind == HTTP_BODY_DATA);
	json_object_set_new(message, "body", latin1(payload, len));
	json_object_set_new(message, "whole", json_boolean(step.kind == HTTP_BODY_END));
	free(payload);
	if (step.kind == HTTP_BODY_END)
		return framing->keep_alive ? NULL : "closed";
	return step.kind == HTTP_BODY_BAD ? http_error_counter(body.error) : "more";
}

/* NULL, or what ends it all. */
static const char *read_message(struct judge *judge)
{
	const uint8_t *from = judge->input + judge->at;
	struct http_run run = {from, judge->len - judge->at, judge->at};
	const struct http_limits limits = HTTP_LIMITS_DEFAULT;
	struct sluice_head *head = (struct sluice_head *)judge->slot;
	struct http_head_parser parser;
	struct http_framing framing;
	enum http_head_result result;
	enum http_error error;
	uint64_t taken;

	if (http_head_init(head, SLOT_REF, SLOT_BYTES, 110))
		abort();
	http_head_reset(&parser, false, 0);
	result = http_head_feed(&parser, &limits, &run, 1, head, &taken);
	if (result != HTTP_HEAD_DONE)
		return result == HTTP_HEAD_BAD ? http_error_counter(parser.error) : "more";
	judge->at += (uint32_t)taken;
	json_array_append_new(judge->messages, message_of(judge, head, from));
	error = http_framing_request(head, &judge->memory, &framing);
	if (error) {
		json_array_remove(judge->messages, json_array_size(judge->messages) - 1);
		return http_error_counter(error);
	}
	return read_body(judge, &framing,
			 json_array_get(judge->messages, json_array_size(judge->messages) - 1));
}

static void judge_input(struct judge *judge)
{
	const char *end = NULL;
	json_t *verdict;

	judge->at = 0;
	judge->messages = json_array();
	while (!end)
		end = judge->at < judge->len ? read_message(judge) : "more";
	verdict = json_pack("{soss}", "messages", judge->messages, "end", end);
	json_dumpf(verdict, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(verdict);
}

int main(void)
{
	static struct judge judge;
	uint8_t len[4];

	judge.memory = (struct http_memory){memory_at, &judge};
	while (fread(len, 1, sizeof(len), stdin) == sizeof(len)) {
		judge.len = (uint32_t)(len[0] | len[1] << 8 | len[2] << 16) | (uint32_t)len[3]
										      << 24;
		if (judge.len > INPUT_MAX || fread(judge.input, 1, judge.len, stdin) != judge.len)
			return 1;
		judge_input(&judge);
	}
	return 0;
}
