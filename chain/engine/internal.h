/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inside of the engine: its structures, and what its files offer each other.
 *
 *    engine.c     life, one turn of the loop, tasks
 *    config.c     functions, chains, listeners
 *    client.c     connections of clients
 *    request.c    what they send, until an exchange begins with it
 *    refused.c    what comes to no exchange
 *    head.c       heads from where they are read
 *    source.c     connections, and what is left of them
 *    exchange.c   an exchange from begin to end
 *    deadline.c   how long each of its phases may take
 *    branch.c     which functions of its path a request meets
 *    hooks.c      which functions of a path want what
 *    hop.c        heads from function to function
 *    direct.c     functions that are called in place
 *    verdict.c    what functions say, checked
 *    parts.c      parts of bodies that functions give
 *    body.c       bodies: decoded, moved
 *    stage.c      bodies: piece by piece through functions
 *    frame.c      bodies: framed, sent
 *    stream.c     connections of `tcp` chains, until they are open
 *    open.c       their way down the path
 *    early.c      what their clients say meanwhile
 *    limits.c     what one client may take: requests, age, slowness
 *    reach.c      servers: chosen, connected, followed by the next (reach.h)
 *    origin.c     the origin's side of an exchange
 *    hedge.c      the second server that is asked
 *    line.c       exchanges that wait for a connection
 *    private.c    connections that belong to one user
 *    retry.c      what may be asked again, and where
 *    reply.c      the heads that it answers
 *    respond.c    answers to clients
 *    short.c      short bodies behind their heads
 *    recall.c     answers that are given again
 *    watch.c      functions that only look
 *    ending.c     what functions are told of their end
 *    instead.c    answers in place of the origin's
 *    ask.c        requests of functions' own (ask.h)
 *    upgrade.c    who may leave HTTP, by 101 or CONNECT
 *    tunnel.c     bytes both ways as they come: after that, and of open streams
 *    instance.c   instances: rings, room, releases
 *    failure.c    instances that are gone
 *    slots.c      message slots
 *    text.c       text as mbufs
 *    info.c       what can be seen
 *
 * Nothing is re-entered: handlers of the stack and answers of functions note what happened
 * and make the exchange (or the client) ready; engine_poll then runs what is ready. Only
 * there do exchanges move and end.
 *
 * An exchange that is over stays, without client and origin, until every function that might
 * still look at its payload has been told or has read on: only then are its buffers freed.
 */
#ifndef CHAIN_ENGINE_INTERNAL_H
#define CHAIN_ENGINE_INTERNAL_H

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
LIST_HEAD(hop_list, hop);
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
	struct hop_list bound;     /* every hop that is to stay with this instance */
	struct hop_queue waiting;  /* for room in the ring */
	struct hop_queue suspects; /* each is given alone, after one that killed an instance */
	struct hop *suspect;       /* the one that is given now */
	struct hop_queue graves;   /* of exchanges that are over: until the instance has read on */
	struct ask *ask;           /* its own requests, SLUICE_ASKS_MAX of them */
	uint32_t asking;           /* those that are in use */
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
	LIST_ENTRY(hop) of_instance;
	TAILQ_ENTRY(hop) queue; /* of `waiting`, `suspects`, `graves` or `orphans` */
	struct hop_queue *queued;
	uint64_t mark;             /* instance->produced after the last descriptor for this hop */
	uint32_t steady_tag;       /* of its verdict on the request */
	struct piece_queue pieces; /* shown and not answered, of both directions */
	struct pipe pipe[DIRECTIONS];
	uint8_t stage;
	uint8_t awaits; /* enum awaits */
	bool saw;       /* was given something */
	bool left;
	bool skipped; /* left out: by a branch, or because its instance is gone */
	bool turn;    /* it has waited: the room is for it */
	bool done_due;
	bool closing; /* the exchange is over and waits for it */
	bool outdone; /* a function before it answers instead of what it passed or gave */
	bool asked;   /* it changed conditions or the range of the request: the answer is its own */
	bool holds;   /* counted in instance->held */
	bool watches; /* it was shown all of the exchange, which stays until it has read on */
};

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
	bool started;
	bool source_ended;
	bool out_end;        /* nothing follows `out` */
	bool chunked_before; /* a chunk was written */
	bool ended;          /* all was given to the destination */
};

/* What the client had moved of the bodies when the window began; see limits.c. */
struct rate {
	uint64_t since_us, in, out;
	uint32_t pending; /* sent to it and not acknowledged then */
	bool awaited;     /* more of its request was waited for then */
};

struct message {
	struct sluice_head *head; /* NULL: none */
	struct rte_mbuf *pin;     /* the head's text */
	bool pin_shared; /* it is an mbuf of the body, too, and has no next one of its own */
	struct http_framing framing;
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
	struct task task;
	LIST_ENTRY(exchange) link; /* in use */
	struct engine *engine;
	struct timer timer; /* may be in the wheel from an earlier use */
	uint32_t index, generation;
	/* from here to `hop`: zero at its begin */
	struct client *client; /* NULL when over */
	struct chain *chain;
	uint8_t phase;     /* enum phase */
	int8_t stage;      /* where the head is on its way */
	uint8_t branch;    /* the next one to be decided */
	uint8_t reached;   /* the last stage that the request came to */
	uint32_t touched;  /* bit n: hop n was bound, or in some line */
	uint8_t responder; /* the stage whose function answers, or RESPONDER_ORIGIN */
	uint8_t kills;     /* deaths of instances that it alone can have caused */
	bool suspected;    /* of one: it is given to functions alone */
	bool answered;     /* a head other than 1xx went to the client */
	bool keep_client;  /* the client's connection can take another request */
	bool reserved;     /* a slot is set aside for the response head */
	bool failed;
	bool unarmed;    /* its deadline is to follow its phase when this turn of it is over */
	bool misled;     /* who changed its conditions is gone: see failure.c */
	bool unsteady;   /* what comes of it does not follow from its head alone */
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
	struct message message[DIRECTIONS];
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
	uint64_t began_us, progress_us;
	struct rate rate;
	uint64_t bytes_in, bytes_out;
	uint32_t discarded; /* of a request that is answered already */
	bool early_wanted;  /* the function at `stage` waits for more early bytes */
	bool early_due;     /* more came that it was not shown yet */
	bool early_last;    /* it was told that none will follow */
	struct hop hop[ENGINE_PATH_MAX];
	uint8_t trailers[DIRECTIONS][ENGINE_TRAILER_BYTES];
};
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
	struct http_memos memos;
	struct recalls *recalls; /* NULL: nothing is given again */
	struct http_knowns knowns;
	struct http_provens provens;
	struct http_date date;
	uint64_t date_at_us;
	struct function *function[ENGINE_FUNCTIONS_MAX];
	struct instance_list instances;
	struct chain_list chains;
	uint32_t chains_count; /* not draining */
	bool chains_over;      /* some that drain have nobody left */
	struct listener_list listeners;
	struct client *client;
	struct task_queue free_clients;
	struct client_queue waiting; /* for an exchange */
	uint32_t clients, clients_total;
	uint32_t clients_touched; /* those that never were in use lie behind */
	struct exchange *exchange;
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

/* --- engine.c -------------------------------------------------------------------- */
void engine_ready(struct engine *engine, struct task *task);
/* A pool was empty: the task runs again after ENGINE_RETRY_US. */
void engine_starve(struct engine *engine, struct task *task);
/* A task that goes away: it is not run any more. */
void engine_forget(struct engine *engine, struct task *task);
const char *engine_date(struct engine *engine);
void engine_log_error(struct engine *engine, const char *chain, uint16_t function,
		      const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The reference of a byte of payload that every function maps; SLUICE_REF_NONE when there is none.
 */
uint64_t engine_payload_ref(const struct engine *engine, const void *ptr);
void engine_count_http_error(struct engine *engine, enum http_error error);

/* --- config.c -------------------------------------------------------------------- */
void chain_unuse(struct chain *chain);
/* Frees chains that nobody uses any more, and functions with them: only between exchanges. */
void config_settle(struct engine *engine);
void config_close(struct engine *engine);

/* --- head.c ---------------------------------------------------------------------- */
/* Parses what waits as a head: a request's, or the response to `request`. `*head` is a small slot,
 * and a large one afterwards if it had to be. Nothing is taken. */
enum http_head_result head_read(struct engine *engine, const struct source *source,
				const struct http_limits *limits, const struct sluice_head *request,
				struct sluice_head **head, uint32_t *bytes, uint8_t *error);
/* The same for one that came before: `*bytes` is 0 when it did not. And keeps one that was read and
 * found good, for the next time. */
void head_recall(const struct engine *engine, const struct source *source,
		 const struct http_limits *limits, const struct sluice_head *request,
		 struct sluice_head *head, uint32_t *bytes, struct http_framing *framing);
void head_remember(struct engine *engine, const struct source *source,
		   const struct http_limits *limits, const struct sluice_head *request,
		   const struct sluice_head *head, uint32_t bytes,
		   const struct http_framing *framing);
/*
 * Takes a head that was read off its source. The part of an mbuf that is shared with what
 * follows may come as a copy when mbufs are short; `head` is made to refer to it then.
 * LATER: nothing was taken. LOST: only some of it could be, and is gone.
 */
enum head_taken { HEAD_TAKEN, HEAD_LATER, HEAD_LOST };
enum head_taken head_take(struct engine *engine, const struct source *source,
			  struct sluice_head *head, uint32_t bytes, struct rte_mbuf **pin);

/* The same, by one reference more, for a head with the begin of its body behind it in one mbuf:
 * `most` bytes of body are to follow. False: it is not so, and nothing was taken. */
bool head_take_shared(const struct source *source, uint32_t bytes, uint64_t most,
		      struct rte_mbuf **pin, struct payload *body);

/* --- client.c -------------------------------------------------------------------- */
int clients_create(struct engine *engine, uint32_t count);
void clients_destroy(struct engine *engine);
void client_accept(struct listener *listener, struct tcp_conn *conn);
enum client_fate {
	CLIENT_KEEP,
	CLIENT_DRAIN, /* keep it, once the rest of the request was read */
	CLIENT_END,
	CLIENT_RESET,
};
/* The client's exchange is over. */
void client_exchange_over(struct client *client, enum client_fate fate);
void client_idle_end(struct client *client, uint32_t within_ms);
/* Its next request may come, or is there. */
void client_idle(struct client *client);
/* It waits no longer for an exchange to be free. */
void client_unqueue(struct client *client);
/* Both end it; lingering, it sees first what was sent. */
void client_end(struct client *client);
void client_linger(struct client *client);

/* --- request.c ------------------------------------------------------------------- */
/* Something came, or there is an exchange for it now. */
void request_read(struct client *client);
/* Answers, and ends the connection. */
void request_refuse(struct client *client, uint16_t status, enum sluice_ending why);
void client_addresses(const struct client *client, struct sluice_head *head);

/* --- ending.c -------------------------------------------------------------------- */
/* Why it is going to fail; what was said first counts. */
void ending_why(struct exchange *x, enum sluice_ending why);
/* For functions, when it is over. */
void ending_tell(const struct exchange *x, struct sluice_end *out);

/* --- exchange.c ------------------------------------------------------------------ */
int exchanges_create(struct engine *engine);
void exchanges_destroy(struct engine *engine);
/* One is free for this chain. When few are left each chain has its share, so that one that stands
 * still does not stop the others. */
bool exchange_available(const struct chain *chain, const struct engine *engine);
/* The first client in line that could begin now. */
void exchange_waiting_wake(struct engine *engine);
/* `head` and what pins it are the exchange's from here on. */
void exchange_begin(struct client *client, struct sluice_head *head, struct rte_mbuf *pin,
		    const struct http_framing *framing);
/* The client's, from here on; exchange_available was true. */
struct exchange *exchange_take(struct client *client);
void exchange_ready(struct exchange *x);
void exchange_phase(struct exchange *x, enum phase phase);
void exchange_progress(struct exchange *x);
void exchange_message_free(struct exchange *x, enum direction d);
/* What a function gave of its answer and was not sent. */
void exchange_emits_drop(struct exchange *x);
/* Ends it with `status` if nothing was answered yet, else with a reset. */
void exchange_fail(struct exchange *x, uint16_t status);
/* Ends it; the answer is complete, or there will be none. */
void exchange_end(struct exchange *x, enum client_fate fate, bool failed);
/* What a function has given of its answer and nobody will get. */
void exchange_emits_drop(struct exchange *x);
/* The client is gone. */
void exchange_client_gone(struct exchange *x);
/* One hop of an exchange that is over has let go. */
void exchange_hop_over(struct exchange *x);

/* --- refused.c ------------------------------------------------------------------- */
/* An exchange for what is refused, so that functions hear of it; NULL: none wants to, or there is
 * no room. It is to be answered, and ended. */
struct exchange *refused_begin(struct client *client, enum sluice_ending why);

/* --- deadline.c ------------------------------------------------------------------ */
/* Its phase, or the time since which it stands still, is another one. */
void deadline_arm(struct exchange *x);
/* Its timer's. */
void deadline_passed(struct timer *timer);

/* --- limits.c -------------------------------------------------------------------- */
/* With so many requests more it has had as many, or is as old, as its chain allows. */
bool limits_spent(const struct client *client, uint32_t more);
/* How long it may still be idle. */
uint32_t limits_idle_ms(const struct client *client);
/* When the client's rate is to be looked at; UINT64_MAX: never. */
uint64_t limits_rate_us(const struct exchange *x);
/* True: its client has been slower than its chain allows for a whole window. */
bool limits_too_slow(struct exchange *x);

/* --- branch.c -------------------------------------------------------------------- */
int branches_make(struct chain *chain, const struct conf_branch *from, unsigned count);
void branches_free(struct chain *chain);
/* Decides those that the request has come to. */
void branches_take(struct exchange *x);

/* --- hooks.c --------------------------------------------------------------------- */
/* Finds out what the functions of a chain want; of all chains, when some function's are others. */
void hooks_chain(struct chain *chain);
void hooks_changed(struct engine *engine);

/* --- hop.c ----------------------------------------------------------------------- */
/* Moves the head as far as it can go; ends in origin_begin or respond_begin. */
void hop_walk(struct exchange *x);
enum offer {
	OFFER_SKIP,
	OFFER_WAIT,
	OFFER_FAIL,
	OFFER_MOVED, /* it was answered in place: the head goes on */
};
/* It has a part in this exchange, and one of these hooks (or nobody knows yet). */
bool hop_wants(const struct hop *hop, uint32_t hooks);
/* It is bound to no instance, and none is up. */
enum offer hop_unserved(struct hop *hop);
/* In line: its exchange is under suspicion, and another one is with the instance. */
bool hop_must_stand_alone(struct hop *hop);
enum offer hop_head_send(struct hop *hop, enum direction d, uint8_t kind, uint8_t flags);
/* With an origin's answer comes what it was asked: where its head lies; 0: no origin answered. */
uint64_t hop_asked_ref(const struct exchange *x, enum direction d);
/* The next entry of the instance's ring; NULL: the hop is in line for room. */
struct sluice_down *hop_entry(struct hop *hop, uint8_t kind, uint8_t flags);
bool hop_bind(struct hop *hop);
/* The instance for a client of that key; NULL: none is up. */
struct instance *hop_choose(const struct function *function, uint64_t key);
/* It stays with this instance. */
void hop_join(struct hop *hop, struct instance *instance);
void hop_unbind(struct hop *hop);
void hop_holds(struct hop *hop);
void hop_enqueue(struct hop *hop, struct hop_queue *queue);
void hop_dequeue(struct hop *hop);
/* The exchange is over: tells the instance, and waits for it if it must. */
void hop_close(struct hop *hop);
void hop_close_next(struct hop *hop); /* there is room in the ring */
void hop_closed(struct hop *hop);     /* the instance has read on, or is gone */
static inline struct function *hop_function(const struct hop *hop)
{
	return hop->exchange->chain->path[hop->stage];
}

/* --- direct.c -------------------------------------------------------------------- */
/* Calls the function with it, if it is in the worker and nothing is in its rings. False: it is to
 * go by the ring. `answer`: as of engine_event. */
bool direct_show(struct instance *instance, const struct sluice_down *down,
		 struct engine_answer *answer);
/* The same with the head of a request or response. */
bool direct_head(struct hop *hop, enum direction d, struct engine_answer *answer);
/* Takes what it said at once. FAIL: the exchange has ended. */
enum offer direct_answered(struct hop *hop, const struct engine_answer *answer);

/* --- watch.c --------------------------------------------------------------------- */
/* The function of `stage` changes a head: watchers that it has passed see it as it was. */
void watch_change(struct exchange *x, enum direction d, uint8_t stage);
/* The exchange is over; its client had this key. */
void watch_over(struct exchange *x, uint64_t key);
void watch_free(struct exchange *x);
/* The watcher has read on past it; its process is gone. */
void watch_seen(struct hop *hop);
void watch_lost(struct hop *hop);

/* --- verdict.c ------------------------------------------------------------------- */
void verdict_take(struct instance *instance, const struct sluice_up *up);
/* It passes the head that it was asked about, or leaves, and says nothing else. */
void verdict_plain(struct hop *hop, uint8_t verdict);

/* --- body.c ---------------------------------------------------------------------- */
/* One step of a body's decoder over what waits: payload in `out`, or the end, or why not. */
enum read_result { READ_NOTHING, READ_SOME, READ_END, READ_BAD, READ_CUT, READ_STARVED };
enum read_result body_decode(struct body *body, const struct source *source, uint32_t budget,
			     struct payload *out);
/* Its head is known and on its way. Again: nothing. False: the exchange has ended. */
bool body_begin(struct exchange *x, enum direction d, enum http_body_kind out_kind,
		uint64_t length);
/* Moves what can be moved. False: the exchange has ended. */
bool body_move(struct exchange *x, enum direction d);
void body_free(struct exchange *x, enum direction d);
/* The request is answered, and nobody is to have the rest of it: see body_discard. */
void body_give_up(struct exchange *x);
/* Payload comes in hand, or goes. */
void body_hand(struct exchange *x, enum direction d, int64_t charge);
/* Reads the rest of the request and throws it away. STOP: too much, or no request. */
enum discard { DISCARD_MORE, DISCARD_END, DISCARD_STOP };
enum discard body_discard(struct exchange *x);
/* The direction's source may have a body at all. */
bool body_announced(const struct http_framing *framing);

/* --- frame.c --------------------------------------------------------------------- */
/* Where a body goes; NULL: nowhere yet, or no more. */
struct tcp_conn *frame_destination(const struct exchange *x, enum direction d);
uint32_t frame_room(const struct tcp_conn *conn);
/* All of it, which is so long, goes with its head. */
void frame_whole(struct body *body, uint32_t bytes);
/* The answer's body behind its head, if all of it came with that and nobody looks at it: then it
 * has ended. */
void frame_behind(struct exchange *x, struct rte_mbuf *head);
/* Sends what has come past the functions, and the end after it. False: the exchange has ended. */
bool frame_write(struct exchange *x, enum direction d, bool *moved);

/* --- stage.c --------------------------------------------------------------------- */
#define STAGE_NONE UINT32_MAX
uint32_t stage_first(const struct exchange *x, enum direction d);
/* Includes the function if it wants this body. False: it does, has no instance, and the exchange
 * has ended. */
bool stage_choose(struct exchange *x, enum direction d, uint32_t stage);
/* Payload (and the end) for the function of `stage`, or past the last one. */
void stage_give(struct exchange *x, enum direction d, uint32_t stage, struct payload payload,
		bool end);
uint32_t stage_after(const struct exchange *x, enum direction d, uint32_t stage);
/* Of a stream: from here on the function is shown what comes, and what has come so far. */
void stage_join(struct hop *hop);
/* Shows the instances what waits before them. */
void stage_push(struct exchange *x, enum direction d);
/* The oldest piece was answered: with its own bytes, or with others. */
void stage_pass(struct hop *hop);
void stage_replace(struct hop *hop, struct payload payload, bool more);
/* Leaves the function out of all bodies from here on: what it held goes on as it was. */
void stage_bypass(struct hop *hop);
void stage_pieces_free(struct hop *hop); /* what the instance was shown */
void stage_queues_free(struct hop *hop); /* what it was not shown yet */

/* --- stream.c -------------------------------------------------------------------- */
void stream_begin(struct client *client, struct sluice_head *head);
/* It is not open yet. */
void stream_run(struct exchange *x);
void stream_connected(struct exchange *x);

/* --- open.c ---------------------------------------------------------------------- */
/* Opens it for one function after the other; ends in origin_begin. */
void open_walk(struct exchange *x);
bool open_allowed(const struct sluice_up *up);
/* What the function at `hop` has answered; it is allowed. */
void open_answered(struct instance *instance, struct hop *hop, const struct sluice_up *up);

/* --- early.c --------------------------------------------------------------------- */
/* More that may be read for a function to see. */
uint32_t early_room(const struct exchange *x);
/* Shows what has come past the functions before. True: there is more than was shown. */
bool early_show(struct exchange *x);
/* Nothing follows what is shown. */
bool early_complete(const struct exchange *x);
bool early_full(const struct exchange *x);
/* What waits is not what was shown. */
void early_forget(struct exchange *x);
/* Takes away the first bytes that are shown. False: there are not so many. */
bool early_cut(struct exchange *x, uint32_t bytes);
/* Puts payload before all that has come. */
void early_prefix(struct exchange *x, struct payload payload);

/* --- origin.c -------------------------------------------------------------------- */
void origin_begin(struct exchange *x);
/* Something happened on its connection. False: the exchange has ended. */
bool origin_run(struct exchange *x);
/* The exchange is over with it. `reusable`: request and response are complete. */
void origin_release(struct exchange *x, bool reusable);
void origin_timeout(struct exchange *x);
/* It could not be reached, broke off, or sent what is no answer. */
void origin_failed(struct exchange *x);
/* It has said all that it will say, and that was not enough. False: the exchange has ended. */
bool origin_ended(struct exchange *x);

/* What can be read of its answer. */
struct source origin_source(struct exchange *x);

/* private.c: its connection is authenticated, and nobody else's. */
bool origin_is_private(const struct exchange *x);
/* The request's head, written for a server. 0, -EAGAIN: no memory just now; or another -errno. */
int origin_request(struct exchange *x, struct rte_mbuf **chain);
const struct upstream_user_ops *origin_ops(void);
/* Its connection is given up, so that another server can be asked. */
void origin_drop(struct exchange *x);
/* Connects to `server`, or to those after it; it may have to wait for that. */
void origin_connect(struct exchange *x, uint32_t server);

/* --- retry.c --------------------------------------------------------------------- */
/* RFC 9110 §9.2.2: asking twice does no more than asking once; and all of the request is here. */
bool retry_harmless(const struct exchange *x);
bool retry_body_whole(const struct exchange *x); /* nothing of it was taken yet */
/* The next server to be tried after one that could not be connected; UPSTREAM_NONE. */
uint32_t retry_server(struct exchange *x);
/* Asks another server, if the exchange may for this reason (enum sluice_retry), the group's budget
 * allows and there is one. True: it does, or the exchange has ended. */
bool retry_for(struct exchange *x, uint8_t reason);
bool retry_misled(struct exchange *x);
/* The reason that an answer's status is; 0: none. */
uint8_t retry_reason(const struct exchange *x, uint16_t status);
/* It is no retry any more. */
void retry_over(struct exchange *x);

/* --- hedge.c --------------------------------------------------------------------- */
/* When a second server is to be asked; UINT64_MAX: never. */
uint64_t hedge_due_us(const struct exchange *x);
void hedge_begin(struct exchange *x);
/* Something happened: the rival is asked, taken or dropped. */
void hedge_run(struct exchange *x);
/* The origin is given up and the rival is what is waited for. False: there is none. */
bool hedge_take(struct exchange *x);
void hedge_drop(struct exchange *x); /* there may be none */

/* --- line.c ---------------------------------------------------------------------- */
void lines_open(struct engine *engine);
void line_enter(struct exchange *x);
void line_leave(struct exchange *x); /* it may not be in line at all */
/* There may be room for the first one. */
void line_wake(struct engine *engine, uint16_t group);
void line_timeout(struct exchange *x);

/* --- reply.c --------------------------------------------------------------------- */
/* Its answer is awaited: looks at what has come of it. False: the exchange has ended. */
bool reply_listen(struct exchange *x);

/* --- respond.c ------------------------------------------------------------------- */
/* The response head went past the last function: to the client. */
void respond_begin(struct exchange *x);
/* A function answers: the head of its verdict, without the edits. */
void respond_build(struct exchange *x, const struct sluice_up *up);
/* 1xx to the client, if it may see it. False: no memory just now. */
bool respond_informational(struct exchange *x, const struct sluice_head *head);
/* An answer has begun. `x` may be NULL. */
void respond_counted(struct client *client, struct exchange *x, uint16_t status);
/* An answer of the engine's own (`x` may be NULL), and how the client goes on. */
enum client_fate respond_error(struct client *client, struct exchange *x, uint16_t status);
/* How a client goes on that was not told that its connection ends. What has become of its chain
 * since is seen when it is idle: until then it may send, as it was promised. */
enum client_fate respond_fate(const struct exchange *x);

/* --- short.c --------------------------------------------------------------------- */
/* The answer's body behind the head that is about to be sent, if all of it is there and it is
 * short: then it has ended. */
void short_append(struct exchange *x, struct rte_mbuf *head);

/* --- recall.c -------------------------------------------------------------------- */
int recalls_create(struct engine *engine);
void recalls_destroy(struct engine *engine);
/* Answers what waits on an idle client's connection, if that is known. */
bool recall_answer(struct client *client);
/* What a function says of a head is good once more, or it is not. */
void recall_heard(struct hop *hop, const struct sluice_up *up);
/* Keeps this answer, head and short body, if it may be given again. */
void recall_keep(struct exchange *x, const struct rte_mbuf *answer);
/* What the instance called steady is so no longer. */
void recall_retract(struct instance *instance);
/* Functions, or paths, are others from here on. */
void recall_forget(struct engine *engine);

/* --- instead.c ------------------------------------------------------------------- */
/* The function of `stage` answers in place of what it was shown: the origin is given up, and what
 * is left of the request goes nowhere. False: the exchange has ended. */
bool instead_begin(struct exchange *x, uint8_t stage);
/* The origin gives no answer: functions that look at answers are shown one of ours, which any of
 * them may better; else it ends with `status`. False: the exchange has ended. */
bool instead_offer(struct exchange *x, uint16_t status);
/* Nobody has bettered it. */
void instead_end(struct exchange *x);

/* --- upgrade.c ------------------------------------------------------------------- */
/* -EINVAL: more protocols, or longer ones, than there is room for. */
int upgrade_conf(struct chain *chain, const struct engine_chain *from);
/* The client offers to change the protocol, and its chain has nothing against it. */
bool upgrade_offered(const struct exchange *x);
/* The origin's 101 is an answer to that offer. */
bool upgrade_agreed(const struct exchange *x, const struct sluice_head *answer);
/* The head says what the connection becomes, whatever functions made of it. False: it does not. */
bool upgrade_consistent(const struct exchange *x);

/* --- tunnel.c -------------------------------------------------------------------- */
/* Both bodies end with their connections from here on. */
void tunnel_prepare(struct exchange *x);
/* Both sides are there: bytes go both ways. */
void tunnel_open(struct exchange *x);
void tunnel_run(struct exchange *x);
void tunnel_timeout(struct exchange *x);

/* --- instance.c ------------------------------------------------------------------ */
/* Takes its answers; sees how far it has read; gives room in its ring to those in line; tells it
 * what was released. */
void instance_poll(struct instance *instance);
void instance_read_on(struct instance *instance);
void instance_room(struct instance *instance);
void instance_release(struct instance *instance);
/* The next entry of its ring, for what belongs to no exchange; NULL: no room. */
struct sluice_down *instance_entry(struct instance *instance, uint8_t kind);
uint64_t instance_consumed(const struct instance *instance);
/* It said what it may not say. `counter` is the kind, `text` is for the error log. */
void instance_offence(struct instance *instance, uint64_t *counter, const char *text);
/* Its ring cannot be trusted any more: it is as good as gone. */
void instance_broken(struct instance *instance);

/* --- ask.c ----------------------------------------------------------------------- */
int asks_create(struct instance *instance);
void asks_destroy(struct instance *instance);
/* Nothing can be said to it any more. */
void asks_drop(struct instance *instance);
/* It asks, or wants no answer any more. */
void ask_asked(struct instance *instance, const struct sluice_up *up);
void ask_dropped(struct instance *instance, const struct sluice_up *up);
void asks_read_on(struct instance *instance);
/* Something is freed when it has read on. */
bool asks_watched(const struct instance *instance);

/* --- failure.c ------------------------------------------------------------------- */
/* The instance is gone: what it held goes on without it, to another, or ends. */
void failure_instance(struct instance *instance);

/* --- text.c ---------------------------------------------------------------------- */
/* Bytes as a chain of mbufs; NULL: the pool is empty. */
struct rte_mbuf *text_chain(struct engine *engine, const void *bytes, uint32_t len);
int text_request(struct engine *engine, const struct sluice_head *head,
		 const struct http_write *how, struct rte_mbuf **out);
int text_response(struct exchange *x, const struct sluice_head *head, const struct http_write *how,
		  struct rte_mbuf **out);

#endif
