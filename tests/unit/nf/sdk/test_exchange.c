/* SPDX-License-Identifier: BSD-3-Clause */
/* Heads, edits, context, routes, hold: as a plugin's writer sees them, through the harness. */
#include "fixture.h"

#include <errno.h>

static void assert_str(struct sluice_str s, const char *want)
{
	assert_int_equal(s.len, strlen(want));
	assert_memory_equal(s.ptr, want, s.len);
}

/* --- heads -------------------------------------------------------------------------- */

static enum sluice_verdict read_head(struct sluice_exchange *x)
{
	struct sluice_str value;
	unsigned i;

	assert_str(sluice_method(x), "GET");
	assert_str(sluice_target(x), "/a/b?c=d");
	assert_str(sluice_path(x), "/a/b");
	assert_str(sluice_query(x), "c=d");
	assert_str(sluice_host(x), "a.example");
	assert_int_equal(sluice_head(x)->method, SLUICE_METHOD_GET);
	assert_int_equal(sluice_field(x, SLUICE_FIELD_USER_AGENT, &value), 0);
	assert_str(value, "probe/1");
	assert_int_equal(sluice_field(x, SLUICE_FIELD_COOKIE, &value), -ENOENT);
	assert_str(value, "");
	assert_int_equal(sluice_field_named(x, "x-own", &value), 0);
	assert_str(value, "1");
	assert_int_equal(sluice_field_named(x, "USER-agent", &value), 0);
	assert_int_equal(sluice_field_named(x, "x-other", &value), -ENOENT);
	i = sluice_field_first(x, SLUICE_FIELD_ACCEPT);
	assert_str(sluice_field_value(x, i), "text/html");
	i = sluice_field_next(x, i);
	assert_str(sluice_field_value(x, i), "*/*");
	assert_str(sluice_field_name(x, i), "ACCEPT");
	assert_int_equal(sluice_field_next(x, i), SLUICE_NONE16);
	return SLUICE_PASS;
}

static void head_is_read(void **state)
{
	struct harness_exchange *x;

	t.request = read_head;
	x = harness_request(*state, "GET", "/a/b?c=d",
			    HARNESS_FIELDS({"Host", "a.example:8080"}, {"Accept", "text/html"},
					   {"User-Agent", "probe/1"}, {"X-Own", "1"},
					   {"ACCEPT", "*/"
						      "*"}));
	assert_int_equal(harness_verdict(x), SLUICE_PASS);
	assert_string_equal(harness_edits(x), "");
}

static enum sluice_verdict edit_head(struct sluice_exchange *x)
{
	assert_int_equal(sluice_field_set(x, "X-A", sluice_str(" one ")), 0);
	assert_int_equal(sluice_field_add(x, "Via", sluice_str("1.1 sluice")), 0);
	assert_int_equal(sluice_field_remove(x, "cookie"), 0);
	assert_int_equal(sluice_target_set(x, sluice_str("/new")), 0);
	assert_int_equal(sluice_field_set(x, "Content-Length", sluice_str("3")), -EINVAL);
	assert_int_equal(sluice_field_set(x, "Transfer-Encoding", sluice_str("chunked")), -EINVAL);
	assert_int_equal(sluice_field_set(x, "a b", sluice_str("")), -EINVAL);
	assert_int_equal(sluice_field_set(x, "", sluice_str("")), -EINVAL);
	assert_int_equal(sluice_field_set(x, "x", sluice_str("a\r\nb: c")), -EINVAL);
	assert_int_equal(sluice_target_set(x, sluice_str("/a b")), -EINVAL);
	assert_int_equal(sluice_status_set(x, 404), -EINVAL);
	return SLUICE_PASS;
}

static void edits_are_made(void **state)
{
	struct harness_exchange *x;

	t.request = edit_head;
	x = harness_request(*state, "GET", "/old",
			    HARNESS_FIELDS({"Host", "a"}, {"Cookie", "k=v"}, {"x-a", "0"},
					   {"x-a", "1"}, {"Via", "1.0 other"}));
	assert_string_equal(harness_edits(x), "set X-A: one\nadd Via: 1.1 sluice\nremove cookie\n"
					      "target /new\n");
	assert_string_equal(harness_field(x, "x-a"), "one");
	assert_null(harness_field_at(x, "x-a", 1));
	assert_string_equal(harness_field_at(x, "via", 1), "1.1 sluice");
	assert_null(harness_field(x, "cookie"));
	assert_string_equal(harness_target(x), "/new");
}

static enum sluice_verdict edit_much(struct sluice_exchange *x)
{
	char value[1000];
	unsigned n = 0;

	memset(value, 'v', sizeof(value));
	while (sluice_field_add(x, "x", (struct sluice_str){value, sizeof(value)}) == 0)
		n++;
	assert_int_equal(n, SLUICE_EDITS_MAX_BYTES / 1016);
	assert_int_equal(sluice_field_add(x, "x", (struct sluice_str){value, sizeof(value)}),
			 -ENOSPC);
	return SLUICE_PASS;
}

static void edits_have_a_bound(void **state)
{
	t.request = edit_much;
	assert_int_equal(harness_verdict(harness_request(*state, "GET", "/", HARNESS_NO_FIELDS)),
			 SLUICE_PASS);
}

static enum sluice_verdict change_status(struct sluice_exchange *x)
{
	assert_int_equal(sluice_head(x)->status, 200);
	assert_int_equal(sluice_status_set(x, 404), 0);
	return SLUICE_LEAVE;
}

/* What was put together once is repeated, behind what else there is. */
static struct sluice_kept_edits kept;

static enum sluice_verdict edit_and_keep(struct sluice_exchange *x)
{
	uint32_t from;

	assert_int_equal(sluice_edits_now(x), 0);
	sluice_field_set(x, "X-Before", sluice_str("0"));
	if (kept.len) {
		assert_int_equal(sluice_edits_repeat(x, &kept), 0);
	} else {
		from = sluice_edits_now(x);
		sluice_field_set(x, "X-A", sluice_str("one"));
		sluice_field_add(x, "Via", sluice_str("1.1 sluice"));
		assert_true(sluice_edits_keep(x, from, &kept));
	}
	sluice_field_set(x, "X-After", sluice_str("2"));
	return SLUICE_PASS;
}

static enum sluice_verdict repeat_in_body(struct sluice_exchange *x,
					  const struct sluice_span *spans, unsigned n, bool end)
{
	(void)spans;
	(void)n;
	(void)end;
	assert_int_equal(sluice_edits_repeat(x, &kept), -EINVAL);
	return SLUICE_PASS;
}

static void edits_are_repeated(void **state)
{
	struct harness_exchange *x;

	t.request = edit_and_keep;
	t.body = repeat_in_body;
	kept.len = 0;
	for (unsigned i = 0; i < 3; i++) {
		x = harness_request(*state, "GET", "/", HARNESS_NO_FIELDS);
		assert_string_equal(harness_edits(x),
				    "set X-Before: 0\nset X-A: one\nadd Via: 1.1 sluice\n"
				    "set X-After: 2\n");
		harness_response(x, 200, HARNESS_FIELDS({"Content-Length", "1"}));
		harness_response_body(x, "a", 1, true);
		harness_done(x, false);
	}
}

static enum sluice_verdict keep_much(struct sluice_exchange *x)
{
	char much[600] = {0};

	memset(much, 'x', sizeof(much) - 1);
	sluice_field_set(x, "X-A", sluice_str(much));
	assert_false(sluice_edits_keep(x, 0, &kept));
	assert_int_equal(kept.len, 0);
	return SLUICE_PASS;
}

static void too_many_edits_are_not_kept(void **state)
{
	t.request = keep_much;
	harness_done(harness_request(*state, "GET", "/", HARNESS_NO_FIELDS), false);
}

static void response_is_edited_and_left(void **state)
{
	struct harness_exchange *x = harness_request(*state, "GET", "/", HARNESS_NO_FIELDS);

	t.response = change_status;
	assert_int_equal(harness_response(x, 200, HARNESS_FIELDS({"A", "b"})), SLUICE_LEAVE);
	assert_int_equal(harness_status(x), 404);
	harness_done(x, false);
	assert_int_equal(t.done, 0);
}

/* --- context, routes --------------------------------------------------------------- */

static enum sluice_verdict keep_ctx(struct sluice_exchange *x)
{
	uint64_t *ctx = sluice_ctx(x);

	assert_int_equal(ctx[0] + ctx[1] + ctx[2], 0);
	ctx[2] = sluice_path(x).len;
	return SLUICE_PASS;
}

static enum sluice_verdict find_ctx(struct sluice_exchange *x)
{
	assert_int_equal(((uint64_t *)sluice_ctx(x))[2], 4);
	assert_true(sluice_of(x) != NULL);
	return SLUICE_PASS;
}

static void ctx_stays_with_its_exchange(void **state)
{
	struct harness_exchange *a, *b;

	t.request = keep_ctx;
	t.response = find_ctx;
	a = harness_request(*state, "GET", "/abc", HARNESS_NO_FIELDS);
	b = harness_request(*state, "GET", "/xyz", HARNESS_NO_FIELDS);
	harness_response(b, 200, HARNESS_NO_FIELDS);
	harness_response(a, 200, HARNESS_NO_FIELDS);
	harness_done(a, true);
	harness_done(b, false);
	assert_int_equal(t.done, 2);
	assert_int_equal(t.resets, 1);
}

static enum sluice_verdict choose(struct sluice_exchange *x)
{
	int group = sluice_group_find(sluice_of(x), "two");

	assert_int_equal(sluice_routed(x), 0);
	assert_int_equal(sluice_group_find(sluice_of(x), "three"), -ENOENT);
	sluice_route(x, (uint16_t)group);
	assert_int_equal(sluice_routed(x), 1);
	sluice_pick(x, 2);
	return SLUICE_PASS;
}

static enum sluice_verdict look_at_asked(struct sluice_exchange *x)
{
	const struct sluice_exchange *asked = sluice_asked(x);
	struct sluice_str value;

	assert_int_equal(sluice_head(x)->status, 200);
	if (sluice_routed(x) == SLUICE_NONE16) {
		assert_null(asked);
		return SLUICE_PASS;
	}
	assert_non_null(asked);
	assert_true(sluice_str_equal(sluice_target(asked), sluice_str("/a?b")));
	assert_int_equal(sluice_field_named(asked, "x-one", &value), 0);
	assert_true(sluice_str_equal(value, sluice_str("1")));
	return SLUICE_PASS;
}

static void what_was_asked(void **state)
{
	struct harness_exchange *x;

	t.response = look_at_asked;
	x = harness_request(*state, "GET", "/a?b", HARNESS_FIELDS({"X-One", "1"}));
	harness_response(x, 200, HARNESS_NO_FIELDS);
	harness_group_add(*state, "one", SLUICE_BALANCE_P2C, 1);
	harness_routed(*state, 0, SLUICE_NONE16);
	x = harness_request(*state, "GET", "/a?b", HARNESS_FIELDS({"X-One", "1"}));
	harness_response(x, 200, HARNESS_NO_FIELDS);
	harness_done(x, false);
}

static void routes_and_picks(void **state)
{
	struct harness_exchange *x;

	harness_group_add(*state, "one", SLUICE_BALANCE_P2C, 1);
	harness_group_add(*state, "two", SLUICE_BALANCE_P2C, 3);
	harness_routed(*state, 0, SLUICE_NONE16);
	t.request = choose;
	x = harness_request(*state, "GET", "/", HARNESS_NO_FIELDS);
	assert_int_equal(harness_group(x), 1);
	assert_int_equal(harness_server(x), 2);
	harness_response(x, 200, HARNESS_NO_FIELDS);
	assert_int_equal(harness_group(x), SLUICE_NONE16);
}

/* --- hold -------------------------------------------------------------------------- */

static enum sluice_verdict hold(struct sluice_exchange *x)
{
	t.held = x;
	assert_int_equal(sluice_field_set(x, "x-held", sluice_str("1")), 0);
	return SLUICE_HOLD;
}

static void held_is_resumed(void **state)
{
	struct harness_exchange *x;

	t.request = hold;
	x = harness_request(*state, "GET", "/held", HARNESS_NO_FIELDS);
	assert_int_equal(harness_verdict(x), SLUICE_HOLD);
	assert_str(sluice_path(t.held), "/held");
	sluice_field_set(t.held, "x-later", sluice_str("2"));
	sluice_resume(t.held, SLUICE_PASS);
	assert_int_equal(harness_verdict(x), SLUICE_PASS);
	assert_string_equal(harness_edits(x), "set x-held: 1\nset x-later: 2\n");
	sluice_resume(t.held, SLUICE_PASS);
	assert_string_equal(harness_log(*state, 0),
			    "sluice_resume for an exchange that is not held");
	assert_int_equal(sluice_field_set(t.held, "x", sluice_str("")), -EINVAL);
}

static void held_may_end(void **state)
{
	struct harness_exchange *x;

	t.request = hold;
	x = harness_request(*state, "GET", "/", HARNESS_NO_FIELDS);
	harness_done(x, true);
	assert_int_equal(t.resets, 1);
	assert_int_equal(harness_verdict(x), SLUICE_HOLD);
}

static void time_is_told(void **state)
{
	struct harness *h = *state;

	assert_int_equal(sluice_now_us(harness_nf(h)), 1000000);
	assert_int_equal(sluice_wall_seconds(harness_nf(h)), 1704067200);
	harness_advance(h, 2500000);
	assert_int_equal(sluice_now_us(harness_nf(h)), 3500000);
	assert_int_equal(sluice_wall_seconds(harness_nf(h)), 1704067202);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(head_is_read),
		TEST(edits_are_made),
		TEST(edits_have_a_bound),
		TEST(edits_are_repeated),
		TEST(too_many_edits_are_not_kept),
		TEST(response_is_edited_and_left),
		TEST(ctx_stays_with_its_exchange),
		TEST(what_was_asked),
		TEST(routes_and_picks),
		TEST(held_is_resumed),
		TEST(held_may_end),
		TEST(time_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
