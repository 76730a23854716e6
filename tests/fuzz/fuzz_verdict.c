/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target of the worker's checks: a function's up region (answers, their text, both indexes)
 * is written as the input says, while exchanges are under way that it and an honest function
 * hold. Whatever it says, no memory is touched that it must not touch, nothing is lost when it is
 * ended, and the next exchange is served.
 *
 * Input: steps: a byte that says what, and what it needs. Answers are raw bytes, of which a byte
 * of hints has parts put right (whose exchange, a known kind, its own arena), so that many get far.
 */
#include <string.h>

#include "tests/fuzz/input.h"
#include "tests/unit/chain/engine/bench_internal.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
#define ALL                                                                                \
	(ENGINE_HOOK_REQUEST_HEAD | ENGINE_HOOK_RESPONSE_HEAD | ENGINE_HOOK_REQUEST_BODY | \
	 ENGINE_HOOK_RESPONSE_BODY | ENGINE_HOOK_DONE)
#define CLIENTS   3
#define STEPS_MAX 64
#define INPUTS    512 /* on one bench */
#define STEPS_IN  8   /* of the bench: until all that clients sent has come to the functions */
#define STEPS_OUT 3

enum hint {
	HINT_ASKED = 1 << 0,
	HINT_KIND = 1 << 1,
	HINT_ARENA = 1 << 2,
	HINT_TEXT = 1 << 3,
	HINT_PIECE = 1 << 4,
	HINT_STEP = 1 << 5, /* the worker looks at once */
};

static struct fake *liar;
static struct peer *client[CLIENTS];
static unsigned inputs;

/* What is missing is zero. */
static void next(struct input *in, void *out, size_t size)
{
	size_t n = size < in->left ? size : in->left;

	memset(out, 0, size);
	memcpy(out, in->at, n);
	in->at += n;
	in->left -= n;
}

/* --- the stage --------------------------------------------------------------------- */

static void stage_open(void)
{
	struct options options = {
		.path = 2, .no_functions_up = true, .max_exchanges = 16, .body_ms = 50};

	bench_open(&options);
	bench.serve = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
	fake_up_at(1, 0, ALL)->on = fake_pass;
}

static void clients_begin(void)
{
	for (unsigned i = 0; i < CLIENTS; i++)
		client[i] = client_open();
	say(client[0], GET("/"));
	say(client[1], "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nbody");
	say(client[2], "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody"
		       "\r\n");
}

static void bench_steps(unsigned n)
{
	while (n--)
		bench_step();
}

static bool nothing_is_held(void)
{
	struct engine_buffers_info info;

	engine_buffers(bench.engine, &info);
	return !info.exchanges && !info.heads && !info.pieces && !info.leases && !info.held_bytes;
}

/* It reads nothing by itself: its memory is the input's. */
static void liar_begin(void)
{
	liar = fake_up_at(0, 0, ALL);
	liar->stopped = true;
}

/* One whose connection we ended has none. */
static void client_end(struct peer *c)
{
	if (c->conn)
		peer_abort(c);
}

static void liar_end(void)
{
	fake_down(liar);
	bench_steps(STEPS_OUT);
	for (unsigned i = 0; i < CLIENTS; i++)
		client_end(client[i]);
	until(nothing_is_held());
	assert_int_equal(engine_arena_leases(bench.engine, liar->arena->id), 0);
	fake_free(bench.fakes[--bench.fakes_count]);
}

/* Another in its place, which is honest. */
static void next_is_served(void)
{
	struct fake *honest = fake_up_at(0, 0, ALL);
	struct peer *c = client_open();

	honest->on = fake_pass;
	say(c, GET("/honest"));
	head_has(hear_head(c), "HTTP/1.1 200 ");
	hear(c, "hello");
	client_end(c);
	until(nothing_is_held());
	bench_check_idle();
	fake_down(honest);
	fake_free(bench.fakes[--bench.fakes_count]);
}

/* --- steps ------------------------------------------------------------------------- */

/* A descriptor that it was sent; `nth` back from the last. */
static const struct sluice_down *asked(unsigned nth)
{
	uint32_t produced = liar->down_ctl->produced, entries = liar->down_ctl->entries;

	return produced ? &liar->down[(produced - 1 - nth % produced) & (entries - 1)] : NULL;
}

static void aim(struct sluice_up *up, uint8_t hints, const struct sluice_down *at)
{
	if (at && (hints & HINT_ASKED)) {
		up->exchange = at->exchange;
		up->generation = at->generation;
	}
	if (at && (hints & HINT_PIECE))
		up->piece = at->arg;
	if (hints & HINT_KIND) {
		up->kind = (uint8_t)(1 + up->kind % 3);
		up->verdict %= 6;
		up->slices %= 3;
		up->flags &= 3;
		up->status = (uint16_t)(200 + up->status % 400);
		up->group = SLUICE_NONE16;
	}
	if (!(hints & HINT_TEXT))
		up->text_len = 0;
	for (unsigned i = 0; (hints & HINT_ARENA) && i < SLUICE_UP_SLICES; i++) {
		up->slice[i].ref = sluice_ref(liar->arena->id, up->slice[i].ref & 0xffff);
		up->slice[i].len &= 0xffff;
	}
}

static void answer(struct input *in, uint8_t hints)
{
	const struct sluice_down *at = asked(next8(in));
	struct sluice_up up;

	next(in, &up, sizeof(up));
	aim(&up, hints, at);
	liar->up[liar->produced++ & (liar->down_ctl->up_entries - 1)] = up;
	__atomic_store_n(&liar->up_ctl->produced, liar->produced, __ATOMIC_RELEASE);
}

static void text(struct input *in)
{
	uint8_t bytes[64];
	uint32_t at = (uint32_t)next8(in) * 8;

	next(in, bytes, sizeof(bytes));
	memcpy(liar->up_text + at, bytes, sizeof(bytes));
}

static void index_write(struct input *in, uint32_t *index)
{
	int8_t by = (int8_t)next8(in);

	__atomic_store_n(index, *index + (uint32_t)by * (1u << next8(in) % 32), __ATOMIC_RELEASE);
}

static void step(struct input *in)
{
	uint8_t what = next8(in), hints = what >> 2;

	switch (what & 3) {
	case 0:
	case 1:
		answer(in, hints);
		break;
	case 2:
		text(in);
		break;
	default:
		if (hints & HINT_ASKED)
			index_write(in, &liar->up_ctl->produced);
		else if (hints & HINT_KIND)
			index_write(in, &liar->up_ctl->down_consumed);
		else
			__atomic_store_n(&liar->up_ctl->down_consumed, liar->down_ctl->produced,
					 __ATOMIC_RELEASE);
	}
	if (hints & HINT_STEP)
		bench_step();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	if (bench_start(NULL))
		return -1;
	stage_open();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};

	if (++inputs % INPUTS == 0) {
		bench_close();
		stage_open();
	}
	liar_begin();
	clients_begin();
	bench_steps(STEPS_IN);
	for (unsigned i = 0; i < STEPS_MAX && in.left; i++)
		step(&in);
	bench_steps(STEPS_OUT);
	liar_end();
	next_is_served();
	return 0;
}
