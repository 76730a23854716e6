/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The function's end of the pair of rings that joins it to one worker: descriptors are taken from
 * the down ring and shown to the instance, its answers go into the up ring.
 *
 * A process has one for each worker and turns them all; an inline function has one in each worker,
 * which turns it between two turns of its own.
 *
 * Ownership: the mappings are the caller's. One thread.
 */
#ifndef NF_SDK_RINGEND_H
#define NF_SDK_RINGEND_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/abi.h>

#include "nf/sdk/outring.h"

struct sluice_nf;

struct ringend {
	const struct sluice_down_ctl *down;
	const struct sluice_down *ring;
	uint32_t entries, consumed;
	struct sluice_up_ctl *up;
	struct outring out;
	uint32_t handled;  /* descriptors of which nobody took note yet */
	uint16_t messages; /* the region of the worker's heads */
};

/* Both regions as they are mapped. 0, -EPROTO: not rings of this ABI, or -ENOMEM. */
int ringend_open(struct ringend *end, const void *down, void *up, uint16_t messages, int wake_fd)
	__attribute__((warn_unused_result));
void ringend_close(struct ringend *end);

/* SLUICE_COUNTERS of them, in the up region. */
uint64_t *ringend_counters(const struct ringend *end);

/* Takes a batch of what the worker sent, but nothing while answers to it are kept aside. `worker`:
 * which of the instance's it is. */
void ringend_turn(struct ringend *end, struct sluice_nf *nf, unsigned worker);
/* Makes the answers visible and the turn known. `wake`: the worker is woken also without any. */
void ringend_publish(struct ringend *end, bool wake);

static inline uint32_t ringend_produced(const struct ringend *end)
{
	return __atomic_load_n(&end->down->produced, __ATOMIC_ACQUIRE);
}

static inline bool ringend_pending(const struct ringend *end)
{
	return ringend_produced(end) != end->consumed;
}

/* More than half full: the worker may be waiting for room. */
static inline bool ringend_crowded(const struct ringend *end)
{
	return __atomic_load_n(&end->down->produced, __ATOMIC_RELAXED) - end->consumed >
	       end->entries / 2;
}

#endif
