/* SPDX-License-Identifier: BSD-3-Clause */
/* Functions as processes: begin, serve, die, hang, come back, end. */
#include <errno.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench.h"

#define NOOP  PLUGIN_DIR "/noop.so"
#define PROBE TEST_DIR "/probe.so"

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

static void start(struct bench *b, uint16_t id, const struct conf_function *f)
{
	struct conf_errors errors = {0};

	if (bench_start(b, id, f, &errors))
		fail_msg("%s", errors.count ? errors.text[0] : "it does not start");
}

#define NODE(type, value) "{\"l\":7,\"f\":\"a.conf\",\"t\":\"" type "\",\"v\":" value "}"
#define GROUP(members)    NODE("group", "{" members "}")

static uid_t uid_of(pid_t pid)
{
	char path[64], line[256];
	unsigned uid = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) && sscanf(line, "Uid: %u", &uid) != 1)
		continue;
	fclose(file);
	return uid;
}

/* --- life -------------------------------------------------------------------------- */

static void noop_serves(void **state)
{
	struct conf_function f =
		bench_function("nothing", NOOP, GROUP("\"field\":" NODE("string", "\"x-a\"")));
	struct bench *b = *state;
	struct sluice_up up;

	start(b, 1, &f);
	assert_int_equal(b->ups, 1);
	assert_string_equal(b->last.function_name, "nothing");
	assert_int_equal(b->last.hooks,
			 SLUICE_HOOK_REQUEST_HEAD | SLUICE_HOOK_RESPONSE_HEAD | SLUICE_HOOK_OPEN);
	assert_string_equal(b->last.counter_name[1], "requests");
	assert_string_equal(b->last.counter_help[1], "requests that passed");
	assert_string_equal(bench_ask(b, 1, "/some/path"), "/some/path");
	bench_send(b, 1, 1, "/other");
	assert_int_equal(bench_answer(b, 1, 1, &up, 5000), 1);
	assert_int_equal(up.verdict, SLUICE_PASS);
	assert_int_equal(up.exchange, b->exchange % 100);
	assert_int_equal(up.generation, b->exchange);
	assert_int_equal(link_counter(b->last.link[0], 1), 2);
	assert_true(link_loops(b->last.link[0]) > 0);
}

static void answers_from_its_arena(void **state)
{
	struct conf_function f = bench_function("probe", PROBE, NULL);
	struct bench *b = *state;
	struct sluice_up up;
	uint8_t *at;

	start(b, 1, &f);
	bench_send(b, 1, 0, "/answer");
	assert_int_equal(bench_answer(b, 1, 0, &up, 5000), 1);
	assert_int_equal(up.verdict, SLUICE_RESPOND);
	assert_int_equal(up.respond.body_bytes, 5);
	assert_int_equal(up.slices, 1);
	assert_true(up.flags & SLUICE_UP_END);
	assert_int_equal(sluice_ref_region(up.slice[0].ref), b->last.arena->id);
	at = region_resolve(&b->regions, up.slice[0].ref, up.slice[0].len);
	assert_non_null(at);
	assert_memory_equal(at, "hello", 5);
	link_consume(bench_info(b, 1)->link[0], 1);
	assert_string_equal(bench_ask(b, 1, "/arena-used"), "64");
	bench_release(b, 1, 0, up.slice[0].tag);
	assert_string_equal(bench_ask(b, 1, "/arena-used"), "0");
}

static void killed_and_back(void **state)
{
	struct conf_function f = bench_function("nothing", NOOP, NULL);
	struct bench *b = *state;
	uint64_t at_us;
	uint32_t id;

	start(b, 1, &f);
	id = b->last.id;
	at_us = bench_us();
	kill(b->last.pid, SIGKILL);
	assert_true(bench_until(b, &b->downs, 1, 5000));
	print_message("seen dead after %u us\n", (unsigned)(b->down_us - at_us));
	assert_true(b->down_us - at_us < 100000);
	assert_string_equal(b->last_exit, "killed by SIGKILL");
	assert_int_equal(bench_info(b, 1)->state, INSTANCE_WAITING);
	assert_true(bench_until(b, &b->ups, 2, 5000));
	print_message("up again after %u us\n", (unsigned)(bench_us() - at_us));
	assert_true(b->last.id != id);
	assert_int_equal(b->last.restarts, 1);
	assert_string_equal(bench_ask(b, 1, "/"), "");
	assert_true(bench_logged(b, "instance 0 ended: killed by SIGKILL; starts again in 10 ms"));
}

static void dies_more_slowly_each_time(void **state)
{
	struct conf_function f = bench_function("nothing", NOOP, NULL);
	struct bench *b = *state;

	start(b, 1, &f);
	for (unsigned n = 1; n <= 4; n++) {
		kill(b->last.pid, SIGKILL);
		assert_true(bench_until(b, &b->ups, n + 1, 5000));
	}
	assert_true(bench_logged(b, "starts again in 80 ms"));
}

static void hang_is_seen(void **state)
{
	struct conf_function f = bench_function("nothing", NOOP, NULL);
	struct bench *b = *state;

	f.hang_ms = 200;
	start(b, 1, &f);
	bench_run(b, 100);
	kill(b->last.pid, SIGSTOP);
	bench_run(b, 600); /* it slept, with nothing to do: that is no hang */
	assert_int_equal(b->downs, 0);
	bench_send(b, 1, 0, "/");
	assert_true(bench_until(b, &b->downs, 1, 5000));
	assert_string_equal(b->last_exit, "no turn of its loop for 200 ms");
	assert_true(bench_until(b, &b->ups, 2, 5000));
}

static void spinning_is_seen(void **state)
{
	struct conf_function f = bench_function("probe", PROBE, NULL);
	struct bench *b = *state;

	f.hang_ms = 200;
	start(b, 1, &f);
	bench_send(b, 1, 0, "/spin");
	assert_true(bench_until(b, &b->downs, 1, 5000));
	assert_string_equal(b->last_exit, "no turn of its loop for 200 ms");
}

static void ended_for_a_reason(void **state)
{
	struct conf_function f = bench_function("nothing", NOOP, NULL);
	struct bench *b = *state;
	uint32_t id;

	start(b, 1, &f);
	id = b->last.id;
	assert_int_equal(supervisor_kill(b->supervisor, id + 1, "a lie"), -ENOENT);
	assert_int_equal(supervisor_kill(b->supervisor, id, "a lie"), 0);
	assert_true(bench_until(b, &b->downs, 1, 5000));
	assert_string_equal(b->last_exit, "a lie");
	assert_int_equal(supervisor_kill(b->supervisor, id, "a lie"), -ENOENT);
	assert_true(bench_until(b, &b->ups, 2, 5000));
	assert_true(b->last.id != id);
	assert_string_equal(bench_ask(b, 1, "/"), "");
}

static void runs_as_its_user(void **state)
{
	struct conf_function f = bench_function("nothing", NOOP, NULL);
	struct bench *b = *state;

	if (geteuid() != 0)
		skip();
	f.user = "nobody";
	start(b, 1, &f);
	assert_int_equal(uid_of(b->last.pid), getpwnam("nobody")->pw_uid);
}

static void starts_several_and_stops(void **state)
{
	struct conf_function f = bench_function("nothing", NOOP, NULL);
	struct bench *b = *state;

	f.instances = 3;
	start(b, 1, &f);
	assert_int_equal(b->ups, 3);
	assert_int_equal(b->arenas, 3);
	assert_int_equal(supervisor_start(b->supervisor, 1, &f, bench_us()), -EEXIST);
	supervisor_stop(b->supervisor, 1, bench_us());
	assert_int_equal(b->downs, 3);
	for (unsigned n = 0; bench_info(b, 1) && n < 500; n++)
		bench_run(b, 10);
	assert_null(bench_info(b, 1));
	assert_int_equal(b->arenas, 0);
}

static void stopped_one_that_will_not_listen(void **state)
{
	struct conf_function f = bench_function("nothing", NOOP, NULL);
	struct bench *b = *state;

	start(b, 1, &f);
	kill(b->last.pid, SIGSTOP);
	supervisor_stop(b->supervisor, 1, bench_us());
	assert_int_equal(bench_info(b, 1)->state, INSTANCE_STOPPING);
	for (unsigned n = 0; bench_info(b, 1) && n < 500; n++)
		bench_run(b, 10);
	assert_null(bench_info(b, 1));
}

/* A manager that ends without a word takes its functions along. */
static void dies_with_the_manager(void **state)
{
	struct conf_function f = bench_function("nothing", NOOP, NULL);
	int pipes[2], status;
	pid_t pid, nf = 0;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (pid == 0) {
		struct bench *b = bench_create();
		struct conf_errors errors = {0};

		nf = bench_start(b, 1, &f, &errors) ? -1 : b->last.pid;
		_exit(write(pipes[1], &nf, sizeof(nf)) != sizeof(nf));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(read(pipes[0], &nf, sizeof(nf)), sizeof(nf));
	assert_true(nf > 0);
	for (unsigned n = 0; kill(nf, 0) == 0 && n < 500; n++)
		usleep(10000);
	assert_true(kill(nf, 0) != 0);
	close(pipes[0]);
	close(pipes[1]);
}

/* --- bodies of others -------------------------------------------------------------- */

static void reads_bodies_of_others(void **state)
{
	struct conf_function writer = bench_function("writer", PROBE, NULL);
	struct conf_function reader = bench_function("reader", PROBE, NULL);
	struct bench *b = *state;
	struct sluice_up up, piece;

	b->shares = true;
	start(b, 1, &reader); /* it learns of the writer's arena while it runs */
	start(b, 2, &writer);
	bench_send(b, 2, 0, "/answer");
	assert_int_equal(bench_answer(b, 2, 0, &up, 5000), 1);
	bench_send_body(b, 1, 0, &up.slice[0], true);
	assert_int_equal(bench_answer(b, 1, 0, &piece, 5000), 1);
	assert_int_equal(piece.kind, SLUICE_UP_PIECE);
	assert_int_equal(piece.verdict, SLUICE_PASS);
	link_consume(bench_info(b, 1)->link[0], 1);
	assert_string_equal(bench_ask(b, 1, "/bodies-sum"), "532");
	kill(bench_info(b, 1)->pid, SIGKILL); /* the new one gets it before it begins */
	assert_true(bench_until(b, &b->ups, 3, 5000));
	bench_send_body(b, 1, 0, &up.slice[0], true);
	assert_int_equal(bench_answer(b, 1, 0, &piece, 5000), 1);
	assert_int_equal(piece.verdict, SLUICE_PASS);
}

/* A file that holds more than the arena is not handed to a plugin that runs already. */
static void crowded_arenas_wait_for_a_new_start(void **state)
{
	struct conf_function writer = bench_function("writer", PROBE, NULL);
	struct conf_function reader = bench_function("reader", PROBE, NULL);
	struct bench *b = *state;
	struct sluice_up up, piece;

	b->shares = b->crowded = true;
	start(b, 1, &reader);
	start(b, 2, &writer);
	assert_true(
		bench_logged(b, "reader: cannot read bodies of \"writer\" until it is started"));
	bench_send(b, 2, 0, "/answer");
	assert_int_equal(bench_answer(b, 2, 0, &up, 5000), 1);
	bench_send_body(b, 1, 0, &up.slice[0], true);
	assert_int_equal(bench_answer(b, 1, 0, &piece, 5000), 1);
	assert_int_equal(piece.verdict, SLUICE_RESET);
	kill(bench_info(b, 1)->pid, SIGKILL);
	assert_true(bench_until(b, &b->ups, 3, 5000));
	bench_send_body(b, 1, 0, &up.slice[0], true);
	assert_int_equal(bench_answer(b, 1, 0, &piece, 5000), 1);
	assert_int_equal(piece.verdict, SLUICE_PASS);
}

static void bodies_of_strangers_reset(void **state)
{
	struct conf_function writer = bench_function("writer", PROBE, NULL);
	struct conf_function reader = bench_function("reader", PROBE, NULL);
	struct bench *b = *state;
	struct sluice_up up, piece;

	start(b, 1, &writer);
	start(b, 2, &reader);
	bench_send(b, 1, 0, "/answer");
	assert_int_equal(bench_answer(b, 1, 0, &up, 5000), 1);
	bench_send_body(b, 2, 0, &up.slice[0], true);
	assert_int_equal(bench_answer(b, 2, 0, &piece, 5000), 1);
	assert_int_equal(piece.verdict, SLUICE_RESET);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(noop_serves),
		TEST(answers_from_its_arena),
		TEST(killed_and_back),
		TEST(dies_more_slowly_each_time),
		TEST(hang_is_seen),
		TEST(spinning_is_seen),
		TEST(ended_for_a_reason),
		TEST(runs_as_its_user),
		TEST(starts_several_and_stops),
		TEST(stopped_one_that_will_not_listen),
		TEST(dies_with_the_manager),
		TEST(reads_bodies_of_others),
		TEST(crowded_arenas_wait_for_a_new_start),
		TEST(bodies_of_strangers_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
