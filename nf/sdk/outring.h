/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A function's (or an application's) end of an up ring: descriptors and their text, towards one
 * worker.
 *
 * What must be taken when the ring is full is kept aside, in order, and written as soon as
 * there is room; while something is kept aside the loop takes nothing more from that
 * worker, so that it stays a little. Text is freed by the consumption of its descriptor.
 *
 * Ownership: the ring's memory is the host's. One thread.
 */
#ifndef NF_SDK_OUTRING_H
#define NF_SDK_OUTRING_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/abi.h>

#include "nf/sdk/fault.h"

#define OUTRING_AHEAD 4 /* entries are sent for so long before they are written */

struct outring_kept; /* a descriptor that waits for room */

struct outring {
	const struct sluice_down_ctl *down; /* up_consumed, worker_sleeps */
	struct sluice_up_ctl *up;           /* produced */
	struct sluice_up *ring;
	uint8_t *text;
	uint32_t entries, text_bytes;
	uint32_t produced, published, consumed;
	uint64_t text_head, text_tail; /* run freely */
	uint64_t *text_end;            /* by entry: the tail once it is consumed */
	struct outring_kept *kept_first, *kept_last;
	uint32_t kept;
	int wake_fd; /* the worker's */
};

/* `up`: the whole up region; its sizes are in `down`. 0 or -ENOMEM. */
int outring_init(struct outring *o, const struct sluice_down_ctl *down, uint8_t *up, int wake_fd)
	__attribute__((warn_unused_result));
void outring_fini(struct outring *o);

/* How many descriptors without text can be put now that need not be taken. */
uint32_t outring_room(struct outring *o);
/* 0, or -EAGAIN (never with `must`). */
int outring_put(struct outring *o, const struct sluice_up *up, const void *text, bool must);
/* Looks what was consumed and writes what was kept aside. True if the worker consumed anything. */
bool outring_flush(struct outring *o);
/* Makes what was put visible; wakes a worker that sleeps. `wake`: also if nothing was put. */
void outring_publish(struct outring *o, bool wake);

static inline bool outring_keeps(const struct outring *o)
{
	return o->kept > 0;
}

/* Something that was put is not visible yet. */
static inline bool outring_fresh(const struct outring *o)
{
	return o->published != o->produced;
}

/* Something that was put is not consumed yet. */
static inline bool outring_waits(const struct outring *o)
{
	return o->kept > 0 || o->produced != o->consumed;
}

/* A verdict on a head that says nothing else, written where it stays. False: it is to be put. */
static inline bool outring_plain(struct outring *o, uint32_t exchange, uint32_t generation,
				 enum sluice_verdict verdict)
{
	uint32_t i = o->produced & (o->entries - 1);

	if (o->kept || o->produced - o->consumed == o->entries)
		return false;
	__builtin_prefetch(&o->ring[(i + OUTRING_AHEAD) & (o->entries - 1)], 1);
	o->ring[i] = (struct sluice_up){.exchange = exchange,
					.generation = generation,
					.kind = SLUICE_UP_VERDICT,
					.verdict = (uint8_t)verdict,
					.group = SLUICE_NONE16,
					.server = SLUICE_NONE16};
	FAULT_POINT(ENTRY);
	o->text_end[i] = o->text_head;
	o->produced++;
	FAULT_POINT(PUT);
	return true;
}

#endif
