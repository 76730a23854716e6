/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The supervisor: starts functions as processes, sees them live and die, starts them again.
 *
 * Threads: the control thread only, and always the same one: functions die with the thread
 * that started them. Times are CLOCK_MONOTONIC, in microseconds. It makes the links and the arena
 * of each new process, starts sluice-nf with one end of a socket, hands over the regions with
 * exactly the rights of the design (a descriptor that only reads for all that the function may not
 * write), waits for its READY, and tells its owner. A death is seen through the process's pidfd; a
 * hang through the heartbeat in its up region.
 *
 * A function changes while it runs: new processes come up beside the old ones, at the same places.
 * A place goes over to its new process when that is READY; the old one is retired, ends what it
 * has, and then itself. For a second the change is on trial: if one of the new processes ends or
 * hangs, all of them go and the old ones are taken back.
 */
#ifndef CHAIN_SUPERVISE_SUPERVISE_H
#define CHAIN_SUPERVISE_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "chain/ring/link.h"
#include "chain/ring/region.h"

struct conf_function;
struct conf_errors;
struct supervisor;

#define SUPERVISE_WORKERS_MAX 64

enum instance_state {
	INSTANCE_STARTING,
	INSTANCE_UP,
	INSTANCE_DRAINING, /* retired: it ends what it has, and is not started again */
	INSTANCE_STOPPING,
	INSTANCE_WAITING, /* for its back-off */
	INSTANCE_FAILED
};

/* One instance of a function: the same place across restarts, another `id` for each process. */
struct instance_info {
	uint16_t function;         /* the owner's number */
	const char *function_name; /* from its conf_function */
	const char *plugin;
	unsigned index; /* its place: 0 … instances-1 */
	int cpu;        /* it runs there alone; -1: on any that no worker has */
	uint32_t id;    /* of this process, unique for the daemon's life */
	enum instance_state state;
	pid_t pid;
	uint32_t hooks; /* enum sluice_hook, from READY */
	struct link *link[SUPERVISE_WORKERS_MAX];
	struct region *arena; /* NULL: none */
	uint32_t restarts;
	uint64_t since_us;   /* in this state */
	char last_exit[128]; /* "killed by SIGKILL", "exit 3", "no turn of its loop for 9 ms" */
	char counter_name[SLUICE_COUNTERS][64]; /* from READY; "" unused */
	char counter_help[SLUICE_COUNTERS][128];
};

struct supervisor_owner {
	/* READY came: the links go into use. */
	void (*up)(void *ctx, const struct instance_info *instance);
	/* The process ended, or is to be: when this returns nothing uses the links any more. */
	void (*down)(void *ctx, const struct instance_info *instance);
	/* An instance that is up gets no new exchanges from now on, or does so again. */
	void (*retire)(void *ctx, const struct instance_info *instance, bool retired);
	/* Exchanges that a retired instance still has: at none it is asked to end. */
	unsigned (*bound)(void *ctx, const struct instance_info *instance);
	/* supervisor_upgrade or supervisor_scale is over, for the better if `errors` has none. What
	 * was given as its function is in use, or is not needed any more. May be NULL. */
	void (*changed)(void *ctx, uint16_t id, const struct conf_errors *errors);
	/* What a process answers to the command of that token: 0 and JSON, or -errno and a
	 * sentence. `text` is not ended by a NUL, and untrusted. */
	void (*answered)(void *ctx, const struct instance_info *instance, uint64_t token, int rc,
			 const char *text, size_t len);
	/* Memory the device can send from; a region of kind REGION_ARENA whose source may be mapped
	 * for writing. 0 or -errno. */
	int (*arena_alloc)(void *ctx, const char *name, uint64_t bytes, struct region **out);
	/* The process is gone; the owner frees the region when its last byte was acknowledged. */
	void (*arena_free)(void *ctx, struct region *arena);
	/* A line for the daemon's log, from a function or about one; level as in <sluice/nf.h>. */
	void (*log)(void *ctx, int level, const char *function, const char *text);
	/* May instances of `reader` map the arenas of `writer` for reading? Those that see bodies
	 * should, when both are in one path: a slice that referred to an arena they have not would
	 * reset its exchange. (The engine shows them copies of what lies there.) NULL: always. */
	bool (*shares)(void *ctx, uint16_t reader, uint16_t writer);
	/* Time for what cannot wait: every 100 ms of supervisor_wait_ready. NULL: nothing. */
	void (*turn)(void *ctx);
};

struct supervisor_conf {
	const char *host_path;    /* of the sluice-nf binary */
	const char *default_user; /* NULL: a transient uid for each instance */
	unsigned workers;
	const int *worker_wake_fds; /* eventfds, one for each worker; made non-blocking here */
	/* Functions with `cpu = -1` keep away from these; NULL: from none. */
	const int *worker_cpus;
	/* How long an idle function polls before it sleeps, if it has a `cpu` that is no worker's;
	 * all others sleep at once. */
	unsigned spin_us;
	struct region_table *regions;
	struct region *const *rx;       /* one for each worker */
	struct region *const *messages; /* one for each worker */
	struct region *upstreams;
	struct link_sizes link_sizes;
	const struct supervisor_owner *owner;
	void *ctx;
};

int supervisor_create(const struct supervisor_conf *conf, struct supervisor **out)
	__attribute__((warn_unused_result));
/* Stops every process (SIGTERM, then SIGKILL) and waits for it. */
void supervisor_destroy(struct supervisor *supervisor);

/* An epoll descriptor: readable when supervisor_handle has something to do. */
int supervisor_fd(const struct supervisor *supervisor);
void supervisor_handle(struct supervisor *supervisor, uint64_t now_us);
/* When it wants to be called by time (back-off, heartbeats); UINT64_MAX: never. */
uint64_t supervisor_next_us(const struct supervisor *supervisor);

/* Starts all instances of a function. Errors of the plugin's `init` come as text with file and
 * line, through supervisor_wait_ready. `function` must live while supervisor_each shows instances
 * of it: after supervisor_stop, too. */
int supervisor_start(struct supervisor *supervisor, uint16_t id,
		     const struct conf_function *function, uint64_t now_us)
	__attribute__((warn_unused_result));
/* Handles events until every instance of `id` is up or one failed for the first time: 0, -EINVAL
 * with `errors` filled (plugin missing, another ABI, bad config, died), -ETIMEDOUT at `until_us`.
 */
int supervisor_wait_ready(struct supervisor *supervisor, uint16_t id, uint64_t until_us,
			  struct conf_errors *errors) __attribute__((warn_unused_result));
/* Ends a function's processes for good. */
void supervisor_stop(struct supervisor *supervisor, uint16_t id, uint64_t now_us);
/* New processes at places 0 … n-1, beside those that are there: by `function`, which may be the
 * one it has or another of the same name. The owner is told of the end by `changed`. -EBUSY: a
 * change of it is under way. */
int supervisor_upgrade(struct supervisor *supervisor, uint16_t id,
		       const struct conf_function *function, unsigned n, uint64_t now_us)
	__attribute__((warn_unused_result));
/* Places 0 … n-1 and no others: those that are missing are filled by `function`, the one it has,
 * and are on trial as above; those that are too many retire. 0: none at all. */
int supervisor_scale(struct supervisor *supervisor, uint16_t id,
		     const struct conf_function *function, unsigned n, uint64_t now_us)
	__attribute__((warn_unused_result));
bool supervisor_changing(const struct supervisor *supervisor, uint16_t id);

/* Tells all processes of a function that are up and not retired these words, each ended by a NUL.
 * The owner hears of each by `answered`, of some perhaps before this returns. How many they are, or
 * -EBUSY: one of them has not answered an earlier command yet; -E2BIG. */
int supervisor_command(struct supervisor *supervisor, uint16_t id, uint64_t token,
		       const char *words, size_t bytes, uint64_t now_us)
	__attribute__((warn_unused_result));

/* Ends a process at once, by the `id` of its instance_info, for `reason`: it comes back as after
 * any other death. -ENOENT: it is not up any more. */
int supervisor_kill(struct supervisor *supervisor, uint32_t process, const char *reason)
	__attribute__((warn_unused_result));

void supervisor_each(const struct supervisor *supervisor,
		     void (*fn)(void *ctx, const struct instance_info *instance), void *ctx);

/* Loads the plugin in a process of its own, locked in as always, and lets it read its config: for
 * `sluiced -t`. `groups`: the names of the upstreams, which it may look for. 0 and its hooks (enum
 * sluice_hook), or -EINVAL with `errors` filled. Needs no supervisor. */
int supervise_check(const char *host_path, const char *default_user,
		    const struct conf_function *function, const char *const *groups,
		    unsigned groups_count, uint32_t *hooks, struct conf_errors *errors)
	__attribute__((warn_unused_result));

/* What a plugin said of its config. `placed`: the text begins with its file and line; others are
 * placed at the function. */
void supervise_error(struct conf_errors *errors, const struct conf_function *function, bool placed,
		     const char *text);
#endif
