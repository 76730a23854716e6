/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/sdk/ringend.h"

#include <errno.h>

#include "nf/sdk/core.h"
#include "nf/sdk/fault.h"

#define BATCH 64
#define AHEAD 4 /* so long before it is looked at it is sent for */

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

/* What the hook and we look at first: the head, and our own exchange. */
static void prefetch(const struct ringend *end, const struct sluice_nf *nf, unsigned worker,
		     uint32_t i)
{
	const struct sluice_down *next = &end->ring[i & (end->entries - 1)];
	const struct sluice_exchange *x;

	__builtin_prefetch(&end->ring[(i + AHEAD) & (end->entries - 1)]);
	if (next->kind != SLUICE_DOWN_REQUEST_HEAD && next->kind != SLUICE_DOWN_RESPONSE_HEAD &&
	    next->kind != SLUICE_DOWN_OPEN && next->kind != SLUICE_DOWN_SEEN)
		return;
	__builtin_prefetch(nf->region[end->messages].base + (uint64_t)next->arg * 64);
	x = nf_exchange_known(nf, worker, next->exchange);
	if (!x)
		return;
	__builtin_prefetch(x);
	__builtin_prefetch(&x->generation);
	__builtin_prefetch(&x->ctx);
}

void ringend_turn(struct ringend *end, struct sluice_nf *nf, unsigned worker)
{
	uint32_t produced = __atomic_load_n(&end->down->produced, __ATOMIC_ACQUIRE);
	uint32_t waiting = produced - end->consumed, n = waiting < BATCH ? waiting : BATCH;
	uint32_t done = 0;

	while (done < n && !outring_keeps(&end->out)) {
		if (done + AHEAD < n)
			prefetch(end, nf, worker, end->consumed + done + AHEAD);
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
