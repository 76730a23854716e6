/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/daemon.h"
#include "dataplane/resolve.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <rte_common.h>

#include "chain/app/door.h"
#include "chain/supervise/sinks.h"
#include "chain/supervise/supervise.h"
#include "chain/upstream/upstream.h"
#include "dataplane/clock.h"
#include "dataplane/host.h"
#include "dataplane/log.h"
#include "dataplane/run.h"
#include "dataplane/show.h"
#include "dataplane/tell.h"
#include "l4stack/stack.h"
#include "l4stack/tcp/tcp.h"
#include "mgmt/ctl/ctl.h"
#include "mgmt/systemd/sd.h"

#define SAMPLE_US        1000000
#define FUNCTION_SPIN_US 20   /* before it sleeps, on a CPU that is not a worker's */
#define SINKS_MS         2000 /* for what functions wrote to reach its place */
#define TICK_MS          100  /* sweeps, draining, the watchdog */

/* --- processes of functions come and go -------------------------------------------------- */

struct instance_call {
	const struct instance_info *instance;
	bool retired;
	uint32_t bound;
	uint16_t arena;
	uint32_t leases;
	int rc;
};

static void up_here(struct worker *w, void *ctx)
{
	struct instance_call *call = ctx;
	const struct instance_info *i = call->instance;

	if (!call->rc)
		call->rc = engine_instance_up(
			worker_engine(w),
			&(struct engine_instance){.id = i->id,
						  .function = i->function,
						  .index = (uint16_t)i->index,
						  .hooks = i->hooks,
						  .link = i->link[worker_index(w)],
						  .arena = i->arena,
						  .near = i->cpu == (int)worker_cpu(w)});
}

static void down_here(struct worker *w, void *ctx)
{
	struct instance_call *call = ctx;

	engine_instance_down(worker_engine(w), call->instance->id);
}

static void instance_up(void *ctx, const struct instance_info *instance)
{
	const struct daemon *d = ctx;
	struct instance_call call = {.instance = instance};

	workers_call(&d->set, up_here, &call);
	if (call.rc)
		log_error("function \"%s\": its process %d cannot be used: %s",
			  instance->function_name, (int)instance->pid, strerror(-call.rc));
}

static void instance_down(void *ctx, const struct instance_info *instance)
{
	const struct daemon *d = ctx;
	struct instance_call call = {.instance = instance};

	workers_call(&d->set, down_here, &call);
}

static void retire_here(struct worker *w, void *ctx)
{
	struct instance_call *call = ctx;

	engine_instance_retire(worker_engine(w), call->instance->id, call->retired);
}

static void instance_retire(void *ctx, const struct instance_info *instance, bool retired)
{
	const struct daemon *d = ctx;
	struct instance_call call = {.instance = instance, .retired = retired};

	workers_call(&d->set, retire_here, &call);
}

static void count_bound(struct worker *w, void *ctx)
{
	struct instance_call *call = ctx;

	call->bound += engine_instance_bound(worker_engine(w), call->instance->id);
}

static unsigned instance_bound(void *ctx, const struct instance_info *instance)
{
	const struct daemon *d = ctx;
	struct instance_call call = {.instance = instance};

	workers_call(&d->set, count_bound, &call);
	return call.bound;
}

static int arena_alloc(void *ctx, const char *name, uint64_t bytes, struct region **out)
{
	struct daemon *d = ctx;
	int rc = memory_arena_alloc(&d->arenas, &d->regions, name, bytes, out);

	if (!rc)
		inline_regions_changed(d);
	return rc;
}

static void count_leases(struct worker *w, void *ctx)
{
	struct instance_call *call = ctx;

	call->leases += engine_arena_leases(worker_engine(w), call->arena);
}

static uint32_t arena_leases(struct daemon *d, const struct region *arena)
{
	struct instance_call call = {.arena = arena->id};

	workers_call(&d->set, count_leases, &call);
	return call.leases;
}

void daemon_arena_release(struct daemon *d, struct region *arena)
{
	struct region **list;

	list = realloc(d->dying_arenas, (d->dying_count + 1) * sizeof(*list));
	if (!list)
		return;
	d->dying_arenas = list;
	d->dying_arenas[d->dying_count++] = arena;
	arenas_sweep(d);
}

static void arena_free(void *ctx, struct region *arena)
{
	daemon_arena_release(ctx, arena);
}

void arenas_sweep(struct daemon *d)
{
	unsigned kept = 0, count = d->dying_count;

	for (unsigned i = 0; i < count; i++) {
		if (arena_leases(d, d->dying_arenas[i]))
			d->dying_arenas[kept++] = d->dying_arenas[i];
		else
			memory_arena_free(&d->arenas, &d->regions, d->dying_arenas[i]);
	}
	d->dying_count = kept;
	if (kept < count)
		inline_regions_changed(d);
}

static void function_log(void *ctx, int level, const char *function, const char *text)
{
	(void)ctx;
	log_line((enum log_level)level, "[%s] %s", function, text);
}

static bool on_path(const struct conf_chain *chain, const char *name)
{
	for (unsigned i = 0; i < chain->path_length; i++)
		if (!strcmp(chain->path[i]->name, name))
			return true;
	return false;
}

static bool share_a_path(const struct conf *conf, const char *a, const char *b)
{
	for (unsigned i = 0; i < conf->chains_count; i++)
		if (on_path(&conf->chains[i], a) && on_path(&conf->chains[i], b))
			return true;
	return false;
}

/* Bodies pass only between functions of one path: of a path in effect, one that still drains, or
 * one that is about to come. */
static bool shares(void *ctx, uint16_t reader, uint16_t writer)
{
	const struct daemon *d = ctx;
	const char *a = d->functions[reader].conf->name, *b = d->functions[writer].conf->name;

	if (d->deploying && share_a_path(d->deploying, a, b))
		return true;
	for (const struct release *r = d->release; r; r = r->next)
		if (r->version && share_a_path(r->conf, a, b))
			return true;
	return false;
}

static void feed_watchdog(struct daemon *d);

/* While a new configuration waits for its functions, too. */
static void supervisor_turn(void *ctx)
{
	feed_watchdog(ctx);
}

static const struct supervisor_owner supervisor_owner = {
	.up = instance_up,
	.down = instance_down,
	.retire = instance_retire,
	.bound = instance_bound,
	.changed = change_over,
	.answered = function_answered,
	.arena_alloc = arena_alloc,
	.arena_free = arena_free,
	.log = function_log,
	.shares = shares,
	.turn = supervisor_turn,
};

/* --- making ------------------------------------------------------------------------------ */

static int fail(char *error, size_t size, const char *what, int rc)
{
	snprintf(error, size, "%s: %s", what, strerror(-rc));
	return rc;
}

static uint32_t buffer_bytes(const struct conf *conf)
{
	uint32_t most = 0;

	for (unsigned i = 0; i < conf->ports_count; i++)
		most = RTE_MAX(most, port_buffer_bytes(&conf->ports[i]));
	return most;
}

static int make_pools(struct daemon *d, const struct conf *conf, char *error, size_t size)
{
	uint64_t bytes =
		(uint64_t)conf->daemon.memory_mb * 1024 * 1024 / conf->daemon.workers_count;

	for (unsigned i = 0; i < conf->daemon.workers_count; i++) {
		int node = d->eal.hugepages ? eal_node_of_cpu(conf->daemon.workers[i]) : 0;
		int rc = memory_pools_create(&d->regions, i, node, bytes, buffer_bytes(conf),
					     conf->daemon.copy_below_bytes, &d->pools[i]);

		if (rc)
			return fail(error, size,
				    "cannot make packet buffers (is memory_mb too small?)", rc);
	}
	return 0;
}

static int open_ports(struct daemon *d, const struct conf *conf, char *error, size_t size)
{
	for (unsigned i = 0; i < conf->ports_count; i++) {
		int rc = port_open(&conf->ports[i], d->pools, conf->daemon.workers_count,
				   &d->ports[i], error, size);

		d->half_open = rc != 0;
		if (rc)
			return rc;
		d->set.ports_count++;
	}
	return 0;
}

static int make_upstreams(struct daemon *d, char *error, size_t size)
{
	int rc = region_create_sealed(&d->regions, REGION_UPSTREAMS, "upstreams",
				      sizeof(struct sluice_upstreams), &d->upstreams_region);

	if (!rc)
		rc = upstreams_create(d->upstreams_region, &d->set.upstreams);
	return rc ? fail(error, size, "cannot make the table of upstreams", rc) : 0;
}

static int make_door(struct daemon *d, const struct conf *conf, char *error, size_t size)
{
	int rc = applications_begin(d, conf);

	return rc ? fail(error, size, "cannot make a door for applications", rc) : 0;
}

static int make_workers(struct daemon *d, const struct conf *conf, char *error, size_t size)
{
	d->set.regions = &d->regions;
	d->set.ports = d->ports;
	d->set.batch = conf->daemon.batch;
	d->set.count = conf->daemon.workers_count;
	for (unsigned i = 0; i < d->set.count; i++) {
		int rc = worker_create(&d->set, i, conf, &d->pools[i], &d->set.worker[i], error,
				       size);

		if (rc)
			return rc;
	}
	return 0;
}

static int start_workers(struct daemon *d, char *error, size_t size)
{
	for (unsigned i = 0; i < d->set.count; i++) {
		int rc = worker_start(d->set.worker[i]);

		if (rc)
			return fail(error, size, "cannot start a worker", rc);
	}
	return 0;
}

static int make_supervisor(struct daemon *d, const struct conf *conf, char *error, size_t size)
{
	static char host[HOST_PATH_MAX];
	int wake[WORKERS_MAX], cpus[WORKERS_MAX];
	struct region *rx[WORKERS_MAX], *messages[WORKERS_MAX];
	struct supervisor_conf sc = {
		.host_path = host,
		.default_user = conf->daemon.user,
		.workers = d->set.count,
		.worker_wake_fds = wake,
		.worker_cpus = cpus,
		.spin_us = FUNCTION_SPIN_US,
		.regions = &d->regions,
		.rx = rx,
		.messages = messages,
		.upstreams = d->upstreams_region,
		.link_sizes = {.entries = 1024, .up_entries = 1024, .up_text_bytes = 1 << 18},
		.owner = &supervisor_owner,
		.ctx = d,
	};
	int rc;

	for (unsigned i = 0; i < d->set.count; i++) {
		wake[i] = worker_wake_fd(d->set.worker[i]);
		cpus[i] = (int)conf->daemon.workers[i];
		rx[i] = d->pools[i].rx_region;
		messages[i] = worker_messages(d->set.worker[i]);
	}
	host_path(host, sizeof(host));
	rc = supervisor_create(&sc, &d->supervisor);
	return rc ? fail(error, size, "cannot make the supervisor", rc) : 0;
}

static int watch(struct daemon *d, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(d->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

/* Blocked before any other thread exists, so that they come here alone. */
static int catch_signals(struct daemon *d)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	d->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	d->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return d->signal_fd < 0 || d->epoll_fd < 0 ? -EMFILE : watch(d, d->signal_fd);
}

static int make_all(struct daemon *d, const struct conf *conf, char *error, size_t size)
{
	int rc = catch_signals(d);

	if (rc)
		return fail(error, size, "cannot set up signals", rc);
	if ((rc = command_listen(d, conf, error, size)) ||
	    (rc = eal_start(conf, &d->eal, error, size)))
		return rc;
	clock_start();
	d->started_us = clock_monotonic_us();
	if ((rc = make_pools(d, conf, error, size)) || (rc = open_ports(d, conf, error, size)) ||
	    (rc = make_upstreams(d, error, size)) || (rc = make_door(d, conf, error, size)) ||
	    (rc = make_workers(d, conf, error, size)) ||
	    (rc = make_supervisor(d, conf, error, size)))
		return rc;
	if ((rc = watch(d, ctl_fd(d->ctl))) || (rc = watch(d, supervisor_fd(d->supervisor))) ||
	    (rc = watch(d, door_fd(d->door))) || (rc = resolver_create(&d->resolver)) ||
	    (rc = watch(d, resolver_fd(d->resolver))))
		return fail(error, size, "cannot watch descriptors", rc);
	return 0;
}

/* --- the end ----------------------------------------------------------------------------- */

static void free_releases(struct daemon *d)
{
	struct release *next;

	for (struct release *r = d->release; r; r = next) {
		next = r->next;
		conf_free(r->conf);
		free(r);
	}
	d->release = NULL;
	for (unsigned id = 0; id < ENGINE_FUNCTIONS_MAX; id++)
		change_forget(&d->functions[id]);
}

/* In the opposite order of make_all. Whatever was not made is skipped. */
static void end_all(struct daemon *d)
{
	workers_stop(&d->set);
	resolver_destroy(d->resolver);
	if (d->supervisor)
		supervisor_destroy(d->supervisor);
	if (d->door)
		door_empty(d->door);
	inline_stop_all(d);
	sinks_wait(SINKS_MS);
	/* One without a queue of its own sends its last packets through one before it. */
	for (unsigned i = d->set.count; i-- > 0;)
		worker_destroy(d->set.worker[i]);
	d->set.count = 0;
	door_destroy(d->door);
	free(d->dying_arenas);
	memory_arenas_destroy(&d->arenas, &d->regions);
	if (d->set.upstreams)
		upstreams_destroy(d->set.upstreams);
	if (d->upstreams_region)
		region_remove(&d->regions, d->upstreams_region);
	for (unsigned p = 0; p < d->set.ports_count; p++)
		port_close(&d->ports[p]);
	for (unsigned i = 0; i < WORKERS_MAX; i++)
		if (d->pools[i].rx)
			memory_pools_destroy(&d->regions, &d->pools[i]);
	free_releases(d);
	close(d->epoll_fd);
	close(d->signal_fd);
	if (d->eal.running)
		eal_stop(!d->half_open);
	if (d->ctl)
		ctl_destroy(d->ctl);
}

/* --- the control loop -------------------------------------------------------------------- */

static void drain_here(struct worker *w, void *ctx)
{
	(void)ctx;
	engine_drain(worker_engine(w));
}

static void begin_drain(struct daemon *d)
{
	unsigned ms = daemon_conf(d)->daemon.drain_ms;

	d->state = DAEMON_DRAINING;
	d->drain_until_us = clock_monotonic_us() + (uint64_t)ms * 1000;
	workers_call(&d->set, drain_here, NULL);
	applications_drain(d);
	tell_draining(ms);
}

static void count_left(struct worker *w, void *ctx)
{
	uint32_t *left = ctx;

	*left += engine_exchanges(worker_engine(w)) + engine_connections(worker_engine(w)) +
		 tcp_count(worker_stack(w));
}

/* Connections in TIME-WAIT need nobody: only those with something to say count. */
static bool drained(struct daemon *d)
{
	uint32_t left = 0;

	workers_call(&d->set, count_left, &left);
	return !left || clock_monotonic_us() >= d->drain_until_us;
}

static void reload(struct daemon *d)
{
	struct conf_errors errors = {0};
	int rc = command_reload(d, &errors);

	if (rc == -EBUSY)
		log_warn("the configuration is not read again: the daemon is draining");
	else if (rc)
		log_error("the configuration was not changed: %u error%s in %s", errors.count,
			  errors.count == 1 ? "" : "s", d->conf_path);
	conf_errors_clear(&errors);
}

/* False: stop now. */
static bool handle_signal(struct daemon *d)
{
	struct signalfd_siginfo info;

	while (read(d->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			reload(d);
		else if (d->state == DAEMON_DRAINING)
			return false;
		else
			begin_drain(d);
	}
	return true;
}

static int wait_ms(const struct daemon *d, uint64_t next_tick_us)
{
	uint64_t next = supervisor_next_us(d->supervisor), now = clock_monotonic_us();

	if (next_tick_us < next)
		next = next_tick_us;
	return next <= now ? 0 : (int)((next - now + 999) / 1000);
}

/* systemd is told that all is well only when every worker's loop has turned since. */
static void feed_watchdog(struct daemon *d)
{
	uint64_t turns[WORKERS_MAX];

	if (clock_monotonic_us() < d->feed_us)
		return;
	for (unsigned i = 0; i < d->set.count; i++)
		turns[i] = __atomic_load_n(&worker_load(d->set.worker[i])->turns, __ATOMIC_RELAXED);
	if (sd_feed(d->fed_turns, turns, d->set.count))
		d->feed_us = clock_monotonic_us() + sd_watchdog_us() / 4;
}

static bool tick(struct daemon *d)
{
	functions_end_broken(d);
	functions_sweep(d);
	inline_sweep(d);
	changes_tick(d);
	arenas_sweep(d);
	door_sweep(d->door, clock_monotonic_us());
	feed_watchdog(d);
	return d->state != DAEMON_DRAINING || !drained(d);
}

static void control_loop(struct daemon *d)
{
	uint64_t next_tick = clock_monotonic_us(), next_sample = next_tick;
	bool on = true;

	while (on) {
		struct epoll_event events[8];
		int n = epoll_wait(d->epoll_fd, events, 8, wait_ms(d, next_tick));

		for (int i = 0; i < n && on; i++)
			if (events[i].data.fd == d->signal_fd)
				on = handle_signal(d);
		supervisor_handle(d->supervisor, clock_monotonic_us());
		door_handle(d->door, clock_monotonic_us());
		upstreams_handle(d);
		ctl_handle(d->ctl, clock_monotonic_us() / 1000);
		changes_answer(d);
		functions_answer(d);
		if (clock_monotonic_us() >= next_sample) {
			show_sample(d);
			next_sample = clock_monotonic_us() + SAMPLE_US;
		}
		if (on && clock_monotonic_us() >= next_tick) {
			on = tick(d);
			next_tick = clock_monotonic_us() + TICK_MS * 1000;
		}
	}
}

static void print_errors(const struct conf_errors *errors)
{
	for (unsigned i = 0; i < errors->count && i < CONF_ERRORS_MAX; i++)
		fprintf(stderr, "%s\n", errors->text[i]);
}

/* No packet is looked at before the chains are in effect: who comes early waits, and is not
 * refused. Takes over `conf`. */
static int begin(struct daemon *d, struct conf *conf)
{
	struct conf_errors errors = {0};
	char error[512] = "";
	int rc = make_all(d, conf, error, sizeof(error));

	if (rc)
		conf_free(conf);
	else
		rc = deploy(d, conf, &errors);
	print_errors(&errors);
	conf_errors_clear(&errors);
	if (!rc)
		rc = start_workers(d, error, sizeof(error));
	if (error[0])
		fprintf(stderr, "sluiced: %s\n", error);
	return rc;
}

int daemon_run(const char *conf_path, struct conf *conf)
{
	struct daemon *d = calloc(1, sizeof(*d));
	int rc;

	if (!d) {
		conf_free(conf);
		return -ENOMEM;
	}
	d->conf_path = conf_path;
	d->epoll_fd = d->signal_fd = -1;
	d->feed_us = sd_watchdog_us() ? 0 : UINT64_MAX;
	rc = begin(d, conf);
	if (!rc) {
		d->state = DAEMON_RUNNING;
		tell_ready(d, "");
		control_loop(d);
		log_info("stopping");
	}
	end_all(d);
	free(d);
	return rc;
}
