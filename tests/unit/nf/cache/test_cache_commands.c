/* SPDX-License-Identifier: BSD-3-Clause */
/* What sluicectl says to the cache. */
#include "cache_test.h"

#define AGE                                    \
	{                                      \
		"Cache-Control", "max-age=100" \
	}

static void done(struct harness *h, const char *words, const char *answer)
{
	assert_int_equal(harness_command(h, words), 0);
	assert_string_equal(harness_answer(h), answer);
}

static void refused(struct harness *h, const char *words, const char *why)
{
	assert_int_equal(harness_command(h, words), -EINVAL);
	assert_string_equal(harness_answer(h), why);
}

static struct harness *filled(void)
{
	struct harness *h = begin("");

	fetch(h, "/a/1", F(DATE, AGE, {"Cache-Tag", "red"}, {"ETag", "\"1\""}), "one");
	fetch(h, "/a/2", F(DATE, AGE, {"Cache-Tag", "blue"}), "two");
	fetch(h, "/b/1", F(DATE, AGE, {"Cache-Tag", "red"}), "three");
	return h;
}

static void by_url(void **state)
{
	struct harness *h = filled();

	(void)state;
	done(h, "purge url http://A.example/a/1 a.example/no",
	     "[{\"what\":\"http://A.example/a/1\",\"result\":\"purged\"},"
	     "{\"what\":\"a.example/no\",\"result\":\"nothing was stored\"}]");
	assert_missed(h, "/a/1");
	assert_hit(h, "/a/2", "two");
	assert_int_equal(counter(h, "purges"), 1);
	harness_destroy(h);
}

static void by_tag(void **state)
{
	struct harness *h = filled();

	(void)state;
	done(h, "purge tag red", "[{\"what\":\"red\",\"result\":\"purged\"}]");
	assert_missed(h, "/a/1");
	assert_missed(h, "/b/1");
	assert_hit(h, "/a/2", "two");
	harness_destroy(h);
}

static void by_prefix(void **state)
{
	struct harness *h = filled();
	exchange *late = assert_miss(h, "/a/3");

	(void)state;
	done(h, "purge prefix a.example/a/", "[{\"what\":\"a.example/a/\",\"result\":\"purged\"}]");
	origin(late, 200, F(DATE, AGE), "it was asked for before");
	assert_missed(h, "/a/1");
	assert_missed(h, "/a/2");
	assert_missed(h, "/a/3");
	assert_hit(h, "/b/1", "three");
	fetch(h, "/a/1", F(DATE, AGE), "anew");
	assert_hit(h, "/a/1", "anew");
	harness_destroy(h);
}

/* What is only stale is asked about, not forgotten. */
static void softly(void **state)
{
	static const char *const words[] = {
		"soft-purge url a.example/a/1",
		"soft-purge tag red",
		"soft-purge prefix a.example/a",
	};

	(void)state;
	for (unsigned i = 0; i < ROWS(words); i++) {
		struct harness *h = filled();
		exchange *x;

		assert_int_equal(harness_command(h, words[i]), 0);
		x = assert_miss(h, "/a/1");
		assert_field(x, "If-None-Match", "\"1\"");
		harness_done(x, true);
		harness_destroy(h);
	}
}

static void shown(void **state)
{
	struct harness *h = begin("memory_mb = 1;");

	(void)state;
	assert_int_equal(harness_command(h, "show"), 0);
	assert_non_null(strstr(harness_answer(h), "{\"objects\":0,\"bytes\":"));
	assert_non_null(strstr(harness_answer(h), ",\"limit\":1048576,\"hits\":0,"));
	harness_destroy(h);
}

static void nonsense(void **state)
{
	struct harness *h = begin("");

	(void)state;
	refused(h, "eat", "\"eat\"? a cache knows purge, soft-purge and show");
	refused(h, "show all", "\"show\"? a cache knows purge, soft-purge and show");
	refused(h, "purge", "purge what? url, tag or prefix, and which");
	refused(h, "purge all x", "purge what? url, tag or prefix, and which");
	refused(h, "purge url", "purge what? url, tag or prefix, and which");
	refused(h, "purge url https://a/", "\"https://a/\" is no URL of http");
	refused(h, "purge prefix /x", "\"/x\" is no URL of http");
	refused(h, "purge tag ,", "\",\" is no tag");
	harness_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_url), cmocka_unit_test(by_tag), cmocka_unit_test(by_prefix),
		cmocka_unit_test(softly), cmocka_unit_test(shown),  cmocka_unit_test(nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
