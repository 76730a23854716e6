/* SPDX-License-Identifier: BSD-3-Clause */
/* What verdict.c (heads, and who may speak) and parts.c (parts of bodies) share. */
#ifndef CHAIN_ENGINE_VERDICT_H
#define CHAIN_ENGINE_VERDICT_H

#include "chain/engine/model.h"

#define offence(instance, x, kind, text) \
	verdict_offend((instance), (x), &(instance)->engine->counters.offences_##kind, (text))

/* A lie is counted. `x`: the liar's exchange, which ends; NULL: it is not its own, or over. */
void verdict_offend(struct instance *instance, struct exchange *x, uint64_t *counter,
		    const char *text);
/* The exchange, if this instance has a part in it. */
struct exchange *verdict_own(struct instance *instance, struct exchange *x);

/* It passes a head, and says nothing else: there is nothing in it that could be wrong. */
static inline bool verdict_is_plain(const struct sluice_up *up)
{
	return (up->verdict == SLUICE_PASS || up->verdict == SLUICE_LEAVE) &&
	       !(up->slices | up->flags | up->text_len) && up->group == SLUICE_NONE16 &&
	       up->server == SLUICE_NONE16;
}

/* The edits of a verdict in engine->edits. False: the answer is refused. */
bool verdict_text(struct instance *instance, struct exchange *x, const struct sluice_up *up);
/* Group and server. False: refused. */
bool verdict_choice(struct instance *instance, struct exchange *x, const struct sluice_up *up);

/* The head of an answer of its own, and the first of its body. */
bool verdict_respond_allowed(const struct sluice_up *up);
void verdict_respond(struct instance *instance, struct hop *hop, const struct sluice_up *up);

bool verdict_slices_valid(const struct instance *instance, const struct sluice_up *up);
/* Slices that will not be sent: their tags are due at once. */
void verdict_slices_return(struct instance *instance, const struct sluice_up *up);

/* One more slice of the answer that this instance gives. False: the exchange has ended. */
bool parts_emit(struct instance *instance, struct exchange *x, const struct sluice_slice *slice);
/* The slices as mbufs; a later function may have to be shown copies, so they are cut to its
 * measure. False: there was no memory for all of them; `out` has what there was. */
bool parts_attach(struct instance *instance, struct exchange *x, const struct sluice_up *up,
		  struct payload *out);
void parts_take_emit(struct instance *instance, struct exchange *x, const struct sluice_up *up);
void parts_take_piece(struct instance *instance, struct exchange *x, const struct sluice_up *up);

#endif
