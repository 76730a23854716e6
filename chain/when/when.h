/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Conditions on requests: what a branch of a path asks.
 *
 * A condition is compiled once, by whoever sets a configuration up, and asked for each request
 * that comes to its branch, without allocating. Patterns are PCRE2, compiled to machine code where
 * that is allowed, and bounded: a match that takes too many steps is no match.
 *
 * Threads: a condition belongs to one worker, since matching uses memory of its own.
 */
#ifndef CHAIN_WHEN_WHEN_H
#define CHAIN_WHEN_WHEN_H

#include <stdbool.h>

#include "chain/http/text.h"
#include "mgmt/conf/conf.h"

struct when;

/* The condition's texts are copied. -EINVAL: a pattern cannot be compiled. -ENOMEM. */
int when_create(const struct conf_condition *conf, struct when **out)
	__attribute__((warn_unused_result));
void when_destroy(struct when *when);

/* Does this request fulfil it? */
bool when_holds(const struct when *when, const struct http_memory *memory,
		const struct sluice_head *head);

#endif
