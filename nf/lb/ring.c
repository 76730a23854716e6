/* SPDX-License-Identifier: BSD-3-Clause */
#include "ring.h"

#include <errno.h>
#include <stdlib.h>

#include "random.h"

uint64_t ring_hash(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return random_mix(h);
}

static uint64_t fingerprint_of(const struct ring_server *servers, uint32_t count)
{
	uint64_t h = count;

	for (uint32_t i = 0; i < count; i++)
		h = random_mix(h ^ servers[i].identity) + servers[i].weight;
	return h;
}

static uint64_t points_for(uint32_t weight, unsigned shift)
{
	uint64_t points = (uint64_t)weight * RING_POINTS_PER_WEIGHT >> shift;

	return points ? points : 1;
}

static uint64_t points_in_all(const struct ring_server *servers, uint32_t count, unsigned shift)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < count; i++)
		sum += points_for(servers[i].weight, shift);
	return sum;
}

/* By halves, so that one server more rarely changes how many points the others have. */
static unsigned shift_for(const struct ring_server *servers, uint32_t count)
{
	unsigned shift = 0;

	while (shift < 17 && points_in_all(servers, count, shift) > RING_POINTS_MAX)
		shift++;
	return shift;
}

static int compare_points(const void *a, const void *b)
{
	const struct ring_point *p = a, *q = b;

	if (p->at != q->at)
		return p->at < q->at ? -1 : 1;
	return p->owner < q->owner ? -1 : p->owner > q->owner;
}

static uint32_t place(struct ring_point *points, const struct ring_server *servers, uint32_t count,
		      unsigned shift)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < count; i++)
		for (uint64_t k = 0; k < points_for(servers[i].weight, shift); k++)
			points[n++] = (struct ring_point){
				.at = random_mix(servers[i].identity +
						 (k + 1) * UINT64_C(0x9e3779b97f4a7c15)),
				.owner = i};
	return n;
}

int ring_build(struct ring *ring, const struct ring_server *servers, uint32_t count)
{
	uint64_t fingerprint = fingerprint_of(servers, count);
	unsigned shift = shift_for(servers, count);
	struct ring_point *points;

	if (ring->point && ring->fingerprint == fingerprint)
		return 0;
	points = calloc(points_in_all(servers, count, shift) + 1, sizeof(*points));
	if (!points)
		return -ENOMEM;
	free(ring->point);
	ring->point = points;
	ring->count = place(points, servers, count, shift);
	ring->fingerprint = fingerprint;
	qsort(points, ring->count, sizeof(*points), compare_points);
	return 1;
}

void ring_clear(struct ring *ring)
{
	free(ring->point);
	*ring = (struct ring){0};
}

static uint32_t first_after(const struct ring *ring, uint64_t hash)
{
	uint32_t low = 0, high = ring->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (ring->point[middle].at < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int64_t ring_find(const struct ring *ring, uint64_t hash,
		  bool (*usable)(const void *ctx, uint32_t owner), const void *ctx)
{
	uint32_t i = first_after(ring, hash);

	for (uint32_t step = 0; step < ring->count; step++, i++) {
		if (i >= ring->count)
			i = 0;
		if (usable(ctx, ring->point[i].owner))
			return ring->point[i].owner;
	}
	return -1;
}
