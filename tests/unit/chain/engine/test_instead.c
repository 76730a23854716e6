/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers that functions give in place of the origin's, or because it gives none. */
#include <string.h>

#include "tests/unit/chain/engine/bench.h"
#include "tests/unit/chain/engine/bench_internal.h"

static const struct options two = {.path = 2};

static struct fake *f(unsigned i)
{
	return bench.fakes[i];
}

static uint16_t shown; /* the status of the response head that `better` saw last */

static void answer(struct fake *fake, const struct sluice_down *down, const char *text,
		   uint32_t tag)
{
	struct sluice_up up = fake_answer(down, SLUICE_RESPOND);
	struct edits edits = {.len = 0};
	uint32_t len = (uint32_t)strlen(text);

	up.status = 200;
	up.respond.body_bytes = len;
	up.flags = SLUICE_UP_END;
	up.slices = 1;
	up.respond.slice = fake_slice(fake, 64, text, len, tag);
	edit_add(&edits, SLUICE_EDIT_ADD, "X-Instead", "yes");
	fake_say_text(fake, up, edits.bytes, edits.len);
}

/* Answers every response head with a text of its own. */
static void better(struct fake *fake, const struct sluice_down *down)
{
	if (down->kind == SLUICE_DOWN_RESPONSE_HEAD) {
		shown = fake_head(fake, down)->status;
		answer(fake, down, "better", 7);
	} else {
		fake_pass(fake, down);
	}
}

static void hear_better(struct peer *c)
{
	const char *head = hear_head(c);

	head_has(head, "HTTP/1.1 200 OK\r\n");
	head_has(head, "X-Instead: yes\r\n");
	head_has(head, "Content-Length: 6\r\n");
	head_lacks(head, "X-Origin");
	hear(c, "better");
}

/* A 304 has no body: the origin's connection is used again. */
static void test_304(void **state)
{
	struct peer *c, *o = NULL;

	(void)state;
	bench_open(&two);
	f(1)->on = better;
	c = client_open();
	for (unsigned i = 1; i <= 3; i++) {
		say(c, GET("/"));
		if (!o)
			o = origin_accept(0);
		hear_head(o);
		say(o, "HTTP/1.1 304 Not Modified\r\nX-Origin: 1\r\n\r\n");
		hear_better(c);
		assert_int_equal(shown, 304);
		assert_int_equal(f(0)->heads[1], i); /* the one before sees the new answer */
	}
	assert_false(origin_has_new(0));
	until(f(1)->releases == 3);
	assert_int_equal(counted(offences), 0);
	bench_check_idle();
	bench_close();
}

/* A body that nobody will read is not waited for: its connection ends. */
static void test_body_given_up(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&two);
	f(1)->on = better;
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, "HTTP/1.1 500 Oh\r\nContent-Length: 100000\r\n\r\nxyz");
	hear_better(c);
	assert_int_equal(shown, 500);
	until(o->ended || o->closed);
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, "HTTP/1.1 304 Not Modified\r\n\r\n");
	hear_better(c);
	bench_close();
}

static void test_no_server(void **state)
{
	struct peer *c;

	(void)state;
	bench_open(&two);
	f(0)->on = better;
	bench.refuse[0] = true;
	c = client_open();
	say(c, GET("/"));
	hear_better(c);
	assert_int_equal(shown, 502);
	assert_int_equal(f(1)->heads[1], 1); /* it looked, and let it pass */
	bench.refuse[0] = false;
	bench_close();
}

/* It hangs up before it has answered. */
static void test_no_answer(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&two);
	f(0)->on = better;
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	peer_shut(o);
	hear_better(c);
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, "HTTP/1.1 nonsense\r\n\r\n");
	hear_better(c);
	assert_int_equal(shown, 502);
	bench_close();
}

static void test_too_late(void **state)
{
	struct options options = {.path = 2, .response_ms = 200, .body_ms = 30000};
	struct peer *c, *o;

	(void)state;
	bench_open(&options);
	f(0)->on = better;
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	hear_better(c);
	assert_int_equal(shown, 504);
	bench_close();
}

/* Nobody answers: the engine's own error, as without functions. */
static void test_nobody(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&two);
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	peer_shut(o);
	head_has(hear_head(c), "HTTP/1.1 502 ");
	assert_int_equal(f(0)->heads[1], 1);
	assert_int_equal(f(1)->heads[1], 1);
	assert_int_equal(counted(responses_own), 1);
	bench_close();
}

/* The function behind gives a long answer; the one before answers instead of it. */
static void endless(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_RESPOND);

	if (down->kind != SLUICE_DOWN_REQUEST_HEAD)
		return;
	up.status = 200;
	up.respond.body_bytes = 10;
	up.slices = 1;
	up.respond.slice = fake_slice(fake, 64, "12345", 5, 42);
	fake_say(fake, &up);
	fake->last[0] = *down;
}

static void test_of_a_function(void **state)
{
	struct sluice_up up;
	struct peer *c;

	(void)state;
	bench_open(&two);
	f(0)->on = better;
	f(1)->on = endless;
	c = client_open();
	say(c, GET("/"));
	hear_better(c);
	until(f(1)->releases == 1);
	up = fake_answer(&f(1)->last[0], SLUICE_PASS); /* it does not know */
	up.kind = SLUICE_UP_EMIT;
	up.flags = SLUICE_UP_END;
	up.slices = 1;
	up.slice[0] = fake_slice(f(1), 128, "67890", 5, 43);
	fake_say(f(1), &up);
	until(f(1)->releases == 2);
	assert_int_equal(counted(offences), 0);
	bench_check_idle();
	bench_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_304),           cmocka_unit_test(test_body_given_up),
		cmocka_unit_test(test_no_server),     cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_too_late),      cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_of_a_function),
	};

	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
