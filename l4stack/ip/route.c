/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/ip/route.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 16

/* By family, then prefix length, then network. */
static int route_compare(const struct addr *a, unsigned a_prefix, const struct addr *b,
			 unsigned b_prefix)
{
	if (a->family == b->family && a_prefix != b_prefix)
		return a_prefix < b_prefix ? -1 : 1;
	return addr_compare(a, b);
}

/* Where the route stands, or would stand. */
static unsigned route_position(const struct route_table *table, const struct addr *net,
			       unsigned prefix)
{
	unsigned low = 0, high = table->count;

	while (low < high) {
		unsigned middle = (low + high) / 2;
		const struct route *r = &table->routes[middle];

		if (route_compare(&r->net, r->prefix, net, prefix) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct route *route_at(const struct route_table *table, unsigned position,
				    const struct addr *net, unsigned prefix)
{
	const struct route *r;

	if (position == table->count)
		return NULL;
	r = &table->routes[position];
	return route_compare(&r->net, r->prefix, net, prefix) == 0 ? r : NULL;
}

static uint16_t *length_count(struct route_table *table, uint8_t family, unsigned prefix)
{
	return family == ADDR_IP4 ? &table->ip4_count[prefix] : &table->ip6_count[prefix];
}

const struct route *route_exact(const struct route_table *table, const struct addr *net,
				unsigned prefix)
{
	struct addr masked = addr_mask(net, prefix);

	return route_at(table, route_position(table, &masked, prefix), &masked, prefix);
}

static int table_grow(struct route_table *table)
{
	unsigned room = table->room ? table->room * 2 : ROOM_FIRST;
	struct route *routes;

	if (table->count < table->room)
		return 0;
	if (table->count == UINT16_MAX)
		return -ENOMEM;
	routes = realloc(table->routes, room * sizeof(*routes));
	if (!routes)
		return -ENOMEM;
	table->routes = routes;
	table->room = room;
	return 0;
}

int route_add(struct route_table *table, const struct route *route)
{
	struct addr net = addr_mask(&route->net, route->prefix);
	unsigned at = route_position(table, &net, route->prefix);
	int err;

	if (route_at(table, at, &net, route->prefix))
		return -EEXIST;
	err = table_grow(table);
	if (err)
		return err;
	memmove(&table->routes[at + 1], &table->routes[at],
		(table->count - at) * sizeof(table->routes[0]));
	table->routes[at] = *route;
	table->routes[at].net = net;
	table->count++;
	++*length_count(table, net.family, route->prefix);
	return 0;
}

int route_del(struct route_table *table, const struct addr *net, unsigned prefix)
{
	const struct route *r = route_exact(table, net, prefix);
	unsigned at;

	if (!r)
		return -ENOENT;
	at = (unsigned)(r - table->routes);
	--*length_count(table, net->family, prefix);
	table->count--;
	memmove(&table->routes[at], &table->routes[at + 1],
		(table->count - at) * sizeof(table->routes[0]));
	return 0;
}

const struct route *route_lookup(const struct route_table *table, const struct addr *dst)
{
	const uint16_t *counts = dst->family == ADDR_IP4 ? table->ip4_count : table->ip6_count;

	for (int prefix = (int)addr_bits(dst->family); prefix >= 0; prefix--) {
		const struct route *r;

		if (counts[prefix] == 0)
			continue;
		r = route_exact(table, dst, (unsigned)prefix);
		if (r)
			return r;
	}
	return NULL;
}

void route_table_free(struct route_table *table)
{
	free(table->routes);
	*table = (struct route_table){0};
}
