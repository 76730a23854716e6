/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The grammar of one line (RFC 9112 §3, §4, §5), whole and without its CRLF: pure functions of
 * the codec's own. Offsets are from the line's first byte.
 *
 * Threads: any.
 */
#ifndef CHAIN_HTTP_LINE_H
#define CHAIN_HTTP_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "chain/http/error.h"

struct http_request_line {
	uint32_t method_len; /* the method starts the line */
	uint32_t target_off, target_len;
	uint8_t version; /* 10 or 11 */
};

struct http_status_line {
	uint8_t version;
	uint16_t status; /* 100 to 599 */
	uint32_t reason_off, reason_len;
};

struct http_field_line {
	uint32_t name_len; /* the name starts the line */
	uint32_t value_off, value_len;
};

/* What a byte that does not belong where it stands is called. */
enum http_error http_line_bad_byte(uint8_t byte, enum http_error otherwise);

/* The bytes of the target are checked, its form is not (target.h). */
enum http_error http_line_request(const uint8_t *line, uint32_t len, struct http_request_line *out);

/* The space after the status may be missing when no reason follows. */
enum http_error http_line_status(const uint8_t *line, uint32_t len, struct http_status_line *out);

/* `first`: nothing that could be folded stands before. */
enum http_error http_line_field(const uint8_t *line, uint32_t len, bool first,
				struct http_field_line *out);

#endif
