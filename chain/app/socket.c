/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "chain/app/door_internal.h"

static int fail(const struct door *door, char *error, size_t size)
{
	int rc = -errno;

	snprintf(error, size, "%s: %s", door->path, strerror(-rc));
	return rc;
}

/* Everybody may knock; the credentials decide. A daemon that runs holds control.sock in the same
 * folder: what lies here was left by one that does not. */
static int bind_there(struct door *door)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", door->path);
	if (unlink(door->path) && errno != ENOENT)
		return -1;
	if (bind(door->listen_fd, (struct sockaddr *)&address, sizeof(address)) ||
	    chmod(door->path, 0666))
		return -1;
	return listen(door->listen_fd, DOOR_WAITING_MAX);
}

int door_listen(struct door *door, char *error, size_t size)
{
	int rc;

	if ((size_t)snprintf(door->path, sizeof(door->path), "%s/" SLUICE_APP_SOCKET,
			     door->conf.run_dir) >= sizeof(door->path)) {
		errno = ENAMETOOLONG;
		return fail(door, error, size);
	}
	door->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (door->listen_fd < 0)
		return fail(door, error, size);
	if (!bind_there(door))
		return 0;
	rc = fail(door, error, size);
	close(door->listen_fd);
	door->listen_fd = -1;
	return rc;
}

void door_unlisten(struct door *door)
{
	if (door->listen_fd < 0)
		return;
	unlink(door->path);
	close(door->listen_fd);
	door->listen_fd = -1;
}

bool socket_in_group(int socket, const struct ucred *who, gid_t gid)
{
	gid_t *groups;
	socklen_t bytes = 0;
	bool found = false;

	if (who->gid == gid)
		return true;
	if (!getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, NULL, &bytes) || errno != ERANGE)
		return false;
	groups = malloc(bytes);
	if (groups && !getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups, &bytes))
		for (size_t i = 0; i < bytes / sizeof(*groups); i++)
			found = found || groups[i] == gid;
	free(groups);
	return found;
}
