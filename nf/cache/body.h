/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The body of an object: buffers of the arena, filled by copy, one behind the other.
 *
 * Small pieces at first when the length is not known, so that little is wasted; pieces of
 * BODY_PIECE_MAX in the end, so that the arena stays whole. One thread.
 */
#ifndef NF_CACHE_BODY_H
#define NF_CACHE_BODY_H

#include <stdint.h>

#include <sluice/nf.h>

struct body;
struct store;

#define BODY_PIECE_MAX 65536

/* `left`: bytes still to come, these included, if that is known; else 0. -ENOMEM: there is no room.
 */
int body_append(struct store *store, struct body *body, const struct sluice_span *span,
		uint64_t left) __attribute__((warn_unused_result));
/* No more will come: gives back what the last buffer has too much of. */
void body_trim(struct store *store, struct body *body);
void body_free(struct store *store, struct body *body);

/* What it takes, in arena and beside it. */
uint64_t body_bytes(const struct body *body);

#endif
