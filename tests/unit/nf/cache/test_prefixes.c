/* SPDX-License-Identifier: BSD-3-Clause */
/* Purges by prefix: what they end, and what is forgotten. */
#include "table.h"

#include "nf/cache/prefixes.h"

static enum tags_end judged(const struct prefixes *p, const char *key, uint64_t seen)
{
	return prefixes_judge(p, sluice_str(key), seen);
}

static void what_begins_so(void **state)
{
	static struct prefixes p;

	(void)state;
	assert_int_equal(judged(&p, "a/x", 0), TAGS_GOOD);
	assert_true(prefixes_purge(&p, sluice_str("a/x"), false));
	assert_true(prefixes_purge(&p, sluice_str("a/s"), true));
	assert_int_equal(judged(&p, "a/x", 0), TAGS_GONE);
	assert_int_equal(judged(&p, "a/xy", 0), TAGS_GONE);
	assert_int_equal(judged(&p, "a/", 0), TAGS_GOOD);
	assert_int_equal(judged(&p, "b/x", 0), TAGS_GOOD);
	assert_int_equal(judged(&p, "a/s", 0), TAGS_STALE);
	assert_int_equal(judged(&p, "a/x", 1), TAGS_GOOD); /* it came after that */
	assert_int_equal(judged(&p, "a/s", 1), TAGS_STALE);
}

static void the_oldest_is_forgotten(void **state)
{
	static struct prefixes p;

	(void)state;
	for (unsigned i = 0; i < PREFIXES_NOTED; i++)
		assert_true(prefixes_purge(&p, sluice_str("a/"), false));
	assert_int_equal(judged(&p, "b/", 0), TAGS_GOOD);
	assert_true(prefixes_purge(&p, sluice_str("a/"), false));
	assert_int_equal(judged(&p, "b/", 0), TAGS_GONE);
	assert_int_equal(judged(&p, "b/", 1), TAGS_GOOD);
}

static void bounded(void **state)
{
	static struct prefixes p;
	static char text[PREFIX_BYTES + 1];

	(void)state;
	assert_true(prefixes_purge(&p, (struct sluice_str){text, PREFIX_BYTES}, false));
	assert_false(prefixes_purge(&p, (struct sluice_str){text, PREFIX_BYTES + 1}, false));
	assert_int_equal(p.purges, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_begins_so),
		cmocka_unit_test(the_oldest_is_forgotten),
		cmocka_unit_test(bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
