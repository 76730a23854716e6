/* SPDX-License-Identifier: BSD-3-Clause */
/* What a function may do with the opening of a stream: early bytes, addresses, bytes ahead. */
#include <string.h>

#include "tests/unit/chain/engine/bench.h"

static struct fake *f(unsigned i)
{
	return bench.fakes[i];
}

/* What `wait_for` waits for: so many early bytes. */
static uint32_t wanted, taken;

static void open_path(unsigned path)
{
	struct options options = {.stream = true, .path = path, .head_ms = 500};

	wanted = taken = 0;
	bench_open(&options);
}

/* The first function is shown the client's data as well. */
static void data_path(unsigned path)
{
	struct options options = {.stream = true, .path = path, .no_functions_up = true};

	wanted = taken = 0;
	bench_open(&options);
	for (unsigned i = 0; i < path; i++)
		fake_up(i, ENGINE_HOOK_OPEN | (i ? 0 : ENGINE_HOOK_CLIENT_DATA));
}

static const char *early(const struct fake *fake)
{
	static char text[8192];
	const struct sluice_head *head = fake_head(fake, &fake->last[SLUICE_DOWN_OPEN]);

	memcpy(text, (const uint8_t *)head + head->text_off, head->text_used);
	text[head->text_used] = 0;
	return text;
}

static void wait_for(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_LEAVE);

	if (down->kind != SLUICE_DOWN_OPEN)
		return;
	if (fake_head(fake, down)->text_used < wanted)
		up.verdict = SLUICE_WAIT;
	else
		up.piece = taken;
	fake_say(fake, &up);
}

static void test_early_bytes_are_seen_and_go_on(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_path(1);
	f(0)->on = wait_for;
	wanted = 10;
	c = client_open();
	say(c, "01234");
	bench_run_ms(10);
	assert_int_equal(f(0)->opens, 2);
	assert_string_equal(early(f(0)), "01234");
	say(c, "56789");
	o = origin_accept(0);
	hear(o, "0123456789");
	assert_int_equal(f(0)->opens, 3);
	assert_int_equal(counted(payload_copied_bytes), 10);
	say(o, "ok");
	hear(c, "ok");
	bench_close();
}

static void test_early_bytes_are_taken_away(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_path(1);
	f(0)->on = wait_for;
	wanted = 8;
	taken = 7;
	c = client_open();
	for (unsigned i = 0; i < 8; i++) {
		say(c, "x");
		bench_run_ms(2);
	}
	say(c, "yz");
	o = origin_accept(0);
	hear(o, "xyz");
	bench_close();
}

static void test_the_next_function_sees_what_is_left(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_path(2);
	f(0)->on = wait_for;
	f(1)->on = fake_hold;
	wanted = 6;
	taken = 4;
	c = client_open();
	say(c, "aaaabbbbcc");
	until(f(1)->opens == 1);
	assert_string_equal(early(f(1)), "bbbbcc");
	wait_for(f(1), &f(1)->last[SLUICE_DOWN_OPEN]);
	o = origin_accept(0);
	hear(o, "cc");
	bench_close();
}

static void wait_and_pass(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_PASS);

	if (down->kind == SLUICE_DOWN_OPEN && fake_head(fake, down)->text_used < wanted)
		up.verdict = SLUICE_WAIT;
	if (down->kind == SLUICE_DOWN_OPEN)
		fake_say(fake, &up);
}

/* Once a function is shown the stream's data, those after it see of the early bytes only what it
 * has let go, and cannot take what it has not. */
static void test_early_bytes_that_another_one_holds(void **state)
{
	struct peer *c, *o;

	(void)state;
	data_path(2);
	f(0)->on = wait_and_pass;
	f(1)->on = fake_hold;
	wanted = 5;
	c = client_open();
	say(c, "early");
	until(f(1)->opens == 1);
	assert_string_equal(early(f(1)), "");
	until(f(0)->pieces[0] == 1);
	fake_pass(f(0), &f(0)->last[SLUICE_DOWN_CLIENT_DATA]);
	bench_run_ms(5);
	wanted = 5;
	wait_for(f(1), &f(1)->last[SLUICE_DOWN_OPEN]);
	until(f(1)->opens == 2);
	assert_string_equal(early(f(1)), "early");
	taken = 4;
	wait_for(f(1), &f(1)->last[SLUICE_DOWN_OPEN]);
	o = origin_accept(0);
	hear(o, "y");
	bench_close();
}

static void test_a_client_that_never_says_it(void **state)
{
	struct peer *c;

	(void)state;
	open_path(1);
	f(0)->on = wait_for;
	wanted = 100;
	c = client_open();
	for (unsigned i = 0; i < 20 && !c->closed; i++) {
		say(c, "x");
		bench_run_ms(40);
	}
	hear_reset(c); /* trickling does not help */
	assert_int_equal(counted(timeouts_head), 1);
	bench_close();
}

static void test_a_client_that_ends_too_early(void **state)
{
	struct peer *c;

	(void)state;
	open_path(1);
	f(0)->on = wait_for;
	wanted = 100;
	c = client_open();
	say(c, "abc");
	peer_shut(c);
	hear_reset(c);
	assert_true(f(0)->last[SLUICE_DOWN_OPEN].flags & SLUICE_DOWN_END);
	assert_int_equal(counted(streams_early_full), 1);
	bench_close();
}

static void test_early_bytes_have_a_bound(void **state)
{
	struct peer *c;

	(void)state;
	open_path(1);
	f(0)->on = wait_for;
	wanted = 1 << 20;
	c = client_open();
	say_pattern(c, 1, 1 << 20);
	hear_reset(c);
	assert_int_equal(counted(streams_early_full), 1);
	bench_close();
}

/* --- bytes ahead ------------------------------------------------------------------ */

static void send_ahead(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_LEAVE);

	if (down->kind != SLUICE_DOWN_OPEN)
		return;
	up.respond.slice = fake_slice(fake, 128, fake == f(0) ? "one " : "two ", 4, 5);
	up.slices = 1;
	fake_say(fake, &up);
}

/* The later function stands nearer to the server: its bytes are the first. */
static void test_bytes_go_ahead(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_path(2);
	f(0)->on = f(1)->on = send_ahead;
	c = client_open();
	o = origin_accept(0);
	hear(o, "two one ");
	say(c, "three");
	hear(o, "three");
	until(fake_was_released(f(0), 5) && fake_was_released(f(1), 5));
	bench_close();
}

static void test_bytes_go_ahead_of_early_ones(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_path(2);
	f(0)->on = wait_for;
	f(1)->on = send_ahead;
	wanted = 5;
	taken = 2;
	c = client_open();
	say(c, "early");
	o = origin_accept(0);
	hear(o, "two rly");
	bench_close();
}

static void send_ahead_and_watch(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_PASS);

	if (down->kind == SLUICE_DOWN_OPEN) {
		up.respond.slice = fake_slice(fake, 128, "one ", 4, 5);
		up.slices = 1;
	}
	if (fake_is_asked(down))
		fake_say(fake, &up);
}

/* What it sends ahead is no word of the client's. */
static void test_it_does_not_see_its_own_bytes(void **state)
{
	struct peer *c, *o;

	(void)state;
	data_path(1);
	f(0)->on = send_ahead_and_watch;
	c = client_open();
	o = origin_accept(0);
	say(c, "two");
	hear(o, "one two");
	assert_int_equal(f(0)->body_len[0], 3);
	assert_memory_equal(f(0)->body[0], "two", 3);
	bench_close();
}

/* --- addresses -------------------------------------------------------------------- */

static struct edits list;

static void add_peer(uint8_t op, uint8_t family)
{
	struct sluice_edit edit = {.op = op, .value_len = sizeof(struct sluice_peer)};
	struct sluice_peer peer = {.family = family, .port = 4242, .bytes = {192, 0, 2, 9}};
	uint8_t *at = list.bytes + list.len;

	memset(at, 0, 32);
	memcpy(at, &edit, sizeof(edit));
	memcpy(at + sizeof(edit), &peer, sizeof(peer));
	list.len += 32;
}

static void edit(struct fake *fake, const struct sluice_down *down)
{
	if (down->kind == SLUICE_DOWN_OPEN)
		fake_say_text(fake, fake_answer(down, SLUICE_PASS), list.bytes, list.len);
}

static void test_other_addresses_for_those_after(void **state)
{
	const struct sluice_head *head;
	struct peer *c;

	(void)state;
	open_path(2);
	list.len = 0;
	add_peer(SLUICE_EDIT_CLIENT, 4);
	f(0)->on = edit;
	f(1)->on = fake_hold;
	c = client_open();
	until(f(1)->opens == 1);
	head = fake_head(f(1), &f(1)->last[SLUICE_DOWN_OPEN]);
	assert_int_equal(head->client.port, 4242);
	assert_int_equal(head->client.bytes[3], 9);
	assert_int_equal(head->local.port, 80);
	fake_pass(f(1), &f(1)->last[SLUICE_DOWN_OPEN]);
	say(c, "x");
	hear(origin_accept(0), "x");
	bench_close();
}

/* --- lies ------------------------------------------------------------------------- */

static void lie(void (*answer)(struct fake *, const struct sluice_down *))
{
	struct peer *c;

	open_path(1);
	f(0)->on = answer;
	c = client_open();
	hear_reset(c);
	assert_int_equal(counted(offences), 1);
	bench_close();
}

static void take_unshown(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_PASS);

	up.piece = 1;
	if (fake_is_asked(down))
		fake_say(fake, &up);
}

static void respond(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_RESPOND);

	up.status = 200;
	if (fake_is_asked(down))
		fake_say(fake, &up);
}

static void wait_with_slice(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_WAIT);

	up.respond.slice = fake_slice(fake, 0, "x", 1, 1);
	up.slices = 1;
	if (fake_is_asked(down))
		fake_say(fake, &up);
}

static void foreign_slice(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_PASS);

	up.respond.slice = (struct sluice_slice){.ref = sluice_ref(bench.rx->id, 0), .len = 4};
	up.slices = 1;
	if (fake_is_asked(down))
		fake_say(fake, &up);
}

static void test_lies(void **state)
{
	(void)state;
	lie(take_unshown);
	lie(respond);
	lie(wait_with_slice);
	lie(foreign_slice);
	list.len = 0;
	add_peer(SLUICE_EDIT_CLIENT, 5);
	lie(edit);
	list.len = 0;
	add_peer(SLUICE_EDIT_SET, 4);
	lie(edit);
	list.len = 24;
	lie(edit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_early_bytes_are_seen_and_go_on),
		cmocka_unit_test(test_early_bytes_are_taken_away),
		cmocka_unit_test(test_the_next_function_sees_what_is_left),
		cmocka_unit_test(test_early_bytes_that_another_one_holds),
		cmocka_unit_test(test_a_client_that_never_says_it),
		cmocka_unit_test(test_a_client_that_ends_too_early),
		cmocka_unit_test(test_early_bytes_have_a_bound),
		cmocka_unit_test(test_bytes_go_ahead),
		cmocka_unit_test(test_bytes_go_ahead_of_early_ones),
		cmocka_unit_test(test_it_does_not_see_its_own_bytes),
		cmocka_unit_test(test_other_addresses_for_those_after),
		cmocka_unit_test(test_lies),
	};

	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
