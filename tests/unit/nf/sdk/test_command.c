/* SPDX-License-Identifier: BSD-3-Clause */
/* Words from the command line, and rows in answer. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nf/sdk/core.h"
#include "nf/sdk/harness.h"

static int echo_words(struct sluice_command *command)
{
	for (unsigned i = 1; i < sluice_words(command); i++) {
		assert_int_equal(sluice_row_number(command, "n", i), 0);
		assert_int_equal(
			sluice_row_text(command, "word", sluice_str(sluice_word(command, i))), 0);
		sluice_row_end(command);
	}
	assert_string_equal(sluice_word(command, sluice_words(command)), "");
	return 0;
}

/* Values until no more fit. */
static int fill(struct sluice_command *command)
{
	unsigned rows = 0;
	int rc;

	while ((rc = sluice_row_text(command, "text", sluice_str("\"\n\x01"))) == 0) {
		sluice_row_end(command);
		rows++;
	}
	assert_int_equal(rc, -ENOSPC);
	assert_in_range(rows, 1000, 10000);
	return 0;
}

static int bad_values(struct sluice_command *command)
{
	assert_int_equal(sluice_row_text(command, "a", sluice_str("\xff")), -EINVAL);
	assert_int_equal(sluice_row_number(command, "\xff", 1), -EINVAL);
	assert_int_equal(sluice_row_number(command, "a", INT64_MIN), 0);
	assert_int_equal(sluice_row_number(command, "a", -1), 0);
	return 0;
}

static int command(struct sluice_nf *nf, struct sluice_command *words)
{
	const char *first = sluice_word(words, 0);

	assert_non_null(nf);
	if (!strcmp(first, "echo"))
		return echo_words(words);
	if (!strcmp(first, "fill"))
		return fill(words);
	if (!strcmp(first, "bad"))
		return bad_values(words);
	if (!strcmp(first, "silent"))
		return -ENOSPC;
	sluice_row_number(words, "lost", 1);
	return sluice_refuse(words, "what is \"%s\"?", first);
}

static const struct sluice_nf_hooks hooks = {SLUICE_HOOKS, .name = "commands", .command = command};

static struct harness *begin(const struct sluice_nf_hooks *of)
{
	struct harness *h = harness_create(of);

	assert_int_equal(harness_start(h, NULL), 0);
	return h;
}

static void says(const char *words, int rc, const char *answer)
{
	struct harness *h = begin(&hooks);

	assert_int_equal(harness_command(h, words), rc);
	assert_string_equal(harness_answer(h), answer);
	harness_destroy(h);
}

static void rows(void **state)
{
	(void)state;
	says("echo", 0, "[]");
	says("echo a  \"", 0,
	     "[{\"n\":1,\"word\":\"a\"},{\"n\":2,\"word\":\"\"},{\"n\":3,\"word\":\"\\\"\"}]");
	says("bad", 0, "[{\"a\":-1}]");
}

static void refusals(void **state)
{
	(void)state;
	says("dance", -EINVAL, "what is \"dance\"?");
	says("silent", -EINVAL, "No space left on device");
}

static void bounded(void **state)
{
	struct harness *h = begin(&hooks);

	(void)state;
	assert_int_equal(harness_command(h, "fill"), 0);
	assert_in_range(strlen(harness_answer(h)), SLUICE_HOST_ANSWER_MAX / 2,
			SLUICE_HOST_ANSWER_MAX);
	harness_destroy(h);
}

static void without_hook(void **state)
{
	static const struct sluice_nf_hooks none = {SLUICE_HOOKS, .name = "none"};
	struct harness *h = begin(&none);

	(void)state;
	assert_int_equal(harness_command(h, "echo"), -EINVAL);
	assert_string_equal(harness_answer(h), "takes no commands");
	harness_destroy(h);
}

/* The manager is trusted, but lengths are looked at. */
static void malformed(void **state)
{
	struct harness *h = begin(&hooks);
	char *answer;

	(void)state;
	assert_int_equal(nf_command(harness_nf(h), "", 0, &answer), -EINVAL);
	assert_null(answer);
	assert_int_equal(nf_command(harness_nf(h), "echo", 4, &answer), -EINVAL);
	assert_null(answer);
	harness_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows),      cmocka_unit_test(refusals),
		cmocka_unit_test(bounded),   cmocka_unit_test(without_hook),
		cmocka_unit_test(malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
