/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HTTP dates (RFC 9110 §5.6.7), read strictly: a date that is nearly right is no date, so
 * that nothing is held to be fresh on the strength of a guess. Pure; any thread.
 */
#ifndef NF_CACHE_HTTPDATE_H
#define NF_CACHE_HTTPDATE_H

#include <stdint.h>

#include <sluice/nf.h>

/*
 * The preferred form and the two obsolete ones. `now` places the two-digit year of RFC 850:
 * one that seems to be over 50 years ahead is of the past. 0 with seconds since 1970, or -EINVAL.
 */
int httpdate_parse(struct sluice_str text, int64_t now, int64_t *seconds)
	__attribute__((warn_unused_result));

#endif
