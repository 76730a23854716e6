/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers in network order and the Internet checksum, for tests that write and read packets byte by
 * byte. Nothing of the stack's own is used, so that a fault in it cannot hide behind itself.
 */
#ifndef TESTS_SUPPORT_NET_H
#define TESTS_SUPPORT_NET_H

#include <stddef.h>
#include <stdint.h>

/* Writes a number of that many bytes; what lies behind it. */
static inline uint8_t *net_put(uint8_t *p, unsigned bytes, uint32_t v)
{
	for (unsigned i = bytes; i-- > 0; v >>= 8)
		p[i] = (uint8_t)v;
	return p + bytes;
}

static inline uint32_t net_get(const uint8_t *p, unsigned bytes)
{
	uint32_t v = 0;

	while (bytes--)
		v = v << 8 | *p++;
	return v;
}

/* RFC 1071, not yet inverted; `sum` is that of what comes before (a pseudo-header), or 0. */
static inline uint16_t net_sum(const uint8_t *p, size_t len, uint64_t sum)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

#endif
