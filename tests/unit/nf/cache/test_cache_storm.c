/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Everything at once, at random but repeatable: requests of all kinds, responses that are
 * stored, refused, cut short and abandoned, clients that go away, full rings, slow readers,
 * time that passes. Whatever the store answers must be a body that the origin gave for that target
 * and variant; the bound must hold; the sanitizers must find nothing.
 */
#include "cache_test.h"

#include "nf/lb/random.h"

#define STEPS   40000
#define OPEN    24
#define TARGETS 20
#define LIMIT   (1 << 20)

static uint8_t bytes[150000];

struct seat {
	exchange *x;
	unsigned target, variant;
	bool fetching; /* the origin has sent its head; `left` is still to come */
	size_t at, len;
};

struct storm {
	struct harness *h;
	uint64_t random;
	struct seat seat[OPEN];
	unsigned answers;
};

static unsigned below(struct storm *s, unsigned n)
{
	return random_below(&s->random, n);
}

static bool chance(struct storm *s, unsigned percent)
{
	return below(s, 100) < percent;
}

/* A target's bodies begin at a place of their own; the first two bytes tell which it is. */
static const uint8_t *body_of(const struct seat *seat)
{
	return bytes + 256 * (seat->target * 2 + seat->variant);
}

static void close_seat(struct seat *seat, bool reset)
{
	if (seat->x)
		harness_done(seat->x, reset);
	*seat = (struct seat){0};
}

/* What was answered in full is looked at; parts and heads only for their status. */
static void look(struct storm *s, const struct seat *seat)
{
	uint16_t status = harness_status(seat->x);
	size_t len;
	const uint8_t *body = harness_body(seat->x, &len);

	assert_true(status == 200 || status == 503 || status == 206 || status == 304 ||
		    status == 416 || status == 504);
	if ((status == 200 || status == 503) && len)
		assert_memory_equal(body, body_of(seat), len);
	s->answers++;
}

static void open_seat(struct storm *s, struct seat *seat)
{
	static const char *const rare[] = {"HEAD", "HEAD", "HEAD", "POST", "PURGE"};
	static const struct harness_field extras[] = {
		{"X-A", "1"},
		{"X-A", "1"},
		{"X-A", "1"},
		{"X-A", "1"},
		{"Range", "bytes=5-999"},
		{"If-None-Match", "\"t\""},
		{"Cache-Control", "no-cache"},
		{"Cache-Control", "max-stale"},
		{"Cache-Control", "only-if-cached"},
		{"Cache-Control", "no-store"},
		{"Authorization", "x"},
	};
	char target[16];

	seat->target = below(s, TARGETS);
	seat->variant = below(s, 2);
	snprintf(target, sizeof(target), "/%u", seat->target);
	seat->x = harness_request(
		s->h, chance(s, 8) ? rare[below(s, ROWS(rare))] : "GET", target,
		F(HOST, {"X-V", seat->variant ? "b" : "a"}, extras[below(s, ROWS(extras))]));
	if (chance(s, 10))
		close_seat(seat, true);
}

static void send_head(struct storm *s, struct seat *seat)
{
	static const char *const ccs[] = {"max-age=3",
					  "max-age=3",
					  "max-age=60",
					  "no-store",
					  "max-age=2, stale-while-revalidate=9",
					  "no-cache"};
	bool chunked = chance(s, 30);
	char length[24];

	seat->len = below(s, 3) ? below(s, 3000) : below(s, 130000);
	snprintf(length, sizeof(length), "%zu", seat->len);
	harness_response(seat->x,
			 chance(s, 8)   ? 503
			 : chance(s, 5) ? 304
					: 200,
			 F({"Cache-Control", ccs[below(s, ROWS(ccs))]}, {"ETag", "\"t\""},
			   {"Vary", "X-V"},
			   {chunked ? "Transfer-Encoding" : "Content-Length",
			    chunked ? "chunked" : length}));
	seat->fetching = true;
}

static void send_body(struct storm *s, struct seat *seat)
{
	size_t left = seat->len - seat->at, n = left > 1 ? 1 + below(s, (unsigned)left) : left;
	bool end = seat->at + n == seat->len;

	if (chance(s, 4)) {
		close_seat(seat, true);
		return;
	}
	harness_response_body(seat->x, body_of(seat) + seat->at, n, end);
	seat->at += n;
	if (end)
		close_seat(seat, false);
}

static void step_seat(struct storm *s, struct seat *seat)
{
	if (!seat->x) {
		open_seat(s, seat);
		return;
	}
	switch (harness_verdict(seat->x)) {
	case SLUICE_HOLD:
		if (chance(s, 3))
			close_seat(seat, true);
		return;
	case SLUICE_RESPOND:
		look(s, seat);
		if (harness_body_ended(seat->x) || chance(s, 10))
			close_seat(seat, !harness_body_ended(seat->x));
		return;
	default:
		break;
	}
	if (!seat->fetching)
		send_head(s, seat);
	else
		send_body(s, seat);
}

static void weather(struct storm *s)
{
	if (chance(s, 5))
		harness_advance(s->h, below(s, 300000));
	if (chance(s, 10))
		harness_tick(s->h);
	if (chance(s, 2))
		harness_hold_sent(s->h, chance(s, 40));
	if (chance(s, 5))
		harness_acknowledge(s->h);
	if (chance(s, 3))
		harness_set_room(s->h, chance(s, 50) ? UINT32_MAX : below(s, 3));
}

static void storm(void **state)
{
	struct storm s = {.random = 20240101};
	const struct cache *cache;
	uint64_t empty;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i / 256 + i % 256 * 31);
	s.h = begin(
		"memory_mb = 1; max_object_kb = 200; collapse_wait_ms = 900; uncacheable_s = 1; "
		"collapse_waiters = 6; max_variants = 2;");
	cache = sluice_data(harness_nf(s.h));
	empty = store_used(&cache->store);
	for (unsigned i = 0; i < STEPS; i++) {
		step_seat(&s, &s.seat[below(&s, OPEN)]);
		weather(&s);
		assert_in_range(store_used(&cache->store), 0, LIMIT);
	}
	for (unsigned i = 0; i < OPEN; i++)
		close_seat(&s.seat[i], true);
	harness_hold_sent(s.h, false);
	harness_set_room(s.h, UINT32_MAX);
	harness_acknowledge(s.h);
	assert_true(s.answers > 1000);
	assert_int_equal(counter(s.h, "waiting") + counter(s.h, "sending"), 0);
	for (unsigned i = 0; i < TARGETS; i++) {
		char target[16];

		snprintf(target, sizeof(target), "/%u", i);
		harness_response(ask(s.h, "DELETE", target), 204, F(DATE));
	}
	assert_int_equal(counter(s.h, "objects"), 0);
	assert_int_equal(store_used(&cache->store), empty);
	harness_destroy(s.h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(storm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
