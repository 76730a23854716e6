/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/http/scan.h"

#include <stddef.h>

static uint32_t plain_value(const uint8_t *data, uint32_t len)
{
	return http_scan_class(data, len, HTTP_VALUE);
}

static uint32_t plain_target(const uint8_t *data, uint32_t len)
{
	return http_scan_class(data, len, HTTP_TARGET);
}

static const struct http_scan plain = {"plain", plain_value, plain_target};

#ifdef __x86_64__
#include <immintrin.h>

typedef uint32_t stops_fn(const uint8_t *data);

/* `len` is a step at least. The last step overlaps the one before, where nothing was found. */
static inline __attribute__((always_inline)) uint32_t in_steps(const uint8_t *data, uint32_t len,
							       uint32_t step, stops_fn *stops_of)
{
	uint32_t i = 0, stops = 0;

	for (; i + step < len && stops == 0; i += step)
		stops = stops_of(data + i);
	if (stops != 0)
		return i - step + (uint32_t)__builtin_ctz(stops);
	stops = stops_of(data + len - step);
	return stops != 0 ? len - step + (uint32_t)__builtin_ctz(stops) : len;
}

/* A field value ends at a control byte that is not HTAB, or at DEL. */
static uint32_t sse2_value_stops(const uint8_t *data)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)data);
	__m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
	__m128i tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
	__m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));

	return (uint32_t)_mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, control), del));
}

/* A target ends at SP and below, DEL, '#', and above 0x7f (negative when signed). */
static uint32_t sse2_target_stops(const uint8_t *data)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)data);
	__m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x21));
	__m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
	__m128i hash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('#'));

	return (uint32_t)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(low, del), hash));
}

static uint32_t sse2_value(const uint8_t *data, uint32_t len)
{
	return len < 16 ? plain_value(data, len) : in_steps(data, len, 16, sse2_value_stops);
}

static uint32_t sse2_target(const uint8_t *data, uint32_t len)
{
	return len < 16 ? plain_target(data, len) : in_steps(data, len, 16, sse2_target_stops);
}

__attribute__((target("avx2"))) static uint32_t avx2_value_stops(const uint8_t *data)
{
	__m256i bytes = _mm256_loadu_si256((const __m256i *)data);
	__m256i control = _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(0x1f)), bytes);
	__m256i tab = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\t'));
	__m256i del = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(0x7f));

	return (uint32_t)_mm256_movemask_epi8(
		_mm256_or_si256(_mm256_andnot_si256(tab, control), del));
}

__attribute__((target("avx2"))) static uint32_t avx2_target_stops(const uint8_t *data)
{
	__m256i bytes = _mm256_loadu_si256((const __m256i *)data);
	__m256i low = _mm256_cmpgt_epi8(_mm256_set1_epi8(0x21), bytes);
	__m256i del = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(0x7f));
	__m256i hash = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('#'));

	return (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(_mm256_or_si256(low, del), hash));
}

__attribute__((target("avx2"))) static uint32_t avx2_value(const uint8_t *data, uint32_t len)
{
	return len < 32 ? sse2_value(data, len) : in_steps(data, len, 32, avx2_value_stops);
}

__attribute__((target("avx2"))) static uint32_t avx2_target(const uint8_t *data, uint32_t len)
{
	return len < 32 ? sse2_target(data, len) : in_steps(data, len, 32, avx2_target_stops);
}

static const struct http_scan sse2 = {"sse2", sse2_value, sse2_target};
static const struct http_scan avx2 = {"avx2", avx2_value, avx2_target};

static uint32_t sets_here(void)
{
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx2") ? 3 : 2;
}

static const struct http_scan *const sets[] = {&plain, &sse2, &avx2};
#else
static uint32_t sets_here(void)
{
	return 1;
}

static const struct http_scan *const sets[] = {&plain};
#endif

const struct http_scan *http_scan = &plain;

const struct http_scan *http_scan_set(uint32_t index)
{
	return index < sets_here() ? sets[index] : NULL;
}

__attribute__((constructor)) static void choose_set(void)
{
	http_scan = sets[sets_here() - 1];
}
