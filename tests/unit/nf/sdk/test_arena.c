/* SPDX-License-Identifier: BSD-3-Clause */
/* The arena's allocator: random work against a model, and leases. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nf/sdk/arena.h"

#define ARENA_BYTES (1u << 20)
#define BUFS        400

static uint32_t seed = 12345;

static uint32_t draw(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

static uint32_t draw_size(void)
{
	switch (draw(4)) {
	case 0:
		return draw(64);
	case 1:
		return draw(2048);
	case 2:
		return draw(20000);
	default:
		return 64 * draw(64);
	}
}

static void fill(struct sluice_buf *buf, uint8_t byte)
{
	memset(buf->data, byte, buf->size);
}

static void assert_filled(const struct sluice_buf *buf, uint8_t byte)
{
	for (uint32_t i = 0; i < buf->size; i++) {
		if (buf->data[i] != byte)
			fail_msg("a buffer was overwritten");
	}
}

static void random_work(void **state)
{
	uint8_t *memory = aligned_alloc(4096, ARENA_BYTES);
	struct sluice_buf *buf[BUFS] = {0};
	struct arena *a;
	unsigned full = 0;

	(void)state;
	assert_int_equal(arena_create(memory, ARENA_BYTES, &a), 0);
	for (unsigned turn = 0; turn < 50000; turn++) {
		unsigned i = draw(BUFS);

		if (buf[i]) {
			assert_filled(buf[i], (uint8_t)i);
			sluice_buf_unref(buf[i]);
			buf[i] = NULL;
		} else if ((buf[i] = arena_alloc(a, draw_size()))) {
			assert_int_equal(arena_offset(a, buf[i]) % 64, 0);
			assert_true(arena_offset(a, buf[i]) + buf[i]->size <= ARENA_BYTES);
			fill(buf[i], (uint8_t)i);
		} else {
			full++;
		}
		if (turn % 100 == 0)
			assert_int_equal(arena_check(a), 0);
	}
	assert_true(full > 0);
	for (unsigned i = 0; i < BUFS; i++)
		sluice_buf_unref(buf[i]);
	assert_int_equal(arena_check(a), 0);
	assert_int_equal(arena_used(a), 0);
	assert_non_null(buf[0] = arena_alloc(a, ARENA_BYTES));
	assert_null(arena_alloc(a, 1));
	sluice_buf_unref(buf[0]);
	arena_destroy(a);
	free(memory);
}

static void sizes_at_the_edge(void **state)
{
	uint8_t *memory = aligned_alloc(4096, 8192);
	struct sluice_buf *empty;
	struct arena *a;

	(void)state;
	assert_int_equal(arena_create(memory, 63, &a), -EINVAL);
	assert_int_equal(arena_create(memory, 8192, &a), 0);
	assert_null(arena_alloc(a, UINT32_MAX));
	assert_null(arena_alloc(a, 8193));
	assert_non_null(empty = arena_alloc(a, 0));
	assert_int_equal(empty->size, 0);
	assert_int_equal(arena_used(a), 64);
	sluice_buf_unref(empty);
	assert_int_equal(arena_bytes(a), 8192);
	arena_destroy(a);
	free(memory);
}

static void leases_hold_buffers(void **state)
{
	uint8_t *memory = aligned_alloc(4096, 65536);
	struct arena_lease what = {1, 2, 3, 4}, was;
	struct sluice_buf *buf;
	uint32_t tag[1000];
	struct arena *a;

	(void)state;
	assert_int_equal(arena_create(memory, 65536, &a), 0);
	buf = arena_alloc(a, 100);
	for (unsigned i = 0; i < 1000; i++) {
		what.len = i;
		tag[i] = arena_lease(a, buf, &what);
		assert_true(tag[i] > 0);
	}
	sluice_buf_unref(buf);
	assert_int_equal(arena_used(a), 128);
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(arena_release(a, tag[i], &was), 0);
		assert_int_equal(was.len, i);
		assert_int_equal(was.slot, 2);
		assert_int_equal(arena_release(a, tag[i], &was), -ENOENT);
	}
	assert_int_equal(arena_leases(a), 0);
	assert_int_equal(arena_used(a), 0);
	assert_int_equal(arena_release(a, 0, &was), -ENOENT);
	assert_int_equal(arena_release(a, UINT32_MAX, &was), -ENOENT);
	arena_destroy(a);
	free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_work),
		cmocka_unit_test(sizes_at_the_edge),
		cmocka_unit_test(leases_hold_buffers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
