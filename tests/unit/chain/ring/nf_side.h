/* SPDX-License-Identifier: BSD-3-Clause */
/* The function's end of a link, mapped as sluice-nf maps it, for tests that play both ends. */
#ifndef TESTS_RING_NF_SIDE_H
#define TESTS_RING_NF_SIDE_H

#include <stdint.h>
#include <sys/mman.h>

#include "chain/ring/link.h"

struct nf_side {
	const struct sluice_down_ctl *down;
	const struct sluice_down *ring;
	struct sluice_up_ctl *up;
	struct sluice_up *up_ring;
	uint8_t *text;
	uint64_t *counters;
	uint8_t *up_base;
	uint64_t down_bytes, up_bytes;
};

static inline void nf_side_map(struct nf_side *s, const struct link *link)
{
	s->down_bytes = link_down_bytes(link);
	s->up_bytes = link_up_bytes(link);
	s->down = mmap(NULL, s->down_bytes, PROT_READ, MAP_SHARED, link_down_fd(link), 0);
	s->ring = (const struct sluice_down *)((const uint8_t *)s->down + SLUICE_PAGE);
	s->up_base =
		mmap(NULL, s->up_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, link_up_fd(link), 0);
	s->up = (struct sluice_up_ctl *)s->up_base;
	s->up_ring = (struct sluice_up *)(s->up_base + SLUICE_PAGE);
	s->text = (uint8_t *)(s->up_ring + s->down->up_entries);
	s->counters = (uint64_t *)(s->text + s->down->up_text_bytes);
}

static inline void nf_side_unmap(struct nf_side *s)
{
	munmap((void *)(uintptr_t)s->down, s->down_bytes);
	munmap(s->up_base, s->up_bytes);
}

#endif
