/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/worker.h"

#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_pause.h>

#include "chain/app/app.h"
#include "chain/engine/engine.h"
#include "dataplane/clock.h"
#include "dataplane/idle.h"
#include "dataplane/inline.h"
#include "dataplane/io.h"
#include "dataplane/near.h"
#include "l4stack/stack.h"
#include "mgmt/conf/conf.h"

#define SLEEP_MAX_US    100000 /* so that progress is seen by the watchdog */
#define HEAD_SLOT_BYTES 8192
#define INLINE_ROUNDS   32          /* a head goes down a path and up again within a turn */
#define EXCHANGE_BYTES  (64 * 1024) /* of memory for each exchange that may be under way */

struct call {
	void (*fn)(struct worker *worker, void *ctx);
	void *ctx;
	sem_t done;
};

struct worker {
	struct worker_load load;
	struct worker_set *set;
	unsigned index, cpu;
	bool busy_poll;
	bool started;
	atomic_bool stop;
	atomic_bool asleep; /* or about to be: its rings were looked at, and need a wake-up now */
	_Atomic(struct call *) call;
	struct memory_pools *pools;
	struct region *messages;
	struct stack *stack;
	struct engine *engine;
	struct apps *apps;
	struct inline_parts inlines;
	struct near near;
	struct io *io;
	struct idle idle;
};

/* --- what belongs to it ------------------------------------------------------------------ */

struct stack *worker_stack(struct worker *w)
{
	return w->stack;
}

struct engine *worker_engine(struct worker *w)
{
	return w->engine;
}

struct apps *worker_apps(struct worker *w)
{
	return w->apps;
}

struct inline_parts *worker_inlines(struct worker *w)
{
	return &w->inlines;
}

struct io *worker_io(struct worker *w)
{
	return w->io;
}

struct memory_pools *worker_pools(struct worker *w)
{
	return w->pools;
}

unsigned worker_index(const struct worker *w)
{
	return w->index;
}

unsigned worker_cpu(const struct worker *w)
{
	return w->cpu;
}

int worker_wake_fd(const struct worker *w)
{
	return w->idle.event_fd;
}

int worker_watch(struct worker *w, int event_fd)
{
	return idle_watch(&w->idle, event_fd);
}

void worker_forget(struct worker *w, int event_fd)
{
	idle_forget(&w->idle, event_fd);
}

const struct worker_load *worker_load(const struct worker *w)
{
	return &w->load;
}

struct region *worker_messages(struct worker *w)
{
	return w->messages;
}

static struct ledger_home *home_of(const struct worker *w)
{
	return &w->set->home[w->index];
}

/* --- making ------------------------------------------------------------------------------ */

static int fail(char *error, size_t size, const char *what, int rc)
{
	snprintf(error, size, "%s: %s", what, strerror(-rc));
	return rc;
}

static int make_stack(struct worker *w, const struct conf *conf)
{
	static const struct stack_ops ops = {.output = io_output, .owns_flow = io_owns_flow};
	struct stack_pools pools = {
		.header = w->pools->header, .control = w->pools->control, .ref = w->pools->ref};
	struct stack_conf sc = {
		.max_conns = conf->daemon.max_connections,
		.memory_bytes = w->pools->rx_region->bytes,
		.copy_below_bytes = conf->daemon.copy_below_bytes,
	};

	if (getrandom(sc.secret, sizeof(sc.secret), 0) != sizeof(sc.secret))
		return -EIO;
	return stack_create(&sc, &pools, &ops, w->io, clock_us(), &w->stack);
}

/* All workers have the same addresses; the first speaks for them. */
static enum stack_claim claim_of(const struct worker *w, const struct conf_port *port)
{
	static const enum stack_claim claims[] = {
		[CONF_PROBE_IP6] = STACK_CLAIM_USUAL,
		[CONF_PROBE_ALL] = STACK_CLAIM_PROBE,
		[CONF_PROBE_NONE] = STACK_CLAIM_ANNOUNCE,
	};

	return w->index == 0 ? claims[port->probe] : STACK_CLAIM_FOLLOW;
}

static int add_port(struct worker *w, uint16_t number, const struct port *port)
{
	struct stack_port_conf pc = {
		.mtu = port->mtu,
		.offloads = port->offloads | (port->flattens ? STACK_TX_MULTI_SEG : 0),
		.name = port->name,
		.vlan = (uint16_t)port->conf->vlan,
		.claim = claim_of(w, port->conf),
	};
	int rc;

	memcpy(pc.mac, port->mac, sizeof(pc.mac));
	rc = stack_port_add(w->stack, number, &pc);
	for (unsigned i = 0; i < port->conf->addresses_count && !rc; i++)
		rc = stack_address_add(w->stack, number, &port->conf->addresses[i].addr,
				       port->conf->addresses[i].prefix);
	return rc;
}

static int add_ports(struct worker *w, char *error, size_t size)
{
	char what[128];

	for (unsigned p = 0; p < w->set->ports_count; p++) {
		const struct port *port = &w->set->ports[p];
		int rc = add_port(w, (uint16_t)p, port);

		if (!rc)
			continue;
		snprintf(what, sizeof(what), "port \"%s\": its MAC, MTU or an address is of no use",
			 port->name);
		return fail(error, size, what, rc);
	}
	return 0;
}

static int add_routes(struct worker *w, const struct conf *conf)
{
	int rc = 0;

	for (unsigned r = 0; r < conf->routes_count && !rc; r++)
		rc = stack_route_add(w->stack, &conf->routes[r].to, conf->routes[r].prefix,
				     &conf->routes[r].via);
	return rc;
}

static uint32_t exchanges_for(const struct memory_pools *pools)
{
	uint64_t n = pools->rx_region->bytes / EXCHANGE_BYTES;

	return n < 1024 ? 1024 : (uint32_t)n;
}

static int make_engine(struct worker *w, const struct conf *conf)
{
	struct engine_env env = {
		.worker = w->index,
		.stack = w->stack,
		.regions = w->set->regions,
		.rx = w->pools->rx_region,
		.upstreams = w->set->upstreams,
		.data = w->pools->data,
		.ref = w->pools->ref,
		.max_exchanges = exchanges_for(w->pools),
		.max_clients = conf->daemon.max_connections,
		.recalls = conf->daemon.recalls,
		.home = home_of(w),
	};
	char name[32];
	int rc;

	/* A slot for the request and one for the response of each. */
	snprintf(name, sizeof(name), "messages.%u", w->index);
	rc = region_create_sealed(w->set->regions, REGION_MESSAGES, name,
				  2ull * env.max_exchanges * HEAD_SLOT_BYTES, &w->messages);
	if (rc)
		return rc;
	env.messages = w->messages;
	return engine_create(&env, clock_us(), &w->engine);
}

static int make_apps(struct worker *w)
{
	const struct apps_env env = {.stack = w->stack,
				     .ref = w->pools->ref,
				     .alarm_fd = w->set->alarm_fd,
				     .home = home_of(w)};

	return apps_create(&env, &w->apps);
}

int worker_create(struct worker_set *set, unsigned index, const struct conf *conf,
		  struct memory_pools *pools, struct worker **out, char *error, size_t size)
{
	struct worker *w =
		aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN_CEIL(sizeof(*w), RTE_CACHE_LINE_SIZE));
	int rc;

	if (!w)
		return -ENOMEM;
	*w = (struct worker){
		.set = set,
		.index = index,
		.cpu = conf->daemon.workers[index],
		.busy_poll = conf->daemon.poll == CONF_POLL_BUSY,
		.pools = pools,
		.idle = {.epoll_fd = -1, .event_fd = -1},
	};
	rc = io_create(set, index, pools, &w->load, &w->io);
	if (!rc)
		rc = idle_create(set, index, &w->idle);
	ledger_home_open(home_of(w), w->idle.event_fd);
	if (rc)
		rc = fail(error, size, "cannot make a worker", rc);
	else if ((rc = make_stack(w, conf)))
		rc = fail(error, size, "cannot make a stack", rc);
	else if (!(rc = add_ports(w, error, size)) && (rc = add_routes(w, conf)))
		rc = fail(error, size, "cannot set up the routes", rc);
	else if (!rc && (rc = make_engine(w, conf)))
		rc = fail(error, size, "cannot make an engine (is memory_mb large enough?)", rc);
	else if ((rc = make_apps(w)))
		rc = fail(error, size, "cannot make room for applications", rc);
	if (rc) {
		worker_destroy(w);
		return rc;
	}
	*out = w;
	return 0;
}

void worker_destroy(struct worker *w)
{
	if (!w)
		return;
	apps_destroy(w->apps);
	if (w->engine)
		engine_destroy(w->engine);
	if (w->stack) {
		stack_flush(w->stack); /* the last resets */
		io_flush(w->io, w->stack, clock_us());
		stack_destroy(w->stack);
	}
	if (w->messages)
		region_remove(w->set->regions, w->messages);
	idle_destroy(&w->idle);
	io_destroy(w->io);
	free(w);
}

/* --- the loop ---------------------------------------------------------------------------- */

static bool serve_call(struct worker *w)
{
	struct call *call = atomic_load_explicit(&w->call, memory_order_acquire);

	if (!call)
		return false;
	atomic_store_explicit(&w->call, NULL, memory_order_relaxed);
	call->fn(w, call->ctx);
	sem_post(&call->done);
	return true;
}

/* Inline functions take their turns until they have nothing to say to each other. */
static bool turn_inlines(struct worker *w, uint64_t now_us)
{
	struct cycles *cycles = &w->load.cycles;
	bool work = false;

	for (unsigned round = 0; round < INLINE_ROUNDS && w->inlines.first; round++) {
		engine_publish_far(w->engine);
		cycles_end_of(cycles, CYCLES_RINGS);
		if (!inline_turn(&w->inlines, now_us))
			break;
		cycles_end_of(cycles, CYCLES_INLINE);
		work = true;
		engine_poll(w->engine, now_us);
		cycles_end_of(cycles, CYCLES_ENGINE);
	}
	return work;
}

/* Functions that have this CPU in processes of their own take their turns, as those above. The
 * kernel may run who is woken at once: then it has answered when engine_publish returns. */
static bool turn_near(struct worker *w, uint64_t now_us)
{
	bool work = false;

	for (unsigned round = 0; round < NEAR_ROUNDS && engine_near(w->engine); round++) {
		engine_publish(w->engine);
		if (!engine_near_waits(w->engine))
			near_begin(&w->near, now_us);
		else if (near_may(&w->near, now_us))
			sched_yield();
		else
			break;
		cycles_end_of(&w->load.cycles, CYCLES_NEAR);
		now_us = clock_us();
		if (engine_pending(w->engine)) {
			engine_poll(w->engine, now_us);
			cycles_end_of(&w->load.cycles, CYCLES_ENGINE);
			turn_inlines(w, now_us);
			work = true;
		} else if (!engine_near_waits(w->engine)) {
			break;
		}
	}
	return work;
}

/* A burst of packets, and how far exchanges come with it. False: none came. */
static bool turn_burst(struct worker *w, uint64_t now_us, bool *work)
{
	struct cycles *cycles = &w->load.cycles;
	bool came = io_receive(w->io, w->stack) > 0;

	stack_deliver(w->stack);
	cycles_end_of(cycles, CYCLES_STACK_IN);
	*work |= came || engine_pending(w->engine);
	engine_poll(w->engine, now_us);
	cycles_end_of(cycles, CYCLES_ENGINE);
	*work |= turn_inlines(w, now_us);
	cycles_end_of(cycles, CYCLES_INLINE);
	return came;
}

/* One burst; or all that is there, and comes meanwhile, if a switch to a process is to be paid for
 * it. */
static bool turn_bursts(struct worker *w, uint64_t now_us)
{
	bool work = false, came = turn_burst(w, now_us, &work);

	for (unsigned i = 1; came && i < NEAR_BURSTS && engine_near(w->engine); i++)
		came = turn_burst(w, clock_us(), &work);
	return work;
}

/* One turn: packets in, exchanges move, packets out. True if there was anything to do. */
static bool turn(struct worker *w)
{
	struct cycles *cycles = &w->load.cycles;
	uint64_t now_us = clock_us();
	bool work;

	if (!engine_near_waits(w->engine)) /* else somebody has waited since an earlier turn */
		near_begin(&w->near, now_us);
	cycles_begin(cycles);
	ledger_home_collect(home_of(w));
	stack_advance(w->stack, now_us);
	cycles_end_of(cycles, CYCLES_TIMERS);
	work = turn_bursts(w, now_us);
	work |= apps_pending(w->apps);
	apps_poll(w->apps, now_us);
	cycles_end_of(cycles, CYCLES_ENGINE);
	work |= turn_near(w, now_us);
	cycles_end_of(cycles, CYCLES_NEAR);
	work |= serve_call(w);
	cycles_end_of(cycles, CYCLES_CALLS);
	stack_flush(w->stack);
	cycles_end_of(cycles, CYCLES_STACK_OUT);
	engine_publish(w->engine);
	apps_publish(w->apps);
	cycles_end_of(cycles, CYCLES_RINGS);
	io_flush(w->io, w->stack, now_us);
	cycles_end_of(cycles, CYCLES_TRANSMIT);
	cycles_end(cycles, work);
	return work;
}

static void account(struct worker *w, uint64_t *since, bool work)
{
	uint64_t now = rte_rdtsc();

	if (work)
		w->load.busy_cycles += now - *since;
	else
		w->load.idle_cycles += now - *since;
	*since = now;
	w->load.turns++;
}

static uint64_t until_next(const struct worker *w)
{
	uint64_t now = clock_us();
	uint64_t next = RTE_MIN(stack_next_us(w->stack), engine_next_us(w->engine));

	next = RTE_MIN(next, apps_next_us(w->apps));
	next = RTE_MIN(next, inline_next_us(&w->inlines));
	next = RTE_MIN(next, io_next_us(w->io, now));
	if (next <= now)
		return 0;
	return next - now < SLEEP_MAX_US ? next - now : SLEEP_MAX_US;
}

/* Everybody is told that we sleep, then all is looked at once more: what came in between is found
 * here, and what comes later wakes us. */
static void try_sleep(struct worker *w)
{
	uint64_t us;

	engine_sleep(w->engine, true);
	apps_sleep(w->apps, true);
	io_interrupts(w->io, true);
	atomic_store_explicit(&w->asleep, true, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
	if (!turn(w) && !engine_pending(w->engine) && !apps_pending(w->apps)) {
		us = until_next(w);
		if (us) {
			w->load.sleeps++;
			idle_sleep(&w->idle, us);
		}
	}
	atomic_store_explicit(&w->asleep, false, memory_order_relaxed);
	io_interrupts(w->io, false);
	apps_sleep(w->apps, false);
	engine_sleep(w->engine, false);
}

void worker_wake(struct worker *w)
{
	if (atomic_load_explicit(&w->asleep, memory_order_relaxed) &&
	    atomic_exchange(&w->asleep, false))
		idle_wake(w->idle.event_fd);
}

/* A busy worker does not sleep, but a CPU that several want is not held until the kernel takes it
 * away. */
static void rest(struct worker *w)
{
	io_reclaim(w->io);
	if (w->busy_poll)
		sched_yield();
	else
		try_sleep(w);
}

static int loop(void *arg)
{
	struct worker *w = arg;
	uint64_t since = rte_rdtsc(), idle_since = since;
	uint64_t cycles_us = rte_get_tsc_hz() / 1000000;

	ledger_home_enter(home_of(w));
	while (!atomic_load_explicit(&w->stop, memory_order_relaxed)) {
		bool work = turn(w);

		account(w, &since, work);
		if (work) {
			idle_since = since;
			idle_active(&w->idle);
		} else if (since - idle_since < cycles_us * idle_spin_us(&w->idle)) {
			rte_pause();
		} else {
			rest(w);
			since = rte_rdtsc();
		}
	}
	return 0;
}

int worker_start(struct worker *w)
{
	int rc = rte_eal_remote_launch(loop, w, w->index + 1);

	w->started = rc == 0;
	return rc;
}

static void stop(struct worker *w)
{
	if (!w || !w->started)
		return;
	atomic_store(&w->stop, true);
	idle_wake(w->idle.event_fd);
	rte_eal_wait_lcore(w->index + 1);
	w->started = false;
}

void workers_stop(struct worker_set *set)
{
	for (unsigned i = 0; i < set->count; i++)
		stop(set->worker[i]);
	for (unsigned i = 0; i < set->count; i++)
		ledger_home_leave(&set->home[i]);
}

void worker_call(struct worker *w, void (*fn)(struct worker *w, void *ctx), void *ctx)
{
	struct call call = {.fn = fn, .ctx = ctx};

	if (!w->started) {
		fn(w, ctx);
		return;
	}
	sem_init(&call.done, 0, 0);
	atomic_store_explicit(&w->call, &call, memory_order_release);
	idle_wake(w->idle.event_fd);
	while (sem_wait(&call.done) && errno == EINTR)
		;
	sem_destroy(&call.done);
}

void workers_call(const struct worker_set *set, void (*fn)(struct worker *w, void *ctx), void *ctx)
{
	for (unsigned i = 0; i < set->count; i++)
		worker_call(set->worker[i], fn, ctx);
}

static uint64_t counter_at(const void *counters, size_t offset)
{
	return __atomic_load_n((const uint64_t *)((const char *)counters + offset),
			       __ATOMIC_RELAXED);
}

uint64_t workers_engine_sum(const struct worker_set *set, size_t offset)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < set->count; i++)
		sum += counter_at(engine_counters(set->worker[i]->engine), offset);
	return sum;
}

uint64_t workers_apps_sum(const struct worker_set *set, size_t offset)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < set->count; i++)
		sum += counter_at(apps_counters(set->worker[i]->apps), offset);
	return sum;
}
