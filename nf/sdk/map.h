/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mapping a region that the manager hands over: one range of addresses, filled source by
 * source (struct sluice_host_region). What the manager says is trusted; lengths are checked
 * all the same.
 *
 * Ownership: the range is the caller's, to be given back with munmap. Any thread.
 */
#ifndef NF_SDK_MAP_H
#define NF_SDK_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/abi.h>

/* An address range of that size that nothing else will use, aligned for the pages of the file `fd`
 * (-1: there is none). NULL: no memory. */
uint8_t *map_reserve(uint64_t bytes, int fd) __attribute__((warn_unused_result));

/* Maps a source at base + *done, which moves. 0 or -errno. */
int map_source(uint8_t *base, uint64_t bytes, uint64_t *done,
	       const struct sluice_host_source *source, int fd, bool writable)
	__attribute__((warn_unused_result));

#endif
