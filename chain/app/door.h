/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The door: where applications attach, and where their end is seen.
 *
 * It listens on a Unix socket that everybody may connect to. Who somebody is comes from the
 * kernel (SO_PEERCRED, SO_PEERGROUPS), what he may from the configuration. One who is let in
 * gets an arena, and with each worker a pair of rings, RX memory and an account (chain/app/app.h),
 * in descriptors with exactly the rights that are due: RX and down can only be read, the arena
 * and up are his own to write. Nothing else is handed out.
 *
 * An attachment ends when its process ends (pidfd), when its socket does, when it has offended in
 * any worker, and when a new configuration does not have it as it was. Its arena stays until no
 * worker sends from it.
 *
 * Threads: the control thread's. Workers are reached by the owner's `run`.
 */
#ifndef CHAIN_APP_DOOR_H
#define CHAIN_APP_DOOR_H

#include <stdint.h>
#include <sys/types.h>

struct app;
struct apps;
struct conf;
struct door;
struct region;
struct region_table;

struct door_owner {
	/* Runs `fn` on a worker's thread, with its applications, and waits for it. */
	void (*run)(void *ctx, unsigned worker, void (*fn)(struct apps *apps, void *arg),
		    void *arg);
	/* The worker is woken whenever `fd` (an eventfd) is written, until it is not. 0 or -errno.
	 */
	int (*watch)(void *ctx, unsigned worker, int fd);
	void (*unwatch)(void *ctx, unsigned worker, int fd);
	/* A line for the daemon's log; level as in <sluice/nf.h>. */
	void (*log)(void *ctx, int level, const char *application, const char *text);
};

struct door_conf {
	const char *run_dir;
	unsigned workers;
	struct region_table *regions;
	const struct door_owner *owner;
	void *ctx;
};

int door_create(const struct door_conf *conf, struct door **out)
	__attribute__((warn_unused_result));
/* Ends every attachment: while the workers have their applications still. */
void door_empty(struct door *door);
/* After door_empty, when nothing can be sending from an arena any more. */
void door_destroy(struct door *door);

/* Written when an application has offended: for struct apps_env. */
int door_alarm_fd(const struct door *door);

/* Who may attach from now on. Those attached under other terms are ended; with the first
 * application the socket is opened: 0 or -errno, with a sentence in `error`. `conf` must live until
 * the next one. */
int door_set(struct door *door, const struct conf *conf, char *error, size_t error_size)
	__attribute__((warn_unused_result));
/* Nobody is let in any more. */
void door_close(struct door *door);

/* An epoll descriptor: readable when door_handle has something to do. */
int door_fd(const struct door *door);
void door_handle(struct door *door, uint64_t now_us);
/* From time to time: arenas that nobody sends from any more, handshakes that stand still. */
void door_sweep(struct door *door, uint64_t now_us);

/* --- what can be seen -------------------------------------------------------------------- */

struct door_info {
	const char *name;
	const char *last_end; /* how the last attachment under this name ended; "" */
	uint32_t attached;    /* ever */
	uint32_t offences;    /* attachments that ended by one */
	pid_t pid;            /* 0: nobody is attached now, and the rest is not there */
	uid_t uid;
	uint64_t since_us;
	uint64_t arena_bytes;
	unsigned workers;
	struct app *const *app; /* its accounts, one in each worker; NULL: none */
};

void door_each(const struct door *door, void (*fn)(void *ctx, const struct door_info *info),
	       void *ctx);

#endif
