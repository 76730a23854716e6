/* SPDX-License-Identifier: BSD-3-Clause */
/* Lies: each is counted by its kind, is the last that is taken, and costs the liar everything. */
#include "tests/unit/chain/app/bench.h"

#include <string.h>
#include <unistd.h>

/* A connection that is its own: what the table does not say is taken from here. */
static struct sluice_app_down mine;

static void begin(const struct options *options)
{
	bench_open(options);
	say_listen(0, 7000);
	(void)hear(SLUICE_APP_LISTENING);
	(void)client_open(7000);
	mine = hear(SLUICE_APP_ACCEPTED);
}

static void check_ended(const uint64_t *counter)
{
	uint64_t rung, taken;

	until(app_verdict(bench.app));
	assert_int_equal(*counter, 1);
	assert_int_equal(counted(app_offences), 1);
	assert_int_equal(read(bench.alarm, &rung, sizeof(rung)), sizeof(rung));
	taken = counted(app_descriptors_up);
	say_close(mine.conn, mine.generation, 0);
	bench_run_ms(1);
	assert_int_equal(counted(app_descriptors_up), taken);
	app_end();
	until(bench.clients->closed);
	bench_close();
}

#define ARENA_END BENCH_ARENA_BYTES
enum { OWN_ARENA, OWN_RX, NO_REGION };

static const struct {
	uint8_t kind, flags, count;
	int conn, generation; /* from ours */
	uint8_t region;
	uint64_t offset;
	uint32_t len;
	size_t counter;
} lies[] = {
#define AS(name) offsetof(struct apps_counters, app_offences_##name)
	{.kind = 0, .counter = AS(kind)},
	{.kind = 200, .counter = AS(kind)},
	{.kind = SLUICE_APP_LISTEN, .counter = AS(kind)},
	{.kind = SLUICE_APP_LISTEN, .conn = 1 << 20, .counter = AS(kind)},
	{.kind = SLUICE_APP_UNLISTEN, .conn = 64, .counter = AS(kind)},
	{.kind = SLUICE_APP_CONNECT, .counter = AS(kind)},
	{.kind = SLUICE_APP_CLOSE, .conn = 1, .counter = AS(conn)},
	{.kind = SLUICE_APP_CLOSE, .conn = -1, .counter = AS(conn)},
	{.kind = SLUICE_APP_CLOSE, .generation = 1, .counter = AS(conn)},
	{.kind = SLUICE_APP_SEND, .generation = -1, .count = 1, .len = 1, .counter = AS(conn)},
	{.kind = SLUICE_APP_SEND, .counter = AS(kind)},
	{.kind = SLUICE_APP_SEND, .count = 3, .len = 1, .counter = AS(kind)},
	{.kind = SLUICE_APP_SEND, .count = 255, .len = 1, .counter = AS(kind)},
	{.kind = SLUICE_APP_SEND, .count = 1, .len = 0, .counter = AS(slices)},
	{.kind = SLUICE_APP_SEND, .count = 1, .len = 1, .region = OWN_RX, .counter = AS(slices)},
	{.kind = SLUICE_APP_SEND, .count = 1, .len = 1, .region = NO_REGION, .counter = AS(slices)},
	{.kind = SLUICE_APP_SEND, .count = 1, .len = 1, .offset = ARENA_END, .counter = AS(slices)},
	{.kind = SLUICE_APP_SEND,
	 .count = 1,
	 .len = 2,
	 .offset = ARENA_END - 1,
	 .counter = AS(slices)},
	{.kind = SLUICE_APP_SEND,
	 .count = 1,
	 .len = UINT32_MAX,
	 .offset = (UINT64_C(1) << 48) - 1,
	 .counter = AS(slices)},
	{.kind = SLUICE_APP_SEND, .count = 1, .len = UINT32_MAX, .counter = AS(slices)},
	{.kind = SLUICE_APP_SEND, .count = 1, .len = (256 << 10) + 1, .counter = AS(flood)},
	{.kind = SLUICE_APP_FREE, .counter = AS(kind)},
	{.kind = SLUICE_APP_FREE, .count = 11, .counter = AS(kind)},
	{.kind = SLUICE_APP_FREE, .count = 1, .offset = 5, .counter = AS(free)},
#undef AS
};

static uint16_t region_of(uint8_t which)
{
	return which == OWN_ARENA ? bench.arena->id : which == OWN_RX ? bench.rx->id : 1023;
}

static void a_lie_is_the_last_word(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct sluice_app_up up = {
			.kind = lies[i].kind, .flags = lies[i].flags, .count = lies[i].count};

		begin(NULL);
		up.conn = mine.conn + (uint32_t)lies[i].conn;
		up.generation = mine.generation + (uint32_t)lies[i].generation;
		up.slice[0] = (struct sluice_slice){
			sluice_ref(region_of(lies[i].region), lies[i].offset), lies[i].len, 0};
		if (lies[i].kind == SLUICE_APP_LISTEN || lies[i].kind == SLUICE_APP_CONNECT)
			memset(&up.peer, 0, sizeof(up.peer));
		say(up);
		check_ended((const uint64_t *)((const char *)apps_counters(bench.apps) +
					       lies[i].counter));
	}
}

static void giving_back_twice(void **state)
{
	struct sluice_app_down down;

	(void)state;
	begin(NULL);
	client_say(bench.clients, 10);
	down = hear(SLUICE_APP_DATA);
	say_free(&down);
	say_free(&down);
	check_ended(&counted(app_offences_free));
}

static void more_slices_than_leases(void **state)
{
	(void)state;
	begin(&(struct options){.leases = 4});
	bench.clients->deaf = true;
	for (unsigned i = 0; i < 6; i++) /* more than the first window takes */
		say_send(mine.conn, mine.generation, 0, 40000, i);
	check_ended(&counted(app_offences_flood));
}

static void a_ring_that_runs_away(void **state)
{
	(void)state;
	begin(NULL);
	__atomic_store_n(&bench.side.up->produced, bench.produced + 65, __ATOMIC_RELEASE);
	check_ended(&counted(app_offences_ring));
}

static void one_that_takes_nothing(void **state)
{
	(void)state;
	begin(&(struct options){.hang_ms = 20});
	for (unsigned i = 0; i < 200 && !app_verdict(bench.app); i++) {
		client_say(bench.clients, 1000);
		bench_run_ms(1);
		for (unsigned n = 0; n < 2 && !app_verdict(bench.app); n++)
			say_listen(1, 7001); /* each is answered */
		say((struct sluice_app_up){.kind = SLUICE_APP_UNLISTEN, .conn = 1});
	}
	check_ended(&counted(app_offences_hang));
}

static uint32_t any(void)
{
	static uint32_t x = 2463534242u;

	x ^= x << 13;
	x ^= x >> 17;
	return x ^= x << 5;
}

/* Bytes that are nearly right: most fields are small, or ours. */
static struct sluice_app_up nonsense(void)
{
	struct sluice_app_up up;
	uint32_t *word = (uint32_t *)&up;

	for (unsigned i = 0; i < sizeof(up) / sizeof(*word); i++)
		word[i] = any() % 4 ? any() % 64 : any();
	up.kind = (uint8_t)(any() % 8);
	up.count = (uint8_t)(any() % 4);
	if (any() % 4) {
		up.conn = mine.conn;
		up.generation = mine.generation;
	}
	if (any() % 4 && up.kind == SLUICE_APP_SEND)
		up.slice[0] = up.slice[1] = (struct sluice_slice){
			sluice_ref(bench.arena->id, any() % 4096), 100, any()};
	return up;
}

static void nonsense_is_survived(void **state)
{
	struct sluice_app_down down;

	(void)state;
	begin(NULL);
	for (unsigned i = 0; i < 20000; i++) {
		say(nonsense());
		if (i % 4 == 0)
			bench_step();
		while (hears(&down))
			if (down.kind == SLUICE_APP_ACCEPTED)
				mine = down;
		if (!app_verdict(bench.app))
			continue;
		app_end();
		app_begin();
		say_listen(0, 7000);
		(void)client_open(7000);
		(void)hear(SLUICE_APP_LISTENING);
		mine = hear(SLUICE_APP_ACCEPTED);
	}
	assert_true(counted(app_offences) > 1000);
	bench_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lie_is_the_last_word),  cmocka_unit_test(giving_back_twice),
		cmocka_unit_test(more_slices_than_leases), cmocka_unit_test(a_ring_that_runs_away),
		cmocka_unit_test(one_that_takes_nothing),  cmocka_unit_test(nonsense_is_survived),
	};

	return cmocka_run_group_tests(tests, bench_start, NULL);
}
