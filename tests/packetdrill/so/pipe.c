/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/packetdrill/so/pipe.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct pipe {
	unsigned ends;
	size_t len;
	uint8_t bytes[PIPE_BYTES];
};

struct pipe *pipe_new(void)
{
	struct pipe *pipe = calloc(1, sizeof(*pipe));

	if (pipe)
		pipe->ends = 2;
	return pipe;
}

void pipe_close_end(struct pipe *pipe)
{
	if (--pipe->ends == 0)
		free(pipe);
}

size_t pipe_room(const struct pipe *pipe)
{
	return PIPE_BYTES - pipe->len;
}

size_t pipe_waiting(const struct pipe *pipe)
{
	return pipe->len;
}

ssize_t pipe_write(struct pipe *pipe, const void *buf, size_t len)
{
	size_t n = len < pipe_room(pipe) ? len : pipe_room(pipe);

	if (pipe->ends < 2)
		return -EPIPE;
	if (n == 0 && len)
		return -EAGAIN;
	memcpy(pipe->bytes + pipe->len, buf, n);
	pipe->len += n;
	return (ssize_t)n;
}

ssize_t pipe_read(struct pipe *pipe, void *buf, size_t len)
{
	size_t n = len < pipe->len ? len : pipe->len;

	if (n == 0 && len)
		return pipe->ends < 2 ? 0 : -EAGAIN;
	memcpy(buf, pipe->bytes, n);
	pipe->len -= n;
	memmove(pipe->bytes, pipe->bytes + n, pipe->len);
	return (ssize_t)n;
}
