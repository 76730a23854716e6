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

/* In words, of which the last one may overlap. What is shorter than a word only counts by its
 * length. */
static inline uint64_t http_mix(const uint8_t *data, uint32_t len)
{
	uint64_t mixed = len;

	for (uint32_t i = 0; i + sizeof(uint64_t) <= len; i += sizeof(uint64_t))
		mixed = (mixed << 7 | mixed >> 57) + http_load64(data + i);
	if (len % sizeof(uint64_t) && len > sizeof(uint64_t))
		mixed = (mixed << 7 | mixed >> 57) + http_load64(data + len - sizeof(uint64_t));
	return mixed * UINT64_C(0x9e3779b97f4a7c15);
}

#endif
