/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/static/open.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What is no file (a pipe) must not make us wait. */
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

/* The C library may ask by newfstatat, which a function may not call once it runs. */
int open_stat(int fd, struct stat *stat)
{
#ifdef SYS_fstat
	return syscall(SYS_fstat, fd, stat) ? -errno : 0;
#else
	return fstat(fd, stat) ? -errno : 0;
#endif
}

static int check_name(struct sluice_str name, bool dotfiles)
{
	if (name.len == 0 || name.len > NAME_MAX || memchr(name.ptr, '\0', name.len))
		return -ENOENT;
	if (sluice_str_equal(name, sluice_str(".")) || sluice_str_equal(name, sluice_str("..")))
		return -ENOENT;
	return name.ptr[0] == '.' && !dotfiles ? -EACCES : 0;
}

static int open_one(int at, struct sluice_str name, int flags)
{
	char text[NAME_MAX + 1];
	int fd;

	memcpy(text, name.ptr, name.len);
	text[name.len] = '\0';
	do
		fd = openat(at, text, OPEN_FLAGS | flags);
	while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

/* The piece up to the next slash. */
static struct sluice_str take_name(struct sluice_str *rest, bool *last)
{
	const char *slash = memchr(rest->ptr, '/', rest->len);
	struct sluice_str name = {rest->ptr, slash ? (uint32_t)(slash - rest->ptr) : rest->len};

	*last = !slash;
	rest->ptr += name.len + (slash ? 1 : 0);
	rest->len -= name.len + (slash ? 1 : 0);
	return name;
}

static int walk(int root, struct sluice_str path, bool dotfiles, int flags)
{
	bool last = false;
	int at = root;

	while (!last) {
		struct sluice_str name = take_name(&path, &last);
		int rc = check_name(name, dotfiles);

		if (!rc)
			rc = open_one(at, name, flags | (last ? 0 : O_DIRECTORY));
		if (at != root)
			close(at);
		if (rc < 0)
			return rc;
		at = rc;
	}
	return at;
}

int open_below(int root, struct sluice_str path, bool dotfiles, bool links, struct stat *stat)
{
	int fd, rc;

	if (path.len == 0)
		fd = open_one(root, sluice_str("."), O_DIRECTORY);
	else
		fd = walk(root, path, dotfiles, links ? 0 : O_NOFOLLOW);
	if (fd < 0)
		return fd;
	rc = open_stat(fd, stat);
	if (!rc && !S_ISREG(stat->st_mode) && !S_ISDIR(stat->st_mode))
		rc = -EACCES;
	if (!rc)
		return fd;
	close(fd);
	return rc;
}
