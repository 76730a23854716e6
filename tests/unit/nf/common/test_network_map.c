/* SPDX-License-Identifier: BSD-3-Clause */
/* Of the networks that a peer is in, the one with the longest prefix counts. */
#include "nf/common/network_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct network_entry entry[64];

/* As network_map_read leaves it: by length of prefix, longest first, then by address. */
static struct network_map map_of(const char *const *text, const uint8_t *bits, unsigned count)
{
	struct network_map map = {entry, count};

	for (unsigned i = 0; i < count; ++i) {
		assert_int_equal(network_parse(text[i], &entry[i].range), 0);
		entry[i].bits = bits[i];
		entry[i].value = (uint8_t)(i + 1);
	}
	return map;
}

static uint8_t find(const struct network_map *map, uint32_t address)
{
	struct sluice_peer peer = {.family = 4};

	for (unsigned i = 0; i < 4; ++i)
		peer.bytes[i] = (uint8_t)(address >> (24 - 8 * i));
	return network_map_find(map, &peer);
}

static void test_longest_prefix(void **state)
{
	static const char *const text[] = {"10.1.2.3/32", "10.1.0.0/24", "10.1.2.0/24",
					   "10.1.9.0/24", "10.1.0.0/16", "192.168.0.0/16",
					   "10.0.0.0/8",  "0.0.0.0/0"};
	static const uint8_t bits[] = {128, 120, 120, 120, 112, 112, 104, 96};
	struct network_map map = map_of(text, bits, 8);

	(void)state;
	assert_int_equal(find(&map, 0x0a010203), 1);
	assert_int_equal(find(&map, 0x0a010204), 3);
	assert_int_equal(find(&map, 0x0a0100ff), 2);
	assert_int_equal(find(&map, 0x0a010901), 4);
	assert_int_equal(find(&map, 0x0a010a01), 5);
	assert_int_equal(find(&map, 0x0a020304), 7);
	assert_int_equal(find(&map, 0xc0a8ffff), 6);
	assert_int_equal(find(&map, 0x08080808), 8);
}

static void test_none(void **state)
{
	static const char *const text[] = {"10.0.0.0/8"};
	static const uint8_t bits[] = {104};
	struct network_map map = map_of(text, bits, 1), empty = {NULL, 0};

	(void)state;
	assert_int_equal(find(&map, 0x0b000000), 0);
	assert_int_equal(find(&map, 0x09ffffff), 0);
	assert_int_equal(find(&empty, 0x0a000000), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_longest_prefix),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
