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

static uint64_t load64(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

static bool equal_bytes(const uint8_t *a, const uint8_t *b, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		if (a[i] != b[i] && http_lower(a[i]) != http_lower(b[i]))
			return false;
	return true;
}

/* Letters differ from their other case in one bit. Most words are the same altogether, or differ in
 * more; only what is left is looked at byte by byte. */
static bool equal_words(const uint8_t *a, const uint8_t *b)
{
	uint64_t differ = load64(a) ^ load64(b);

	if (differ == 0)
		return true;
	if ((differ & ~UINT64_C(0x2020202020202020)) != 0)
		return false;
	return equal_bytes(a, b, sizeof(differ));
}

bool http_equal(const uint8_t *a, uint32_t a_len, const uint8_t *b, uint32_t b_len)
{
	uint32_t i = 0;

	if (a_len != b_len)
		return false;
	for (; a_len - i >= sizeof(uint64_t); i += sizeof(uint64_t))
		if (!equal_words(a + i, b + i))
			return false;
	return equal_bytes(a + i, b + i, a_len - i);
}

bool http_equal_text(const uint8_t *a, uint32_t a_len, const char *text)
{
	return http_equal(a, a_len, (const uint8_t *)text, (uint32_t)strlen(text));
}
