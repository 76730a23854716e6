/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/http/body.h"

#include "chain/http/chars.h"
#include "chain/http/trailer.h"

/* Of a chunked body. Those from EXT_NAME_START on are inside of chunk extensions. */
enum state {
	BAD,
	ENDED,
	SIZE_START,
	SIZE,
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	TRAILER_START,
	TRAILER,
	LAST_LF,
	EXT_NAME_START,
	EXT_NAME,
	EXT_NAME_SPACE,
	EXT_VALUE_START,
	EXT_TOKEN,
	EXT_QUOTED,
	EXT_ESCAPED,
	EXT_QUOTED_END,
	EXT_VALUE_SPACE,
	STATES
};

void http_body_init(struct http_body *body, const struct http_framing *framing,
		    const struct http_limits *limits, uint8_t *trailers, uint32_t size)
{
	*body = (struct http_body){.kind = framing->kind,
				   .extension_max = limits->max_extension_bytes,
				   .trailers = trailers,
				   .trailers_size = size};
	if (framing->kind == HTTP_BODY_CHUNKED)
		body->state = SIZE_START;
	else
		body->state = framing->kind == HTTP_BODY_NONE ? ENDED : DATA;
	if (framing->kind == HTTP_BODY_UNTIL_CLOSE)
		body->remaining = UINT64_MAX;
	if (framing->kind == HTTP_BODY_LENGTH) {
		body->remaining = framing->length;
		body->state = framing->length == 0 ? ENDED : DATA;
	}
}

/* --- the chunk grammar, a byte at a time: RFC 9112 §7.1 ----------------------------- */

static uint8_t refuse(struct http_body *body, enum http_error error)
{
	body->error = (uint8_t)error;
	return BAD;
}

static uint8_t unexpected(struct http_body *body, uint8_t byte, enum http_error otherwise)
{
	if (byte == '\0')
		return refuse(body, HTTP_ERROR_NUL);
	return refuse(body, byte == '\n' ? HTTP_ERROR_BARE_LF : otherwise);
}

#define SIZE_DIGITS_MAX 16

static uint8_t add_digit(struct http_body *body, uint8_t byte)
{
	if (body->digits++ == SIZE_DIGITS_MAX)
		return refuse(body, HTTP_ERROR_CHUNK_RANGE);
	body->remaining = body->remaining << 4 | http_hex(byte);
	return body->remaining > HTTP_LENGTH_MAX ? refuse(body, HTTP_ERROR_CHUNK_RANGE) : SIZE;
}

static uint8_t on_size_start(struct http_body *body, uint8_t byte)
{
	body->digits = 0;
	body->remaining = 0;
	if (http_is(byte, HTTP_HEX))
		return add_digit(body, byte);
	return unexpected(body, byte, HTTP_ERROR_CHUNK_SIZE);
}

static uint8_t on_size(struct http_body *body, uint8_t byte)
{
	if (http_is(byte, HTTP_HEX))
		return add_digit(body, byte);
	if (byte == '\r')
		return SIZE_LF;
	if (byte == ';')
		return EXT_NAME_START;
	if (http_is(byte, HTTP_SPACE))
		return refuse(body, HTTP_ERROR_CHUNK_SPACE);
	return unexpected(body, byte, HTTP_ERROR_CHUNK_SIZE);
}

static uint8_t on_size_lf(struct http_body *body, uint8_t byte)
{
	if (byte != '\n')
		return refuse(body, HTTP_ERROR_BARE_CR);
	return body->remaining > 0 ? DATA : TRAILER_START;
}

static uint8_t on_data_cr(struct http_body *body, uint8_t byte)
{
	return byte == '\r' ? DATA_LF : unexpected(body, byte, HTTP_ERROR_CHUNK_END);
}

static uint8_t on_data_lf(struct http_body *body, uint8_t byte)
{
	return byte == '\n' ? SIZE_START : refuse(body, HTTP_ERROR_BARE_CR);
}

static uint8_t on_trailer(struct http_body *body, uint8_t byte)
{
	enum http_error error = http_trailer_byte(body, byte);

	if (error != HTTP_OK)
		return refuse(body, error);
	return byte == '\n' ? TRAILER_START : TRAILER;
}

static uint8_t on_trailer_start(struct http_body *body, uint8_t byte)
{
	if (byte == '\r')
		return LAST_LF;
	if (byte == '\n')
		return refuse(body, HTTP_ERROR_BARE_LF);
	return on_trailer(body, byte);
}

static uint8_t on_last_lf(struct http_body *body, uint8_t byte)
{
	return byte == '\n' ? ENDED : refuse(body, HTTP_ERROR_BARE_CR);
}

/* --- chunk extensions: RFC 9112 §7.1.1 ------------------------------------------------ */

/* After a name or a value: the next extension, or the end of the line. */
static uint8_t end_of_extension(struct http_body *body, uint8_t byte)
{
	if (byte == ';')
		return EXT_NAME_START;
	if (byte == '\r')
		return SIZE_LF;
	return unexpected(body, byte, HTTP_ERROR_CHUNK_EXTENSION);
}

static uint8_t on_ext_name_start(struct http_body *body, uint8_t byte)
{
	if (http_is(byte, HTTP_SPACE))
		return EXT_NAME_START;
	if (http_is(byte, HTTP_TOKEN))
		return EXT_NAME;
	return unexpected(body, byte, HTTP_ERROR_CHUNK_EXTENSION);
}

static uint8_t on_ext_name(struct http_body *body, uint8_t byte)
{
	if (http_is(byte, HTTP_TOKEN))
		return EXT_NAME;
	if (http_is(byte, HTTP_SPACE))
		return EXT_NAME_SPACE;
	return byte == '=' ? EXT_VALUE_START : end_of_extension(body, byte);
}

static uint8_t on_ext_name_space(struct http_body *body, uint8_t byte)
{
	if (http_is(byte, HTTP_SPACE))
		return EXT_NAME_SPACE;
	if (byte == '=')
		return EXT_VALUE_START;
	return byte == ';' ? EXT_NAME_START : unexpected(body, byte, HTTP_ERROR_CHUNK_EXTENSION);
}

static uint8_t on_ext_value_start(struct http_body *body, uint8_t byte)
{
	if (http_is(byte, HTTP_SPACE))
		return EXT_VALUE_START;
	if (byte == '"')
		return EXT_QUOTED;
	if (http_is(byte, HTTP_TOKEN))
		return EXT_TOKEN;
	return unexpected(body, byte, HTTP_ERROR_CHUNK_EXTENSION);
}

static uint8_t on_ext_token(struct http_body *body, uint8_t byte)
{
	if (http_is(byte, HTTP_TOKEN))
		return EXT_TOKEN;
	return http_is(byte, HTTP_SPACE) ? EXT_VALUE_SPACE : end_of_extension(body, byte);
}

static uint8_t on_ext_quoted(struct http_body *body, uint8_t byte)
{
	if (byte == '"')
		return EXT_QUOTED_END;
	if (byte == '\\')
		return EXT_ESCAPED;
	if (http_is(byte, HTTP_VALUE))
		return EXT_QUOTED;
	return unexpected(body, byte, HTTP_ERROR_CHUNK_EXTENSION);
}

static uint8_t on_ext_escaped(struct http_body *body, uint8_t byte)
{
	return http_is(byte, HTTP_VALUE) ? EXT_QUOTED
					 : unexpected(body, byte, HTTP_ERROR_CHUNK_EXTENSION);
}

static uint8_t on_ext_quoted_end(struct http_body *body, uint8_t byte)
{
	return http_is(byte, HTTP_SPACE) ? EXT_VALUE_SPACE : end_of_extension(body, byte);
}

static uint8_t on_ext_value_space(struct http_body *body, uint8_t byte)
{
	if (http_is(byte, HTTP_SPACE))
		return EXT_VALUE_SPACE;
	return byte == ';' ? EXT_NAME_START : unexpected(body, byte, HTTP_ERROR_CHUNK_EXTENSION);
}

typedef uint8_t on_byte_fn(struct http_body *body, uint8_t byte);

/* BAD, ENDED and DATA take no framing bytes. */
static on_byte_fn *const on_byte[STATES] = {
	[SIZE_START] = on_size_start,
	[SIZE] = on_size,
	[SIZE_LF] = on_size_lf,
	[DATA_CR] = on_data_cr,
	[DATA_LF] = on_data_lf,
	[TRAILER_START] = on_trailer_start,
	[TRAILER] = on_trailer,
	[LAST_LF] = on_last_lf,
	[EXT_NAME_START] = on_ext_name_start,
	[EXT_NAME] = on_ext_name,
	[EXT_NAME_SPACE] = on_ext_name_space,
	[EXT_VALUE_START] = on_ext_value_start,
	[EXT_TOKEN] = on_ext_token,
	[EXT_QUOTED] = on_ext_quoted,
	[EXT_ESCAPED] = on_ext_escaped,
	[EXT_QUOTED_END] = on_ext_quoted_end,
	[EXT_VALUE_SPACE] = on_ext_value_space,
};

/* --- steps ----------------------------------------------------------------------------- */

static void count_extension(struct http_body *body)
{
	if (body->state >= EXT_NAME_START && body->extension_bytes++ == body->extension_max)
		body->state = refuse(body, HTTP_ERROR_CHUNK_EXTENSION_BYTES);
}

static void skip_framing(struct http_body *body, const uint8_t *data, uint32_t len,
			 struct http_body_step *step)
{
	uint32_t i = 0;

	while (i < len && on_byte[body->state] != NULL) {
		body->state = on_byte[body->state](body, data[i++]);
		count_extension(body);
	}
	step->kind = body->state == BAD ? HTTP_BODY_BAD : HTTP_BODY_SKIP;
	step->bytes = body->state == BAD ? 0 : i;
}

static void pass_data(struct http_body *body, uint32_t len, struct http_body_step *step)
{
	uint32_t bytes = len < body->remaining ? len : (uint32_t)body->remaining;

	step->kind = HTTP_BODY_DATA;
	step->bytes = bytes;
	body->payload += bytes;
	if (body->kind == HTTP_BODY_UNTIL_CLOSE)
		return;
	body->remaining -= bytes;
	if (body->remaining == 0)
		body->state = body->kind == HTTP_BODY_CHUNKED ? DATA_CR : ENDED;
}

void http_body_next(struct http_body *body, const uint8_t *data, uint32_t len,
		    struct http_body_step *step)
{
	step->bytes = 0;
	if (body->state == BAD)
		step->kind = HTTP_BODY_BAD;
	else if (body->state == ENDED)
		step->kind = HTTP_BODY_END;
	else if (len == 0)
		step->kind = HTTP_BODY_MORE;
	else if (body->state == DATA)
		pass_data(body, len, step);
	else
		skip_framing(body, data, len, step);
}

bool http_body_ended(const struct http_body *body)
{
	return body->state == ENDED;
}

bool http_body_close(struct http_body *body)
{
	if (body->kind == HTTP_BODY_UNTIL_CLOSE && body->state == DATA)
		body->state = ENDED;
	return body->state == ENDED;
}
