/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/sdk/ringend.h"

#include <errno.h>

#include "nf/sdk/core.h"
#include "nf/sdk/fault.h"
#include "nf/sdk/show.h"

#define BATCH 64
#define AHEAD 4 /* so long before it is looked at it is sent for */

/* The kinds that name a head. */
#define WITH_HEAD                                                           \
	(1u << SLUICE_DOWN_REQUEST_HEAD | 1u << SLUICE_DOWN_RESPONSE_HEAD | \
	 1u << SLUICE_DOWN_OPEN | 1u << SLUICE_DOWN_SEEN)
_Static_assert(SLUICE_DOWN_KINDS <= 32, "each has its bit");

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

static const struct sluice_down *entry_at(const struct ringend *end, uint32_t i)
{
	return &end->ring[i & (end->entries - 1)];
}

/* What the hook and we look at first: the head, and our own exchange. Inlined, for gcc takes away
 * the call of a function that does nothing but prefetch. */
static inline __attribute__((always_inline)) void
prefetch(const struct ringend *end, const struct sluice_nf *nf, unsigned worker, uint32_t i)
{
	const struct sluice_down *next = entry_at(end, i);
	const struct sluice_exchange *x;

	__builtin_prefetch(entry_at(end, i + AHEAD));
	if (!(WITH_HEAD >> next->kind % 32 & 1))
		return;
	__builtin_prefetch(nf_message(nf, worker, next->arg));
	x = nf_exchange_known(nf, worker, next->exchange);
	if (!x)
		return;
	__builtin_prefetch(&x->nf);
	__builtin_prefetch((const uint8_t *)x + NF_STRIDE_LEAST);
}

/* False: it is for nf_event. */
static bool head_shown(struct ringend *end, struct sluice_nf *nf, unsigned worker,
		       const struct sluice_down *d)
{
	const struct sluice_shown head = {.head = nf_message(nf, worker, d->arg),
					  .asked = d->slice[0].ref,
					  .exchange = d->exchange,
					  .generation = d->generation,
					  .response = d->kind == SLUICE_DOWN_RESPONSE_HEAD};
	int verdict;

	if (!head.response && d->kind != SLUICE_DOWN_REQUEST_HEAD)
		return false;
	verdict = nf_show(nf, worker, &head);
	if (verdict >= 0 &&
	    !outring_plain(&end->out, head.exchange, head.generation, (enum sluice_verdict)verdict))
		nf_verdict_put(nf, worker, head.exchange, head.generation,
			       (enum sluice_verdict)verdict);
	return verdict != NF_UNUSUAL;
}

void ringend_turn(struct ringend *end, struct sluice_nf *nf, unsigned worker)
{
	uint32_t produced = __atomic_load_n(&end->down->produced, __ATOMIC_ACQUIRE);
	uint32_t waiting = produced - end->consumed, n = waiting < BATCH ? waiting : BATCH;
	uint32_t done = 0;

	while (done < n && !outring_keeps(&end->out)) {
		const struct sluice_down *d = entry_at(end, end->consumed + done);

		if (done + AHEAD < n)
			prefetch(end, nf, worker, end->consumed + done + AHEAD);
		FAULT_POINT(TAKEN);
		if (!head_shown(end, nf, worker, d))
			nf_event(nf, worker, d);
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
