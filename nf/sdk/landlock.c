/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Landlock, by its system calls. The numbers are the kernel's; they are written out here so
 * that a build on older headers still uses all that a newer kernel offers.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "nf/sdk/host.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule       445
#define SYS_landlock_restrict_self  446
#endif

#define VERSION_FLAG 1u
#define RULE_BENEATH 1
#define FS_READ_FILE (UINT64_C(1) << 2)
#define FS_READ_DIR  (UINT64_C(1) << 3)
#define NET_ALL      UINT64_C(3) /* bind and connect of TCP */
#define SCOPE_ALL    UINT64_C(3) /* abstract Unix sockets, signals */

struct ruleset {
	uint64_t fs, net, scoped;
};

struct beneath {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

/* By version of the interface: how many rights over files there are, and how much of the struct. */
static const struct {
	uint8_t fs_bits, bytes;
} versions[] = {
	{0, 0}, {13, 8}, {14, 8}, {15, 8}, {15, 16}, {16, 16}, {16, 24},
};
#define VERSIONS (sizeof(versions) / sizeof(versions[0]))

static bool absent(int error)
{
	return error == ENOSYS || error == EOPNOTSUPP;
}

/* A set that forbids everything; 0 with `fd` -1 where the kernel has no Landlock. */
static int ruleset_open(int *fd)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, VERSION_FLAG);
	struct ruleset set;

	*fd = -1;
	if (version < 1)
		return absent(errno) ? 0 : -errno;
	if ((size_t)version >= VERSIONS)
		version = VERSIONS - 1;
	set = (struct ruleset){
		.fs = (UINT64_C(1) << versions[version].fs_bits) - 1,
		.net = NET_ALL,
		.scoped = SCOPE_ALL,
	};
	*fd = (int)syscall(SYS_landlock_create_ruleset, &set, (size_t)versions[version].bytes, 0u);
	return *fd < 0 ? -errno : 0;
}

static int ruleset_enforce(int fd)
{
	int rc = syscall(SYS_landlock_restrict_self, fd, 0u) ? -errno : 0;

	close(fd);
	return rc;
}

static int allow_beneath(int ruleset, int fd)
{
	struct beneath rule = {.allowed = FS_READ_FILE | FS_READ_DIR, .fd = fd};
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISDIR(st.st_mode))
		rule.allowed = FS_READ_FILE;
	return syscall(SYS_landlock_add_rule, ruleset, RULE_BENEATH, &rule, 0u) ? -errno : 0;
}

static int restrict_to(const int *fds, unsigned count)
{
	int ruleset, rc = ruleset_open(&ruleset);

	if (rc || ruleset < 0)
		return rc || !count ? rc : -ENOSYS;
	for (unsigned i = 0; i < count && !rc; i++)
		rc = allow_beneath(ruleset, fds[i]);
	if (!rc)
		return ruleset_enforce(ruleset);
	close(ruleset);
	return rc;
}

int landlock_read_only(void)
{
	int root = open("/", O_PATH | O_CLOEXEC), rc;

	if (root < 0)
		return -errno;
	rc = restrict_to(&root, 1);
	close(root);
	return rc == -ENOSYS ? 0 : rc;
}

int landlock_read_beneath(const int *fds, unsigned count)
{
	int rc = restrict_to(fds, count);

	for (unsigned i = 0; i < count; i++)
		close(fds[i]);
	return rc;
}
