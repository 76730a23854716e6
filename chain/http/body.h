/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The body decoder: which of the bytes that come are framing and which are payload
 * (RFC 9112 §6, §7.1). It looks at framing only and copies nothing but trailers; payload
 * is passed on by reference, whole runs at a time.
 *
 *	http_body_init(&body, &framing, &limits, trailers, sizeof trailers);
 *	do {
 *		http_body_next(&body, data, len, &step);
 *		data += step.bytes, len -= step.bytes;
 *		… DATA: these bytes are payload. SKIP: drop them. END, BAD: stop …
 *	} while (step.kind == HTTP_BODY_SKIP || step.kind == HTTP_BODY_DATA);
 *
 * Threads: one for each body. Nothing is allocated; the trailer buffer is the caller's and
 * must live as long as the body.
 */
#ifndef CHAIN_HTTP_BODY_H
#define CHAIN_HTTP_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include "chain/http/error.h"
#include "chain/http/framing.h"
#include "chain/http/head.h"

enum http_body_step_kind {
	HTTP_BODY_MORE, /* no bytes left to look at: the body goes on */
	HTTP_BODY_SKIP, /* `bytes` of framing: drop them */
	HTTP_BODY_DATA, /* `bytes` of payload */
	HTTP_BODY_END,  /* the body is complete; what follows belongs to the next message */
	HTTP_BODY_BAD,  /* body->error says why */
};

struct http_body_step {
	uint8_t kind;
	uint32_t bytes; /* 0 for MORE, END and BAD */
};

struct http_body {
	uint8_t kind;  /* enum http_body_kind */
	uint8_t state; /* the decoder's own */
	uint8_t digits;
	uint8_t error;      /* enum http_error */
	uint64_t remaining; /* LENGTH: of the body. CHUNKED: of the chunk */
	uint64_t payload;   /* bytes of DATA so far */
	uint32_t extension_bytes, extension_max;
	uint8_t *trailers; /* "name: value" CRLF … as they came, without the closing empty line */
	uint32_t trailers_size, trailers_len;
	uint32_t line_start; /* of the trailer line that goes on */
};

/* `trailers` of `size` bytes bounds what trailers may take; size 0 refuses any. */
void http_body_init(struct http_body *body, const struct http_framing *framing,
		    const struct http_limits *limits, uint8_t *trailers, uint32_t size);

/* The next step at `data`. Never takes more than `len`; with len 0 it tells END from MORE. */
void http_body_next(struct http_body *body, const uint8_t *data, uint32_t len,
		    struct http_body_step *step);

/* True once the body is complete (also before END was asked for). */
bool http_body_ended(const struct http_body *body);

/* The peer closed: true when that completes the body, false when it cut it off. */
bool http_body_close(struct http_body *body);

#endif
