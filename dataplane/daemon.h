/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The daemon: what the control thread owns, and the parts it is made of.
 *
 *	daemon.c     start, the control loop, the end
 *	change.c     functions that change while they run
 *	inline_function.c       functions that run in the workers
 *	function_command.c      words to functions, and their answers
 *	functions.c  the numbers of functions, over versions of the configuration
 *	deploy.c     putting a configuration into effect, at the start and at a reload
 *	show.c, show_chain.c    what `sluicectl show` shows
 *	applications.c  the door, and what is shown of those who came through it
 *	command.c    what sluicectl can ask
 *	tell.c       what systemd is told
 *
 * Everything here is the control thread's. Workers are reached with worker_call.
 */
#ifndef DATAPLANE_DAEMON_H
#define DATAPLANE_DAEMON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "chain/engine/engine.h"
#include "chain/supervise/follow.h"
#include "dataplane/eal.h"
#include "dataplane/memory.h"
#include "dataplane/port.h"
#include "dataplane/worker.h"
#include "mgmt/conf/conf.h"

struct conf_errors;
struct ctl;
struct ctl_request;
struct door;
struct inline_function;
struct instance_info;
struct rows;
struct supervisor;

/* A configuration that is, was, or was to be in effect. It lives while a function of it does. */
struct release {
	struct release *next;
	struct conf *conf;
	uint32_t version;   /* from 1; 0: it never came into effect */
	unsigned functions; /* live ones that are described by it */
};

/* A function by its number. One that changes gets another number; the old one ends when the last
 * exchange of the chains that named it is over, and its number is free when its last process is
 * gone. */
struct function {
	struct release *release; /* NULL: the number is free */
	const struct conf_function *conf;
	uint32_t retired; /* the version that does without it; 0: in use */
	/* As its configuration has it: the number of its processes, or from when to when. */
	unsigned least, most;
	unsigned places; /* processes it is to have; 0: it is drained */
	unsigned given;  /* … as the supervisor knows */
	struct follow follow;
	struct upgrade *upgrades;         /* that are in use, or may be */
	const struct conf_function *next; /* comes into effect when its change is over */
	struct answer *answer;            /* for who asked for it; NULL: nobody did */
};
/* `retired`: no worker knows it, but a process of it may still live. */
#define FUNCTION_ENDING UINT32_MAX

/* A worker's load when it was looked at last, and over the time before that. */
struct load_sample {
	uint64_t at, busy, turns; /* cycles, cycles, turns of the loop */
	double busy_percent;
	bool stalled;
};

enum daemon_state { DAEMON_STARTING, DAEMON_RUNNING, DAEMON_DRAINING };

struct daemon {
	const char *conf_path;
	enum daemon_state state;
	struct release *release; /* in effect; older ones follow */
	struct eal_info eal;
	struct region_table regions;
	struct region *upstreams_region;
	struct memory_pools pools[WORKERS_MAX];
	struct port ports[PORTS_MAX];
	bool half_open; /* one more was tried: DPDK cannot be taken down in order */
	struct worker_set set;
	uint64_t broken_rings; /* how many there were when they were looked for last */
	struct function functions[ENGINE_FUNCTIONS_MAX];
	const struct conf *deploying; /* what deploy tries to put into effect; NULL: nothing */
	struct memory_arenas arenas;
	struct region **dying_arenas; /* of processes that are gone, while their bytes are sent */
	unsigned dying_count;
	struct inline_function *inlines; /* by placement = "inline" */
	uint32_t inlines_made;           /* ever */
	struct supervisor *supervisor;
	struct door *door;
	struct resolver *resolver;
	bool names_changed; /* DNS has said something new */
	struct ctl *ctl;
	struct answer *answers; /* to changes that are over */
	struct told *told;      /* what functions were told and have not all answered */
	uint64_t told_made;     /* ever */
	uint64_t started_us, drain_until_us;
	int epoll_fd, signal_fd;
	struct load_sample sample[WORKERS_MAX];
	uint64_t fed_turns[WORKERS_MAX]; /* when the watchdog was fed last */
	uint64_t feed_us;                /* when it is to be fed next; UINT64_MAX: there is none */
};

static inline struct conf *daemon_conf(const struct daemon *d)
{
	return d->release->conf;
}

/* --- functions.c ------------------------------------------------------------------- */

/* The number of a function in use with this very definition (places in the file do not count); -1:
 * none. */
int functions_find_same(const struct daemon *d, const struct conf_function *function);
/* The number of a function in use by name; -1: none. */
int functions_find(const struct daemon *d, const char *name);
/* Gives it a number and makes it known to every worker. -ENOSPC, -ENOMEM. */
int functions_add(struct daemon *d, struct release *release, const struct conf_function *function)
	__attribute__((warn_unused_result));
/* In use: not retired by a newer version. */
bool functions_in_use(const struct function *function);
/* Ends its processes and forgets it on every worker. */
void functions_remove(struct daemon *d, uint16_t id);
/* Removes those that were retired and that no chain still draining can name, and frees the numbers
 * of those whose processes are gone. */
void functions_sweep(struct daemon *d);
/* Ends processes that spoiled a ring: nobody talks to them any more. Others take their places. */
void functions_end_broken(struct daemon *d);

/* --- upstreams.c --------------------------------------------------------------------- */

/* What DNS has said takes effect. */
void upstreams_handle(struct daemon *d);
/* A configuration is in effect: what was said by hand is forgotten, its names are looked for. */
void upstreams_committed(struct daemon *d);

/* --- deploy.c ------------------------------------------------------------------------- */

/* Puts `conf` into effect whole, or leaves all as it was: -errno with `errors` filled. Either way
 * it takes `conf` over. Functions that changed are started beside the old ones; chains change on
 * all workers or on none. */
int deploy(struct daemon *d, struct conf *conf, struct conf_errors *errors)
	__attribute__((warn_unused_result));

/* --- change.c ------------------------------------------------------------------------- */

/* Each begins what a client of the control socket asked for: CTL_LATER when `token` gets its
 * answer at the end, 0 when it is done already, or -errno with a sentence in `error`. */
int change_restart(struct daemon *d, uint16_t id, uint64_t token, char *error, size_t size)
	__attribute__((warn_unused_result));
/* `plugin`: as in the configuration, a path from "/" on; NULL: the one it has. */
int change_upgrade(struct daemon *d, uint16_t id, const char *plugin, uint64_t token, char *error,
		   size_t size) __attribute__((warn_unused_result));
int change_scale(struct daemon *d, uint16_t id, unsigned places, uint64_t token, char *error,
		 size_t size) __attribute__((warn_unused_result));
/* Its processes end what they have and go; a restart brings new ones. */
int change_drain(struct daemon *d, uint16_t id, uint64_t token, char *error, size_t size)
	__attribute__((warn_unused_result));
/* The configuration says how many it is to have, and nothing else about it changed. */
void change_numbers(struct daemon *d, uint16_t id, const struct conf_function *conf);
/* The supervisor says so. */
void change_over(void *ctx, uint16_t id, const struct conf_errors *errors);
/* Numbers that follow the queue; what is to be scaled; definitions that nobody uses. */
void changes_tick(struct daemon *d);
/* Tells those who asked. It may run their next commands: nothing else is under way then. */
void changes_answer(struct daemon *d);
void change_forget(struct function *function);

/* --- function_command.c --------------------------------------------------------------- */

/* As a command of the control socket (mgmt/ctl/ctl.h). */
int function_tell(struct daemon *d, const struct ctl_request *request, json_t **data, char *error,
		  size_t size) __attribute__((warn_unused_result));
/* The supervisor says so. */
void function_answered(void *ctx, const struct instance_info *from, uint64_t number, int rc,
		       const char *text, size_t len);
/* Answers those who asked; as changes_answer. */
void functions_answer(struct daemon *d);
/* When the supervisor is gone. */
void functions_told_free(struct daemon *d);

/* --- inline_function.c ---------------------------------------------------------------- */

/* Runs it in every worker. 0, or -errno with `errors` filled. */
int inline_start(struct daemon *d, uint16_t id, const struct conf_function *function,
		 struct conf_errors *errors) __attribute__((warn_unused_result));
/* New parts by `function` beside the old, which go when the last exchange they hold is over. */
int inline_restart(struct daemon *d, uint16_t id, const struct conf_function *function,
		   struct conf_errors *errors) __attribute__((warn_unused_result));
/* The instance of that number, if it is an inline one, is replaced: it spoiled its ring. */
void inline_end(struct daemon *d, uint32_t instance);
void inline_stop(struct daemon *d, uint16_t id);
void inline_stop_all(struct daemon *d);
/* Their log, and those that are to go. */
void inline_sweep(struct daemon *d);
void inline_regions_changed(struct daemon *d);
/* Tells its part in each worker; `fn` hears of each, as function_answered. */
void inline_command(struct daemon *d, uint16_t id, const char *words, size_t bytes,
		    void (*fn)(void *ctx, const struct instance_info *instance, int rc,
			       const char *text),
		    void *ctx);
/* Each as if it were a process: pid 0, no links. */
void inline_each(const struct daemon *d,
		 void (*fn)(void *ctx, const struct instance_info *instance), void *ctx);

/* --- supervising ---------------------------------------------------------------------- */

/* Its function is gone, but what lies there may still be on its way to a client. */
void daemon_arena_release(struct daemon *d, struct region *arena);
/* Frees arenas of processes that are gone once nothing of theirs is being sent. */
void arenas_sweep(struct daemon *d);

/* --- applications.c ------------------------------------------------------------------- */

/* Before the workers are made. */
int applications_begin(struct daemon *d, const struct conf *conf)
	__attribute__((warn_unused_result));
/* Nobody is let in, and no connection of theirs is begun, from now on. */
void applications_drain(struct daemon *d);

/* What they add to each view. */
void applications_buffers(struct daemon *d, struct rows *rows); /* struct view_buffer */
void applications_flows(struct worker *w, struct rows *rows);   /* struct engine_flow_info */
void applications_errors(struct worker *w, struct rows *rows);  /* struct view_error */
void applications_counters(struct daemon *d,
			   void (*fn)(void *ctx, const char *name, uint64_t value,
				      const char *help),
			   void *ctx);

/* --- command.c -------------------------------------------------------------------------- */

int command_listen(struct daemon *d, const struct conf *conf, char *error, size_t error_size)
	__attribute__((warn_unused_result));
/* Errors for the one who asked: a line each. */
void command_join(const struct conf_errors *errors, char *out, size_t size);
/* Reads the configuration again: 0, or -EINVAL and the errors. */
int command_reload(struct daemon *d, struct conf_errors *errors)
	__attribute__((warn_unused_result));

#endif
