/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A router on one direction of the link whose far side becomes narrow: from then on frames that
 * are too long are dropped and their sender is told (RFC 1191, RFC 8201), or not told, or, by a
 * careless one, cut into fragments whatever the sender wished.
 */
#ifndef TESTS_SIM_BOX_H
#define TESTS_SIM_BOX_H

#include <stdbool.h>
#include <stdint.h>

struct box {
	uint64_t from_us;  /* narrow from then on */
	uint32_t mtu;      /* 0: never */
	bool cuts, silent; /* silent: it drops, and tells nobody */
	uint32_t id;       /* of the last packet that was cut */
	uint64_t told, cut, dropped;
};

typedef void box_emit_fn(void *ctx, const uint8_t *frame, uint32_t len);

/* False for a frame that passes as it is. True when it was too long: `on` was called with each
 * fragment, or `back` with what its sender is told. */
bool box_take(struct box *box, const uint8_t *frame, uint32_t len, uint64_t now_us, box_emit_fn *on,
	      box_emit_fn *back, void *ctx);

#endif
