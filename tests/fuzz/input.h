/* SPDX-License-Identifier: BSD-3-Clause */
/* What every fuzz target has: its input read byte by byte, and what must hold whatever that is. */
#ifndef TESTS_FUZZ_INPUT_H
#define TESTS_FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *at;
	size_t left;
};

static inline void expect(bool true_always)
{
	if (!true_always)
		abort();
}

/* Behind the end there are zeros. */
static inline uint8_t next8(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->at++;
}

#endif
