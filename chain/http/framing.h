/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What follows a head, and what holds for the connection (RFC 9112 §6.3, §9.3).
 *
 * Called once for each head, as soon as it is DONE and before any function sees it. The
 * call also settles the head: body_bytes is set, and the fields that Connection names are
 * removed (RFC 9110 §7.6.1), here and not when it is written, so that a client cannot name
 * a field that a function adds later. Connection itself, other hop-by-hop fields, framing
 * fields and Host stay in the index, whether named or not; the writer leaves them out.
 *
 * Threads: that of the head.
 */
#ifndef CHAIN_HTTP_FRAMING_H
#define CHAIN_HTTP_FRAMING_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/abi.h>

#include "chain/http/error.h"
#include "chain/http/text.h"

#define HTTP_CONNECTION_OPTIONS_MAX 32
#define HTTP_LENGTH_MAX             ((uint64_t)INT64_MAX) /* of a body, and of a chunk */

enum http_body_kind {
	HTTP_BODY_NONE,
	HTTP_BODY_LENGTH,
	HTTP_BODY_CHUNKED,
	HTTP_BODY_UNTIL_CLOSE, /* responses only */
};

struct http_framing {
	uint8_t kind; /* enum http_body_kind */
	bool keep_alive;
	bool expect_continue; /* request: the client waits for 100 before it sends the body */
	bool upgrade; /* request: the client offers Upgrade. response: 101, or 2xx to CONNECT: bytes
		       * of another protocol follow */
	uint64_t length; /* LENGTH: of the body. NONE: what Content-Length announced (HEAD, 304), or
			  * SLUICE_LENGTH_NONE. Otherwise SLUICE_LENGTH_UNKNOWN */
};

/* HTTP_OK, or why the message is refused; then `out` is not set and the connection is closed
 * after the answer. */
enum http_error http_framing_request(struct sluice_head *head, const struct http_memory *memory,
				     struct http_framing *out) __attribute__((warn_unused_result));

/* head->method is the request's. */
enum http_error http_framing_response(struct sluice_head *head, const struct http_memory *memory,
				      struct http_framing *out) __attribute__((warn_unused_result));

/* True for responses that never have a body: 1xx, 204, 304, and any to HEAD. */
bool http_response_without_body(uint16_t status, uint8_t request_method);

#endif
