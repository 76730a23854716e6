/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine's test bench: two stacks joined by a wire in memory, in virtual time. On the
 * near one stands the engine; on the far one clients and origin servers that the test plays
 * byte by byte; functions are played through the real rings, in this process.
 *
 *    bench_open(&options);
 *    c = client_open();
 *    say(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
 *    o = origin_accept(0);
 *    hear(o, "GET / HTTP/1.1\r\n");
 *    say(o, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
 *    hear(c, "hi");
 *    bench_close();              everything must be where it was before
 *
 * Whatever is waited for must come within a few seconds of virtual time, or the test fails.
 */
#ifndef TESTS_UNIT_CHAIN_ENGINE_BENCH_H
#define TESTS_UNIT_CHAIN_ENGINE_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "chain/engine/engine.h"
#include "chain/ring/link.h"
#include "chain/ring/region.h"
#include "chain/upstream/upstream.h"
#include "l4stack/stack.h"
#include "l4stack/tcp/tcp.h"
#include "mgmt/conf/conf.h"

#define BENCH_FUNCTIONS 4
#define BENCH_ORIGINS   3
#define BENCH_STEP_US   100
#define BENCH_POLICIES  3

/* All that a function may have for its failure. */
extern const enum conf_on_failure bench_policies[BENCH_POLICIES];

struct rte_mempool;

/* --- peers: the far ends of connections ------------------------------------------ */

struct peer {
	struct tcp_conn *conn; /* NULL: closed */
	uint8_t *in;           /* all that came and was not yet heard */
	size_t in_len, in_size;
	uint64_t in_total;
	uint8_t *out; /* what is still to be said: out_len bytes from out_at on */
	size_t out_at, out_len, out_size;
	bool opened, ended, closed, paused, taken, accepted;
	unsigned served; /* see bench.serve */
	bool shut;       /* FIN after `out` */
	enum tcp_close_reason reason;
	unsigned origin; /* of an accepted one: which origin it came to */
	struct peer *next;
};

struct peer *client_open(void);
struct peer *client_open_at(uint16_t port);
/* The next connection to that origin. */
struct peer *origin_accept(unsigned origin);
bool origin_has_new(unsigned origin);

void say(struct peer *p, const char *text);
void say_bytes(struct peer *p, const void *bytes, size_t len);
/* `len` bytes of a pattern that starts at `seed`. */
void say_pattern(struct peer *p, uint64_t seed, size_t len);
/* Waits for exactly these bytes and takes them away. */
void hear(struct peer *p, const char *text);
/* Waits for a head, up to its empty line, and takes it; valid until the next one. */
const char *hear_head(struct peer *p);
void hear_pattern(struct peer *p, uint64_t seed, size_t len);
/* Chunked body of that pattern, to its end. `trailers` as they must stand. */
void hear_chunked(struct peer *p, uint64_t seed, size_t len, const char *trailers);
void hear_end(struct peer *p); /* FIN, and nothing before it */
void hear_reset(struct peer *p);
void hear_cut(struct peer *p); /* FIN, whatever came before it: the answer is not whole */
void hear_nothing(struct peer *p, unsigned ms);
void peer_shut(struct peer *p); /* FIN after all that was said */
void peer_abort(struct peer *p);
void peer_pause(struct peer *p, bool paused); /* reads nothing */

/* --- functions ------------------------------------------------------------------- */

/* With BENCH_IN_PLACE in the environment each is one in the worker, which the engine calls. */

struct fake;
typedef void fake_hook(struct fake *fake, const struct sluice_down *down);

#define FAKE_SEEN_MAX 4096

/* One instance, played. `on` is called for each descriptor; by default everything passes. */
struct fake {
	unsigned function;
	uint32_t instance;
	int wake_fd;
	struct link *link;
	struct region *arena;
	const struct sluice_down_ctl *down_ctl;
	const struct sluice_down *down;
	struct sluice_up_ctl *up_ctl;
	struct sluice_up *up;
	uint8_t *up_text;
	uint32_t consumed, produced, text_at;
	uint64_t down_bytes, up_bytes;
	fake_hook *on;
	void *user;
	bool stopped; /* reads nothing */
	bool dead;    /* stopped in the midst of a turn, of which nothing is published */
	bool up_known;
	struct engine_answer *answer;  /* while it is called in place */
	uint32_t exchange, generation; /* that it is asked about then */
	unsigned plain;                /* answers that could be given so: every second is */
	int verdict;                   /* the one that is */
	unsigned called;               /* in place, ever */
	uint64_t repeated;
	unsigned heads[2], opens, pieces[2], ends[2], dones, resets, releases, sights;
	uint8_t *body[2]; /* bytes shown */
	size_t body_len[2], body_room[2];
	uint32_t released[FAKE_SEEN_MAX];
	struct sluice_down last[SLUICE_DOWN_KINDS]; /* by kind */
};

/* At a place of its own, or at that one. */
struct fake *fake_up(unsigned function, uint32_t hooks);
struct fake *fake_up_at(unsigned function, unsigned index, uint32_t hooks);
/* The process dies: engine_instance_down, rings gone. */
void fake_down(struct fake *fake);
void fake_pass(struct fake *fake, const struct sluice_down *down);
/* Its kind is one that is answered. */
bool fake_is_asked(const struct sluice_down *down);
void fake_hold(struct fake *fake, const struct sluice_down *down); /* answers nothing */
/* An answer to `down`, to be changed at will. */
struct sluice_up fake_answer(const struct sluice_down *down, enum sluice_verdict verdict);
void fake_say(struct fake *fake, const struct sluice_up *up);
void fake_say_text(struct fake *fake, struct sluice_up up, const void *text, uint32_t len);
/* Bytes in its arena, at `offset`. */
struct sluice_slice fake_slice(struct fake *fake, uint64_t offset, const void *bytes, uint32_t len,
			       uint32_t tag);
/* By what a descriptor has of it; NULL: SLUICE_HEAD_NONE. */
const struct sluice_head *fake_head_at(uint32_t arg);
const struct sluice_head *fake_head(const struct fake *fake, const struct sluice_down *down);
/* A text of a head, as a C string; valid until the next call. */
const char *head_text(const struct sluice_head *head, struct sluice_text text);
const char *head_field(const struct sluice_head *head, const char *name); /* NULL: none */
/* Edit lists. */
struct edits {
	uint8_t bytes[32768];
	uint32_t len;
};
void edit_add(struct edits *edits, enum sluice_edit_op op, const char *name, const char *value);
bool fake_was_released(const struct fake *fake, uint32_t tag);

/* --- the bench ------------------------------------------------------------------- */

struct options {
	bool stream;   /* the chain is of protocol "tcp" */
	unsigned path; /* functions in the path */
	enum conf_on_failure on_failure[BENCH_FUNCTIONS];
	unsigned servers; /* of the group "web"; 0: one */
	unsigned groups;  /* "web", and "other" with the last origin */
	bool no_functions_up;
	bool near_functions; /* on the worker's CPU */
	bool far_only;       /* they are told nothing yet */
	uint32_t max_exchanges, max_clients, link_entries, recalls;
	unsigned head_ms, idle_ms, body_ms, connect_ms, response_ms, keepalive, retries;
	struct conf_limits limits;
	unsigned server_connections; /* at a time, of each server */
	unsigned max_fails, eject_ms, check_ms;
	const char *check_path;
	uint32_t recv_kb, send_kb;
	unsigned max_head_bytes, max_fields, max_target_bytes;
	unsigned min_body_bytes_per_s, max_requests, max_age_ms;
	const char *upgrade;
	bool connect;
	unsigned tunnel_ms;
	const struct conf_branch *branches;
	unsigned branches_count;
};

struct bench {
	uint64_t now_us;
	struct stack *near, *far;
	struct engine *engine;
	struct region_table regions;
	struct region *rx, *messages, *upstream_view;
	struct upstreams *upstreams;
	struct options options;
	struct conf conf;
	uint32_t version, instances;
	struct fake *fakes[64];
	unsigned fakes_count;
	struct peer *peers;
	struct tcp_listener *listener[BENCH_ORIGINS];
	bool refuse[BENCH_ORIGINS]; /* connections are reset at once */
	uint64_t held_most;         /* the most engine_buffers ever said */
	bool cut;                   /* nothing passes the wire */
	bool deaf;                  /* SYNs to the far side are lost */
	const char *serve;          /* origins answer every head with this */
};
extern struct bench bench;

int bench_start(void **state); /* group setup */
int bench_stop(void **state);
void bench_open(const struct options *options);
/* Ends peers, lets things settle, checks that every pool is full again. */
void bench_close(void);
/* The same with everything under way: what is left over goes with the engine. */
void bench_destroy(void);
void bench_step(void);
void bench_run_ms(unsigned ms);
/* Applies the chain anew, with another path length. */
void bench_reload(unsigned path);
uint64_t bench_counter_at(size_t offset);
void bench_check_idle(void);
uint32_t bench_rx_in_use(void); /* mbufs of received payload */
void origin_listen(unsigned origin, bool on);

/* A line that is, or is not, in a head. */
void head_has(const char *head, const char *line);
void head_lacks(const char *head, const char *line);
#define GET(path)  "GET " path " HTTP/1.1\r\nHost: a.example\r\n\r\n"
#define OK(length) "HTTP/1.1 200 OK\r\nContent-Length: " #length "\r\n\r\n"

#define counted(name) bench_counter_at(offsetof(struct engine_counters, name))

/* Fails, and says where everything stands. */
void bench_in_vain(const char *file, int line, const char *what);

/* Runs until the condition holds. */
#define until(condition)                                                       \
	do {                                                                   \
		unsigned steps_ = 0;                                           \
		while (!(condition)) {                                         \
			if (steps_++ > 100000)                                 \
				bench_in_vain(__FILE__, __LINE__, #condition); \
			bench_step();                                          \
		}                                                              \
	} while (0)

#endif
