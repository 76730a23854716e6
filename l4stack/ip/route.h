/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Routes, of either family, by longest prefix.
 *
 * A sorted array, searched once for each prefix length in use: it is asked once for a
 * connection, not for a packet. Zeroed, it is empty. One thread.
 */
#ifndef L4STACK_IP_ROUTE_H
#define L4STACK_IP_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "l4stack/base/addr.h"

struct route {
	struct addr net; /* masked */
	struct addr via; /* family ADDR_NONE: the network is connected */
	uint16_t port;
	uint8_t prefix;
};

struct route_table {
	struct route *routes; /* by family, prefix, network */
	unsigned count, room;
	uint16_t ip4_count[33], ip6_count[129]; /* routes of each prefix length */
};

/* 0, -EEXIST, -ENOMEM. `route->net` need not be masked. */
int route_add(struct route_table *table, const struct route *route)
	__attribute__((warn_unused_result));

/* -ENOENT. */
int route_del(struct route_table *table, const struct addr *net, unsigned prefix)
	__attribute__((warn_unused_result));

/* NULL when there is none. Valid until the table changes. */
const struct route *route_exact(const struct route_table *table, const struct addr *net,
				unsigned prefix);
const struct route *route_lookup(const struct route_table *table, const struct addr *dst);

void route_table_free(struct route_table *table);

#endif
