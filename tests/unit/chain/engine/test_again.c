/* SPDX-License-Identifier: BSD-3-Clause */
/* Exchanges that come again: each time the same is made of them, however much of it is known. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/chain/engine/bench.h"

#define ROUNDS 9
#define REQUEST \
	"GET /old?q HTTP/1.1\r\nHost: a\r\nX-Gone: 1\r\nX-Set: 0\r\nRange: bytes=0-1\r\n\r\n"
#define ANSWER                                                                                    \
	"HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nX-Gone: 1\r\nContent-Length: " \
	"2\r\n\r\n"

static const struct options two = {.path = 2};
static const char *suffix; /* of what the functions write */

static struct fake *f(unsigned i)
{
	return bench.fakes[i];
}

static const char *value_of(const struct fake *fake)
{
	static char value[32];

	snprintf(value, sizeof(value), "%s%s", fake->function ? "two" : "one", suffix);
	return value;
}

static void edit(struct fake *fake, const struct sluice_down *down)
{
	struct edits edits = {.len = 0};
	struct sluice_up up = fake_answer(down, SLUICE_PASS);

	if (down->kind == SLUICE_DOWN_REQUEST_HEAD) {
		/* what the one before made of it */
		const char *set = head_field(fake_head(fake, down), "X-Set");
		char expected[32];

		snprintf(expected, sizeof(expected), "one%s", suffix);
		assert_string_equal(set, fake->function ? expected : "0");
		edit_add(&edits, SLUICE_EDIT_SET, "X-Set", value_of(fake));
		edit_add(&edits, SLUICE_EDIT_REMOVE, "X-Gone", "");
		edit_add(&edits, SLUICE_EDIT_TARGET, "", "/new?x");
	} else if (down->kind == SLUICE_DOWN_RESPONSE_HEAD) {
		edit_add(&edits, SLUICE_EDIT_STATUS, "", "203");
		edit_add(&edits, SLUICE_EDIT_REMOVE, "X-Gone", "");
		edit_add(&edits, SLUICE_EDIT_ADD, "X-Up", value_of(fake));
	} else {
		return;
	}
	fake_say_text(fake, up, edits.bytes, edits.len);
}

static void exchange(struct peer *c, struct peer **o, const char *request, const char *answer)
{
	say(c, REQUEST);
	if (!*o)
		*o = origin_accept(0);
	assert_string_equal(hear_head(*o), request);
	say(*o, ANSWER);
	say(*o, "hi");
	assert_string_equal(hear_head(c), answer);
	hear(c, "hi");
	bench_run_ms(1);
}

/* What is written of it, with that suffix. */
static void expect(char *request, char *answer, size_t size)
{
	snprintf(request, size,
		 "GET /new?x HTTP/1.1\r\nHost: a\r\nX-Set: two%s\r\nRange: "
		 "bytes=0-1\r\n\r\n",
		 suffix);
	snprintf(answer, size,
		 "HTTP/1.1 203 Non-Authoritative Information\r\nDate: Sun, 06 Nov 1994 08:49:37 "
		 "GMT\r\nX-Up: two%s\r\nX-Up: one%s\r\nContent-Length: 2\r\n\r\n",
		 suffix, suffix);
}

/* Functions say the same, something else in between, and the same once more. */
static void test_the_same_is_made_of_it(void **state)
{
	static const char *const suffixes[] = {"", "-other", ""};
	char request[512], answer[512];
	struct peer *c, *o = NULL;

	(void)state;
	bench_open(&two);
	f(0)->on = f(1)->on = edit;
	c = client_open();
	for (unsigned i = 0; i < ROUNDS; i++) {
		suffix = suffixes[i / 3];
		expect(request, answer, sizeof(request));
		exchange(c, &o, request, answer);
	}
	assert_int_equal(counted(requests), ROUNDS);
	assert_int_equal(counted(offences), 0);
	assert_int_equal(counted(origin_reused), ROUNDS - 1);
	bench_check_idle();
	bench_close();
}

/* What is said of a body's length is not lost: of the same head, one round with, and one without.
 */
static void resize(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_PASS);
	struct edits edits = {.len = 0};

	if (down->kind != SLUICE_DOWN_RESPONSE_HEAD) {
		fake_pass(fake, down);
		return;
	}
	assert_int_equal(fake_head(fake, down)->body_bytes,
			 fake->function || !*suffix ? 2 : SLUICE_LENGTH_UNKNOWN);
	if (fake->function && *suffix)
		up.flags = SLUICE_UP_RESIZE;
	edit_add(&edits, SLUICE_EDIT_ADD, "X-Up", "1");
	fake_say_text(fake, up, edits.bytes, edits.len);
}

static void test_lengths_are_of_each_exchange(void **state)
{
	struct peer *c, *o = NULL;

	(void)state;
	bench_open(&two);
	f(0)->on = f(1)->on = resize;
	c = client_open();
	for (unsigned i = 0; i < ROUNDS; i++) {
		const char *head;

		suffix = i % 3 == 2 ? "resized" : "";
		say(c, GET("/"));
		if (!o)
			o = origin_accept(0);
		hear_head(o);
		say(o, OK(2) "hi");
		head = hear_head(c);
		head_has(head, *suffix ? "Transfer-Encoding: chunked" : "Content-Length: 2");
		head_has(head, "X-Up: 1\r\nX-Up: 1\r\n");
		hear(c, *suffix ? "2\r\nhi\r\n0\r\n\r\n" : "hi");
	}
	assert_int_equal(counted(offences), 0);
	bench_close();
}

/* An answer of HTTP/1.0's client ends its connection, the same head to another does not. */
static void test_connections_are_of_each_exchange(void **state)
{
	struct peer *o = NULL;

	(void)state;
	bench_open(&two);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct peer *c = client_open();
		const char *head;

		say(c, i % 2 ? "GET / HTTP/1.0\r\nHost: a.example\r\n\r\n" : GET("/"));
		if (!o)
			o = origin_accept(0);
		hear_head(o);
		say(o, OK(2) "hi");
		head = hear_head(c);
		if (i % 2)
			head_has(head, "Connection: close");
		else
			head_lacks(head, "Connection:");
		hear(c, "hi");
		if (i % 2)
			hear_end(c);
	}
	bench_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_same_is_made_of_it),
		cmocka_unit_test(test_lengths_are_of_each_exchange),
		cmocka_unit_test(test_connections_are_of_each_exchange),
	};

	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
