/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The trailer section of a chunked body (RFC 9112 §7.1.2): collected in the body's buffer,
 * each line checked as it is complete. The decoder's own.
 *
 * Threads: that of the body.
 */
#ifndef CHAIN_HTTP_TRAILER_H
#define CHAIN_HTTP_TRAILER_H

#include "chain/http/body.h"

/* The next byte of a trailer line, LF included. */
enum http_error http_trailer_byte(struct http_body *body, uint8_t byte);

#endif
