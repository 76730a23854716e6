/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Heads, chunks and error answers as bytes, into a flat buffer of the caller's.
 *
 * Framing is always written anew: Content-Length, Transfer-Encoding and Connection come from
 * struct http_write, never from the head; hop-by-hop fields are left out (RFC 9110 §7.6.1),
 * and Host is written first, from head->host. The version is always HTTP/1.1.
 *
 * Every writer returns the number of bytes, or -ENOSPC when `size` is too small (nothing
 * beyond `size` is written).
 *
 * Threads: that of the head. Nothing is allocated.
 */
#ifndef CHAIN_HTTP_WRITE_H
#define CHAIN_HTTP_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/abi.h>

#include "chain/http/framing.h"
#include "chain/http/text.h"

enum http_write_connection {
	HTTP_CONNECTION_DEFAULT,    /* nothing written: HTTP/1.1 keeps alive */
	HTTP_CONNECTION_CLOSE,      /* "Connection: close" */
	HTTP_CONNECTION_KEEP_ALIVE, /* "Connection: keep-alive": to an HTTP/1.0 client */
	HTTP_CONNECTION_UPGRADE,    /* "Connection: upgrade", and the Upgrade fields are kept */
};

struct http_write {
	uint8_t framing;    /* enum http_body_kind; NONE and UNTIL_CLOSE write no framing field */
	uint8_t connection; /* enum http_write_connection */
	uint64_t length;    /* with HTTP_BODY_LENGTH; also for answers to HEAD and 304, which have a
			       length but no body */
	struct http_bytes host; /* request without a host of its own (HTTP/1.0): this one */
	const char *date; /* response without Date (RFC 9110 §6.6.1): 29 characters; NULL: none */
};

/* Enough for http_write_request and http_write_response, without looking at any text. */
uint32_t http_write_bound(const struct sluice_head *head, const struct http_write *how);

/* -EINVAL: UNTIL_CLOSE in a request. */
int http_write_request(const struct sluice_head *head, const struct http_memory *memory,
		       const struct http_write *how, uint8_t *out, uint32_t size);
int http_write_response(const struct sluice_head *head, const struct http_memory *memory,
			const struct http_write *how, uint8_t *out, uint32_t size);

/*
 * Chunks: what stands before each chunk's data, and after the last. `first`: no chunk was
 * written before; otherwise the CRLF that ends the chunk before comes with it, so that one
 * piece of framing stands between two pieces of payload. `bytes` > 0.
 */
#define HTTP_CHUNK_BYTES_MAX 20
int http_write_chunk(bool first, uint64_t bytes, uint8_t *out, uint32_t size);

/* The last chunk, the trailers as struct http_body collected them (or none), the empty line. */
int http_write_last_chunk(bool first, struct http_bytes trailers, uint8_t *out, uint32_t size);

/* An answer of our own: status line, Date if not NULL, a short text that names the status;
 * `head_only` for HEAD. 1xx, 204 and 304 have neither text nor length. */
#define HTTP_ANSWER_BYTES_MAX 512
int http_write_answer(uint16_t status, bool close, bool head_only, const char *date, uint8_t *out,
		      uint32_t size);

/* "HTTP/1.1 100 Continue", whole. */
int http_write_continue(uint8_t *out, uint32_t size);

/* "Not Found"; "Unknown" for numbers that have no name. */
const char *http_status_reason(uint16_t status);

/* IMF-fixdate (RFC 9110 §5.6.7), made anew only when the second changes. Zeroed before first use.
 */
#define HTTP_DATE_BYTES 29
struct http_date {
	uint64_t second;
	char text[HTTP_DATE_BYTES + 1];
};
const char *http_date_text(struct http_date *date, uint64_t unix_seconds);

#endif
