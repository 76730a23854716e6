/* SPDX-License-Identifier: BSD-3-Clause */
#include "mgmt/nearest/nearest.h"

#include <limits.h>
#include <string.h>

#define WORD_MAX 64

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned least = a < b ? a : b;

	return least < c ? least : c;
}

/*
 * Edit distance where two neighbours swapped count as one mistake, the commonest in typing.
 * Three rows of the usual table are kept.
 */
static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned rows[3][WORD_MAX + 1];
	unsigned *before = rows[0], *last = rows[1], *now = rows[2];

	for (size_t j = 0; j <= b_len; j++)
		last[j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned *spare = before;

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			now[j] = min3(last[j] + 1, now[j - 1] + 1,
				      last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = min3(now[j], now[j], before[j - 2] + 1);
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[b_len];
}

void nearest_begin(struct nearest *nearest, const char *word)
{
	*nearest = (struct nearest){.word = word, .best_distance = UINT_MAX};
}

void nearest_offer(struct nearest *nearest, const char *known)
{
	size_t word_len = strlen(nearest->word), known_len = strlen(known);
	unsigned d;

	if (word_len > WORD_MAX || known_len > WORD_MAX)
		return;
	d = distance(nearest->word, word_len, known, known_len);
	if (d < nearest->best_distance) {
		nearest->best_distance = d;
		nearest->best = known;
	}
}

const char *nearest_best(const struct nearest *nearest)
{
	size_t allowed = strlen(nearest->word) / 3;

	if (allowed == 0)
		allowed = 1;
	return nearest->best_distance <= allowed ? nearest->best : NULL;
}
