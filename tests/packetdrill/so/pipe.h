/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A pipe, for splice: bytes that wait between two descriptors. 0 or -errno, as pipe(7) has it.
 */
#ifndef TESTS_PACKETDRILL_SO_PIPE_H
#define TESTS_PACKETDRILL_SO_PIPE_H

#include <stddef.h>
#include <sys/types.h>

#define PIPE_BYTES 65536

struct pipe;

/* Has two ends; freed when both are closed. NULL: no memory. */
struct pipe *pipe_new(void);
void pipe_close_end(struct pipe *pipe);

/* What can be written, or read, at once. */
size_t pipe_room(const struct pipe *pipe);
size_t pipe_waiting(const struct pipe *pipe);

/* -EAGAIN when there is no room, or nothing. */
ssize_t pipe_write(struct pipe *pipe, const void *buf, size_t len);
ssize_t pipe_read(struct pipe *pipe, void *buf, size_t len);

#endif
