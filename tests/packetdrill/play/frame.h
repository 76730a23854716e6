/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A call that runs: what it works with, and how it reads its arguments. Internal to
 * play_call.c and to the files of calls that need more than a line.
 */
#ifndef TESTS_PACKETDRILL_PLAY_FRAME_H
#define TESTS_PACKETDRILL_PLAY_FRAME_H

#include "tests/packetdrill/play/play.h"

/* Of the one thread that runs it. */
struct frame {
	struct play *play;
	void *userdata;
	const struct packetdrill_interface *stack;
	const struct call *call;
	const struct value *args;
	uint8_t *buffer;
};

/* Anything goes where nothing is said. */
const struct value *frame_arg(const struct frame *f, size_t i);
const struct value *value_member(const struct value *record, const char *name);
int64_t value_number(const struct value *value);

/* The stack's descriptor; -1: not open. */
int frame_fd(const struct frame *f, size_t i);

/* [{..., 1000}, {..., 500}] as parts of the buffer; how many. */
int frame_vector(struct frame *f, const struct value *list, struct iovec *out);
#define VECTORS_MOST 16

/* play_message.c */
int64_t run_recvmsg(struct frame *f);

/* play_pipe.c */
int64_t run_pipe(struct frame *f);
int64_t run_splice(struct frame *f);

#endif
