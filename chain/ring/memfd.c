/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/ring/memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sluice/abi.h>

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008u
#endif

#define FLAGS (MFD_CLOEXEC | MFD_ALLOW_SEALING)

/* Kernels before 6.3 do not know MFD_NOEXEC_SEAL; later ones may insist on it. */
static int memfd_open(const char *name)
{
	int fd = memfd_create(name, FLAGS | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, FLAGS);
	return fd < 0 ? -errno : fd;
}

static int memfd_map(struct memfd *m, bool writer)
{
	int protection = writer ? PROT_READ | PROT_WRITE : PROT_READ;
	int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

	if (ftruncate(m->fd, (off_t)m->bytes))
		return -errno;
	m->base = mmap(NULL, m->bytes, protection, MAP_SHARED, m->fd, 0);
	if (m->base == MAP_FAILED)
		return -errno;
	if (writer)
		seals |= F_SEAL_FUTURE_WRITE; /* this mapping stays writable, and is the last */
	return fcntl(m->fd, F_ADD_SEALS, seals) ? -errno : 0;
}

int memfd_make(const char *name, uint64_t bytes, bool writer, struct memfd *m)
{
	int rc;

	*m = (struct memfd){
		.fd = memfd_open(name),
		.base = MAP_FAILED,
		.bytes = (bytes + SLUICE_PAGE - 1) & ~(uint64_t)(SLUICE_PAGE - 1),
	};
	if (m->fd < 0)
		return m->fd;
	rc = memfd_map(m, writer);
	if (rc)
		memfd_end(m);
	return rc;
}

void memfd_end(struct memfd *m)
{
	if (m->base != MAP_FAILED)
		munmap(m->base, m->bytes);
	if (m->fd >= 0)
		close(m->fd);
	*m = (struct memfd){.fd = -1, .base = MAP_FAILED};
}
