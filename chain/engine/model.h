/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inside of the engine: its structures. What its files offer each other stands in a header for
 * each theme:
 *
 *    core.h       engine.c      life, one turn of the loop, tasks
 *                 config.c      functions, chains, listeners
 *                 text.c        text as mbufs
 *    client.h     client.c      connections of clients
 *                 request.c     what they send, until an exchange begins with it
 *                 refused.c     what comes to no exchange
 *                 limits.c      what one client may take: requests, age, slowness
 *    head.h       head.c        heads from where they are read
 *    exchange.h   exchange.c    an exchange from begin to end
 *                 deadline.c    how long each of its phases may take
 *                 ending.c      what functions are told of their end
 *    path.h       branch.c      which functions of its path a request meets
 *                 hooks.c       which functions of a path want what
 *                 hop.c         heads from function to function
 *                 direct.c      functions that are called in place
 *                 light.c       those that no exchange is bound to
 *                 light_ring.c  likewise, by their rings
 *                 watch.c       functions that only look
 *                 verdict.c     what functions say, checked (verdict.h: with parts.c)
 *    instance.h   instance.c    instances: rings, room, releases
 *                 failure.c     instances that are gone
 *    body.h       body.c        bodies: decoded, moved
 *                 stage.c       piece by piece through functions
 *                 frame.c       framed, sent
 *                 short.c       short ones behind their heads
 *                 parts.c       parts that functions give
 *    stream.h     stream.c      connections of `tcp` chains, until they are open
 *                 open.c        their way down the path
 *                 early.c       what their clients say meanwhile
 *                 upgrade.c     who may leave HTTP, by 101 or CONNECT
 *                 tunnel.c      bytes both ways as they come: after that, and of open streams
 *    origin.h     origin.c      the origin's side of an exchange
 *                 private.c     connections that belong to one user
 *                 line.c        exchanges that wait for a connection
 *                 reply.c       the heads that it answers
 *                 retry.c       what may be asked again, and where
 *                 hedge.c       the second server that is asked
 *    answer.h     respond.c     answers to clients
 *                 instead.c     answers in place of the origin's
 *                 recall.c      answers that are given again
 *    ask.h        ask.c         requests of functions' own
 *                 ask_answer.c  their servers' side
 *    reach.h      reach.c       servers: chosen, connected, followed by the next
 *    source.h     source.c      connections, and what is left of them
 *    slots.h      slots.c       message slots
 *    engine.h     info.c        what can be seen
 *
 * Nothing is re-entered: handlers of the stack and answers of functions note what happened
 * and make the exchange (or the client) ready; engine_poll then runs what is ready. Only
 * there do exchanges move and end.
 *
 * An exchange that is over stays, without client and origin, until every function that might
 * still look at its payload has been told or has read on: only then are its buffers freed.
 */
#ifndef CHAIN_ENGINE_MODEL_H
#define CHAIN_ENGINE_MODEL_H

#include <sys/queue.h>

#include "chain/engine/engine.h"
#include "chain/engine/payload.h"
#include "chain/engine/reach.h"
#include "chain/engine/slots.h"
#include "chain/engine/source.h"
#include "chain/http/body.h"
#include "chain/http/error.h"
#include "chain/http/framing.h"
#include "chain/http/head.h"
#include "chain/http/known.h"
#include "chain/http/memo.h"
#include "chain/http/proven.h"
#include "chain/http/text.h"
#include "chain/http/write.h"
#include "chain/http/written.h"
#include "chain/ledger/ledger.h"
#include "chain/ring/link.h"
#include "chain/ring/region.h"
#include "chain/upstream/choose.h"
#include "chain/upstream/health.h"
#include "chain/upstream/pool.h"
#include "chain/upstream/timers.h"
#include "l4stack/base/addr.h"
#include "l4stack/tcp/tcp.h"

#define ENGINE_PATH_MAX     16
#define ENGINE_BRANCHES_MAX 16
#define ENGINE_ERRORS_MAX   64
#define ENGINE_UPGRADES_MAX 8
#define ENGINE_UPGRADE_MAX  32
#define ENGINE_IN_HAND_MAX \
	(256 << 10)            /* of one body between its source and its destination, true size */
#define ENGINE_HOLD_MS   60000 /* a head may wait so long before or between functions */
#define ENGINE_LINGER_MS 2000
#define ENGINE_LINGER_BYTES \
	(256 << 10) /* of a request that nobody reads: read so that the answer is seen */
#define ENGINE_RETRY_US      1000 /* after a pool was empty */
#define ENGINE_KILLS_MAX     2
#define ENGINE_TRAILER_BYTES 1024
#define CHAIN_DRAIN_IDLE_MS \
	1000                 /* an idle connection of an old version may still bring a request */
#define ENGINE_EMIT_MAX 4096 /* slices of one answer that wait to be sent */

/* --- tasks: what has something to do in this turn -------------------------------- */

struct when;
struct conf_branch;
struct recall;
struct recalls;

struct task {
	STAILQ_ENTRY(task) link;
	void (*run)(struct task *task);
	bool queued;
};
STAILQ_HEAD(task_queue, task);

/* --- functions and instances ----------------------------------------------------- */

struct ask;
struct hop;
TAILQ_HEAD(hop_queue, hop);

struct instance {
	LIST_ENTRY(instance) of_engine, of_function;
	struct engine *engine;
	struct function *function;
	uint32_t id;
	uint16_t index;
	uint32_t hooks;
	struct link *link;
	struct region *arena;
	engine_event *event; /* NULL: it has only its rings */
	engine_show *show;   /* likewise */
	engine_seen *see;
	void *event_ctx;
	struct holder holder;
	uint64_t produced;         /* descriptors written, ever */
	uint64_t published;        /* and made visible */
	bool dirty;                /* something to publish */
	bool broken;               /* its ring was spoiled: it is not read or written any more */
	bool retired;              /* gets no new exchanges */
	bool near;                 /* on the worker's CPU */
	struct hop_queue waiting;  /* for room in the ring */
	struct hop_queue suspects; /* each is given alone, after one that killed an instance */
	struct hop *suspect;       /* the one that is given now */
	struct hop_queue graves;   /* of exchanges that are over: until the instance has read on */
	struct ask *ask;           /* its own requests, SLUICE_ASKS_MAX of them */
	uint32_t asking;           /* those that are in use */
	uint32_t bound;            /* hops that are to stay with this instance */
	uint32_t held;
	uint64_t exchanges, offences;
	uint64_t seen, unseen; /* as a watcher */
};
LIST_HEAD(instance_list, instance);

struct function {
	struct engine *engine;
	char name[64];
	uint16_t id;
	uint8_t on_failure; /* enum conf_on_failure */
	uint32_t hold_ms;   /* a head may stay with it no longer */
	bool removed;       /* goes with the last chain that names it */
	bool known;         /* an instance came up once: `hooks` is right */
	uint32_t hooks;
	uint64_t unseen; /* exchanges, while no instance was up: the next one counts them */
	uint32_t chains;
	struct instance_list instances;
	struct instance *light;   /* its only one, when it is asked as a light function (light.c) */
	struct hop_queue orphans; /* on_failure = "retry": waiting for an instance to come up */
};

enum direction { REQUEST, RESPONSE, DIRECTIONS };

/* --- chains ---------------------------------------------------------------------- */

struct client;
LIST_HEAD(client_list, client);

/* Functions begin … middle - 1 are for requests for which it holds, middle … end - 1 for others. */
struct branch {
	struct when *when;
	uint8_t begin, middle, end;
};

struct chain {
	LIST_ENTRY(chain) link;
	struct engine *engine;
	char name[64];
	uint32_t version;
	bool stream; /* protocol "tcp" */
	bool draining;
	uint32_t users;     /* clients, and exchanges that are not quite gone */
	uint32_t exchanges; /* of these */
	struct function *path[ENGINE_PATH_MAX];
	uint8_t path_length;
	/* Bit n: function n may want heads, bodies, to look at exchanges that are over (hooks.c).
	 */
	uint32_t heads[DIRECTIONS], bodies[DIRECTIONS], watchers;
	/* Of `heads`, those that are light: called in place (light.c), or asked by their rings
	 * (light_ring.c). */
	uint32_t lights[DIRECTIONS], by_ring[DIRECTIONS];
	struct instance *light[ENGINE_PATH_MAX]; /* as path[n]->light */
	struct branch branch[ENGINE_BRANCHES_MAX];
	uint8_t branches;
	uint32_t head_timeout_ms, idle_timeout_ms, body_timeout_ms;
	uint32_t min_body_bytes_per_s, max_requests, max_age_ms; /* 0: no limit */
	struct http_limits limits;
	char upgrade[ENGINE_UPGRADES_MAX][ENGINE_UPGRADE_MAX];
	uint8_t upgrades;
	bool connect;
	uint32_t tunnel_timeout_ms;
	struct tcp_conf tcp;
	char congestion[16]; /* tcp's */
	struct client_list clients;
	struct engine_chain_info info; /* its counts */
};
LIST_HEAD(chain_list, chain);

struct listener {
	LIST_ENTRY(listener) link;
	struct engine *engine;
	struct endpoint local;
	struct tcp_listener *tcp;
	struct chain *chain;
	struct chain *next; /* while a configuration is being taken over */
};
LIST_HEAD(listener_list, listener);

/* --- clients --------------------------------------------------------------------- */

enum client_state {
	CLIENT_IDLE,   /* no byte of a request has come */
	CLIENT_HEAD,   /* a head has begun */
	CLIENT_BUSY,   /* an exchange is under way */
	CLIENT_LINGER, /* all is said: waiting for its end, so that it sees the answer */
	CLIENT_GONE,
};

struct client {
	struct task task; /* first: also the link of the free list */
	LIST_ENTRY(client) of_chain;
	TAILQ_ENTRY(client) waits; /* for an exchange to be free */
	bool waiting;
	uint8_t state; /* enum client_state */
	struct engine *engine;
	struct chain *chain;
	struct tcp_conn *conn; /* NULL: gone */
	bool ended;            /* it is gone, and had ended in order */
	struct exchange *exchange;
	struct timer timer;
	struct endpoint peer, local;
	uint64_t key;            /* chooses among instances */
	struct recall *recalled; /* the last answer that it was given again */
	uint64_t born_us, bytes_in, bytes_out;
	uint32_t requests;
	uint64_t head_began_us;
	uint32_t looked_at; /* bytes of a head that has begun */
	uint32_t lingered;  /* bytes thrown away in CLIENT_LINGER */
};
TAILQ_HEAD(client_queue, client);

/* What becomes of a client when its exchange is over. */
enum client_fate {
	CLIENT_KEEP,
	CLIENT_DRAIN, /* keep it, once the rest of the request was read */
	CLIENT_END,
	CLIENT_RESET,
};

/* --- exchanges ------------------------------------------------------------------- */

enum phase {
	PHASE_FREE,
	PHASE_REQUEST,  /* the request head is on its way down the path */
	PHASE_CONNECT,  /* a server is being chosen and connected */
	PHASE_WAIT,     /* the origin has the head (the body follows): its answer is awaited */
	PHASE_RESPONSE, /* the response head is on its way up */
	PHASE_BODY,     /* the client has the head, the body follows */
	PHASE_DRAIN,    /* answered; the rest of the request is read and thrown away */
	PHASE_TUNNEL,   /* whatever comes goes to the other side */
	PHASE_OVER,     /* some function may still look at its payload */
};

/* What an instance has to answer. */
enum awaits { AWAITS_NOTHING, AWAITS_REQUEST_HEAD, AWAITS_RESPONSE_HEAD };

/* A body's queue before one function. */
struct pipe {
	struct payload in;
	bool end_in;   /* nothing follows `in` */
	bool end_sent; /* the function was shown the end */
	bool replaced; /* it has changed something: it cannot be left out any more */
};

/* A function's place in the path of one exchange. */
struct hop {
	struct exchange *exchange;
	struct instance *instance; /* NULL: not chosen yet, or gone */
	struct hop_queue *queued;
	uint8_t stage;
	uint8_t awaits; /* enum awaits */
	bool saw;       /* was given something */
	bool turn;      /* it has waited: the room is for it */
	bool done_due;
	bool closing; /* the exchange is over and waits for it */
	bool asked;   /* it changed conditions or the range of the request: the answer is its own */
	bool holds;   /* counted in instance->held */
	bool watches; /* it was shown all of the exchange, which stays until it has read on */
	uint32_t steady_tag;       /* of its verdict on the request */
	uint64_t mark;             /* instance->produced after the last descriptor for this hop */
	struct piece_queue pieces; /* shown and not answered, of both directions */
	/* until here one cache line, for most all that is looked at */
	TAILQ_ENTRY(hop) queue; /* of `waiting`, `suspects`, `graves` or `orphans` */
	struct pipe pipe[DIRECTIONS];
} __attribute__((aligned(SLUICE_CACHE_LINE)));
_Static_assert(offsetof(struct hop, queue) == SLUICE_CACHE_LINE, "as it says");

struct body {
	struct http_body decoder;
	struct payload came; /* with the head, in one mbuf: it goes on before anything is read */
	struct payload out;  /* past every function */
	uint64_t out_left;   /* HTTP_BODY_LENGTH */
	uint64_t bytes;      /* sent */
	uint32_t in_hand;    /* between source and destination, true size */
	uint32_t owed; /* bytes the decoder has spoken of and that are not yet taken from the source
			*/
	uint32_t stages;   /* bit n: function n is shown this body */
	uint8_t owed_kind; /* enum http_body_step_kind */
	uint8_t out_kind;  /* enum http_body_kind */
	bool source_ended;
	bool out_end;        /* nothing follows `out` */
	bool chunked_before; /* a chunk was written */
};

/* What the client had moved of the bodies when the window began; see limits.c. */
struct rate {
	uint64_t since_us, in, out;
	uint32_t pending; /* sent to it and not acknowledged then */
	bool awaited;     /* more of its request was waited for then */
};

struct message {
	struct sluice_head *head; /* NULL: none */
	struct http_framing framing;
	struct rte_mbuf *pin; /* the head's text */
	bool pin_shared;      /* it is an mbuf of the body, too, and has no next one of its own */
};

/* A second server that is asked the same. */
struct rival {
	struct upstream_conn *conn; /* NULL: none, or not any more */
	uint32_t server;
	bool tried; /* there was one, or there could be none */
	bool active, asked;
	uint64_t asked_us;
};

#define RESPONDER_ORIGIN ENGINE_PATH_MAX
#define WATCH_COPIES     4

struct exchange {
	struct timer timer;        /* may be in the wheel from an earlier use */
	LIST_ENTRY(exchange) link; /* in use */
	/* What a head's way through functions needs: in three lines. */
	struct task task __attribute__((aligned(SLUICE_CACHE_LINE)));
	struct engine *engine;
	struct hop *hop; /* ENGINE_PATH_MAX of them */
	uint32_t index, generation;
	/* from here to `trailers`: zero at its begin */
	struct chain *chain;
	uint8_t phase;   /* enum phase */
	int8_t stage;    /* where the head is on its way */
	uint8_t branch;  /* the next one to be decided */
	uint8_t reached; /* the last stage that the request came to */
	uint8_t begun;   /* bodies that are known to come, a bit for each direction */
	uint8_t done;    /* those that were given to their destination, or that there are not */
	bool suspected;  /* of an instance's death: it is given to functions alone */
	bool unsteady;   /* what comes of it does not follow from its head alone */
	/* Bit n: hop n */
	uint32_t touched; /* was bound, or in some line: all others are as they were at first */
	uint32_t out;     /* has no part in it any more, or none at all */
	uint32_t left;    /* of these: by its own word */
	uint32_t light;   /* was given a head and is not bound (light.c) */
	uint32_t piped;   /* was to be shown a body */
	uint32_t outdone; /* a function before it answers instead of what it passed or gave */
	struct instance *with; /* the one of these that has its head now, by its ring; or NULL */
	uint64_t with_mark;    /* as a hop's `mark` */
	struct client *client; /* NULL when over */
	uint64_t progress_us;
	uint8_t with_stage; /* where that is */
	uint8_t responder;  /* the stage whose function answers, or RESPONDER_ORIGIN */
	uint8_t kills;      /* deaths of instances that it alone can have caused */
	bool answered;      /* a head other than 1xx went to the client */
	bool turned;        /* was answered in this turn of it: see hop_walk */
	struct message message[DIRECTIONS];
	uint64_t began_us;
	bool keep_client; /* the client's connection can take another request */
	bool reserved;    /* a slot is set aside for the response head */
	bool failed;
	bool unarmed;    /* its deadline is to follow its phase when this turn of it is over */
	bool misled;     /* who changed its conditions is gone: see failure.c */
	bool refused;    /* no function was shown it: it ends where it begins */
	bool own_answer; /* the client was answered by the engine itself */
	bool kept;       /* over, and counted in engine->kept: watchers still look at it */
	/* Heads as they were before functions changed them, for watchers that had seen them pass;
	 * and which of these (from 1 on) is whose. */
	struct sluice_head *copy[WATCH_COPIES];
	uint8_t copies;
	uint8_t passed[DIRECTIONS][ENGINE_PATH_MAX];
	uint16_t open_hops; /* when over: hops that keep it */
	uint16_t status;    /* of the answer; 0: none */
	uint16_t steady_ms; /* how long what functions said of it holds; 0: none said so */
	uint16_t failing;   /* the status that it ends with, unless a function answers; 0: none */
	uint32_t next_piece;
	struct body body[DIRECTIONS];
	/* the origin */
	struct reach origin;
	struct payload client_rest; /* as origin.rest, of a tunnel */
	bool upgrade;               /* the origin may answer 101 */
	uint32_t head_bytes;
	uint8_t why; /* enum sluice_ending, once it is known that it fails */
	uint32_t head_us;
	uint64_t connect_us, replied_us, ended_us; /* 0: not yet */
	struct sluice_how how;                     /* as a function said, or nothing */
	struct rival rival;
	bool retrying; /* counted among the group's retries */
	bool pending;  /* in line for a connection; counted likewise */
	TAILQ_ENTRY(exchange) waits;
	/* an answer made by a function */
	struct lease_queue emits;
	uint32_t emits_count;
	bool emits_ended;
	/* time */
	struct rate rate;
	uint64_t bytes_in, bytes_out;
	uint32_t discarded; /* of a request that is answered already */
	bool early_wanted;  /* the function at `stage` waits for more early bytes */
	bool early_due;     /* more came that it was not shown yet */
	bool early_last;    /* it was told that none will follow */
	uint8_t (*trailers)[ENGINE_TRAILER_BYTES]; /* for each direction */
	uint8_t apart[SLUICE_CACHE_LINE];
};

/* What is mostly not looked at lies elsewhere, so that exchanges lie close to each other. */
struct exchange_far {
	struct hop hop[ENGINE_PATH_MAX];
	uint8_t trailers[DIRECTIONS][ENGINE_TRAILER_BYTES];
	uint8_t apart[SLUICE_CACHE_LINE];
};

/* From one to the next is an odd number of lines: else they would all want the same few places of a
 * cache. */
_Static_assert(sizeof(struct exchange) / SLUICE_CACHE_LINE % 2,
	       "`apart` is a line, or there is none");
_Static_assert(sizeof(struct exchange_far) / SLUICE_CACHE_LINE % 2, "likewise");
LIST_HEAD(exchange_list, exchange);
TAILQ_HEAD(exchange_queue, exchange);

/* Its client is still to be served. */
static inline bool exchange_alive(const struct exchange *x)
{
	return x->phase != PHASE_FREE && x->phase != PHASE_OVER;
}

/* --- the engine ------------------------------------------------------------------ */

#define ENGINE_MAGIC   0x534c4547u
#define ENGINE_SCRATCH (256 << 10)

struct engine {
	uint32_t magic;
	struct engine_env env;
	struct timers timers;
	struct engine_counters counters;
	struct ledger *ledger;
	struct slots slots;
	struct chooser chooser;
	struct upstream_pool *pool;
	struct exchange_queue line[SLUICE_GROUPS_MAX]; /* for a connection, by group */
	uint32_t in_line;
	struct timer line_timer;
	struct health *health; /* worker 0 */
	struct http_memory memory;
	struct http_numbers numbers;
	struct http_memos memos;
	struct recalls *recalls; /* NULL: nothing is given again */
	struct http_knowns knowns;
	struct http_provens provens;
	struct http_writtens writtens;
	struct http_date date;
	uint64_t date_at_us;
	struct function *function[ENGINE_FUNCTIONS_MAX];
	struct instance_list instances;
	uint32_t near; /* of these */
	struct chain_list chains;
	uint32_t chains_count; /* not draining */
	bool chains_over;      /* some that drain have nobody left */
	struct listener_list listeners;
	struct client *client;
	struct task_queue free_clients;
	struct client_queue waiting; /* for an exchange */
	uint32_t clients, clients_total;
	uint32_t clients_touched; /* those that never were in use lie behind */
	void *exchange_memory;
	struct exchange *exchange; /* in it, from a cache line on */
	void *far_memory;
	struct exchange_far *far;       /* likewise */
	struct exchange_list exchanges; /* in use */
	uint32_t *free_exchange;        /* a stack of numbers: those never used are never touched */
	uint32_t exchanges_used;
	uint32_t kept; /* of these: over, for watchers to look at */
	struct task_queue ready, starved;
	uint64_t starved_until_us;
	bool draining;
	uint64_t held_bytes; /* bodies in hand, true size */
	uint32_t emit_max;   /* slices of one answer that may wait to be sent */
	struct engine_error_info error[ENGINE_ERRORS_MAX];
	uint32_t errors;                /* ever; the last ENGINE_ERRORS_MAX are kept */
	const struct exchange *running; /* the one whose turn it is */
	/* Of whose function an answer is being taken in place: its text is in `edits`, and who
	 * called goes on with the exchange. */
	const struct exchange *in_place;
	uint8_t edits[SLUICE_EDITS_MAX_BYTES] __attribute__((aligned(8)));
	uint8_t scratch[ENGINE_SCRATCH];
};

/* One writer, and readers elsewhere. */
#define engine_count_add(engine, name, n) \
	__atomic_store_n(&(engine)->counters.name, (engine)->counters.name + (n), __ATOMIC_RELAXED)
#define engine_count(engine, name) engine_count_add(engine, name, 1)

#endif
