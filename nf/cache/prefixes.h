/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Purging by prefix: of all that is stored for targets that begin so. As with tags, a purge only
 * notes the prefix, and objects are looked at when they are to be used. When there are too many
 * notes the oldest is forgotten, and with it all objects that nobody has looked at since.
 *
 * Prefixes are of keys (uri.h). One thread.
 */
#ifndef NF_CACHE_PREFIXES_H
#define NF_CACHE_PREFIXES_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/nf.h>

#include "tags.h"

#define PREFIXES_NOTED 64
#define PREFIX_BYTES   1024

struct prefix_note {
	uint32_t len;
	bool soft;
	char text[PREFIX_BYTES];
};

struct prefixes {
	uint64_t purges; /* ever: the number of the last one */
	struct prefix_note note[PREFIXES_NOTED];
};

/* False: it is longer than PREFIX_BYTES. */
bool prefixes_purge(struct prefixes *prefixes, struct sluice_str prefix, bool soft);

/* What purges after number `seen` have made of what is stored under that key. */
enum tags_end prefixes_judge(const struct prefixes *prefixes, struct sluice_str key, uint64_t seen);

#endif
