/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A set of request methods. Known ones are bits, others (PROPFIND) are compared by name.
 * Never changed after methods_read.
 */
#ifndef NF_COMMON_METHODS_H
#define NF_COMMON_METHODS_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/nf.h>

#include "nf/common/read.h"

struct pool;

struct methods {
	uint32_t known; /* 1 << enum sluice_method */
	struct read_names names;
};

/* The list `key` of `group`; absent: every method is in the set. */
int methods_read(struct pool *pool, const struct sluice_conf *group, const char *key,
		 struct methods *out) __attribute__((warn_unused_result));

/* The request's method is in the set. */
bool methods_contain(const struct methods *methods, const struct sluice_exchange *x);

#endif
