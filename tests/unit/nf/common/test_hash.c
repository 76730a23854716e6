/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/nf/cache/table.h"

#include "nf/common/hash.h"

/* The first vectors of the paper: key 00 01 … 0f, input 00 01 02 … of growing length. */
static void vectors(void **state)
{
	static const uint64_t want[] = {
		UINT64_C(0x726fdb47dd0e0e31),
		UINT64_C(0x74f839c593dc67fd),
		UINT64_C(0x0d6c8009d9a94f5a),
		UINT64_C(0x85676696d7fb7e2d),
	};
	struct hash_key key = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
	uint8_t input[15];

	(void)state;
	for (uint8_t i = 0; i < sizeof(input); i++)
		input[i] = i;
	for (size_t i = 0; i < ROWS(want); i++)
		assert_true(hash_bytes(&key, input, i) == want[i]);
	assert_true(hash_bytes(&key, input, 15) == UINT64_C(0xa129ca6149be45e5));
}

static void another_key_another_hash(void **state)
{
	struct hash_key a = {1, 2}, b = {1, 3};

	(void)state;
	assert_true(hash_bytes(&a, "x", 1) != hash_bytes(&b, "x", 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(another_key_another_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
