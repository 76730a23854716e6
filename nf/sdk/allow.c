/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the configuration lets a function do besides: files it may open, connections it has.
 *
 * Paths are found with the rights that sluice-nf was started with, since a folder above them may be
 * closed to the function's user; whether the file itself may be read is still up to that
 * user's rights. Connections are made by this trusted code before anything of the plugin runs: a
 * filter of system calls cannot see an address, so that a function that may call connect could
 * call it with any.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "nf/sdk/host.h"

#define UNIX_PREFIX_LEN 5 /* "unix:" */

union address {
	struct sockaddr any;
	struct sockaddr_in ip4;
	struct sockaddr_in6 ip6;
	struct sockaddr_un local;
};

int allow_add(struct host *host, const struct sluice_host_allow *what, int fd)
{
	struct host_allowed *a;

	if (host->allowed_count == SLUICE_ALLOW_MAX)
		return -E2BIG;
	if (!host->allowed)
		host->allowed = calloc(SLUICE_ALLOW_MAX, sizeof(*host->allowed));
	if (!host->allowed)
		return -ENOMEM;
	a = &host->allowed[host->allowed_count++];
	*a = (struct host_allowed){.what = *what, .fd = fd};
	a->what.text[sizeof(a->what.text) - 1] = '\0';
	return 0;
}

/* --- files ------------------------------------------------------------------------- */

static bool is_path(const struct host_allowed *a)
{
	return a->what.what == SLUICE_ALLOW_READ;
}

static bool is_writing(const struct host_allowed *a)
{
	return a->what.what == SLUICE_ALLOW_WRITE;
}

int allow_find_paths(struct host *host)
{
	for (unsigned i = 0; i < host->allowed_count; i++) {
		struct host_allowed *a = &host->allowed[i];

		if (!is_path(a))
			continue;
		a->fd = open(a->what.text, O_PATH | O_CLOEXEC);
		if (a->fd < 0)
			return -errno;
	}
	return 0;
}

bool allow_reads(const struct host *host)
{
	for (unsigned i = 0; i < host->allowed_count; i++)
		if (is_path(&host->allowed[i]))
			return true;
	return false;
}

int allow_lock(struct host *host)
{
	int fds[SLUICE_ALLOW_MAX];
	unsigned n = 0;

	for (unsigned i = 0; i < host->allowed_count; i++)
		if (is_path(&host->allowed[i]))
			fds[n++] = host->allowed[i].fd;
	return landlock_read_beneath(fds, n);
}

/* --- connections --------------------------------------------------------------------- */

/* Its length; 0: no address. */
static socklen_t address_of(const struct sluice_host_allow *what, union address *out)
{
	*out = (union address){.any = {0}};
	if (what->what == SLUICE_ALLOW_UNIX) {
		const char *path = what->text + UNIX_PREFIX_LEN;
		size_t len = strnlen(path, sizeof(out->local.sun_path));

		if (len == sizeof(out->local.sun_path))
			return 0;
		out->local.sun_family = AF_UNIX;
		memcpy(out->local.sun_path, path, len + 1);
		return sizeof(out->local);
	}
	if (what->to.family == 4) {
		out->ip4.sin_family = AF_INET;
		out->ip4.sin_port = htons(what->to.port);
		memcpy(&out->ip4.sin_addr, what->to.bytes, sizeof(out->ip4.sin_addr));
		return sizeof(out->ip4);
	}
	out->ip6.sin6_family = AF_INET6;
	out->ip6.sin6_port = htons(what->to.port);
	memcpy(&out->ip6.sin6_addr, what->to.bytes, sizeof(out->ip6.sin6_addr));
	return sizeof(out->ip6);
}

/* A descriptor; -errno. One that is still being connected is as good. */
static int connection_make(const struct sluice_host_allow *what)
{
	int type = what->what == SLUICE_ALLOW_UDP ? SOCK_DGRAM : SOCK_STREAM, fd, rc;
	union address to;
	socklen_t len = address_of(what, &to);

	if (!len)
		return -EINVAL;
	fd = socket(to.any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, &to.any, len) == 0 || errno == EINPROGRESS)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

void allow_connect(struct host *host)
{
	for (unsigned i = 0; i < host->allowed_count; i++)
		if (!is_path(&host->allowed[i]) && !is_writing(&host->allowed[i]))
			host->allowed[i].fd = connection_make(&host->allowed[i].what);
}

int allow_connection(const struct host *host, const char *name)
{
	for (unsigned i = 0; i < host->allowed_count; i++) {
		const struct host_allowed *a = &host->allowed[i];

		if (!is_path(a) && !is_writing(a) && !strcmp(a->what.text, name))
			return a->fd;
	}
	return -ENOENT;
}

/* --- where to write -------------------------------------------------------------------- */

void allow_aside(struct host *host, int least)
{
	for (unsigned i = 0; i < host->allowed_count; i++) {
		struct host_allowed *a = &host->allowed[i];

		if (is_writing(a) && a->fd >= 0)
			a->fd = fcntl(a->fd, F_DUPFD_CLOEXEC, least);
	}
}

int allow_settle(struct host *host, int first)
{
	for (unsigned i = 0; i < host->allowed_count; i++) {
		struct host_allowed *a = &host->allowed[i];

		if (!is_writing(a) || a->fd < 0)
			continue;
		a->fd = dup3(a->fd, first, O_CLOEXEC);
		first++;
	}
	return first;
}

int allow_writing(const struct host *host, const char *name)
{
	for (unsigned i = 0; i < host->allowed_count; i++)
		if (is_writing(&host->allowed[i]) && !strcmp(host->allowed[i].what.text, name))
			return host->allowed[i].fd;
	return -ENOENT;
}
