/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The head parser: bytes as they come, an index of references out (RFC 9112 §2 to §5).
 *
 * A head is written into a slot: one flat piece of memory that holds struct sluice_head,
 * its fields and its text area. The slot belongs to the caller; the parser is the only
 * writer until it says HTTP_HEAD_DONE.
 *
 *	http_head_init(head, ref, sizeof slot, 128);
 *	head->client = …; head->local = …;          the parser leaves them alone
 *	http_head_reset(&parser, false, 0);         always with a head fresh from http_head_init
 *	while (bytes come)                          every byte is given once, in order
 *		switch (http_head_feed(&parser, &limits, runs, n, head, &taken)) …
 *	http_framing_request(head, &memory, &framing);
 *
 * Bytes that were fed must stay where they are for as long as the head is in use: fields
 * refer to them. Only a line that lies across two runs is copied, to the text area, and
 * `joined_bytes` counts it; so are the lines of a 16th run and beyond, for want of bases.
 * No byte is looked at again when more come, so that one-byte segments cost no more.
 *
 * Strict: what is ambiguous is refused, never repaired (README.md has the table).
 * The target in the index is always in origin-form, "*" (OPTIONS) or authority-form
 * (CONNECT): of "http://host/path" the host becomes `host` (and the value of the Host
 * field, RFC 9112 §3.2.2) and the rest the target.
 *
 * Threads: one for each parser. Nothing is allocated.
 */
#ifndef CHAIN_HTTP_HEAD_H
#define CHAIN_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/abi.h>

#include "chain/http/error.h"

/* Offsets in a head are 16 bits wide: no limit goes beyond. */
#define HTTP_HEAD_BYTES_MAX   65535
#define HTTP_METHOD_BYTES_MAX 32

struct http_limits {
	uint32_t max_head_bytes; /* start line, fields and the empty line; at most
				    HTTP_HEAD_BYTES_MAX counts */
	uint32_t max_fields;
	uint32_t max_target_bytes;
	uint32_t max_extension_bytes; /* chunk extensions of one body, in all */
};

#define HTTP_LIMITS_DEFAULT                             \
	((struct http_limits){.max_head_bytes = 32768,  \
			      .max_fields = 100,        \
			      .max_target_bytes = 8192, \
			      .max_extension_bytes = 4096})

/* Bytes that lie together. `ref` is the reference of data[0]; all of them are in its region. */
struct http_run {
	const uint8_t *data;
	uint32_t len;
	uint64_t ref;
};

enum http_head_result {
	HTTP_HEAD_MORE, /* every byte was taken; the head goes on */
	HTTP_HEAD_DONE, /* `taken` bytes were the head's; what follows is the body's */
	HTTP_HEAD_BAD,  /* parser->error says why; the connection cannot be used any further */
};

/* Restartable state. Read `error` and `joined_bytes`; the rest is the parser's own. */
struct http_head_parser {
	uint8_t response;
	uint8_t method; /* response: of the request it answers */
	uint8_t state;
	uint8_t error;        /* enum http_error */
	uint8_t skipped_line; /* the one empty line allowed before a request line was seen */
	uint8_t hosts;
	uint8_t target_host; /* the target names the host */
	uint8_t reserved;
	uint32_t head_bytes;   /* taken so far */
	uint32_t line_bytes;   /* of the line that goes on, at the end of the text area */
	uint32_t joined_bytes; /* copied to the text area so far */
};

/*
 * Prepares a slot of `size_bytes` whose first byte has the reference `ref`: an empty head
 * with room for `fields_size` fields, the rest (at most 64 KiB) text area. The slot is
 * aligned to 8 bytes. -EINVAL: too small.
 */
int http_head_init(struct sluice_head *head, uint64_t ref, uint32_t size_bytes,
		   uint32_t fields_size) __attribute__((warn_unused_result));

/* The same in two steps: the shape of the slot, and a head in it that says nothing. Between the two
 * only one that came before may be put there (known.h). */
int http_head_shape(struct sluice_head *head, uint64_t ref, uint32_t size_bytes,
		    uint32_t fields_size) __attribute__((warn_unused_result));
void http_head_clear(struct sluice_head *head);

/* Before the first byte of a head. `request_method`: enum sluice_method, for responses. */
void http_head_reset(struct http_head_parser *parser, bool response, uint8_t request_method);

/* Takes the next bytes of the head. `*taken` is set in every case. After DONE and BAD the
 * parser takes nothing until it is reset. */
enum http_head_result http_head_feed(struct http_head_parser *parser,
				     const struct http_limits *limits, const struct http_run *runs,
				     size_t n, struct sluice_head *head, uint64_t *taken);

/* True when the first byte of a message came: an idle connection may be closed without a word,
 * one that stopped in mid-head gets a 408. */
static inline bool http_head_begun(const struct http_head_parser *parser)
{
	return parser->head_bytes > 0;
}

#endif
