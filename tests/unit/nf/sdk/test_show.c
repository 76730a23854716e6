/* SPDX-License-Identifier: BSD-3-Clause */
/* Slots of exchanges that are used again and again, by the short way: what one user left is not
 * seen by the next, and who says no more than PASS or LEAVE puts nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nf/sdk/show.h"

#define CTX_MOST 300
#define SLOT     70

typedef enum sluice_verdict hook(struct sluice_exchange *x);

static struct {
	struct sluice_nf *nf;
	hook *on_request, *on_response;
	struct sluice_up up[8]; /* what was put */
	unsigned puts;
	uint32_t generation;
	struct sluice_exchange *x;
} t;

/* The heads that are shown. */
static struct sluice_head asked, answered;

static int put(void *ctx, unsigned worker, const struct sluice_up *up, const void *text, bool must)
{
	(void)ctx;
	(void)worker;
	(void)text;
	(void)must;
	assert_true(t.puts < 8);
	t.up[t.puts++] = *up;
	return 0;
}

static void ignore(void *ctx, enum sluice_log_level level, const char *text)
{
	(void)ctx;
	(void)level;
	(void)text;
}

static const struct nf_env env = {.put = put, .log = ignore};

static enum sluice_verdict request_head(struct sluice_exchange *x)
{
	t.x = x;
	return t.on_request(x);
}

static enum sluice_verdict response_head(struct sluice_exchange *x)
{
	return t.on_response(x);
}

static void make(uint32_t ctx_bytes)
{
	const struct sluice_nf_hooks hooks = {SLUICE_HOOKS, .name = "mine", .ctx_bytes = ctx_bytes,
					      .request_head = request_head,
					      .response_head = response_head};

	assert_int_equal(nf_create(&hooks, "mine", &env, NULL, NULL, &t.nf), 0);
}

static int setup(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	asked.method = answered.method = SLUICE_METHOD_GET;
	asked.group = answered.group = SLUICE_NONE16;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	nf_free(t.nf);
	return 0;
}

/* As those do who call it. */
static int show(const struct sluice_shown *head)
{
	int verdict;

	t.puts = 0;
	verdict = nf_show(t.nf, nf_exchange_known(t.nf, 0, head->exchange), head);
	return verdict == NF_UNUSUAL ? nf_head(t.nf, 0, head) : verdict;
}

/* A request in the slot; it is another one each time. */
static int request(hook *on_request)
{
	const struct sluice_shown head = {
		.head = &asked, .exchange = SLOT, .generation = ++t.generation};

	t.on_request = on_request;
	return show(&head);
}

static int response(hook *on_response)
{
	const struct sluice_shown head = {.head = &answered,
					  .asked = 1,
					  .exchange = SLOT,
					  .generation = t.generation,
					  .response = true};

	t.on_response = on_response;
	return show(&head);
}

static enum sluice_verdict pass(struct sluice_exchange *x)
{
	assert_non_null(sluice_head(x));
	return SLUICE_PASS;
}

static enum sluice_verdict leave(struct sluice_exchange *x)
{
	assert_non_null(sluice_head(x));
	return SLUICE_LEAVE;
}

static enum sluice_verdict fill_ctx(struct sluice_exchange *x)
{
	static const uint8_t none[CTX_MOST];
	uint32_t bytes = t.nf->hooks.ctx_bytes;

	assert_memory_equal(sluice_ctx(x), none, bytes);
	memset(sluice_ctx(x), 0xa5, bytes);
	return SLUICE_PASS;
}

static enum sluice_verdict find_ctx(struct sluice_exchange *x)
{
	const uint8_t *ctx = sluice_ctx(x);

	for (uint32_t i = 0; i < t.nf->hooks.ctx_bytes; i++)
		assert_int_equal(ctx[i], 0xa5);
	return SLUICE_LEAVE;
}

static void ctx_is_zero_at_first(void **state)
{
	static const uint32_t bytes[] = {0, 1, 8, 16, 17, 80, 81, CTX_MOST};

	(void)state;
	for (unsigned i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
		make(bytes[i]);
		for (unsigned n = 0; n < 3; n++) {
			assert_int_equal(request(fill_ctx), SLUICE_PASS);
			assert_int_equal(response(find_ctx), SLUICE_LEAVE);
		}
		nf_free(t.nf);
	}
	t.nf = NULL;
}

/* Between the two heads, and after them, there is none to be read. */
static void plain_verdicts_put_nothing(void **state)
{
	(void)state;
	make(8);
	for (unsigned n = 0; n < 3; n++) {
		assert_int_equal(request(pass), SLUICE_PASS);
		assert_null(sluice_head(t.x));
		assert_int_equal(response(n == 1 ? pass : leave),
				 n == 1 ? SLUICE_PASS : SLUICE_LEAVE);
		assert_null(sluice_head(t.x));
		assert_int_equal(t.puts, 0);
	}
}

static enum sluice_verdict say_much(struct sluice_exchange *x)
{
	const struct sluice_how how = {.total_ms = 7};

	assert_int_equal(sluice_field_set(x, "x-a", sluice_str("1")), 0);
	sluice_route(x, 3);
	sluice_pick(x, 4);
	sluice_how(x, &how);
	sluice_steady(x, 5, 6);
	sluice_body_resize(x);
	return SLUICE_PASS;
}

static enum sluice_verdict say_much_and_hold(struct sluice_exchange *x)
{
	say_much(x);
	assert_int_equal(sluice_respond(x, 200, 10), 0);
	assert_int_equal(sluice_field_set(x, "x-b", sluice_str("1")), 0);
	return SLUICE_HOLD;
}

static enum sluice_verdict find_nothing(struct sluice_exchange *x)
{
	assert_int_equal(sluice_routed(x), SLUICE_NONE16);
	assert_int_equal(sluice_edits_now(x), 0);
	return SLUICE_PASS;
}

static void what_is_said_is_put(void **state)
{
	const struct sluice_up *up = &t.up[0];

	(void)state;
	make(8);
	assert_int_equal(request(say_much), NF_SAID);
	assert_int_equal(t.puts, 1);
	assert_true(up->exchange == SLOT && up->generation == t.generation && up->text_len > 0);
	assert_true(up->kind == SLUICE_UP_VERDICT && up->verdict == SLUICE_PASS);
	assert_true(up->group == 3 && up->server == 4 && up->steady_ms == 5 && up->piece == 6);
	assert_int_equal(up->flags, SLUICE_UP_RESIZE | SLUICE_UP_HOW);
	assert_int_equal(up->how.total_ms, 7);
	assert_int_equal(sluice_routed(t.x), 3);
	assert_int_equal(response(pass), SLUICE_PASS); /* all of it was of the request */
}

/* One that was held, and was taken away: nobody says so without a `done` hook. */
static void what_was_said_before_is_forgotten(void **state)
{
	(void)state;
	make(8);
	for (unsigned n = 0; n < 3; n++) {
		assert_int_equal(request(say_much_and_hold), NF_SAID);
		assert_int_equal(t.puts, 0);
		assert_int_equal(request(find_nothing), SLUICE_PASS);
		assert_int_equal(t.puts, 0);
	}
}

static enum sluice_verdict respond_and_pass(struct sluice_exchange *x)
{
	assert_int_equal(sluice_respond(x, 200, 10), 0);
	return SLUICE_PASS;
}

/* An answer that was begun and not given is none: nothing of it can be sent afterwards. */
static void an_answer_not_given_is_none(void **state)
{
	(void)state;
	make(8);
	assert_int_equal(request(respond_and_pass), NF_SAID);
	assert_int_equal(t.up[0].verdict, SLUICE_PASS);
	assert_int_not_equal(sluice_respond_body(t.x, NULL, 0, 0, true), 0);
	assert_int_equal(response(leave), SLUICE_LEAVE);
}

static void on_over(struct sluice_ask *ask, int error, void *user)
{
	(void)ask;
	(void)error;
	(void)user;
}

static enum sluice_verdict ask_and_leave(struct sluice_exchange *x)
{
	static const struct sluice_ask_hooks hooks = {.over = on_over};
	struct sluice_ask *ask =
		sluice_ask_new(t.nf, x, 0, SLUICE_METHOD_GET, sluice_str("/other"));

	assert_non_null(ask);
	assert_int_equal(sluice_ask_send(ask, NULL, 0, 1000, &hooks, NULL), 0);
	return SLUICE_LEAVE;
}

/* Whoever leaves gives up what it asked; that is said after the verdict. */
static void requests_of_its_own_end_after_the_verdict(void **state)
{
	(void)state;
	make(8);
	assert_int_equal(request(ask_and_leave), NF_SAID);
	assert_int_equal(t.puts, 3);
	assert_int_equal(t.up[0].kind, SLUICE_UP_ASK);
	assert_int_equal(t.up[1].kind, SLUICE_UP_VERDICT);
	assert_int_equal(t.up[2].kind, SLUICE_UP_ASK_DROP);
	assert_int_equal(request(pass), SLUICE_PASS);
}

static enum sluice_verdict nonsense(struct sluice_exchange *x)
{
	(void)x;
	return (enum sluice_verdict)200;
}

static void nonsense_is_a_reset(void **state)
{
	const struct sluice_shown nowhere = {.exchange = SLOT, .generation = 99};

	(void)state;
	make(8);
	assert_int_equal(request(nonsense), NF_SAID);
	assert_int_equal(t.up[0].verdict, SLUICE_RESET);
	assert_int_equal(show(&nowhere), NF_SAID);
	assert_int_equal(t.puts, 1);
	assert_int_equal(t.up[0].verdict, SLUICE_RESET);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ctx_is_zero_at_first),        TEST(plain_verdicts_put_nothing),
		TEST(what_is_said_is_put),         TEST(what_was_said_before_is_forgotten),
		TEST(an_answer_not_given_is_none), TEST(requests_of_its_own_end_after_the_verdict),
		TEST(nonsense_is_a_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
