/* SPDX-License-Identifier: BSD-3-Clause */
/* Functions that change while they run: upgraded, taken back, scaled. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench.h"

#define NOOP  PLUGIN_DIR "/noop.so"
#define PROBE TEST_DIR "/probe.so"
#define BARE  TEST_DIR "/probe_bare.so"
#define ID    1
#define MS    20000 /* for what comes soon, also on a busy machine */

static int setup(void **state)
{
	*state = bench_create();
	return 0;
}

static int teardown(void **state)
{
	bench_destroy(*state);
	return 0;
}

static struct conf_function function_of(const char *plugin, unsigned instances)
{
	struct conf_function f = bench_function("it", plugin, NULL);

	f.instances = instances;
	return f;
}

static void start(struct bench *b, const struct conf_function *f)
{
	struct conf_errors errors = {0};

	if (bench_start(b, ID, f, &errors))
		fail_msg("%s", errors.count ? errors.text[0] : "it does not start");
}

static void upgrade(struct bench *b, const struct conf_function *to)
{
	assert_int_equal(supervisor_upgrade(b->supervisor, ID, to, to->instances, bench_us()), 0);
	assert_true(supervisor_changing(b->supervisor, ID));
}

static void scale(struct bench *b, const struct conf_function *f, unsigned n)
{
	assert_int_equal(supervisor_scale(b->supervisor, ID, f, n, bench_us()), 0);
}

static void wait_changes(struct bench *b, unsigned n)
{
	assert_true(bench_until(b, &b->changes, n, MS));
	assert_false(supervisor_changing(b->supervisor, ID));
}

/* All that is left of it are `n` that are up. */
static void wait_only_up(struct bench *b, unsigned n)
{
	for (unsigned turn = 0; turn < 500; turn++) {
		unsigned others = 0;

		for (enum instance_state s = INSTANCE_STARTING; s <= INSTANCE_FAILED; s++)
			others += s == INSTANCE_UP ? 0 : bench_count(b, ID, s);
		if (!others && bench_count(b, ID, INSTANCE_UP) == n)
			break;
		bench_run(b, 20);
	}
	assert_int_equal(bench_count(b, ID, INSTANCE_UP), n);
	assert_int_equal(bench_count(b, ID, INSTANCE_DRAINING), 0);
	assert_int_equal(b->arenas, n);
}

static pid_t pid_at(struct bench *b, unsigned index)
{
	const struct instance_info *info = bench_at(b, ID, index, INSTANCE_UP);

	assert_non_null(info);
	return info->pid;
}

/* --- upgrades ----------------------------------------------------------------------- */

static void a_new_one_takes_the_place(void **state)
{
	struct conf_function old = function_of(NOOP, 1), new = function_of(PROBE, 1);
	struct bench *b = *state;
	pid_t before;

	start(b, &old);
	before = b->last.pid;
	b->bound = 1; /* the old one still has an exchange */
	upgrade(b, &new);
	assert_int_equal(pid_at(b, 0), before);
	assert_true(bench_until(b, &b->ups, 2, MS));
	assert_int_equal(b->retired, 1);
	assert_string_equal(bench_at(b, ID, 0, INSTANCE_UP)->plugin, "probe.so");
	assert_int_equal(bench_at(b, ID, 0, INSTANCE_DRAINING)->pid, before);
	wait_changes(b, 1);
	assert_string_equal(b->change_error, "");

	bench_run(b, 300);
	assert_int_equal(bench_at(b, ID, 0, INSTANCE_DRAINING)->pid, before);
	b->bound = 0;
	wait_only_up(b, 1);
	assert_int_equal(b->downs, 1);
	assert_int_equal(b->last.restarts, 1);
	assert_string_equal(bench_ask(b, ID, "/arena-used"), "0");
}

static void every_place_gets_a_new_one(void **state)
{
	struct conf_function f = function_of(NOOP, 3);
	struct bench *b = *state;
	pid_t before[3];

	start(b, &f);
	for (unsigned i = 0; i < 3; i++)
		before[i] = pid_at(b, i);
	upgrade(b, &f);
	assert_int_equal(supervisor_upgrade(b->supervisor, ID, &f, 3, bench_us()), -EBUSY);
	assert_int_equal(supervisor_scale(b->supervisor, ID, &f, 2, bench_us()), -EBUSY);
	wait_changes(b, 1);
	wait_only_up(b, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_not_equal(pid_at(b, i), before[i]);
}

static void assert_taken_back(struct bench *b, pid_t before, const char *why)
{
	wait_changes(b, 1);
	if (!strstr(b->change_error, why))
		fail_msg("\"%s\" does not say \"%s\"", b->change_error, why);
	wait_only_up(b, 1);
	assert_int_equal(pid_at(b, 0), before);
	assert_int_equal(b->taken_back, b->retired);
}

static void one_that_cannot_begin_changes_nothing(void **state)
{
	struct conf_function old = function_of(NOOP, 1), new = function_of(BARE, 1);
	struct bench *b = *state;

	start(b, &old);
	upgrade(b, &new);
	assert_taken_back(b, b->last.pid, "SLUICE_FUNCTION");
	assert_int_equal(b->retired, 0);
}

static void one_that_dies_early_is_undone(void **state)
{
	struct conf_function old = function_of(NOOP, 1), new = function_of(PROBE, 1);
	struct bench *b = *state;
	pid_t before;

	start(b, &old);
	before = b->last.pid;
	upgrade(b, &new);
	assert_true(bench_until(b, &b->ups, 2, MS));
	kill(b->last.pid, SIGKILL);
	assert_taken_back(b, before, "ended in its first second (killed by SIGKILL)");
	assert_int_equal(b->taken_back, 1);
	assert_int_equal(b->ups, 2); /* the new one is not started again */
}

static void one_that_hangs_early_is_undone(void **state)
{
	struct conf_function old = function_of(NOOP, 1), new = function_of(PROBE, 1);
	struct bench *b = *state;
	pid_t before;

	new.hang_ms = 1500; /* longer than the trial */
	start(b, &old);
	before = b->last.pid;
	upgrade(b, &new);
	assert_true(bench_until(b, &b->ups, 2, MS));
	kill(b->last.pid, SIGSTOP);
	bench_send(b, ID, 0, "/");
	assert_taken_back(b, before, "no turn of its loop for 1500 ms");
}

/* One of three is bad: the others go, too, and every old one comes back. */
static void all_places_go_back_together(void **state)
{
	struct conf_function old = function_of(NOOP, 3), new = function_of(PROBE, 3);
	struct bench *b = *state;
	pid_t before[3];

	start(b, &old);
	for (unsigned i = 0; i < 3; i++)
		before[i] = pid_at(b, i);
	upgrade(b, &new);
	assert_true(bench_until(b, &b->ups, 6, MS));
	kill(pid_at(b, 1), SIGKILL);
	wait_changes(b, 1);
	wait_only_up(b, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(pid_at(b, i), before[i]);
}

/* What was to be taken back is dead: it gets a process again. */
static void the_old_one_died_meanwhile(void **state)
{
	struct conf_function old = function_of(NOOP, 1), new = function_of(PROBE, 1);
	struct bench *b = *state;

	start(b, &old);
	upgrade(b, &new);
	assert_true(bench_until(b, &b->ups, 2, MS));
	kill(bench_at(b, ID, 0, INSTANCE_DRAINING)->pid, SIGKILL);
	assert_true(bench_until(b, &b->downs, 1, MS));
	kill(pid_at(b, 0), SIGKILL);
	wait_changes(b, 1);
	assert_true(bench_until(b, &b->ups, 3, MS));
	wait_only_up(b, 1);
	assert_string_equal(b->last.plugin, "noop.so");
}

/* A retired one that dies is gone; nobody starts it again. */
static void a_draining_one_dies(void **state)
{
	struct conf_function f = function_of(NOOP, 1);
	struct bench *b = *state;

	start(b, &f);
	b->bound = 1;
	upgrade(b, &f);
	wait_changes(b, 1);
	kill(bench_at(b, ID, 0, INSTANCE_DRAINING)->pid, SIGKILL);
	wait_only_up(b, 1);
	assert_int_equal(b->ups, 2);
}

static void stopped_in_the_middle(void **state)
{
	struct conf_function f = function_of(NOOP, 2);
	struct bench *b = *state;

	start(b, &f);
	upgrade(b, &f);
	supervisor_stop(b->supervisor, ID, bench_us());
	wait_changes(b, 1);
	assert_non_null(strstr(b->change_error, "removed"));
	wait_only_up(b, 0);
}

/* --- scaling ------------------------------------------------------------------------- */

static void places_come_and_go(void **state)
{
	struct conf_function f = function_of(NOOP, 1);
	struct bench *b = *state;
	pid_t first, second;

	start(b, &f);
	first = b->last.pid;
	scale(b, &f, 4);
	wait_changes(b, 1);
	assert_string_equal(b->change_error, "");
	wait_only_up(b, 4);
	assert_int_equal(pid_at(b, 0), first);
	second = pid_at(b, 1);

	scale(b, &f, 2);
	assert_int_equal(b->retired, 2);
	wait_changes(b, 2);
	wait_only_up(b, 2);
	assert_int_equal(pid_at(b, 0), first);
	assert_int_equal(pid_at(b, 1), second);
}

static void a_place_that_drains_is_taken_back(void **state)
{
	struct conf_function f = function_of(NOOP, 2);
	struct bench *b = *state;
	pid_t second;

	start(b, &f);
	second = pid_at(b, 1);
	b->bound = 1;
	scale(b, &f, 1);
	wait_changes(b, 1);
	assert_non_null(bench_at(b, ID, 1, INSTANCE_DRAINING));
	scale(b, &f, 2);
	assert_int_equal(pid_at(b, 1), second);
	assert_int_equal(b->taken_back, 1);
	wait_changes(b, 2);
	assert_int_equal(b->ups, 2);
}

static void a_new_place_that_dies_is_given_up(void **state)
{
	struct conf_function f = function_of(NOOP, 1);
	struct bench *b = *state;
	pid_t first;

	start(b, &f);
	first = b->last.pid;
	scale(b, &f, 2);
	assert_true(bench_until(b, &b->ups, 2, MS));
	kill(pid_at(b, 1), SIGKILL);
	wait_changes(b, 1);
	assert_non_null(strstr(b->change_error, "killed by SIGKILL"));
	wait_only_up(b, 1);
	assert_int_equal(pid_at(b, 0), first);
}

static void all_places_leave_and_come_back(void **state)
{
	struct conf_function f = function_of(NOOP, 2);
	struct bench *b = *state;

	start(b, &f);
	scale(b, &f, 0);
	wait_changes(b, 1);
	wait_only_up(b, 0);
	upgrade(b, &f);
	wait_changes(b, 2);
	wait_only_up(b, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_one_takes_the_place),
		TEST(every_place_gets_a_new_one),
		TEST(one_that_cannot_begin_changes_nothing),
		TEST(one_that_dies_early_is_undone),
		TEST(one_that_hangs_early_is_undone),
		TEST(all_places_go_back_together),
		TEST(the_old_one_died_meanwhile),
		TEST(a_draining_one_dies),
		TEST(stopped_in_the_middle),
		TEST(places_come_and_go),
		TEST(a_place_that_drains_is_taken_back),
		TEST(a_new_place_that_dies_is_given_up),
		TEST(all_places_leave_and_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
