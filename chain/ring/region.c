/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/ring/region.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "chain/ring/memfd.h"

static uint16_t number_free(const struct region_table *table)
{
	for (unsigned i = 1; i < REGIONS_MAX; i++) {
		unsigned id = (table->last + i - 1) % (REGIONS_MAX - 1) + 1;

		if (!table->region[id])
			return (uint16_t)id;
	}
	return 0;
}

int region_enter(struct region_table *table, enum region_kind kind, const char *name, void *base,
		 uint64_t bytes, struct region_source *sources, unsigned sources_count,
		 struct region **out)
{
	uint16_t id = number_free(table);
	struct region *r = calloc(1, sizeof(*r));
	char *own_name = strdup(name);

	if (!id || !r || !own_name) {
		free(r);
		free(own_name);
		return id ? -ENOMEM : -ENOSPC;
	}
	*r = (struct region){
		.id = id,
		.kind = (uint8_t)kind,
		.base = base,
		.bytes = bytes,
		.name = own_name,
		.sources = sources,
		.sources_count = sources_count,
	};
	table->last = id;
	__atomic_store_n(&table->region[id], r, __ATOMIC_RELEASE);
	*out = r;
	return 0;
}

static int region_create(struct region_table *table, enum region_kind kind, const char *name,
			 uint64_t bytes, bool writer, struct region **out)
{
	struct region_source *source = calloc(1, sizeof(*source));
	struct memfd memory;
	int rc;

	if (!source)
		return -ENOMEM;
	rc = memfd_make(name, bytes, writer, &memory);
	if (rc)
		goto out_source;
	*source = (struct region_source){.fd = memory.fd, .bytes = memory.bytes};
	rc = region_enter(table, kind, name, memory.base, memory.bytes, source, 1, out);
	if (rc)
		goto out_memory;
	(*out)->mapped = true;
	return 0;
out_memory:
	memfd_end(&memory);
out_source:
	free(source);
	return rc;
}

int region_create_sealed(struct region_table *table, enum region_kind kind, const char *name,
			 uint64_t bytes, struct region **out)
{
	return region_create(table, kind, name, bytes, true, out);
}

int region_create_shared(struct region_table *table, enum region_kind kind, const char *name,
			 uint64_t bytes, struct region **out)
{
	return region_create(table, kind, name, bytes, false, out);
}

void region_remove(struct region_table *table, struct region *r)
{
	if (!r)
		return;
	__atomic_store_n(&table->region[r->id], NULL, __ATOMIC_RELEASE);
	if (r->mapped)
		munmap(r->base, r->bytes);
	for (unsigned i = 0; i < r->sources_count; i++)
		close(r->sources[i].fd);
	free(r->sources);
	free((char *)(uintptr_t)r->name);
	free(r);
}
