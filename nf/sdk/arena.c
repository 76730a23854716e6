/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/sdk/arena.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#define UNIT_BYTES   64
#define SPLIT_BITS   4 /* sixteen lists to each power of two */
#define SPLITS       (1u << SPLIT_BITS)
#define CLASSES      30
#define CHUNK        256 /* blocks allocated at once */
#define LEASES_LEAST 256

/* A run of the arena: free, or a buffer. `pub` is first: a sluice_buf is its block. */
struct block {
	struct sluice_buf pub;
	struct arena *arena;
	uint32_t refs; /* 0: free */
	uint32_t at, units;
	struct block *before, *after; /* neighbours in the arena */
	struct block *prev, *next;    /* in the list of its class */
};

struct chunk {
	struct chunk *next;
	struct block block[CHUNK];
};

struct lease {
	struct block *block; /* NULL: free */
	uint32_t next;       /* free: the next free one, by tag */
	struct arena_lease what;
};

struct arena {
	uint8_t *base;
	uint64_t bytes, used;
	uint32_t class_map;
	uint16_t split_map[CLASSES];
	struct block *list[CLASSES][SPLITS];
	struct block *first;
	struct block *spare;
	struct chunk *chunks;
	struct lease *lease;
	uint32_t leases, leases_size, lease_free; /* a tag; 0: none */
};

struct place {
	unsigned class, split;
};

static unsigned log2_floor(uint32_t n)
{
	return 31 - (unsigned)__builtin_clz(n);
}

/* The list in which a free block of that size stands. */
static struct place place_of(uint32_t units)
{
	unsigned lg;

	if (units < SPLITS)
		return (struct place){0, units};
	lg = log2_floor(units);
	return (struct place){lg - SPLIT_BITS + 1, (units >> (lg - SPLIT_BITS)) - SPLITS};
}

/* The first list of which every block is at least that large. */
static struct place place_for(uint32_t units)
{
	if (units >= SPLITS)
		units += (1u << (log2_floor(units) - SPLIT_BITS)) - 1;
	return place_of(units);
}

/* --- descriptions of blocks ----------------------------------------------------- */

static struct block *block_new(struct arena *a)
{
	struct block *b = a->spare;
	struct chunk *c;

	if (!b) {
		c = malloc(sizeof(*c));
		if (!c)
			return NULL;
		c->next = a->chunks;
		a->chunks = c;
		for (unsigned i = 0; i < CHUNK; i++) {
			c->block[i].next = a->spare;
			a->spare = &c->block[i];
		}
		b = a->spare;
	}
	a->spare = b->next;
	*b = (struct block){.arena = a};
	return b;
}

static void block_drop(struct arena *a, struct block *b)
{
	b->next = a->spare;
	a->spare = b;
}

/* --- free lists -------------------------------------------------------------------- */

static void list_put(struct arena *a, struct block *b)
{
	struct place p = place_of(b->units);
	struct block **head = &a->list[p.class][p.split];

	b->prev = NULL;
	b->next = *head;
	if (*head)
		(*head)->prev = b;
	*head = b;
	a->split_map[p.class] |= (uint16_t)(1u << p.split);
	a->class_map |= 1u << p.class;
}

static void list_take(struct arena *a, struct block *b)
{
	struct place p = place_of(b->units);

	if (b->prev)
		b->prev->next = b->next;
	else
		a->list[p.class][p.split] = b->next;
	if (b->next)
		b->next->prev = b->prev;
	if (a->list[p.class][p.split])
		return;
	a->split_map[p.class] &= (uint16_t) ~(1u << p.split);
	if (!a->split_map[p.class])
		a->class_map &= ~(1u << p.class);
}

static struct block *list_find(const struct arena *a, uint32_t units)
{
	struct place p = place_for(units);
	uint32_t map;

	if (p.class >= CLASSES)
		return NULL;
	map = a->split_map[p.class] & ~0u << p.split;
	if (!map) {
		map = a->class_map & ~0u << p.class & ~(1u << p.class);
		if (!map)
			return NULL;
		p.class = (unsigned)__builtin_ctz(map);
		map = a->split_map[p.class];
	}
	return a->list[p.class][__builtin_ctz(map)];
}

/* --- the arena ------------------------------------------------------------------------ */

int arena_create(void *base, uint64_t bytes, struct arena **out)
{
	struct arena *a;

	if (bytes < UNIT_BYTES || bytes / UNIT_BYTES >= UINT32_MAX / 2)
		return -EINVAL;
	a = calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	a->base = base;
	a->bytes = bytes;
	a->first = block_new(a);
	if (!a->first) {
		free(a);
		return -ENOMEM;
	}
	a->first->units = (uint32_t)(bytes / UNIT_BYTES);
	list_put(a, a->first);
	*out = a;
	return 0;
}

void arena_destroy(struct arena *a)
{
	struct chunk *c, *next;

	if (!a)
		return;
	for (c = a->chunks; c; c = next) {
		next = c->next;
		free(c);
	}
	free(a->lease);
	free(a);
}

/* What a block has beyond `units` becomes a free block after it. */
static void block_split(struct arena *a, struct block *b, uint32_t units)
{
	struct block *rest;

	if (b->units == units)
		return;
	rest = block_new(a);
	if (!rest)
		return; /* the buffer keeps it all: nothing is lost */
	rest->at = b->at + units;
	rest->units = b->units - units;
	rest->before = b;
	rest->after = b->after;
	if (b->after)
		b->after->before = rest;
	b->after = rest;
	b->units = units;
	list_put(a, rest);
}

struct sluice_buf *arena_alloc(struct arena *a, uint32_t size)
{
	uint32_t units = size / UNIT_BYTES + (size % UNIT_BYTES != 0 || size == 0);
	struct block *b = list_find(a, units);

	if (!b)
		return NULL;
	list_take(a, b);
	block_split(a, b, units);
	b->refs = 1;
	b->pub.data = a->base + (uint64_t)b->at * UNIT_BYTES;
	b->pub.size = size;
	a->used += (uint64_t)b->units * UNIT_BYTES;
	return &b->pub;
}

/* `b` swallows the free block that follows it. */
static void block_join(struct arena *a, struct block *b)
{
	struct block *gone = b->after;

	list_take(a, gone);
	b->units += gone->units;
	b->after = gone->after;
	if (b->after)
		b->after->before = b;
	block_drop(a, gone);
}

static void block_free(struct block *b)
{
	struct arena *a = b->arena;

	a->used -= (uint64_t)b->units * UNIT_BYTES;
	if (b->after && !b->after->refs)
		block_join(a, b);
	if (!b->before || b->before->refs) {
		list_put(a, b);
		return;
	}
	/* The one before stands in the list of its old size. */
	list_take(a, b->before);
	b->before->units += b->units;
	b->before->after = b->after;
	if (b->after)
		b->after->before = b->before;
	list_put(a, b->before);
	block_drop(a, b);
}

void sluice_buf_ref(struct sluice_buf *buf)
{
	((struct block *)buf)->refs++;
}

void sluice_buf_unref(struct sluice_buf *buf)
{
	struct block *b = (struct block *)buf;

	if (b && --b->refs == 0)
		block_free(b);
}

uint64_t arena_bytes(const struct arena *a)
{
	return a->bytes;
}

uint64_t arena_used(const struct arena *a)
{
	return a->used;
}

uint64_t arena_offset(const struct arena *a, const struct sluice_buf *buf)
{
	return (uint64_t)(buf->data - a->base);
}

/* --- leases ------------------------------------------------------------------------ */

static bool leases_grow(struct arena *a)
{
	uint32_t size = a->leases_size ? a->leases_size * 2 : LEASES_LEAST;
	struct lease *grown =
		size > a->leases_size ? realloc(a->lease, size * sizeof(*grown)) : NULL;

	if (!grown)
		return false;
	a->lease = grown;
	for (uint32_t i = size; i > a->leases_size; i--) {
		grown[i - 1] = (struct lease){.next = a->lease_free};
		a->lease_free = i;
	}
	a->leases_size = size;
	return true;
}

uint32_t arena_lease(struct arena *a, struct sluice_buf *buf, const struct arena_lease *what)
{
	uint32_t tag;
	struct lease *l;

	if (!a->lease_free && !leases_grow(a))
		return 0;
	tag = a->lease_free;
	l = &a->lease[tag - 1];
	a->lease_free = l->next;
	l->block = (struct block *)buf;
	l->what = *what;
	sluice_buf_ref(buf);
	a->leases++;
	return tag;
}

int arena_release(struct arena *a, uint32_t tag, struct arena_lease *was)
{
	struct lease *l = tag && tag <= a->leases_size ? &a->lease[tag - 1] : NULL;
	struct block *b;

	if (!l || !l->block)
		return -ENOENT;
	b = l->block;
	*was = l->what;
	l->block = NULL;
	l->next = a->lease_free;
	a->lease_free = tag;
	a->leases--;
	sluice_buf_unref(&b->pub);
	return 0;
}

uint32_t arena_leases(const struct arena *a)
{
	return a->leases;
}

/* --- for tests --------------------------------------------------------------------- */

static bool listed(const struct arena *a, const struct block *b)
{
	struct place p = place_of(b->units);

	for (const struct block *i = a->list[p.class][p.split]; i; i = i->next) {
		if (i == b)
			return a->class_map >> p.class & a->split_map[p.class] >> p.split & 1;
	}
	return false;
}

int arena_check(const struct arena *a)
{
	const struct block *before = NULL;
	uint64_t used = 0, at = 0;

	for (const struct block *b = a->first; b; before = b, b = b->after) {
		if (b->at != at || b->before != before || !b->units)
			return -EINVAL;
		if (!b->refs && (!listed(a, b) || (before && !before->refs)))
			return -EINVAL;
		at += b->units;
		used += b->refs ? (uint64_t)b->units * UNIT_BYTES : 0;
	}
	return at == a->bytes / UNIT_BYTES && used == a->used ? 0 : -EINVAL;
}
