/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Heads that came before, byte for byte, and what was made of them.
 *
 * Clients ask the same again, and servers answer the same. What the parser and http_framing make
 * of a head that lies in one run depends on its bytes, the limits and, for a response, the method
 * it answers, and on nothing else: so a head that is the same in every byte gets the same index,
 * copied. One that is not known, or long, goes the whole way (head.h, framing.h).
 *
 *	bytes = http_known_recall(knowns, &of, run, head, &framing);
 *	if (!bytes) {
 *		http_head_feed(…); http_framing_…(…);
 *		http_known_keep(…);
 *	}
 *
 * What comes once only is not kept: it would take the place of what comes often.
 *
 * Threads: that of the heads.
 */
#ifndef CHAIN_HTTP_KNOWN_H
#define CHAIN_HTTP_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/abi.h>

#include "chain/http/content.h"
#include "chain/http/framing.h"
#include "chain/http/head.h"

#define HTTP_KNOWN_BYTES 1024 /* of a head */
#define HTTP_KNOWNS      64

struct http_known_of {
	const struct http_limits *limits;
	bool response;
	uint8_t method; /* response: of the request it answers */
};

struct http_known {
	uint64_t seen;  /* the head that came to this place last and was not kept, mixed */
	uint32_t bytes; /* 0: free */
	bool response;
	uint8_t method;
	struct http_limits limits;
	struct http_framing framing;
	struct http_content content;
	uint8_t text[HTTP_KNOWN_BYTES];
};

struct http_knowns {
	struct http_known known[HTTP_KNOWNS];
};

/* Fills a slot fresh from http_head_init or http_head_shape, and `framing`, as if the head at the
 * beginning of `run` had been parsed. Its length; 0: nothing is known, and nothing was changed. */
uint32_t http_known_recall(const struct http_knowns *knowns, const struct http_known_of *of,
			   const struct http_run *run, struct sluice_head *head,
			   struct http_framing *framing);

/* The first `bytes` of the run were made into this, which gets a number if it is kept. */
void http_known_keep(struct http_knowns *knowns, struct http_numbers *numbers,
		     const struct http_known_of *of, const struct http_run *run, uint32_t bytes,
		     struct sluice_head *head, const struct http_framing *framing);

#endif
