/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "l4stack/base/siphash.h"

/* Key 00 01 … 0f, message 00 01 … of as many bytes as the row's number: the vectors that
 * the authors publish with the reference implementation. */
static const uint64_t key[2] = {0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull};

static const uint64_t vectors24[] = {
	0x726fdb47dd0e0e31ull, 0x74f839c593dc67fdull, 0x0d6c8009d9a94f5aull, 0x85676696d7fb7e2dull,
	0xcf2794e0277187b7ull, 0x18765564cd99a68dull, 0xcbc9466e58fee3ceull, 0xab0200f58b01d137ull,
	0x93f5f5799a932462ull, 0x9e0082df0ba9e4b0ull, 0x7a5dbbc594ddb9f3ull, 0xf4b32f46226bada7ull,
	0x751e8fbc860ee5fbull, 0x14ea5627c0843d90ull, 0xf723ca908e7af2eeull, 0xa129ca6149be45e5ull,
	0x3f2acc7f57c29bdbull, 0x699ae9f52cbe4794ull, 0x4bc1b3f0968dd39cull, 0xbb6dc91da77961bdull,
	0xbed65cf21aa2ee98ull, 0xd0f2cbb02e3b67c7ull, 0x93536795e3a33e88ull, 0xa80c038ccd5ccec8ull,
};

static const uint64_t vectors13[] = {
	0xabac0158050fc4dcull, 0xc9f49bf37d57ca93ull, 0x82cb9b024dc7d44dull, 0x8bf80ab8e7ddf7fbull,
	0xcf75576088d38328ull, 0xdef9d52f49533b67ull, 0xc50d2b50c59f22a7ull, 0xd3927d989bb11140ull,
	0x369095118d299a8eull, 0x25a48eb36c063de4ull, 0x79de85ee92ff097full, 0x70c118c1f94dc352ull,
	0x78a384b157b4d9a2ull, 0x306f760c1229ffa7ull, 0x605aa111c0f95d34ull, 0xd320d86d2a519956ull,
	0xcc4fdd1a7d908b66ull, 0x9cf2689063dbd80cull, 0x8ffc389cb473e63eull, 0xf21f9de58d297d1cull,
	0xc0dc2f46a6cce040ull, 0xb992abfe2b45f844ull, 0x7ffe7b9ba320872eull, 0x525a0e7fdae6c123ull,
};

static void published_vectors(void **state)
{
	uint8_t message[24];

	(void)state;
	for (uint8_t i = 0; i < sizeof(message); i++)
		message[i] = i;
	for (size_t i = 0; i < sizeof(message); i++) {
		assert_int_equal(siphash24(key, message, i), vectors24[i]);
		assert_int_equal(siphash13(key, message, i), vectors13[i]);
	}
}

/* The tuple's bytes as siphash_tuple's header says. */
static size_t tuple_bytes(const struct endpoint *local, const struct endpoint *remote,
			  uint8_t out[37])
{
	size_t n = local->addr.family == ADDR_IP4 ? 4 : 16;

	memcpy(out, local->addr.bytes, n);
	memcpy(out + n, remote->addr.bytes, n);
	memcpy(out + 2 * n, &local->port, 2);
	memcpy(out + 2 * n + 2, &remote->port, 2);
	return 2 * n + 4;
}

static void tuples_hash_as_their_bytes(void **state)
{
	static const char *const pairs[][2] = {{"10.0.0.1:80", "192.168.1.2:40000"},
					       {"[fd10::1]:443", "[2001:db8::ffff:1]:65535"}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct endpoint local, remote;
		uint8_t bytes[37];
		size_t n;

		assert_int_equal(endpoint_parse(pairs[i][0], &local), 0);
		assert_int_equal(endpoint_parse(pairs[i][1], &remote), 0);
		n = tuple_bytes(&local, &remote, bytes);
		assert_int_equal(siphash_tuple(key, &local, &remote), siphash13(key, bytes, n));
		bytes[n] = 200;
		assert_int_equal(siphash24_tuple(key, &local, &remote, 200),
				 siphash24(key, bytes, n + 1));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_vectors),
		cmocka_unit_test(tuples_hash_as_their_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
