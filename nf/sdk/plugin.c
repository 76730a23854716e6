/* SPDX-License-Identifier: BSD-3-Clause */
/* The shared object: found before the user changes, loaded when the process is locked in. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "nf/sdk/host.h"

int plugin_open(struct host *host)
{
	const char *path = host->welcome.plugin;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return host_fail(host, -errno, "plugin %s cannot be opened: %s", path,
				 strerror(errno));
	return fd;
}

/* By its name where the user can reach it (debuggers know it then), else by the descriptor. */
int plugin_load(struct host *host, int fd)
{
	const char *path = host->welcome.plugin;
	char by_fd[32];
	int rc;

	snprintf(by_fd, sizeof(by_fd), "/proc/self/fd/%d", fd);
	rc = object_load(access(path, R_OK) ? by_fd : path, path, &host->object, host->error,
			 sizeof(host->error));
	close(fd);
	return rc;
}
