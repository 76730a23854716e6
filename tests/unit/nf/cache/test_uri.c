/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include "nf/cache/uri.h"

static void keys(void **state)
{
	static const struct {
		const char *host, *port, *target, *key;
	} rows[] = {
		{"Example.ORG", "", "/A?B", "example.org/A?B"},
		{"a", "80", "/", "a/"},
		{"a", "8080", "/x", "a:8080/x"},
		{"a", "", "", "a/"},
		{"a", "", "?q", "a/?q"},
		{"[::1]", "81", "/", "[::1]:81/"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct uri_key key;

		assert_true(uri_key_make(&key, sluice_str(rows[i].host), sluice_str(rows[i].port),
					 sluice_str(rows[i].target)));
		assert_int_equal(key.len, strlen(rows[i].key));
		assert_memory_equal(key.text, rows[i].key, key.len);
	}
}

static void too_long(void **state)
{
	static char target[URI_KEY_MAX + 1];
	struct uri_key key;

	(void)state;
	memset(target, '/', URI_KEY_MAX);
	assert_false(uri_key_make(&key, sluice_str("a"), sluice_str(""), sluice_str(target)));
	assert_false(uri_key_resolve(&key, sluice_str("a/"), sluice_str(target)));
}

static void references(void **state)
{
	static const struct {
		const char *base, *reference, *key;
	} rows[] = {
		{"a/b/c?q", "/x", "a/x"},
		{"a/b/c?q", "x", "a/b/x"},
		{"a/b/c?q", "x?y", "a/b/x?y"},
		{"a/b/c?q", "./x", "a/b/x"},
		{"a/b/c?q", "../x", "a/x"},
		{"a/b/c?q", "../../../x", "a/x"},
		{"a/b/c?q", "..", "a/"},
		{"a/b/c/", ".", "a/b/c/"},
		{"a/b/c?q", "?z", "a/b/c?z"},
		{"a/b/c?q", "/x/../y/./z#f", "a/y/z"},
		{"a/b", "http://a/x", "a/x"},
		{"a/b", "HTTP://A/x", "a/x"},
		{"a/b", "http://a:80/x", "a/x"},
		{"a/b", "http://a", "a/"},
		{"a/b", "http://a?x", "a/?x"},
		{"a/b", "//a/x", "a/x"},
		{"a:8080/b", "http://a:8080/x", "a:8080/x"},
		{"[::1]:81/b", "http://[::1]:81/x", "[::1]:81/x"},
		{"a/b", " /x ", "a/x"},
		{"a/b", "/x:y", "a/x:y"},
		{"a/b", "http://b/x", NULL},
		{"a/b", "http://a:81/x", NULL},
		{"a:8080/b", "http://a/x", NULL},
		{"a/b", "https://a/x", NULL},
		{"a/b", "http://u@a/x", NULL},
		{"a/b", "http:///x", NULL},
		{"a/b", "mailto:x", NULL},
		{"a/b", "//b/x", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct uri_key key;
		bool found = uri_key_resolve(&key, sluice_str(rows[i].base),
					     sluice_str(rows[i].reference));

		if (found != (rows[i].key != NULL))
			fail_msg("\"%s\"", rows[i].reference);
		if (found &&
		    (key.len != strlen(rows[i].key) || memcmp(key.text, rows[i].key, key.len)))
			fail_msg("\"%s\" gives \"%.*s\"", rows[i].reference, (int)key.len,
				 key.text);
	}
}

static void absolute(void **state)
{
	static const struct {
		const char *url, *key; /* NULL: it is none */
	} rows[] = {
		{"http://A.example/x?y", "a.example/x?y"},
		{"a.example:80/x", "a.example/x"},
		{"HTTP://a.example:8080", "a.example:8080/"},
		{"http://a.example/x#part", "a.example/x"},
		{"http://[::1]:81/", "[::1]:81/"},
		{"https://a.example/x", NULL},
		{"/x", NULL},
		{"", NULL},
		{"http://ann@a.example/", NULL},
	};

	(void)state;
	for (unsigned i = 0; i < ROWS(rows); i++) {
		struct uri_key key;
		bool is = uri_key_absolute(&key, sluice_str(rows[i].url));

		assert_int_equal(is, rows[i].key != NULL);
		if (!is)
			continue;
		assert_int_equal(key.len, strlen(rows[i].key));
		assert_memory_equal(key.text, rows[i].key, key.len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(absolute),
		cmocka_unit_test(keys),
		cmocka_unit_test(too_long),
		cmocka_unit_test(references),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
