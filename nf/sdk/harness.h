/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bench for writers of functions: runs a `struct sluice_nf_hooks` in a unit test, in
 * this process, against requests and responses made by hand. No rings, no manager, no
 * clock: the test says what time it is. The library code behind the hooks is the one that
 * sluice-nf runs.
 *
 *	struct harness *h = harness_create(&filter_hooks);
 *
 *	assert_int_equal(harness_start(h, "deny = ( { path = \"^/admin\"; status = 403; } );"), 0);
 *	x = harness_request(h, "GET", "/admin?x=1", HARNESS_FIELDS({"Host", "a.example"}));
 *	assert_int_equal(harness_verdict(x), SLUICE_RESPOND);
 *	assert_int_equal(harness_status(x), 403);
 *	harness_done(x, false);
 *	harness_destroy(h);
 *
 * `config` is written as in the configuration file, so that errors have lines:
 * "test.conf:1: …". Wrong use of the harness by the test itself prints a sentence and
 * aborts.
 *
 * Ownership: the harness owns all that it returns; an exchange lives until harness_destroy
 * (harness_done tells the function that it is over). Texts and bytes returned for an
 * exchange are valid until the next call that changes that exchange. One thread.
 *
 * Link with sluice_nf_harness, in a test made by sluice_test(); the plugin's sources are
 * compiled into the test.
 */
#ifndef NF_SDK_HARNESS_H
#define NF_SDK_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/nf.h>

struct harness;
struct harness_exchange;

struct harness_field {
	const char *name, *value;
};

/* HARNESS_FIELDS({"Host", "a"}, {"Accept", "*" "/" "*"}); HARNESS_NO_FIELDS for none. */
#define HARNESS_FIELDS(...) ((const struct harness_field[]){__VA_ARGS__, {0}})
#define HARNESS_NO_FIELDS   ((const struct harness_field[]){{0}})

/* --- the instance ------------------------------------------------------------- */

struct harness *harness_create(const struct sluice_nf_hooks *hooks);
/* Calls `fini` if the function was started. */
void harness_destroy(struct harness *h);

/* Before harness_start; default 16 MB. */
void harness_set_arena(struct harness *h, uint64_t bytes);

/* Runs `init`. 0, or -EINVAL: harness_error() tells. NULL: no config. */
int harness_start(struct harness *h, const char *config);
unsigned harness_errors(const struct harness *h);
const char *harness_error(const struct harness *h,
			  unsigned i); /* "test.conf:1: text"; NULL past the last */

/* Monotonic time starts at 1 s, the wall clock at 2024-01-01 00:00:00 UTC; harness_advance moves
 * both and runs the timers that are due then. Ticks are not automatic. */
void harness_set_time(struct harness *h, uint64_t now_us, int64_t wall_seconds);
void harness_advance(struct harness *h, uint64_t us);
void harness_tick(struct harness *h);
void harness_writable(struct harness *h);

uint64_t harness_counter(const struct harness *h, const char *name);
unsigned harness_logs(const struct harness *h);
const char *harness_log(const struct harness *h,
			unsigned i); /* without the level; NULL past the last */
struct sluice_nf *harness_nf(struct harness *h);

/* Before harness_start: `allow.write` with that name, of which there may be one. What the function
 * wrote to it since the last time; NUL follows. Until then it fills up: room for a few times
 * SLUICE_WRITE_BYTES.
 */
void harness_allow_write(struct harness *h, const char *name);
const char *harness_written(struct harness *h);

/* --- upstreams (before or after harness_start) ---------------------------------- */

/* A group of `servers`, all up, weight 1, at 10.0.GROUP.1, .2, … port 80. Its number. */
uint16_t harness_group_add(struct harness *h, const char *name, enum sluice_balance balance,
			   unsigned servers);
/* To change state, weight, active, …; follow it by harness_upstreams_changed. */
struct sluice_server *harness_server_of(struct harness *h, uint16_t group, unsigned server);
void harness_upstreams_changed(struct harness *h);

/* --- requests --------------------------------------------------------------------- */

/* For the requests that follow: the client's address ("192.0.2.1", 12345 by default), the local one
 * ("198.51.100.1", 80), the group and server that an earlier function chose (SLUICE_NONE16 by
 * default). */
void harness_client(struct harness *h, const char *address, uint16_t port);
void harness_local(struct harness *h, const char *address, uint16_t port);
void harness_routed(struct harness *h, uint16_t group, uint16_t server);

/*
 * A request head: GET, … HTTP/1.1. body_bytes is taken from a content-length field, or
 * SLUICE_LENGTH_UNKNOWN with transfer-encoding, else SLUICE_LENGTH_NONE. The host is the
 * Host field's, or that of an absolute target. Runs `request_head` if the function has it.
 */
struct harness_exchange *harness_request(struct harness *h, const char *method, const char *target,
					 const struct harness_field *fields);
/* The same of HTTP/1.0 with `version` 10. */
struct harness_exchange *harness_request_version(struct harness *h, uint8_t version,
						 const char *method, const char *target,
						 const struct harness_field *fields);
/* One that was refused before any function was shown it; runs `refused`, which is its end. */
struct harness_exchange *harness_refused(struct harness *h, const char *method, const char *target,
					 const struct harness_field *fields,
					 const struct sluice_end *end);
/* An exchange that is over, for a function that only looks: runs `seen`. `target` NULL: not even
 * the request's first line could be read; `status` 0: no response passed it. */
struct harness_sight {
	const char *method, *target;
	const struct harness_field *fields; /* NULL: none; likewise below */
	uint16_t status;
	const struct harness_field *response;
	const char *asked_target; /* NULL: no origin was asked */
	const struct harness_field *asked;
	struct sluice_end end;
};
void harness_seen(struct harness *h, const struct harness_sight *sight);
/* The response head of that exchange; runs `response_head`. Its verdict. */
enum sluice_verdict harness_response(struct harness_exchange *x, uint16_t status,
				     const struct harness_field *fields);

/* One piece of body, as one span (or as given); runs the hook. Its verdict; SLUICE_PASS without a
 * hook. What goes on instead after SLUICE_REPLACE: harness_piece. */
enum sluice_verdict harness_request_body(struct harness_exchange *x, const void *bytes, size_t len,
					 bool end);
enum sluice_verdict harness_response_body(struct harness_exchange *x, const void *bytes, size_t len,
					  bool end);
enum sluice_verdict harness_response_spans(struct harness_exchange *x,
					   const struct sluice_span *spans, unsigned n, bool end);
/* What goes on for the last piece: its own bytes, or those emitted. NUL follows. */
const uint8_t *harness_piece(const struct harness_exchange *x, size_t *len);

/* --- connections of tcp chains ------------------------------------------------------ */

/* From harness_client to harness_local; runs `open` if the function has it. */
struct harness_exchange *harness_open(struct harness *h);
/* The client says more, and the function is asked again: it had answered SLUICE_WAIT. Its verdict.
 */
enum sluice_verdict harness_early(struct harness_exchange *x, const void *bytes, size_t len,
				  bool end);
/* With the last verdict: early bytes taken out of the stream; bytes that go ahead of it; the
 * addresses for those after this function (as they were, if it set none). */
uint32_t harness_early_taken(const struct harness_exchange *x);
const uint8_t *harness_ahead(const struct harness_exchange *x, size_t *len);
const struct sluice_peer *harness_open_client(const struct harness_exchange *x);
const struct sluice_peer *harness_open_local(const struct harness_exchange *x);

/* As the two for bodies. */
enum sluice_verdict harness_client_data(struct harness_exchange *x, const void *bytes, size_t len,
					bool end);
enum sluice_verdict harness_server_data(struct harness_exchange *x, const void *bytes, size_t len,
					bool end);

/* --- the end -------------------------------------------------------------------------- */

/* The exchange is over: runs `done`, unless the function had left it. */
void harness_done(struct harness_exchange *x, bool reset);
/* The same with what sluice_ending is to tell. */
void harness_end(struct harness_exchange *x, const struct sluice_end *end, bool reset);

/* --- requests of the function's own -------------------------------------------------- */

struct harness_ask;
/* The i-th that is under way, oldest first; NULL past the last. Valid until it is over. */
struct harness_ask *harness_ask(struct harness *h, unsigned i);
/* "GET /auth\nx-path: /a\n": method and target, then the fields. */
const char *harness_ask_head(const struct harness_ask *ask);
const char *harness_ask_body(const struct harness_ask *ask); /* NUL follows */
uint16_t harness_ask_group(const struct harness_ask *ask);
uint32_t harness_ask_timeout_ms(const struct harness_ask *ask);
/* The head of its answer, pieces of its body, its end (0, or an errno such as ETIMEDOUT). */
void harness_ask_answer(struct harness_ask *ask, uint16_t status,
			const struct harness_field *fields);
void harness_ask_piece(struct harness_ask *ask, const void *bytes, size_t len);
void harness_ask_over(struct harness_ask *ask, int error);

/* --- commands ------------------------------------------------------------------------ */

/* Words with a space between them. 0, or -EINVAL: it is refused. */
int harness_command(struct harness *h, const char *words);
/* The rows as JSON, or the sentence that says why not. */
const char *harness_answer(const struct harness *h);

/* --- what the function answered ------------------------------------------------------ */

/* To the last head. SLUICE_HOLD while there is none. SLUICE_RESPOND also after a piece of a request
 * that was answered so; what follows reads that answer. */
enum sluice_verdict harness_verdict(const struct harness_exchange *x);
uint16_t harness_group(const struct harness_exchange *x);  /* sluice_route: SLUICE_NONE16: none */
uint16_t harness_server(const struct harness_exchange *x); /* sluice_pick */

/* sluice_steady, of the last head; 0: it was not called. What was said of the request is repeated
 * so often: runs `repeated`. */
uint32_t harness_steady_ms(const struct harness_exchange *x);
void harness_repeated(struct harness_exchange *x, uint64_t times);
/* How often it took back what it had called steady. */
unsigned harness_unsteady(const struct harness *h);

/* sluice_how; NULL: it was not called. */
const struct sluice_how *harness_how(const struct harness_exchange *x);

/* The edits of the last head, one line each: "set name: value\n", "add name: value\n", "remove
 * name\n", "target /x\n", "status 404\n". "" when there are none. */
const char *harness_edits(const struct harness_exchange *x);
/* The value of a field once the edits of the last head are made (of the answer's head after
 * SLUICE_RESPOND): the first one; NULL: no such field. Names without case. */
const char *harness_field(const struct harness_exchange *x, const char *name);
/* The same, the i-th one. */
const char *harness_field_at(const struct harness_exchange *x, const char *name, unsigned i);
const char *harness_target(const struct harness_exchange *x); /* with a target edit made */

/* SLUICE_RESPOND (or the status of the response head with its edits): */
uint16_t harness_status(const struct harness_exchange *x);
uint64_t harness_body_bytes(const struct harness_exchange *x); /* as sluice_respond said */
const uint8_t *harness_body(const struct harness_exchange *x,
			    size_t *len); /* emitted so far; NUL follows. `len` may be NULL */
bool harness_body_ended(const struct harness_exchange *x);
bool harness_body_cut(const struct harness_exchange *x); /* sluice_respond_cut */
bool harness_resized(const struct harness_exchange *x);  /* sluice_body_resize: of the last head */

/* --- arena and back-pressure ------------------------------------------------------- */

/* By default all that is emitted is acknowledged at once. After harness_hold_sent(h, true) it
 * stays in flight until harness_acknowledge, which also runs `writable` if that is due. */
void harness_hold_sent(struct harness *h, bool hold);
void harness_acknowledge(struct harness *h);
/* After `n` more body pieces the ring is full (-EAGAIN), until this is called again; UINT32_MAX:
 * never. */
void harness_set_room(struct harness *h, uint32_t n);

#endif
