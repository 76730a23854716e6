/* SPDX-License-Identifier: BSD-3-Clause */
/* Instances of functions: their rings, and their deaths. */
#ifndef CHAIN_ENGINE_INSTANCE_H
#define CHAIN_ENGINE_INSTANCE_H

#include "chain/engine/model.h"

/* --- instance.c ------------------------------------------------------------------ */
/* Takes its answers; sees how far it has read; gives room in its ring to those in line; tells it
 * what was released. */
void instance_poll(struct instance *instance);
void instance_read_on(struct instance *instance);
void instance_room(struct instance *instance);
void instance_release(struct instance *instance);
/* The next entry of its ring, for what belongs to no exchange; NULL: no room. */
struct sluice_down *instance_entry(struct instance *instance, uint8_t kind);
/* One more descriptor lies in its ring, of an exchange or a request of its own. The mark by which
 * it is known whether it was read. */
static inline uint64_t instance_written(struct instance *instance)
{
	instance->dirty = true;
	engine_count(instance->engine, descriptors_down);
	return ++instance->produced;
}
uint64_t instance_consumed(const struct instance *instance);
/* It said what it may not say. `counter` is the kind, `text` is for the error log. */
void instance_offence(struct instance *instance, uint64_t *counter, const char *text);
/* Its ring cannot be trusted any more: it is as good as gone. */
void instance_broken(struct instance *instance);

/* --- failure.c ------------------------------------------------------------------- */
/* The instance is gone: what it held goes on without it, to another, or ends. */
void failure_instance(struct instance *instance);

#endif
