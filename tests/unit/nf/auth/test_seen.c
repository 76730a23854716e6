/* SPDX-License-Identifier: BSD-3-Clause */
/* What is remembered, for how long, and who is forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "nf/auth/seen.h"
#include "nf/common/pool.h"

static void test_time(void **state)
{
	struct pool pool = {0};
	struct seen seen = {.mask = 0};
	struct seen_tag tag, other;

	(void)state;
	assert_int_equal(seen_init(&seen, &pool, 8), 0);
	tag = seen_tag_of(&seen, 1, sluice_str("me:secret"));
	other = seen_tag_of(&seen, 2, sluice_str("me:secret"));
	assert_null(seen_find(&seen, &tag, 100));
	seen_add(&seen, &tag, "me", 200);
	assert_string_equal(seen_find(&seen, &tag, 199), "me");
	assert_null(seen_find(&seen, &tag, 200));
	assert_null(seen_find(&seen, &other, 100));
	pool_free(&pool);
}

static void test_the_oldest_goes_first(void **state)
{
	struct pool pool = {0};
	struct seen seen = {.mask = 0};
	struct seen_tag tag[SEEN_WAYS + 1];
	char text[8];

	(void)state;
	assert_int_equal(seen_init(&seen, &pool, SEEN_WAYS), 0);
	for (unsigned i = 0; i <= SEEN_WAYS; ++i) {
		snprintf(text, sizeof(text), "%u", i);
		tag[i] = seen_tag_of(&seen, 1, sluice_str(text));
		seen_add(&seen, &tag[i], text, 1000 + i);
	}
	assert_null(seen_find(&seen, &tag[0], 1));
	for (unsigned i = 1; i <= SEEN_WAYS; ++i)
		assert_non_null(seen_find(&seen, &tag[i], 1));
	pool_free(&pool);
}

static void test_nothing_is_remembered(void **state)
{
	struct pool pool = {0};
	struct seen seen = {.mask = 0};
	struct seen_tag tag;

	(void)state;
	assert_int_equal(seen_init(&seen, &pool, 0), 0);
	tag = seen_tag_of(&seen, 1, sluice_str("a"));
	seen_add(&seen, &tag, "a", 1000);
	assert_null(seen_find(&seen, &tag, 1));
	pool_free(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_the_oldest_goes_first),
		cmocka_unit_test(test_nothing_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
