/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/http/trailer.h"

#include "chain/http/field.h"
#include "chain/http/line.h"

/* RFC 9110 §6.5.1: a trailer that a recipient might take for a field of the head. */
static enum http_error check_line(const struct http_body *body)
{
	const uint8_t *line = body->trailers + body->line_start;
	uint32_t len = body->trailers_len - body->line_start;
	struct http_field_line got;
	enum http_error error;

	if (len < 2 || line[len - 2] != '\r')
		return HTTP_ERROR_BARE_LF;
	error = http_line_field(line, len - 2, body->line_start == 0, &got);
	if (error == HTTP_OK && http_field_forbidden_in_trailers(http_field_id(line, got.name_len)))
		return HTTP_ERROR_TRAILER_FORBIDDEN;
	return error;
}

enum http_error http_trailer_byte(struct http_body *body, uint8_t byte)
{
	enum http_error error;

	if (body->trailers_len == body->trailers_size)
		return HTTP_ERROR_TRAILER_BYTES;
	body->trailers[body->trailers_len++] = byte;
	if (byte != '\n')
		return HTTP_OK;
	error = check_line(body);
	body->line_start = body->trailers_len;
	return error;
}
