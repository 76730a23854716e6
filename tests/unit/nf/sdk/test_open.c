/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections, as the library gives them to a function. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "nf/sdk/harness.h"

static enum sluice_verdict (*opens)(struct sluice_exchange *x);
static struct sluice_exchange *held;
static unsigned dones, client_ends;

static enum sluice_verdict on_open(struct sluice_exchange *x)
{
	return opens(x);
}

static enum sluice_verdict on_client_data(struct sluice_exchange *x,
					  const struct sluice_span *spans, unsigned n, bool end)
{
	struct sluice_buf *buf;

	client_ends += end;
	if (!n || spans[0].ptr[0] != '!')
		return SLUICE_PASS;
	buf = sluice_buf_alloc(sluice_of(x), 3);
	memcpy(buf->data, "new", 3);
	assert_int_equal(sluice_body_emit(x, buf, 0, 3), 0);
	sluice_buf_unref(buf);
	return SLUICE_REPLACE;
}

static enum sluice_verdict on_server_data(struct sluice_exchange *x,
					  const struct sluice_span *spans, unsigned n, bool end)
{
	(void)x;
	(void)end;
	return n && spans[0].ptr[0] == '!' ? SLUICE_RESET : SLUICE_PASS;
}

static void on_done(struct sluice_exchange *x, bool reset)
{
	(void)x;
	(void)reset;
	dones++;
}

static const struct sluice_nf_hooks hooks = {
	SLUICE_HOOKS,
	.name = "probe",
	.summary = "for connections",
	.ctx_bytes = 8,
	.done = on_done,
	.open = on_open,
	.client_data = on_client_data,
	.server_data = on_server_data,
};

static struct harness *start(enum sluice_verdict (*open)(struct sluice_exchange *x))
{
	struct harness *h = harness_create(&hooks);

	opens = open;
	dones = client_ends = 0;
	assert_int_equal(harness_start(h, NULL), 0);
	return h;
}

static enum sluice_verdict look(struct sluice_exchange *x)
{
	const struct sluice_peer local = {.family = 4, .port = 9, .bytes = {203, 0, 113, 1}};
	const struct sluice_peer wrong = {.family = 7};

	assert_int_equal(sluice_head(x)->client.port, 12345);
	assert_int_equal(sluice_early(x).len, 0);
	assert_int_equal(sluice_field_set(x, "a", sluice_str("b")), -EINVAL);
	assert_int_equal(sluice_respond(x, 200, 0), -EINVAL);
	assert_int_equal(sluice_early_take(x, 1), -EINVAL);
	assert_int_equal(sluice_open_client(x, &wrong), -EINVAL);
	assert_int_equal(sluice_open_local(x, &local), 0);
	sluice_route(x, 3);
	sluice_pick(x, 1);
	return SLUICE_PASS;
}

static void test_addresses_and_choice(void **state)
{
	struct harness *h = start(look);
	struct harness_exchange *x = harness_open(h);

	(void)state;
	assert_int_equal(harness_verdict(x), SLUICE_PASS);
	assert_int_equal(harness_group(x), 3);
	assert_int_equal(harness_server(x), 1);
	assert_string_equal(harness_edits(x), "local 203.0.113.1 9\n");
	harness_done(x, true);
	assert_int_equal(dones, 1);
	harness_destroy(h);
}

static enum sluice_verdict wait_three(struct sluice_exchange *x)
{
	++*(uint32_t *)sluice_ctx(x);
	sluice_route(x, 5); /* said before it waits: forgotten */
	if (sluice_early(x).len < 3 && !sluice_early_ended(x))
		return SLUICE_WAIT;
	assert_int_equal(sluice_early_take(x, 2), 0);
	sluice_route(x, *(uint32_t *)sluice_ctx(x));
	return SLUICE_PASS;
}

static void test_waiting(void **state)
{
	struct harness *h = start(wait_three);
	struct harness_exchange *x = harness_open(h);

	(void)state;
	assert_int_equal(harness_verdict(x), SLUICE_WAIT);
	assert_int_equal(harness_group(x), SLUICE_NONE16);
	assert_int_equal(harness_early(x, "ab", 2, false), SLUICE_WAIT);
	assert_int_equal(harness_early(x, "c", 1, false), SLUICE_PASS);
	assert_int_equal(harness_early_taken(x), 2);
	assert_int_equal(harness_group(x), 3); /* its ctx was kept */
	x = harness_open(h);
	assert_int_equal(harness_early(x, "ab", 2, true), SLUICE_PASS);
	harness_destroy(h);
}

static enum sluice_verdict send_ahead(struct sluice_exchange *x)
{
	struct sluice_buf *buf = sluice_buf_alloc(sluice_of(x), 8);

	memcpy(buf->data, "aheadxxx", 8);
	assert_int_equal(sluice_open_send(x, buf, 6, 5), -EINVAL);
	assert_int_equal(sluice_open_send(x, buf, 0, 5), 0);
	assert_int_equal(sluice_open_send(x, buf, 0, 5), -EINVAL);
	sluice_buf_unref(buf);
	held = x;
	return SLUICE_HOLD;
}

static void test_bytes_ahead_and_holding(void **state)
{
	struct harness *h = start(send_ahead);
	struct harness_exchange *x = harness_open(h);
	size_t len;

	(void)state;
	assert_int_equal(harness_verdict(x), SLUICE_HOLD);
	sluice_resume(held, SLUICE_LEAVE);
	assert_int_equal(harness_verdict(x), SLUICE_LEAVE);
	assert_memory_equal(harness_ahead(x, &len), "ahead", 5);
	assert_int_equal(len, 5);
	harness_acknowledge(h);
	assert_int_equal(sluice_arena_used(harness_nf(h)), 0);
	harness_destroy(h);
}

static enum sluice_verdict pass(struct sluice_exchange *x)
{
	(void)x;
	return SLUICE_PASS;
}

static void test_data(void **state)
{
	struct harness *h = start(pass);
	struct harness_exchange *x = harness_open(h);

	(void)state;
	assert_int_equal(harness_client_data(x, "abc", 3, false), SLUICE_PASS);
	assert_int_equal(harness_client_data(x, "!", 1, false), SLUICE_REPLACE);
	assert_string_equal((const char *)harness_piece(x, NULL), "new");
	assert_int_equal(harness_client_data(x, "", 0, true), SLUICE_PASS);
	assert_int_equal(client_ends, 1);
	assert_int_equal(harness_server_data(x, "!", 1, false), SLUICE_RESET);
	harness_destroy(h);
}

static enum sluice_verdict respond(struct sluice_exchange *x)
{
	(void)x;
	return SLUICE_RESPOND;
}

static void test_a_verdict_that_makes_no_sense(void **state)
{
	struct harness *h = start(respond);
	struct harness_exchange *x = harness_open(h);

	(void)state;
	assert_int_equal(harness_verdict(x), SLUICE_RESET);
	assert_int_equal(harness_logs(h), 1);
	harness_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses_and_choice),
		cmocka_unit_test(test_waiting),
		cmocka_unit_test(test_bytes_ahead_and_holding),
		cmocka_unit_test(test_data),
		cmocka_unit_test(test_a_verdict_that_makes_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
