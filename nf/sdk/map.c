/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/sdk/map.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define ALIGN_LEAST (UINT64_C(2) << 20)

/* Huge pages need an address that is a multiple of their size. */
static uint64_t align_of(int fd)
{
	struct stat st;
	uint64_t align = ALIGN_LEAST;

	if (fd >= 0 && fstat(fd, &st) == 0 && (uint64_t)st.st_blksize > align)
		align = (uint64_t)st.st_blksize;
	return align;
}

/* More than is needed, trimmed to its alignment. */
uint8_t *map_reserve(uint64_t bytes, int fd)
{
	uint64_t align = align_of(fd), before;
	uint8_t *base = mmap(NULL, bytes + align, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (base == MAP_FAILED)
		return NULL;
	before = (align - (uintptr_t)base % align) % align;
	if (before)
		munmap(base, before);
	munmap(base + before + bytes, align - before);
	return base + before;
}

int map_source(uint8_t *base, uint64_t bytes, uint64_t *done,
	       const struct sluice_host_source *source, int fd, bool writable)
{
	int prot = writable ? PROT_READ | PROT_WRITE : PROT_READ;

	if (source->bytes > bytes - *done)
		return -EPROTO;
	if (mmap(base + *done, source->bytes, prot, MAP_SHARED | MAP_FIXED, fd,
		 (off_t)source->offset) == MAP_FAILED)
		return -errno;
	*done += source->bytes;
	return 0;
}
