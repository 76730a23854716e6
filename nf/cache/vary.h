/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Vary (RFC 9111 §4.1): which of the responses of one target a request may have.
 *
 * The secondary key of a response is a text with a line for each field that Vary names:
 * the name, and the normalised value of that field in the request that fetched it.
 * Normalising joins the lines of a field and drops white space around commas and
 * semicolons; for Accept-Encoding, -Language and -Charset it also lowers the case and sorts.
 *
 * Pure; any thread.
 */
#ifndef NF_CACHE_VARY_H
#define NF_CACHE_VARY_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/nf.h>

#define VARY_KEY_MAX 4096

/* How a request is asked for the i-th line of a field: false when it has none. */
struct vary_request {
	bool (*line)(const void *ctx, struct sluice_str name, unsigned i, struct sluice_str *value);
	const void *ctx;
};

/* Being made; `len` bytes of `text`. */
struct vary_key {
	uint32_t len;
	bool never; /* "*", or not understood: matches no request */
	char text[VARY_KEY_MAX];
};

void vary_key_init(struct vary_key *key);
/* Adds what one Vary line names. */
void vary_key_add(struct vary_key *key, struct sluice_str vary, const struct vary_request *request);

/* Does that request give the same secondary key? */
bool vary_matches(struct sluice_str key, const struct vary_request *request);

#endif
