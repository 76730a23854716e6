/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where functions write: files, syslog, the journal (`allow.write`).
 *
 * No function opens a file for writing, and none waits for one. It has the end of a pipe of
 * packets, which never blocks; a thread of the manager reads the other end and writes. When the
 * disk or the receiver stands still the pipe fills up, and what the function writes then is refused
 * to it
 * (-EAGAIN): it drops that and counts.
 *
 * A packet is whole lines. To a file they are appended as they are; the file is opened anew when
 * its name leads to another one or to none (a log was rotated), looked at once a second. To syslog
 * each line is a datagram; to the journal, one with the fields that its protocol wants.
 *
 * Threads: sinks_open and sinks_destroy are the control thread's. Each sink has a thread, which
 * ends when the last end of its pipe is closed.
 */
#ifndef CHAIN_SUPERVISE_SINKS_H
#define CHAIN_SUPERVISE_SINKS_H

struct conf_writing;

/* A sink of its own for one instance. `name`: the function's. `*fd`: the end to write to. 0 or
 * -errno. */
int sink_open(const struct conf_writing *to, const char *name, int *fd)
	__attribute__((warn_unused_result));

/* Waits until all that was written is where it should be, for so long at the most. All ends are
 * closed by now. */
void sinks_wait(unsigned ms);

#endif
