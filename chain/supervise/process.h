/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A process of sluice-nf: starting it, ending it, and the packets of its handshake
 * (<sluice/abi.h>).
 *
 * Ownership: whoever starts one ends it with process_forget, after it was waited for.
 */
#ifndef CHAIN_SUPERVISE_PROCESS_H
#define CHAIN_SUPERVISE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <sluice/abi.h>

#include "chain/ring/link.h"
#include "chain/ring/region.h"

struct conf_errors;
struct conf_function;

struct process {
	pid_t pid;
	int pidfd;
	int socket;  /* our end */
	int wake_fd; /* its eventfd */
};

#define PROCESS_NONE ((struct process){.pid = 0, .pidfd = -1, .socket = -1, .wake_fd = -1})

/* Runs `host_path` with the socket as descriptor 3; `label` and `mode` are for people who look at
 * ps
 * (`mode` may be NULL). */
int process_start(const char *host_path, const char *label, const char *mode, struct process *out)
	__attribute__((warn_unused_result));
void process_signal(const struct process *process, int signal);
/* 1: it ended, `how` says so in words ("exit 3", "killed by SIGSEGV"). 0: not yet (never with
 * `wait`). */
int process_ended(const struct process *process, bool wait, char *how, size_t size);
void process_forget(struct process *process);

/* --- the handshake ---------------------------------------------------------------- */

/* What a function may be, from its configuration. -EINVAL with a sentence in `error`. */
struct process_user {
	uint32_t uid, gid;
	bool stay;
};
int process_user_of(const struct conf_function *function, const char *default_user,
		    uint32_t transient, struct process_user *out, char *error, size_t size)
	__attribute__((warn_unused_result));

struct process_terms {
	uint32_t flags; /* SLUICE_HOST_CHECK */
	uint32_t instance, workers, spin_us;
	struct process_user user;
	uint64_t cpus[16];
};

/* Each sends: 0 or -errno. They may wait a little for the host to read, but never long. */
int process_welcome(const struct process *process, const struct conf_function *function,
		    const struct process_terms *terms) __attribute__((warn_unused_result));
/* What it may do besides. Before the regions. `trial`: it is given nowhere to write. */
int process_allow(const struct process *process, const struct conf_function *function, bool trial)
	__attribute__((warn_unused_result));
/* `own`: the process may write it. `wait`: during the handshake. */
int process_region(const struct process *process, const struct region *region, bool own, bool wait)
	__attribute__((warn_unused_result));
/* An arena of that size that is no shared memory at all. */
int process_region_private(const struct process *process, uint16_t id, uint64_t bytes)
	__attribute__((warn_unused_result));
int process_link(const struct process *process, const struct link *link, unsigned worker,
		 uint16_t messages, int worker_wake_fd) __attribute__((warn_unused_result));
/* Words, each ended by a NUL. -EAGAIN: it does not read what it was sent before. */
int process_command(const struct process *process, uint32_t number, const char *words, size_t bytes)
	__attribute__((warn_unused_result));
int process_go(const struct process *process) __attribute__((warn_unused_result));

/* --- what it says ------------------------------------------------------------------- */

/* A packet from the host: untrusted. Text is ended by a NUL and has no control
 * characters, but for an ANSWER's. */
struct process_message {
	enum sluice_host_kind kind; /* 0: text from its standard error */
	union {
		struct sluice_host_ready ready;
		struct sluice_host_counter counter;
		struct {
			uint32_t level;         /* LOG */
			bool placed;            /* ERROR */
			uint32_t number, flags; /* ANSWER */
			size_t len;             /* ANSWER: of its text, which is as it came */
			char text[SLUICE_HOST_TEXT_MAX + 1];
		};
	};
};
/* 0, -EAGAIN, -EPIPE, or -EPROTO for what makes no sense (go on). */
int process_receive(const struct process *process, struct process_message *out)
	__attribute__((warn_unused_result));

/* Enters a text that was entered elsewhere and has its place: "FILE:LINE: text". */
void process_error_copy(struct conf_errors *errors, const char *text);

#endif
