/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_ranges.h"

#include <string.h>

#include "l4stack/tcp/tcp_seq.h"

void tcp_ranges_clear(struct tcp_ranges *set)
{
	set->n = 0;
	set->bytes = 0;
}

/* The first range that ends at `seq` or after it. */
static uint32_t find_reaching(const struct tcp_ranges *set, uint32_t seq)
{
	uint32_t lo = 0, hi = set->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (seq_lt(set->at[mid].hi, seq))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void replace(struct tcp_ranges *set, uint32_t first, uint32_t count,
		    const struct tcp_range *range)
{
	struct tcp_range *at = &set->at[first];

	memmove(at + 1, at + count, (set->n - first - count) * sizeof(*at));
	*at = *range;
	set->n = set->n - count + 1;
}

uint32_t tcp_ranges_add(struct tcp_ranges *set, uint32_t lo, uint32_t hi)
{
	uint32_t first = find_reaching(set, lo), last = first, held = 0, added;
	struct tcp_range joined = {lo, hi};

	for (; last < set->n && seq_le(set->at[last].lo, hi); last++) {
		joined.lo = seq_min(joined.lo, set->at[last].lo);
		joined.hi = seq_max(joined.hi, set->at[last].hi);
		held += set->at[last].hi - set->at[last].lo;
	}
	if (first == last && set->n == TCP_RANGES_MAX)
		return 0;
	added = joined.hi - joined.lo - held;
	replace(set, first, last - first, &joined);
	set->bytes += added;
	return added;
}

void tcp_ranges_drop_below(struct tcp_ranges *set, uint32_t seq)
{
	uint32_t gone = 0;

	for (; gone < set->n && seq_le(set->at[gone].hi, seq); gone++)
		set->bytes -= set->at[gone].hi - set->at[gone].lo;
	if (gone) {
		set->n -= gone;
		memmove(set->at, set->at + gone, set->n * sizeof(set->at[0]));
	}
	if (set->n && seq_lt(set->at[0].lo, seq)) {
		set->bytes -= seq - set->at[0].lo;
		set->at[0].lo = seq;
	}
}

uint32_t tcp_ranges_covered(const struct tcp_ranges *set, uint32_t lo, uint32_t hi)
{
	uint32_t sum = 0;

	if (seq_ge(lo, hi))
		return 0;
	for (uint32_t i = find_reaching(set, lo); i < set->n && seq_lt(set->at[i].lo, hi); i++) {
		uint32_t from = seq_max(lo, set->at[i].lo), to = seq_min(hi, set->at[i].hi);

		if (seq_lt(from, to))
			sum += to - from;
	}
	return sum;
}

bool tcp_ranges_hole(const struct tcp_ranges *set, uint32_t from, uint32_t end, uint32_t *lo,
		     uint32_t *hi)
{
	uint32_t i = find_reaching(set, from);

	if (i < set->n && seq_le(set->at[i].lo, from))
		from = set->at[i++].hi;
	if (seq_ge(from, end))
		return false;
	*lo = from;
	*hi = i < set->n ? seq_min(end, set->at[i].lo) : end;
	return true;
}

bool tcp_ranges_edge(const struct tcp_ranges *set, uint32_t ranges, uint32_t bytes, uint32_t *edge)
{
	uint32_t sum = 0;

	for (uint32_t i = set->n; i-- > 0;) {
		sum += set->at[i].hi - set->at[i].lo;
		if (set->n - i >= ranges || sum > bytes) {
			*edge = set->at[i].lo;
			return true;
		}
	}
	return false;
}
