/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/http/line.h"

#include <string.h>

#include "chain/http/head.h"
#include "chain/http/scan.h"

enum http_error http_line_bad_byte(uint8_t byte, enum http_error otherwise)
{
	if (byte == '\0')
		return HTTP_ERROR_NUL;
	if (byte == '\r')
		return HTTP_ERROR_BARE_CR;
	return otherwise;
}

#define VERSION_BYTES 8

/* RFC 9112 §2.3: case-sensitive, one digit on either side. RFC 9110 §2.5: what a later minor
 * version adds may be left out, so it is taken as the last that is known. */
static enum http_error parse_version(const uint8_t *text, uint8_t *version)
{
	if (memcmp(text, "HTTP/", 5) != 0 || text[6] != '.' || !http_is(text[5], HTTP_DIGIT) ||
	    !http_is(text[7], HTTP_DIGIT))
		return HTTP_ERROR_VERSION_SYNTAX;
	if (text[5] != '1')
		return HTTP_ERROR_VERSION;
	*version = text[7] == '0' ? 10 : 11;
	return HTTP_OK;
}

static enum http_error parse_method(const uint8_t *line, uint32_t len, uint32_t *method_len)
{
	uint32_t n = http_scan_token(line, len);

	if (n == len)
		return HTTP_ERROR_REQUEST_LINE;
	if (n == 0 || line[n] != ' ')
		return http_line_bad_byte(line[n], HTTP_ERROR_METHOD);
	if (n > HTTP_METHOD_BYTES_MAX)
		return HTTP_ERROR_METHOD_LENGTH;
	*method_len = n;
	return HTTP_OK;
}

/* RFC 9112 §3: single spaces; a target with anything but VCHAR, or with a fragment, is none. */
static enum http_error parse_target(const uint8_t *text, uint32_t len, uint32_t *target_len)
{
	uint32_t n = http_scan_target(text, len);

	if (n == len)
		return HTTP_ERROR_REQUEST_LINE;
	if (text[n] != ' ')
		return http_line_bad_byte(text[n], HTTP_ERROR_TARGET);
	if (n == 0)
		return HTTP_ERROR_REQUEST_LINE;
	*target_len = n;
	return HTTP_OK;
}

static enum http_error parse_last_version(const uint8_t *text, uint32_t len, uint8_t *version)
{
	uint32_t n;

	if (len == VERSION_BYTES && parse_version(text, version) == HTTP_OK)
		return HTTP_OK;
	n = http_scan_value(text, len);
	if (n < len)
		return http_line_bad_byte(text[n], HTTP_ERROR_VERSION_SYNTAX);
	return len == VERSION_BYTES ? parse_version(text, version) : HTTP_ERROR_VERSION_SYNTAX;
}

enum http_error http_line_request(const uint8_t *line, uint32_t len, struct http_request_line *out)
{
	enum http_error error = parse_method(line, len, &out->method_len);
	uint32_t rest;

	if (error != HTTP_OK)
		return error;
	out->target_off = out->method_len + 1;
	error = parse_target(line + out->target_off, len - out->target_off, &out->target_len);
	if (error != HTTP_OK)
		return error;
	rest = out->target_off + out->target_len + 1;
	return parse_last_version(line + rest, len - rest, &out->version);
}

/* RFC 9110 §15: numbers outside 100 to 599 are invalid. */
static enum http_error parse_status(const uint8_t *text, uint16_t *status)
{
	for (int i = 0; i < 3; i++)
		if (!http_is(text[i], HTTP_DIGIT))
			return HTTP_ERROR_STATUS_LINE;
	if (text[0] < '1' || text[0] > '5')
		return HTTP_ERROR_STATUS;
	*status = (uint16_t)((text[0] - '0') * 100 + (text[1] - '0') * 10 + text[2] - '0');
	return HTTP_OK;
}

#define STATUS_END (VERSION_BYTES + 4)

/* RFC 9112 §4. */
enum http_error http_line_status(const uint8_t *line, uint32_t len, struct http_status_line *out)
{
	uint32_t n = http_scan_value(line, len);
	enum http_error error;

	if (n < len)
		return http_line_bad_byte(line[n], HTTP_ERROR_STATUS_LINE);
	if (len < STATUS_END || line[VERSION_BYTES] != ' ')
		return HTTP_ERROR_STATUS_LINE;
	error = parse_version(line, &out->version);
	if (error == HTTP_OK)
		error = parse_status(line + VERSION_BYTES + 1, &out->status);
	if (error != HTTP_OK)
		return error;
	if (len > STATUS_END && line[STATUS_END] != ' ')
		return HTTP_ERROR_STATUS_LINE;
	out->reason_off = len > STATUS_END ? STATUS_END + 1 : len;
	out->reason_len = len - out->reason_off;
	return HTTP_OK;
}

/* RFC 9112 §2.2, §5.2: neither white space before the first field nor folding. */
static enum http_error leading_space(bool first)
{
	return first ? HTTP_ERROR_SPACE_BEFORE_FIELD : HTTP_ERROR_FOLD;
}

/* RFC 9112 §5.1. */
static enum http_error after_name(const uint8_t *line, uint32_t len, uint32_t name_len)
{
	uint32_t n = name_len;

	if (n == len)
		return HTTP_ERROR_COLON;
	if (line[n] == ':' && n > 0)
		return HTTP_OK;
	n += http_scan_class(line + n, len - n, HTTP_SPACE);
	if (n > name_len && n < len && line[n] == ':')
		return HTTP_ERROR_SPACE_BEFORE_COLON;
	return http_line_bad_byte(line[name_len], HTTP_ERROR_FIELD_NAME);
}

/* The value without the white space around it (RFC 9110 §5.5). */
static enum http_error parse_value(const uint8_t *line, uint32_t len, struct http_field_line *out)
{
	uint32_t start = out->name_len + 1, end = len, n;

	start += http_scan_class(line + start, len - start, HTTP_SPACE);
	n = start + http_scan_value(line + start, len - start);
	if (n < len)
		return http_line_bad_byte(line[n], HTTP_ERROR_FIELD_VALUE);
	while (end > start && http_is(line[end - 1], HTTP_SPACE))
		end--;
	out->value_off = start;
	out->value_len = end - start;
	return HTTP_OK;
}

enum http_error http_line_field(const uint8_t *line, uint32_t len, bool first,
				struct http_field_line *out)
{
	enum http_error error;

	if (len > 0 && http_is(line[0], HTTP_SPACE))
		return leading_space(first);
	out->name_len = http_scan_token(line, len);
	error = after_name(line, len, out->name_len);
	if (error != HTTP_OK)
		return error;
	return parse_value(line, len, out);
}
