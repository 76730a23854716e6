/* SPDX-License-Identifier: BSD-3-Clause */
#include "choose.h"

#include <stdbool.h>

#include "random.h"

void choose_prepare(struct choose_set *set)
{
	set->weight = 0;
	for (unsigned i = 0; i < set->count; i++) {
		set->member[i].below = set->weight;
		set->weight += set->member[i].weight;
	}
}

/* Everyone earns their weight, the richest is chosen and pays what all have earned: a
 * server of weight 3 among 1s is not chosen three times in a row. */
unsigned choose_round_robin(struct choose_set *set)
{
	unsigned best = 0;

	for (unsigned i = 0; i < set->count; i++) {
		set->member[i].credit += set->member[i].weight;
		if (set->member[i].credit > set->member[best].credit)
			best = i;
	}
	set->member[best].credit -= (int64_t)set->weight;
	return best;
}

static uint64_t load_of(const struct choose_member *m, uint64_t now_us)
{
	uint64_t sent = m->sent_us == now_us ? m->sent : 0;

	return __atomic_load_n(m->active, __ATOMIC_RELAXED) + sent;
}

static void note_sent(struct choose_member *m, uint64_t now_us)
{
	if (m->sent_us != now_us) {
		m->sent_us = now_us;
		m->sent = 0;
	}
	m->sent++;
}

/* Would `a` be less loaded than `b` with one exchange more? Then the heavier of two idle ones is.
 */
static bool is_lighter(const struct choose_member *a, const struct choose_member *b,
		       uint64_t now_us)
{
	return (load_of(a, now_us) + 1) * b->weight < (load_of(b, now_us) + 1) * a->weight;
}

unsigned choose_least(struct choose_set *set, uint64_t now_us, uint64_t *random)
{
	/* The look begins anywhere, so that equals share what comes. */
	unsigned start = random_below(random, set->count), best = start;

	for (unsigned k = 1; k < set->count; k++) {
		unsigned i = start + k < set->count ? start + k : start + k - set->count;

		if (is_lighter(&set->member[i], &set->member[best], now_us))
			best = i;
	}
	note_sent(&set->member[best], now_us);
	return best;
}

/* The member that has the weight unit `unit` of the row of all. */
static unsigned member_at(const struct choose_set *set, uint64_t unit)
{
	unsigned low = 0, high = set->count - 1;

	while (low < high) {
		unsigned middle = low + (high - low + 1) / 2;

		if (set->member[middle].below <= unit)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

/* Another member than `first`: the row of weights with the first one's cut out. */
static unsigned member_beside(const struct choose_set *set, unsigned first, uint64_t *random)
{
	const struct choose_member *m = &set->member[first];
	uint64_t unit = random_below(random, set->weight - m->weight);

	return member_at(set, unit < m->below ? unit : unit + m->weight);
}

unsigned choose_p2c(struct choose_set *set, uint64_t now_us, uint64_t *random)
{
	unsigned best = member_at(set, random_below(random, set->weight));

	if (set->count > 1) {
		unsigned other = member_beside(set, best, random);

		if (is_lighter(&set->member[other], &set->member[best], now_us))
			best = other;
	}
	note_sent(&set->member[best], now_us);
	return best;
}
