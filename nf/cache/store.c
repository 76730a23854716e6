/* SPDX-License-Identifier: BSD-3-Clause */
#include "store.h"

#include <errno.h>
#include <sys/auxv.h>

#include "again.h"
#include "body.h"
#include "fields.h"
#include "nf/common/str.h"

#define BYTES_PER_BUCKET 2048
#define BUCKETS_LEAST    1024

/* --- the bound -------------------------------------------------------------------- */

static uint64_t buckets_for(uint64_t limit)
{
	uint64_t n = BUCKETS_LEAST;

	while (n < limit / BYTES_PER_BUCKET)
		n *= 2;
	return n;
}

/* The kernel's random bytes for this process: no system call, which may be forbidden by now. */
static void take_hash_key(struct store *store)
{
	const void *random =
		(const void *)getauxval(AT_RANDOM); /* NOLINT(performance-no-int-to-ptr) */
	struct hash_key seed = {sluice_now_us(store->nf), (uintptr_t)store};

	if (random)
		memcpy(&seed, random, sizeof(seed));
	store->hash_key.k0 = hash_bytes(&seed, "first", 5);
	store->hash_key.k1 = hash_bytes(&seed, "second", 6);
}

int store_init(struct store *store, struct sluice_nf *nf, uint64_t limit, uint32_t max_variants)
{
	uint64_t buckets = buckets_for(limit), rows = buckets / S3_GHOSTS_PER_ROW;
	struct s3_ghost *ghosts;

	*store = (struct store){.nf = nf, .limit = limit, .max_variants = max_variants};
	store->bucket = mem_get(&store->mem, buckets * sizeof(struct entry *));
	ghosts = mem_get(&store->mem, rows * S3_GHOSTS_PER_ROW * sizeof(*ghosts));
	if (!store->bucket || !ghosts) {
		mem_put(&store->mem, store->bucket);
		mem_put(&store->mem, ghosts);
		return -ENOMEM;
	}
	store->buckets = buckets;
	s3_init(&store->s3, limit, ghosts, rows);
	take_hash_key(store);
	return 0;
}

uint64_t store_used(const struct store *store)
{
	return store->mem.bytes + sluice_arena_used(store->nf);
}

static void detach(struct store *store, struct object *object);

/* Bytes that went, or may still be on their way to clients; 0: there was nothing. */
static uint64_t evict(struct store *store)
{
	struct s3_item *item = s3_victim(&store->s3);
	uint64_t bytes;

	if (!item)
		return 0;
	bytes = item->bytes;
	store->evictions++;
	detach(store, (struct object *)item);
	return bytes;
}

/*
 * What is being sent stays until it was acknowledged, so that room does not always come at
 * once. Then no more go than what was asked for: slow readers must not empty the store.
 */
bool store_make_room(struct store *store, uint64_t bytes)
{
	uint64_t used = store_used(store), gone = 0, excess;

	if (used + bytes <= store->limit)
		return true;
	excess = used + bytes - store->limit;
	while (gone < excess) {
		uint64_t one = evict(store);

		if (!one)
			break;
		gone += one;
	}
	return store_used(store) + bytes <= store->limit;
}

struct sluice_buf *store_buf(struct store *store, uint32_t bytes)
{
	struct sluice_buf *buf;
	uint64_t gone = 0;

	/* It gives whole cache lines. */
	if (!store_make_room(store, bytes + (uint64_t)SLUICE_CACHE_LINE))
		return NULL;
	/* The arena may be smaller than the bound, or in pieces. */
	while (!(buf = sluice_buf_alloc(store->nf, bytes)) && gone < 2 * (uint64_t)bytes) {
		uint64_t one = evict(store);

		if (!one)
			return NULL;
		gone += one;
	}
	return buf;
}

/* --- entries ------------------------------------------------------------------------ */

uint64_t store_hash(const struct store *store, struct sluice_str key)
{
	return hash_bytes(&store->hash_key, key.ptr, key.len);
}

static struct entry **bucket_of(const struct store *store, uint64_t hash)
{
	return &store->bucket[hash & (store->buckets - 1)];
}

struct entry *store_find(const struct store *store, uint64_t hash, struct sluice_str key)
{
	struct entry *e = *bucket_of(store, hash);

	while (e && (e->hash != hash || !str_equal(str_make(e->key, e->key_len), key)))
		e = e->next;
	return e;
}

static struct entry *entry_new(struct store *store, uint64_t hash, struct sluice_str key)
{
	struct entry *e = mem_get(&store->mem, sizeof(*e) + key.len);
	struct entry **bucket = bucket_of(store, hash);

	if (!e)
		return NULL;
	e->hash = hash;
	e->key_len = key.len;
	memcpy(e->key, key.ptr, key.len);
	e->next = *bucket;
	*bucket = e;
	return e;
}

struct entry *store_open(struct store *store, uint64_t hash, struct sluice_str key)
{
	struct entry *e = store_find(store, hash, key);

	if (!e)
		e = entry_new(store, hash, key);
	if (e)
		e->users++;
	return e;
}

static void entry_drop_if_idle(struct store *store, struct entry *entry)
{
	struct entry **at = bucket_of(store, entry->hash);

	if (entry->newest || entry->users)
		return;
	while (*at != entry)
		at = &(*at)->next;
	*at = entry->next;
	mem_put(&store->mem, entry);
}

void store_close(struct store *store, struct entry *entry)
{
	entry->users--;
	entry_drop_if_idle(store, entry);
}

void store_invalidate(struct store *store, struct entry *entry)
{
	entry->users++;
	entry->invalidations++;
	while (entry->newest)
		store_remove(store, entry->newest);
	store_close(store, entry);
}

struct object *store_match(const struct entry *entry, const struct vary_request *request)
{
	struct object *o = entry->newest;

	while (o && !vary_matches(object_vary(o), request))
		o = o->older;
	return o;
}

/* --- objects -------------------------------------------------------------------------- */

struct object *object_new(struct store *store, uint16_t status, struct fields *head,
			  struct sluice_str vary)
{
	struct object *o = mem_get(&store->mem, sizeof(*o) + vary.len);

	if (!o) {
		mem_put(&store->mem, head);
		return NULL;
	}
	o->refs = 1;
	o->status = status;
	o->head = head;
	o->vary_len = vary.len;
	memcpy(o->vary, vary.ptr, vary.len);
	return o;
}

struct object *object_ref(struct object *object)
{
	object->refs++;
	return object;
}

void object_unref(struct store *store, struct object *object)
{
	if (--object->refs)
		return;
	body_free(store, &object->body);
	again_free(&store->mem, object->again);
	mem_put(&store->mem, object->head);
	mem_put(&store->mem, object);
}

static uint64_t bytes_of(struct object *o)
{
	return mem_size(o) + mem_size(o->head) + body_bytes(&o->body);
}

/* Out of its entry, when it is out of its queue already. */
static void detach(struct store *store, struct object *object)
{
	struct entry *entry = object->entry;
	struct object **at = &entry->newest;

	while (*at != object)
		at = &(*at)->older;
	*at = object->older;
	entry->objects--;
	store->objects--;
	object->entry = NULL;
	object_unref(store, object);
	entry_drop_if_idle(store, entry);
}

void store_remove(struct store *store, struct object *object)
{
	if (!object->entry)
		return;
	sluice_unsteady(store->nf);
	s3_remove(&store->s3, &object->item);
	detach(store, object);
}

/* Those with the same secondary key, and the oldest when there are too many. */
static void make_way(struct store *store, struct entry *entry, const struct object *coming)
{
	struct object *o = entry->newest, *older, *last = NULL;

	for (; o; o = older) {
		older = o->older;
		if (str_equal(object_vary(o), object_vary(coming)))
			store_remove(store, o);
		else
			last = o;
	}
	if (last && entry->objects >= store->max_variants)
		store_remove(store, last);
}

void store_insert(struct store *store, struct entry *entry, struct object *object)
{
	entry->users++;
	make_way(store, entry, object);
	object_ref(object);
	object->entry = entry;
	object->older = entry->newest;
	entry->newest = object;
	entry->objects++;
	store->objects++;
	object->item.bytes = bytes_of(object);
	object->item.hash = entry->hash ^ store_hash(store, object_vary(object));
	store->ghost_returns += s3_insert(&store->s3, &object->item);
	store_close(store, entry);
}

void store_set_head(struct store *store, struct object *object, struct fields *head)
{
	sluice_unsteady(store->nf);
	mem_put(&store->mem, object->head);
	object->head = head;
	if (object->entry)
		s3_resize(&store->s3, &object->item, bytes_of(object));
}

void store_fini(struct store *store)
{
	struct s3_item *item;

	while ((item = s3_victim(&store->s3)))
		detach(store, (struct object *)item);
	mem_put(&store->mem, store->bucket);
	mem_put(&store->mem, store->s3.ghost);
}
