/* SPDX-License-Identifier: BSD-3-Clause */
/* What any file of the engine may need of it: its turn, its errors, its versions of chains, text.
 */
#ifndef CHAIN_ENGINE_CORE_H
#define CHAIN_ENGINE_CORE_H

#include "chain/engine/model.h"

/* --- engine.c -------------------------------------------------------------------- */
void engine_ready(struct engine *engine, struct task *task);
/* A pool was empty: the task runs again after ENGINE_RETRY_US. */
void engine_starve(struct engine *engine, struct task *task);
/* A task that goes away: it is not run any more. */
void engine_forget(struct engine *engine, struct task *task);
const char *engine_date(struct engine *engine);
void engine_log_error(struct engine *engine, const char *chain, uint16_t function,
		      const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The reference of a byte of payload that every function maps; SLUICE_REF_NONE when there is none.
 */
uint64_t engine_payload_ref(const struct engine *engine, const void *ptr);
void engine_count_http_error(struct engine *engine, enum http_error error);

/* --- config.c -------------------------------------------------------------------- */
void chain_unuse(struct chain *chain);
/* Frees chains that nobody uses any more, and functions with them: only between exchanges. */
void config_settle(struct engine *engine);
void config_close(struct engine *engine);

/* --- text.c ---------------------------------------------------------------------- */
/* Bytes as a chain of mbufs; NULL: the pool is empty. */
struct rte_mbuf *text_chain(struct engine *engine, const void *bytes, uint32_t len);
/* A head as a chain. 0, -EAGAIN: no memory just now; or what the writer says. */
int text_head(struct engine *engine, const struct sluice_head *head, const struct http_write *how,
	      struct rte_mbuf **out);

#endif
