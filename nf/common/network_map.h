/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Networks that each have a value; of those that a peer is in the one with the longest prefix
 * counts: "all of 10.0.0.0/8 but for 10.1.0.0/16". IPv4 is as in network.h.
 *
 * A look-up takes one binary search for each length of prefix that occurs. Ownership: entries lie
 * in the pool they were read into. Never changed after that.
 */
#ifndef NF_COMMON_NETWORK_MAP_H
#define NF_COMMON_NETWORK_MAP_H

#include <stdint.h>

#include "nf/common/network.h"

struct network_entry {
	struct network_range range;
	uint8_t bits;
	uint8_t value;
};

struct network_map {
	struct network_entry *entry; /* by length of prefix, longest first, then by address */
	unsigned count;
};

/* The lists `keys` of `group`, the values of whose networks are 1, 2, …; `keys` ends with NULL. A
 * network that stands twice with two values is an error. Errors are recorded about the lists. */
int network_map_read(struct pool *pool, const struct sluice_conf *group, const char *const *keys,
		     struct network_map *out) __attribute__((warn_unused_result));

/* 0: it is in none. */
uint8_t network_map_find(const struct network_map *map, const struct sluice_peer *peer);

#endif
