/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many leading bytes are in a class: the inner loops of the codec.
 *
 * One set of loops is chosen before main: AVX2 where the CPU has it, else SSE2, else plain C.
 * All give the same results (the unit test runs every set against the plain one). Nothing
 * beyond `len` is read.
 *
 * Threads: constant data after the program's start, any thread.
 */
#ifndef CHAIN_HTTP_SCAN_H
#define CHAIN_HTTP_SCAN_H

#include <stdint.h>

#include "chain/http/chars.h"

typedef uint32_t http_scan_fn(const uint8_t *data, uint32_t len);

struct http_scan {
	const char *name;
	http_scan_fn *value;  /* HTTP_VALUE */
	http_scan_fn *target; /* HTTP_TARGET */
};

/* The set in use. */
extern const struct http_scan *http_scan;

/* The set number `index` if this CPU has it, the plain one first; NULL beyond the last. */
const struct http_scan *http_scan_set(uint32_t index);

/* Below this a loop over the table is as fast as a call. */
#define HTTP_SCAN_SHORT 16

static inline uint32_t http_scan_class(const uint8_t *data, uint32_t len, uint8_t class)
{
	uint32_t i = 0;

	while (i < len && http_is(data[i], class))
		i++;
	return i;
}

static inline uint32_t http_scan_token(const uint8_t *data, uint32_t len)
{
	return http_scan_class(data, len, HTTP_TOKEN);
}

static inline uint32_t http_scan_value(const uint8_t *data, uint32_t len)
{
	return len < HTTP_SCAN_SHORT ? http_scan_class(data, len, HTTP_VALUE)
				     : http_scan->value(data, len);
}

static inline uint32_t http_scan_target(const uint8_t *data, uint32_t len)
{
	return len < HTTP_SCAN_SHORT ? http_scan_class(data, len, HTTP_TARGET)
				     : http_scan->target(data, len);
}

#endif
