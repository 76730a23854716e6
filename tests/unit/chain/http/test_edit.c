/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "chain/http/edit.h"
#include "chain/http/field.h"
#include "fixture.h"

static struct http_bytes b(const char *text)
{
	return http_bytes_of(text);
}

#define REQUEST \
	"GET /a?b HTTP/1.1\r\nHost: h\r\nX: 1\r\nAccept: 2\r\nx: 3\r\naccept: 4\r\nY: 5\r\n\r\n"
#define RESPONSE "HTTP/1.1 200 Fine\r\nServer: s\r\nX: 1\r\n\r\n"

static void expect_fields(const struct fixture *fixture, const char *expected)
{
	char fields[2048];

	fixture_fields(fixture, fields, sizeof fields);
	assert_string_equal(fields, expected);
}

/* first[] and next say what a search says. */
static void expect_links(const struct fixture *fixture)
{
	const struct sluice_head *head = fixture->head;

	for (uint16_t id = 1; id < SLUICE_FIELD_COUNT; id++) {
		uint16_t i = head->first[id];

		for (uint16_t j = 0; j < head->fields; j++) {
			if (head->field[j].id != id)
				continue;
			assert_int_equal(i, j);
			i = head->field[i].next;
		}
		assert_int_equal(i, SLUICE_NONE16);
	}
}

/* --- single changes -------------------------------------------------------------------- */

static void set_replaces_at_the_first_place(void **state)
{
	struct fixture *fixture = fixture_new();

	(void)state;
	fixture_request(fixture, REQUEST);
	assert_int_equal(http_head_set(fixture->head, &fixture->memory, b("ACCEPT"), b("new")), 0);
	assert_int_equal(http_head_set(fixture->head, &fixture->memory, b("x"), b("")), 0);
	assert_int_equal(http_head_set(fixture->head, &fixture->memory, b("Z"), b("z")), 0);
	expect_fields(fixture, "Host: h\nX: \nAccept: new\nY: 5\nZ: z\n");
	expect_links(fixture);
	fixture_free(fixture);
}

static void set_of_host_sets_the_host(void **state)
{
	struct fixture *fixture = fixture_new();

	(void)state;
	fixture_request(fixture, REQUEST);
	assert_int_equal(http_head_set(fixture->head, &fixture->memory, b("host"), b("other")), 0);
	assert_true(fixture_text_is(fixture, fixture->head->host, "other"));
	fixture_request(fixture, "GET / HTTP/1.0\r\n\r\n");
	assert_int_equal(http_head_set(fixture->head, &fixture->memory, b("Host"), b("new")), 0);
	assert_true(fixture_text_is(fixture, fixture->head->host, "new"));
	expect_fields(fixture, "Host: new\n");
	fixture_free(fixture);
}

static void add_appends(void **state)
{
	struct fixture *fixture = fixture_new();

	(void)state;
	fixture_request(fixture, REQUEST);
	assert_int_equal(http_head_add(fixture->head, b("Accept"), b("6")), 0);
	expect_fields(fixture, "Host: h\nX: 1\nAccept: 2\nx: 3\naccept: 4\nY: 5\nAccept: 6\n");
	expect_links(fixture);
	fixture_free(fixture);
}

static void remove_takes_every_one(void **state)
{
	struct fixture *fixture = fixture_new();

	(void)state;
	fixture_request(fixture, REQUEST);
	assert_int_equal(http_head_remove(fixture->head, &fixture->memory, b("x")), 2);
	expect_links(fixture);
	assert_int_equal(http_head_remove_id(fixture->head, SLUICE_FIELD_ACCEPT), 2);
	assert_int_equal(http_head_remove_id(fixture->head, SLUICE_FIELD_ACCEPT), 0);
	assert_int_equal(http_head_remove_id(fixture->head, SLUICE_FIELD_OTHER), 0);
	assert_int_equal(http_head_remove_id(fixture->head, 1000), 0);
	assert_int_equal(http_head_remove(fixture->head, &fixture->memory, b("nothing")), 0);
	assert_int_equal(http_head_remove(fixture->head, &fixture->memory, b("")), 0);
	expect_fields(fixture, "Host: h\nY: 5\n");
	expect_links(fixture);
	fixture_free(fixture);
}

static void find_says_where(void **state)
{
	struct fixture *fixture = fixture_new();

	(void)state;
	fixture_request(fixture, REQUEST);
	assert_int_equal(http_head_find(fixture->head, &fixture->memory, b("y")), 5);
	assert_int_equal(http_head_find(fixture->head, &fixture->memory, b("aCCept")), 2);
	assert_int_equal(http_head_find(fixture->head, &fixture->memory, b("z")), SLUICE_NONE16);
	fixture_free(fixture);
}

struct target {
	const char *text;
	int rc;
	const char *target, *path, *query, *host;
};

static const struct target targets[] = {
	{"/new?q", 0, "/new?q", "/new", "q", "h"},
	{"/", 0, "/", "/", "", "h"},
	{"http://n:1/p?q", 0, "/p?q", "/p", "q", "n:1"},
	{"http://n", 0, "/", "/", "", "n"},
	{"http://n?q", 0, "/?q", "/", "q", "n"},
	{"", -EINVAL, NULL, NULL, NULL, NULL},
	{"new", -EINVAL, NULL, NULL, NULL, NULL},
	{"*", -EINVAL, NULL, NULL, NULL, NULL},
	{"/a b", -EINVAL, NULL, NULL, NULL, NULL},
	{"/a#b", -EINVAL, NULL, NULL, NULL, NULL},
	{"/a\r\nb", -EINVAL, NULL, NULL, NULL, NULL},
	{"/\xe4", -EINVAL, NULL, NULL, NULL, NULL},
	{"https://n/", -EINVAL, NULL, NULL, NULL, NULL},
	{"http://u@n/", -EINVAL, NULL, NULL, NULL, NULL},
};

static void targets_are_checked(void **state)
{
	struct fixture *fixture = fixture_new();

	(void)state;
	for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
		const struct target *row = &targets[i];
		bool bad = row->rc != 0;

		fixture_request(fixture, REQUEST);
		assert_int_equal(http_head_target(fixture->head, b(row->text)), row->rc);
		assert_true(fixture_text_is(fixture, fixture->head->target,
					    bad ? "/a?b" : row->target));
		assert_true(fixture_text_is(fixture, fixture->head->path, bad ? "/a" : row->path));
		assert_true(fixture_text_is(fixture, fixture->head->query, bad ? "b" : row->query));
		assert_true(fixture_text_is(fixture, fixture->head->host, bad ? "h" : row->host));
	}
	fixture_response(fixture, RESPONSE, SLUICE_METHOD_GET);
	assert_int_equal(http_head_target(fixture->head, b("/")), -EINVAL);
	fixture_free(fixture);
}

static void a_response_is_built(void **state)
{
	struct fixture *fixture = fixture_new();

	(void)state;
	fixture_request(fixture, REQUEST);
	assert_int_equal(http_head_init(fixture->head, 0, 4096, 16), 0);
	http_head_build_response(fixture->head, 404, SLUICE_METHOD_HEAD);
	assert_int_equal(http_head_add(fixture->head, b("Server"), b("s")), 0);
	assert_int_equal(fixture->head->response, 1);
	assert_int_equal(fixture->head->version, 11);
	assert_int_equal(fixture->head->status, 404);
	assert_int_equal(fixture->head->method, SLUICE_METHOD_HEAD);
	expect_fields(fixture, "Server: s\n");
	fixture_free(fixture);
}

static void a_full_slot_changes_nothing(void **state)
{
	struct fixture *fixture = fixture_new();

	(void)state;
	fixture_request(fixture, REQUEST);
	fixture->head->text_size = 7;
	assert_int_equal(http_head_set(fixture->head, &fixture->memory, b("X"), b("12345678")),
			 -ENOSPC);
	assert_int_equal(http_head_add(fixture->head, b("name"), b("1234")), -ENOSPC);
	assert_int_equal(http_head_target(fixture->head, b("/bcd")), -ENOSPC);
	fixture->head->fields_size = fixture->head->fields;
	assert_int_equal(http_head_add(fixture->head, b("n"), b("1")), -ENOSPC);
	expect_fields(fixture, "Host: h\nX: 1\nAccept: 2\nx: 3\naccept: 4\nY: 5\n");
	assert_int_equal(fixture->head->text_used, 0);
	assert_int_equal(http_head_set(fixture->head, &fixture->memory, b("X"), b("1234567")), 0);
	fixture_free(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_replaces_at_the_first_place),
		cmocka_unit_test(set_of_host_sets_the_host),
		cmocka_unit_test(add_appends),
		cmocka_unit_test(remove_takes_every_one),
		cmocka_unit_test(find_says_where),
		cmocka_unit_test(targets_are_checked),
		cmocka_unit_test(a_response_is_built),
		cmocka_unit_test(a_full_slot_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
