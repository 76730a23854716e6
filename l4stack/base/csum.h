/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Internet checksum (RFC 1071, RFC 1624).
 *
 * A *sum* is the folded one's-complement sum of 16-bit words as they stand in memory,
 * so it is written to a packet and compared without swapping. A *checksum* is its
 * complement: what a header field holds. Pure functions.
 */
#ifndef L4STACK_BASE_CSUM_H
#define L4STACK_BASE_CSUM_H

#include <stddef.h>
#include <stdint.h>

#include "l4stack/base/addr.h"

struct rte_mbuf;

/* The sum of `len` bytes at any alignment; an odd last byte is padded with zero. */
uint16_t csum_bytes(const void *data, size_t len);

/* The sum of `len` bytes of a chain from `offset`; segments may have any length. The
 * range must lie inside the chain. */
uint16_t csum_mbuf(const struct rte_mbuf *pkt, uint32_t offset, uint32_t len);

static inline uint16_t csum_add(uint16_t a, uint16_t b)
{
	uint32_t sum = (uint32_t)a + b;

	return (uint16_t)(sum + (sum >> 16));
}

/* What a sum becomes when its bytes move by one: RFC 1071 §2 (B). */
static inline uint16_t csum_swap(uint16_t sum)
{
	return (uint16_t)(sum << 8 | sum >> 8);
}

static inline uint16_t csum_finish(uint16_t sum)
{
	return (uint16_t)~sum;
}

static inline uint16_t csum_fold32(uint32_t word)
{
	return csum_add((uint16_t)word, (uint16_t)(word >> 16));
}

static inline uint16_t csum_fold64(uint64_t sum)
{
	sum = (sum & UINT32_MAX) + (sum >> 32);
	sum = (sum & UINT32_MAX) + (sum >> 32);
	return csum_fold32((uint32_t)sum);
}

/* The sum of a transport's pseudo header: of IPv4 (RFC 9293 §3.1), */
static inline uint16_t csum_pseudo4(const struct addr *src, const struct addr *dst,
				    uint8_t protocol, uint32_t len)
{
	return csum_fold64((uint64_t)__builtin_bswap16(protocol) + __builtin_bswap32(len) +
			   addr_ip4(src) + addr_ip4(dst));
}

/* and of either family (RFC 8200 §8.1). */
static inline uint16_t csum_pseudo(const struct addr *src, const struct addr *dst, uint8_t protocol,
				   uint32_t len)
{
	uint64_t rest = (uint64_t)__builtin_bswap16(protocol) + __builtin_bswap32(len);

	if (src->family == ADDR_IP4)
		return csum_pseudo4(src, dst, protocol, len);
	return csum_add(csum_add(csum_bytes(src->bytes, 16), csum_bytes(dst->bytes, 16)),
			csum_fold64(rest));
}

/* The checksum after a field covered by it went from `before` to `after` (RFC 1624 eqn. 3).
 * Fields as they stand in memory, at an even offset. */
static inline uint16_t csum_update16(uint16_t checksum, uint16_t before, uint16_t after)
{
	uint16_t sum = csum_add(csum_add((uint16_t)~checksum, (uint16_t)~before), after);

	return (uint16_t)~sum;
}

static inline uint16_t csum_update32(uint16_t checksum, uint32_t before, uint32_t after)
{
	checksum = csum_update16(checksum, (uint16_t)before, (uint16_t)after);
	return csum_update16(checksum, (uint16_t)(before >> 16), (uint16_t)(after >> 16));
}

#endif
