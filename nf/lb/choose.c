/* SPDX-License-Identifier: BSD-3-Clause */
#include "choose.h"

#include <sluice/abi.h>

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

	return __atomic_load_n(&m->seen->active, __ATOMIC_RELAXED) + sent;
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
static bool is_lighter(struct choose_member *a, struct choose_member *b, uint64_t now_us)
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

/* Two by weight, of which `better` decides; the first one when there is no other. */
typedef bool better_fn(struct choose_member *a, struct choose_member *b, uint64_t now_us);

static unsigned better_of_two(struct choose_set *set, uint64_t now_us, uint64_t *random,
			      better_fn *better)
{
	unsigned best = member_at(set, random_below(random, set->weight));

	if (set->count > 1) {
		unsigned other = member_beside(set, best, random);

		if (better(&set->member[other], &set->member[best], now_us))
			best = other;
	}
	note_sent(&set->member[best], now_us);
	return best;
}

unsigned choose_p2c(struct choose_set *set, uint64_t now_us, uint64_t *random)
{
	return better_of_two(set, now_us, random, is_lighter);
}

/* --- latency --------------------------------------------------------------------- */

/* More than any latency: one that was never measured gets one exchange, and no second one before
 * that tells. */
#define UNKNOWN_US 1e10

static uint64_t peak_age(struct choose_member *m, uint64_t now_us)
{
	uint64_t at = __atomic_load_n(&m->seen->peak_at_us, __ATOMIC_RELAXED);

	if (at != m->peak_at_us || now_us < m->peak_seen_us) {
		m->peak_at_us = at;
		m->peak_seen_us = now_us;
	}
	return now_us - m->peak_seen_us;
}

static double cost_of(struct choose_member *m, uint64_t now_us)
{
	double peak = __atomic_load_n(&m->seen->peak_us, __ATOMIC_RELAXED);
	uint64_t age = peak_age(m, now_us), load = load_of(m, now_us);

	if (peak <= 0)
		return load ? UNKNOWN_US * (double)load : 0;
	peak *= (double)CHOOSE_FORGET_US / (double)(CHOOSE_FORGET_US + age);
	return peak * (double)(load + 1) / m->weight;
}

static bool is_sooner(struct choose_member *a, struct choose_member *b, uint64_t now_us)
{
	return cost_of(a, now_us) < cost_of(b, now_us);
}

unsigned choose_ewma(struct choose_set *set, uint64_t now_us, uint64_t *random)
{
	return better_of_two(set, now_us, random, is_sooner);
}

/* --- hashes ---------------------------------------------------------------------- */

unsigned choose_share(const struct choose_set *set, uint64_t hash)
{
	return member_at(set, hash % set->weight);
}

uint64_t choose_in_flight(const struct choose_set *set, uint64_t now_us)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < set->count; i++)
		sum += load_of(&set->member[i], now_us);
	return sum;
}

bool choose_is_full(const struct choose_set *set, unsigned member, unsigned percent, uint64_t total,
		    uint64_t now_us)
{
	const struct choose_member *m = &set->member[member];
	double share = (double)total * m->weight / (double)set->weight;

	return (double)load_of(m, now_us) >= share * percent / 100;
}

void choose_note(struct choose_set *set, unsigned member, uint64_t now_us)
{
	note_sent(&set->member[member], now_us);
}
