/* SPDX-License-Identifier: BSD-3-Clause */
#include "mgmt/ctl/socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mgmt/ctl/ctl.h"

static int fail(const char *path, int errnum, char *error, size_t error_size)
{
	snprintf(error, error_size, "%s: %s", path, strerror(errnum));
	return -errnum;
}

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	memcpy(address.sun_path, path, strlen(path) + 1);
	return address;
}

static pid_t peer_pid(int fd)
{
	struct ucred cred = {0};
	socklen_t len = sizeof(cred);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 ? cred.pid : 0;
}

/* 0: nobody answers there. EADDRINUSE and `*pid`: somebody does. Or why it cannot be known. */
static int probe(const char *path, pid_t *pid)
{
	struct sockaddr_un address = address_of(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int errnum = 0;

	if (fd < 0)
		return errno;
	/* EAGAIN: it lives, and its backlog is full. */
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EAGAIN)
		errnum = EADDRINUSE;
	else if (errno != ECONNREFUSED && errno != ENOENT)
		errnum = errno;
	*pid = errnum == EADDRINUSE ? peer_pid(fd) : 0;
	close(fd);
	return errnum;
}

/* Removes what a dead daemon left. */
static int clear_path(const char *path, char *error, size_t error_size)
{
	struct stat st;
	pid_t pid = 0;
	int errnum;

	if (lstat(path, &st) != 0)
		return errno == ENOENT ? 0 : fail(path, errno, error, error_size);
	if (!S_ISSOCK(st.st_mode)) {
		snprintf(error, error_size, "%s is in the way: it is not a socket", path);
		return -EEXIST;
	}
	errnum = probe(path, &pid);
	if (errnum == EADDRINUSE) {
		snprintf(error, error_size, "%s: another daemon is running there (pid %d)", path,
			 (int)pid);
		return -EADDRINUSE;
	}
	if (errnum == 0 && unlink(path) != 0 && errno != ENOENT)
		errnum = errno;
	return errnum ? fail(path, errnum, error, error_size) : 0;
}

/* The mode is set before anybody can connect: there is no listen yet. */
static int listen_on(struct ctl_socket *sock)
{
	struct sockaddr_un address = address_of(sock->path);
	struct stat st;

	sock->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (sock->fd < 0)
		return errno;
	if (bind(sock->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		return errno;
	if (lstat(sock->path, &st) != 0)
		return errno;
	sock->device = st.st_dev;
	sock->inode = st.st_ino;
	if (chmod(sock->path, 0660) != 0 || listen(sock->fd, CTL_CLIENTS_MAX) != 0)
		return errno;
	return 0;
}

int ctl_socket_open(struct ctl_socket *sock, const char *run_dir, char *error, size_t error_size)
{
	int result, errnum;

	*sock = (struct ctl_socket){.fd = -1};
	if (strlen(run_dir) + sizeof("/" CTL_SOCKET_NAME) > sizeof(sock->path))
		return fail(run_dir, ENAMETOOLONG, error, error_size);
	sock->made_dir = mkdir(run_dir, 0755) == 0;
	if (!sock->made_dir && errno != EEXIST)
		return fail(run_dir, errno, error, error_size);
	snprintf(sock->path, sizeof(sock->path), "%s/" CTL_SOCKET_NAME, run_dir);
	result = clear_path(sock->path, error, error_size);
	if (result != 0)
		return result;
	errnum = listen_on(sock);
	if (errnum == 0)
		return 0;
	ctl_socket_close(sock);
	return fail(sock->path, errnum, error, error_size);
}

/* The folder that a socket is in, if nothing else is. */
static void remove_dir(const char *path)
{
	char dir[sizeof(((struct ctl_socket *)0)->path)];

	snprintf(dir, sizeof(dir), "%s", path);
	*strrchr(dir, '/') = '\0';
	if (rmdir(dir) != 0)
		return; /* in use, or gone already */
}

void ctl_socket_close(struct ctl_socket *sock)
{
	struct stat st;

	if (sock->fd < 0)
		return;
	if (sock->inode && lstat(sock->path, &st) == 0 && st.st_dev == sock->device &&
	    st.st_ino == sock->inode)
		unlink(sock->path);
	close(sock->fd);
	sock->fd = -1;
	if (sock->made_dir)
		remove_dir(sock->path);
}
