/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/http/chars.h"

#include <string.h>

#define T HTTP_TOKEN
#define V HTTP_VALUE
#define G HTTP_TARGET
#define H HTTP_HOST
#define S HTTP_SPACE

/* RFC 9110 §5.6.2 (tchar), §5.5 (field-value); RFC 3986 §3.2.2 (reg-name). A comma is a sub-delim,
 * but no host has one: "a, b" is a list, and refused. */
const uint8_t http_chars[256] = {
	['\t'] = V | S,
	[' '] = V | S,
	['!'] = T | V | G | H,
	['"'] = V | G,
	['#'] = T | V,
	['$'] = T | V | G | H,
	['%'] = T | V | G,
	['&' ... '\''] = T | V | G | H,
	['(' ... ')'] = V | G | H,
	['*' ... '+'] = T | V | G | H,
	[','] = V | G,
	['-' ... '.'] = T | V | G | H,
	['/'] = V | G,
	['0' ... '9'] = T | V | G | H | HTTP_DIGIT | HTTP_HEX,
	[':'] = V | G,
	[';'] = V | G | H,
	['<'] = V | G,
	['='] = V | G | H,
	['>' ... '@'] = V | G,
	['A' ... 'F'] = T | V | G | H | HTTP_HEX,
	['G' ... 'Z'] = T | V | G | H,
	['[' ... ']'] = V | G,
	['^'] = T | V | G,
	['_'] = T | V | G | H,
	['`'] = T | V | G,
	['a' ... 'f'] = T | V | G | H | HTTP_HEX,
	['g' ... 'z'] = T | V | G | H,
	['{'] = V | G,
	['|'] = T | V | G,
	['}'] = V | G,
	['~'] = T | V | G | H,
	[0x80 ... 0xff] = V,
};

static uint64_t load32(const uint8_t *bytes)
{
	uint32_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

/* Fewer than eight bytes, some of them twice: all that counts is that none is left out. */
static uint64_t load_short(const uint8_t *bytes, uint32_t len)
{
	if (len >= 4)
		return load32(bytes) | load32(bytes + len - 4) << 32;
	if (len == 0)
		return 0;
	return bytes[0] | (uint64_t)bytes[len / 2] << 8 | (uint64_t)bytes[len - 1] << 16;
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Sums of seven bits stay in their byte: the sign bit says that it is beyond 'A', or 'Z'. */
static uint64_t lower(uint64_t word)
{
	uint64_t low = word & EACH(0x7f);
	uint64_t from_a = low + EACH(0x80 - 'A'), beyond_z = low + EACH(0x7f - 'Z');

	return word | ((from_a & ~beyond_z & ~word & EACH(0x80)) >> 2);
}

static bool equal_words(uint64_t a, uint64_t b)
{
	return a == b || lower(a) == lower(b);
}

/* The last eight bytes overlap those before. */
bool http_equal(const uint8_t *a, uint32_t a_len, const uint8_t *b, uint32_t b_len)
{
	if (a_len != b_len)
		return false;
	if (a_len < sizeof(uint64_t))
		return equal_words(load_short(a, a_len), load_short(b, a_len));
	for (uint32_t i = 0; i + sizeof(uint64_t) < a_len; i += sizeof(uint64_t))
		if (!equal_words(http_load64(a + i), http_load64(b + i)))
			return false;
	return equal_words(http_load64(a + a_len - sizeof(uint64_t)),
			   http_load64(b + a_len - sizeof(uint64_t)));
}

bool http_equal_text(const uint8_t *a, uint32_t a_len, const char *text)
{
	return http_equal(a, a_len, (const uint8_t *)text, (uint32_t)strlen(text));
}
