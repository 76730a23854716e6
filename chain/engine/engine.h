/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine: exchanges on their way through a chain. One for each worker.
 *
 * It listens for clients on the worker's stack, parses requests once, sends each head (and
 * each piece of body that some function wants) from function to function over the links,
 * checks every answer, opens and pools connections to origins on the same stack, and
 * streams bodies from connection to connection by reference.
 *
 * Threads: every function is called by the worker's thread. The control thread reaches an
 * engine by having the worker run a closure between two turns of its loop.
 *
 * Ownership: links, regions and configuration belong to the control thread; an engine uses
 * them from the call that gives them until the one that takes them back.
 *
 * One turn of the worker's loop, around the stack's (see l4stack/stack.h):
 *
 *    stack_advance, stack_input, stack_deliver    handlers run, exchanges move
 *    engine_poll                                  answers of functions, timers
 *    stack_flush
 *    engine_publish                               rings made visible, sleepers woken
 */
#ifndef CHAIN_ENGINE_ENGINE_H
#define CHAIN_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/abi.h>

#include "l4stack/base/addr.h"
#include "l4stack/tcp/tcp.h"

struct conf_function;
struct engine;
struct ledger_home;
struct link;
struct region;
struct region_table;
struct rte_mempool;
struct stack;
struct upstreams; /* chain/upstream/upstream.h */

struct engine_env {
	unsigned worker; /* 0, 1, … */
	struct stack *stack;
	struct region_table *regions;
	struct region *rx;           /* where every received mbuf of this worker has its payload */
	struct region *messages;     /* this worker's: struct sluice_head slots */
	struct upstreams *upstreams; /* shared by all workers */
	struct rte_mempool *data;    /* direct mbufs, 2 KB: for heads and chunk lines */
	struct rte_mempool *ref;     /* mbufs without room, attached to payload */
	uint32_t max_exchanges;
	uint32_t max_clients;     /* connections of clients; 0: as many as exchanges */
	struct ledger_home *home; /* of this worker's leases; NULL: no other thread frees mbufs */
	uint32_t recalls;         /* steady answers that are kept, to be given again; 0: none */
};

int engine_create(const struct engine_env *env, uint64_t now_us, struct engine **out)
	__attribute__((warn_unused_result));
/* Everything must be drained or is cut: connections reset, buffers freed. */
void engine_destroy(struct engine *engine);

/* --- functions and their instances ----------------------------------------------- */

#define ENGINE_FUNCTIONS_MAX 1024

enum engine_hook {
	ENGINE_HOOK_REQUEST_HEAD = 1 << 0,
	ENGINE_HOOK_REQUEST_BODY = 1 << 1,
	ENGINE_HOOK_RESPONSE_HEAD = 1 << 2,
	ENGINE_HOOK_RESPONSE_BODY = 1 << 3,
	ENGINE_HOOK_DONE = 1 << 4,
	ENGINE_HOOK_OPEN = 1 << 5,
	ENGINE_HOOK_CLIENT_DATA = 1 << 6,
	ENGINE_HOOK_SERVER_DATA = 1 << 7,
	ENGINE_HOOK_REFUSED = 1 << 8,
	ENGINE_HOOK_SEEN = 1 << 9,
	ENGINE_HOOK_REPEATED = 1 << 10,
};

/* A function as one version of the configuration has it. `id` is the control thread's number for
 * it, below ENGINE_FUNCTIONS_MAX; a function whose configuration changed gets another. */
int engine_function_add(struct engine *engine, uint16_t id, const struct conf_function *function)
	__attribute__((warn_unused_result));
void engine_function_remove(struct engine *engine, uint16_t id); /* no chain may name it any more */

/* What a function says at once when it is called in place. */
struct engine_answer {
	struct sluice_up up; /* a verdict, untrusted as from a ring */
	bool given;          /* there is one; else it comes by the ring */
	uint8_t *text;       /* of the verdict: room for SLUICE_EDITS_MAX_BYTES */
};
/* Shows a function in this worker a descriptor, in place of its ring. False: it was not shown,
 * because something is on its way in one of its rings. `answer` NULL: all that it says goes by the
 * ring. It must not call the engine. */
typedef bool engine_event(void *ctx, uint64_t now_us, const struct sluice_down *down,
			  struct engine_answer *answer);

/* The same of a request's or response's head, which has no need of a descriptor. Returns the
 * verdict if it is PASS or LEAVE, and nothing was said besides; or one of these. */
#define ENGINE_TOLD      (-1) /* it was shown: what it says, if it is `given`, is in `answer` */
#define ENGINE_NOT_SHOWN (-2)
typedef int engine_show(void *ctx, uint64_t now_us, const struct sluice_shown *head,
			struct engine_answer *answer);

/* An exchange that is over, as it is shown to a function that only looks: each head as it passed
 * that function, `asked` as the origin got it. NULL: there is none. */
struct engine_sight {
	const struct sluice_head *request, *response, *asked;
	struct sluice_end end;
};
/* Shows it to a function in this worker. False: something waits in its ring. It must not call the
 * engine. */
typedef bool engine_seen(void *ctx, uint64_t now_us, const struct engine_sight *sight);

/* A process of a function: `id` is unique for the daemon's life, `index` is its place among the
 * function's instances, which its successor takes over: clients keep to places. */
struct engine_instance {
	uint32_t id;
	uint16_t function;
	uint16_t index;
	uint32_t hooks; /* from its handshake */
	struct link *link;
	struct region *arena; /* NULL: none */
	bool near;            /* its process has the worker's CPU, too */
	engine_event *event;  /* NULL: it has only its rings */
	engine_show *show;    /* likewise; these are there all or none */
	engine_seen *seen;
	void *event_ctx; /* of all three */
};

/* It is ready. -ENOENT: no such function; -EEXIST: no new id. */
int engine_instance_up(struct engine *engine, const struct engine_instance *instance)
	__attribute__((warn_unused_result));
/* Retired, it gets no new exchanges, but keeps those it has; it can be taken back. */
void engine_instance_retire(struct engine *engine, uint32_t instance, bool retired);
/* Exchanges that are bound to it. */
uint32_t engine_instance_bound(const struct engine *engine, uint32_t instance);
/* The process is gone, or is to get nothing more: what it held is taken back and handled by
 * `on_failure`. The link is not used after this returns; the arena until engine_arena_leases is 0.
 */
void engine_instance_down(struct engine *engine, uint32_t instance);
/* Slices of this arena that are still being sent. */
uint32_t engine_arena_leases(const struct engine *engine, uint16_t arena_region);

/* --- chains ---------------------------------------------------------------------- */

struct engine_chain {
	const char *name;
	bool stream; /* protocol "tcp": connections are streams of bytes */
	const struct endpoint *listens;
	unsigned listens_count;
	const uint16_t *path; /* function ids */
	unsigned path_length;
	const struct conf_branch *branches;
	unsigned branches_count;
	unsigned head_timeout_ms, idle_timeout_ms, body_timeout_ms;
	unsigned max_head_bytes, max_fields, max_target_bytes;
	unsigned min_body_bytes_per_s, max_requests, max_age_ms; /* 0: no limit */
	const char *const *upgrades; /* protocols that clients may change to */
	unsigned upgrades_count;
	bool connect; /* CONNECT is passed on */
	unsigned tunnel_timeout_ms;
	struct tcp_conf tcp; /* of the clients' connections */
};

/* Replaces all chains: new connections take the new ones, exchanges under way and the connections
 * they are on finish on the old. Listeners that stay in both are never closed. All or nothing:
 * -errno leaves what was. The engine copies what it needs. */
int engine_chains_set(struct engine *engine, uint32_t version, const struct engine_chain *chains,
		      unsigned count) __attribute__((warn_unused_result));

/* Stops listening, ends idle connections and checks of servers; exchanges under way finish. */
void engine_drain(struct engine *engine);

/* --- the loop -------------------------------------------------------------------- */

void engine_poll(struct engine *engine, uint64_t now_us);
void engine_publish(struct engine *engine);
/* The same, but nothing to those on the worker's CPU: they would take it at once. */
void engine_publish_far(struct engine *engine);
bool engine_pending(const struct engine *engine); /* work now */
/* Instances on the worker's CPU. */
uint32_t engine_near(const struct engine *engine);
/* One of them has not read all that was published: it cannot run meanwhile. */
bool engine_near_waits(const struct engine *engine);
uint64_t engine_next_us(const struct engine *engine);
/* Before the worker sleeps (then engine_pending must be asked once more) and after. */
void engine_sleep(struct engine *engine, bool sleeps);

/* --- what can be seen ------------------------------------------------------------ */

/* One row of counters.def each; written by the worker, may be read relaxed by others. */
struct engine_counters {
#define COUNTER(name, unit, help) uint64_t name;
#include "chain/engine/counters.def"
#undef COUNTER
};
const struct engine_counters *engine_counters(const struct engine *engine);

struct engine_chain_info {
	char name[64];
	uint32_t version;
	bool draining;
	uint32_t connections, exchanges;
	uint64_t connections_total, exchanges_total;
	uint64_t status[6]; /* [1] 1xx … [5] 5xx; [0]: ended without an answer */
	uint64_t bytes_in, bytes_out;
};
struct engine_instance_info {
	uint32_t instance;
	uint16_t function;
	uint32_t held;         /* exchanges it holds now */
	uint32_t depth;        /* descriptors it has not consumed */
	uint32_t leases;       /* arena slices being sent */
	uint64_t exchanges;    /* heads it was given */
	uint64_t offences;     /* answers that were refused */
	uint64_t seen, unseen; /* exchanges it was shown when they were over, and those it missed */
	bool broken; /* it spoiled its ring and gets nothing more until its process is another */
	uint64_t loops, busy_ns;
	uint64_t counter[SLUICE_COUNTERS];
};
struct engine_flow_info {
	struct endpoint client, local, server; /* server: family ADDR_NONE when there is none */
	char chain[64];
	const char *state; /* "head", "function edge", "body", … */
	uint32_t function; /* id, when a function holds it; else UINT32_MAX */
	uint64_t bytes_in, bytes_out, age_us;
};
struct engine_buffers_info {
	uint32_t exchanges, exchanges_total;
	uint32_t heads, heads_total;   /* message slots */
	uint32_t pieces, pieces_total; /* body pieces that functions hold */
	uint32_t leases, leases_total;
	uint64_t held_bytes; /* payload the engine or its functions hold */
};
struct engine_error_info {
	uint64_t at_us;
	char chain[64];
	uint16_t function; /* UINT16_MAX: none */
	char text[256];
	uint32_t count;
};

/* Each calls `fn` for every entry. */
void engine_chains_each(const struct engine *engine,
			void (*fn)(void *ctx, const struct engine_chain_info *), void *ctx);
void engine_instances_each(const struct engine *engine,
			   void (*fn)(void *ctx, const struct engine_instance_info *), void *ctx);
void engine_flows_each(const struct engine *engine,
		       void (*fn)(void *ctx, const struct engine_flow_info *), void *ctx);
void engine_errors_each(const struct engine *engine,
			void (*fn)(void *ctx, const struct engine_error_info *), void *ctx);
void engine_buffers(const struct engine *engine, struct engine_buffers_info *out);
uint32_t engine_exchanges(const struct engine *engine);
uint32_t engine_connections(const struct engine *engine);

#endif
