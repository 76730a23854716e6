/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Conversations with the function cache: a client asks, an origin answers, and what comes
 * out is looked at.
 */
#ifndef TESTS_NF_CACHE_CACHE_TEST_H
#define TESTS_NF_CACHE_CACHE_TEST_H

#include "table.h"

#include "nf/cache/cache.h"
#include "nf/sdk/harness.h"

#define F HARNESS_FIELDS
#define HOST                        \
	{                           \
		"Host", "a.example" \
	}
#define DATE                                            \
	{                                               \
		"Date", "Mon, 01 Jan 2024 00:00:00 GMT" \
	} /* when the harness begins */
#define SECOND UINT64_C(1000000)

typedef struct harness_exchange exchange;

static inline struct harness *begin(const char *config)
{
	struct harness *h = harness_create(&cache_hooks);

	assert_int_equal(harness_start(h, config), 0);
	return h;
}

static inline exchange *ask(struct harness *h, const char *method, const char *target)
{
	return harness_request(h, method, target, F(HOST));
}

static inline exchange *get(struct harness *h, const char *target)
{
	return ask(h, "GET", target);
}

/* The origin answers with that body, in one piece, and the exchange ends well. */
static inline void origin(exchange *x, uint16_t status, const struct harness_field *fields,
			  const char *body)
{
	struct harness_field all[24] = {{"Content-Length", NULL}};
	char length[24];
	unsigned n = 1;

	snprintf(length, sizeof(length), "%zu", strlen(body));
	all[0].value = length;
	for (; fields->name; fields++)
		all[n++] = *fields;
	harness_response(x, status, all);
	if (*body)
		harness_response_body(x, body, strlen(body), true);
	harness_done(x, false);
}

static inline bool is_answered(const exchange *x)
{
	return harness_verdict(x) == SLUICE_RESPOND;
}

/* It is answered from the store, with that body. */
static inline void assert_answer(const exchange *x, uint16_t status, const char *body)
{
	size_t len;
	const uint8_t *bytes = harness_body(x, &len);

	assert_int_equal(harness_verdict(x), SLUICE_RESPOND);
	assert_int_equal(harness_status(x), status);
	assert_int_equal(len, strlen(body));
	assert_memory_equal(bytes, body, len);
	assert_true(harness_body_ended(x));
}

static inline void assert_hit(struct harness *h, const char *target, const char *body)
{
	exchange *x = get(h, target);

	assert_answer(x, 200, body);
	harness_done(x, false);
}

/* It goes on to the origin; the exchange is left to the caller. */
static inline exchange *assert_miss(struct harness *h, const char *target)
{
	exchange *x = get(h, target);

	assert_int_not_equal(harness_verdict(x), SLUICE_RESPOND);
	assert_int_not_equal(harness_verdict(x), SLUICE_HOLD);
	return x;
}

static inline void assert_missed(struct harness *h, const char *target)
{
	harness_done(assert_miss(h, target), true);
}

static inline void assert_field(const exchange *x, const char *name, const char *value)
{
	const char *is = harness_field(x, name);

	if (!value) {
		assert_null(is);
		return;
	}
	assert_non_null(is);
	assert_string_equal(is, value);
}

/* A target is fetched and, if the rules allow it, stored. */
static inline void fetch(struct harness *h, const char *target, const struct harness_field *fields,
			 const char *body)
{
	origin(assert_miss(h, target), 200, fields, body);
}

static inline void seconds(struct harness *h, unsigned n)
{
	harness_advance(h, n * SECOND);
}

static inline uint64_t counter(struct harness *h, const char *name)
{
	harness_tick(h);
	return harness_counter(h, name);
}

#endif
