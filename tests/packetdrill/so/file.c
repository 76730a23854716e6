/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/packetdrill/so/file.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/packetdrill/so/pipe.h"
#include "tests/packetdrill/so/sock.h"
#include "tests/packetdrill/so/world.h"

int files_create(struct world *world)
{
	world->files = calloc(FILE_MOST, sizeof(*world->files));
	return world->files ? 0 : -ENOMEM;
}

void files_destroy(struct world *world)
{
	for (int fd = FILE_FIRST; world->files && fd < FILE_FIRST + FILE_MOST; fd++)
		file_close(world, fd);
	free(world->files);
	world->files = NULL;
}

static bool is_open(const struct file *file)
{
	return file->sock || file->watches || file->pipe;
}

static int first_free(const struct world *world)
{
	for (int i = 0; i < FILE_MOST; i++)
		if (!is_open(&world->files[i]))
			return FILE_FIRST + i;
	return -EMFILE;
}

struct file *file_of(const struct world *world, int fd)
{
	struct file *file;

	if (fd < FILE_FIRST || fd >= FILE_FIRST + FILE_MOST)
		return NULL;
	file = &world->files[fd - FILE_FIRST];
	return is_open(file) ? file : NULL;
}

struct sock *file_sock(const struct world *world, int fd)
{
	const struct file *file = file_of(world, fd);

	return file ? file->sock : NULL;
}

int file_open_sock(struct world *world, struct sock *sock)
{
	int fd = first_free(world);

	if (fd >= 0)
		*(&world->files[fd - FILE_FIRST]) = (struct file){.sock = sock};
	return fd;
}

int file_open_epoll(struct world *world)
{
	struct file_watch *watches = calloc(FILE_WATCHES, sizeof(*watches));
	int fd = first_free(world);

	if (!watches || fd < 0) {
		free(watches);
		return watches ? fd : -ENOMEM;
	}
	world->files[fd - FILE_FIRST] = (struct file){.watches = watches};
	return fd;
}

int file_open_pipe(struct world *world, int fds[2])
{
	struct pipe *pipe = pipe_new();

	if (!pipe)
		return -ENOMEM;
	for (int i = 0; i < 2; i++) {
		fds[i] = first_free(world);
		if (fds[i] < 0)
			goto full;
		world->files[fds[i] - FILE_FIRST] =
			(struct file){.pipe = pipe, .is_write_end = i == 1};
	}
	return 0;
full:
	if (fds[0] >= 0)
		file_close(world, fds[0]);
	else
		pipe_close_end(pipe);
	pipe_close_end(pipe);
	return -EMFILE;
}

/* The number is free at once, also while the socket lingers. */
int file_close(struct world *world, int fd)
{
	struct file *file = file_of(world, fd);
	struct file closed;

	if (!file)
		return -EBADF;
	closed = *file;
	*file = (struct file){0};
	free(closed.watches);
	if (closed.pipe)
		pipe_close_end(closed.pipe);
	if (closed.sock)
		sock_close(closed.sock);
	return 0;
}

/* ---- time ---- */

void files_spend(struct world *world, uint64_t us)
{
	for (int i = 0; world->files && i < FILE_MOST; i++)
		if (world->files[i].sock)
			sock_spend(world->files[i].sock, us);
}

uint64_t files_due_us(const struct world *world)
{
	uint64_t due_us = WORLD_NEVER;

	for (int i = 0; world->files && i < FILE_MOST; i++)
		if (world->files[i].sock && sock_due_us(world->files[i].sock) < due_us)
			due_us = sock_due_us(world->files[i].sock);
	return due_us;
}

void files_tend(struct world *world)
{
	for (int i = 0; world->files && i < FILE_MOST; i++)
		if (world->files[i].sock)
			sock_tend(world->files[i].sock);
}
