/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HyStart++: slow start that ends before the queue overflows (RFC 9406). Pure.
 *
 * When round trips grow, slow start goes on at a quarter of its speed for some rounds
 * (conservative slow start): if they shrink again it was a passing matter, else it is over.
 */
#ifndef L4STACK_CC_HYSTART_H
#define L4STACK_CC_HYSTART_H

#include "l4stack/cc/cc.h"

struct hystart {
	uint32_t last_min_us,
		now_min_us;  /* shortest round trips of the last round and this; 0: none */
	uint32_t css_min_us; /* what conservative slow start has begun with */
	uint8_t samples;     /* of this round */
	uint8_t css_rounds;
	bool css;
};

void hystart_begin(struct hystart *hystart);

/* One ACK in slow start: grows the window as it should. Returns the bytes left for congestion
 * avoidance, which begins when `ssthresh` has been set. */
uint32_t hystart_on_ack(struct hystart *hystart, struct cc *cc, const struct cc_ack *ack);

#endif
