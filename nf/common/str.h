/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Small help with runs of text, for files that need nothing else of the SDK.
 */
#ifndef NF_COMMON_STR_H
#define NF_COMMON_STR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <sluice/nf.h>

static inline struct sluice_str str_make(const char *ptr, size_t len)
{
	return (struct sluice_str){ptr, (uint32_t)len};
}

static inline char str_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static inline bool str_is_space(char c)
{
	return c == ' ' || c == '\t';
}

static inline bool str_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* RFC 9110 §5.6.2 */
static inline bool str_is_token_char(char c)
{
	return str_is_digit(c) || (str_lower(c) >= 'a' && str_lower(c) <= 'z') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static inline bool str_is_token(struct sluice_str s)
{
	for (uint32_t i = 0; i < s.len; i++)
		if (!str_is_token_char(s.ptr[i]))
			return false;
	return s.len > 0;
}

static inline bool str_equal(struct sluice_str a, struct sluice_str b)
{
	return a.len == b.len && !memcmp(a.ptr, b.ptr, a.len);
}

static inline bool str_equal_nocase(struct sluice_str a, struct sluice_str b)
{
	if (a.len != b.len)
		return false;
	for (uint32_t i = 0; i < a.len; i++)
		if (str_lower(a.ptr[i]) != str_lower(b.ptr[i]))
			return false;
	return true;
}

static inline struct sluice_str str_skip(struct sluice_str s, uint32_t n)
{
	return str_make(s.ptr + n, s.len - n);
}

static inline struct sluice_str str_trim(struct sluice_str s)
{
	while (s.len && str_is_space(s.ptr[0]))
		s = str_skip(s, 1);
	while (s.len && str_is_space(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

/* Decimal digits and nothing else, saturating at `most`. -1: something else. */
static inline int64_t str_number(struct sluice_str s, int64_t most)
{
	int64_t n = 0;

	for (uint32_t i = 0; i < s.len; i++) {
		if (!str_is_digit(s.ptr[i]))
			return -1;
		n = n * 10 + (s.ptr[i] - '0');
		if (n > most)
			n = most;
	}
	return s.len ? n : -1;
}

#endif
