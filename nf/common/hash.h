/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A keyed hash (SipHash-2-4): without the key nobody can choose targets that collide.
 */
#ifndef NF_COMMON_HASH_H
#define NF_COMMON_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_key {
	uint64_t k0, k1;
};

/* A key of the system's randomness: in init. 0 or -errno. */
int hash_key_take(struct hash_key *key) __attribute__((warn_unused_result));

uint64_t hash_bytes(const struct hash_key *key, const void *bytes, size_t len);

#endif
