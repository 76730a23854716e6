/* SPDX-License-Identifier: BSD-3-Clause */
/* The bounds of a head: those that are configured, and those of its slot. */
#include <errno.h>
#include <stdlib.h>

#include "fixture.h"

static const struct bytes request =
	BYTES("GET /index.html?a=b HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: test/1.0\r\n"
	      "Accept: text/html,application/xhtml+xml\r\nAccept-Encoding: gzip, br\r\n"
	      "Cookie: session=0123456789abcdef\r\nX-One: 1\r\nX-Two: 2\r\n\r\n");

static void expect(struct fixture *fixture, struct bytes message, enum http_error error)
{
	fixture_parse_all(fixture, message, -1);
	assert_int_equal(fixture->parser.error, error);
}

static void the_whole_head_is_bounded(void **state)
{
	struct fixture *fixture = fixture_new();

	(void)state;
	fixture->limits.max_head_bytes = request.len;
	expect(fixture, request, HTTP_OK);
	fixture->limits.max_head_bytes = request.len - 1;
	expect(fixture, request, HTTP_ERROR_HEAD_BYTES);
	fixture->limits.max_head_bytes = 30;
	expect(fixture, request, HTTP_ERROR_HEAD_BYTES);
	fixture->limits.max_head_bytes = 29;
	expect(fixture, request, HTTP_ERROR_TARGET_LENGTH);
	fixture->limits.max_head_bytes = 0;
	expect(fixture, request, HTTP_ERROR_TARGET_LENGTH);
	fixture_free(fixture);
}

static void no_limit_goes_beyond_16_bits(void **state)
{
	struct fixture *fixture = fixture_new();
	struct bytes message = {NULL, 80000};
	char *text = malloc(message.len);

	(void)state;
	assert_non_null(text);
	memset(text, 'a', message.len);
	memcpy(text, "GET / HTTP/1.1\r\nHost: a\r\nb: ", 28);
	message.data = text;
	fixture->limits.max_head_bytes = UINT32_MAX;
	assert_int_equal(fixture_parse(fixture, message, -1), HTTP_HEAD_BAD);
	assert_int_equal(fixture->parser.error, HTTP_ERROR_HEAD_BYTES);
	message.len = HTTP_HEAD_BYTES_MAX;
	memcpy(text + message.len - 4, "\r\n\r\n", 4);
	assert_int_equal(fixture_parse(fixture, message, -1), HTTP_HEAD_DONE);
	assert_int_equal(fixture->head->field[1].value_len, HTTP_HEAD_BYTES_MAX - 28 - 4);
	memcpy(text + message.len - 4, "aaaaa\r\n\r\n", 9);
	message.len += 5;
	assert_int_equal(fixture_parse(fixture, message, -1), HTTP_HEAD_BAD);
	assert_int_equal(fixture->parser.error, HTTP_ERROR_HEAD_BYTES);
	free(text);
	fixture_free(fixture);
}

static void fields_are_counted(void **state)
{
	struct fixture *fixture = fixture_new();

	(void)state;
	fixture->limits.max_fields = 7;
	expect(fixture, request, HTTP_OK);
	fixture->limits.max_fields = 6;
	expect(fixture, request, HTTP_ERROR_HEAD_FIELDS);
	fixture_free(fixture);
}

static void targets_are_bounded(void **state)
{
	struct fixture *fixture = fixture_new();

	(void)state;
	fixture->limits.max_target_bytes = (uint32_t)strlen("/index.html?a=b");
	expect(fixture, request, HTTP_OK);
	fixture->limits.max_target_bytes--;
	expect(fixture, request, HTTP_ERROR_TARGET_LENGTH);
	fixture_free(fixture);
}

static void the_slot_bounds_fields_and_text(void **state)
{
	static uint64_t slot[256];
	struct sluice_head *head = (struct sluice_head *)slot;
	struct http_limits limits = HTTP_LIMITS_DEFAULT;
	struct http_run run = {(const uint8_t *)request.data, request.len, 0};
	struct http_head_parser parser;
	uint64_t taken;

	(void)state;
	assert_int_equal(http_head_init(head, 0, sizeof(struct sluice_head), 0), -EINVAL);
	assert_int_equal(http_head_init(head, 0, sizeof slot, 1000), -EINVAL);
	assert_int_equal(http_head_init(head, 0, UINT32_MAX, 65535), -EINVAL);
	assert_int_equal(http_head_init(head, 0, sizeof(struct sluice_head) + 7 * 16 + 1, 7), 0);
	http_head_reset(&parser, false, 0);
	assert_int_equal(http_head_feed(&parser, &limits, &run, 1, head, &taken), HTTP_HEAD_DONE);
	assert_int_equal(http_head_init(head, 0, sizeof slot, 6), 0);
	http_head_reset(&parser, false, 0);
	assert_int_equal(http_head_feed(&parser, &limits, &run, 1, head, &taken), HTTP_HEAD_BAD);
	assert_int_equal(parser.error, HTTP_ERROR_HEAD_FIELDS);
	assert_int_equal(http_head_init(head, 0, sizeof(struct sluice_head) + 7 * 16 + 4, 7), 0);
	http_head_reset(&parser, false, 0);
	run.len = 5;
	assert_int_equal(http_head_feed(&parser, &limits, &run, 1, head, &taken), HTTP_HEAD_BAD);
	assert_int_equal(parser.error, HTTP_ERROR_HEAD_TEXT);
}

static void a_path_that_is_made_needs_room(void **state)
{
	static uint64_t slot[256];
	static const char text[] = "GET http://h?q HTTP/1.1\r\nHost: h\r\n\r\n";
	struct sluice_head *head = (struct sluice_head *)slot;
	struct http_limits limits = HTTP_LIMITS_DEFAULT;
	struct http_run run = {(const uint8_t *)text, sizeof text - 1, 0};
	struct http_head_parser parser;
	uint64_t taken;

	(void)state;
	for (uint32_t room = 1; room <= 3; room++) {
		uint32_t size = (uint32_t)sizeof(struct sluice_head) + 16 + room;

		assert_int_equal(http_head_init(head, 0, size, 1), 0);
		http_head_reset(&parser, false, 0);
		assert_int_equal(http_head_feed(&parser, &limits, &run, 1, head, &taken),
				 room == 3 ? HTTP_HEAD_DONE : HTTP_HEAD_BAD);
		assert_int_equal(parser.error, room == 3 ? HTTP_OK : HTTP_ERROR_HEAD_TEXT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_whole_head_is_bounded),
		cmocka_unit_test(no_limit_goes_beyond_16_bits),
		cmocka_unit_test(fields_are_counted),
		cmocka_unit_test(targets_are_bounded),
		cmocka_unit_test(the_slot_bounds_fields_and_text),
		cmocka_unit_test(a_path_that_is_made_needs_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
