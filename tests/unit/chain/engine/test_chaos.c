/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Everything at once, drawn by lot: requests with and without bodies, clients and origins
 * that go away in the midst, functions that pass, answer, replace, hold and die, reloads. Whatever
 * was begun must end, and every buffer must be back; the seed is printed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/chain/engine/bench_internal.h"

#define CLIENTS 24
#define ALL                                                                        \
	(ENGINE_HOOK_REQUEST_HEAD | ENGINE_HOOK_RESPONSE_HEAD | ENGINE_HOOK_DONE | \
	 ENGINE_HOOK_REQUEST_BODY | ENGINE_HOOK_RESPONSE_BODY)

static uint64_t seed;

static unsigned lot(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed % n);
}

/* --- functions ------------------------------------------------------------------- */

#define HELD_MAX 64

static struct {
	struct fake *fake;
	struct sluice_down down;
} held[HELD_MAX];
static unsigned held_count;
static uint32_t tag;

static void answer(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_RESPOND);

	up.status = 200;
	up.respond.body_bytes = lot(2) ? 30000 : SLUICE_LENGTH_UNKNOWN;
	up.slices = 1;
	up.respond.slice = fake_slice(fake, lot(1 << 20), NULL, 20000, ++tag);
	fake_say(fake, &up);
	up = fake_answer(down, SLUICE_PASS);
	up.kind = SLUICE_UP_EMIT;
	up.flags = SLUICE_UP_END;
	up.slices = 1;
	up.slice[0] = fake_slice(fake, lot(1 << 20), NULL, 10000, ++tag);
	fake_say(fake, &up);
}

static void head(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, lot(8) ? SLUICE_PASS : SLUICE_LEAVE);

	if (lot(20) == 0)
		up.verdict = SLUICE_RESET;
	if (lot(10) == 0 && held_count < HELD_MAX) {
		held[held_count].fake = fake;
		held[held_count++].down = *down;
		return;
	}
	if (lot(8) == 0 && down->kind == SLUICE_DOWN_REQUEST_HEAD)
		answer(fake, down);
	else
		fake_say(fake, &up);
}

static void piece(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_PASS);

	if (lot(10) == 0) {
		up.verdict = SLUICE_REPLACE;
		up.slices = 1;
		up.slice[0] = fake_slice(fake, lot(1 << 20), NULL, 1 + lot(20000), ++tag);
	}
	fake_say(fake, &up);
}

static void play(struct fake *fake, const struct sluice_down *down)
{
	if (down->kind == SLUICE_DOWN_REQUEST_HEAD || down->kind == SLUICE_DOWN_RESPONSE_HEAD)
		head(fake, down);
	else if (down->kind == SLUICE_DOWN_REQUEST_BODY || down->kind == SLUICE_DOWN_RESPONSE_BODY)
		piece(fake, down);
}

static void held_forget(const struct fake *fake)
{
	for (unsigned i = 0; i < held_count;)
		if (held[i].fake == fake)
			held[i] = held[--held_count];
		else
			i++;
}

static void resume(void)
{
	struct sluice_up up;
	unsigned i;

	if (!held_count)
		return;
	i = lot(held_count);
	up = fake_answer(&held[i].down, SLUICE_PASS);
	if (!held[i].fake->stopped && !held[i].fake->dead)
		fake_say(held[i].fake, &up);
	held[i] = held[--held_count];
}

static void one_dies(void)
{
	unsigned i = lot(bench.fakes_count);
	struct fake *fake = bench.fakes[i];

	fake_down(fake);
	held_forget(fake);
	if (engine_arena_leases(bench.engine, fake->arena->id) == 0) {
		bench.fakes[i] = bench.fakes[--bench.fakes_count];
		fake_up(fake->function, ALL)->on = play;
		fake_free(fake);
	} else if (bench.fakes_count < 60) {
		fake_up(fake->function, ALL)->on = play;
	}
}

/* --- peers ------------------------------------------------------------------------ */

static void ask(struct peer *c)
{
	switch (lot(5)) {
	case 0:
		say(c, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n");
		say_pattern(c, 0, lot(6) ? 20000 : lot(20000));
		return;
	case 1:
		say(c, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\n");
		say_pattern(c, 0, 5000);
		say(c, lot(6) ? "\r\n0\r\n\r\n" : "\r\nbad\r\n");
		return;
	case 2:
		say(c, "GET / HTTP/1.0\r\n\r\n");
		return;
	default:
		say(c, GET("/1") GET("/2"));
		return;
	}
}

static void reply(struct peer *o)
{
	switch (lot(6)) {
	case 0:
		say(o, OK(0));
		return;
	case 1:
		say(o, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2710\r\n");
		say_pattern(o, 0, 10000);
		say(o, "\r\n0\r\n\r\n");
		return;
	case 2:
		say(o, "HTTP/1.1 200 OK\r\n\r\n");
		say_pattern(o, 0, lot(100000));
		peer_shut(o);
		return;
	case 3:
		say(o, OK(100000));
		say_pattern(o, 0, lot(3) ? 100000 : 50000);
		return;
	case 4:
		say(o, lot(2) ? "garbage\r\n\r\n" : "HTTP/1.1 100 Continue\r\n\r\n" OK(3) "abc");
		return;
	default:
		say(o, OK(50000));
		say_pattern(o, 0, 50000);
		return;
	}
}

static void origins(void)
{
	for (struct peer *p = bench.peers; p; p = p->next) {
		if (!p->accepted || !p->conn || !p->in_len || lot(4))
			continue;
		if (memmem(p->in, p->in_len, "\r\n\r\n", 4))
			reply(p);
		p->in_len = 0;
		if (lot(25) == 0)
			peer_abort(p);
	}
}

static void clients(struct peer **c)
{
	unsigned i = lot(CLIENTS);

	if (!c[i] || c[i]->closed || c[i]->ended || !c[i]->conn) {
		if (c[i] && c[i]->conn)
			peer_abort(c[i]);
		c[i] = client_open_at(80);
		return;
	}
	c[i]->in_len = 0;
	if (lot(3) == 0)
		ask(c[i]);
	if (lot(40) == 0)
		peer_abort(c[i]);
	else if (lot(40) == 0)
		peer_shut(c[i]);
	else
		peer_pause(c[i], lot(10) == 0);
}

static void peers_forget(struct peer **c)
{
	struct peer **link = &bench.peers, *p;

	while ((p = *link)) {
		bool used = p->conn;

		for (unsigned i = 0; i < CLIENTS; i++)
			used |= c[i] == p;
		if (used) {
			link = &p->next;
			continue;
		}
		*link = p->next;
		free(p->in);
		free(p->out);
		free(p);
	}
}

static void round_of(uint64_t number)
{
	struct options options = {
		.path = 2,
		.no_functions_up = true,
		.on_failure = {bench_policies[number % BENCH_POLICIES],
			       bench_policies[number / BENCH_POLICIES % BENCH_POLICIES]},
		.servers = 2,
		.max_exchanges = 16,
		.max_clients = 64,
		.link_entries = number % 2 ? 8 : 256,
		.body_ms = 300,
		.response_ms = 300,
		.max_fails = 5,
		.eject_ms = 50};
	struct peer *c[CLIENTS] = {NULL};

	seed = number * UINT64_C(0x9e3779b97f4a7c15) + 1;
	held_count = 0;
	bench_open(&options);
	fake_up(0, ALL)->on = play;
	fake_up(1, ALL)->on = play;
	for (unsigned step = 0; step < 3000; step++) {
		clients(c);
		origins();
		if (lot(3) == 0)
			resume();
		if (lot(100) == 0)
			one_dies();
		if (lot(400) == 0)
			bench_reload(1 + lot(2));
		if (step % 64 == 0)
			peers_forget(c);
		bench_step();
	}
	assert_int_equal(counted(offences) - counted(offences_holder) - counted(offences_piece), 0);
	assert_true(counted(requests) > 100 && counted(responses) > 50);
	for (unsigned i = 0; i < bench.fakes_count; i++)
		bench.fakes[i]->on = fake_pass;
	bench_close();
}

static void test_chaos(void **state)
{
	unsigned rounds = getenv("CHAOS_ROUNDS") ? (unsigned)atoi(getenv("CHAOS_ROUNDS")) : 12;
	unsigned first = getenv("CHAOS_FIRST") ? (unsigned)atoi(getenv("CHAOS_FIRST")) : 0;

	(void)state;
	for (unsigned i = first; i < first + rounds; i++) {
		print_message("round %u\n", i);
		round_of(i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chaos),
	};

	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
