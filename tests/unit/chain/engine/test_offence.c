/* SPDX-License-Identifier: BSD-3-Clause */
/* Every lie: what it costs the liar, and that it costs nobody else. */
#include <string.h>

#include "tests/unit/chain/engine/bench.h"

#define HEADS (ENGINE_HOOK_REQUEST_HEAD | ENGINE_HOOK_RESPONSE_HEAD | ENGINE_HOOK_DONE)
#define ALL   (HEADS | ENGINE_HOOK_REQUEST_BODY | ENGINE_HOOK_RESPONSE_BODY)

static struct fake *f(unsigned i)
{
	return bench.fakes[i];
}

static struct peer *victim; /* a client whose exchange the second function holds meanwhile */
static struct sluice_down asked[2];
static unsigned asked_count;

static void ask(struct fake *fake, const struct sluice_down *down)
{
	(void)fake;
	if (down->kind <= SLUICE_DOWN_RESPONSE_BODY && asked_count < 2)
		asked[asked_count++] = *down;
}

/*
 * Two functions, "one" the liar. asked[0]: an exchange whose request head it holds;
 * asked[1]: one that the honest function holds.
 */
static struct peer *stage_set(void)
{
	struct options options = {.path = 2, .no_functions_up = true};
	struct peer *c;

	bench_open(&options);
	fake_up(0, ALL);
	fake_up(1, ALL);
	asked_count = 0;
	f(1)->on = ask;
	victim = client_open();
	say(victim, GET("/victim"));
	until(asked_count == 1);
	asked[1] = asked[0];
	asked_count = 0;
	f(0)->on = ask;
	c = client_open();
	say(c, GET("/"));
	until(asked_count == 1);
	return c;
}

/* The honest one's exchange is as it was, and so is the next of the liar. */
static void stage_end(void)
{
	struct sluice_up up = fake_answer(&asked[1], SLUICE_PASS);
	struct peer *c, *o;

	f(0)->on = f(1)->on = fake_pass;
	fake_say(f(1), &up);
	o = origin_accept(0);
	hear(o, GET("/victim"));
	say(o, OK(2) "hi");
	hear_head(victim);
	hear(victim, "hi");
	c = client_open();
	say(c, GET("/honest"));
	hear(o, GET("/honest"));
	say(o, OK(0));
	hear_head(c);
	bench_run_ms(10);
	bench_check_idle();
	bench_close();
}

/* A lie about the exchange that it holds: 502, and the count of its kind. */
#define costs(c, kind)                                         \
	do {                                                   \
		head_has(hear_head(c), "HTTP/1.1 502 ");       \
		assert_int_equal(counted(offences), 1);        \
		assert_int_equal(counted(offences_##kind), 1); \
	} while (0)

/* A lie about what it does not hold: it is counted, and nothing else happens. */
#define only_counts(c, kind)                                         \
	do {                                                         \
		hear_nothing(c, 20);                                 \
		assert_int_equal(counted(offences), 1);              \
		assert_int_equal(counted(offences_##kind), 1);       \
		assert_int_equal(engine_exchanges(bench.engine), 2); \
		peer_abort(c);                                       \
		bench_run_ms(10);                                    \
	} while (0)

static void test_verdicts(void **state)
{
	static const enum sluice_verdict verdicts[] = {SLUICE_HOLD, SLUICE_REPLACE, 77};
	struct sluice_up up;
	struct peer *c;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		c = stage_set();
		up = fake_answer(&asked[0], verdicts[i]);
		fake_say(f(0), &up);
		costs(c, verdict);
		stage_end();
	}
}

static void test_respond(void **state)
{
	static const uint16_t statuses[] = {0, 100, 101, 199, 600, 65535};
	struct sluice_up up;
	struct peer *c;

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		c = stage_set();
		up = fake_answer(&asked[0], SLUICE_RESPOND);
		up.status = statuses[i];
		fake_say(f(0), &up);
		costs(c, verdict);
		stage_end();
	}
	c = stage_set();
	up = fake_answer(&asked[0], SLUICE_RESPOND);
	up.status = 200;
	up.respond.body_bytes = (uint64_t)INT64_MAX + 1;
	fake_say(f(0), &up);
	costs(c, verdict);
	stage_end();
}

static void test_kind_and_flags(void **state)
{
	struct sluice_up up;
	struct peer *c = stage_set();

	(void)state;
	up = fake_answer(&asked[0], SLUICE_PASS);
	up.kind = 9;
	fake_say(f(0), &up);
	costs(c, kind);
	stage_end();
	c = stage_set();
	up = fake_answer(&asked[0], SLUICE_PASS);
	up.flags = SLUICE_UP_MORE;
	fake_say(f(0), &up);
	costs(c, verdict);
	stage_end();
}

static void test_exchange_numbers(void **state)
{
	struct sluice_up up;
	struct peer *c = stage_set();

	(void)state;
	up = fake_answer(&asked[0], SLUICE_PASS);
	up.exchange = 1u << 31;
	fake_say(f(0), &up);
	only_counts(c, exchange);
	stage_end();
	c = stage_set();
	up = fake_answer(&asked[0], SLUICE_PASS);
	up.generation += 5;
	fake_say(f(0), &up);
	only_counts(c, generation);
	stage_end();
	c = stage_set();
	up = fake_answer(&asked[0], SLUICE_PASS);
	up.exchange = 60; /* never used */
	up.generation = 0;
	fake_say(f(0), &up);
	hear_nothing(c, 20);
	assert_int_equal(counted(answers_late), 1);
	peer_abort(c);
	stage_end();
}

/* So many at once that each is looked at before its turn. */
static void test_exchanges_never_used(void **state)
{
	struct sluice_up up;
	struct peer *c = stage_set();

	(void)state;
	up = fake_answer(&asked[0], SLUICE_PASS);
	up.generation = 0;
	for (up.exchange = 40; up.exchange < 60; up.exchange++)
		fake_say(f(0), &up);
	hear_nothing(c, 20);
	assert_int_equal(counted(answers_late), 20);
	peer_abort(c);
	stage_end();
}

/* The exchange of another. */
static void test_not_the_holder(void **state)
{
	struct sluice_up up;
	struct peer *c = stage_set();

	(void)state;
	up = fake_answer(&asked[1], SLUICE_RESET);
	fake_say(f(0), &up);
	only_counts(c, holder);
	stage_end();
	c = stage_set();
	up = fake_answer(&asked[1], SLUICE_PASS);
	up.kind = SLUICE_UP_PIECE;
	fake_say(f(0), &up);
	only_counts(c, piece);
	stage_end();
	c = stage_set();
	up = fake_answer(&asked[1], SLUICE_PASS);
	up.kind = SLUICE_UP_EMIT;
	fake_say(f(0), &up);
	only_counts(c, holder);
	stage_end();
}

/* Twice the same answer: the second one is to an exchange that it does not hold any more. */
static void test_answers_twice(void **state)
{
	struct sluice_up up;
	struct peer *c = stage_set(), *o;

	(void)state;
	up = fake_answer(&asked[0], SLUICE_PASS);
	f(1)->on = fake_pass;
	fake_say(f(0), &up);
	fake_say(f(0), &up);
	o = origin_accept(0);
	hear_head(o);
	assert_int_equal(counted(offences_holder), 1);
	f(0)->on = fake_pass;
	say(o, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
	hear_head(c);
	bench_run_ms(5);
	fake_say(f(0), &up); /* and once more, when it is over */
	bench_run_ms(5);
	assert_int_equal(counted(answers_late), 1);
	stage_end();
}

static void lie_in_text(uint32_t off, uint32_t len)
{
	struct sluice_up up;
	struct peer *c = stage_set();

	up = fake_answer(&asked[0], SLUICE_PASS);
	up.text_off = off;
	up.text_len = len;
	fake_say(f(0), &up);
	costs(c, text);
	stage_end();
}

static void test_text(void **state)
{
	(void)state;
	lie_in_text(65536, 8);
	lie_in_text(65528, 16);
	lie_in_text(0, SLUICE_EDITS_MAX_BYTES + 8);
	lie_in_text(UINT32_MAX - 7, 16);
	lie_in_text(0, UINT32_MAX);
	lie_in_text(4, 8);
}

static void lie_in_edits(enum sluice_edit_op op, const char *name, const char *value)
{
	struct edits edits = {.len = 0};
	struct peer *c = stage_set();

	edit_add(&edits, op, name, value);
	fake_say_text(f(0), fake_answer(&asked[0], SLUICE_PASS), edits.bytes, edits.len);
	costs(c, edits);
	stage_end();
}

static void test_edits(void **state)
{
	(void)state;
	lie_in_edits(SLUICE_EDIT_SET, "Content-Length", "5");
	lie_in_edits(SLUICE_EDIT_ADD, "Transfer-Encoding", "chunked");
	lie_in_edits(SLUICE_EDIT_ADD, "X", "a\r\nY: b");
	lie_in_edits(SLUICE_EDIT_ADD, "X Y", "a");
	lie_in_edits(SLUICE_EDIT_STATUS, "", "200");
	lie_in_edits(SLUICE_EDIT_TARGET, "", "no target");
	lie_in_edits(99, "X", "y");
}

static void test_choices(void **state)
{
	struct sluice_up up;
	struct peer *c = stage_set();

	(void)state;
	up = fake_answer(&asked[0], SLUICE_PASS);
	up.group = 500;
	fake_say(f(0), &up);
	costs(c, choice);
	stage_end();
}

/* --- slices ---------------------------------------------------------------------- */

static void lie_in_respond(uint64_t ref, uint32_t len)
{
	struct sluice_up up;
	struct peer *c = stage_set();

	if (sluice_ref_region(ref) == 0xffff)
		ref = sluice_ref(f(0)->arena->id, sluice_ref_offset(ref));
	up = fake_answer(&asked[0], SLUICE_RESPOND);
	up.status = 200;
	up.flags = SLUICE_UP_END;
	up.slices = 1;
	up.respond.body_bytes = len;
	up.respond.slice = (struct sluice_slice){ref, len, 7};
	fake_say(f(0), &up);
	costs(c, verdict);
	assert_int_equal(f(0)->releases, 0);
	stage_end();
}

#define MINE(offset) sluice_ref(0xffff, (offset)) /* in the liar's arena */

static void test_slices(void **state)
{
	(void)state;
	lie_in_respond(MINE(0), 0);
	lie_in_respond(MINE(0), (8u << 20) + 1);
	lie_in_respond(MINE(8u << 20), 1);
	lie_in_respond(MINE((8u << 20) - 1), 2);
	lie_in_respond(MINE((UINT64_C(1) << 48) - 1), UINT32_MAX);
	lie_in_respond(MINE((UINT64_C(1) << 48) - 16), 32);
	lie_in_respond(sluice_ref(REGIONS_MAX - 1, 0), 16);
	lie_in_respond(sluice_ref(40000, 0), 16);
}

/* RX payload, messages and another's arena are not its to send. */
static void test_slices_of_others(void **state)
{
	struct region *regions[3];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct sluice_up up;
		struct peer *c = stage_set();

		regions[0] = bench.rx;
		regions[1] = bench.messages;
		regions[2] = f(1)->arena;
		up = fake_answer(&asked[0], SLUICE_RESPOND);
		up.status = 200;
		up.slices = 1;
		up.flags = SLUICE_UP_END;
		up.respond.body_bytes = 16;
		up.respond.slice = (struct sluice_slice){sluice_ref(regions[i]->id, 0), 16, 7};
		fake_say(f(0), &up);
		costs(c, verdict);
		stage_end();
	}
}

static void test_too_many_slices(void **state)
{
	struct sluice_up up;
	struct peer *c = stage_set();

	(void)state;
	up = fake_answer(&asked[0], SLUICE_RESPOND);
	up.status = 200;
	up.slices = 200;
	fake_say(f(0), &up);
	costs(c, verdict);
	stage_end();
}

static struct peer *responding(void)
{
	struct sluice_up up;
	struct peer *c = stage_set();

	up = fake_answer(&asked[0], SLUICE_RESPOND);
	up.status = 200;
	up.respond.body_bytes = SLUICE_LENGTH_UNKNOWN;
	fake_say(f(0), &up);
	hear_head(c);
	return c;
}

static struct sluice_up part(uint64_t at, uint32_t len)
{
	struct sluice_up up = fake_answer(&asked[0], SLUICE_PASS);

	up.kind = SLUICE_UP_EMIT;
	up.slices = 1;
	up.slice[0] = fake_slice(f(0), at, NULL, len, 1);
	return up;
}

static void broken_off(struct peer *c)
{
	hear_cut(c);
	assert_int_equal(counted(offences), 1);
	stage_end();
}

static void test_emits(void **state)
{
	struct sluice_up up;
	struct peer *c = responding();

	(void)state;
	up = part(8u << 20, 1);
	fake_say(f(0), &up);
	broken_off(c);
	c = responding();
	up = part(0, 1);
	up.slices = 3;
	fake_say(f(0), &up);
	broken_off(c);
	c = responding();
	up = part(0, 1);
	up.flags = SLUICE_UP_MORE;
	fake_say(f(0), &up);
	broken_off(c);
	c = responding();
	up = part(0, 1);
	up.flags = SLUICE_UP_END;
	fake_say(f(0), &up);
	hear(c, "1\r\n");
	fake_say(f(0), &up); /* after its end: too late, or a lie, but nothing breaks */
	bench_run_ms(10);
	assert_int_equal(f(0)->releases, 2);
	stage_end();
}

static void test_emit_flood(void **state)
{
	struct sluice_up up;
	struct peer *c = responding();

	(void)state;
	peer_pause(c, true);
	up = part(0, 1000);
	while (!counted(offences)) {
		for (unsigned i = 0; i < 100; i++)
			fake_say(f(0), &up);
		bench_step();
	}
	assert_int_equal(counted(offences_flood), 1);
	peer_pause(c, false);
	hear_cut(c);
	bench_run_ms(50);
	stage_end();
}

/* --- pieces ---------------------------------------------------------------------- */

static struct peer *shown(void)
{
	struct sluice_up up;
	struct peer *c, *o;

	c = stage_set();
	up = fake_answer(&asked[0], SLUICE_PASS);
	f(1)->on = fake_pass;
	fake_say(f(0), &up);
	o = origin_accept(0);
	hear_head(o);
	f(0)->on = fake_pass;
	say(o, OK(6) "abc");
	hear_head(c);
	hear(c, "abc");
	asked_count = 0;
	f(0)->on = ask;
	say(o, "def");
	until(asked_count == 1);
	return c;
}

static void piece_costs(struct peer *c)
{
	struct sluice_up up;
	struct peer *o;

	hear_cut(c);
	assert_int_equal(counted(offences), 1);
	up = fake_answer(&asked[1], SLUICE_PASS);
	f(0)->on = f(1)->on = fake_pass;
	fake_say(f(1), &up);
	o = origin_accept(0);
	hear(o, GET("/victim"));
	say(o, OK(0));
	hear_head(victim);
	bench_run_ms(20);
	bench_check_idle();
	bench_close();
}

static void test_pieces(void **state)
{
	struct sluice_up up;
	struct peer *c;

	(void)state;
	c = shown();
	up = fake_answer(&asked[0], SLUICE_PASS);
	up.piece++;
	fake_say(f(0), &up);
	piece_costs(c);
	c = shown();
	up = fake_answer(&asked[0], SLUICE_RESPOND);
	fake_say(f(0), &up);
	piece_costs(c);
	c = shown();
	up = fake_answer(&asked[0], SLUICE_PASS);
	up.slices = 1;
	fake_say(f(0), &up);
	piece_costs(c);
	c = shown();
	up = fake_answer(&asked[0], SLUICE_REPLACE);
	up.slices = 1;
	up.slice[0] = asked[0].slice[0]; /* the RX payload that it was shown */
	fake_say(f(0), &up);
	piece_costs(c);
	c = shown();
	up = fake_answer(&asked[0], SLUICE_REPLACE);
	up.slices = 1;
	up.slice[0] = fake_slice(f(0), 0, NULL, 2u << 20, 1);
	fake_say(f(0), &up);
	piece_costs(c);
	c = shown();
	up = fake_answer(&asked[0], SLUICE_REPLACE);
	up.flags = SLUICE_UP_MORE;
	fake_say(f(0), &up);
	up = fake_answer(&asked[0], SLUICE_PASS); /* a part was replaced already */
	fake_say(f(0), &up);
	piece_costs(c);
}

/* --- rings ----------------------------------------------------------------------- */

static bool seen_broken;

static void see_broken(void *ctx, const struct engine_instance_info *info)
{
	(void)ctx;
	seen_broken |= info->broken;
}

static void test_ring(void **state)
{
	struct peer *c = stage_set();

	(void)state;
	f(0)->up_ctl->produced += 1000;
	head_has(hear_head(c), "HTTP/1.1 503 ");
	assert_int_equal(counted(offences_ring), 1);
	engine_instances_each(bench.engine, see_broken, NULL);
	assert_true(seen_broken);
	fake_down(f(0));
	f(0)->on = fake_pass;
	fake_up(0, ALL);
	stage_end();
}

/* What it does not read is not written over, and nobody waits for it. */
static void test_reads_nothing(void **state)
{
	struct sluice_up up;
	struct peer *c[12], *last = stage_set();

	(void)state;
	f(0)->stopped = true;
	for (unsigned i = 0; i < 12; i++) {
		c[i] = client_open();
		say(c[i], GET("/"));
	}
	bench_run_ms(50);
	up = fake_answer(&asked[0], SLUICE_RESET);
	fake_say(f(0), &up);
	head_has(hear_head(last), "HTTP/1.1 502 ");
	for (unsigned i = 0; i < 12; i++)
		peer_abort(c[i]);
	bench_run_ms(20);
	assert_int_equal(engine_exchanges(bench.engine), 13);
	fake_down(f(0));
	bench_run_ms(5);
	assert_int_equal(engine_exchanges(bench.engine), 1);
	fake_up(0, ALL);
	stage_end();
}

/* Bytes from a bad random generator, in every field. */
static void test_noise(void **state)
{
	uint64_t seed = 88172645463325252ull;
	struct peer *c = stage_set();

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		struct sluice_up up;
		uint8_t *bytes = (uint8_t *)&up;

		for (unsigned i = 0; i < sizeof(up); i++) {
			seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
			bytes[i] = (uint8_t)seed;
		}
		if (round % 2) {
			up.exchange = asked[round / 2 % 2].exchange;
			up.generation = asked[round / 2 % 2].generation;
			up.kind = (uint8_t)(1 + up.kind % 3);
			up.verdict %= 7;
		}
		if (asked[1].exchange == up.exchange && asked[1].generation == up.generation)
			up.slices = 0;
		fake_say(f(0), &up);
		bench_step();
	}
	(void)c;
	assert_true(counted(offences) > 5000);
	stage_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_respond),
		cmocka_unit_test(test_kind_and_flags),
		cmocka_unit_test(test_exchange_numbers),
		cmocka_unit_test(test_exchanges_never_used),
		cmocka_unit_test(test_not_the_holder),
		cmocka_unit_test(test_answers_twice),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_edits),
		cmocka_unit_test(test_choices),
		cmocka_unit_test(test_slices),
		cmocka_unit_test(test_slices_of_others),
		cmocka_unit_test(test_too_many_slices),
		cmocka_unit_test(test_emits),
		cmocka_unit_test(test_emit_flood),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_reads_nothing),
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
