/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a stream carries: a byte for each offset, such that a byte in the wrong place shows.
 */
#ifndef TESTS_SIM_PATTERN_H
#define TESTS_SIM_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint8_t pattern_byte(uint32_t stream, uint64_t offset)
{
	uint64_t z = (offset / 8 + 1) * 0x9e3779b97f4a7c15u + stream * 0xd1342543de82ef95u;

	z ^= z >> 29;
	z *= 0xbf58476d1ce4e5b9u;
	return (uint8_t)(z >> (offset % 8 * 8));
}

static inline void pattern_fill(uint32_t stream, uint64_t offset, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = pattern_byte(stream, offset + i);
}

static inline bool pattern_matches(uint32_t stream, uint64_t offset, const uint8_t *in, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (in[i] != pattern_byte(stream, offset + i))
			return false;
	return true;
}

#endif
