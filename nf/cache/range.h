/* SPDX-License-Identifier: BSD-3-Clause */
/* The fields Range (RFC 9110 §14.2), for one range of bytes, and Content-Range. Pure; any thread.
 */
#ifndef NF_CACHE_RANGE_H
#define NF_CACHE_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/nf.h>

enum range_kind {
	RANGE_IGNORED,       /* not understood, or several ranges: the whole is the answer */
	RANGE_PART,          /* 206 with first to last */
	RANGE_UNSATISFIABLE, /* 416 */
};

/* For a body of `length` bytes. `first` and `last` (which is in it) are set for RANGE_PART. */
enum range_kind range_parse(struct sluice_str value, uint64_t length, uint64_t *first,
			    uint64_t *last);

/* A Content-Range (RFC 9110 §14.4) with a known length: "bytes 0-9/100". */
bool range_parse_content(struct sluice_str value, uint64_t *first, uint64_t *last, uint64_t *whole);

#endif
