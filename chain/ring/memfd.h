/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Anonymous shared memory of a size that can never change, so that no other process can
 * take pages away under a mapping.
 */
#ifndef CHAIN_RING_MEMFD_H
#define CHAIN_RING_MEMFD_H

#include <stdbool.h>
#include <stdint.h>

struct memfd {
	int fd;
	void *base; /* the mapping in this process */
	uint64_t bytes;
};

/* `writer`: mapped here for writing, and from then on nobody can map or write it; otherwise mapped
 * for reading, and whoever gets the descriptor may write. `bytes` is rounded up to pages. 0 or
 * -errno. */
int memfd_make(const char *name, uint64_t bytes, bool writer, struct memfd *out)
	__attribute__((warn_unused_result));
void memfd_end(struct memfd *memfd);

#endif
