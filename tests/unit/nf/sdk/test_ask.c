/* SPDX-License-Identifier: BSD-3-Clause */
/* A function that asks before it lets an exchange pass, as one would be written. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nf/sdk/harness.h"

struct seen {
	struct sluice_ask *ask;
	char user[32];
};

static unsigned overs, pieces;
static char body[64];
static int last_error;

static void on_head(struct sluice_ask *ask, void *user)
{
	struct seen *seen = sluice_ctx(user);
	struct sluice_str value;

	if (!sluice_field_named(sluice_ask_answer(ask), "x-user", &value))
		memcpy(seen->user, value.ptr, value.len);
}

static void on_body(struct sluice_ask *ask, const struct sluice_span *spans, unsigned n, void *user)
{
	(void)ask;
	(void)user;
	for (unsigned i = 0; i < n; i++)
		strncat(body, (const char *)spans[i].ptr, spans[i].len);
	pieces++;
}

static void on_over(struct sluice_ask *ask, int error, void *user)
{
	struct sluice_exchange *x = user;
	struct seen *seen = sluice_ctx(x);

	overs++;
	last_error = error;
	seen->ask = NULL;
	if (error || sluice_ask_status(ask) != 200) {
		sluice_respond(x, error ? 503 : sluice_ask_status(ask), SLUICE_LENGTH_NONE);
		sluice_resume(x, SLUICE_RESPOND);
		return;
	}
	sluice_field_set(x, "x-user", sluice_str(seen->user));
	sluice_resume(x, SLUICE_PASS);
}

static const struct sluice_ask_hooks asked = {.head = on_head, .body = on_body, .over = on_over};

static enum sluice_verdict request_head(struct sluice_exchange *x)
{
	struct seen *seen = sluice_ctx(x);

	seen->ask = sluice_ask_new(sluice_of(x), x, 0, SLUICE_METHOD_POST, sluice_str("/auth"));
	if (!seen->ask)
		return SLUICE_RESET;
	sluice_ask_field(seen->ask, "x-path", sluice_path(x));
	if (!sluice_ask_send(seen->ask, "who?", 4, 1000, &asked, x))
		return SLUICE_HOLD;
	sluice_ask_drop(seen->ask);
	return SLUICE_RESET;
}

static const struct sluice_nf_hooks hooks = {
	SLUICE_HOOKS,
	.name = "auth",
	.ctx_bytes = sizeof(struct seen),
	.request_head = request_head,
};

static struct harness *begin(void)
{
	struct harness *h = harness_create(&hooks);

	overs = pieces = 0;
	last_error = 1;
	body[0] = '\0';
	harness_group_add(h, "auth", SLUICE_BALANCE_ROUND_ROBIN, 1);
	assert_int_equal(harness_start(h, NULL), 0);
	return h;
}

static struct harness_exchange *get(struct harness *h)
{
	return harness_request(h, "GET", "/a", HARNESS_FIELDS({"Host", "a.example"}));
}

static void passes_when_told(void **state)
{
	struct harness *h = begin();
	struct harness_exchange *x = get(h);
	struct harness_ask *ask = harness_ask(h, 0);

	(void)state;
	assert_int_equal(harness_verdict(x), SLUICE_HOLD);
	assert_string_equal(harness_ask_head(ask), "POST /auth\nx-path: /a\n");
	assert_string_equal(harness_ask_body(ask), "who?");
	assert_int_equal(harness_ask_group(ask), 0);
	assert_int_equal(harness_ask_timeout_ms(ask), 1000);
	harness_ask_answer(ask, 200, HARNESS_FIELDS({"X-User", "ann"}));
	harness_ask_piece(ask, "hel", 3);
	harness_ask_piece(ask, "lo", 2);
	assert_int_equal(harness_verdict(x), SLUICE_HOLD);
	harness_ask_over(ask, 0);
	assert_int_equal(harness_verdict(x), SLUICE_PASS);
	assert_string_equal(harness_edits(x), "set x-user: ann\n");
	assert_string_equal(body, "hello");
	assert_int_equal(pieces, 2);
	assert_null(harness_ask(h, 0));
	assert_int_equal(harness_counter(h, "copied_bytes"), 4);
	harness_destroy(h);
}

static void refuses_when_not(void **state)
{
	struct harness *h = begin();
	struct harness_exchange *x = get(h);

	(void)state;
	harness_ask_answer(harness_ask(h, 0), 401, HARNESS_NO_FIELDS);
	harness_ask_over(harness_ask(h, 0), 0);
	assert_int_equal(harness_status(x), 401);
	x = get(h);
	harness_ask_over(harness_ask(h, 0), ETIMEDOUT);
	assert_int_equal(last_error, -ETIMEDOUT);
	assert_int_equal(harness_status(x), 503);
	harness_destroy(h);
}

static void goes_with_its_exchange(void **state)
{
	struct harness *h = begin();
	struct harness_exchange *x = get(h), *other = get(h);

	(void)state;
	assert_non_null(harness_ask(h, 1));
	harness_done(x, true);
	assert_null(harness_ask(h, 1)); /* it was dropped, without a call */
	assert_int_equal(overs, 0);
	harness_ask_answer(harness_ask(h, 0), 200, HARNESS_NO_FIELDS);
	harness_ask_over(harness_ask(h, 0), 0);
	assert_int_equal(harness_verdict(other), SLUICE_PASS);
	get(h);
	harness_destroy(h); /* with one under way */
}

static void so_many_and_no_more(void **state)
{
	struct harness *h = begin();
	struct sluice_ask *ask;

	(void)state;
	for (unsigned i = 0; i < SLUICE_ASKS_MAX; i++)
		assert_int_equal(harness_verdict(get(h)), SLUICE_HOLD);
	assert_int_equal(harness_verdict(get(h)), SLUICE_RESET);
	harness_ask_over(harness_ask(h, 0), ECONNRESET);
	ask = sluice_ask_new(harness_nf(h), NULL, 0, SLUICE_METHOD_GET, sluice_str("/"));
	assert_non_null(ask); /* without an exchange */
	assert_null(sluice_ask_new(harness_nf(h), NULL, 0, SLUICE_METHOD_GET, sluice_str("/")));
	sluice_ask_drop(ask); /* and never sent */
	harness_destroy(h);
}

static void what_cannot_be_sent(void **state)
{
	struct harness *h = begin();
	static const char much[SLUICE_EDITS_MAX_BYTES];
	struct sluice_ask *ask;

	(void)state;
	assert_null(sluice_ask_new(harness_nf(h), NULL, 0, SLUICE_METHOD_GET, sluice_str("a b")));
	ask = sluice_ask_new(harness_nf(h), NULL, 0, SLUICE_METHOD_GET, sluice_str("/"));
	assert_int_equal(sluice_ask_field(ask, "connection", sluice_str("close")), -EINVAL);
	assert_int_equal(sluice_ask_field(ask, "content-length", sluice_str("1")), -EINVAL);
	assert_int_equal(sluice_ask_field(ask, "x", sluice_str("a\nb")), -EINVAL);
	assert_int_equal(sluice_ask_send(ask, much, sizeof(much), 1, &asked, NULL), -ENOSPC);
	assert_int_equal(sluice_ask_send(ask, NULL, 0, 0, &asked, NULL), -EINVAL);
	harness_set_room(h, 0);
	assert_int_equal(sluice_ask_send(ask, NULL, 0, 1, &asked, NULL), -EAGAIN);
	harness_set_room(h, UINT32_MAX);
	assert_int_equal(sluice_ask_send(ask, NULL, 0, 1, &asked, NULL), 0);
	assert_string_equal(harness_ask_head(harness_ask(h, 0)), "GET /\n");
	sluice_ask_drop(ask);
	assert_null(harness_ask(h, 0));
	harness_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_when_told),       cmocka_unit_test(refuses_when_not),
		cmocka_unit_test(goes_with_its_exchange), cmocka_unit_test(so_many_and_no_more),
		cmocka_unit_test(what_cannot_be_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
