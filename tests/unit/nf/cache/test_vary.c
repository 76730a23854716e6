/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include "nf/cache/vary.h"

/* A request as text: "name: value" lines, in order. */
struct request {
	const char *lines[6];
};

static bool line(const void *ctx, struct sluice_str name, unsigned n, struct sluice_str *value)
{
	const struct request *request = ctx;

	for (unsigned i = 0; i < 6 && request->lines[i]; i++) {
		const char *colon = strchr(request->lines[i], ':');
		size_t len = (size_t)(colon - request->lines[i]);

		if (len != name.len || strncasecmp(request->lines[i], name.ptr, len) || n--)
			continue;
		*value = sluice_str(colon + 2);
		return true;
	}
	return false;
}

static void make(struct vary_key *key, const char *vary, const struct request *request)
{
	struct vary_request r = {line, request};

	vary_key_init(key);
	vary_key_add(key, sluice_str(vary), &r);
}

static void keys(void **state)
{
	static const struct {
		const char *vary;
		struct request request;
		const char *key;
	} rows[] = {
		{"", {{"a: 1"}}, ""},
		{"A", {{"a: 1"}}, "a:1\n"},
		{"a, B", {{"A: 1"}}, "a:1\nb\n"},
		{",a,,", {{"a: "}}, "a:\n"},
		{"a", {{"a: 1", "a: 2"}}, "a:1,2\n"},
		{"a", {{"a:  1 , 2 ;q=3,, 4 , "}}, "a:1,2;q=3,4\n"},
		{"a", {{"a: \"1 , 2\" , 3"}}, "a:\"1 , 2\",3\n"},
		{"a", {{"a: \"1\\\" , 2\" , 3"}}, "a:\"1\\\" , 2\",3\n"},
		{"a", {{"a: x y"}}, "a:x y\n"},
		{"accept-encoding",
		 {{"Accept-Encoding: gzip, BR;q=1"}},
		 "accept-encoding:br;q=1,gzip\n"},
		{"accept-language",
		 {{"Accept-Language: en", "accept-language: de"}},
		 "accept-language:de,en\n"},
		{"user-agent", {{"User-Agent: B, A"}}, "user-agent:B,A\n"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct vary_key key;

		make(&key, rows[i].vary, &rows[i].request);
		assert_false(key.never);
		if (key.len != strlen(rows[i].key) || memcmp(key.text, rows[i].key, key.len))
			fail_msg("%zu: \"%.*s\"", i, (int)key.len, key.text);
	}
}

static void never(void **state)
{
	static const char *const rows[] = {"*", "a, *", "a b", "a:b", "\"a\"", "\xff"};
	struct request none = {{NULL}};
	struct vary_key key;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		make(&key, rows[i], &none);
		assert_true(key.never);
	}
}

static void too_long_is_never(void **state)
{
	static char text[VARY_KEY_MAX + 16] = "a: ";
	struct request request = {{text}};
	struct vary_key key;

	(void)state;
	memset(text + 3, 'x', VARY_KEY_MAX);
	make(&key, "a", &request);
	assert_true(key.never);
}

static void matches(void **state)
{
	static const struct {
		const char *vary;
		struct request stored, asks;
		bool match;
	} rows[] = {
		{"", {{"a: 1"}}, {{"a: 2"}}, true},
		{"a", {{"a: 1"}}, {{"a: 1", "b: 2"}}, true},
		{"a", {{"a: 1"}}, {{"a: 2"}}, false},
		{"a", {{"a: 1"}}, {{NULL}}, false},
		{"a", {{NULL}}, {{"a: 1"}}, false},
		{"a", {{NULL}}, {{"a: "}}, false},
		{"a", {{NULL}}, {{"b: 1"}}, true},
		{"a, b", {{"a: 1"}}, {{"a: 1", "b: 1"}}, false},
		{"a, b", {{"a: 1", "b: 2"}}, {{"b: 2", "a: 1"}}, true},
		{"a", {{"a: 1,2"}}, {{"a: 1", "a: 2"}}, true},
		{"a", {{"a: 1, 2"}}, {{"a: 1 ,2"}}, true},
		{"a", {{"a: 1,2"}}, {{"a: 2,1"}}, false},
		{"a", {{"a: x"}}, {{"a: X"}}, false},
		{"accept-encoding",
		 {{"Accept-Encoding: gzip, br"}},
		 {{"accept-encoding: BR,gzip"}},
		 true},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct vary_request asks = {line, &rows[i].asks};
		struct vary_key key;

		make(&key, rows[i].vary, &rows[i].stored);
		if (vary_matches((struct sluice_str){key.text, key.len}, &asks) != rows[i].match)
			fail_msg("row %zu", i);
	}
}

static void many_members_are_not_sorted(void **state)
{
	static char a[400] = "accept-encoding: ", b[400] = "accept-encoding: ";
	struct request stored = {{a}}, asks = {{b}};
	struct vary_request r = {line, &asks};
	struct vary_key key;

	(void)state;
	for (int i = 0; i < 40; i++) {
		snprintf(a + strlen(a), sizeof(a) - strlen(a), "x%d,", i);
		snprintf(b + strlen(b), sizeof(b) - strlen(b), "x%d,", 39 - i);
	}
	make(&key, "accept-encoding", &stored);
	assert_false(vary_matches((struct sluice_str){key.text, key.len}, &r));
	r.ctx = &stored;
	assert_true(vary_matches((struct sluice_str){key.text, key.len}, &r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys),
		cmocka_unit_test(never),
		cmocka_unit_test(too_long_is_never),
		cmocka_unit_test(matches),
		cmocka_unit_test(many_members_are_not_sorted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
