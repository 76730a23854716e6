/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/packetdrill/play/frame.h"

/* pipe([5, 6]) */
int64_t run_pipe(struct frame *f)
{
	const struct value *list = frame_arg(f, 0);
	int fds[2], result = f->stack->pipe(f->userdata, fds);

	for (size_t i = 0; result == 0 && i < 2 && i < list->count; i++) {
		int64_t fd = value_number(list->items[i]);

		if (fd >= 0 && fd < PLAY_FDS)
			f->play->fds[fd] = (struct play_fd){.used = true, .live = fds[i]};
	}
	return result;
}

/* splice(4, NULL, 6, NULL, 1000, 0): what leaves a socket counts as read, what enters it
 * as written. */
int64_t run_splice(struct frame *f)
{
	int in = frame_fd(f, 0), out = frame_fd(f, 2);
	int64_t n = f->stack->splice(f->userdata, in, NULL, out, NULL,
				     (size_t)value_number(frame_arg(f, 4)),
				     (unsigned)value_number(frame_arg(f, 5)));

	if (n > 0 && in >= 0 && out >= 0) {
		f->play->fds[value_number(frame_arg(f, 0))].read += (uint32_t)n;
		f->play->fds[value_number(frame_arg(f, 2))].written += (uint32_t)n;
	}
	return n;
}
