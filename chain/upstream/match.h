/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The search for a text in the body of a check's answer, as its bytes come. The check asks by
 * HTTP/1.0, so the body is what follows the head, without framing. Pure.
 */
#ifndef CHAIN_UPSTREAM_MATCH_H
#define CHAIN_UPSTREAM_MATCH_H

#include <stdbool.h>
#include <stdint.h>

#define MATCH_TEXT_MAX 255

struct match {
	uint8_t newlines; /* in a row, at the end of what came of the head; 2: it is over */
	uint8_t kept;     /* bytes of `tail` */
	char tail[MATCH_TEXT_MAX];
};

/* `match` is zero at first. `text` is the same in each call, 1 to MATCH_TEXT_MAX bytes. True: it
 * was found. */
bool match_feed(struct match *match, const char *text, const void *bytes, uint32_t len);

#endif
