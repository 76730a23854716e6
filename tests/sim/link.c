/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/link.h"

#include <stdlib.h>
#include <string.h>

#define ETHERNET_BYTES 14
#define TYPE_ARP       0x0806
#define TYPE_IP6       0x86dd
#define IP6_ICMP       58
#define NDP_FIRST      133

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
	if (now_us >= link->conf.black_from_us && now_us < link->conf.black_until_us)
		return true;
	if (rng_ppm(&link->rng, link->conf.burst_ppm))
		link->dead_until_us = now_us + rng_range(&link->rng, 1, link->conf.burst_most_us);
	return now_us < link->dead_until_us || rng_ppm(&link->rng, link->conf.loss_ppm);
}

static uint64_t waiting_bytes(const struct link *link, uint64_t now_us)
{
	uint64_t wait_us = link->free_at_us > now_us ? link->free_at_us - now_us : 0;

	return wait_us * link->conf.bytes_per_ms / 1000;
}

/* When the frame has left the sender; UINT64_MAX when the queue before a slow link is full. */
static uint64_t leaves_at(struct link *link, uint32_t len, uint64_t now_us)
{
	uint64_t start_us = link->free_at_us > now_us ? link->free_at_us : now_us;

	if (!link->conf.bytes_per_ms)
		return now_us;
	if (waiting_bytes(link, now_us) > link->conf.queue_bytes)
		return UINT64_MAX;
	link->free_at_us = start_us + (uint64_t)len * 1000 / link->conf.bytes_per_ms;
	return link->free_at_us;
}

/* Jitter keeps the order, as in a queue; reordering does not. */
static uint64_t arrives_at(struct link *link, uint64_t left_us)
{
	uint64_t at_us =
		left_us + link->conf.delay_us + rng_range(&link->rng, 0, link->conf.jitter_us);

	if (at_us >= link->conf.hold_at_us && at_us < link->conf.hold_at_us + link->conf.hold_us)
		at_us = link->conf.hold_at_us + link->conf.hold_us;
	if (at_us < link->last_us)
		at_us = link->last_us;
	if (rng_ppm(&link->rng, link->conf.reorder_ppm))
		return at_us + rng_range(&link->rng, 1, link->conf.reorder_us + 1);
	link->last_us = at_us;
	return at_us;
}

/* Congestion experienced, if the sender allows it: the two bits, and the checksum anew. */
static bool mark(uint8_t *frame)
{
	uint8_t *ip = frame + ETHERNET_BYTES;
	uint32_t sum = 0;

	if (ip[0] >> 4 == 6) {
		if (!(ip[1] >> 4 & 3))
			return false;
		ip[1] |= 0x30;
		return true;
	}
	if (!(ip[1] & 3))
		return false;
	ip[1] |= 3;
	ip[10] = ip[11] = 0;
	for (unsigned i = 0; i < 20; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~(sum + (sum >> 16));
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
	return true;
}

static struct link_frame *carry(struct link *link, const uint8_t *bytes, uint32_t len,
				uint64_t at_us)
{
	struct link_frame *frame = malloc(sizeof(*frame) + len);

	if (!frame)
		abort();
	frame->at_us = at_us;
	frame->order = link->order++;
	frame->len = len;
	memcpy(frame->bytes, bytes, len);
	link->carried++;
	heap_push(link, frame);
	return frame;
}

static void spoil(struct link *link, struct link_frame *frame)
{
	uint64_t bit = rng_range(&link->rng, ETHERNET_BYTES * 8, (uint64_t)frame->len * 8 - 1);

	frame->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

static bool is_marked(struct link *link, uint64_t now_us)
{
	const struct link_conf *conf = &link->conf;

	return rng_ppm(&link->rng, conf->mark_ppm) ||
	       (conf->mark_bytes && waiting_bytes(link, now_us) > conf->mark_bytes);
}

/* ARP, and neighbor discovery as ICMPv6. */
static bool is_discovery(const uint8_t *frame)
{
	unsigned type = (unsigned)(frame[12] << 8 | frame[13]);

	return type == TYPE_ARP ||
	       (type == TYPE_IP6 && frame[20] == IP6_ICMP && frame[54] >= NDP_FIRST);
}

void link_send(struct link *link, const uint8_t *bytes, uint32_t len, uint64_t now_us)
{
	bool discovery = is_discovery(bytes); /* not what is tested here */
	bool marks = is_marked(link, now_us);
	uint64_t left_us = leaves_at(link, len, now_us);
	struct link_frame *frame;

	if (discovery) {
		carry(link, bytes, len, now_us + link->conf.delay_us);
		return;
	}
	if (left_us == UINT64_MAX || is_lost(link, now_us)) {
		link->lost++;
		return;
	}
	frame = carry(link, bytes, len, arrives_at(link, left_us));
	if (marks && mark(frame->bytes))
		link->marked++;
	if (rng_ppm(&link->rng, link->conf.corrupt_ppm))
		spoil(link, frame);
	if (rng_ppm(&link->rng, link->conf.duplicate_ppm))
		carry(link, bytes, len, arrives_at(link, left_us));
}

uint64_t link_next_us(const struct link *link)
{
	return link->n ? link->heap[0]->at_us : UINT64_MAX;
}

struct link_frame *link_receive(struct link *link, uint64_t now_us)
{
	return link_next_us(link) <= now_us ? heap_pop(link) : NULL;
}
