/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/sdk/ringend.h"

#include <errno.h>

#include "nf/sdk/core.h"
#include "nf/sdk/fault.h"
#include "nf/sdk/show.h"

#define BATCH 64
#define GROUP 16 /* so many are sent for before the first of them is looked at */

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

/* What a descriptor names; NULL: it has none of that, or it is not known yet. */
struct named {
	const struct sluice_head *head;
	struct sluice_exchange *x;
};

/* Inlined, for gcc takes away the call of a function that does nothing but prefetch. */
static inline __attribute__((always_inline)) void named_prefetch(const struct sluice_nf *nf,
								 const struct named *named)
{
	__builtin_prefetch(named->head);
	if (!named->x)
		return;
	__builtin_prefetch(&named->x->nf, 1);
	if (nf->stride > NF_STRIDE_LEAST)
		__builtin_prefetch((const uint8_t *)named->x + NF_STRIDE_LEAST, 1);
}

static void group_look(const struct ringend *end, const struct sluice_nf *nf, unsigned worker,
		       struct named *named, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct sluice_down *d = entry_at(end, end->consumed + i);

		named[i] = (struct named){0};
		if (!(WITH_HEAD >> d->kind % 32 & 1))
			continue;
		named[i].head = nf_message(nf, worker, d->arg);
		named[i].x = nf_exchange_known(nf, worker, d->exchange);
		named_prefetch(nf, &named[i]);
	}
}

/* False: it is for nf_event. */
static inline bool head_shown(struct ringend *end, struct sluice_nf *nf, unsigned worker,
			      const struct sluice_down *d, const struct named *named)
{
	const struct sluice_shown head = {.head = named->head,
					  .asked = d->slice[0].ref,
					  .exchange = d->exchange,
					  .generation = d->generation,
					  .response = d->kind == SLUICE_DOWN_RESPONSE_HEAD};
	int verdict;

	if (!head.response && d->kind != SLUICE_DOWN_REQUEST_HEAD)
		return false;
	verdict = nf_show(nf, named->x, &head);
	if (verdict >= 0 &&
	    !outring_plain(&end->out, head.exchange, head.generation, (enum sluice_verdict)verdict))
		nf_verdict_put(nf, worker, head.exchange, head.generation,
			       (enum sluice_verdict)verdict);
	return verdict != NF_UNUSUAL;
}

/* The first of `n` that wait. */
static void group_take(struct ringend *end, struct sluice_nf *nf, unsigned worker, uint32_t n)
{
	struct named named[GROUP];
	uint32_t done = 0;

	if (n > GROUP)
		n = GROUP;
	group_look(end, nf, worker, named, n);
	for (; done < n && !outring_keeps(&end->out); done++) {
		const struct sluice_down *d = entry_at(end, end->consumed + done);

		FAULT_POINT(TAKEN);
		if (!head_shown(end, nf, worker, d, &named[done]))
			nf_event(nf, worker, d);
	}
	end->consumed += done;
	end->handled += done;
}

void ringend_turn(struct ringend *end, struct sluice_nf *nf, unsigned worker)
{
	uint32_t produced = __atomic_load_n(&end->down->produced, __ATOMIC_ACQUIRE);
	uint32_t waiting = produced - end->consumed, n = waiting < BATCH ? waiting : BATCH;
	uint32_t before = end->consumed, last = before + n;

	while (end->consumed != last && !outring_keeps(&end->out))
		group_take(end, nf, worker, last - end->consumed);
	if (end->consumed == before)
		return;
	FAULT_POINT(HANDLED);
	__atomic_store_n(&end->up->down_consumed, end->consumed, __ATOMIC_RELEASE);
	FAULT_POINT(CONSUMED);
}

void ringend_publish(struct ringend *end, bool wake)
{
	outring_publish(&end->out, wake);
	__atomic_store_n(&end->up->loops, end->up->loops + 1, __ATOMIC_RELAXED);
}
