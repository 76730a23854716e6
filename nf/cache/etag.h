/* SPDX-License-Identifier: BSD-3-Clause */
/* Entity tags and lists of them (RFC 9110 §8.8.3, §13.1.2). Pure; any thread. */
#ifndef NF_CACHE_ETAG_H
#define NF_CACHE_ETAG_H

#include <stdbool.h>

#include <sluice/nf.h>

/* One entity tag and nothing else: "x" or W/"x". */
bool etag_is_valid(struct sluice_str tag);
bool etag_is_weak(struct sluice_str tag);

bool etag_equal_strong(struct sluice_str a, struct sluice_str b);
bool etag_equal_weak(struct sluice_str a, struct sluice_str b);

/* Is `tag` in the value of an If-None-Match line? "*" is any. What follows an error in the list is
 * not looked at. */
bool etag_list_has(struct sluice_str list, struct sluice_str tag);

#endif
