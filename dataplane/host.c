/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/host.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void host_path(char *out, size_t size)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[n > 0 ? n : 0] = 0;
	slash = strrchr(self, '/');
	snprintf(out, size, "%.*ssluice-nf", slash ? (int)(slash + 1 - self) : 0, self);
}
