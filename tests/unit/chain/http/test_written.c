/* SPDX-License-Identifier: BSD-3-Clause */
/* Heads that were written before: their text is what the writer makes. */
#include <errno.h>
#include <stdlib.h>

#include "chain/http/edit.h"
#include "chain/http/written.h"
#include "fixture.h"

#define ROOM         4096
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct http_writtens writtens;

static const char *const requests[] = {
	"GET /a HTTP/1.1\r\nHost: h\r\nAccept: */*\r\n\r\n",
	"POST /p HTTP/1.1\r\nHost: h\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
	"GET / HTTP/1.0\r\nAccept: */*\r\n\r\n",
};

static const char *const responses[] = {
	"HTTP/1.1 200 OK\r\nServer: s\r\n\r\n",
	"HTTP/1.1 404 Not here\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nVia: 1.1 a\r\n\r\n",
	"HTTP/1.1 299\r\n\r\n",
};

static const char *const dates[] = {
	NULL,
	"Sun, 06 Nov 1994 08:49:37 GMT",
	"Mon, 07 Nov 1994 08:49:38 GMT",
};

/* All that there is to say of how it is written. */
static const struct http_write hows[] = {
	{.framing = HTTP_BODY_NONE},
	{.framing = HTTP_BODY_LENGTH, .length = 5},
	{.framing = HTTP_BODY_LENGTH, .length = 1234567},
	{.framing = HTTP_BODY_CHUNKED},
	{.framing = HTTP_BODY_CHUNKED, .connection = HTTP_CONNECTION_CLOSE},
	{.framing = HTTP_BODY_NONE, .connection = HTTP_CONNECTION_UPGRADE},
	{.framing = HTTP_BODY_NONE, .connection = HTTP_CONNECTION_KEEP_ALIVE},
	{.framing = HTTP_BODY_UNTIL_CLOSE},
};

static int write_anew(const struct fixture *fixture, const struct http_write *how, uint8_t *out,
		      uint32_t size)
{
	return fixture->head->response
		       ? http_write_response(fixture->head, &fixture->memory, how, out, size)
		       : http_write_request(fixture->head, &fixture->memory, how, out, size);
}

static void assert_both_ways_are_one(const struct fixture *fixture, const struct http_write *how)
{
	uint8_t whole[ROOM], other[ROOM];
	int len = write_anew(fixture, how, whole, ROOM);

	memset(other, 0x5a, sizeof(other));
	assert_int_equal(
		http_writtens_head(&writtens, fixture->head, &fixture->memory, how, other, ROOM),
		len);
	if (len > 0)
		assert_memory_equal(other, whole, (size_t)len);
	if (len > 0 && len < ROOM)
		assert_int_equal(other[len], 0x5a);
}

/* In every order, so that each finds what the one before has left. */
static void in_every_way(struct fixture *fixture)
{
	for (unsigned i = 0; i < 3 * COUNT(hows) * COUNT(dates); i++) {
		struct http_write how = hows[i * 5 % COUNT(hows)];

		how.date = dates[i / 2 % COUNT(dates)];
		how.host = http_bytes_of(i % 3 ? "10.0.0.1" : "10.0.0.2:81");
		for (unsigned time = 0; time < 2; time++)
			assert_both_ways_are_one(fixture, &how);
	}
}

static void heads_are_written_the_same(void **state)
{
	struct fixture *fixture = *state;

	for (unsigned i = 0; i < COUNT(requests); i++) {
		fixture_request(fixture, requests[i]);
		fixture->head->same = i + 1;
		in_every_way(fixture);
	}
	for (unsigned i = 0; i < COUNT(responses); i++) {
		fixture_response(fixture, responses[i], SLUICE_METHOD_GET);
		fixture->head->same = 100 + i;
		in_every_way(fixture);
	}
}

static unsigned kept(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < HTTP_WRITTENS; i++)
		n += writtens.at[i].same != 0;
	return n;
}

static void what_has_no_number_is_not_kept(void **state)
{
	struct fixture *fixture = *state;

	fixture_request(fixture, requests[0]);
	in_every_way(fixture);
	assert_int_equal(kept(), 0);
	fixture_request(fixture, requests[2]); /* its host is the caller's */
	fixture->head->same = 1;
	in_every_way(fixture);
	assert_int_equal(kept(), 0);
}

/* The very text is taken, and no other: it is another one where a byte of it is put wrong. */
static void known_text_is_copied(void **state)
{
	struct fixture *fixture = *state;
	const struct http_write how = {.framing = HTTP_BODY_NONE};
	uint8_t out[ROOM];
	int len;

	fixture_request(fixture, requests[0]);
	fixture->head->same = 1;
	assert_both_ways_are_one(fixture, &how);
	assert_int_equal(kept(), 1);
	for (unsigned i = 0; i < HTTP_WRITTENS; i++)
		writtens.at[i].text[0] = '!';
	len = http_writtens_head(&writtens, fixture->head, &fixture->memory, &how, out, ROOM);
	assert_true(len > 0);
	assert_int_equal(out[0], '!');
	fixture->head->same = 2;
	assert_both_ways_are_one(fixture, &how);
}

static void it_has_to_fit(void **state)
{
	struct fixture *fixture = *state;
	const struct http_write how = {.framing = HTTP_BODY_NONE};
	uint8_t out[ROOM];
	int len;

	fixture_request(fixture, requests[0]);
	fixture->head->same = 1;
	len = http_writtens_head(&writtens, fixture->head, &fixture->memory, &how, out, ROOM);
	assert_true(len > 0);
	assert_int_equal(http_writtens_head(&writtens, fixture->head, &fixture->memory, &how, out,
					    (uint32_t)len - 1),
			 -ENOSPC);
	assert_int_equal(http_writtens_head(&writtens, fixture->head, &fixture->memory, &how, out,
					    (uint32_t)len),
			 len);
}

/* More heads than there is room for: none is taken for another. */
static void heads_take_each_others_place(void **state)
{
	struct fixture *fixture = *state;
	struct http_write how = {.framing = HTTP_BODY_LENGTH};

	fixture_response(fixture, responses[0], SLUICE_METHOD_GET);
	for (unsigned i = 0; i < 8 * HTTP_WRITTENS; i++) {
		fixture->head->status = (uint16_t)(200 + i % 100);
		fixture->head->same = 1 + i % 100;
		how.length = i / 4;
		assert_both_ways_are_one(fixture, &how);
	}
}

static int begin(void **state)
{
	memset(&writtens, 0, sizeof(writtens));
	*state = fixture_new();
	return 0;
}

static int end(void **state)
{
	fixture_free(*state);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(heads_are_written_the_same),   TEST(what_has_no_number_is_not_kept),
		TEST(known_text_is_copied),         TEST(it_has_to_fit),
		TEST(heads_take_each_others_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
