/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/memory.h"

#include <errno.h>
#include <numa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>
#include <rte_memory.h>
#include <rte_memzone.h>

#define REGION_ALIGN  (UINT64_C(2) << 20)
#define DATA_ROOM     (RTE_PKTMBUF_HEADROOM + 2048)
#define HEADER_COPY   256 /* of payload, beside a header */
#define HEADER_ROOM   (RTE_PKTMBUF_HEADROOM + 256 + HEADER_COPY)
#define POOL_CACHE    256
#define MBUF_OVERHEAD (sizeof(struct rte_mbuf) + 64) /* the header, and the mempool's own */

/* How a worker's share is divided, in percent: most of it receives. The rest is rings and tables.
 */
enum { SHARE_RX = 55, SHARE_DATA = 12, SHARE_HEADER = 10, SHARE_CONTROL = 2, SHARE_REF = 8 };

/* --- regions of EAL memory --------------------------------------------------------------- */

/* The file behind the page at `addr`, extended to the run of pages that follow it there. */
static int source_at(uint8_t *addr, uint64_t left, struct region_source *out)
{
	struct rte_memseg *seg = rte_mem_virt2memseg(addr, NULL);
	size_t offset;

	if (!seg)
		return -EFAULT;
	out->fd = rte_memseg_get_fd(seg);
	if (out->fd < 0 || rte_memseg_get_fd_offset(seg, &offset) < 0)
		return -ENOTSUP;
	out->offset = offset + (uint64_t)(addr - (uint8_t *)seg->addr);
	out->bytes = RTE_MIN(left, seg->len - (uint64_t)(addr - (uint8_t *)seg->addr));
	return 0;
}

static bool source_joins(const struct region_source *a, const struct region_source *b)
{
	return a->fd == b->fd && a->offset + a->bytes == b->offset;
}

/* Descriptors in the list are EAL's own until they are duplicated for the region. */
static int sources_find(uint8_t *base, uint64_t bytes, struct region_source **out, unsigned *count)
{
	struct region_source *list = NULL, *grown, next;
	unsigned n = 0;
	int rc;

	for (uint64_t done = 0; done < bytes; done += next.bytes) {
		rc = source_at(base + done, bytes - done, &next);
		if (rc)
			goto fail;
		if (n && source_joins(&list[n - 1], &next)) {
			list[n - 1].bytes += next.bytes;
			continue;
		}
		grown = realloc(list, (n + 1) * sizeof(*list));
		if (!grown) {
			rc = -ENOMEM;
			goto fail;
		}
		list = grown;
		list[n++] = next;
	}
	*out = list;
	*count = n;
	return 0;
fail:
	free(list);
	return rc;
}

static int sources_own(struct region_source *list, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		list[i].fd = dup(list[i].fd);
		if (list[i].fd >= 0)
			continue;
		while (i--)
			close(list[i].fd);
		return -EMFILE;
	}
	return 0;
}

static int region_of_zone(struct region_table *regions, enum region_kind kind, const char *name,
			  const struct rte_memzone *zone, uint64_t bytes, struct region **out)
{
	struct region_source *sources;
	unsigned count;
	int rc = sources_find(zone->addr, bytes, &sources, &count);

	if (rc)
		return rc;
	rc = sources_own(sources, count);
	if (!rc)
		rc = region_enter(regions, kind, name, zone->addr, bytes, sources, count, out);
	if (rc)
		free(sources);
	return rc;
}

static int region_reserve(struct region_table *regions, enum region_kind kind, const char *name,
			  uint64_t bytes, int node, struct region **out)
{
	uint64_t rounded = RTE_ALIGN_CEIL(bytes, REGION_ALIGN);
	const struct rte_memzone *zone =
		rte_memzone_reserve_aligned(name, rounded, node, 0, REGION_ALIGN);
	int rc;

	if (!zone)
		return -rte_errno;
	rc = region_of_zone(regions, kind, name, zone, rounded, out);
	if (rc)
		rte_memzone_free(zone);
	return rc;
}

/* --- pools ------------------------------------------------------------------------------- */

static unsigned share_count(uint64_t bytes, unsigned percent, uint64_t each)
{
	uint64_t n = bytes * percent / 100 / (each + MBUF_OVERHEAD);

	return n < 256 ? 256 : (unsigned)n;
}

static unsigned pool_cache(unsigned n)
{
	return n / 4 < POOL_CACHE ? n / 4 : POOL_CACHE;
}

static struct rte_mempool *pool_direct(const struct memory_pools *p, const char *what, unsigned n,
				       uint16_t room)
{
	char name[32];

	snprintf(name, sizeof(name), "%s.%u", what, p->worker);
	return rte_pktmbuf_pool_create(name, n, pool_cache(n), 0, room, p->node);
}

/* Pages lie together for us, but not always for the device: each is a piece of its own. */
static struct rte_pktmbuf_extmem *rx_pages(const struct region *region, uint16_t room,
					   uint16_t *count)
{
	struct rte_pktmbuf_extmem *page;
	unsigned n = (unsigned)(region->bytes / REGION_ALIGN);

	page = calloc(n, sizeof(*page));
	for (unsigned i = 0; page && i < n; i++) {
		uint8_t *base = region->base + i * REGION_ALIGN;

		page[i] = (struct rte_pktmbuf_extmem){base, rte_mem_virt2iova(base), REGION_ALIGN,
						      room};
	}
	*count = (uint16_t)n;
	return page;
}

/* Payload apart from headers: the pool's mbufs are pinned to the buffers of the region. */
static int rx_pool_create(struct region_table *regions, struct memory_pools *p, unsigned n,
			  uint16_t room)
{
	struct rte_pktmbuf_extmem *pages;
	char name[32];
	uint16_t count;
	int rc;

	snprintf(name, sizeof(name), "rx.%u", p->worker);
	rc = region_reserve(regions, REGION_RX, name, (uint64_t)n * room, p->node, &p->rx_region);
	if (rc)
		return rc;
	if (numa_available() >= 0 && numa_max_node() > 0)
		numa_tonode_memory(p->rx_region->base, p->rx_region->bytes, p->node);
	pages = rx_pages(p->rx_region, room, &count);
	if (!pages)
		return -ENOMEM;
	n = count * (unsigned)(REGION_ALIGN / room);
	snprintf(name, sizeof(name), "rxpool.%u", p->worker);
	p->rx = rte_pktmbuf_pool_create_extbuf(name, n, pool_cache(n), 0, room, p->node, pages,
					       count);
	free(pages);
	return p->rx ? 0 : -rte_errno;
}

static uint16_t rx_room(const struct memory_pools *p)
{
	return (uint16_t)(RTE_PKTMBUF_HEADROOM + p->rx_bytes);
}

int memory_pools_create(struct region_table *regions, unsigned worker, int node, uint64_t bytes,
			uint32_t rx_bytes, uint32_t copied_bytes, struct memory_pools *p)
{
	uint32_t header_room = RTE_MAX(HEADER_ROOM, HEADER_ROOM - HEADER_COPY + copied_bytes);
	int rc;

	*p = (struct memory_pools){.worker = worker, .node = node, .rx_bytes = rx_bytes};
	rc = rx_pool_create(regions, p, share_count(bytes, SHARE_RX, rx_room(p)), rx_room(p));
	if (rc)
		goto fail;
	p->data = pool_direct(p, "data", share_count(bytes, SHARE_DATA, DATA_ROOM), DATA_ROOM);
	p->header = pool_direct(p, "header", share_count(bytes, SHARE_HEADER, header_room),
				header_room);
	p->control = pool_direct(p, "control", share_count(bytes, SHARE_CONTROL, HEADER_ROOM),
				 HEADER_ROOM);
	p->ref = pool_direct(p, "ref", share_count(bytes, SHARE_REF, 0), 0);
	if (p->data && p->header && p->control && p->ref)
		return 0;
	rc = -ENOMEM;
fail:
	memory_pools_destroy(regions, p);
	return rc;
}

/* AF_XDP takes the pool's memory for an array of buffers. By itself a mempool leaves no buffer
 * across a page's end, for the sake of devices that know memory by its pages. */
static struct rte_mempool *pool_array(const char *name, unsigned n, uint16_t room, int node)
{
	struct rte_pktmbuf_pool_private private = {.mbuf_data_room_size = room};
	unsigned flags = rte_eal_iova_mode() == RTE_IOVA_VA ? RTE_MEMPOOL_F_NO_IOVA_CONTIG : 0;
	struct rte_mempool *pool =
		rte_mempool_create_empty(name, n, sizeof(struct rte_mbuf) + room, pool_cache(n),
					 sizeof(private), node, flags);

	if (!pool)
		return NULL;
	rte_pktmbuf_pool_init(pool, &private);
	if (rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), NULL) ||
	    rte_mempool_populate_default(pool) < 0) {
		rte_mempool_free(pool);
		return NULL;
	}
	rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
	return pool;
}

int memory_flat(struct memory_pools *p)
{
	char name[32];

	if (p->flat)
		return 0;
	snprintf(name, sizeof(name), "flat.%u", p->worker);
	p->flat = pool_array(name, rte_mempool_avail_count(p->rx) / 4, rx_room(p), p->node);
	return p->flat ? 0 : -ENOMEM;
}

void memory_pools_destroy(struct region_table *regions, struct memory_pools *p)
{
	if (p->rx_region)
		region_remove(regions, p->rx_region);
	*p = (struct memory_pools){0};
}

/* --- arenas ------------------------------------------------------------------------------ */

/* Pages of a plain file are given back and come zeroed; huge pages are kept, since there may be
 * no other. */
static void pages_zero(const struct rte_memzone *zone)
{
	if (rte_eal_has_hugepages() || madvise(zone->addr, zone->len, MADV_REMOVE))
		memset(zone->addr, 0, zone->len);
}

/* The smallest free one that is large enough. */
static struct memory_arena *arena_find(struct memory_arenas *arenas, uint64_t bytes)
{
	struct memory_arena *best = NULL;

	for (unsigned i = 0; i < arenas->count; i++) {
		struct memory_arena *a = &arenas->list[i];

		if (!a->region && a->zone->len >= bytes &&
		    (!best || a->zone->len < best->zone->len))
			best = a;
	}
	return best;
}

static struct memory_arena *arena_add(struct memory_arenas *arenas, uint64_t bytes)
{
	struct memory_arena *list, *a;
	char name[32];

	list = realloc(arenas->list, (arenas->count + 1) * sizeof(*list));
	if (!list)
		return NULL;
	arenas->list = list;
	a = &list[arenas->count];
	snprintf(name, sizeof(name), "arena.%u", arenas->count);
	*a = (struct memory_arena){
		.zone = rte_memzone_reserve_aligned(name, bytes, SOCKET_ID_ANY, 0, REGION_ALIGN)};
	if (!a->zone)
		return NULL;
	arenas->count++;
	return a;
}

int memory_arena_alloc(struct memory_arenas *arenas, struct region_table *regions, const char *name,
		       uint64_t bytes, struct region **out)
{
	uint64_t rounded = RTE_ALIGN_CEIL(bytes, REGION_ALIGN);
	struct memory_arena *a = arena_find(arenas, rounded);
	int rc;

	if (!a)
		a = arena_add(arenas, rounded);
	if (!a)
		return -ENOMEM;
	pages_zero(a->zone);
	rc = region_of_zone(regions, REGION_ARENA, name, a->zone, rounded, &a->region);
	*out = a->region;
	return rc;
}

void memory_arena_free(struct memory_arenas *arenas, struct region_table *regions,
		       struct region *arena)
{
	for (unsigned i = 0; i < arenas->count; i++)
		if (arenas->list[i].region == arena)
			arenas->list[i].region = NULL;
	region_remove(regions, arena);
}

void memory_arenas_destroy(struct memory_arenas *arenas, struct region_table *regions)
{
	for (unsigned i = 0; i < arenas->count; i++) {
		if (arenas->list[i].region)
			region_remove(regions, arenas->list[i].region);
	}
	free(arenas->list);
	*arenas = (struct memory_arenas){0};
}
