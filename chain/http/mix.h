/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A number for bytes, to find again what was kept: what it confuses is told apart by comparison. It
 * stands against nobody who wants it to confuse: that costs him the short way, and nothing else.
 *
 * Threads: any.
 */
#ifndef CHAIN_HTTP_MIX_H
#define CHAIN_HTTP_MIX_H

#include "chain/http/chars.h"

/* All bits of the number count in the upper half of what comes of it. */
static inline uint64_t http_mix_end(uint64_t mixed)
{
	mixed = (mixed ^ mixed >> 32) * UINT64_C(0xd6e8feb86659fd93);
	return (mixed ^ mixed >> 32) * UINT64_C(0x9e3779b97f4a7c15);
}

/* In words, of which the last one may overlap. What is shorter than a word only counts by its
 * length. A few bytes that differ across two words stay apart by the turn, which is long. */
static inline uint64_t http_mix(const uint8_t *data, uint32_t len)
{
	uint64_t mixed = len;

	for (uint32_t i = 0; i + sizeof(uint64_t) <= len; i += sizeof(uint64_t))
		mixed = (mixed << 41 | mixed >> 23) + http_load64(data + i);
	if (len % sizeof(uint64_t) && len > sizeof(uint64_t))
		mixed = (mixed << 41 | mixed >> 23) + http_load64(data + len - sizeof(uint64_t));
	return http_mix_end(mixed);
}

#endif
