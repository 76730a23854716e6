/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/sdk/ringend.h"

#include <errno.h>

#include "nf/sdk/core.h"
#include "nf/sdk/fault.h"

#define BATCH 64

int ringend_open(struct ringend *end, const void *down, void *up, uint16_t messages, int wake_fd)
{
	const struct sluice_down_ctl *ctl = down;

	if (ctl->magic != SLUICE_RING_MAGIC || ctl->abi != SLUICE_ABI_VERSION)
		return -EPROTO;
	*end = (struct ringend){
		.down = ctl,
		.ring = (const struct sluice_down *)((const uint8_t *)down + SLUICE_PAGE),
		.entries = ctl->entries,
		.up = up,
		.messages = messages,
	};
	return outring_init(&end->out, ctl, up, wake_fd);
}

void ringend_close(struct ringend *end)
{
	outring_fini(&end->out);
}

uint64_t *ringend_counters(const struct ringend *end)
{
	return (uint64_t *)(end->out.text + end->out.text_bytes);
}

static void prefetch(const struct ringend *end, const struct nf_region *messages, uint32_t i)
{
	const struct sluice_down *next = &end->ring[i & (end->entries - 1)];

	__builtin_prefetch(next + 1);
	if (next->kind == SLUICE_DOWN_REQUEST_HEAD || next->kind == SLUICE_DOWN_RESPONSE_HEAD ||
	    next->kind == SLUICE_DOWN_OPEN || next->kind == SLUICE_DOWN_SEEN)
		__builtin_prefetch(messages->base + (uint64_t)next->arg * 64);
}

void ringend_turn(struct ringend *end, struct sluice_nf *nf, unsigned worker)
{
	const struct nf_region *messages = &nf->region[end->messages];
	uint32_t produced = __atomic_load_n(&end->down->produced, __ATOMIC_ACQUIRE);
	uint32_t waiting = produced - end->consumed, n = waiting < BATCH ? waiting : BATCH;
	uint32_t done = 0;

	while (done < n && !outring_keeps(&end->out)) {
		if (done + 1 < n)
			prefetch(end, messages, end->consumed + done + 1);
		FAULT_POINT(TAKEN);
		nf_event(nf, worker, &end->ring[(end->consumed + done) & (end->entries - 1)]);
		done++;
	}
	if (!done)
		return;
	end->consumed += done;
	end->handled += done;
	FAULT_POINT(HANDLED);
	__atomic_store_n(&end->up->down_consumed, end->consumed, __ATOMIC_RELEASE);
	FAULT_POINT(CONSUMED);
}

void ringend_publish(struct ringend *end, bool wake)
{
	outring_publish(&end->out, wake);
	__atomic_store_n(&end->up->loops, end->up->loops + 1, __ATOMIC_RELAXED);
}
