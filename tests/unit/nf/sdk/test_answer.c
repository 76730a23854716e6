/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers of a function's own, and bodies that it replaces, through the harness. */
#include "fixture.h"
#include "nf/sdk/core.h"

#include <errno.h>

/* --- answers of its own ------------------------------------------------------------ */

static enum sluice_verdict deny(struct sluice_exchange *x)
{
	sluice_field_set(x, "x-gone", sluice_str("1"));
	assert_int_equal(sluice_respond(x, 403, 3), 0);
	assert_int_equal(sluice_field_add(x, "Content-Type", sluice_str("text/plain")), 0);
	assert_int_equal(sluice_respond_text(x, sluice_str("four"), true), -EINVAL);
	assert_int_equal(sluice_respond_text(x, sluice_str("no"), true), -EINVAL);
	assert_int_equal(sluice_respond_text(x, sluice_str("no\n"), true), 0);
	assert_int_equal(sluice_respond_text(x, sluice_str(""), true), 0);
	assert_int_equal(sluice_respond_text(x, sluice_str("x"), true), -EINVAL);
	return SLUICE_RESPOND;
}

static void answers_itself(void **state)
{
	struct harness_exchange *x;
	size_t len;

	t.request = deny;
	x = harness_request(*state, "GET", "/", HARNESS_FIELDS({"Host", "a"}));
	assert_int_equal(harness_verdict(x), SLUICE_RESPOND);
	assert_int_equal(harness_status(x), 403);
	assert_int_equal(harness_body_bytes(x), 3);
	assert_string_equal((const char *)harness_body(x, &len), "no\n");
	assert_int_equal(len, 3);
	assert_true(harness_body_ended(x));
	assert_string_equal(harness_edits(x), "add Content-Type: text/plain\n");
	assert_null(harness_field(x, "host"));
	assert_int_equal(harness_counter(*state, "copied_bytes"), 3);
	assert_int_equal(sluice_arena_used(harness_nf(*state)), 0);
}

static enum sluice_verdict answer_head_too(struct sluice_exchange *x)
{
	assert_int_equal(sluice_respond(x, 200, 5), 0);
	assert_int_equal(sluice_respond_text(x, sluice_str("hello"), true), 0);
	return SLUICE_RESPOND;
}

static void head_gets_no_body(void **state)
{
	struct harness_exchange *x;
	size_t len;

	t.request = answer_head_too;
	x = harness_request(*state, "HEAD", "/", HARNESS_FIELDS({"Host", "a"}));
	assert_int_equal(harness_body_bytes(x), 5);
	assert_true(harness_body_ended(x));
	harness_body(x, &len);
	assert_int_equal(len, 0);
}

#define STREAM_BYTES 3000000

static void stream_more(struct sluice_exchange *x)
{
	while (t.sent < STREAM_BYTES) {
		uint32_t len = STREAM_BYTES - t.sent < 10000 ? STREAM_BYTES - t.sent : 10000;

		if (sluice_respond_body(x, t.buf, t.sent % 7, len, t.sent + len == STREAM_BYTES))
			return;
		t.sent += len;
	}
}

static enum sluice_verdict stream(struct sluice_exchange *x)
{
	t.held = x;
	t.writable = stream_more;
	t.buf = sluice_buf_alloc(sluice_of(x), 10007);
	for (unsigned i = 0; i < t.buf->size; i++)
		t.buf->data[i] = (uint8_t)i;
	assert_int_equal(sluice_respond(x, 200, SLUICE_LENGTH_UNKNOWN), 0);
	stream_more(x);
	return SLUICE_RESPOND;
}

static void body_streams(void **state)
{
	struct harness_exchange *x;
	size_t len;

	t.request = stream;
	x = harness_request(*state, "GET", "/", HARNESS_NO_FIELDS);
	harness_body(x, &len);
	assert_int_equal(len, STREAM_BYTES);
	assert_true(harness_body_ended(x));
	assert_true(t.writables > 0);
	sluice_buf_unref(t.buf);
	assert_int_equal(sluice_arena_used(harness_nf(*state)), 0);
}

static void slow_peer_holds_the_window(void **state)
{
	struct harness_exchange *x;
	size_t before, after;

	t.request = stream;
	harness_hold_sent(*state, true);
	x = harness_request(*state, "GET", "/", HARNESS_NO_FIELDS);
	harness_body(x, &before);
	assert_in_range(before, SLUICE_RESPOND_WINDOW_BYTES, SLUICE_RESPOND_WINDOW_BYTES + 10000);
	assert_false(harness_body_ended(x));
	harness_acknowledge(*state);
	harness_body(x, &after);
	assert_in_range(after, before + SLUICE_RESPOND_WINDOW_BYTES, STREAM_BYTES);
	harness_set_room(*state, 3);
	harness_acknowledge(*state);
	harness_body(x, &before);
	assert_int_equal(before, after + 30000);
	harness_set_room(*state, UINT32_MAX);
	harness_hold_sent(*state, false);
	assert_true(harness_body_ended(x));
	sluice_buf_unref(t.buf);
	assert_int_equal(sluice_arena_used(harness_nf(*state)), 0);
}

static void answer_may_be_cut(void **state)
{
	struct harness_exchange *x;

	t.request = stream;
	harness_hold_sent(*state, true);
	x = harness_request(*state, "GET", "/", HARNESS_NO_FIELDS);
	harness_done(x, true);
	assert_int_equal(sluice_respond_body(t.held, t.buf, 0, 1, false), -EINVAL);
	t.sent = STREAM_BYTES;
	harness_acknowledge(*state);
	sluice_buf_unref(t.buf);
	assert_int_equal(sluice_arena_used(harness_nf(*state)), 0);
}

static void answer_cuts_itself(void **state)
{
	struct harness_exchange *x;

	t.request = stream;
	harness_hold_sent(*state, true);
	x = harness_request(*state, "GET", "/", HARNESS_NO_FIELDS);
	assert_int_equal(sluice_respond_cut(t.held), 0);
	assert_true(harness_body_cut(x));
	assert_int_equal(sluice_respond_cut(t.held), -EINVAL);
	assert_int_equal(sluice_respond_body(t.held, t.buf, 0, 1, false), -EINVAL);
	t.sent = STREAM_BYTES;
	harness_acknowledge(*state);
	harness_done(x, true);
	sluice_buf_unref(t.buf);
	assert_int_equal(sluice_arena_used(harness_nf(*state)), 0);
}

static enum sluice_verdict respond_then_pass(struct sluice_exchange *x)
{
	sluice_respond(x, 200, SLUICE_LENGTH_UNKNOWN);
	assert_int_equal(sluice_respond_text(x, sluice_str("never sent"), true), 0);
	return SLUICE_PASS;
}

static void answer_may_be_given_up(void **state)
{
	struct harness_exchange *x;
	size_t len;

	t.request = respond_then_pass;
	x = harness_request(*state, "GET", "/", HARNESS_NO_FIELDS);
	assert_int_equal(harness_verdict(x), SLUICE_PASS);
	harness_body(x, &len);
	assert_int_equal(len, 0);
	assert_int_equal(sluice_arena_used(harness_nf(*state)), 0);
}

static enum sluice_verdict respond_bare(struct sluice_exchange *x)
{
	(void)x;
	return SLUICE_RESPOND;
}

static void wrong_verdict_resets(void **state)
{
	t.request = respond_bare;
	assert_int_equal(harness_verdict(harness_request(*state, "GET", "/", HARNESS_NO_FIELDS)),
			 SLUICE_RESET);
	assert_string_equal(harness_log(*state, 0),
			    "SLUICE_RESPOND without sluice_respond: the exchange is reset");
}

/* --- bodies ------------------------------------------------------------------------ */

static enum sluice_verdict upper(struct sluice_exchange *x, const struct sluice_span *spans,
				 unsigned n, bool end)
{
	(void)end;
	assert_null(sluice_head(x));
	for (unsigned i = 0; i < n; i++) {
		struct sluice_buf *buf = sluice_buf_alloc(sluice_of(x), spans[i].len);

		for (uint32_t c = 0; c < spans[i].len; c++)
			buf->data[c] = spans[i].ptr[c] & 0xdf;
		assert_int_equal(sluice_body_emit(x, buf, 0, spans[i].len), 0);
		sluice_buf_unref(buf);
	}
	return SLUICE_REPLACE;
}

static enum sluice_verdict swallow(struct sluice_exchange *x, const struct sluice_span *spans,
				   unsigned n, bool end)
{
	(void)x;
	(void)spans;
	(void)n;
	(void)end;
	return SLUICE_REPLACE;
}

static void body_is_replaced(void **state)
{
	struct harness_exchange *x = harness_request(*state, "GET", "/", HARNESS_NO_FIELDS);
	struct sluice_span spans[8];
	size_t len;

	for (unsigned i = 0; i < 8; i++)
		spans[i] = (struct sluice_span){(const uint8_t *)"abcdefgh" + i, 1};
	harness_response(x, 200, HARNESS_NO_FIELDS);
	assert_int_equal(harness_response_body(x, "abc", 3, false), SLUICE_PASS);
	assert_string_equal((const char *)harness_piece(x, &len), "abc");
	t.body = upper;
	assert_int_equal(harness_response_spans(x, spans, 8, false), SLUICE_REPLACE);
	assert_string_equal((const char *)harness_piece(x, &len), "ABCDEFGH");
	t.body = swallow;
	assert_int_equal(harness_response_body(x, "abc", 3, false), SLUICE_REPLACE);
	assert_string_equal((const char *)harness_piece(x, &len), "");
	assert_int_equal(harness_response_body(x, "", 0, true), SLUICE_REPLACE);
	assert_int_equal(sluice_arena_used(harness_nf(*state)), 0);
}

static enum sluice_verdict emit_and_pass(struct sluice_exchange *x, const struct sluice_span *spans,
					 unsigned n, bool end)
{
	upper(x, spans, n, end);
	return SLUICE_PASS;
}

static void emitted_may_be_given_up(void **state)
{
	struct harness_exchange *x = harness_request(*state, "GET", "/", HARNESS_NO_FIELDS);

	t.body = emit_and_pass;
	assert_int_equal(harness_response_body(x, "abc", 3, true), SLUICE_PASS);
	assert_string_equal((const char *)harness_piece(x, NULL), "abc");
	assert_int_equal(sluice_arena_used(harness_nf(*state)), 0);
}

static enum sluice_verdict leave_body(struct sluice_exchange *x, const struct sluice_span *spans,
				      unsigned n, bool end)
{
	(void)x;
	(void)spans;
	(void)n;
	(void)end;
	t.sent++;
	return SLUICE_LEAVE;
}

static void body_is_left(void **state)
{
	struct harness_exchange *x = harness_request(*state, "GET", "/", HARNESS_NO_FIELDS);
	struct sluice_down late = {.kind = SLUICE_DOWN_RESPONSE_BODY, .generation = 1, .arg = 2};

	t.body = leave_body;
	harness_response(x, 200, HARNESS_NO_FIELDS);
	assert_int_equal(harness_response_body(x, "abc", 3, false), SLUICE_LEAVE);
	assert_string_equal((const char *)harness_piece(x, NULL), "abc");
	nf_event(harness_nf(*state), 0, &late); /* it was on the ring already: no answer */
	assert_int_equal(harness_response_body(x, "def", 3, true), SLUICE_PASS);
	harness_done(x, false);
	assert_int_equal(t.sent, 1);
	assert_int_equal(t.done, 0);
}

static enum sluice_verdict say_sorry(struct sluice_exchange *x)
{
	assert_int_equal(sluice_respond(x, 503, 5), 0);
	sluice_field_add(x, "retry-after", sluice_str("1"));
	assert_int_equal(sluice_respond_text(x, sluice_str("sorry"), true), 0);
	return SLUICE_RESPOND;
}

/* It is shown a 304: neither the fields of that are those of the answer, nor its want of a body. */
static void answers_instead_of_the_response(void **state)
{
	struct harness_exchange *x = harness_request(*state, "GET", "/", HARNESS_NO_FIELDS);

	t.response = say_sorry;
	assert_int_equal(harness_response(x, 304, HARNESS_FIELDS({"A", "b"})), SLUICE_RESPOND);
	assert_int_equal(harness_status(x), 503);
	assert_string_equal(harness_field(x, "retry-after"), "1");
	assert_null(harness_field(x, "a"));
	assert_string_equal((const char *)harness_body(x, NULL), "sorry");
	assert_true(harness_body_ended(x));
}

/* --- because of a body ---------------------------------------------------------------- */

static enum sluice_verdict refuse_end(struct sluice_exchange *x, const struct sluice_span *spans,
				      unsigned n, bool end)
{
	(void)spans;
	(void)n;
	t.sent++;
	assert_int_equal(sluice_field_add(x, "x-rule", sluice_str("7")), -EINVAL);
	if (!end)
		return SLUICE_PASS;
	assert_int_equal(sluice_respond(x, 403, 3), 0);
	assert_int_equal(sluice_field_add(x, "x-rule", sluice_str("7")), 0);
	assert_int_equal(sluice_respond_text(x, sluice_str("no\n"), true), 0);
	return SLUICE_RESPOND;
}

static void refuses_a_body(void **state)
{
	struct harness_exchange *x = harness_request(*state, "POST", "/", HARNESS_NO_FIELDS);

	t.request_body = refuse_end;
	assert_int_equal(harness_request_body(x, "abc", 3, false), SLUICE_PASS);
	assert_int_equal(harness_request_body(x, "def", 3, true), SLUICE_RESPOND);
	assert_int_equal(harness_status(x), 403);
	assert_string_equal(harness_edits(x), "add x-rule: 7\n");
	assert_string_equal((const char *)harness_body(x, NULL), "no\n");
	assert_true(harness_body_ended(x));
	assert_int_equal(harness_request_body(x, "more", 4, true), SLUICE_PASS);
	assert_int_equal(t.sent, 2); /* what was on the ring already is not looked at */
	harness_done(x, false);
	assert_int_equal(t.done, 1);
	assert_int_equal(sluice_arena_used(harness_nf(*state)), 0);
}

static void refuses_the_body_of_a_head(void **state)
{
	struct harness_exchange *x = harness_request(*state, "HEAD", "/", HARNESS_NO_FIELDS);
	size_t len;

	t.request_body = refuse_end;
	assert_int_equal(harness_request_body(x, "", 0, true), SLUICE_RESPOND);
	assert_int_equal(harness_body_bytes(x), 3);
	assert_true(harness_body_ended(x));
	harness_body(x, &len);
	assert_int_equal(len, 0);
}

static enum sluice_verdict begin_and_pass(struct sluice_exchange *x,
					  const struct sluice_span *spans, unsigned n, bool end)
{
	(void)spans;
	(void)n;
	(void)end;
	assert_int_equal(sluice_respond(x, 403, SLUICE_LENGTH_UNKNOWN), 0);
	assert_int_equal(sluice_field_add(x, "x-rule", sluice_str("7")), 0);
	assert_int_equal(sluice_respond_text(x, sluice_str("no"), false), 0);
	return SLUICE_PASS;
}

/* What is begun and not given is forgotten; no verdict without it. */
static void answer_to_a_body_may_be_given_up(void **state)
{
	struct harness_exchange *x = harness_request(*state, "POST", "/", HARNESS_NO_FIELDS);

	t.request_body = begin_and_pass;
	assert_int_equal(harness_request_body(x, "abc", 3, false), SLUICE_PASS);
	assert_int_equal(sluice_arena_used(harness_nf(*state)), 0);
	assert_int_equal(harness_response(x, 200, HARNESS_NO_FIELDS), SLUICE_PASS);
	assert_string_equal(harness_edits(x), "");
	assert_int_equal(harness_logs(*state), 0);
}

static enum sluice_verdict respond_only(struct sluice_exchange *x, const struct sluice_span *spans,
					unsigned n, bool end)
{
	(void)spans;
	(void)n;
	(void)end;
	assert_int_equal(sluice_respond(x, 200, 0), t.sent ? -EINVAL : 0);
	return SLUICE_RESPOND;
}

static void answers_no_piece_of_a_response(void **state)
{
	struct harness_exchange *x = harness_request(*state, "GET", "/", HARNESS_NO_FIELDS);

	t.sent = 1;
	t.body = respond_only;
	harness_response(x, 200, HARNESS_NO_FIELDS);
	assert_int_equal(harness_response_body(x, "abc", 3, false), SLUICE_RESET);
	assert_int_equal(harness_logs(*state), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_itself),
		TEST(head_gets_no_body),
		TEST(body_streams),
		TEST(slow_peer_holds_the_window),
		TEST(answer_may_be_cut),
		TEST(answer_cuts_itself),
		TEST(answer_may_be_given_up),
		TEST(wrong_verdict_resets),
		TEST(body_is_replaced),
		TEST(emitted_may_be_given_up),
		TEST(body_is_left),
		TEST(answers_instead_of_the_response),
		TEST(refuses_a_body),
		TEST(refuses_the_body_of_a_head),
		TEST(answer_to_a_body_may_be_given_up),
		TEST(answers_no_piece_of_a_response),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
