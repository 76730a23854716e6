/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the function writes: a pipe of packets, as the manager makes it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nf/sdk/harness_priv.h"

#define PIPE_BYTES (2 * SLUICE_WRITE_BYTES) /* so that it is full soon */

void harness_allow_write(struct harness *h, const char *name)
{
	int bytes = PIPE_BYTES;

	if (h->write_name || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, h->write_end) ||
	    fcntl(h->write_end[0], F_SETFL, O_NONBLOCK) ||
	    fcntl(h->write_end[1], F_SETFL, O_NONBLOCK) ||
	    setsockopt(h->write_end[1], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)))
		harness_abort("cannot allow to write to %s: %s", name, strerror(errno));
	h->write_name = name;
}

int harness_writing(void *ctx, const char *name)
{
	struct harness *h = ctx;

	return h->write_name && !strcmp(h->write_name, name) ? h->write_end[1] : -ENOENT;
}

/* Takes what there is, so that there is room again. */
static void drain(struct harness *h)
{
	char packet[SLUICE_WRITE_BYTES];
	ssize_t n;

	while ((n = recv(h->write_end[0], packet, sizeof(packet), 0)) > 0)
		harness_append(&h->written, packet, (size_t)n);
}

const char *harness_written(struct harness *h)
{
	h->written.len = 0;
	harness_append(&h->written, "", 0);
	drain(h);
	return (const char *)h->written.data;
}

void harness_writing_free(struct harness *h)
{
	free(h->written.data);
	if (!h->write_name)
		return;
	close(h->write_end[0]);
	close(h->write_end[1]);
}
