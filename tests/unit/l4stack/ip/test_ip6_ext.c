/* SPDX-License-Identifier: BSD-3-Clause */
/* Chains of extension headers: where they end, and what stops them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "l4stack/ip/ip6_ext.h"

#define IP6 40

/* `chain` stands behind the IPv6 header. */
static struct ip6_walk walk(uint8_t first, const uint8_t *chain, size_t len)
{
	uint8_t packet[512] = {0};
	struct ip6_walk out;

	memcpy(packet + IP6, chain, len);
	ip6_walk(packet, (uint32_t)(IP6 + len), IP6, first, 6, &out);
	return out;
}
#define WALK(first, ...) \
	walk(first, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

#define PAD4        1, 4, 0, 0, 0, 0
#define HOP(next)   next, 0, PAD4
#define DEST(next)  next, 0, PAD4
#define ROUTE(next) next, 0, 0, 0, 0, 0, 0, 0

static void no_extension(void **state)
{
	struct ip6_walk w = WALK(6, 1, 2, 3);

	(void)state;
	assert_int_equal(w.end, IP6_WALK_UPPER);
	assert_int_equal(w.protocol, 6);
	assert_int_equal(w.at, 40);
	assert_int_equal(w.named_at, 6);
}

static void a_whole_chain(void **state)
{
	struct ip6_walk w = WALK(0, HOP(60), DEST(43), ROUTE(60), DEST(17), 1, 2);

	(void)state;
	assert_int_equal(w.end, IP6_WALK_UPPER);
	assert_int_equal(w.protocol, 17);
	assert_int_equal(w.at, 72);
	assert_int_equal(w.named_at, 64);
}

/* RFC 6946: a fragment that is the whole packet. */
static void atomic_fragments_are_passed(void **state)
{
	struct ip6_walk w = WALK(44, 6, 0, 0, 0, 1, 2, 3, 4);

	(void)state;
	assert_int_equal(w.end, IP6_WALK_UPPER);
	assert_int_equal(w.at, 48);
	w = WALK(44, 6, 0, 0, 1, 1, 2, 3, 4);
	assert_int_equal(w.end, IP6_WALK_FRAGMENT);
	assert_int_equal(w.at, 40);
	w = WALK(44, 6, 0, 0, 8, 1, 2, 3, 4);
	assert_int_equal(w.end, IP6_WALK_FRAGMENT);
}

static void headers_that_are_cut_off(void **state)
{
	(void)state;
	assert_int_equal(WALK(0, 6, 0, 1, 4, 0, 0, 0).end, IP6_WALK_TRUNCATED);
	assert_int_equal(WALK(60, 6, 1, 1, 4, 0, 0, 0, 0).end, IP6_WALK_TRUNCATED);
	assert_int_equal(WALK(60, 6, 255, 1, 4, 0, 0, 0, 0).end, IP6_WALK_TRUNCATED);
	assert_int_equal(WALK(44, 6, 0, 0, 1, 1, 2, 3).end, IP6_WALK_TRUNCATED);
	assert_int_equal(WALK(0, HOP(60), 6).end, IP6_WALK_TRUNCATED);
}

static void options_that_overrun(void **state)
{
	(void)state;
	assert_int_equal(WALK(60, 6, 0, 1, 5, 0, 0, 0, 0).end, IP6_WALK_MALFORMED);
	assert_int_equal(WALK(60, 6, 0, 0, 0, 0, 0, 0, 1).end, IP6_WALK_MALFORMED);
	assert_int_equal(WALK(60, 6, 0, 1, 255, 0, 0, 0, 0).end, IP6_WALK_MALFORMED);
}

/* RFC 8200 §4.2: skip, drop, tell, tell unless a group. */
static void options_nobody_knows(void **state)
{
	struct ip6_walk w;

	(void)state;
	assert_int_equal(WALK(60, 6, 0, 0x1e, 4, 0, 0, 0, 0).end, IP6_WALK_UPPER);
	for (uint8_t action = 1; action <= 3; action++) {
		w = WALK(60, 6, 0, (uint8_t)(action << 6 | 0x1e), 4, 0, 0, 0, 0);
		assert_int_equal(w.end, IP6_WALK_OPTION);
		assert_int_equal(w.action, action);
		assert_int_equal(w.bad_at, 42);
	}
}

static void order_and_number(void **state)
{
	(void)state;
	assert_int_equal(WALK(60, DEST(0), HOP(6)).end, IP6_WALK_MALFORMED);
	assert_int_equal(WALK(60, DEST(60), DEST(60), DEST(60), DEST(60), DEST(60), DEST(60),
			      DEST(60), DEST(6))
				 .end,
			 IP6_WALK_UPPER);
	assert_int_equal(WALK(60, DEST(60), DEST(60), DEST(60), DEST(60), DEST(60), DEST(60),
			      DEST(60), DEST(60), DEST(6))
				 .end,
			 IP6_WALK_MALFORMED);
}

/* RFC 5095 §3, RFC 8200 §4.4: the type is to blame. */
static void source_routes(void **state)
{
	struct ip6_walk w = WALK(43, 6, 0, 0, 1, 0, 0, 0, 0);

	(void)state;
	assert_int_equal(w.end, IP6_WALK_ROUTED);
	assert_int_equal(w.bad_at, 42);
	assert_int_equal(WALK(43, 6, 0, 0, 0, 0, 0, 0, 0).end, IP6_WALK_UPPER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_extension),
		cmocka_unit_test(a_whole_chain),
		cmocka_unit_test(atomic_fragments_are_passed),
		cmocka_unit_test(headers_that_are_cut_off),
		cmocka_unit_test(options_that_overrun),
		cmocka_unit_test(options_nobody_knows),
		cmocka_unit_test(order_and_number),
		cmocka_unit_test(source_routes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
