/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/link.h"

#include <stdlib.h>
#include <string.h>

#define ETHERNET_BYTES 14
#define TYPE_ARP       0x0806
#define TYPE_IP6       0x86dd
#define IP6_ICMP       58

void link_init(struct link *link, const struct link_conf *conf, uint64_t seed)
{
	*link = (struct link){.conf = *conf, .rng = {seed}};
}

void link_fini(struct link *link)
{
	while (link->n)
		free(link->heap[--link->n]);
	free(link->heap);
}

/* ---- a heap by arrival ---- */

static bool before(const struct link_frame *a, const struct link_frame *b)
{
	return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void swap(struct link_frame **a, struct link_frame **b)
{
	struct link_frame *t = *a;

	*a = *b;
	*b = t;
}

static void heap_push(struct link *link, struct link_frame *frame)
{
	size_t i = link->n++;

	if (link->n > link->room) {
		link->room = link->room ? link->room * 2 : 64;
		link->heap = realloc(link->heap, link->room * sizeof(*link->heap));
		if (!link->heap)
			abort();
	}
	link->heap[i] = frame;
	for (; i && before(link->heap[i], link->heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&link->heap[i], &link->heap[(i - 1) / 2]);
}

static struct link_frame *heap_pop(struct link *link)
{
	struct link_frame *first = link->heap[0];
	size_t i = 0;

	link->heap[0] = link->heap[--link->n];
	for (;;) {
		size_t least = i, left = 2 * i + 1, right = left + 1;

		if (left < link->n && before(link->heap[left], link->heap[least]))
			least = left;
		if (right < link->n && before(link->heap[right], link->heap[least]))
			least = right;
		if (least == i)
			return first;
		swap(&link->heap[i], &link->heap[least]);
		i = least;
	}
}

/* ---- what happens to a frame ---- */

static bool is_lost(struct link *link, uint64_t now_us)
{
	if (rng_ppm(&link->rng, link->conf.burst_ppm))
		link->dead_until_us = now_us + rng_range(&link->rng, 1, link->conf.burst_most_us);
	return now_us < link->dead_until_us || rng_ppm(&link->rng, link->conf.loss_ppm);
}

/* When the frame has left the sender; UINT64_MAX when the queue before a slow link is full. */
static uint64_t leaves_at(struct link *link, uint32_t len, uint64_t now_us)
{
	uint64_t start_us = link->free_at_us > now_us ? link->free_at_us : now_us;

	if (!link->conf.bytes_per_ms)
		return now_us;
	if ((start_us - now_us) * link->conf.bytes_per_ms / 1000 > link->conf.queue_bytes)
		return UINT64_MAX;
	link->free_at_us = start_us + (uint64_t)len * 1000 / link->conf.bytes_per_ms;
	return link->free_at_us;
}

/* Jitter keeps the order, as in a queue; reordering does not. */
static uint64_t arrives_at(struct link *link, uint64_t left_us)
{
	uint64_t at_us =
		left_us + link->conf.delay_us + rng_range(&link->rng, 0, link->conf.jitter_us);

	if (at_us < link->last_us)
		at_us = link->last_us;
	if (rng_ppm(&link->rng, link->conf.reorder_ppm))
		return at_us + rng_range(&link->rng, 1, link->conf.reorder_us + 1);
	link->last_us = at_us;
	return at_us;
}

static void carry(struct link *link, const uint8_t *bytes, uint32_t len, uint64_t at_us, bool spoil)
{
	struct link_frame *frame = malloc(sizeof(*frame) + len);

	if (!frame)
		abort();
	frame->at_us = at_us;
	frame->order = link->order++;
	frame->len = len;
	memcpy(frame->bytes, bytes, len);
	if (spoil) {
		uint64_t bit = rng_range(&link->rng, ETHERNET_BYTES * 8, (uint64_t)len * 8 - 1);

		frame->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	link->carried++;
	heap_push(link, frame);
}

/* ARP, and neighbor discovery as ICMPv6. */
static bool is_discovery(const uint8_t *frame)
{
	unsigned type = (unsigned)(frame[12] << 8 | frame[13]);

	return type == TYPE_ARP || (type == TYPE_IP6 && frame[20] == IP6_ICMP);
}

void link_send(struct link *link, const uint8_t *bytes, uint32_t len, uint64_t now_us)
{
	bool discovery = is_discovery(bytes); /* not what is tested here */
	uint64_t left_us = leaves_at(link, len, now_us);

	if (discovery) {
		carry(link, bytes, len, now_us + link->conf.delay_us, false);
		return;
	}
	if (left_us == UINT64_MAX || is_lost(link, now_us)) {
		link->lost++;
		return;
	}
	carry(link, bytes, len, arrives_at(link, left_us),
	      rng_ppm(&link->rng, link->conf.corrupt_ppm));
	if (rng_ppm(&link->rng, link->conf.duplicate_ppm))
		carry(link, bytes, len, arrives_at(link, left_us), false);
}

uint64_t link_next_us(const struct link *link)
{
	return link->n ? link->heap[0]->at_us : UINT64_MAX;
}

struct link_frame *link_receive(struct link *link, uint64_t now_us)
{
	return link_next_us(link) <= now_us ? heap_pop(link) : NULL;
}
