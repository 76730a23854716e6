/* SPDX-License-Identifier: BSD-3-Clause */
/* The Cache-Status field (RFC 9211): what the cache did, for whoever looks at the answer. */
#ifndef NF_CACHE_NOTE_H
#define NF_CACHE_NOTE_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/nf.h>

/* Why a request went on to the origin; NOTE_HIT: it did not. */
enum note_why {
	NOTE_HIT = 0,
	NOTE_URI_MISS,
	NOTE_VARY_MISS,
	NOTE_STALE,
	NOTE_REQUEST, /* the client wanted it */
	NOTE_METHOD,
};

struct note {
	enum note_why why;
	bool stored;
	bool collapsed; /* answered by what another request fetched */
	bool has_ttl;
	int64_t ttl_s;
	uint16_t forward_status; /* of the origin's answer, where it is not the client's; 0: none */
};

#define NOTE_BYTES 256

/* `name`: of this cache, a token of at most 100 bytes. */
struct sluice_str note_text(const struct note *note, const char *name, char room[NOTE_BYTES]);

#endif
