/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Regions: the pieces of shared memory, by number, as this process has them mapped.
 *
 * The table is written by the control thread and read by all: an entry is filled once,
 * before its number is told to anyone, and numbers are not used again while anything may
 * refer to them.
 */
#ifndef CHAIN_RING_REGION_H
#define CHAIN_RING_REGION_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/abi.h>

/* The kinds, by the numbers under which functions know them. */
enum region_kind {
	REGION_NONE = SLUICE_REGION_NONE,
	REGION_RX = SLUICE_REGION_RX,
	REGION_MESSAGES = SLUICE_REGION_MESSAGES,
	REGION_UPSTREAMS = SLUICE_REGION_UPSTREAMS,
	REGION_ARENA = SLUICE_REGION_ARENA,
};

/* How another process can map it: the file, and where in it. The descriptor is the region's. */
struct region_source {
	int fd;
	uint64_t offset;
	uint64_t bytes;
};

struct region {
	uint16_t id;
	uint8_t kind; /* enum region_kind */
	uint8_t *base;
	uint64_t bytes;
	const char *name;              /* "rx.0", "arena.edge.0" */
	struct region_source *sources; /* in order; together `bytes` */
	unsigned sources_count;
	bool mapped; /* by region_create_*: region_remove unmaps it */
};

#define REGIONS_MAX 1024

/* Shared by the whole process. */
struct region_table {
	struct region *region[REGIONS_MAX]; /* NULL: no such number; 0 is never used */
	uint16_t last; /* the number given last: they go round, so that an old one rests */
};

/* The bytes of a slice, or NULL if any of them is outside its region (64-bit arithmetic). */
static inline uint8_t *region_resolve(const struct region_table *table, uint64_t ref, uint32_t len)
{
	uint16_t id = sluice_ref_region(ref);
	uint64_t offset = sluice_ref_offset(ref);
	const struct region *r = id < REGIONS_MAX ? table->region[id] : 0;

	if (!r || offset > r->bytes || len > r->bytes - offset)
		return 0;
	return r->base + offset;
}

static inline bool region_holds(const struct region *r, const void *ptr)
{
	return (const uint8_t *)ptr - r->base >= 0 &&
	       (uint64_t)((const uint8_t *)ptr - r->base) < r->bytes;
}

/* A region of anonymous shared memory (a memfd, mapped for writing here, then sealed so that nobody
 * can map it for writing again): messages and upstreams. 0 or -errno. */
int region_create_sealed(struct region_table *table, enum region_kind kind, const char *name,
			 uint64_t bytes, struct region **out) __attribute__((warn_unused_result));
/* The same, but it is another process that writes it, through its descriptor; we read. */
int region_create_shared(struct region_table *table, enum region_kind kind, const char *name,
			 uint64_t bytes, struct region **out) __attribute__((warn_unused_result));
/* Enters memory that exists (EAL's) under a free number. Takes over `sources` and its fds. */
int region_enter(struct region_table *table, enum region_kind kind, const char *name, void *base,
		 uint64_t bytes, struct region_source *sources, unsigned sources_count,
		 struct region **out) __attribute__((warn_unused_result));
/* Closes descriptors, unmaps what was mapped here, frees the number. */
void region_remove(struct region_table *table, struct region *region);
#endif
