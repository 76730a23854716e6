/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SipHash: a keyed hash that a sender who does not know the key cannot steer.
 *
 * siphash13 and siphash_tuple are for tables (one compression round, three final ones);
 * siphash24 and siphash24_tuple are for values that go out on the wire: initial sequence
 * numbers, cookies.
 * The key is stack_conf.secret. Pure functions.
 */
#ifndef L4STACK_BASE_SIPHASH_H
#define L4STACK_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#include "l4stack/base/addr.h"

uint64_t siphash13(const uint64_t key[2], const void *data, size_t len);
uint64_t siphash24(const uint64_t key[2], const void *data, size_t len);

/*
 * siphash13 of a connection's tuple: both addresses, then both ports in host order.
 * 12 bytes for IPv4, 36 for IPv6. Both endpoints must be of one family.
 */
uint64_t siphash_tuple(const uint64_t key[2], const struct endpoint *local,
		       const struct endpoint *remote);

/* siphash24 of the same bytes and one more, which says what it is for. */
uint64_t siphash24_tuple(const uint64_t key[2], const struct endpoint *local,
			 const struct endpoint *remote, uint8_t purpose);

#endif
