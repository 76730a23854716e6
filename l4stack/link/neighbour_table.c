/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/link/neighbour_table.h"

#include <errno.h>
#include <rte_mbuf.h>
#include <stdlib.h>
#include <string.h>

#include "l4stack/base/siphash.h"

int neighbours_create(struct stack *stack, struct neighbours **out)
{
	struct neighbours *table = calloc(1, sizeof(*table));

	if (!table)
		return -ENOMEM;
	table->stack = stack;
	memcpy(table->key, stack->conf.secret, sizeof(table->key));
	TAILQ_INIT(&table->free);
	TAILQ_INIT(&table->unused);
	STAILQ_INIT(&table->spare);
	for (unsigned i = 0; i < NEIGHBOUR_QUEUE_ALL_MAX; i++)
		STAILQ_INSERT_TAIL(&table->spare, &table->packets[i], link);
	for (unsigned i = 0; i < NEIGHBOURS_MAX; i++)
		TAILQ_INSERT_TAIL(&table->free, &table->entries[i], in_list);
	*out = table;
	return 0;
}

struct rte_mbuf *neighbour_packet_take(struct neighbours *table, struct neighbour_packets *queue)
{
	struct neighbour_packet *oldest = STAILQ_FIRST(queue);

	if (!oldest)
		return NULL;
	STAILQ_REMOVE_HEAD(queue, link);
	STAILQ_INSERT_HEAD(&table->spare, oldest, link);
	return oldest->pkt;
}

static void queue_free(struct neighbours *table, struct neighbour *n)
{
	struct rte_mbuf *pkt;

	while ((pkt = neighbour_packet_take(table, &n->queue)))
		rte_pktmbuf_free(pkt);
	n->queued = 0;
}

void neighbours_destroy(struct neighbours *table)
{
	for (unsigned i = 0; i < NEIGHBOURS_MAX; i++)
		if (table->entries[i].queued > 0)
			queue_free(table, &table->entries[i]);
	free(table);
}

static struct neighbour_bucket *bucket_of(struct neighbours *table, uint16_t port,
					  const struct addr *addr)
{
	uint8_t bytes[sizeof(addr->bytes) + sizeof(port)];

	memcpy(bytes, addr->bytes, sizeof(addr->bytes));
	memcpy(bytes + sizeof(addr->bytes), &port, sizeof(port));
	return &table->buckets[siphash13(table->key, bytes, sizeof(bytes)) % NEIGHBOUR_BUCKETS];
}

struct neighbour *neighbour_find(struct neighbours *table, uint16_t port, const struct addr *addr)
{
	struct neighbour *n;

	SLIST_FOREACH (n, bucket_of(table, port, addr), in_bucket)
		if (n->port == port && addr_equal(&n->addr, addr))
			return n;
	return NULL;
}

/* A free entry, taken off its list. */
static struct neighbour *entry_take(struct neighbours *table)
{
	struct neighbour *n = TAILQ_FIRST(&table->free);

	if (!n) {
		struct neighbour *oldest = TAILQ_FIRST(&table->unused);

		if (!oldest)
			return NULL;
		stack_count(table->stack, neighbour_evicted);
		neighbour_forget(table, oldest);
		n = TAILQ_FIRST(&table->free);
	}
	TAILQ_REMOVE(&table->free, n, in_list);
	return n;
}

struct neighbour *neighbour_make(struct neighbours *table, uint16_t port, const struct addr *addr)
{
	struct neighbour *n = entry_take(table);

	if (!n)
		return NULL;
	memset(n, 0, sizeof(*n));
	n->stack = table->stack;
	n->port = port;
	n->addr = *addr;
	n->timer.fire = neighbour_timeout;
	n->timer.owner = n;
	STAILQ_INIT(&n->queue);
	SLIST_INSERT_HEAD(bucket_of(table, port, addr), n, in_bucket);
	TAILQ_INSERT_TAIL(&table->unused, n, in_list);
	return n;
}

void neighbour_forget(struct neighbours *table, struct neighbour *n)
{
	table->generation++;
	stack_timer_stop(table->stack, &n->timer);
	stack_count_add(table->stack, neighbour_unreachable, n->queued);
	queue_free(table, n);
	SLIST_REMOVE(bucket_of(table, n->port, &n->addr), n, neighbour, in_bucket);
	TAILQ_REMOVE(&table->unused, n, in_list);
	TAILQ_INSERT_HEAD(&table->free, n, in_list);
}

static void neighbour_info(const struct neighbour *n, struct stack_neighbour_info *info)
{
	*info = (struct stack_neighbour_info){
		.addr = n->addr,
		.port = n->port,
		.resolved = n->state >= NEIGHBOUR_REACHABLE,
	};
	if (info->resolved)
		memcpy(info->mac, n->way.header, sizeof(info->mac));
}

void neighbours_each(const struct neighbours *table,
		     void (*fn)(void *ctx, const struct stack_neighbour_info *info), void *ctx)
{
	for (unsigned i = 0; i < NEIGHBOUR_BUCKETS; i++) {
		const struct neighbour *n;

		SLIST_FOREACH (n, &table->buckets[i], in_bucket) {
			struct stack_neighbour_info info;

			neighbour_info(n, &info);
			fn(ctx, &info);
		}
	}
}
