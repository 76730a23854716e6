/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One instance of a function through its lives: STARTING, UP, DRAINING, STOPPING, WAITING (for its
 * back-off), FAILED. The supervisor holds them in a list and gives them events and time.
 *
 * While a function changes, a place has two: the newcomer belongs to the change, the one before it
 * is `retired` and, until the change is over, `kept` to be taken back.
 */
#ifndef CHAIN_SUPERVISE_INSTANCE_H
#define CHAIN_SUPERVISE_INSTANCE_H

#include "chain/supervise/process.h"
#include "chain/supervise/supervise.h"
#include "mgmt/conf/conf.h"

#define INSTANCE_BACKOFF_MAX_US (UINT64_C(5) * 1000000)

struct supervisor {
	struct supervisor_conf conf;
	struct instance *instances;
	struct change *changes;
	int epoll_fd;
	uint32_t ids;      /* the last process's */
	uint32_t keys;     /* the last instance's */
	uint32_t commands; /* the last one's number */
};

/* What it was told and has not answered yet. */
struct instance_command {
	uint32_t number; /* 0: nothing */
	uint64_t token;  /* the owner's */
	uint64_t deadline_us;
	char *text; /* of the answer, as far as it came */
	size_t len;
};

struct instance {
	struct instance_info info;
	struct supervisor *supervisor;
	struct instance *next;
	const struct conf_function *function;
	uint32_t key; /* names it in epoll's events */
	struct process process;
	struct process_user user;
	struct conf_errors errors; /* of a start that failed */
	char reason[128];          /* why we killed it; "" if we did not */
	bool announced;            /* the owner was told `up` */
	bool ever_up;
	bool remove;           /* when it ended, forget it */
	struct change *change; /* that brought it and is not over; NULL: none */
	bool retired;
	bool kept;
	uint64_t deadline_us; /* STARTING, STOPPING: then it is killed */
	uint64_t restart_us;  /* WAITING; UINT64_MAX: not while it is kept */
	uint64_t backoff_us;
	uint64_t loops, alive_us;              /* heartbeat: last seen, and when it moved */
	uint32_t taken[SUPERVISE_WORKERS_MAX]; /* of its down rings: last seen, and when it moved */
	uint64_t taken_us[SUPERVISE_WORKERS_MAX];
	uint64_t looked_us;
	bool muted;     /* it said too much: its socket is not read for a while */
	uint32_t lines; /* of log that are still allowed */
	uint32_t lines_dropped;
	uint64_t lines_us;
	struct instance_command command;
};

/* --- instance.c: from beginning to end --- */

int instance_create(struct supervisor *supervisor, uint16_t function_id,
		    const struct conf_function *function, unsigned index, struct instance **out)
	__attribute__((warn_unused_result));
void instance_free(struct instance *instance); /* its process is gone */
/* Frees those that are to be forgotten and have no process any more. */
void instances_sweep(struct supervisor *supervisor);
void instance_state_set(struct instance *instance, enum instance_state state, uint64_t now_us);
/* Asks it to end for good: with `down` first, if it was up. */
void instance_stop(struct instance *instance, uint64_t now_us);
void instance_kill(struct instance *instance, const char *reason);
/* Its process ended: reads its last words, tells the owner, gives everything back. */
void instance_buried(struct instance *instance, const char *how, uint64_t now_us);
void instance_time(struct instance *instance, uint64_t now_us);
uint64_t instance_next_us(const struct instance *instance);

/* --- change.c: newcomers and those they replace --- */

/* No new exchanges; `keep`: it may be taken back. */
void instance_retire(struct instance *instance, bool keep, uint64_t now_us);
/* It was ready just now. */
void change_ready(struct instance *instance, uint64_t now_us);
/* A newcomer failed: all go back to what was before. */
void change_failed(struct instance *instance, uint64_t now_us);
/* The function is to end. */
void change_cancel(struct supervisor *supervisor, uint16_t function);
/* What is due, and telling the owner what is over. */
void changes_time(struct supervisor *supervisor, uint64_t now_us);
void changes_tell(struct supervisor *supervisor);
void changes_drop(struct supervisor *supervisor); /* nobody is told any more */
uint64_t changes_next_us(const struct supervisor *supervisor);

/* --- launch.c --- */

/* Starts a process for it. What goes wrong becomes its state. */
void instance_launch(struct instance *instance, uint64_t now_us);
void instance_belongings_free(struct instance *instance);
/* Has epoll tell of that descriptor. 0 or -errno. */
int instance_watch(const struct instance *instance, int fd, bool pidfd)
	__attribute__((warn_unused_result));

/* --- voice.c --- */

void instance_messages(struct instance *instance, uint64_t now_us);
void instance_unmute(struct instance *instance);
void instance_log(const struct instance *instance, int level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* --- command.c --- */

void command_answer(struct instance *instance, const struct process_message *message);
/* Nothing, if it was told nothing. */
void command_failed(struct instance *instance, const char *why);
void command_time(struct instance *instance, uint64_t now_us);

/* --- share.c --- */

/* An arena that came to be, to those that run; those that are, to one that begins. */
void share_new_arena(const struct instance *writer);
int share_arenas(const struct instance *reader) __attribute__((warn_unused_result));

#endif
