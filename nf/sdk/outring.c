/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/sdk/outring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#define ENTRIES_SPARED 16 /* bodies leave these to verdicts */

struct outring_kept {
	struct outring_kept *next;
	struct sluice_up up;
	uint8_t text[];
};

int outring_init(struct outring *o, const struct sluice_down_ctl *down, uint8_t *up, int wake_fd)
{
	*o = (struct outring){
		.down = down,
		.up = (struct sluice_up_ctl *)up,
		.ring = (struct sluice_up *)(up + SLUICE_PAGE),
		.entries = down->up_entries,
		.text_bytes = down->up_text_bytes,
		.wake_fd = wake_fd,
	};
	o->text = up + SLUICE_PAGE + (uint64_t)o->entries * sizeof(struct sluice_up);
	o->text_end = calloc(o->entries, sizeof(*o->text_end));
	return o->text_end ? 0 : -ENOMEM;
}

void outring_fini(struct outring *o)
{
	struct outring_kept *k;

	while ((k = o->kept_first)) {
		o->kept_first = k->next;
		free(k);
	}
	free(o->text_end);
}

static bool consumed_look(struct outring *o)
{
	uint32_t now = __atomic_load_n(&o->down->up_consumed, __ATOMIC_ACQUIRE);

	if (now == o->consumed)
		return false;
	o->text_tail = o->text_end[(now - 1) & (o->entries - 1)];
	o->consumed = now;
	return true;
}

/* Where a run of `len` bytes that does not wrap can begin; UINT64_MAX: there is no room. */
static uint64_t text_place(struct outring *o, uint32_t len)
{
	uint64_t at, rest;

	if (o->text_head == o->text_tail) /* all free: begin at the front */
		o->text_head = o->text_tail =
			(o->text_head + o->text_bytes - 1) & ~(uint64_t)(o->text_bytes - 1);
	at = o->text_head;
	rest = o->text_bytes - (at & (o->text_bytes - 1));
	if (rest < len)
		at += rest;
	return at + len - o->text_tail <= o->text_bytes ? at : UINT64_MAX;
}

/* False: it does not fit now. */
static bool ring_write(struct outring *o, const struct sluice_up *up, const void *text)
{
	uint32_t i = o->produced & (o->entries - 1);
	uint32_t padded = (up->text_len + 7) & ~7u;
	uint64_t at = o->text_head;

	if (o->produced - o->consumed == o->entries && !consumed_look(o))
		return false;
	if (padded) {
		at = text_place(o, padded);
		if (at == UINT64_MAX && consumed_look(o))
			at = text_place(o, padded);
		if (at == UINT64_MAX)
			return false;
		memcpy(o->text + (at & (o->text_bytes - 1)), text, up->text_len);
		o->text_head = at + padded;
		FAULT_POINT(TEXT);
	}
	memcpy(&o->ring[i], up, sizeof(*up));
	o->ring[i].text_off = padded ? (uint32_t)(at & (o->text_bytes - 1)) : 0;
	FAULT_POINT(ENTRY);
	o->text_end[i] = o->text_head;
	o->produced++;
	return true;
}

static int keep(struct outring *o, const struct sluice_up *up, const void *text)
{
	struct outring_kept *k = malloc(sizeof(*k) + up->text_len);

	if (!k)
		abort(); /* an answer must not be lost: better that the supervisor starts us anew */
	k->next = NULL;
	k->up = *up;
	if (up->text_len)
		memcpy(k->text, text, up->text_len);
	if (o->kept_last)
		o->kept_last->next = k;
	else
		o->kept_first = k;
	o->kept_last = k;
	o->kept++;
	return 0;
}

static uint32_t room_seen(const struct outring *o)
{
	uint32_t used = o->produced - o->consumed + ENTRIES_SPARED;

	return used < o->entries ? o->entries - used : 0;
}

uint32_t outring_room(struct outring *o)
{
	if (o->kept)
		return 0;
	consumed_look(o);
	return room_seen(o);
}

int outring_put(struct outring *o, const struct sluice_up *up, const void *text, bool must)
{
	if (!must && (o->kept || (!room_seen(o) && !outring_room(o))))
		return -EAGAIN;
	if (!o->kept && ring_write(o, up, text))
		return 0;
	return must ? keep(o, up, text) : -EAGAIN;
}

bool outring_flush(struct outring *o)
{
	bool came = consumed_look(o);
	struct outring_kept *k;

	while ((k = o->kept_first) && ring_write(o, &k->up, k->text)) {
		o->kept_first = k->next;
		if (!k->next)
			o->kept_last = NULL;
		o->kept--;
		free(k);
	}
	return came;
}

void outring_publish(struct outring *o, bool wake)
{
	if (outring_fresh(o)) {
		o->published = o->produced;
		__atomic_store_n(&o->up->produced, o->produced, __ATOMIC_RELEASE);
		FAULT_POINT(VISIBLE);
		wake = true;
	}
	if (!wake)
		return;
	/* The index first, then the look at the sleeper's word: the worker does the opposite. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&o->down->worker_sleeps, __ATOMIC_RELAXED) &&
	    eventfd_write(o->wake_fd, 1))
		return; /* EAGAIN: it is as awake as it can be */
	FAULT_POINT(WOKEN);
}
