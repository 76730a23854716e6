/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The SDK for network functions: all that a plugin needs.
 *
 * A function is a shared object with one `struct sluice_nf_hooks`, named by
 * SLUICE_FUNCTION(). The host program sluice-nf locks itself in, loads the object, calls
 * `init` once, then hooks as messages come, all on one thread: no hook needs a lock. Hooks
 * must not block: a function whose loop stands still for `hang_ms` is killed and restarted.
 *
 * `init` may open files to read them, also to keep them open. Once it has returned only those can
 * be opened that the configuration allows (`allow.read`); at no time can one be opened to write
 * (sluice_writing is for that), or a socket, a process or a thread be made.
 *
 * The unit of work is an exchange: a request and its response. A function declares the
 * hooks it wants; a hook that is NULL costs nothing. Heads come parsed; body bytes come in
 * pieces, in place, read only. Functions answer with a verdict and with edits: they never
 * change a byte that is not their own.
 *
 * In a chain of protocol "tcp" it is a client's connection, with hooks of its own: `open`,
 * `client_data`, `server_data`. All else is the same. A function may have the hooks of both
 * protocols; one that has none for a chain's protocol is refused there.
 *
 * Life of a `struct sluice_exchange *`: from its first hook until `done`, or until the
 * verdict SLUICE_LEAVE (after which there is no `done`). A function that answers SLUICE_HOLD keeps
 * the pointer and calls sluice_resume later; if the exchange ends meanwhile `done` tells it. The
 * pointer is meaningless after that. Text (struct sluice_str) given to a hook is valid until the
 * hook returns, or until sluice_resume for an exchange that is held.
 *
 * Errors: int functions return 0 or -errno.
 */
#ifndef SLUICE_NF_H
#define SLUICE_NF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/abi.h>
#include <sluice/buf.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sluice_nf;       /* this instance of the function */
struct sluice_exchange; /* one request and its response; or one connection */
struct sluice_buf;      /* a run of the function's own memory */
struct sluice_conf;     /* a node of the function's `config` */
struct sluice_command;  /* words from the command line, and the answer to them */

/* A run of text in shared memory; not ended by a NUL. `ptr` is never NULL. */
struct sluice_str {
	const char *ptr;
	uint32_t len;
};

/* A piece of body in place. */
struct sluice_span {
	const uint8_t *ptr;
	uint32_t len;
};

struct sluice_nf_hooks {
	uint32_t abi;        /* SLUICE_ABI_VERSION, set by SLUICE_HOOKS */
	uint32_t size;       /* sizeof(struct sluice_nf_hooks), likewise */
	const char *name;    /* "filter" */
	const char *summary; /* one line for people */

	/* Bytes of context kept for each exchange (sluice_ctx), zeroed before its first hook. */
	uint32_t ctx_bytes;

	/* Reads `config` (sluice_conf_*). Non-zero: the function does not start; errors found by
	 * sluice_conf_* are reported with file and line, and no message of its own is needed. */
	int (*init)(struct sluice_nf *nf, const struct sluice_conf *config);
	void (*fini)(struct sluice_nf *nf); /* only after an init that returned 0 */

	/* Verdicts: SLUICE_PASS, _LEAVE, _HOLD, _RESET, _RESPOND. In response_head the last one
	 * means: this answer instead of the one that came, which is given up; functions that saw
	 * that one hear of a reset. An origin that gives no answer is shown as one of 502, 503 or
	 * 504 without fields; if nobody responds the manager's own error goes out, and edits of
	 * that head count for nothing. */
	enum sluice_verdict (*request_head)(struct sluice_exchange *x);
	enum sluice_verdict (*response_head)(struct sluice_exchange *x);

	/*
	 * A piece of body, in order. `end`: the last one (it may be empty). Verdicts: SLUICE_PASS:
	 * goes on as it is. SLUICE_REPLACE: what sluice_body_emit gave during this hook goes on
	 * instead (nothing, if it was not called). SLUICE_LEAVE: it and the rest go on as they are,
	 * and nothing of this exchange is heard any more. SLUICE_RESET. In request_body also
	 * SLUICE_RESPOND, with sluice_respond and the edits of that answer: it goes out instead of
	 * the origin's, which is given up with all of the body that it has not had; no more of the
	 * body is shown here. Once an answer has begun it comes too late, and the exchange is cut.
	 */
	enum sluice_verdict (*request_body)(struct sluice_exchange *x,
					    const struct sluice_span *spans, unsigned n, bool end);
	enum sluice_verdict (*response_body)(struct sluice_exchange *x,
					     const struct sluice_span *spans, unsigned n, bool end);

	/* The exchange is over for this function; `reset`: it did not end well. Its ctx goes after
	 * this. */
	void (*done)(struct sluice_exchange *x, bool reset);

	/* About every `tick_ms` (0: never), also when nothing happens. */
	uint32_t tick_ms;
	void (*tick)(struct sluice_nf *nf);

	/* After sluice_respond_body gave -EAGAIN, or sluice_buf_alloc NULL: there may be room
	 * again. */
	void (*writable)(struct sluice_nf *nf);

	/*
	 * Chains of protocol "tcp". A client's connection, before a server is chosen for it:
	 * sluice_head(x) has its addresses (client, local), no field and no text. sluice_route,
	 * sluice_pick and sluice_open_… say how it goes on. Verdicts: SLUICE_PASS, _LEAVE, _HOLD,
	 * _RESET. SLUICE_WAIT: call this hook again, with sluice_early, when the client has sent
	 * more; the connection ends if it does not within the chain's head_timeout_ms.
	 */
	enum sluice_verdict (*open)(struct sluice_exchange *x);

	/* What the client sends, and the server: as request_body and response_body. `end`: that
	 * side has ended (FIN) and nothing follows; the other may go on. */
	enum sluice_verdict (*client_data)(struct sluice_exchange *x,
					   const struct sluice_span *spans, unsigned n, bool end);
	enum sluice_verdict (*server_data)(struct sluice_exchange *x,
					   const struct sluice_span *spans, unsigned n, bool end);

	/* Words from the command line, see sluice_word. 0, or -errno: sluice_refuse tells why. */
	int (*command)(struct sluice_nf *nf, struct sluice_command *command);

	/* A request that was refused before any function was shown it (it is no HTTP, too large,
	 * too slow) is over: this is its first hook and its last. sluice_ending(x) tells how it was
	 * answered and why, sluice_head(x) as much of it as there is: the addresses always;
	 * `version` is 0 when not even its first line could be read. */
	void (*refused)(struct sluice_exchange *x);

	/* What sluice_steady allowed was done `times` times more since the last call. `tag` is what
	 * it was given. For functions that count; a few times in a second. */
	void (*repeated)(struct sluice_nf *nf, uint32_t tag, uint64_t times);

	/*
	 * For functions that only look: metrics, logs, samples, detectors. Chains of protocol
	 * "http". Called once for each exchange whose request came to this function's place in the
	 * path (also for one that was refused before any function was shown it), when it is over:
	 * nothing waits for it. sluice_head(x) is the request as it came to this place, without
	 * what functions after it changed; sluice_head(response) the response as it passed here on
	 * its way up, NULL `response`: none did (the manager's own errors, a client that went
	 * away). sluice_asked(x) is the request as the origin got it, sluice_ending(x) tells how it
	 * ended, with the status that the client was sent. All of it is there until the hook
	 * returns, and only to be read; `x` is not the exchange of other hooks, and has no ctx.
	 *
	 * A function that has no other hook of an exchange costs its chain next to nothing, and can
	 * delay nobody: when its ring is full, or its process is stopped or gone, exchanges go
	 * unseen, and `sluicectl show functions` counts them (UNSEEN).
	 */
	void (*seen)(struct sluice_exchange *x, struct sluice_exchange *response);
};

/* A plugin that was built with fewer hooks is taken as it is: new ones come at the end. */
SLUICE_ASSERT(offsetof(struct sluice_nf_hooks, writable) == 104, "ABI");

#define SLUICE_HOOKS .abi = SLUICE_ABI_VERSION, .size = sizeof(struct sluice_nf_hooks)
#ifdef __cplusplus
/* The same before C++20, which has no designated initializers: to be filled in. */
static inline struct sluice_nf_hooks sluice_hooks(void)
{
	struct sluice_nf_hooks hooks = {};

	hooks.abi = SLUICE_ABI_VERSION;
	hooks.size = sizeof(hooks);
	return hooks;
}
#endif

/* In one file of the plugin, at file scope: SLUICE_FUNCTION(my_hooks); */
#define SLUICE_ENTRY_SYMBOL "sluice_function_entry"
#ifdef __cplusplus
#define SLUICE_ENTRY extern "C"
#else
#define SLUICE_ENTRY extern
#endif
#define SLUICE_FUNCTION(hooks)                                                             \
	SLUICE_ENTRY __attribute__((visibility("default"))) const struct sluice_nf_hooks * \
	sluice_function_entry(void);                                                       \
	const struct sluice_nf_hooks *sluice_function_entry(void)                          \
	{                                                                                  \
		return &(hooks);                                                           \
	}                                                                                  \
	SLUICE_ASSERT(1, "a semicolon follows")

/* --- the instance --------------------------------------------------------------- */

void sluice_set_data(struct sluice_nf *nf, void *data);
void *sluice_data(const struct sluice_nf *nf);
const char *sluice_name(const struct sluice_nf *nf); /* the function's name in the config */
/* In init: of its hooks these (enum sluice_hook) are not wanted as it is configured: they are as
 * good as NULL, and cost nothing. */
void sluice_leave_out(struct sluice_nf *nf, uint32_t hooks);

/* Monotonic time of this turn of the loop, and the wall clock's seconds (for HTTP dates). No
 * syscall. */
uint64_t sluice_now_us(const struct sluice_nf *nf);
int64_t sluice_wall_seconds(const struct sluice_nf *nf);

enum sluice_log_level { SLUICE_LOG_ERROR, SLUICE_LOG_WARN, SLUICE_LOG_INFO, SLUICE_LOG_DEBUG };
void sluice_log(struct sluice_nf *nf, enum sluice_log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* --- timers -------------------------------------------------------------------------
 * Beside `tick`, as many as are needed; `fn` is called on the function's loop like any hook, never
 * early, and late by what the loop has to do. Milliseconds. They may be started, stopped and freed
 * at any time, also from their own `fn`. What is not freed goes after `fini`. One that is meant
 * for an exchange must be stopped in `done`.
 */
struct sluice_timer;
typedef void sluice_timer_fn(struct sluice_nf *nf, void *user);
/* Stopped at first. NULL: no memory. */
struct sluice_timer *sluice_timer_new(struct sluice_nf *nf, sluice_timer_fn *fn, void *user);
void sluice_timer_free(struct sluice_timer *timer); /* NULL: nothing happens */
/* Fires once, or every `ms` (at least 1), counted from now; what it ran for before is forgotten. */
void sluice_timer_start(struct sluice_timer *timer, uint32_t ms);
void sluice_timer_repeat(struct sluice_timer *timer, uint32_t ms);
void sluice_timer_stop(struct sluice_timer *timer);
bool sluice_timer_runs(const struct sluice_timer *timer);

/* A counter that `sluicectl show stats` shows. In init only; NULL: SLUICE_COUNTERS are taken. */
uint64_t *sluice_counter(struct sluice_nf *nf, const char *name, const char *help);

/* Where the configuration lets it write (`allow.write`), by its text there: a descriptor that takes
 * whole lines, up to SLUICE_WRITE_BYTES with one write(), and never waits: -EAGAIN when the
 * receiver does not keep up, and the lines are the function's to drop. From `init` on. -ENOENT: it
 * is not allowed; in a trial run the descriptor is -ENOTCONN, where one would be. */
#define SLUICE_WRITE_BYTES (32 << 10)
int sluice_writing(const struct sluice_nf *nf, const char *name);

/* A connection that the configuration allows (`allow.connect`), by its text there: a descriptor for
 * read, write and poll, non-blocking, connected before `init`. -ENOENT: it is not allowed; any
 * other: why it could not be made. One that ends is made again when the function is started anew.
 */
int sluice_connection(const struct sluice_nf *nf, const char *name);

/* --- commands ----------------------------------------------------------------------
 * `sluicectl function tell NAME WORD…`, and what stands for it (`sluicectl cache purge …`). Each
 * instance is told, between two other hooks, and answers for itself before the hook returns: rows
 * of values by name, which sluicectl shows as a table, or a sentence that says why not.
 *
 *	int guard_command(struct sluice_nf *nf, struct sluice_command *command)
 *	{
 *		if (strcmp(sluice_word(command, 0), "forget"))
 *			return sluice_refuse(command, "there is only \"forget\"");
 *		return sluice_row_number(command, "forgotten", guard_forget(nf));
 *	}
 */
unsigned sluice_words(const struct sluice_command *command);
const char *sluice_word(const struct sluice_command *command, unsigned i); /* "" past the last */
/* One more value of the row; the first makes one. A value that is there already is replaced.
 * -ENOSPC: the answer is too long; -EINVAL: it is not UTF-8. */
int sluice_row_text(struct sluice_command *command, const char *name, struct sluice_str value);
int sluice_row_number(struct sluice_command *command, const char *name, int64_t value);
/* The row is whole: what follows is of the next. */
void sluice_row_end(struct sluice_command *command);
/* Why it cannot be done; rows are forgotten. Returns -EINVAL, for the hook to return. */
int sluice_refuse(struct sluice_command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* --- configuration ------------------------------------------------------------------
 * Readers record an error with file and line and return -EINVAL when the key has another
 * type or is out of range; an absent key gives the default and 0. After init, keys that
 * were never asked for are errors ("unknown key"), so that a typing error is not silent.
 */
int sluice_conf_int(const struct sluice_conf *group, const char *key, int64_t fallback, int64_t min,
		    int64_t max, int64_t *out);
int sluice_conf_bool(const struct sluice_conf *group, const char *key, bool fallback, bool *out);
int sluice_conf_float(const struct sluice_conf *group, const char *key, double fallback, double min,
		      double max, double *out);
/* `out` lives as long as the function. `fallback` may be NULL. */
int sluice_conf_string(const struct sluice_conf *group, const char *key, const char *fallback,
		       const char **out);
/* A list, array or group below `group`; NULL when absent. */
const struct sluice_conf *sluice_conf_list(const struct sluice_conf *group, const char *key);
const struct sluice_conf *sluice_conf_group(const struct sluice_conf *group, const char *key);
unsigned sluice_conf_length(const struct sluice_conf *list);
/* Elements that are groups. */
const struct sluice_conf *sluice_conf_at(const struct sluice_conf *list, unsigned i);
int sluice_conf_string_at(const struct sluice_conf *list, unsigned i, const char **out);
bool sluice_conf_has(const struct sluice_conf *group, const char *key);
/* An error of the plugin's own about `node`: with its file and line. Returns -EINVAL. */
int sluice_conf_error(const struct sluice_conf *node, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The same at the line of one of a group's keys; at the group's, if it has no such key. */
int sluice_conf_error_key(const struct sluice_conf *group, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* --- the exchange ------------------------------------------------------------------ */

void *sluice_ctx(struct sluice_exchange *x);
/* In `done`, `refused` and `seen`: how it ended, and how long that took. NULL in all others. */
const struct sluice_end *sluice_ending(const struct sluice_exchange *x);
/* "client_gone": the name of an enum sluice_ending; what it does not know is "failed". */
const char *sluice_ending_name(uint8_t why);
struct sluice_nf *sluice_of(const struct sluice_exchange *x);

/* The head of this hook: the request's in request_head and `refused`, the response's in
 * response_head, also while the exchange is held; both in `seen`. NULL in all other hooks (and text
 * is empty there): keep what you need in your ctx. */
const struct sluice_head *sluice_head(const struct sluice_exchange *x);

struct sluice_str sluice_text(const struct sluice_exchange *x, const struct sluice_text *text);
struct sluice_str sluice_method(const struct sluice_exchange *x);
struct sluice_str sluice_target(const struct sluice_exchange *x);
struct sluice_str sluice_path(const struct sluice_exchange *x);
struct sluice_str sluice_query(const struct sluice_exchange *x);
struct sluice_str sluice_host(const struct sluice_exchange *x); /* without the port */

/* The first field of that id or name: 0, or -ENOENT. Names are compared without case. */
int sluice_field(const struct sluice_exchange *x, enum sluice_field_id id,
		 struct sluice_str *value);
int sluice_field_named(const struct sluice_exchange *x, const char *name, struct sluice_str *value);
/* All fields in order: i from 0 to sluice_head(x)->fields - 1. */
struct sluice_str sluice_field_name(const struct sluice_exchange *x, unsigned i);
struct sluice_str sluice_field_value(const struct sluice_exchange *x, unsigned i);
/* The next field of the same known id after field `i`, or SLUICE_NONE16; start with
 * sluice_field_first. */
unsigned sluice_field_first(const struct sluice_exchange *x, enum sluice_field_id id);
unsigned sluice_field_next(const struct sluice_exchange *x, unsigned i);

/* --- edits: of the head, or of an answer of its own. They take effect with the verdict. -ENOSPC
 * past SLUICE_EDITS_MAX_BYTES, -EINVAL for what the manager would refuse: what is no name or value,
 * and fields that belong to one connection or to the framing (HOP, FRAMING in <sluice/fields.def>)
 */

int sluice_field_set(struct sluice_exchange *x, const char *name, struct sluice_str value);
int sluice_field_add(struct sluice_exchange *x, const char *name, struct sluice_str value);
int sluice_field_remove(struct sluice_exchange *x, const char *name);
int sluice_target_set(struct sluice_exchange *x, struct sluice_str target);
int sluice_status_set(struct sluice_exchange *x, uint16_t status);
/* The body that this head announces will have another length (SLUICE_REPLACE makes it longer or
 * shorter): it is sent chunked. Without this a body that does not fit its head is cut off. With
 * SLUICE_PASS. */
void sluice_body_resize(struct sluice_exchange *x);

/*
 * Edits that come out the same are made again from a copy, which is a good deal cheaper: of those
 * that follow sluice_edits_now. -EINVAL, false: none can be made in this hook; -ENOSPC.
 */
#define SLUICE_KEPT_EDITS 512
struct sluice_kept_edits {
	uint32_t len;
	uint8_t bytes[SLUICE_KEPT_EDITS];
};
uint32_t sluice_edits_now(const struct sluice_exchange *x);
/* False: they are more than there is room for. */
bool sluice_edits_keep(const struct sluice_exchange *x, uint32_t from,
		       struct sluice_kept_edits *out);
int sluice_edits_repeat(struct sluice_exchange *x, const struct sluice_kept_edits *kept);

static inline struct sluice_str sluice_str(const char *text)
{
	struct sluice_str s = {text, (uint32_t)__builtin_strlen(text)};

	return s;
}

bool sluice_str_equal(struct sluice_str a, struct sluice_str b);
bool sluice_str_equal_nocase(struct sluice_str a, struct sluice_str b);

/* --- routes and servers ------------------------------------------------------------ */

/* The number of an upstream group, or -ENOENT. Numbers stay the same while the function lives. */
int sluice_group_find(struct sluice_nf *nf, const char *name);
const struct sluice_upstreams *sluice_upstreams(const struct sluice_nf *nf);
/* For `request_head` and `open`: elsewhere, it and sluice_pick do nothing. */
void sluice_route(struct sluice_exchange *x, uint16_t group);
/* The group chosen by an earlier function in the path; SLUICE_NONE16: none. */
uint16_t sluice_routed(const struct sluice_exchange *x);
/* In response_head and `seen`, until it returns: the request as the origin got it, with what
 * functions made of it; sluice_routed(x) is the group that it went to. NULL: no origin has answered
 * (`seen`: none was asked). */
const struct sluice_exchange *sluice_asked(const struct sluice_exchange *x);
/* `server`: its place in the group: sluice_upstreams()->server[group->first + server]. */
void sluice_pick(struct sluice_exchange *x, uint16_t server);
/* For `request_head`: timeouts, retries and hedging of this exchange, with SLUICE_PASS or _LEAVE.
 * The last function that says so counts. `retries` is SLUICE_RETRIES_OF_GROUP, or a number. */
void sluice_how(struct sluice_exchange *x, const struct sluice_how *how);

/* --- opening a connection (hook `open`, until its verdict; elsewhere -EINVAL) -------- */

/* For the functions after this one: the client's address, and the one that it came to. */
int sluice_open_client(struct sluice_exchange *x, const struct sluice_peer *client);
int sluice_open_local(struct sluice_exchange *x, const struct sluice_peer *local);

/* What the client has sent so far, copied into one run: empty before the first SLUICE_WAIT, unless
 * an earlier function waited. About 5 KB at most: SLUICE_WAIT beyond that, or when the client has
 * ended (sluice_early_ended), resets the connection. */
struct sluice_str sluice_early(const struct sluice_exchange *x);
bool sluice_early_ended(const struct sluice_exchange *x);
/* Takes the first of these bytes out of the stream: nobody after this function sees them. */
int sluice_early_take(struct sluice_exchange *x, uint32_t bytes);

/* Bytes (64 KB at most) that go to the server ahead of all that comes from here: once, with
 * SLUICE_PASS or _LEAVE. The functions after this one see them as the client's. -ENOMEM: no lease.
 */
int sluice_open_send(struct sluice_exchange *x, struct sluice_buf *buf, uint32_t off, uint32_t len);

/* --- answering (verdict SLUICE_RESPOND from a head hook or request_body, or sluice_resume) --- */

/* A buffer of the function's arena (<sluice/buf.h>). NULL: the arena is full. */
struct sluice_buf *sluice_buf_alloc(struct sluice_nf *nf, uint32_t size);
uint64_t sluice_arena_bytes(const struct sluice_nf *nf); /* all of it */
uint64_t sluice_arena_used(const struct sluice_nf *nf);

/* Begins an answer; fields by sluice_field_add. `body_bytes`: its length, or SLUICE_LENGTH_UNKNOWN
 * (sent chunked), or SLUICE_LENGTH_NONE: no body, and no length is named where HEAD asks or
 * the status has none. */
int sluice_respond(struct sluice_exchange *x, uint16_t status, uint64_t body_bytes);
/* Body bytes of the answer, in order, from the arena: also after the verdict, while the answer
 * is not ended. -EAGAIN: the ring is full, or SLUICE_RESPOND_WINDOW_BYTES of this exchange are on
 * their way to a slow peer; come back from `tick` or `writable`. */
#define SLUICE_RESPOND_WINDOW_BYTES (1u << 20)
int sluice_respond_body(struct sluice_exchange *x, struct sluice_buf *buf, uint32_t off,
			uint32_t len, bool end);
/* The same with a copy of `text` (counted as copied). */
int sluice_respond_text(struct sluice_exchange *x, struct sluice_str text, bool end);
/* After the verdict: the answer cannot go on. It ends here, so that nobody takes it for whole.
 * -EINVAL: it has ended, or was not begun. */
int sluice_respond_cut(struct sluice_exchange *x);

/* In a body hook, or one for data, that returns SLUICE_REPLACE: the new bytes. */
int sluice_body_emit(struct sluice_exchange *x, struct sluice_buf *buf, uint32_t off, uint32_t len);

/*
 * What this function is going to say of this head follows from the head alone (and from the
 * function's configuration): not from the client's address, the time, or what it has seen before.
 * For `ms` from now (at most SLUICE_STEADY_MS_MAX) a request on the same chain whose head has the
 * same bytes may be given the same answer, without a hook of this function being called: no head,
 * no `done`. Then an answer costs no more than its packets. In request_head, and once more in
 * response_head by a function that has that hook; without it nothing is repeated, and neither if
 * another function on the path does not say so.
 *
 * Repeated are answers of functions (SLUICE_RESPOND) to GET and HEAD whose body is one slice, given
 * before the verdict. That slice stays leased for as long. `tag` comes back with `repeated`.
 */
#define SLUICE_STEADY_MS_MAX 60000
void sluice_steady(struct sluice_exchange *x, uint32_t ms, uint32_t tag);
/* Nothing that was steady until now is any more: from here on requests are asked about again. What
 * this function says after it comes after it. */
void sluice_unsteady(struct sluice_nf *nf);

/* Ends SLUICE_HOLD: the verdict that the head hook would have given. */
void sluice_resume(struct sluice_exchange *x, enum sluice_verdict verdict);

/* --- requests of the function's own --------------------------------------------------
 * To an upstream group: to ask who a client is, how a server does, … The manager chooses a server
 * and sends the request over its kept connections, as it does for exchanges.
 *
 *	enum sluice_verdict auth_request_head(struct sluice_exchange *x)
 *	{
 *		struct sluice_ask *ask = sluice_ask_new(sluice_of(x), x, group,
 *							SLUICE_METHOD_GET, sluice_str("/auth"));
 *
 *		if (!ask)
 *			return SLUICE_RESET;
 *		sluice_ask_field(ask, "x-path", sluice_path(x));
 *		if (!sluice_ask_send(ask, NULL, 0, 1000, &auth_hooks, x))
 *			return SLUICE_HOLD;
 *		sluice_ask_drop(ask);
 *		return SLUICE_RESET;
 *	}
 *
 * and `over` calls sluice_resume. Of an exchange (`x`; it need not be held): when that is over for
 * the function, so is what it asked, without a call. Without one (`x` is NULL) it comes from a
 * timer, for the instance. SLUICE_ASKS_MAX at a time in each worker.
 */
struct sluice_ask;

struct sluice_ask_hooks {
	/* The head of the answer: sluice_ask_answer is valid until it returns. May be NULL. */
	void (*head)(struct sluice_ask *ask, void *user);
	/* A piece of its body, in order and in place; the bytes are gone when it returns. The
	 * server is held back while pieces wait here. May be NULL. */
	void (*body)(struct sluice_ask *ask, const struct sluice_span *spans, unsigned n,
		     void *user);
	/* Always the last call; `ask` is gone after it. 0: the answer was whole. Else -ETIMEDOUT,
	 * -ECONNREFUSED, -ECONNRESET, -EHOSTUNREACH (no server is up), -ENOENT (no such group),
	 * -EPROTO (what it answers is not HTTP), or another errno when memory was short. */
	void (*over)(struct sluice_ask *ask, int error, void *user);
};

/* A request that is not sent yet. NULL: SLUICE_ASKS_MAX are under way, no memory, or `target` is
 * no target. `method` is a known one, not CONNECT. */
struct sluice_ask *sluice_ask_new(struct sluice_nf *nf, struct sluice_exchange *x, uint16_t group,
				  enum sluice_method method, struct sluice_str target);
/* One more field. Host is the server's address unless it is given. As sluice_field_add. */
int sluice_ask_field(struct sluice_ask *ask, const char *name, struct sluice_str value);
/* Sends it, with a copy of `body`. `timeout_ms` (not 0) is for all of it. -EAGAIN: the ring is
 * full; -ENOSPC: with its fields it is more than SLUICE_EDITS_MAX_BYTES, or nearly. */
int sluice_ask_send(struct sluice_ask *ask, const void *body, uint32_t len, uint32_t timeout_ms,
		    const struct sluice_ask_hooks *hooks, void *user);
/* Sent or not, it is gone, and no hook is called any more. Not in `over`. NULL: nothing happens. */
void sluice_ask_drop(struct sluice_ask *ask);

/* In `head`: what sluice_head, sluice_field and the like read. */
const struct sluice_exchange *sluice_ask_answer(const struct sluice_ask *ask);
/* From `head` on; 0: no head has come. */
uint16_t sluice_ask_status(const struct sluice_ask *ask);

#ifdef __cplusplus
}
#endif
#endif
