/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/http/framing.h"

#include <stddef.h>

#include "chain/http/edit.h"
#include "chain/http/field.h"
#include "chain/http/list.h"
#include "chain/http/scan.h"

static bool has(const struct sluice_head *head, uint16_t id)
{
	return head->first[id] != SLUICE_NONE16;
}

/* --- Connection: RFC 9110 §7.6.1 ------------------------------------------------ */

struct options {
	bool close, keep_alive, upgrade;
	uint32_t seen;
	uint32_t named;
	struct http_bytes
		name[HTTP_CONNECTION_OPTIONS_MAX]; /* the options that are none of those */
};

static enum http_error add_option(struct options *options, struct http_bytes option)
{
	if (options->seen++ == HTTP_CONNECTION_OPTIONS_MAX)
		return HTTP_ERROR_CONNECTION_OPTIONS;
	if (http_scan_token(option.data, option.len) != option.len)
		return HTTP_ERROR_CONNECTION;
	if (http_equal_text(option.data, option.len, "close"))
		options->close = true;
	else if (http_equal_text(option.data, option.len, "keep-alive"))
		options->keep_alive = true;
	else if (http_equal_text(option.data, option.len, "upgrade"))
		options->upgrade = true;
	else if (option.len > 0)
		options->name[options->named++] = option;
	return HTTP_OK;
}

static enum http_error read_options(const struct sluice_head *head,
				    const struct http_memory *memory, struct options *options)
{
	enum http_error error = HTTP_OK;
	struct http_bytes option;

	options->close = options->keep_alive = options->upgrade = false;
	options->seen = options->named = 0;
	for (uint16_t i = head->first[SLUICE_FIELD_CONNECTION]; i != SLUICE_NONE16;
	     i = head->field[i].next) {
		struct http_list list = http_list_of(http_value(memory, head, i));

		while (error == HTTP_OK && http_list_next(&list, &option))
			error = add_option(options, option);
	}
	return error;
}

/* What decides about framing or routing cannot be named away. */
static bool may_be_named(struct http_bytes name)
{
	uint16_t id = http_field_id(name.data, name.len);

	return id != SLUICE_FIELD_HOST &&
	       (http_field_flags(id) & (SLUICE_FIELD_HOP | SLUICE_FIELD_FRAMING)) == 0;
}

static void remove_named(struct sluice_head *head, const struct http_memory *memory,
			 const struct options *options)
{
	for (uint32_t i = 0; i < options->named; i++)
		if (may_be_named(options->name[i]))
			http_head_remove(head, memory, options->name[i]);
}

/* RFC 9112 §9.3. */
static bool keeps_alive(const struct sluice_head *head, const struct options *options)
{
	if (options->close)
		return false;
	return head->version == 11 || options->keep_alive;
}

/* --- Transfer-Encoding: RFC 9112 §6.1, §7 ---------------------------------------- */

struct codings {
	uint32_t chunked, unknown;
	bool chunked_is_last;
};

static enum http_error add_coding(struct codings *codings, struct http_bytes coding)
{
	if (coding.len == 0 || http_scan_token(coding.data, coding.len) != coding.len)
		return HTTP_ERROR_CODING;
	codings->chunked_is_last = http_equal_text(coding.data, coding.len, "chunked");
	if (codings->chunked_is_last)
		codings->chunked++;
	else
		codings->unknown++;
	return HTTP_OK;
}

static enum http_error judge_codings(const struct codings *codings)
{
	if (!codings->chunked_is_last)
		return HTTP_ERROR_CODING_FINAL;
	if (codings->chunked > 1)
		return HTTP_ERROR_CODING_REPEATED;
	return codings->unknown > 0 ? HTTP_ERROR_CODING_UNKNOWN : HTTP_OK;
}

static enum http_error read_coding(const struct sluice_head *head, const struct http_memory *memory)
{
	struct codings codings = {0};
	enum http_error error = HTTP_OK;
	struct http_bytes coding;

	if (head->version < 11)
		return HTTP_ERROR_CODING_VERSION;
	for (uint16_t i = head->first[SLUICE_FIELD_TRANSFER_ENCODING]; i != SLUICE_NONE16;
	     i = head->field[i].next) {
		struct http_list list = http_list_of(http_value(memory, head, i));

		while (error == HTTP_OK && http_list_next(&list, &coding))
			error = add_coding(&codings, coding);
	}
	return error != HTTP_OK ? error : judge_codings(&codings);
}

/* --- Content-Length: RFC 9110 §8.6 ------------------------------------------------- */

static enum http_error parse_length(struct http_bytes text, uint64_t *length)
{
	uint64_t sum = 0;

	if (text.len == 0 || http_scan_class(text.data, text.len, HTTP_DIGIT) != text.len)
		return HTTP_ERROR_LENGTH;
	for (uint32_t i = 0; i < text.len; i++) {
		uint64_t digit = text.data[i] - '0';

		if (sum > (HTTP_LENGTH_MAX - digit) / 10)
			return HTTP_ERROR_LENGTH_RANGE;
		sum = sum * 10 + digit;
	}
	*length = sum;
	return HTTP_OK;
}

/* A second one is refused even when it says the same (RFC 9112 §6.3 leaves the choice), and so
 * is a list, which is not a number. */
static enum http_error read_length(const struct sluice_head *head, const struct http_memory *memory,
				   uint64_t *length)
{
	uint16_t i = head->first[SLUICE_FIELD_CONTENT_LENGTH];

	if (head->field[i].next != SLUICE_NONE16)
		return HTTP_ERROR_LENGTH_SEVERAL;
	return parse_length(http_value(memory, head, i), length);
}

/* --- both ---------------------------------------------------------------------------- */

/* What the two framing fields say; `none` when neither is there. RFC 9112 §6.3. */
static enum http_error read_framing(const struct sluice_head *head,
				    const struct http_memory *memory, enum http_body_kind none,
				    struct http_framing *out)
{
	bool coding = has(head, SLUICE_FIELD_TRANSFER_ENCODING);
	bool length = has(head, SLUICE_FIELD_CONTENT_LENGTH);

	if (coding && length)
		return HTTP_ERROR_LENGTH_AND_CODING;
	out->length = SLUICE_LENGTH_UNKNOWN;
	out->kind = HTTP_BODY_CHUNKED;
	if (coding)
		return read_coding(head, memory);
	out->kind = HTTP_BODY_LENGTH;
	if (length)
		return read_length(head, memory, &out->length);
	out->kind = (uint8_t)none;
	if (none == HTTP_BODY_NONE)
		out->length = SLUICE_LENGTH_NONE;
	return HTTP_OK;
}

static uint64_t body_bytes(const struct http_framing *framing)
{
	return framing->kind == HTTP_BODY_NONE ? SLUICE_LENGTH_NONE : framing->length;
}

/* --- requests -------------------------------------------------------------------------- */

/* RFC 9110 §9.3.6, §9.3.8: nobody knows what content would mean here. */
static enum http_error check_content(const struct sluice_head *head,
				     const struct http_framing *framing)
{
	if (head->method != SLUICE_METHOD_CONNECT && head->method != SLUICE_METHOD_TRACE)
		return HTTP_OK;
	if (framing->kind == HTTP_BODY_NONE || framing->length == 0)
		return HTTP_OK;
	return HTTP_ERROR_CONTENT;
}

/* RFC 9110 §10.1.1; ignored under 1.0. */
static enum http_error read_expect(const struct sluice_head *head, const struct http_memory *memory,
				   struct http_framing *out)
{
	if (head->version < 11)
		return HTTP_OK;
	for (uint16_t i = head->first[SLUICE_FIELD_EXPECT]; i != SLUICE_NONE16;
	     i = head->field[i].next) {
		struct http_bytes value = http_value(memory, head, i);

		if (!http_equal_text(value.data, value.len, "100-continue"))
			return HTTP_ERROR_EXPECTATION;
		out->expect_continue = out->kind != HTTP_BODY_NONE && out->length != 0;
	}
	return HTTP_OK;
}

/* RFC 9110 §7.8: not under 1.0, and only with the connection option. */
static bool offers_upgrade(const struct sluice_head *head, const struct options *options)
{
	return head->version == 11 && options->upgrade && has(head, SLUICE_FIELD_UPGRADE);
}

enum http_error http_framing_request(struct sluice_head *head, const struct http_memory *memory,
				     struct http_framing *out)
{
	struct http_framing got = {0};
	struct options options;
	enum http_error error = read_options(head, memory, &options);

	if (error == HTTP_OK)
		error = read_framing(head, memory, HTTP_BODY_NONE, &got);
	if (error == HTTP_OK)
		error = check_content(head, &got);
	if (error == HTTP_OK)
		error = read_expect(head, memory, &got);
	if (error != HTTP_OK)
		return error;
	got.keep_alive = keeps_alive(head, &options);
	got.upgrade = offers_upgrade(head, &options);
	head->body_bytes = body_bytes(&got);
	*out = got;
	remove_named(head, memory, &options);
	return HTTP_OK;
}

/* --- responses ---------------------------------------------------------------------------- */

bool http_response_without_body(uint16_t status, uint8_t request_method)
{
	return status < 200 || status == 204 || status == 304 ||
	       request_method == SLUICE_METHOD_HEAD;
}

/* RFC 9112 §6.3, rule 2. */
static bool opens_tunnel(const struct sluice_head *head)
{
	return head->method == SLUICE_METHOD_CONNECT && head->status / 100 == 2;
}

/* A server that announces a body where there cannot be one may well send it. */
static bool lies_about_body(const struct sluice_head *head, const struct http_framing *said)
{
	if (head->status >= 200 && head->status != 204)
		return false;
	return said->kind == HTTP_BODY_CHUNKED ||
	       (said->kind == HTTP_BODY_LENGTH && said->length > 0);
}

static void without_body(const struct sluice_head *head, struct http_framing *out)
{
	bool announced =
		out->kind == HTTP_BODY_LENGTH && head->status >= 200 && head->status != 204;

	out->keep_alive = out->keep_alive && !lies_about_body(head, out);
	out->upgrade = head->status == 101;
	out->length = announced ? out->length : SLUICE_LENGTH_NONE;
	out->kind = HTTP_BODY_NONE;
}

static enum http_error response_body(const struct sluice_head *head,
				     const struct http_memory *memory, struct http_framing *out)
{
	enum http_error error;

	if (opens_tunnel(head)) {
		out->upgrade = true;
		out->length = SLUICE_LENGTH_NONE;
		return HTTP_OK;
	}
	error = read_framing(head, memory, HTTP_BODY_UNTIL_CLOSE, out);
	if (error != HTTP_OK)
		return error;
	if (http_response_without_body(head->status, head->method))
		without_body(head, out);
	else if (out->kind == HTTP_BODY_UNTIL_CLOSE)
		out->keep_alive = false;
	return HTTP_OK;
}

enum http_error http_framing_response(struct sluice_head *head, const struct http_memory *memory,
				      struct http_framing *out)
{
	struct http_framing got = {0};
	struct options options;
	enum http_error error = read_options(head, memory, &options);

	if (error != HTTP_OK)
		return error;
	got.keep_alive = keeps_alive(head, &options);
	error = response_body(head, memory, &got);
	if (error != HTTP_OK)
		return error;
	head->body_bytes = body_bytes(&got);
	*out = got;
	remove_named(head, memory, &options);
	return HTTP_OK;
}
