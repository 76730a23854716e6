/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Readers of configuration that several functions need, beside those of <sluice/nf.h>.
 * Errors are recorded about the group or list, with file and line: 0 or -EINVAL (-ENOMEM).
 */
#ifndef NF_COMMON_READ_H
#define NF_COMMON_READ_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/nf.h>

struct pool;

/* RFC 9110 §5.6.2, not empty. */
bool read_is_token(const char *text);
/* RFC 9110 §5.5: no control characters but the tab. */
bool read_is_value(const char *text);

/* One of `names` (ended by NULL) as its number; `fallback` when the key is absent. */
int read_choice(const struct sluice_conf *group, const char *key, const char *const *names,
		unsigned fallback, unsigned *out) __attribute__((warn_unused_result));

/* The number `key` within its bounds. */
int read_number(const struct sluice_conf *group, const char *key, uint32_t fallback, uint32_t min,
		uint32_t max, uint32_t *out) __attribute__((warn_unused_result));

/* The list of strings `key`, each of which must be a token; absent: none. `what`: "method". */
struct read_names {
	const char **name;
	unsigned count;
};
int read_tokens(struct pool *pool, const struct sluice_conf *group, const char *key,
		const char *what, struct read_names *out) __attribute__((warn_unused_result));

#endif
