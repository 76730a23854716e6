/* SPDX-License-Identifier: BSD-3-Clause */
/* Edit lists, as functions send them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "chain/http/edit.h"
#include "chain/http/field.h"
#include "fixture.h"

#define REQUEST                                                                            \
	"GET /a?b HTTP/1.1\r\nHost: h\r\nX: 1\r\nAccept: 2\r\nx: 3\r\naccept: 4\r\nETag: " \
	"5\r\n\r\n"
#define REQUEST_FIELDS "Host: h\nX: 1\nAccept: 2\nx: 3\naccept: 4\nETag: 5\n"
#define RESPONSE       "HTTP/1.1 200 Fine\r\nServer: s\r\nX: 1\r\n\r\n"

/* From a block of its own, so that reading beyond it shows. */
static int apply(struct fixture *fixture, const uint8_t *bytes, uint32_t len,
		 enum http_error *error)
{
	uint8_t *block = malloc(len > 0 ? len : 1);
	int rc;

	assert_non_null(block);
	memcpy(block, bytes, len);
	rc = http_edits_apply(fixture->head, &fixture->memory, block, len, error);
	free(block);
	return rc;
}

static void expect_fields(const struct fixture *fixture, const char *expected)
{
	char fields[2048];

	fixture_fields(fixture, fields, sizeof fields);
	assert_string_equal(fields, expected);
}

static void a_list_is_applied_in_order(void **state)
{
	struct fixture *fixture = fixture_new();
	struct list list = {.len = 0};
	enum http_error error = HTTP_ERROR_EDIT_LIST;

	(void)state;
	fixture_request(fixture, REQUEST);
	list_put(&list, (struct sluice_edit){SLUICE_EDIT_SET, 0, SLUICE_FIELD_ACCEPT, 0, 0},
		 (struct bytes)BYTES("Accept"), (struct bytes)BYTES("new"));
	list_put_text(&list, SLUICE_EDIT_REMOVE, "X", "");
	list_put_text(&list, SLUICE_EDIT_ADD, "X", " \tnew x\t ");
	list_put_text(&list, SLUICE_EDIT_ADD, "Via", "1");
	list_put_text(&list, SLUICE_EDIT_ADD, "via", "2");
	list_put_text(&list, SLUICE_EDIT_ADD, "etag", "6");
	list_put_text(&list, SLUICE_EDIT_SET, "HOST", "n:80");
	list_put_text(&list, SLUICE_EDIT_TARGET, "", "/t?u");
	assert_int_equal(apply(fixture, list.bytes, list.len, &error), 0);
	assert_int_equal(error, HTTP_OK);
	expect_fields(fixture, "Host: n:80\nAccept: new\nETag: 6\nX: new x\nVia: 1\nvia: 2\n");
	assert_true(fixture_text_is(fixture, fixture->head->host, "n:80"));
	assert_true(fixture_text_is(fixture, fixture->head->path, "/t"));
	assert_true(fixture_text_is(fixture, fixture->head->query, "u"));
	fixture_free(fixture);
}

static void a_response_is_edited(void **state)
{
	struct fixture *fixture = fixture_new();
	struct list list = {.len = 0};
	enum http_error error;

	(void)state;
	fixture_response(fixture, RESPONSE, SLUICE_METHOD_GET);
	list_put_text(&list, SLUICE_EDIT_STATUS, "", "404");
	list_put_text(&list, SLUICE_EDIT_SET, "server", "t");
	assert_int_equal(apply(fixture, list.bytes, list.len, &error), 0);
	assert_int_equal(fixture->head->status, 404);
	assert_int_equal(fixture->head->reason.len, 0);
	expect_fields(fixture, "Server: t\nX: 1\n");
	fixture_free(fixture);
}

static void an_empty_list_is_right(void **state)
{
	struct fixture *fixture = fixture_new();
	enum http_error error;

	(void)state;
	fixture_request(fixture, REQUEST);
	assert_int_equal(apply(fixture, (const uint8_t *)"", 0, &error), 0);
	assert_int_equal(http_edits_apply(fixture->head, &fixture->memory, NULL, 0, &error), 0);
	expect_fields(fixture, REQUEST_FIELDS);
	fixture_free(fixture);
}

/* --- what is refused ------------------------------------------------------------------- */

struct hostile {
	bool response;
	struct sluice_edit edit;
	struct bytes name, value;
	enum http_error error;
};

#define OP(op)                                                \
	{                                                     \
		SLUICE_EDIT_##op, 0, SLUICE_FIELD_OTHER, 0, 0 \
	}
#define OP_ID(op, id)                                        \
	{                                                    \
		SLUICE_EDIT_##op, 0, SLUICE_FIELD_##id, 0, 0 \
	}
#define ROW(response, edit, name, value, error)                                    \
	{                                                                          \
		response, edit, BYTES(name), BYTES(value), HTTP_ERROR_EDIT_##error \
	}
#define REQ(op, name, value, error) ROW(false, OP(op), name, value, error)
#define RES(op, name, value, error) ROW(true, OP(op), name, value, error)

static const struct hostile hostile[] = {
	/* records */
	{false, {0, 0, 0, 0, 0}, BYTES("A"), BYTES("b"), HTTP_ERROR_EDIT_OP},
	{false, {6, 0, 0, 0, 0}, BYTES("A"), BYTES("b"), HTTP_ERROR_EDIT_OP},
	{false, {255, 0, 0, 0, 0}, BYTES("A"), BYTES("b"), HTTP_ERROR_EDIT_OP},
	{false, {SLUICE_EDIT_SET, 1, 0, 0, 0}, BYTES("A"), BYTES("b"), HTTP_ERROR_EDIT_LIST},
	REQ(REMOVE, "A", "b", LIST),
	REQ(TARGET, "A", "/", LIST),
	RES(STATUS, "A", "200", LIST),
	/* names */
	REQ(SET, "", "b", NAME),
	REQ(SET, "A ", "b", NAME),
	REQ(SET, "A:", "b", NAME),
	REQ(ADD, "A\r\nB", "b", NAME),
	REQ(ADD, "A\0", "b", NAME),
	REQ(REMOVE, "A\n", "", NAME),
	REQ(SET, "\xe4", "b", NAME),
	ROW(false, OP_ID(SET, ACCEPT), "Via", "b", NAME),
	ROW(false, OP_ID(SET, VIA), "X", "b", NAME),
	{false, {SLUICE_EDIT_SET, 0, 65535, 0, 0}, BYTES("Via"), BYTES("b"), HTTP_ERROR_EDIT_NAME},
	/* values */
	REQ(SET, "A", "b\r\nC: d", VALUE),
	REQ(SET, "A", "b\rc", VALUE),
	REQ(SET, "A", "b\nc", VALUE),
	REQ(ADD, "A", "b\0c", VALUE),
	REQ(ADD, "A", "b\r\n", VALUE),
	REQ(ADD, "A", "\x01", VALUE),
	REQ(ADD, "A", "\x7f", VALUE),
	RES(SET, "A", "0123456789abcdef0123456789abcdef\n", VALUE),
	/* the manager's own fields */
	REQ(SET, "Content-Length", "5", FIELD),
	REQ(ADD, "content-length", "5", FIELD),
	REQ(REMOVE, "Content-Length", "", FIELD),
	ROW(false, OP_ID(SET, CONTENT_LENGTH), "Content-Length", "5", FIELD),
	RES(SET, "Transfer-Encoding", "chunked", FIELD),
	RES(REMOVE, "TRANSFER-ENCODING", "", FIELD),
	REQ(SET, "Connection", "close", FIELD),
	REQ(ADD, "Keep-Alive", "x", FIELD),
	REQ(ADD, "Proxy-Connection", "x", FIELD),
	REQ(ADD, "TE", "trailers", FIELD),
	REQ(ADD, "Upgrade", "x", FIELD),
	REQ(REMOVE, "Host", "", FIELD),
	RES(SET, "Host", "a", FIELD),
	/* hosts */
	REQ(SET, "Host", "", HOST),
	REQ(SET, "Host", "a, b", HOST),
	REQ(ADD, "Host", "u@a", HOST),
	REQ(SET, "Host", "a:99999", HOST),
	/* targets */
	REQ(TARGET, "", "", TARGET),
	REQ(TARGET, "", "a", TARGET),
	REQ(TARGET, "", "*", TARGET),
	REQ(TARGET, "", "/a b", TARGET),
	REQ(TARGET, "", "/a HTTP/1.1\r\nX: y\r\n\r\n", TARGET),
	REQ(TARGET, "", "/\0", TARGET),
	REQ(TARGET, "", "/#", TARGET),
	REQ(TARGET, "", "http://a,b/", TARGET),
	RES(TARGET, "", "/", OP),
	/* status */
	REQ(STATUS, "", "200", OP),
	RES(STATUS, "", "", STATUS),
	RES(STATUS, "", "20", STATUS),
	RES(STATUS, "", "2000", STATUS),
	RES(STATUS, "", "2x0", STATUS),
	RES(STATUS, "", "100", STATUS),
	RES(STATUS, "", "101", STATUS),
	RES(STATUS, "", "600", STATUS),
	RES(STATUS, "", "000", STATUS),
};

/* Before and after something right: nothing of either list is done. */
static void check_hostile(struct fixture *fixture, const struct hostile *row, bool last)
{
	static char before[FIXTURE_DUMP], after[FIXTURE_DUMP];
	struct list list = {.len = 0};
	enum http_error error;

	if (row->response)
		fixture_response(fixture, RESPONSE, SLUICE_METHOD_GET);
	else
		fixture_request(fixture, REQUEST);
	fixture_dump(fixture, before);
	if (last)
		list_put_text(&list, SLUICE_EDIT_SET, "X", "changed");
	list_put(&list, row->edit, row->name, row->value);
	if (!last)
		list_put_text(&list, SLUICE_EDIT_SET, "X", "changed");
	assert_int_equal(apply(fixture, list.bytes, list.len, &error), -EINVAL);
	if (error != row->error)
		fail_msg("%s instead of %s for %s: %s", http_error_counter(error),
			 http_error_counter(row->error), row->name.data, row->value.data);
	fixture_dump(fixture, after);
	assert_string_equal(before, after);
	assert_int_equal(fixture->head->text_used, 0);
}

static void a_bad_list_changes_nothing(void **state)
{
	struct fixture *fixture = fixture_new();

	(void)state;
	for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
		check_hostile(fixture, &hostile[i], false);
		check_hostile(fixture, &hostile[i], true);
	}
	fixture_free(fixture);
}

static void a_connect_keeps_its_host(void **state)
{
	struct fixture *fixture = fixture_new();
	struct list list = {.len = 0};
	enum http_error error;

	(void)state;
	fixture_request(fixture, "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n");
	list_put_text(&list, SLUICE_EDIT_SET, "Host", "z:1");
	assert_int_equal(apply(fixture, list.bytes, list.len, &error), -EINVAL);
	assert_int_equal(error, HTTP_ERROR_EDIT_FIELD);
	list.len = 0;
	list_put_text(&list, SLUICE_EDIT_TARGET, "", "z:1");
	assert_int_equal(apply(fixture, list.bytes, list.len, &error), 0);
	assert_true(fixture_text_is(fixture, fixture->head->target, "z:1"));
	assert_true(fixture_text_is(fixture, fixture->head->host, "z:1"));
	expect_fields(fixture, "Host: z:1\n");
	fixture_free(fixture);
}

static void a_list_cut_short_is_refused(void **state)
{
	struct fixture *fixture = fixture_new();
	struct list list = {.len = 0};
	enum http_error error;
	uint32_t first;

	(void)state;
	fixture_request(fixture, REQUEST);
	list_put_text(&list, SLUICE_EDIT_SET, "X", "a");
	first = list.len;
	list_put_text(&list, SLUICE_EDIT_SET, "Y", "bcd");
	for (uint32_t len = 1; len < list.len; len++) {
		/* the padding of the last record may be missing */
		bool whole = (len >= 8 + 2 && len <= first) || len >= first + 8 + 4;

		fixture_request(fixture, REQUEST);
		assert_int_equal(apply(fixture, list.bytes, len, &error), whole ? 0 : -EINVAL);
		assert_int_equal(error, whole ? HTTP_OK : HTTP_ERROR_EDIT_LIST);
	}
	fixture_free(fixture);
}

static void lengths_that_lie_are_refused(void **state)
{
	struct fixture *fixture = fixture_new();
	struct sluice_edit edit = {.op = SLUICE_EDIT_SET, .name_len = 65535, .value_len = 65535};
	uint8_t bytes[64] = "";
	enum http_error error;

	(void)state;
	fixture_request(fixture, REQUEST);
	memcpy(bytes, &edit, sizeof edit);
	assert_int_equal(apply(fixture, bytes, sizeof bytes, &error), -EINVAL);
	assert_int_equal(error, HTTP_ERROR_EDIT_LIST);
	edit.name_len = 1;
	edit.value_len = sizeof bytes - sizeof edit;
	memcpy(bytes, &edit, sizeof edit);
	assert_int_equal(apply(fixture, bytes, sizeof bytes, &error), -EINVAL);
	assert_int_equal(error, HTTP_ERROR_EDIT_LIST);
	fixture_free(fixture);
}

static void a_list_that_does_not_fit_changes_nothing(void **state)
{
	struct fixture *fixture = fixture_new();
	struct list list = {.len = 0};
	enum http_error error;

	(void)state;
	fixture_request(fixture, REQUEST);
	list_put_text(&list, SLUICE_EDIT_SET, "X", "123");
	list_put_text(&list, SLUICE_EDIT_SET, "Y", "456");
	fixture->head->text_size = 7;
	assert_int_equal(apply(fixture, list.bytes, list.len, &error), -ENOSPC);
	assert_int_equal(error, HTTP_ERROR_EDIT_ROOM);
	fixture->head->text_size = 8;
	fixture->head->fields_size = fixture->head->fields + 1u;
	assert_int_equal(apply(fixture, list.bytes, list.len, &error), -ENOSPC);
	expect_fields(fixture, REQUEST_FIELDS);
	assert_int_equal(fixture->head->text_used, 0);
	fixture->head->fields_size++;
	assert_int_equal(apply(fixture, list.bytes, list.len, &error), 0);
	fixture_free(fixture);
}

static void a_target_is_given_room_for_its_path(void **state)
{
	struct fixture *fixture = fixture_new();
	struct list list = {.len = 0};
	enum http_error error;

	(void)state;
	fixture_request(fixture, REQUEST);
	list_put_text(&list, SLUICE_EDIT_TARGET, "", "http://n?query");
	fixture->head->text_size = 2 * 14;
	assert_int_equal(apply(fixture, list.bytes, list.len, &error), -ENOSPC);
	assert_int_equal(error, HTTP_ERROR_EDIT_ROOM);
	fixture->head->text_size++;
	assert_int_equal(apply(fixture, list.bytes, list.len, &error), 0);
	assert_true(fixture_text_is(fixture, fixture->head->target, "/?query"));
	assert_true(fixture_text_is(fixture, fixture->head->host, "n"));
	expect_fields(fixture, "Host: n\nX: 1\nAccept: 2\nx: 3\naccept: 4\nETag: 5\n");
	fixture_free(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_is_applied_in_order),
		cmocka_unit_test(a_response_is_edited),
		cmocka_unit_test(an_empty_list_is_right),
		cmocka_unit_test(a_bad_list_changes_nothing),
		cmocka_unit_test(a_connect_keeps_its_host),
		cmocka_unit_test(a_list_cut_short_is_refused),
		cmocka_unit_test(lengths_that_lie_are_refused),
		cmocka_unit_test(a_list_that_does_not_fit_changes_nothing),
		cmocka_unit_test(a_target_is_given_room_for_its_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
