/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists of edits of heads that are known: what they make is what they made. */
#include <stdio.h>
#include <stdlib.h>

#include "chain/http/edit.h"
#include "chain/http/memo.h"
#include "chain/http/slot.h"
#include "fixture.h"

#define SLOT_BYTES 8192
#define FIELDS     32

static struct http_memos memos;
static struct http_numbers numbers;

static struct list page(const char *etag)
{
	struct list list = {.len = 0};

	list_put_text(&list, SLUICE_EDIT_ADD, "Content-Type", "text/html");
	list_put_text(&list, SLUICE_EDIT_ADD, "X-Own", "1");
	list_put_text(&list, SLUICE_EDIT_ADD, "ETag", etag);
	list_put_text(&list, SLUICE_EDIT_ADD, "Set-Cookie", "a");
	list_put_text(&list, SLUICE_EDIT_ADD, "Set-Cookie", "b");
	return list;
}

/* Not cleared: a slot has what was there before. */
static struct sluice_head *blank(uint16_t status)
{
	struct sluice_head *head = malloc(SLOT_BYTES);

	assert_non_null(head);
	memset(head, 0xa5, SLOT_BYTES);
	assert_int_equal(http_head_init(head, 4096, SLOT_BYTES, FIELDS), 0);
	http_head_build_response(head, status, SLUICE_METHOD_GET);
	return head;
}

static struct sluice_head *applied(uint16_t status, const struct list *list)
{
	struct sluice_head *head = blank(status);
	struct http_memory memory = {0};
	enum http_error error;

	assert_int_equal(http_edits_apply(head, &memory, list->bytes, list->len, &error), 0);
	return head;
}

static uint64_t from_blank(uint16_t status)
{
	struct sluice_head *head = blank(status);
	uint64_t from = http_memo_from(head);

	free(head);
	return from;
}

/* It is kept when it comes the second time. */
static void keep(uint16_t status, const struct list *list)
{
	for (unsigned time = 0; time < 2; time++) {
		struct sluice_head *head = applied(status, list);

		http_memo_keep(&memos, &numbers, from_blank(status), list->bytes, list->len, head);
		free(head);
	}
}

static bool recalls(uint16_t status, const struct list *list)
{
	struct sluice_head *head = blank(status);
	bool otherwise, known = http_memo_recall(&memos, head, list->bytes, list->len, &otherwise);

	assert_int_equal(head->fields == 0, !known);
	assert_int_equal(head->same == 0, !known);
	free(head);
	return known;
}

/* But for their numbers. */
static void assert_same(struct sluice_head *a, const struct sluice_head *b)
{
	a->same = b->same;
	assert_int_equal(a->fields, b->fields);
	assert_int_equal(a->text_used, b->text_used);
	assert_memory_equal(a, b, offsetof(struct sluice_head, base));
	assert_memory_equal(a->base, b->base, a->bases * sizeof(a->base[0]));
	assert_memory_equal(a->field, b->field, a->fields * sizeof(a->field[0]));
	assert_memory_equal((const uint8_t *)a + a->text_off, (const uint8_t *)b + b->text_off,
			    a->text_used);
}

static int clear(void **state)
{
	(void)state;
	memset(&memos, 0, sizeof(memos));
	return 0;
}

static void a_known_list_makes_the_same_head(void **state)
{
	struct list list = page("\"1\"");
	struct sluice_head *made = applied(200, &list), *recalled = blank(200);
	bool otherwise;

	(void)state;
	recalled->body_bytes = made->body_bytes = 5; /* which is not the list's */
	assert_false(recalls(200, &list));
	keep(200, &list);
	assert_true(http_memo_recall(&memos, recalled, list.bytes, list.len, &otherwise));
	assert_false(otherwise);
	assert_same(recalled, made);
	free(made);
	free(recalled);
}

static void only_the_very_same_is_known(void **state)
{
	struct list list = page("\"1\""), other = page("\"2\""), less = list;

	(void)state;
	keep(200, &list);
	less.len -= 8;
	assert_true(recalls(200, &list));
	assert_false(recalls(200, &other));
	assert_false(recalls(200, &less));
	assert_false(recalls(404, &list));
	for (uint32_t i = 0; i < list.len; i++) {
		list.bytes[i] ^= 1;
		assert_false(recalls(200, &list));
		list.bytes[i] ^= 1;
	}
}

static void a_list_may_change_the_status(void **state)
{
	struct list list = page("\"1\"");
	struct sluice_head *head = blank(200);
	bool otherwise;

	(void)state;
	list_put_text(&list, SLUICE_EDIT_STATUS, "", "203");
	keep(200, &list);
	assert_true(http_memo_recall(&memos, head, list.bytes, list.len, &otherwise));
	assert_int_equal(head->status, 203);
	assert_false(recalls(203, &list));
	free(head);
}

static void what_is_long_is_not_kept(void **state)
{
	struct list list = {.len = 0};
	char value[HTTP_MEMO_BYTES] = {0};

	(void)state;
	memset(value, 'v', sizeof(value) - 1);
	list_put_text(&list, SLUICE_EDIT_ADD, "X", value);
	keep(200, &list);
	assert_false(recalls(200, &list));
	list.len = 0;
	for (unsigned i = 0; i <= HTTP_CONTENT_FIELDS; i++)
		list_put_text(&list, SLUICE_EDIT_ADD, "A", "b");
	keep(200, &list);
	assert_false(recalls(200, &list));
	list.len = 7;
	assert_false(recalls(200, &list));
}

/* More lists than there is room for: each is known or not, and none is taken for another. */
static void lists_take_each_others_place(void **state)
{
	unsigned known = 0;

	(void)state;
	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < 4 * HTTP_MEMOS; i++) {
			char etag[16];
			struct list list;
			struct sluice_head *made, *head = blank(200);
			bool otherwise;

			snprintf(etag, sizeof(etag), "\"%u\"", i);
			list = page(etag);
			made = applied(200, &list);
			if (http_memo_recall(&memos, head, list.bytes, list.len, &otherwise)) {
				known++;
				assert_same(head, made);
			}
			keep(200, &list);
			assert_true(recalls(200, &list));
			free(made);
			free(head);
		}
	assert_true(known < 4 * HTTP_MEMOS);
}

static void once_is_not_enough(void **state)
{
	struct list list = page("\"1\"");
	struct sluice_head *head = applied(200, &list);

	(void)state;
	http_memo_keep(&memos, &numbers, from_blank(200), list.bytes, list.len, head);
	assert_false(recalls(200, &list));
	free(head);
}

/* --- heads that came --------------------------------------------------------------- */

#define REQUEST                                                                 \
	"GET /a?b HTTP/1.1\r\nHost: h\r\nVia: 1.0 first\r\nX-Own: 0\r\nRange: " \
	"bytes=0-1\r\n\r\n"

static struct list edits_of_request(void)
{
	struct list list = {.len = 0};

	list_put_text(&list, SLUICE_EDIT_SET, "Host", "other.example");
	list_put_text(&list, SLUICE_EDIT_TARGET, "", "/new?c=d");
	list_put_text(&list, SLUICE_EDIT_ADD, "Via", "1.1 sluice");
	list_put_text(&list, SLUICE_EDIT_SET, "X-Own", "mine");
	list_put_text(&list, SLUICE_EDIT_REMOVE, "Range", "");
	return list;
}

/* The head that came has this number. */
static void came(struct fixture *fixture, uint64_t number)
{
	fixture_request(fixture, REQUEST);
	fixture->head->same = number;
}

static void make(struct fixture *fixture, const struct list *list)
{
	enum http_error error;

	assert_int_equal(
		http_edits_apply(fixture->head, &fixture->memory, list->bytes, list->len, &error),
		0);
	assert_int_equal(fixture->head->same, 0);
}

static void a_request_that_is_known_is_changed_the_same(void **state)
{
	static char whole[FIXTURE_DUMP], shorter[FIXTURE_DUMP];
	struct fixture *fixture = fixture_new();
	struct list list = edits_of_request();
	bool otherwise;

	(void)state;
	for (unsigned time = 0; time < 2; time++) {
		came(fixture, 77);
		assert_false(
			http_memo_recall(&memos, fixture->head, list.bytes, list.len, &otherwise));
		make(fixture, &list);
		fixture_dump(fixture, whole);
		http_memo_keep(&memos, &numbers, 77, list.bytes, list.len, fixture->head);
	}
	assert_int_equal(fixture->head->same, numbers.last);
	came(fixture, 77);
	assert_true(http_memo_recall(&memos, fixture->head, list.bytes, list.len, &otherwise));
	fixture_dump(fixture, shorter);
	assert_string_equal(shorter, whole);
	assert_int_equal(fixture->head->same, numbers.last);
	assert_true(otherwise);
	fixture_free(fixture);
}

/* Another number, none, or another list. */
static void only_of_that_very_head(void **state)
{
	struct fixture *fixture = fixture_new();
	struct list list = edits_of_request();
	static const uint64_t others[] = {0, 1, 76, 78, UINT64_C(1) << 63};
	bool otherwise;

	(void)state;
	for (unsigned time = 0; time < 2; time++) {
		came(fixture, 77);
		make(fixture, &list);
		http_memo_keep(&memos, &numbers, 77, list.bytes, list.len, fixture->head);
	}
	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		came(fixture, others[i]);
		assert_false(
			http_memo_recall(&memos, fixture->head, list.bytes, list.len, &otherwise));
	}
	came(fixture, 77);
	list.bytes[list.len - 1] ^= 1;
	assert_false(http_memo_recall(&memos, fixture->head, list.bytes, list.len, &otherwise));
	fixture_free(fixture);
}

/* What nobody knows is not kept. */
static void without_a_number_nothing_is_kept(void **state)
{
	struct fixture *fixture = fixture_new();
	struct list list = edits_of_request();

	(void)state;
	for (unsigned time = 0; time < 3; time++) {
		came(fixture, 0);
		assert_int_equal(http_memo_from(fixture->head), 0);
		make(fixture, &list);
		http_memo_keep(&memos, &numbers, 0, list.bytes, list.len, fixture->head);
		assert_int_equal(fixture->head->same, 0);
	}
	fixture_free(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_known_list_makes_the_same_head, clear),
		cmocka_unit_test_setup(only_the_very_same_is_known, clear),
		cmocka_unit_test_setup(a_list_may_change_the_status, clear),
		cmocka_unit_test_setup(what_is_long_is_not_kept, clear),
		cmocka_unit_test_setup(lists_take_each_others_place, clear),
		cmocka_unit_test_setup(once_is_not_enough, clear),
		cmocka_unit_test_setup(a_request_that_is_known_is_changed_the_same, clear),
		cmocka_unit_test_setup(only_of_that_very_head, clear),
		cmocka_unit_test_setup(without_a_number_nothing_is_kept, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
