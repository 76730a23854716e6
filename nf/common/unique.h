/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names for exchanges that nobody else gives and nobody can guess: 128 bits as 32 digits, by a
 * counter under a secret key. Belongs to one instance and its thread.
 */
#ifndef NF_COMMON_UNIQUE_H
#define NF_COMMON_UNIQUE_H

#include <stdint.h>

#include "nf/common/hash.h"

#define UNIQUE_BYTES 33 /* 32 digits and a NUL */

struct unique {
	struct hash_key key;
	uint64_t given;
};

/* Takes a key from the system. 0 or -errno. */
int unique_init(struct unique *unique) __attribute__((warn_unused_result));

void unique_next(struct unique *unique, char out[UNIQUE_BYTES]);

#endif
