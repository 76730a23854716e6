/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The addresses of servers that are known by name. A thread of its own asks the resolvers, so that
 * neither a worker nor the control thread ever waits for them; a name is asked for again when its
 * TTL is over. The kernel's network is used, as by any program on this machine, not our ports.
 *
 * A name keeps the addresses that it had while nobody answers, or the answer is an error.
 *
 * Threads: all functions are the control thread's.
 */
#ifndef DATAPLANE_RESOLVE_H
#define DATAPLANE_RESOLVE_H

#include <stdbool.h>

struct addr;
struct conf;
struct resolver;

int resolver_create(struct resolver **out) __attribute__((warn_unused_result));
void resolver_destroy(struct resolver *resolver); /* NULL: nothing happens */

/* Readable when something new is known. */
int resolver_fd(const struct resolver *resolver);

/* From now on the names of this configuration are looked for, and no others. 0, or -ENOMEM: as it
 * was. */
int resolver_set(struct resolver *resolver, const struct conf *conf)
	__attribute__((warn_unused_result));

/* Calls `fn` for each name that has a new answer; it must not call the resolver. */
typedef void resolver_fn(const char *host, const struct addr *addresses, unsigned count, void *ctx);
void resolver_take(struct resolver *resolver, resolver_fn *fn, void *ctx);

#endif
