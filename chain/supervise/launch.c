/* SPDX-License-Identifier: BSD-3-Clause */
/* The birth of a process: what it is given, and the handshake that hands it over. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "chain/supervise/instance.h"

#define START_US  (UINT64_C(30) * 1000000) /* to load, to read its config, to begin */
#define UID_FIRST 61184u                   /* systemd's range for transient users */
#define UID_COUNT 4336u

/* Gives back what its process had. */
void instance_belongings_free(struct instance *i)
{
	const struct supervisor_conf *conf = &i->supervisor->conf;

	process_forget(&i->process);
	for (unsigned w = 0; w < conf->workers; w++) {
		link_destroy(i->info.link[w]);
		i->info.link[w] = NULL;
	}
	if (i->info.arena)
		conf->owner->arena_free(conf->ctx, i->info.arena);
	i->info.arena = NULL;
	i->info.pid = 0;
}

static int belongings_make(struct instance *i)
{
	const struct supervisor_conf *conf = &i->supervisor->conf;
	char name[32];
	int rc = 0;

	for (unsigned w = 0; w < conf->workers && !rc; w++)
		rc = link_create(&conf->link_sizes, i->process.wake_fd, &i->info.link[w]);
	if (rc || !i->function->arena_mb)
		return rc;
	snprintf(name, sizeof(name), "arena.%.12s.%u", i->info.function_name, i->info.id);
	return conf->owner->arena_alloc(conf->ctx, name, (uint64_t)i->function->arena_mb << 20,
					&i->info.arena);
}

/* A uid that no other process of ours has now. */
static uint32_t transient_uid(const struct instance *own)
{
	uint32_t uid = UID_FIRST + own->info.id % UID_COUNT;
	bool taken;

	do {
		taken = false;
		for (const struct instance *i = own->supervisor->instances; i; i = i->next)
			taken = taken || (i != own && i->process.pid && i->user.uid == uid);
		if (taken)
			uid = UID_FIRST + (uid + 1 - UID_FIRST) % UID_COUNT;
	} while (taken);
	return uid;
}

static bool is_worker_cpu(const struct supervisor_conf *conf, int cpu)
{
	for (unsigned w = 0; conf->worker_cpus && w < conf->workers; w++) {
		if (conf->worker_cpus[w] == cpu)
			return true;
	}
	return false;
}

/* The CPU that is named; else all of ours that no worker has. Only who has one alone may spin. */
static void terms_cpus(const struct instance *i, struct process_terms *terms)
{
	const struct supervisor_conf *conf = &i->supervisor->conf;
	int named = i->function->cpu;
	cpu_set_t ours;

	if (named >= 0 && named < (int)sizeof(terms->cpus) * 8) {
		terms->cpus[named / 64] = UINT64_C(1) << named % 64;
		terms->spin_us = is_worker_cpu(conf, named) ? 0 : conf->spin_us;
	}
	if (named >= 0 || !conf->worker_cpus || sched_getaffinity(0, sizeof(ours), &ours))
		return;
	for (int cpu = 0; cpu < CPU_SETSIZE && cpu < (int)sizeof(terms->cpus) * 8; cpu++) {
		if (CPU_ISSET(cpu, &ours) && !is_worker_cpu(conf, cpu))
			terms->cpus[cpu / 64] |= UINT64_C(1) << cpu % 64;
	}
}

static int hand_over_regions(const struct instance *i)
{
	const struct supervisor_conf *conf = &i->supervisor->conf;
	int rc = process_region(&i->process, conf->upstreams, false, true);

	for (unsigned w = 0; w < conf->workers && !rc; w++) {
		rc = process_region(&i->process, conf->rx[w], false, true);
		if (!rc)
			rc = process_region(&i->process, conf->messages[w], false, true);
	}
	if (!rc && i->info.arena)
		rc = process_region(&i->process, i->info.arena, true, true);
	return rc ? rc : share_arenas(i);
}

static int hand_over(const struct instance *i)
{
	const struct supervisor_conf *conf = &i->supervisor->conf;
	struct process_terms terms = {
		.instance = i->info.id, .workers = conf->workers, .user = i->user};
	int rc;

	terms_cpus(i, &terms);
	rc = process_welcome(&i->process, i->function, &terms);
	if (!rc)
		rc = process_allow(&i->process, i->function, false);
	if (!rc)
		rc = hand_over_regions(i);
	for (unsigned w = 0; w < conf->workers && !rc; w++)
		rc = process_link(&i->process, i->info.link[w], w, conf->messages[w]->id,
				  conf->worker_wake_fds[w]);
	return rc ? rc : process_go(&i->process);
}

int instance_watch(const struct instance *i, int fd, bool pidfd)
{
	struct epoll_event event = {.events = EPOLLIN,
				    .data.u64 = (uint64_t)i->key << 1 | (pidfd ? 1 : 0)};

	return epoll_ctl(i->supervisor->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

/* A start that came to nothing: for good if it never worked, else it is tried again later. */
static void launch_failed(struct instance *i, const char *why, uint64_t now_us)
{
	if (!i->ever_up) {
		supervise_error(&i->errors, i->function, false, why);
		instance_state_set(i, INSTANCE_FAILED, now_us);
		change_failed(i, now_us);
		return;
	}
	instance_log(i, 0, "cannot be started: %s", why);
	i->backoff_us = INSTANCE_BACKOFF_MAX_US;
	i->restart_us = now_us + i->backoff_us;
	instance_state_set(i, INSTANCE_WAITING, now_us);
}

static int process_begin(struct instance *i)
{
	int rc = process_start(i->supervisor->conf.host_path, i->info.function_name, NULL,
			       &i->process);

	if (rc)
		return rc;
	i->info.pid = i->process.pid;
	rc = instance_watch(i, i->process.pidfd, true);
	return rc ? rc : instance_watch(i, i->process.socket, false);
}

void instance_launch(struct instance *i, uint64_t now_us)
{
	const struct supervisor_conf *conf = &i->supervisor->conf;
	char error[256];
	int rc;

	i->info.id = ++i->supervisor->ids;
	i->reason[0] = '\0';
	i->muted = false;
	memset(i->info.counter_name, 0, sizeof(i->info.counter_name));
	conf_errors_clear(&i->errors);
	if (process_user_of(i->function, conf->default_user, transient_uid(i), &i->user, error,
			    sizeof(error))) {
		launch_failed(i, error, now_us);
		return;
	}
	rc = process_begin(i);
	if (!rc)
		rc = belongings_make(i);
	if (!rc) {
		share_new_arena(i);
		rc = hand_over(i);
	}
	/* A host that is gone already has sent its reason: it is read when the pidfd tells. */
	if (rc && rc != -EPIPE && rc != -ECONNRESET) {
		snprintf(error, sizeof(error), "%s cannot be started: %s", conf->host_path,
			 strerror(-rc));
		process_signal(&i->process, SIGKILL);
		if (i->process.pid)
			process_ended(&i->process, true, i->info.last_exit,
				      sizeof(i->info.last_exit));
		instance_belongings_free(i);
		launch_failed(i, error, now_us);
		return;
	}
	i->deadline_us = now_us + START_US;
	instance_state_set(i, INSTANCE_STARTING, now_us);
}
