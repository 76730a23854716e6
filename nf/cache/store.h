/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is kept: entries by target, the stored responses (objects) of each, and the bound on
 * their memory.
 *
 * The bound counts true bytes: all of the arena that is in use (stored bodies, bodies that
 * are being filled, and bodies already given up that are still on their way to a client)
 * and the private memory beside it. What does not fit makes others go.
 *
 * Ownership: an object lives while it is in the store or somebody holds a reference; the
 * buffers of its body live on until the last slice that was emitted was acknowledged, which
 * is the SDK's care. An entry lives while it has objects or users. One thread.
 */
#ifndef NF_CACHE_STORE_H
#define NF_CACHE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/nf.h>

#include "fresh.h"
#include "mem.h"
#include "nf/common/hash.h"
#include "s3fifo.h"
#include "vary.h"

struct again;
struct entry;
struct fetch;
struct fields;

struct body_piece {
	struct sluice_buf *buf;
	uint32_t used;
};

struct body {
	struct body_piece *piece;
	uint32_t count, size;
	uint64_t bytes;
};

/* The numbers of the last purges by tag and by prefix. */
struct purges {
	uint64_t tags, prefixes;
};

/* One stored response. */
struct object {
	struct s3_item item;  /* first: an item is its object */
	struct object *older; /* of the same entry */
	struct entry *entry;  /* NULL: not in the store */
	uint32_t refs;
	uint16_t status; /* 206: a part of the whole, from byte `first` on */
	bool asked_late; /* it was served stale, and nobody asks: the next request brings a new one
			  */
	uint64_t first, whole;
	struct purges purges; /* it has been judged by: those until then */
	uint64_t erred_us;    /* when the origin last failed to renew it; 0: it has not */
	struct fields *head;
	struct again *again; /* how to ask for it without a client; NULL: it cannot be */
	bool refreshing;     /* and that is being done */
	struct body body;
	struct fresh_object fresh;
	int64_t modified; /* Last-Modified, or else Date: what If-Modified-Since is compared with */
	uint32_t vary_len;
	char vary[]; /* the secondary key */
};

/* One target. */
struct entry {
	struct entry *next; /* in its bucket */
	uint64_t hash;
	struct object *newest;
	struct fetch *leader; /* others may wait for it; NULL: nobody fetches */
	uint32_t objects, users;
	uint32_t invalidations; /* a response fetched before one is not stored after it */
	uint32_t key_len;
	char key[];
};

struct store {
	struct sluice_nf *nf;
	struct mem mem;
	uint64_t limit;
	struct hash_key hash_key;
	struct entry **bucket;
	uint64_t buckets; /* a power of two */
	struct s3fifo s3;
	uint32_t max_variants;
	uint64_t objects, evictions, ghost_returns; /* what there is, and what there was */
};

/* -ENOMEM; then nothing is left to free. */
int store_init(struct store *store, struct sluice_nf *nf, uint64_t limit, uint32_t max_variants)
	__attribute__((warn_unused_result));
void store_fini(struct store *store);

uint64_t store_used(const struct store *store);
/* Makes others go until `bytes` more fit. False: they do not. */
bool store_make_room(struct store *store, uint64_t bytes);
/* A buffer in the arena, within the bound; NULL: there is no room. */
struct sluice_buf *store_buf(struct store *store, uint32_t bytes);

/* --- entries ------------------------------------------------------------------- */

uint64_t store_hash(const struct store *store, struct sluice_str key);
struct entry *store_find(const struct store *store, uint64_t hash, struct sluice_str key);
/* The same, made if need be, with one more user. NULL: no memory. */
struct entry *store_open(struct store *store, uint64_t hash, struct sluice_str key);
void store_close(struct store *store, struct entry *entry);
/* All its objects go, and what is being fetched now will not be stored. */
void store_invalidate(struct store *store, struct entry *entry);

/* The newest object that a request may have by its Vary; NULL: none. */
struct object *store_match(const struct entry *entry, const struct vary_request *request);

/* --- objects ------------------------------------------------------------------- */

/* An object that is not in the store yet, with one reference. Takes `head` over, also when it
 * fails. */
struct object *object_new(struct store *store, uint16_t status, struct fields *head,
			  struct sluice_str vary);
struct object *object_ref(struct object *object);
void object_unref(struct store *store, struct object *object);

/* Puts it into the store, which takes a reference, instead of those with the same secondary key. */
void store_insert(struct store *store, struct entry *entry, struct object *object);
void store_remove(struct store *store, struct object *object);
/* Another head for an object; takes it over. */
void store_set_head(struct store *store, struct object *object, struct fields *head);

/* Bytes of the whole body, of which it may hold a part. */
static inline uint64_t object_whole(const struct object *object)
{
	return object->status == 206 ? object->whole : object->body.bytes;
}

static inline struct sluice_str object_vary(const struct object *object)
{
	return (struct sluice_str){object->vary, object->vary_len};
}

#endif
