/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The request that brought an object, kept so that the origin can be asked anew without a client:
 * as it went out, with what functions behind the cache had made of it, and to which upstream group.
 *
 * Not kept: requests with Authorization or Cookie (what was one client's is not sent in the name of
 * nobody), with a body, or to an unknown group.
 */
#ifndef NF_CACHE_AGAIN_H
#define NF_CACHE_AGAIN_H

#include <sluice/nf.h>

struct fields;
struct mem;
struct object;

struct again {
	struct fields *client; /* as the client sent it, for Vary; NULL until the object is whole */
	struct fields *sent;
	uint16_t group;
	uint32_t target_len;
	char target[];
};

/* In response_head. NULL: it is not to be kept, or there is no memory. */
struct again *again_make(struct mem *mem, const struct sluice_exchange *x);
void again_free(struct mem *mem, struct again *again); /* NULL: nothing happens */

/* The same request with conditions by what is stored; not sent yet. NULL: it cannot be made now. */
struct sluice_ask *again_ask(const struct again *again, struct sluice_nf *nf,
			     const struct object *old);

#endif
