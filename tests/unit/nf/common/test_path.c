/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nf/common/path.h"

static struct path_room room;

static void is(struct sluice_str found, const char *expected)
{
	assert_int_equal(found.len, strlen(expected));
	assert_memory_equal(found.ptr, expected, found.len);
}

static void test_decoded(void **state)
{
	static const struct {
		const char *path, *decoded;
	} rows[] = {
		{"/", "/"},
		{"/admin", "/admin"},
		{"/%61dmin", "/admin"},
		{"/%2e%2e/admin", "/admin"},
		{"/x/../admin", "/admin"},
		{"/x/%2E%2e%2fadmin", "/admin"},
		{"//admin", "/admin"},
		{"/a//b///c", "/a/b/c"},
		{"/a//", "/a/"},
		{"//", "/"},
		{"/./admin/.", "/admin/"},
		{"/a/b/..", "/a/"},
		{"/../../..", "/"},
		{"/..a/.b/...", "/..a/.b/..."},
		{"/%2561", "/%61"},
		{"/a%20b%3f", "/a b?"},
		{"/%", "/%"},
		{"/%4", "/%4"},
		{"/%zz%", "/%zz%"},
		{"*", "*"},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); ++i)
		is(path_decoded(sluice_str(rows[i].path), &room), rows[i].decoded);
}

static void test_decoded_nul(void **state)
{
	struct sluice_str found = path_decoded(sluice_str("/a%00b"), &room);

	(void)state;
	assert_int_equal(found.len, 4);
	assert_memory_equal(found.ptr, "/a\0b", 4);
}

static void test_canonical(void **state)
{
	static const struct {
		const char *path, *canonical;
	} rows[] = {
		{"/%61dmin", "/admin"},
		{"/x/%2e%2E/admin", "/admin"},
		{"/x/..%2fadmin", "/x/..%2Fadmin"},
		{"/a%0d%0ab", "/a%0D%0Ab"},
		{"/%7euser/%41", "/~user/A"},
		{"//admin", "//admin"},
		{"/a//../b", "/a/b"},
		{"/a/./b/", "/a/b/"},
		{"/%2561", "/%2561"},
		{"/%zz", "/%zz"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); ++i)
		is(path_canonical(sluice_str(rows[i].path), &room), rows[i].canonical);
}

static void test_plain_paths_stay_where_they_are(void **state)
{
	struct sluice_str path = sluice_str("/a/b.c/d");

	(void)state;
	assert_ptr_equal(path_decoded(path, &room).ptr, path.ptr);
	assert_ptr_equal(path_canonical(path, &room).ptr, path.ptr);
}

/* Whatever comes: the result is no longer than the path, has no dot segments, and is its own
 * result. */
static void test_any_path(void **state)
{
	static const char alphabet[] = "/./%2eEfF5ab";
	char path[40];

	(void)state;
	srand(1);
	for (unsigned n = 0; n < 200000; ++n) {
		uint32_t len = 1 + (uint32_t)rand() % (sizeof(path) - 1);
		struct path_room again;
		struct sluice_str once, twice;

		path[0] = '/';
		for (uint32_t i = 1; i < len; ++i)
			path[i] = alphabet[rand() % (int)(sizeof(alphabet) - 1)];
		once = path_canonical((struct sluice_str){path, len}, &room);
		assert_true(once.len <= len && once.len > 0 && once.ptr[0] == '/');
		assert_null(memmem(once.ptr, once.len, "/../", 4));
		assert_null(memmem(once.ptr, once.len, "/./", 3));
		twice = path_canonical(once, &again);
		assert_int_equal(twice.len, once.len);
		assert_memory_equal(twice.ptr, once.ptr, once.len);
		once = path_decoded((struct sluice_str){path, len}, &room);
		assert_true(once.len <= len && once.len > 0 && once.ptr[0] == '/');
		assert_null(memmem(once.ptr, once.len, "/../", 4));
		assert_null(memmem(once.ptr, once.len, "//", 2));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decoded),
		cmocka_unit_test(test_decoded_nul),
		cmocka_unit_test(test_canonical),
		cmocka_unit_test(test_plain_paths_stay_where_they_are),
		cmocka_unit_test(test_any_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
