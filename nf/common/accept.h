/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Accept-Encoding (RFC 9110 §12.5.3): which of the codings that we can do does the client like
 * best? Pure.
 */
#ifndef NF_COMMON_ACCEPT_H
#define NF_COMMON_ACCEPT_H

#include <sluice/nf.h>

#define ACCEPT_CODINGS_MAX 8

/* The weights of `count` named codings, and of "identity", in thousandths; 0: not acceptable. */
struct accept {
	unsigned weight[ACCEPT_CODINGS_MAX];
	unsigned identity;
};

/* To be called for each field value, in order, after accept_init; then accept_end. */
struct accept_reading {
	const char *const *name; /* of the codings */
	unsigned count;
	struct accept accept;
	unsigned named; /* bit n: coding n was named; bit 31: identity was */
	unsigned any;   /* weight of "*" */
	bool any_named;
};

void accept_init(struct accept_reading *reading, const char *const *names, unsigned count);
void accept_take(struct accept_reading *reading, struct sluice_str value);
/* What was not named has the weight of "*"; identity is acceptable unless it is ruled out. */
struct accept accept_end(struct accept_reading *reading);

/* The coding with the greatest weight that is at least identity's, the first of those that are
 * equal; -1: none. */
int accept_best(const struct accept *accept, unsigned count);

#endif
