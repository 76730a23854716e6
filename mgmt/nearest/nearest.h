/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * "Did you mean …?": the known word that a mistyped one is closest to.
 *
 * Begin with the mistyped word, offer every known word, ask for the best. Nothing is
 * allocated; the words are borrowed. Any thread, each with its own structure.
 */
#ifndef MGMT_NEAREST_NEAREST_H
#define MGMT_NEAREST_NEAREST_H

struct nearest {
	const char *word;
	const char *best;
	unsigned best_distance;
};

void nearest_begin(struct nearest *nearest, const char *word);
void nearest_offer(struct nearest *nearest, const char *known);

/* The closest of the words offered; NULL when none is close enough to be meant. */
const char *nearest_best(const struct nearest *nearest);

#endif
