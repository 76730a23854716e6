/* SPDX-License-Identifier: BSD-3-Clause */
/* The function's end of the up ring: room, text, and answers that must not be lost. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nf/sdk/outring.h"

#define ENTRIES 32
#define TEXT    SLUICE_EDITS_MAX_BYTES

static struct {
	struct sluice_down_ctl down;
	uint8_t *up;
	struct outring out;
	uint32_t consumed;
} t;

static int setup(void **state)
{
	size_t bytes = SLUICE_PAGE + ENTRIES * sizeof(struct sluice_up) + TEXT;

	(void)state;
	memset(&t, 0, sizeof(t));
	t.down.up_entries = ENTRIES;
	t.down.up_text_bytes = TEXT;
	t.up = aligned_alloc(SLUICE_PAGE, (bytes + SLUICE_PAGE - 1) & ~(size_t)(SLUICE_PAGE - 1));
	memset(t.up, 0, bytes);
	return outring_init(&t.out, &t.down, t.up, -1);
}

static int teardown(void **state)
{
	(void)state;
	outring_fini(&t.out);
	free(t.up);
	return 0;
}

static int put(uint32_t number, uint32_t text_len, bool must)
{
	static uint8_t text[TEXT];
	struct sluice_up up = {.exchange = number, .text_len = text_len};

	memset(text, (int)number, text_len);
	return outring_put(&t.out, &up, text, must);
}

/* The manager reads one: it must be this, with its text whole. */
static void take(uint32_t number)
{
	const struct sluice_up *ring = (const struct sluice_up *)(t.up + SLUICE_PAGE);
	const struct sluice_up *up = &ring[t.consumed % ENTRIES];
	const uint8_t *text = (const uint8_t *)(ring + ENTRIES);

	outring_publish(&t.out, false);
	assert_true(((struct sluice_up_ctl *)t.up)->produced != t.consumed);
	assert_int_equal(up->exchange, number);
	assert_true(up->text_off % 8 == 0 && up->text_off + up->text_len <= TEXT);
	for (uint32_t i = 0; i < up->text_len; i++)
		assert_int_equal(text[up->text_off + i], (uint8_t)number);
	t.down.up_consumed = ++t.consumed;
}

static void bodies_leave_room_for_verdicts(void **state)
{
	uint32_t n = 0, kept;

	(void)state;
	while (put(n, 0, false) == 0)
		n++;
	assert_int_equal(n, ENTRIES - 16);
	while (n < ENTRIES) {
		assert_int_equal(put(n++, 0, true), 0);
		assert_false(outring_keeps(&t.out));
	}
	for (kept = 0; kept < 100; kept++)
		assert_int_equal(put(n++, 0, true), 0);
	assert_true(outring_keeps(&t.out));
	assert_int_equal(put(0, 0, false), -EAGAIN);
	for (uint32_t i = 0; i < n; i++) {
		take(i);
		outring_flush(&t.out);
	}
	assert_false(outring_waits(&t.out));
	assert_int_equal(put(0, 0, false), 0);
}

static void text_wraps(void **state)
{
	uint32_t seed = 3, sent = 0, taken = 0;

	(void)state;
	while (taken < 20000) {
		seed = seed * 1664525 + 1013904223;
		if (seed >> 31 || sent == taken) {
			uint32_t len = seed >> 30 & 1 ? (seed >> 8) % 200 : (seed >> 8) % TEXT + 1;

			assert_int_equal(put(sent++, len, true), 0);
		} else {
			outring_flush(&t.out);
			take(taken++);
		}
	}
	while (taken < sent) {
		outring_flush(&t.out);
		take(taken++);
	}
	outring_flush(&t.out);
	assert_false(outring_waits(&t.out));
}

static void largest_text_always_fits(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 100; i++) {
		assert_int_equal(put(i, i % 3 ? TEXT : 8, true), 0);
		outring_flush(&t.out);
		if (!outring_keeps(&t.out))
			continue;
		while (t.consumed < i) {
			take(t.consumed);
			outring_flush(&t.out);
		}
		assert_false(outring_keeps(&t.out));
	}
}

/* What is written in place is what would have been put. */
static void a_plain_verdict_is_put(void **state)
{
	const struct sluice_up *ring = (const struct sluice_up *)(t.up + SLUICE_PAGE);
	struct sluice_up up = {.exchange = 7,
			       .generation = 9,
			       .kind = SLUICE_UP_VERDICT,
			       .verdict = SLUICE_LEAVE,
			       .group = SLUICE_NONE16,
			       .server = SLUICE_NONE16};

	(void)state;
	assert_int_equal(put(1, 24, true), 0);
	assert_int_equal(outring_put(&t.out, &up, NULL, true), 0);
	assert_true(outring_plain(&t.out, 7, 9, SLUICE_LEAVE));
	assert_memory_equal(&ring[1], &ring[2], sizeof(up));
	assert_int_equal(t.out.text_end[1], t.out.text_end[2]);
	take(1);
	take(7);
	take(7);
	assert_true(t.out.produced == t.out.published && t.out.produced == 3);
}

/* It does not overtake what is kept aside, nor what nobody has taken. */
static void a_plain_verdict_waits(void **state)
{
	uint32_t n = 0;

	(void)state;
	while (n < ENTRIES)
		assert_int_equal(put(n++, 0, true), 0);
	assert_false(outring_plain(&t.out, n, 1, SLUICE_PASS));
	assert_int_equal(put(n++, 0, true), 0);
	assert_true(outring_keeps(&t.out));
	take(0);
	assert_false(outring_plain(&t.out, n, 1, SLUICE_PASS));
	outring_flush(&t.out);
	take(1);
	outring_flush(&t.out);
	assert_true(outring_plain(&t.out, n, 1, SLUICE_PASS));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bodies_leave_room_for_verdicts), TEST(text_wraps),
		TEST(largest_text_always_fits),       TEST(a_plain_verdict_is_put),
		TEST(a_plain_verdict_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
