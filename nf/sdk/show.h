/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The way of a head to its hook and of a plain verdict back, as short as it can be made: most
 * heads are looked at and passed on, and then the hook should be what takes the time.
 *
 * To be included by whoever calls it for each head (ringend.c, and the worker for a function that
 * is its own). What is not of the usual kind it leaves to nf_head, which does the same in full.
 */
#ifndef NF_SDK_SHOW_H
#define NF_SDK_SHOW_H

#include <string.h>

#include "nf/sdk/core.h"
#include "nf/sdk/fault.h"

#define NF_UNUSUAL (-2)

/* Bytes of an exchange whose ctx ends in its first line. */
#define NF_STRIDE_LEAST (NF_HOT + SLUICE_CACHE_LINE)

/* In steps of a known size, which need no call. */
static inline void nf_ctx_clear(struct sluice_exchange *x, uint32_t stride)
{
	memset(x->ctx, 0, NF_STRIDE_LEAST - sizeof(*x));
	for (uint32_t at = NF_STRIDE_LEAST; at < stride; at += SLUICE_CACHE_LINE)
		memset((uint8_t *)x + at, 0, SLUICE_CACHE_LINE);
}

/* The slot's new user; the one before has nothing left that is to be given back. */
static inline void nf_exchange_begin(struct sluice_exchange *x, uint32_t generation,
				     uint32_t stride)
{
	x->head = NULL;
	x->generation = generation;
	x->choice = NF_NO_CHOICE;
	x->said = 0;
	x->state = 0;
	x->live = true;
	nf_ctx_clear(x, stride);
}

/* What it answered before this came too late. */
static inline void nf_head_begin(struct sluice_exchange *x, const struct sluice_shown *from,
				 enum nf_phase phase)
{
	FAULT_POINT(BEGUN);
	x->held = x->respond = x->answering = false;
	x->phase = (uint8_t)phase;
	x->head = from->head;
	if (phase == NF_RESPONSE_HEAD)
		x->asked = from->asked;
	else
		x->asks_head = from->head->method == SLUICE_METHOD_HEAD;
}

/* What the hook for a request or a response returned: as nf_head returns it. */
static inline int nf_head_end(struct sluice_exchange *x, enum sluice_verdict verdict)
{
	if ((unsigned)verdict > SLUICE_LEAVE || x->said) {
		answer_hook(x, verdict);
		return NF_SAID;
	}
	FAULT_POINT(ANSWERED);
	if (verdict == SLUICE_LEAVE)
		x->live = false;
	x->phase = NF_IDLE;
	x->head = NULL;
	x->nf->room_came = true;
	return (int)verdict;
}

/* As nf_head, or NF_UNUSUAL: nothing is done yet, and it is for nf_head. `x`: what
 * nf_exchange_known has found of it. */
static inline int nf_show(struct sluice_nf *nf, struct sluice_exchange *x,
			  const struct sluice_shown *from)
{
	if (!x || !from->head)
		return NF_UNUSUAL;
	if (from->response) {
		if (!x->live || x->generation != from->generation || !nf->hooks.response_head)
			return NF_UNUSUAL;
		nf_head_begin(x, from, NF_RESPONSE_HEAD);
		return nf_head_end(x, nf->hooks.response_head(x));
	}
	if (x->generation == from->generation || x->said || !nf->hooks.request_head)
		return NF_UNUSUAL;
	nf_exchange_begin(x, from->generation, nf->stride);
	nf_head_begin(x, from, NF_REQUEST_HEAD);
	return nf_head_end(x, nf->hooks.request_head(x));
}

#endif
