/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The event loop: all down rings, hooks, answers made visible once, heartbeat; and when
 * nothing came for a while, sleep on the eventfd.
 *
 * SIGTERM is blocked but while the loop sleeps or looks after its socket, so that there is
 * no moment between the look at the flag and the sleep in which it could be lost.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include "nf/sdk/host.h"

#define CARE_US      10000 /* a busy loop looks at its socket this often */
#define WAIT_RING_MS 1     /* asleep while its ring is full: nobody wakes us when there is room */

struct loop {
	struct host *host;
	uint64_t now_ns, busy_from_ns;
	uint64_t now_us, idle_us, care_us;
	uint32_t handled; /* descriptors in this turn, all links */
	bool worked;
	bool manager_gone;
	sigset_t unblocked;
};

static volatile sig_atomic_t stop;

static void on_term(int signal)
{
	(void)signal;
	stop = 1;
}

uint64_t loop_time(struct host *host)
{
	struct timespec now;
	uint64_t ns;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	nf_time(host->nf, ns / 1000, wall_seconds(&host->wall, ns / 1000));
	return ns;
}

/* --- one turn ---------------------------------------------------------------------- */

/* The time of the last turn goes to the links that had work in it, by their share. */
static void busy_add(struct loop *l, uint64_t ns)
{
	for (unsigned i = 0; i < l->host->links; i++) {
		struct ringend *link = &l->host->link[i];
		uint64_t share = l->handled ? ns * link->handled / l->handled : 0;

		if (share)
			__atomic_store_n(&link->up->busy_ns, link->up->busy_ns + share,
					 __ATOMIC_RELAXED);
		link->handled = 0;
	}
	l->handled = 0;
}

static void turn_begin(struct loop *l)
{
	uint64_t before = l->now_ns;

	l->now_ns = loop_time(l->host);
	l->now_us = l->now_ns / 1000;
	if (l->handled)
		busy_add(l, l->now_ns - before);
	l->worked = false;
}

static void links_publish(struct loop *l, bool *crowded)
{
	for (unsigned i = 0; i < l->host->links; i++) {
		struct ringend *link = &l->host->link[i];

		ringend_publish(link, crowded[i] && link->handled);
	}
}

static void turn_links(struct loop *l)
{
	bool crowded[NF_WORKERS_MAX], came = false;

	if (host_command_turn(l->host))
		l->worked = true;
	for (unsigned i = 0; i < l->host->links; i++) {
		struct ringend *link = &l->host->link[i];

		crowded[i] = ringend_crowded(link);
		came = outring_flush(&link->out) || came;
		ringend_turn(link, l->host->nf, i);
		l->handled += link->handled;
	}
	if (l->handled)
		l->worked = true;
	if (nf_room(l->host->nf, came))
		l->worked = true;
	nf_due(l->host->nf);
	links_publish(l, crowded);
}

/* --- sleep ------------------------------------------------------------------------- */

static bool links_pending(const struct host *host)
{
	for (unsigned i = 0; i < host->links; i++) {
		if (ringend_pending(&host->link[i]))
			return true;
	}
	return false;
}

static void links_sleep(const struct host *host, uint32_t sleeps)
{
	for (unsigned i = 0; i < host->links; i++)
		__atomic_store_n(&host->link[i].up->nf_sleeps, sleeps, __ATOMIC_RELAXED);
	/* The word first, then the look at the rings: the worker does the opposite. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* Answers that wait for room, or a function that does: nobody tells us when a ring empties. */
static bool waits_for_ring(const struct host *host)
{
	for (unsigned i = 0; i < host->links; i++) {
		const struct outring *o = &host->link[i].out;

		if (outring_keeps(o) || (host->nf->wants_room && outring_waits(o)))
			return true;
	}
	return false;
}

static const struct timespec *sleep_time(const struct loop *l, struct timespec *time)
{
	uint64_t next = nf_next_us(l->host->nf);
	uint64_t us = next == UINT64_MAX ? UINT64_MAX : next > l->now_us ? next - l->now_us : 0;

	if ((waits_for_ring(l->host) || host_command_waits(l->host)) && us > WAIT_RING_MS * 1000)
		us = WAIT_RING_MS * 1000;
	if (us == UINT64_MAX)
		return NULL;
	*time = (struct timespec){(time_t)(us / 1000000), (long)(us % 1000000) * 1000};
	return time;
}

/* Looks at the socket and the eventfd for at most `time`; signals come through meanwhile. */
static void look_around(struct loop *l, const struct timespec *time)
{
	struct pollfd fd[2] = {{.fd = SLUICE_HOST_WAKE, .events = POLLIN},
			       {.fd = SLUICE_HOST_SOCKET, .events = POLLIN}};
	eventfd_t ignored;

	if (ppoll(fd, 2, time, &l->unblocked) <= 0)
		return;
	if ((fd[0].revents & POLLIN) && eventfd_read(SLUICE_HOST_WAKE, &ignored))
		return;
	if (fd[1].revents && handshake_more(l->host) == -EPIPE)
		l->manager_gone = true;
}

static void cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

static void sleep_some(struct loop *l)
{
	struct timespec time;

	links_sleep(l->host, 1);
	/* What is in a ring that we take nothing from is no reason to stay awake. */
	if (!links_pending(l->host) || waits_for_ring(l->host))
		look_around(l, sleep_time(l, &time));
	links_sleep(l->host, 0);
}

static void turn_end(struct loop *l)
{
	static const struct timespec now = {0};

	if (l->worked)
		l->idle_us = l->now_us;
	if (l->now_us - l->idle_us >= l->host->welcome.spin_us && !l->worked) {
		l->care_us = l->now_us;
		sleep_some(l);
	} else if (l->now_us - l->care_us >= CARE_US) {
		l->care_us = l->now_us;
		look_around(l, &now);
	} else if (!l->worked) {
		cpu_relax();
	}
}

/* --- all of it --------------------------------------------------------------------- */

static void signals_set(struct loop *l)
{
	struct sigaction action = {.sa_handler = on_term};
	sigset_t term;

	sigaction(SIGTERM, &action, NULL);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, &l->unblocked);
	sigdelset(&l->unblocked, SIGTERM);
}

void loop_run(struct host *host)
{
	struct loop l = {.host = host};

	signals_set(&l);
	l.now_ns = loop_time(host);
	l.now_us = l.idle_us = l.care_us = l.now_ns / 1000;
	while (!stop && !l.manager_gone) {
		turn_begin(&l);
		turn_links(&l);
		turn_end(&l);
	}
}
