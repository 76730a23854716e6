/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/engine/slots.h"
#include "chain/http/edit.h"
#include "chain/http/head.h"
#include "chain/ring/region.h"

static struct region region;
static struct slots slots;

static int open_slots(void **state)
{
	(void)state;
	region = (struct region){.id = 3, .kind = REGION_MESSAGES, .bytes = 2u << 20};
	region.base = aligned_alloc(4096, region.bytes);
	return slots_create(&slots, &region);
}

static int close_slots(void **state)
{
	uint32_t used = slots_used(&slots);

	(void)state;
	slots_destroy(&slots);
	free(region.base);
	return used ? -1 : 0;
}

static const uint8_t *at(void *ctx, uint64_t ref)
{
	(void)ctx;
	return region.base + sluice_ref_offset(ref);
}

static const struct http_memory memory = {.at = at};

static struct http_bytes bytes(const char *text)
{
	return (struct http_bytes){(const uint8_t *)text, (uint32_t)strlen(text)};
}

static void test_all(void **state)
{
	struct sluice_head **heads = calloc(slots.smalls, sizeof(*heads));

	(void)state;
	assert_int_equal(slots.larges, 2);
	for (uint32_t i = 0; i < slots.smalls; i++) {
		heads[i] = slots_small(&slots);
		assert_non_null(heads[i]);
		assert_true(slots_is_small(&slots, heads[i]));
		assert_int_equal(slots_arg(&slots, heads[i]) * 64ull,
				 (uint8_t *)heads[i] - region.base);
		memset(heads[i], 0xaa, SLOT_SMALL_BYTES);
	}
	assert_null(slots_small(&slots));
	/* they have their turn in all places of a cache */
	assert_int_equal(((uint8_t *)heads[1] - (uint8_t *)heads[0]) / 64 % 2, 1);
	for (uint32_t i = 0; i < slots.smalls; i++)
		slots_free(&slots, heads[i]);
	heads[0] = slots_large(&slots, 100000);
	heads[1] = slots_large(&slots, 300);
	assert_null(slots_large(&slots, 300));
	assert_int_equal(heads[0]->text_size, HTTP_HEAD_BYTES_MAX);
	memset(heads[0], 0xaa, SLOT_LARGE_BYTES);
	memset(heads[1], 0xaa, SLOT_LARGE_BYTES);
	slots_free(&slots, heads[0]);
	slots_free(&slots, heads[1]);
	free(heads);
}

static void test_reserve(void **state)
{
	struct sluice_head *head, *list[512];
	uint32_t n = 0;

	(void)state;
	assert_true(slots_reserve(&slots));
	assert_true(slots_reserve(&slots));
	while ((list[n] = slots_small(&slots)))
		n++;
	assert_int_equal(n, slots.smalls - 2);
	assert_false(slots_reserve(&slots));
	head = slots_small_reserved(&slots);
	slots_free(&slots, head);
	assert_true(slots_reserve(&slots));
	slots_unreserve(&slots);
	slots_unreserve(&slots);
	while (n)
		slots_free(&slots, list[--n]);
}

static void test_copies(void **state)
{
	uint32_t taken[512], n = 0;
	uint8_t *to;

	(void)state;
	while ((taken[n] = slots_copy_take(&slots, &to)) != UINT32_MAX) {
		memset(to, 0xbb, SLOT_SMALL_BYTES);
		n++;
	}
	assert_in_range(n, slots.smalls / 5, slots.smalls / 3);
	while (n)
		slots_copy_free(&slots, taken[--n]);
}

static void test_grow(void **state)
{
	struct sluice_head *head = slots_small(&slots), *grown;
	char name[16], value[64];
	uint16_t field;

	(void)state;
	http_head_build_response(head, 200, SLUICE_METHOD_GET);
	head->group = 5;
	for (unsigned i = 0; i < SLOT_SMALL_FIELDS; i++) {
		snprintf(name, sizeof(name), "X-%u", i);
		snprintf(value, sizeof(value), "value %u", i);
		assert_int_equal(http_head_add(head, bytes(name), bytes(value)), 0);
	}
	assert_int_not_equal(http_head_add(head, bytes("X"), bytes("y")), 0);
	grown = slots_grow(&slots, head);
	assert_non_null(grown);
	assert_int_equal(grown->group, 5);
	assert_int_equal(grown->status, 200);
	assert_int_equal(http_head_add(grown, bytes("X"), bytes("y")), 0);
	field = http_head_find(grown, &memory, bytes("x-127"));
	assert_int_not_equal(field, SLUICE_NONE16);
	assert_memory_equal(http_value(&memory, grown, field).data, "value 127", 9);
	assert_null(slots_grow(&slots, grown));
	slots_free(&slots, grown);
}

#define slots_test(f) cmocka_unit_test_setup_teardown(f, open_slots, close_slots)

int main(void)
{
	const struct CMUnitTest tests[] = {
		slots_test(test_all),
		slots_test(test_reserve),
		slots_test(test_copies),
		slots_test(test_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
