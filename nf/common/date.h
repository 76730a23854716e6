/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HTTP dates (RFC 9110 §5.6.7), by arithmetic alone: no locale, no time zone file, so that
 * a function that is locked in can use them at any time. Pure; any thread.
 */
#ifndef NF_COMMON_DATE_H
#define NF_COMMON_DATE_H

#include <stdint.h>

#include <sluice/nf.h>

#define DATE_BYTES 30 /* "Sun, 06 Nov 1994 08:49:37 GMT" and its NUL */

/* Writes the preferred form. Years 1 to 9999; what lies beyond is written as the nearest. */
void date_format(int64_t unix_seconds, char out[DATE_BYTES]);

/* The same moment as in RFC 3339, "1994-11-06T08:49:37Z", and as access logs have it,
 * "06/Nov/1994:08:49:37 +0000". */
void date_format_iso(int64_t unix_seconds, char out[DATE_BYTES]);
void date_format_clf(int64_t unix_seconds, char out[DATE_BYTES]);

/*
 * Reads the preferred form and the two obsolete ones, strictly: a date that is nearly right is no
 * date, so that nothing is held to be fresh on the strength of a guess. `now` places the two-digit
 * years of RFC 850: one that seems to be over 50 years ahead is of the past. 0, or -EINVAL.
 */
int date_parse(struct sluice_str text, int64_t now, int64_t *unix_seconds)
	__attribute__((warn_unused_result));

#endif
