/* SPDX-License-Identifier: BSD-3-Clause */
#include "mem.h"

#include <malloc.h>
#include <stdlib.h>

size_t mem_size(void *p)
{
	return p ? malloc_usable_size(p) + sizeof(size_t) : 0;
}

void *mem_get(struct mem *mem, size_t bytes)
{
	void *p = calloc(1, bytes ? bytes : 1);

	mem->bytes += mem_size(p);
	return p;
}

void mem_put(struct mem *mem, void *p)
{
	mem->bytes -= mem_size(p);
	free(p);
}
