/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists of edits that were checked before: what they make of a head is what they make unchecked. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "chain/http/edit.h"
#include "chain/http/proven.h"
#include "chain/http/write.h"
#include "fixture.h"

#define WRITTEN 8192

static struct http_provens provens;

static const char *const requests[] = {
	"GET /a HTTP/1.1\r\nHost: h\r\n\r\n",
	"GET /a HTTP/1.1\r\nHost: h\r\nVia: 1.0 first\r\nX-Forwarded-For: 9.9.9.9\r\nX-Own: "
	"0\r\n\r\n",
	"GET /a HTTP/1.1\r\nX-Forwarded-For: 1\r\nHost: h\r\nx-forwarded-for: 2\r\nETag: 3\r\n"
	"Range: bytes=0-1\r\nX-own: 1\r\nX-OWN:\t2 \r\nEmpty:\r\n\r\n",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void add(struct list *list, uint8_t op, uint16_t id, const char *name, const char *value)
{
	list_put(list, (struct sluice_edit){.op = op, .id = id},
		 (struct bytes){name, (uint32_t)strlen(name)},
		 (struct bytes){value, (uint32_t)strlen(value)});
}

/* Every kind of edit that may be kept, known names and others, white space, nothing. */
static struct list forwarded(const char *client)
{
	struct list list = {.len = 0};

	add(&list, SLUICE_EDIT_SET, SLUICE_FIELD_X_FORWARDED_FOR, "X-Forwarded-For", client);
	add(&list, SLUICE_EDIT_SET, SLUICE_FIELD_OTHER, "X-Own", " \tmine ");
	add(&list, SLUICE_EDIT_ADD, SLUICE_FIELD_VIA, "Via", "1.1 sluice");
	add(&list, SLUICE_EDIT_ADD, SLUICE_FIELD_OTHER, "etag", "\"1\"");
	add(&list, SLUICE_EDIT_REMOVE, SLUICE_FIELD_OTHER, "Range", "");
	add(&list, SLUICE_EDIT_ADD, SLUICE_FIELD_OTHER, "x-forwarded-proto", "");
	add(&list, SLUICE_EDIT_ADD, SLUICE_FIELD_OTHER, "X-Own", "again");
	return list;
}

/* What the head says after it, and what is written of it. */
static void tell(const struct fixture *fixture, char *out)
{
	const struct http_write how = {.framing = HTTP_BODY_NONE};
	size_t len;
	int written;

	fixture_dump(fixture, out);
	len = strlen(out);
	written = http_write_request(fixture->head, &fixture->memory, &how, (uint8_t *)out + len,
				     WRITTEN);
	assert_true(written > 0);
	out[len + (size_t)written] = 0;
}

static void the_whole_way(struct fixture *fixture, const char *request, const struct list *list,
			  char *out)
{
	enum http_error error;

	fixture_request(fixture, request);
	assert_int_equal(
		http_edits_apply(fixture->head, &fixture->memory, list->bytes, list->len, &error),
		0);
	tell(fixture, out);
}

static int apply(struct fixture *fixture, const struct list *list, enum http_error *error)
{
	struct http_edited edited;
	int rc = http_provens_apply(&provens, fixture->head, &fixture->memory, list->bytes,
				    list->len, &edited);

	*error = edited.error;
	if (!rc)
		assert_int_equal(edited.asks_otherwise,
				 http_edits_ask_otherwise(list->bytes, list->len));
	return rc;
}

/* How many lists are kept. */
static unsigned kept(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < HTTP_PROVENS; i++)
		n += provens.at[i].len != 0;
	return n;
}

static void assert_both_ways_are_one(struct fixture *fixture, const char *request,
				     const struct list *list)
{
	static char whole[FIXTURE_DUMP + WRITTEN], other[FIXTURE_DUMP + WRITTEN];
	enum http_error error;

	the_whole_way(fixture, request, list, whole);
	for (unsigned time = 0; time < 3; time++) {
		fixture_request(fixture, request);
		assert_int_equal(apply(fixture, list, &error), 0);
		assert_int_equal(error, HTTP_OK);
		tell(fixture, other);
		assert_string_equal(other, whole);
	}
}

static int begin(void **state)
{
	memset(&provens, 0, sizeof(provens));
	*state = fixture_new();
	return 0;
}

static int end(void **state)
{
	fixture_free(*state);
	return 0;
}

static void a_known_list_makes_the_same_head(void **state)
{
	struct list list = forwarded("10.0.0.1");

	for (unsigned i = 0; i < COUNT(requests); i++)
		assert_both_ways_are_one(*state, requests[i], &list);
	assert_int_equal(kept(), 1);
}

static void once_is_not_enough(void **state)
{
	struct list list = forwarded("10.0.0.1");
	enum http_error error;

	fixture_request(*state, requests[0]);
	assert_int_equal(apply(*state, &list, &error), 0);
	assert_int_equal(kept(), 0);
	fixture_request(*state, requests[0]);
	assert_int_equal(apply(*state, &list, &error), 0);
	assert_int_equal(kept(), 1);
}

/* Whatever byte of a known list is another one: it is taken for what it is. */
static void only_the_very_same_is_known(void **state)
{
	static char whole[FIXTURE_DUMP + WRITTEN], other[FIXTURE_DUMP + WRITTEN];
	struct list list = forwarded("10.0.0.1");
	struct fixture *fixture = *state;

	assert_both_ways_are_one(fixture, requests[0], &list);
	for (uint32_t i = 0; i < list.len; i++) {
		enum http_error error, expected;
		int rc;

		list.bytes[i] ^= 1;
		fixture_request(fixture, requests[1]);
		rc = http_edits_apply(fixture->head, &fixture->memory, list.bytes, list.len,
				      &expected);
		tell(fixture, whole);
		fixture_request(fixture, requests[1]);
		assert_int_equal(apply(fixture, &list, &error), rc);
		assert_int_equal(error, expected);
		tell(fixture, other);
		assert_string_equal(other, whole);
		list.bytes[i] ^= 1;
	}
}

/* What depends on the head, and what is long. */
static void not_everything_is_kept(void **state)
{
	static char value[HTTP_PROVEN_BYTES];
	struct list list = {.len = 0};

	add(&list, SLUICE_EDIT_SET, SLUICE_FIELD_OTHER, "Host", "other");
	assert_both_ways_are_one(*state, requests[1], &list);
	list.len = 0;
	add(&list, SLUICE_EDIT_TARGET, 0, "", "/other");
	assert_both_ways_are_one(*state, requests[1], &list);
	list.len = 0;
	memset(value, 'v', sizeof(value) - 1);
	add(&list, SLUICE_EDIT_ADD, SLUICE_FIELD_OTHER, "X", value);
	assert_both_ways_are_one(*state, requests[1], &list);
	list.len = 0;
	for (unsigned i = 0; i <= HTTP_PROVEN_EDITS; i++)
		add(&list, SLUICE_EDIT_ADD, SLUICE_FIELD_OTHER, "X", "v");
	assert_both_ways_are_one(*state, requests[1], &list);
	assert_int_equal(kept(), 0);
}

/* What is refused is not kept, however often it comes. */
static void what_is_wrong_stays_wrong(void **state)
{
	struct list list = {.len = 0};
	enum http_error error;

	add(&list, SLUICE_EDIT_ADD, SLUICE_FIELD_OTHER, "Connection", "close");
	for (unsigned time = 0; time < 3; time++) {
		fixture_request(*state, requests[0]);
		assert_int_equal(apply(*state, &list, &error), -EINVAL);
		assert_int_equal(error, HTTP_ERROR_EDIT_FIELD);
	}
	list.len = 4;
	assert_int_equal(apply(*state, &list, &error), -EINVAL);
	assert_int_equal(kept(), 0);
}

/* A slot that is nearly full: as without. */
static void it_has_to_fit(void **state)
{
	struct list list = forwarded("10.0.0.1");
	struct fixture *fixture = *state;
	enum http_error error;

	assert_both_ways_are_one(fixture, requests[0], &list);
	fixture_request(fixture, requests[0]);
	fixture->head->text_used = fixture->head->text_size - 10;
	assert_int_equal(apply(fixture, &list, &error), -ENOSPC);
	fixture_request(fixture, requests[0]);
	fixture->head->fields_size = 2;
	assert_int_equal(apply(fixture, &list, &error), -ENOSPC);
}

static void lists_take_each_others_place(void **state)
{
	char client[16];

	for (unsigned i = 0; i < 4 * HTTP_PROVENS; i++) {
		struct list list;

		snprintf(client, sizeof(client), "10.0.%u.%u", i / 100, i % 100);
		list = forwarded(client);
		assert_both_ways_are_one(*state, requests[i % COUNT(requests)], &list);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_known_list_makes_the_same_head), TEST(once_is_not_enough),
		TEST(only_the_very_same_is_known),      TEST(not_everything_is_kept),
		TEST(what_is_wrong_stays_wrong),        TEST(it_has_to_fit),
		TEST(lists_take_each_others_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
