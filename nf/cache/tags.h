/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Purging by tag: responses name tags of theirs in Cache-Tag ("a, b") or Surrogate-Key
 * ("a b"), and a purge of a tag ends all of them.
 *
 * A purge only notes the tag; objects are looked at when they are to be used. Notes are few:
 * when there are too many the oldest is forgotten, and with it all objects with tags that
 * nobody has looked at since.
 *
 * Tags are compared by their keyed hash. One thread.
 */
#ifndef NF_CACHE_TAGS_H
#define NF_CACHE_TAGS_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/nf.h>

#include "nf/common/hash.h"

#define TAGS_NOTED 1024

struct fields;

struct tag_note {
	uint64_t hash, number;
	bool soft;
};

struct tags {
	uint64_t purges; /* ever: the number of the last one */
	struct tag_note note[TAGS_NOTED];
};

enum tags_end {
	TAGS_GOOD,
	TAGS_STALE, /* a soft purge */
	TAGS_GONE,
};

/* A purge of each tag in the text; how many there were. */
unsigned tags_purge(struct tags *tags, const struct hash_key *key, struct sluice_str text,
		    bool soft);

/* What purges after number `seen` have made of a response with this head. */
enum tags_end tags_judge(const struct tags *tags, const struct hash_key *key,
			 const struct fields *head, uint64_t seen);

/* Is it a field that names tags? */
bool tags_is_field(struct sluice_str name);

#endif
