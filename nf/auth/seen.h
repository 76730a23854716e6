/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Credentials that were found good, for a while: so that a costly hash or signature is computed
 * once and not for every request.
 *
 * They are known by 128 bits of a keyed hash, never by themselves; the table has a fixed size, and
 * a newcomer takes the place of who would be forgotten soonest. Only what is good is remembered:
 * bad credentials push nobody out. Belongs to one instance and its thread.
 */
#ifndef NF_AUTH_SEEN_H
#define NF_AUTH_SEEN_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/nf.h>

#include "nf/common/hash.h"

struct pool;

#define SEEN_WAYS       4
#define SEEN_USER_BYTES 256

struct seen_tag {
	uint64_t word[2];
};

struct seen_entry {
	struct seen_tag tag;
	int64_t until; /* wall clock, seconds; 0: nobody's */
	char user[SEEN_USER_BYTES];
};

struct seen {
	struct hash_key key[2];
	struct seen_entry *entry;
	uint32_t mask; /* of rows */
};

/* Room for at least `count`; 0: nothing is remembered. 0 or -errno. */
int seen_init(struct seen *seen, struct pool *pool, uint32_t count)
	__attribute__((warn_unused_result));

/* `kind` keeps credentials of two sorts apart. */
struct seen_tag seen_tag_of(const struct seen *seen, uint8_t kind, struct sluice_str text);

/* The name behind it; NULL: it is not known, or was for too long. */
const char *seen_find(const struct seen *seen, const struct seen_tag *tag, int64_t now);
void seen_add(struct seen *seen, const struct seen_tag *tag, const char *user, int64_t until);

#endif
