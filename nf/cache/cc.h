/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Cache-Control of requests and responses (RFC 9111 §5.2, RFC 5861 for the stale-… ones).
 *
 * What is unknown is ignored. What is known and wrong (no number where one belongs, two
 * numbers that differ, a quote that is never closed) sets CC_BAD: the message then gives
 * no freshness, for a mistake must not make a response live longer.
 *
 * Texts point into the values that were parsed. Pure; any thread.
 */
#ifndef NF_CACHE_CC_H
#define NF_CACHE_CC_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/nf.h>

#define CC_ABSENT      (-1)
#define CC_SECONDS_MAX INT64_C(2147483648) /* RFC 9111 §1.2.2: more is this */
#define CC_LISTS_MAX   4

enum cc_flag {
	CC_NO_STORE = 1 << 0,
	CC_NO_CACHE = 1 << 1, /* without field names */
	CC_PRIVATE = 1 << 2,  /* without field names */
	CC_PUBLIC = 1 << 3,
	CC_MUST_REVALIDATE = 1 << 4,
	CC_PROXY_REVALIDATE = 1 << 5,
	CC_MUST_UNDERSTAND = 1 << 6,
	CC_ONLY_IF_CACHED = 1 << 7,
	CC_MAX_STALE_ANY = 1 << 8, /* max-stale without a number */
	CC_BAD = 1 << 9,
};

struct cc {
	uint32_t flags;  /* enum cc_flag */
	unsigned values; /* how many directives there were, known or not */
	int64_t max_age, s_maxage, max_stale, min_fresh, stale_while_revalidate,
		stale_if_error; /* or CC_ABSENT */
	/* Names of fields from no-cache="…" and private="…": not to be stored. */
	struct sluice_str fields[CC_LISTS_MAX];
	unsigned fields_count;
};

void cc_init(struct cc *cc);
/* Adds the value of one field line. */
void cc_parse(struct cc *cc, struct sluice_str value);
/* The same for a field that is a dictionary of structured fields (RFC 9213 §2.1): whatever is no
 * member of one, or a number in quotes, sets CC_BAD. */
void cc_parse_strict(struct cc *cc, struct sluice_str value);
/* Is that field named by no-cache="…" or private="…"? */
bool cc_names_field(const struct cc *cc, struct sluice_str name);

#endif
