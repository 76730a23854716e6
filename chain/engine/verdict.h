/* SPDX-License-Identifier: BSD-3-Clause */
/* What verdict.c (heads, and who may speak) and parts.c (parts of bodies) share. */
#ifndef CHAIN_ENGINE_VERDICT_H
#define CHAIN_ENGINE_VERDICT_H

#include "chain/engine/internal.h"

#define offence(instance, x, kind, text) \
	verdict_offend((instance), (x), &(instance)->engine->counters.offences_##kind, (text))

/* A lie is counted. `x`: the liar's exchange, which ends; NULL: it is not its own, or over. */
void verdict_offend(struct instance *instance, struct exchange *x, uint64_t *counter,
		    const char *text);
/* The exchange, if this instance has a part in it. */
struct exchange *verdict_own(struct instance *instance, struct exchange *x);

bool verdict_slices_valid(const struct instance *instance, const struct sluice_up *up);
/* Slices that will not be sent: their tags are due at once. */
void verdict_slices_return(struct instance *instance, const struct sluice_up *up);

/* One more slice of the answer that this instance gives. False: the exchange has ended. */
bool parts_emit(struct instance *instance, struct exchange *x, const struct sluice_slice *slice);
void parts_take_emit(struct instance *instance, struct exchange *x, const struct sluice_up *up);
void parts_take_piece(struct instance *instance, struct exchange *x, const struct sluice_up *up);

#endif
