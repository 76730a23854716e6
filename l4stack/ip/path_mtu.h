/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The MTU of ways that are narrower than their port: RFC 1191 §6.3, RFC 8201 §5.2.
 *
 * What one connection has found out is kept by destination for ten minutes, for those that
 * come after it. A table of one size: a stranger can only make it forget. Internal to l4stack/ip.
 */
#ifndef L4STACK_IP_PATH_MTU_H
#define L4STACK_IP_PATH_MTU_H

#include <stdint.h>

#include "l4stack/base/addr.h"

#define PATH_MTU_SETS    256
#define PATH_MTU_WAYS    4
#define PATH_MTU_LIFE_US 600000000ull

struct path_mtu {
	struct addr dst;
	uint16_t mtu;
	uint64_t until_us; /* passed: nothing is known */
};

struct path_mtus {
	uint64_t until_us; /* of the one that lives longest: mostly there is none */
	uint64_t key[2];
	struct path_mtu known[PATH_MTU_SETS][PATH_MTU_WAYS];
};

/* `most`, or less if that is known. */
uint16_t path_mtu_find(const struct path_mtus *table, const struct addr *dst, uint16_t most,
		       uint64_t now_us);

void path_mtu_set(struct path_mtus *table, const struct addr *dst, uint16_t mtu, uint64_t now_us);
void path_mtu_forget(struct path_mtus *table, const struct addr *dst);

#endif
