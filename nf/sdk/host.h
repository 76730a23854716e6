/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sluice-nf: the program that runs one instance of a function.
 *
 *	host.c       the order of things: handshake, lock-in, plugin, init, loop
 *	handshake.c  what the manager hands over: memory, rings, config
 *	lockin.c     user, limits, capabilities; landlock.c files; syscalls.c system calls
 *	allow.c      what the configuration lets it do besides
 *	plugin.c     the shared object
 *	say.c        messages to the manager
 *	host_command.c  commands from it, and their answers
 *	loop.c       the event loop
 *
 * Everything up to plugin_load is trusted code with the rights it was started with; from
 * there on the process is the plugin's, and only what the kernel refuses is refused.
 */
#ifndef NF_SDK_HOST_H
#define NF_SDK_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/abi.h>

#include "nf/sdk/core.h"
#include "nf/sdk/object.h"
#include "nf/sdk/ringend.h"

struct host_region {
	uint8_t *base; /* NULL: none */
	uint64_t bytes, done;
	uint8_t kind;
	bool own; /* its arena */
};

/* What it is allowed besides, and the descriptor for it or -errno: of a path (O_PATH, until the
 * process is locked in), or of a connection. */
struct host_allowed {
	struct sluice_host_allow what;
	int fd;
};

/* One that came and was not run yet, or its answer that was not sent yet. */
struct host_command {
	bool waits;
	bool failed; /* the answer is a sentence */
	uint32_t number;
	size_t bytes;
	char words[SLUICE_HOST_COMMAND_MAX];
	char *answer; /* NULL: none */
	size_t len, sent;
};

struct host {
	struct sluice_host_welcome welcome;
	char *config; /* JSON; freed once it was read */
	struct host_region region[NF_REGIONS_MAX];
	struct ringend link[NF_WORKERS_MAX];
	int worker_fd[NF_WORKERS_MAX]; /* their eventfds */
	unsigned links;
	int wake_fd;
	uint16_t arena;               /* 0: none */
	struct host_allowed *allowed; /* SLUICE_ALLOW_MAX of them at most */
	unsigned allowed_count;
	uint64_t mapped_bytes;
	struct sluice_nf *nf;
	struct host_command command;
	struct object object;
	char error[512]; /* of the step that failed */
	uint32_t log_tokens, log_dropped;
	uint64_t log_us;
	uint64_t wall_us; /* when the wall clock was read */
};

#if defined(__SANITIZE_ADDRESS__)
#define HOST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HOST_SANITIZED 1
#endif
#endif
#ifndef HOST_SANITIZED
#define HOST_SANITIZED 0
#endif

/* All of these: 0, or -errno with a sentence in host->error. */
int host_fail(struct host *host, int rc, const char *format, ...)
	__attribute__((format(printf, 3, 4), warn_unused_result));

/* Receives everything up to GO; leaves open the socket and the eventfds, and nothing else. */
int handshake_run(struct host *host) __attribute__((warn_unused_result));
/* After that: regions that come later, and commands. -EPIPE: the manager is gone. Does not block.
 */
int handshake_more(struct host *host) __attribute__((warn_unused_result));
/* Unmaps other functions' arenas: no hook of this one sees a body. */
void handshake_forget_peers(struct host *host);

/* Before the plugin is loaded, and after its init. */
int lockin_begin(struct host *host) __attribute__((warn_unused_result));
int lockin_finish(struct host *host) __attribute__((warn_unused_result));
/* Files may be read, nothing else. 0 where the kernel has no Landlock. */
int landlock_read_only(void) __attribute__((warn_unused_result));
/* Only what is beneath these may be read; they are closed. Without Landlock: 0 if there are none,
 * otherwise -ENOSYS. */
int landlock_read_beneath(const int *fds, unsigned count) __attribute__((warn_unused_result));
/* The system calls of loading and init; then those of the loop. `first_fd`, `fds`: the workers'
 * eventfds; `may_open`: files, to read them. */
int syscalls_for_loading(void) __attribute__((warn_unused_result));
int syscalls_for_running(int first_fd, unsigned fds, bool may_open)
	__attribute__((warn_unused_result));

/* In the handshake, before the user changes, after that, and when init is done. */
int allow_add(struct host *host, const struct sluice_host_allow *what, int fd)
	__attribute__((warn_unused_result));
int allow_find_paths(struct host *host) __attribute__((warn_unused_result));
void allow_connect(struct host *host);
int allow_lock(struct host *host) __attribute__((warn_unused_result));
bool allow_reads(const struct host *host);
int allow_connection(const struct host *host, const char *name);
int allow_writing(const struct host *host, const char *name);
/* Puts the descriptors to write to somewhere from `least` on; then at `first` and those that
 * follow: the one after the last. */
void allow_aside(struct host *host, int least);
int allow_settle(struct host *host, int first);

/* plugin_open while files outside of the user's reach can be read; plugin_load when locked in. */
int plugin_open(struct host *host) __attribute__((warn_unused_result));
int plugin_load(struct host *host, int fd) __attribute__((warn_unused_result));

void say_error(const char *text, bool placed);
int say_ready(const struct host *host) __attribute__((warn_unused_result));
void say_log(struct host *host, enum sluice_log_level level, const char *text);

/* 0, -EAGAIN, or another -errno: the manager is gone. */
int say_answer(uint32_t number, uint32_t flags, const char *text, size_t len)
	__attribute__((warn_unused_result));

/* A command came. */
void host_command_keep(struct host *host, const struct sluice_host_command *message);
/* Not in a hook: runs it, sends what there is room for. True: there was something to do. */
bool host_command_turn(struct host *host);
/* Is there something to do? */
bool host_command_waits(const struct host *host);

/* Tells the instance what time it is. Nanoseconds of the monotonic clock. */
uint64_t loop_time(struct host *host);
/* Until SIGTERM, or until the manager is gone. */
void loop_run(struct host *host);

#endif
