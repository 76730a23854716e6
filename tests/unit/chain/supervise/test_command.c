/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands to functions: answers, late ones, lies, and deaths. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

static void start(struct bench *b, const char *plugin, unsigned instances)
{
	static struct conf_function f;
	struct conf_errors errors = {0};

	f = bench_function("probe", plugin, NULL);
	f.instances = instances;
	if (bench_start(b, 1, &f, &errors))
		fail_msg("%s", errors.count ? errors.text[0] : "it does not start");
}

/* Words with a space between them. */
static int tell(struct bench *b, uint64_t token, const char *words)
{
	char text[256];
	size_t bytes = strlen(words) + 1;

	memcpy(text, words, bytes);
	for (char *at = text; (at = strchr(at, ' ')); at++)
		*at = '\0';
	return supervisor_command(b->supervisor, 1, token, text, bytes, bench_us());
}

static void says(struct bench *b, const char *words, int rc, const char *answer)
{
	unsigned before = b->answers;

	assert_int_equal(tell(b, 77 + before, words), 1);
	assert_true(bench_until(b, &b->answers, before + 1, 4000));
	assert_int_equal(b->answer.token, 77 + before);
	assert_int_equal(b->answer.rc, rc);
	assert_string_equal(b->answer.text, answer);
}

static void answers(void **state)
{
	struct bench *b = *state;

	start(b, PROBE, 1);
	says(b, "count 2", 0, "[{\"count\":0},{\"count\":1}]");
	says(b, "count 0", 0, "[]");
	says(b, "refuse me", -EINVAL, "not me");
	assert_string_equal(bench_ask(b, 1, "/find-group"), "0"); /* it serves as before */
}

/* In many packets, and more than the socket takes at once. */
static void long_answers(void **state)
{
	struct bench *b = *state;

	start(b, PROBE, 1);
	for (unsigned i = 1; i <= 3; i++) {
		assert_int_equal(tell(b, i, "number 4000"), 1);
		assert_true(bench_until(b, &b->answers, i, 4000));
		assert_int_equal(b->answer.rc, 0);
		assert_non_null(strstr(b->answer.text, "{\"number\":1000}"));
		assert_int_equal(b->answer.text[strlen(b->answer.text) - 1], ']');
	}
}

static void all_instances(void **state)
{
	struct bench *b = *state;

	start(b, PROBE, 3);
	assert_int_equal(tell(b, 5, "count 1"), 3);
	assert_int_equal(tell(b, 6, "count 1"), -EBUSY);
	assert_true(bench_until(b, &b->answers, 3, 4000));
	assert_int_equal(b->answer.token, 5);
	assert_int_equal(tell(b, 7, "count 1"), 3);
	assert_true(bench_until(b, &b->answers, 6, 4000));
}

static void without_commands(void **state)
{
	struct bench *b = *state;
	static char text[SLUICE_HOST_COMMAND_MAX + 1];

	start(b, NOOP, 1);
	says(b, "count 1", -EINVAL, "takes no commands");
	assert_int_equal(supervisor_command(b->supervisor, 1, 1, text, sizeof(text), bench_us()),
			 -E2BIG);
	assert_int_equal(supervisor_command(b->supervisor, 2, 1, "x", 2, bench_us()), 0);
}

static void deaths(void **state)
{
	struct bench *b = *state;

	start(b, PROBE, 1);
	says(b, "die", -EPIPE, "ended before it answered");
	assert_true(bench_until(b, &b->ups, 2, 5000));
	says(b, "spin", -EPIPE, "ended before it answered"); /* killed as one that hangs */
	assert_true(bench_until(b, &b->ups, 3, 5000));
	says(b, "count 1", 0, "[{\"count\":0}]");
}

/* Its own packets: to a command that nobody gave, and more than there may be. */
static void lies(void **state)
{
	struct bench *b = *state;

	start(b, PROBE, 1);
	says(b, "another 1", 0, "[{\"another\":0}]");
	says(b, "flood 2", -EPIPE, "its answer is too long"); /* it is the second command */
	bench_run(b, 50);
	says(b, "count 1", 0, "[{\"count\":0}]");
	assert_int_equal(b->answers, 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(answers),          TEST(long_answers), TEST(all_instances),
		TEST(without_commands), TEST(deaths),       TEST(lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
