/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sets of networks: is this peer in one of them?
 *
 * All addresses are 16 bytes here; IPv4 stands in ::ffff:0:0/96, so that a client that is
 * IPv4 within IPv6 cannot walk around an IPv4 rule. A set is kept as sorted ranges that do
 * not overlap: a look-up takes log2(n) comparisons.
 *
 * Ownership: the ranges lie in the pool they were read into. Never changed after that.
 */
#ifndef NF_COMMON_NETWORK_H
#define NF_COMMON_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/nf.h>

struct pool;

struct network_range {
	uint8_t first[16], last[16];
};

struct networks {
	struct network_range *range;
	unsigned count;
};

/* "10.0.0.0/8", "10.1.2.3", "fd00::/8": 0, or -EINVAL for what is none, also with bits beyond the
 * prefix. */
int network_parse(const char *text, struct network_range *out) __attribute__((warn_unused_result));

/* The list `key` of `group`; absent: the empty set. Errors are recorded about the list. */
int networks_read(struct pool *pool, const struct sluice_conf *group, const char *key,
		  struct networks *out) __attribute__((warn_unused_result));

bool networks_contain(const struct networks *set, const struct sluice_peer *peer);

/* The 16 bytes that stand for the peer's address. */
void network_address(const struct sluice_peer *peer, uint8_t out[16]);

/* The peer's address as text, without port or brackets; `out` has NETWORK_TEXT_BYTES. */
#define NETWORK_TEXT_BYTES 46
struct sluice_str network_peer_text(const struct sluice_peer *peer, char *out);

#endif
