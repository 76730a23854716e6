/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests of functions' own, and what their answers come to. */
#include <errno.h>
#include <string.h>

#include "tests/unit/chain/engine/bench.h"
#include "tests/unit/chain/engine/bench_internal.h"

#define MB (1u << 20)

static struct fake *f(void)
{
	return bench.fakes[0];
}

static const struct options one = {.path = 1};

static unsigned heads, overs;
static uint32_t error;
static uint16_t status;
static char field[64];

/* Heads are looked at when they come: they are gone later. */
static void listen_to(struct fake *fake, const struct sluice_down *down)
{
	const struct sluice_head *head;

	fake_pass(fake, down);
	if (down->kind == SLUICE_DOWN_ASK_HEAD) {
		head = fake_head(fake, down);
		heads++;
		status = head->status;
		snprintf(field, sizeof(field), "%s", head_field(head, "x-user") ?: "");
	}
	if (down->kind == SLUICE_DOWN_ASK_END) {
		overs++;
		error = down->arg;
	}
}

static void open_with(const struct options *options)
{
	heads = overs = 0;
	error = UINT32_MAX;
	status = 0;
	bench_open(options);
	f()->on = listen_to;
}

struct text {
	struct sluice_ask_text is;
	uint8_t rest[SLUICE_EDITS_MAX_BYTES];
};

static void ask_with(uint32_t number, struct sluice_ask_text is, const struct edits *edits,
		     const char *body)
{
	struct sluice_up up = {
		.exchange = number, .generation = 1000 + number, .kind = SLUICE_UP_ASK};
	struct text text = {.is = is};

	text.is.edits_bytes = edits->len;
	text.is.body_bytes = (uint32_t)strlen(body);
	memcpy(text.rest, edits->bytes, edits->len);
	memcpy(text.rest + edits->len, body, strlen(body));
	fake_say_text(f(), up, &text, (uint32_t)sizeof(text.is) + edits->len + text.is.body_bytes);
}

static const struct sluice_ask_text get = {.timeout_ms = 500, .method = SLUICE_METHOD_GET};

static void ask(uint32_t number, const char *target)
{
	struct edits edits = {.len = 0};

	edit_add(&edits, SLUICE_EDIT_TARGET, "", target);
	ask_with(number, get, &edits, "");
}

static void test_answered(void **state)
{
	struct sluice_ask_text post = {.timeout_ms = 500, .method = SLUICE_METHOD_POST};
	struct edits edits = {.len = 0};
	struct peer *o;

	(void)state;
	open_with(&one);
	edit_add(&edits, SLUICE_EDIT_TARGET, "", "/auth?x=1");
	edit_add(&edits, SLUICE_EDIT_ADD, "X-Path", "/a");
	edit_add(&edits, SLUICE_EDIT_ADD, "Host", "auth.example");
	ask_with(5, post, &edits, "who is it?");
	o = origin_accept(0);
	head_has(hear_head(o), "POST /auth?x=1 HTTP/1.1\r\n");
	hear(o, "who is it?");
	say(o, "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nX-User: "
	       "ann\r\nContent-Length: 5\r\n\r\nhello");
	until(overs == 1);
	assert_int_equal(error, 0);
	assert_int_equal(heads, 1);
	assert_int_equal(status, 200);
	assert_string_equal(field, "ann");
	assert_int_equal(f()->body_len[1], 5);
	assert_memory_equal(f()->body[1], "hello", 5);
	assert_int_equal(f()->last[SLUICE_DOWN_ASK_END].exchange, 5);
	assert_int_equal(f()->last[SLUICE_DOWN_ASK_END].generation, 1005);
	bench_run_ms(5);
	bench_check_idle();
	bench_close();
}

/* Exchanges and asks share connections; the address is the Host of one that has none. */
static void test_over_kept_connections(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_with(&one);
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear(o, GET("/"));
	say(o, OK(2) "hi");
	hear_head(c);
	hear(c, "hi");
	for (unsigned i = 1; i <= 100; i++) {
		ask(i % SLUICE_ASKS_MAX, "/health");
		head_has(hear_head(o), "Host: 10.");
		say(o, "HTTP/1.1 204 No Content\r\n\r\n");
		until(overs == i);
		assert_int_equal(error, 0);
	}
	assert_false(origin_has_new(0));
	assert_int_equal(counted(asks), 100);
	assert_int_equal(counted(asks_failed), 0);
	bench_run_ms(5);
	bench_check_idle();
	bench_close();
}

static void test_failures(void **state)
{
	struct sluice_ask_text nowhere = {
		.timeout_ms = 500, .method = SLUICE_METHOD_GET, .group = 7};
	struct edits edits = {.len = 0};
	struct peer *o;

	(void)state;
	open_with(&one);
	edit_add(&edits, SLUICE_EDIT_TARGET, "", "/");
	ask_with(0, nowhere, &edits, "");
	until(overs == 1);
	assert_int_equal(error, ENOENT);
	ask(0, "/");
	o = origin_accept(0);
	hear_head(o);
	until(overs == 2);
	assert_int_equal(error, ETIMEDOUT);
	assert_int_equal(counted(timeouts_ask), 1);
	ask(0, "/");
	o = origin_accept(0);
	say(o, "SSH-2.0-OpenSSH_9.2\r\n\r\n");
	until(overs == 3);
	assert_int_equal(error, EPROTO);
	ask(0, "/");
	o = origin_accept(0);
	say(o, OK(10) "half");
	peer_shut(o);
	until(overs == 4);
	assert_int_equal(error, ECONNRESET);
	assert_int_equal(heads, 1);
	origin_listen(0, false);
	ask(0, "/");
	until(overs == 5);
	assert_int_equal(error, ECONNREFUSED);
	assert_int_equal(counted(asks_failed), 5);
	assert_int_equal(counted(offences), 0);
	bench_run_ms(5);
	bench_check_idle();
	bench_close();
}

/* A server has answered, and closes the kept connection when it is asked with that method. */
static void open_and_lose(uint8_t method, const char *line)
{
	struct sluice_ask_text text = {.timeout_ms = 500, .method = method};
	struct edits edits = {.len = 0};
	struct peer *o;

	open_with(&one);
	ask(0, "/");
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(2) "hi");
	until(overs == 1);
	edit_add(&edits, SLUICE_EDIT_TARGET, "", "/again");
	ask_with(1, text, &edits, "");
	head_has(hear_head(o), line);
	peer_abort(o);
}

/* It is asked once more, on a new one, */
static void test_repeated(void **state)
{
	struct peer *o;

	(void)state;
	open_and_lose(SLUICE_METHOD_GET, "GET /again HTTP/1.1\r\n");
	o = origin_accept(0);
	head_has(hear_head(o), "GET /again HTTP/1.1\r\n");
	say(o, OK(2) "hi");
	until(overs == 2);
	assert_int_equal(error, 0);
	bench_close();
}

/* if that does no harm. */
static void test_not_repeated(void **state)
{
	(void)state;
	open_and_lose(SLUICE_METHOD_PURGE, "PURGE /again HTTP/1.1\r\n");
	until(overs == 2);
	assert_int_equal(error, ECONNRESET);
	assert_int_equal(counted(origin_repeated), 0);
	bench_close();
}

/* A function that does not read its ring holds its server back, and nothing more. */
static void test_bounded(void **state)
{
	struct peer *o;

	(void)state;
	open_with(&one);
	ask(0, "/much");
	o = origin_accept(0);
	hear_head(o);
	f()->stopped = true;
	say(o, OK(1048576));
	say_pattern(o, 3, MB);
	bench_run_ms(200);
	assert_true(bench.held_most <= 128 << 10);
	assert_int_equal(overs, 0);
	f()->stopped = false;
	until(overs == 1 || f()->body_len[1] >= MB);
	bench_run_ms(5);
	assert_int_equal(f()->body_len[1], MB);
	for (size_t i = 0; i < MB; i++)
		if (f()->body[1][i] != pattern_at(3 + i))
			fail_msg("byte %zu was shown wrong", i);
	bench_close();
}

static void test_dropped(void **state)
{
	struct sluice_up drop = {.exchange = 3, .generation = 1003, .kind = SLUICE_UP_ASK_DROP};
	struct peer *o;

	(void)state;
	open_with(&one);
	ask(3, "/");
	o = origin_accept(0);
	hear_head(o);
	fake_say(f(), &drop);
	hear_reset(o);
	bench_check_idle();
	fake_say(f(), &drop); /* it crossed the end */
	ask(3, "/next");      /* its number is free */
	o = origin_accept(0);
	head_has(hear_head(o), "GET /next HTTP/1.1\r\n");
	say(o, OK(2) "hi");
	until(overs == 1);
	assert_int_equal(counted(offences), 0);
	bench_close();
}

static void test_the_function_dies(void **state)
{
	struct peer *o;

	(void)state;
	open_with(&one);
	for (unsigned i = 0; i < 3; i++)
		ask(i, "/");
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(1000) "some");
	until(f()->body_len[1] == 4);
	fake_down(f());
	bench_run_ms(5);
	bench_check_idle();
	bench_close();
}

static void offends(struct sluice_up up, const void *text, uint32_t len)
{
	uint64_t before = counted(offences_ask);

	fake_say_text(f(), up, text, len);
	until(counted(offences_ask) == before + 1);
}

static void test_offences(void **state)
{
	struct sluice_up up = {.exchange = 9, .kind = SLUICE_UP_ASK}, wrong;
	struct edits target = {.len = 0}, bad = {.len = 0};
	struct text text = {.is = get};

	(void)state;
	open_with(&one);
	edit_add(&target, SLUICE_EDIT_TARGET, "", "/");
	edit_add(&bad, SLUICE_EDIT_TARGET, "", "not a target");
	text.is.edits_bytes = target.len;
	memcpy(text.rest, target.bytes, target.len);
	offends(up, &text, 0);
	offends(up, &text, sizeof(text.is) - 1);
	offends(up, &text, sizeof(text.is) + target.len - 8);
	offends(up, &text, sizeof(text.is) + target.len + 8);
	wrong = up;
	wrong.exchange = SLUICE_ASKS_MAX;
	offends(wrong, &text, sizeof(text.is) + target.len);
	wrong.exchange = UINT32_MAX;
	offends(wrong, &text, sizeof(text.is) + target.len);
	wrong = up;
	wrong.slices = 1;
	offends(wrong, &text, sizeof(text.is) + target.len);
	text.is.edits_bytes = UINT32_MAX - 7;
	text.is.body_bytes = target.len + 8;
	offends(up, &text, sizeof(text.is) + target.len);
	text.is = get;
	offends(up, &text, sizeof(text.is)); /* no target */
	text.is.method = SLUICE_METHOD_CONNECT;
	text.is.edits_bytes = target.len;
	offends(up, &text, sizeof(text.is) + target.len);
	text.is.method = SLUICE_METHOD_PURGE + 1;
	offends(up, &text, sizeof(text.is) + target.len);
	text.is.method = SLUICE_METHOD_GET;
	text.is.edits_bytes = bad.len;
	memcpy(text.rest, bad.bytes, bad.len);
	offends(up, &text, sizeof(text.is) + bad.len);
	wrong = (struct sluice_up){.exchange = SLUICE_ASKS_MAX, .kind = SLUICE_UP_ASK_DROP};
	offends(wrong, &text, 0);
	ask(9, "/");
	text.is = get;
	text.is.edits_bytes = target.len;
	memcpy(text.rest, target.bytes, target.len);
	offends(up, &text, sizeof(text.is) + target.len); /* its number is in use */
	assert_int_equal(counted(asks), 3);
	until(overs == 1);
	assert_int_equal(error, ETIMEDOUT);
	bench_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answered),
		cmocka_unit_test(test_over_kept_connections),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_repeated),
		cmocka_unit_test(test_not_repeated),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_dropped),
		cmocka_unit_test(test_offences),
		cmocka_unit_test(test_the_function_dies),
	};

	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
