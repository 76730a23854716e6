/* SPDX-License-Identifier: BSD-3-Clause */
/* Heads that came before: what is made of them is what the parser makes of them. */
#include <stdio.h>
#include <stdlib.h>

#include "chain/http/edit.h"
#include "chain/http/known.h"
#include "fixture.h"

static struct http_knowns knowns;
static struct http_numbers numbers;

static const char *const requests[] = {
	"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
	"POST /p?q=1 HTTP/1.1\r\nHost: example.org\r\nContent-Length: 5\r\nCookie: "
	"a=b\r\n\r\nhello",
	"GET http://other.example/x HTTP/1.1\r\nHost: a\r\nAccept: */*\r\nAccept: "
	"text/html\r\n\r\n",
	"PUT /u HTTP/1.0\r\nConnection: keep-alive, X-Named\r\nX-Named: 1\r\nX-Other: 2\r\n\r\n",
	"GET /up HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
	"\r\nGET /after-an-empty-line HTTP/1.1\r\nHost: a\r\n\r\n",
};

static const char *const responses[] = {
	"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
	"HTTP/1.1 404 Not here\r\nVia: 1.1 a\r\nVia: 1.1 b\r\nTransfer-Encoding: chunked\r\n\r\n0",
	"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n",
	"HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\nContent-Length: 7\r\n\r\n",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct http_known_of of_request(const struct fixture *fixture)
{
	return (struct http_known_of){.limits = &fixture->limits};
}

static struct http_known_of of_response(const struct fixture *fixture)
{
	return (struct http_known_of){
		.limits = &fixture->limits, .response = true, .method = SLUICE_METHOD_GET};
}

/* The whole way. */
static void made(struct fixture *fixture, const char *message, const struct http_known_of *of,
		 struct http_framing *framing)
{
	enum http_error error;

	memset(fixture->head, 0xa5, FIXTURE_SLOT_BYTES);
	if (of->response)
		fixture_response(fixture, message, of->method);
	else
		fixture_request(fixture, message);
	error = of->response ? http_framing_response(fixture->head, &fixture->memory, framing)
			     : http_framing_request(fixture->head, &fixture->memory, framing);
	assert_int_equal(error, HTTP_OK);
}

static void keep(struct fixture *fixture, const char *message, const struct http_known_of *of)
{
	struct http_framing framing;

	made(fixture, message, of, &framing);
	assert_int_equal(fixture->head->same, 0);
	http_known_keep(&knowns, &numbers, of, &fixture->run[0], (uint32_t)fixture->taken,
			fixture->head, &framing);
}

/* It is kept when it comes the second time. */
static void know(struct fixture *fixture, const char *message, const struct http_known_of *of)
{
	keep(fixture, message, of);
	keep(fixture, message, of);
}

/* The short way, in a slot that has what was there before; its length. */
static uint32_t recalled(struct fixture *fixture, const struct http_known_of *of,
			 struct http_framing *framing)
{
	memset(fixture->head, 0x5a, FIXTURE_SLOT_BYTES);
	assert_int_equal(http_head_shape(fixture->head, sluice_ref(0, 64), FIXTURE_SLOT_BYTES,
					 FIXTURE_FIELDS),
			 0);
	return http_known_recall(&knowns, of, &fixture->run[0], fixture->head, framing);
}

static void assert_both_ways_are_one(struct fixture *fixture, const char *message,
				     const struct http_known_of *of)
{
	static char whole[FIXTURE_DUMP], shorter[FIXTURE_DUMP];
	struct http_framing framing, again;
	struct sluice_head head;

	know(fixture, message, of);
	made(fixture, message, of, &framing);
	fixture_dump(fixture, whole);
	head = *fixture->head;
	head.same = numbers.last;
	assert_int_equal(recalled(fixture, of, &again), fixture->taken);
	fixture_dump(fixture, shorter);
	assert_string_equal(shorter, whole);
	assert_memory_equal(fixture->head, &head, offsetof(struct sluice_head, client));
	assert_memory_equal(fixture->head->base, head.base, 2 * sizeof(head.base[0]));
	assert_int_equal(fixture->head->text_used, head.text_used);
	assert_int_equal(fixture->head->text_size, head.text_size);
	assert_int_equal(again.kind, framing.kind);
	assert_int_equal(again.length, framing.length);
	assert_int_equal(again.keep_alive, framing.keep_alive);
	assert_int_equal(again.upgrade, framing.upgrade);
	assert_int_equal(again.expect_continue, framing.expect_continue);
}

static int clear(void **state)
{
	memset(&knowns, 0, sizeof(knowns));
	*state = fixture_new();
	return 0;
}

static int drop(void **state)
{
	fixture_free(*state);
	return 0;
}

static void what_came_before_is_made_the_same(void **state)
{
	struct http_known_of of = of_request(*state);

	for (unsigned i = 0; i < COUNT(requests); i++)
		assert_both_ways_are_one(*state, requests[i], &of);
	of = of_response(*state);
	for (unsigned i = 0; i < COUNT(responses); i++)
		assert_both_ways_are_one(*state, responses[i], &of);
}

static void once_is_not_enough(void **state)
{
	struct http_known_of of = of_request(*state);
	struct http_framing framing;

	keep(*state, requests[0], &of);
	assert_int_equal(recalled(*state, &of, &framing), 0);
	keep(*state, requests[0], &of);
	assert_int_not_equal(recalled(*state, &of, &framing), 0);
}

/* Wherever one byte is another one, or missing. */
static void only_the_very_same_is_known(void **state)
{
	struct fixture *fixture = *state;
	struct http_known_of of = of_request(fixture);
	struct http_framing framing;
	struct http_run *run = &fixture->run[0];
	uint32_t len;

	know(fixture, requests[1], &of);
	len = recalled(fixture, &of, &framing);
	assert_int_equal(len, strlen(requests[1]) - 5);
	for (uint32_t i = 0; i < len; i++) {
		fixture->block[0][i] ^= 1;
		assert_int_equal(recalled(fixture, &of, &framing), 0);
		fixture->block[0][i] ^= 1;
	}
	fixture->block[0][len] ^= 1; /* of its body */
	assert_int_equal(recalled(fixture, &of, &framing), len);
	run->len = len - 1;
	assert_int_equal(recalled(fixture, &of, &framing), 0);
}

/* What else it depends on. */
static void limits_and_methods_count(void **state)
{
	struct fixture *fixture = *state;
	struct http_known_of of = of_response(fixture), other = of;
	struct http_limits limits = fixture->limits;
	struct http_framing framing;

	know(fixture, responses[0], &of);
	other.method = SLUICE_METHOD_HEAD;
	assert_int_equal(recalled(fixture, &other, &framing), 0);
	other = of;
	other.response = false;
	assert_int_equal(recalled(fixture, &other, &framing), 0);
	other = of;
	other.limits = &limits;
	assert_int_not_equal(recalled(fixture, &other, &framing), 0);
	limits.max_fields = 0;
	assert_int_equal(recalled(fixture, &other, &framing), 0);
	limits = fixture->limits;
	limits.max_head_bytes = 20;
	assert_int_equal(recalled(fixture, &other, &framing), 0);
	limits = fixture->limits;
	limits.max_target_bytes--;
	assert_int_equal(recalled(fixture, &other, &framing), 0);
}

/* What has text of its own, or is long, or has many fields. */
static void not_everything_is_kept(void **state)
{
	static char message[4096];
	struct http_known_of of = of_request(*state);
	struct http_framing framing;

	know(*state, "GET http://only.host HTTP/1.1\r\nHost: a\r\n\r\n", &of);
	assert_int_equal(recalled(*state, &of, &framing), 0);
	snprintf(message, sizeof(message), "GET /%0*d HTTP/1.1\r\nHost: a\r\n\r\n",
		 HTTP_KNOWN_BYTES, 0);
	know(*state, message, &of);
	assert_int_equal(recalled(*state, &of, &framing), 0);
	strcpy(message, "GET / HTTP/1.1\r\nHost: a\r\n");
	for (unsigned i = 0; i < HTTP_CONTENT_FIELDS; i++)
		strcat(message, "A: b\r\n");
	strcat(message, "\r\n");
	know(*state, message, &of);
	assert_int_equal(recalled(*state, &of, &framing), 0);
}

/* A slot without room for its fields. */
static void it_has_to_fit(void **state)
{
	struct fixture *fixture = *state;
	struct http_known_of of = of_request(fixture);
	struct http_framing framing;

	know(fixture, requests[1], &of);
	assert_int_equal(http_head_init(fixture->head, sluice_ref(0, 64), FIXTURE_SLOT_BYTES, 2),
			 0);
	assert_int_equal(http_known_recall(&knowns, &of, &fixture->run[0], fixture->head, &framing),
			 0);
}

/* Each its own, the same whenever it comes, and another one when it was kept anew. */
static void what_is_known_has_a_number(void **state)
{
	struct fixture *fixture = *state;
	struct http_known_of of = of_request(fixture);
	struct http_framing framing;
	uint64_t first;

	know(fixture, requests[0], &of);
	first = fixture->head->same;
	assert_int_equal(first, numbers.last);
	assert_int_not_equal(recalled(fixture, &of, &framing), 0);
	assert_int_equal(fixture->head->same, first);
	know(fixture, requests[1], &of);
	assert_int_not_equal(fixture->head->same, first);
	memset(&knowns, 0, sizeof(knowns));
	know(fixture, requests[0], &of);
	assert_int_not_equal(fixture->head->same, first);
}

static void change_set(struct fixture *fixture)
{
	assert_int_equal(http_head_set(fixture->head, &fixture->memory, http_bytes_of("Accept"),
				       http_bytes_of("v")),
			 0);
}

static void change_add(struct fixture *fixture)
{
	assert_int_equal(http_head_add(fixture->head, http_bytes_of("X-New"), http_bytes_of("v")),
			 0);
}

static void change_put(struct fixture *fixture)
{
	assert_int_equal(http_head_put(fixture->head, &fixture->memory, http_bytes_of("ETag"),
				       http_bytes_of("v")),
			 0);
}

static void change_remove(struct fixture *fixture)
{
	assert_int_equal(http_head_remove(fixture->head, &fixture->memory, http_bytes_of("accept")),
			 2);
}

static void change_remove_id(struct fixture *fixture)
{
	assert_int_equal(http_head_remove_id(fixture->head, SLUICE_FIELD_ACCEPT), 2);
}

static void change_target(struct fixture *fixture)
{
	assert_int_equal(http_head_target(fixture->head, http_bytes_of("/other")), 0);
}

static void change_status(struct fixture *fixture)
{
	http_head_status(fixture->head, 203);
}

/* Who changes a head takes its number away. */
static void what_was_changed_has_none(void **state)
{
	static void (*const changes[])(struct fixture *) = {
		change_set,       change_add,    change_put,    change_remove,
		change_remove_id, change_target, change_status,
	};
	struct fixture *fixture = *state;
	struct http_known_of of = of_request(fixture);
	struct http_framing framing;

	know(fixture, requests[2], &of);
	for (unsigned i = 0; i < COUNT(changes); i++) {
		assert_int_not_equal(recalled(fixture, &of, &framing), 0);
		assert_int_not_equal(fixture->head->same, 0);
		changes[i](fixture);
		assert_int_equal(fixture->head->same, 0);
	}
	assert_int_not_equal(recalled(fixture, &of, &framing), 0);
	assert_int_equal(http_head_remove(fixture->head, &fixture->memory, http_bytes_of("absent")),
			 0);
	assert_int_not_equal(fixture->head->same, 0);
}

/* More heads than there is room for: each is known or not, and none is taken for another. */
static void heads_take_each_others_place(void **state)
{
	struct http_known_of of = of_request(*state);
	struct http_framing framing;
	char message[96];

	for (unsigned i = 0; i < 4 * HTTP_KNOWNS; i++) {
		snprintf(message, sizeof(message), "GET /%u HTTP/1.1\r\nHost: a\r\n\r\n", i);
		assert_both_ways_are_one(*state, message, &of);
	}
	for (unsigned i = 0; i < 4 * HTTP_KNOWNS; i++) {
		uint32_t len;

		snprintf(message, sizeof(message), "GET /%u HTTP/1.1\r\nHost: a\r\n\r\n", i);
		made(*state, message, &of, &framing);
		len = recalled(*state, &of, &framing);
		assert_true(len == 0 || len == strlen(message));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, clear, drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_came_before_is_made_the_same),
		TEST(once_is_not_enough),
		TEST(only_the_very_same_is_known),
		TEST(limits_and_methods_count),
		TEST(not_everything_is_kept),
		TEST(it_has_to_fit),
		TEST(what_is_known_has_a_number),
		TEST(what_was_changed_has_none),
		TEST(heads_take_each_others_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
