/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The library behind <sluice/nf.h>: one instance of a function, its exchanges, its answers.
 *
 * It knows descriptors in (nf_event) and descriptors out (struct nf_env), memory by region
 * number, and the time it was told. It makes no system call but malloc's and reads no
 * clock, so that the host runs it on rings and the harness runs it on nothing at all.
 *
 * Ownership: the embedder owns the mappings, the counters' memory and the hooks; all else
 * belongs to the instance. One thread.
 */
#ifndef NF_SDK_CORE_H
#define NF_SDK_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <sluice/nf.h>

#include "nf/sdk/arena.h"

#define NF_REGIONS_MAX 1024
#define NF_WORKERS_MAX 64
#define NF_EARLY_MAX   64   /* slices of an answer given before its verdict */
#define NF_EMIT_MAX    1024 /* slices that replace one piece of body */
#define NF_NAME_BYTES  64
#define NF_HELP_BYTES  128

struct conf_tree;

/* What the instance needs from whoever runs it. */
struct nf_env {
	/* One descriptor with its text (up->text_len bytes; the place is chosen here). `must`: it
	 * is taken in any case (kept aside when the ring is full); otherwise -EAGAIN is an answer.
	 */
	int (*put)(void *ctx, unsigned worker, const struct sluice_up *up, const void *text,
		   bool must);
	void (*log)(void *ctx, enum sluice_log_level level, const char *text);
	/* As sluice_connection. May be NULL. */
	int (*connection)(void *ctx, const char *name);
	/* As sluice_writing. May be NULL. */
	int (*writing)(void *ctx, const char *name);
	/* A slice lies in a region that is not mapped: map what came meanwhile. May be NULL. */
	void (*map_more)(void *ctx);
};

struct nf_region {
	const uint8_t *base; /* NULL: not mapped */
	uint64_t bytes;
	uint8_t kind; /* enum sluice_region_kind */
};

/* Edits of one verdict on their way, as they will stand in the text ring. */
struct nf_edits {
	struct nf_edits *next; /* in the instance's list of spare ones */
	uint32_t bytes;
	uint8_t text[SLUICE_EDITS_MAX_BYTES];
};

enum nf_phase {
	NF_IDLE,
	NF_REQUEST_HEAD,
	NF_RESPONSE_HEAD,
	NF_REQUEST_BODY,
	NF_RESPONSE_BODY,
	NF_OPEN,
	NF_CLIENT_DATA,
	NF_SERVER_DATA,
	NF_REFUSED,
	NF_SEEN,
};

#define NF_NO_CHOICE UINT32_MAX

LIST_HEAD(sluice_ask_list, sluice_ask);

/* A head that is passed on, with no word besides, needs what begins with `nf`, and no more: with a
 * small ctx that is one cache line. The lines before it are for whoever says more; nothing there is
 * cleared when an exchange begins, so that what stands there counts only with what is named. */
struct sluice_exchange {
	struct sluice_how how;        /* with `has_how` */
	struct sluice_ask_list asks;  /* that end with it; empty without `asking` */
	const struct sluice_end *end; /* while `done` runs */
	uint32_t steady_tag;          /* with `steady_ms` */
	uint32_t early_taken;         /* bytes, with the verdict of `open` */
	bool early_ended; /* of `open`: the client sends nothing after its early bytes */
	bool body_ended;  /* these since sluice_respond: it gave the last piece of its answer */
	bool no_body;     /* HEAD, or none by status or length: what is emitted goes nowhere */
	uint16_t status;
	uint16_t worker; /* these two: for as long as there is the slot */
	uint32_t slot;
	uint64_t body_bytes, body_sent;
	uint64_t in_flight_bytes; /* with `leased` */
	struct nf_edits *edits;   /* NULL without `edited` */
	/* Slices given until the verdict. Of `open`: what goes ahead. The first goes with the
	 * verdict, the others (NF_EARLY_MAX of them) after it. */
	struct sluice_slice early; /* with `early_count` */
	struct sluice_slice *more; /* NULL without */

	struct sluice_nf *nf;
	const struct sluice_head *head;
	uint64_t asked; /* response: where the head of what the origin was asked lies; 0: nowhere */
	uint32_t generation;
	union {
		struct {
			uint16_t group, server;
		};
		uint32_t choice; /* NF_NO_CHOICE: neither was named */
	};
	/* What goes with the verdict to come. */
	union {
		struct {
			uint16_t steady_ms; /* 0: it is not */
			uint8_t early_count;
			bool edited;
			bool chose;      /* a group or a server was named */
			bool begun;      /* sluice_respond was called */
			bool resize : 1; /* sluice_body_resize was called */
			bool has_how : 1;
			bool asking; /* it made requests of its own: this stays until it ends */
		};
		uint64_t said; /* 0: nothing */
	};
	union {
		struct {
			bool live; /* between its first event and its end */
			bool held;
			bool respond;   /* sluice_respond was called */
			bool answering; /* its RESPOND went out and its body is not ended */
			uint8_t phase; /* enum nf_phase: the hook that runs, or whose answer is held
					*/
			bool left;     /* by a piece of body: more may be on the ring for it */
			bool asks_head;   /* the request is a HEAD */
			bool leased : 1;  /* it gave slices of the arena */
			bool refused : 1; /* it answered at a piece of the request: the rest of that
					   * is not shown */
		};
		uint64_t state;
	};
	_Alignas(16) uint8_t ctx[];
};
#define NF_HOT offsetof(struct sluice_exchange, nf)
_Static_assert(NF_HOT % SLUICE_CACHE_LINE == 0, "what every head needs begins a cache line");
_Static_assert(sizeof(struct sluice_exchange) + 16 == NF_HOT + SLUICE_CACHE_LINE,
	       "and leaves 16 bytes of it to ctx");

struct nf_worker {
	uint8_t **chunks; /* of NF_CHUNK exchanges */
	uint32_t chunks_count;
	uint16_t messages;         /* the region of its heads */
	struct sluice_span *spans; /* of the piece that is being gathered */
	uint32_t spans_count, spans_size;
	bool spans_bad;                          /* one of them lies where we cannot read */
	struct sluice_ask *ask[SLUICE_ASKS_MAX]; /* by number; NULL: it is free */
	uint32_t ask_generation;
};

/* An exchange that is over: three of them that only have heads. */
struct nf_sight {
	struct sluice_exchange *request, *response, *asked;
};

LIST_HEAD(sluice_timer_list, sluice_timer);

struct nf_timers {
	struct sluice_timer_list all;
	uint32_t count;             /* of them */
	struct sluice_timer **heap; /* those that run */
	uint32_t running, room;
};

struct nf_counter {
	char name[NF_NAME_BYTES];
	char help[NF_HELP_BYTES];
};

struct sluice_nf {
	struct sluice_nf_hooks hooks;
	/* What a head needs of the instance, beside its hook. */
	_Alignas(SLUICE_CACHE_LINE) void *data;
	uint64_t now_us;
	int64_t wall_seconds;
	uint32_t stride;         /* bytes of an exchange with its ctx */
	bool started;            /* init returned 0 */
	bool wants_room;         /* the function was turned away */
	bool room_came;          /* and something came free since */
	uint64_t steady_workers; /* bit n: worker n was given a steady verdict */
	uint64_t tick_us;        /* the next one; UINT64_MAX: none */
	const struct nf_env *env;
	void *env_ctx;
	char name[NF_NAME_BYTES];
	struct nf_timers timers;
	char start_error[256];
	struct conf_tree *conf;
	const struct sluice_upstreams *upstreams;
	struct arena *arena; /* NULL: none */
	uint16_t arena_region;
	struct nf_region region[NF_REGIONS_MAX];
	struct nf_worker worker[NF_WORKERS_MAX];
	struct nf_edits *spare_edits;
	struct sluice_exchange *emitting; /* the exchange whose body hook runs */
	struct sluice_exchange *asked;    /* what sluice_asked returns; NULL: it never did */
	struct nf_sight *sight;           /* what `seen` is shown; NULL: there is no such hook */
	struct sluice_slice emit[NF_EMIT_MAX];
	uint32_t emit_count;
	uint64_t *counters;
	uint64_t own_counters[SLUICE_COUNTERS];
	struct nf_counter counter[SLUICE_COUNTERS];
	unsigned counters_count;
	uint64_t *copied_bytes; /* counter 0 */
};

/* --- for the embedder (nf.c) ---------------------------------------------------- */

/* `counters`: SLUICE_COUNTERS of them, zero, or NULL for memory of its own. */
int nf_create(const struct sluice_nf_hooks *hooks, const char *name, const struct nf_env *env,
	      void *env_ctx, uint64_t *counters, struct sluice_nf **out)
	__attribute__((warn_unused_result));
/* Calls `fini` if the function was started. */
void nf_free(struct sluice_nf *nf);
/* The plugin's hooks as this library knows them: a shorter struct of an earlier version is filled
 * up. 0, or -EINVAL with a sentence in `error`. */
int nf_hooks_read(const struct sluice_nf_hooks *from, const char *plugin,
		  struct sluice_nf_hooks *to, char *error, size_t error_size)
	__attribute__((warn_unused_result));
void nf_region_set(struct sluice_nf *nf, uint16_t id, uint8_t kind, const void *base,
		   uint64_t bytes);
/* The arena, by the number under which its region is known. */
int nf_arena_set(struct sluice_nf *nf, uint16_t id, void *base, uint64_t bytes)
	__attribute__((warn_unused_result));
/* Reads the config (JSON as in mgmt/conf/conf.h) and runs `init`. 0 or -EINVAL, with texts in
 * nf_errors. */
int nf_start(struct sluice_nf *nf, const char *config_json, size_t bytes)
	__attribute__((warn_unused_result));
unsigned nf_errors(const struct sluice_nf *nf);
const char *nf_error(const struct sluice_nf *nf, unsigned i);
uint32_t nf_hook_mask(const struct sluice_nf *nf); /* enum sluice_hook */

void nf_time(struct sluice_nf *nf, uint64_t now_us, int64_t wall_seconds);
void nf_tick(struct sluice_nf *nf);
/* Runs what is due, `tick` and timers; when something will be next. True if any ran. */
bool nf_due(struct sluice_nf *nf);
uint64_t nf_next_us(const struct sluice_nf *nf);
/* Runs `writable` if the function was turned away and room came free since. `came`: the embedder's
 * own ring has room again. True if it ran. */
bool nf_room(struct sluice_nf *nf, bool came);

/* --- commands (command.c) ------------------------------------------------------------ */

/* Runs `command` with these words, each ended by a NUL. 0 and the rows as a JSON array, or -errno
 * and a sentence; `*answer` is to be freed, NULL: no memory for it. */
int nf_command(struct sluice_nf *nf, const char *words, size_t bytes, char **answer)
	__attribute__((warn_unused_result));

/* --- events (event.c) -------------------------------------------------------------- */

/* One descriptor from the manager: runs the hook, puts the answer. */
void nf_event(struct sluice_nf *nf, unsigned worker, const struct sluice_down *down);

#define NF_SAID (-1)

/* A head, of a request or a response. The verdict if it is PASS or LEAVE and nothing is said
 * besides: the embedder passes that on, as nf_verdict_put would. Otherwise NF_SAID: it was put, or
 * will be. nf/sdk/show.h has the short way to the same. */
int nf_head(struct sluice_nf *nf, unsigned worker, const struct sluice_shown *head)
	__attribute__((warn_unused_result));
void nf_verdict_put(struct sluice_nf *nf, unsigned worker, uint32_t exchange, uint32_t generation,
		    enum sluice_verdict verdict);

/* --- watching (seen.c) --------------------------------------------------------------- */

/* Shows the function an exchange that is over. NULL: there is no such head. */
void nf_seen(struct sluice_nf *nf, const struct sluice_head *request,
	     const struct sluice_head *response, const struct sluice_head *asked,
	     const struct sluice_end *end);

/* --- between the library's files ------------------------------------------------------ */

#define NF_CHUNK 64

/* The exchange in that slot, of whatever generation; NULL when there is no memory. */
struct sluice_exchange *nf_exchange_at(struct sluice_nf *nf, unsigned worker, uint32_t slot);
/* The same, if that slot was seen before; NULL: nf_exchange_at has to make it. */
static inline struct sluice_exchange *nf_exchange_known(const struct sluice_nf *nf, unsigned worker,
							uint32_t slot)
{
	const struct nf_worker *w = &nf->worker[worker];
	uint32_t number = slot / NF_CHUNK;

	if (number >= w->chunks_count || !w->chunks[number])
		return NULL;
	return (struct sluice_exchange *)(w->chunks[number] +
					  (size_t)(slot % NF_CHUNK) * nf->stride);
}
/* Gives back all that it holds, answered or not. */
void nf_exchange_end(struct sluice_exchange *x);

const uint8_t *nf_resolve(const struct sluice_nf *nf, uint64_t ref, uint32_t len);
/* The head that a descriptor of that worker names. NULL: it lies outside of the worker's messages.
 */
static inline const struct sluice_head *nf_message(const struct sluice_nf *nf, unsigned worker,
						   uint32_t arg)
{
	uint16_t id = nf->worker[worker].messages;
	const struct nf_region *r = &nf->region[id % NF_REGIONS_MAX];
	uint64_t offset = (uint64_t)arg * 64;

	if (id >= NF_REGIONS_MAX || !r->base || offset + sizeof(struct sluice_head) > r->bytes)
		return NULL;
	return (const struct sluice_head *)(r->base + offset);
}
void nf_complain(struct sluice_nf *nf, const char *what);

/* seen.c */
int nf_sight_create(struct sluice_nf *nf);
void nf_sight_free(struct sluice_nf *nf);
void nf_on_seen(struct sluice_nf *nf, unsigned worker, const struct sluice_down *d);

/* ask.c */
void nf_asks_drop(struct sluice_exchange *x);
void nf_asks_free(struct nf_worker *w);
void ask_on_head(struct sluice_nf *nf, unsigned worker, const struct sluice_down *d);
void ask_on_body(struct sluice_nf *nf, unsigned worker, const struct sluice_down *d,
		 const struct sluice_span *spans, unsigned n);
void ask_on_end(struct sluice_nf *nf, unsigned worker, const struct sluice_down *d);

/* timer.c */
bool nf_timers_run(struct sluice_nf *nf);
uint64_t nf_timers_next_us(const struct sluice_nf *nf);
void nf_timers_free(struct sluice_nf *nf);

/* edit.c: what was said for the verdict, and is not to be. */
void edits_forget(struct sluice_exchange *x);
static inline void edits_drop(struct sluice_exchange *x)
{
	if (x->edited)
		edits_forget(x);
}
/* The known field of that name, or SLUICE_FIELD_OTHER. */
enum sluice_field_id field_id(struct sluice_str name);
unsigned field_flags(enum sluice_field_id id);

/* One more edit of the verdict that is to come. */
int edits_put(struct sluice_exchange *x, const struct sluice_edit *edit, const void *name,
	      const void *value);
/* A route and a server may be named. */
static inline bool nf_chooses(const struct sluice_exchange *x)
{
	return x->phase == NF_REQUEST_HEAD || x->phase == NF_OPEN;
}

/* A slice of the arena for that exchange, under a lease; ref SLUICE_REF_NONE: it cannot be. */
struct sluice_slice answer_slice(struct sluice_exchange *x, struct sluice_buf *buf, uint32_t off,
				 uint32_t len);
/* answer.c: the verdict of a head hook, as it came back from it; of one that was held; and of a
 * body hook (piece number). */
void answer_hook(struct sluice_exchange *x, enum sluice_verdict verdict);
void answer_head(struct sluice_exchange *x, enum sluice_verdict verdict);
void answer_piece(struct sluice_exchange *x, uint32_t piece, enum sluice_verdict verdict);
/* What was given before the verdict and is not to be sent after all. */
void answer_forget(struct sluice_exchange *x);
static inline void answer_drop(struct sluice_exchange *x)
{
	if (x->early_count || x->more)
		answer_forget(x);
}
/* A slice that goes with the verdict, or after it. */
int answer_early(struct sluice_exchange *x, struct sluice_buf *buf, uint32_t off, uint32_t len);
bool answer_within(const struct sluice_buf *buf, uint32_t off, uint32_t len);
void answer_released(struct sluice_nf *nf, uint32_t tag);

#endif
