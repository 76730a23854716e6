/* SPDX-License-Identifier: BSD-3-Clause */
/* The shared object: found before the user changes, loaded when the process is locked in. */
#include <dlfcn.h>
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
static void *object_load(const char *path, int fd)
{
	char by_fd[32];

	if (access(path, R_OK) == 0)
		return dlopen(path, RTLD_NOW | RTLD_LOCAL);
	snprintf(by_fd, sizeof(by_fd), "/proc/self/fd/%d", fd);
	return dlopen(by_fd, RTLD_NOW | RTLD_LOCAL);
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int plugin_load(struct host *host, int fd)
{
	const char *name = last_part(host->welcome.plugin);
	void *object = object_load(host->welcome.plugin, fd), *symbol;
	const struct sluice_nf_hooks *(*entry)(void);
	const struct sluice_nf_hooks *hooks;

	close(fd);
	if (!object)
		return host_fail(host, -ENOEXEC, "plugin %s cannot be loaded: %s", name, dlerror());
	symbol = dlsym(object, SLUICE_ENTRY_SYMBOL);
	if (!symbol)
		return host_fail(host, -ENOEXEC, "plugin %s has no SLUICE_FUNCTION", name);
	memcpy(&entry, &symbol, sizeof(entry)); /* ISO C has no conversion between the two */
	hooks = entry();
	return nf_hooks_read(hooks, name, &host->hooks, host->error, sizeof(host->error));
}
