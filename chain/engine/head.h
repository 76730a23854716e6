/* SPDX-License-Identifier: BSD-3-Clause */
/* Heads, from where they are read. */
#ifndef CHAIN_ENGINE_HEAD_H
#define CHAIN_ENGINE_HEAD_H

#include "chain/engine/model.h"

/* --- head.c ---------------------------------------------------------------------- */
/* Parses what waits as a head: a request's, or the response to `request`. `*head` is a small slot,
 * which may be bare, and a large one afterwards if it had to be. Nothing is taken. */
enum http_head_result head_read(struct engine *engine, const struct source *source,
				const struct http_limits *limits, const struct sluice_head *request,
				struct sluice_head **head, uint32_t *bytes, uint8_t *error);
/* The same for one that came before: `*bytes` is 0 when it did not, and the slot is as it was. And
 * keeps one that was read and found good, for the next time. */
void head_recall(const struct engine *engine, const struct source *source,
		 const struct http_limits *limits, const struct sluice_head *request,
		 struct sluice_head *head, uint32_t *bytes, struct http_framing *framing);
void head_remember(struct engine *engine, const struct source *source,
		   const struct http_limits *limits, const struct sluice_head *request,
		   struct sluice_head *head, uint32_t bytes, const struct http_framing *framing);
/*
 * Takes a head that was read off its source. The part of an mbuf that is shared with what
 * follows may come as a copy when mbufs are short; `head` is made to refer to it then.
 * LATER: nothing was taken. LOST: only some of it could be, and is gone.
 */
enum head_taken { HEAD_TAKEN, HEAD_LATER, HEAD_LOST };
enum head_taken head_take(struct engine *engine, const struct source *source,
			  struct sluice_head *head, uint32_t bytes, struct rte_mbuf **pin);

/* The same, by one reference more, for a head with the begin of its body behind it in one mbuf:
 * `most` bytes of body are to follow. False: it is not so, and nothing was taken. */
bool head_take_shared(const struct source *source, uint32_t bytes, uint64_t most,
		      struct rte_mbuf **pin, struct payload *body);

#endif
