/* SPDX-License-Identifier: BSD-3-Clause */
/* How functions begin, or why they cannot, and what they say; trial runs. */
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

/* Starting it must fail with exactly this. */
static void start_fails(struct bench *b, const struct conf_function *f, const char *want)
{
	struct conf_errors errors = {0};

	assert_int_equal(bench_start(b, 1, f, &errors), -EINVAL);
	assert_int_equal(errors.count, 1);
	assert_string_equal(errors.text[0], want);
	assert_int_equal(bench_info(b, 1)->state, INSTANCE_FAILED);
	conf_errors_clear(&errors);
	supervisor_stop(b->supervisor, 1, bench_us());
	assert_null(bench_info(b, 1));
	assert_int_equal(b->arenas, 0);
}

#define NODE(type, value) "{\"l\":7,\"f\":\"a.conf\",\"t\":\"" type "\",\"v\":" value "}"
#define GROUP(members)    NODE("group", "{" members "}")
#define INIT(what)        GROUP("\"init\":" NODE("string", "\"" what "\""))

/* --- failures to begin ------------------------------------------------------------- */

static void wrong_plugins_are_named(void **state)
{
	struct conf_function f = bench_function("x", "/nowhere/gone.so", NULL);
	struct bench *b = *state;

	start_fails(b, &f,
		    "test.conf:3: function \"x\": plugin /nowhere/gone.so cannot be opened: No "
		    "such file or "
		    "directory");
	f = bench_function("x", TEST_DIR "/probe_abi2.so", NULL);
	start_fails(
		b, &f,
		"test.conf:3: function \"x\": plugin probe_abi2.so was built for ABI 2, this is 1");
	f = bench_function("x", TEST_DIR "/probe_bare.so", NULL);
	start_fails(b, &f,
		    "test.conf:3: function \"x\": plugin probe_bare.so has no SLUICE_FUNCTION");
	f = bench_function("x", "/etc/passwd", NULL);
	start_fails(b, &f,
		    "test.conf:3: function \"x\": plugin passwd cannot be loaded: /etc/passwd: "
		    "invalid ELF header");
}

static void wrong_configs_are_named(void **state)
{
	struct conf_function f = bench_function("x", PROBE, INIT("error"));
	struct bench *b = *state;

	start_fails(b, &f, "a.conf:7: no such thing");
	f.config_json = (char *)(uintptr_t)GROUP("\"innit\":" NODE("int", "1"));
	start_fails(b, &f, "a.conf:7: unknown key \"innit\"");
	f.config_json = (char *)(uintptr_t) "{";
	start_fails(b, &f,
		    "test.conf:3: function \"x\": the config cannot be read: Invalid argument");
	f.config_json = (char *)(uintptr_t)INIT("crash");
	start_fails(
		b, &f,
		"test.conf:3: function \"x\": plugin probe.so ended before it was ready: killed by "
		"SIGABRT");
	f.config_json = NULL;
	f.user = "nobody-of-that-name";
	start_fails(b, &f,
		    "test.conf:3: function \"x\": user \"nobody-of-that-name\" does not exist");
}

static void init_that_hangs_times_out(void **state)
{
	struct conf_function f = bench_function("x", PROBE, INIT("hang"));
	struct conf_errors errors = {0};
	struct bench *b = *state;

	assert_int_equal(supervisor_start(b->supervisor, 1, &f, bench_us()), 0);
	assert_int_equal(supervisor_wait_ready(b->supervisor, 1, bench_us() + 350000, &errors),
			 -ETIMEDOUT);
	assert_int_equal(errors.count, 0);
	assert_in_range(b->turns, 3, 4); /* the owner had its turns meanwhile */
}

/* --- words ------------------------------------------------------------------------- */

static void words_reach_the_log(void **state)
{
	struct conf_function f = bench_function("probe", PROBE, NULL);
	struct bench *b = *state;

	start(b, 1, &f);
	assert_true(bench_logged(b, "2 probe: probe begins"));
	bench_ask(b, 1, "/stderr");
	bench_run(b, 50);
	assert_true(bench_logged(b, "1 probe: a line on stderr"));
}

static void floods_are_bounded(void **state)
{
	struct conf_function f = bench_function("probe", PROBE, NULL);
	struct bench *b = *state;

	start(b, 1, &f);
	assert_string_equal(bench_ask(b, 1, "/flood"), "0");
	bench_run(b, 200);
	assert_in_range(b->logs, 100, 400);
}

/* --- trial runs -------------------------------------------------------------------- */

static void check_fails(struct conf_function *f, const char *groups, const char *want)
{
	struct conf_errors errors = {0};
	uint32_t hooks;

	assert_int_equal(supervise_check(SLUICE_NF, NULL, f, &groups, 1, &hooks, &errors), -EINVAL);
	assert_int_equal(errors.count, 1);
	assert_string_equal(errors.text[0], want);
	conf_errors_clear(&errors);
}

static void checks_without_running(void **state)
{
	struct conf_function f = bench_function("x", PROBE, INIT("dangling"));
	struct conf_errors errors = {0};
	const char *groups[] = {"api", "web"};
	uint32_t hooks;

	(void)state;
	assert_int_equal(supervise_check(SLUICE_NF, NULL, &f, groups, 2, &hooks, &errors), 0);
	assert_int_not_equal(hooks & SLUICE_HOOKS_HTTP, 0);
	assert_int_equal(hooks & SLUICE_HOOKS_TCP, 0);
	check_fails(&f, "api", "a.conf:7: no upstream \"web\"");
	f.config_json = (char *)(uintptr_t)INIT("error");
	check_fails(&f, "api", "a.conf:7: no such thing");
	f.config_json = (char *)(uintptr_t)INIT("crash");
	check_fails(&f, "api",
		    "test.conf:3: function \"x\": plugin probe.so ended before it was ready: "
		    "killed by SIGABRT");
	f = bench_function("x", "/nowhere/gone.so", NULL);
	check_fails(&f, "api",
		    "test.conf:3: function \"x\": plugin /nowhere/gone.so cannot be opened: No "
		    "such file or "
		    "directory");
	assert_int_equal(
		supervise_check("/nowhere/sluice-nf", NULL, &f, groups, 2, &hooks, &errors),
		-EINVAL);
	assert_string_equal(errors.text[0],
			    "test.conf:3: function \"x\": /nowhere/sluice-nf cannot be started: "
			    "No such file or directory");
	conf_errors_clear(&errors);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(wrong_plugins_are_named),   TEST(wrong_configs_are_named),
		TEST(init_that_hangs_times_out), TEST(words_reach_the_log),
		TEST(floods_are_bounded),        TEST(checks_without_running),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
