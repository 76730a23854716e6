/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Classes of bytes (RFC 9110 §5.6, RFC 3986 §2) and comparison without case.
 *
 * Threads: constant data, any thread.
 */
#ifndef CHAIN_HTTP_CHARS_H
#define CHAIN_HTTP_CHARS_H

#include <stdbool.h>
#include <stdint.h>

enum http_char {
	HTTP_TOKEN = 1 << 0,  /* tchar */
	HTTP_VALUE = 1 << 1,  /* field-value: VCHAR, SP, HTAB, obs-text */
	HTTP_TARGET = 1 << 2, /* VCHAR without '#' */
	HTTP_HOST = 1 << 3,   /* reg-name without '%' and ',' */
	HTTP_DIGIT = 1 << 4,
	HTTP_HEX = 1 << 5,
	HTTP_SPACE = 1 << 6, /* SP, HTAB */
};

extern const uint8_t http_chars[256];

static inline bool http_is(uint8_t byte, uint8_t classes)
{
	return (http_chars[byte] & classes) != 0;
}

/* 0 to 15; only for HTTP_HEX. */
static inline uint8_t http_hex(uint8_t byte)
{
	return byte <= '9' ? byte - '0' : (byte | 0x20) - 'a' + 10;
}

/* Eight bytes as one number, wherever they lie. */
static inline uint64_t http_load64(const uint8_t *bytes)
{
	uint64_t word;

	__builtin_memcpy(&word, bytes, sizeof(word));
	return word;
}

/* Equal when the ASCII letters' case does not count. */
bool http_equal(const uint8_t *a, uint32_t a_len, const uint8_t *b, uint32_t b_len);

/* The same with a C string. */
bool http_equal_text(const uint8_t *a, uint32_t a_len, const char *text);

#endif
