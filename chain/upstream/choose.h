/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The manager's own choice of a server, for exchanges whose functions picked none, and for
 * the next try when a server cannot be connected: smooth weighted round robin among the
 * healthy ones that have not reached their limits.
 *
 * One chooser for each worker; its thread.
 */
#ifndef CHAIN_UPSTREAM_CHOOSE_H
#define CHAIN_UPSTREAM_CHOOSE_H

#include <stdint.h>

#include "chain/upstream/upstream.h"

struct chooser {
	struct upstreams *upstreams;
	int32_t *credit; /* by server number */
};

int chooser_open(struct chooser *chooser, struct upstreams *upstreams)
	__attribute__((warn_unused_result));
void chooser_close(struct chooser *chooser);

/* A healthy server of the group that is not among the `tried`, or UPSTREAM_NONE. Where none is, and
 * none was tried, those that are out only because they failed of late are as good as any. */
uint32_t chooser_next(struct chooser *chooser, uint16_t group, const uint32_t *tried,
		      unsigned tried_count);

#endif
