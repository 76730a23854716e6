/* SPDX-License-Identifier: BSD-3-Clause */
/* The worker's end of the rings: order, wrap, full, and an instance that lies. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "nf_side.h"

#define ENTRIES 8
#define TEXT    SLUICE_EDITS_MAX_BYTES

struct pair {
	struct link *link;
	struct nf_side nf;
	int wake_fd;
};

static int setup(void **state)
{
	static struct pair p;
	struct link_sizes sizes = {ENTRIES, ENTRIES, TEXT};

	p.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (link_create(&sizes, p.wake_fd, &p.link))
		return -1;
	nf_side_map(&p.nf, p.link);
	*state = &p;
	return 0;
}

static int teardown(void **state)
{
	struct pair *p = *state;

	nf_side_unmap(&p->nf);
	link_destroy(p->link);
	close(p->wake_fd);
	return 0;
}

static void sizes_are_checked(void **state)
{
	struct link_sizes wrong[] = {{0, 8, TEXT},     {3, 8, TEXT}, {8, 7, TEXT},
				     {8, 8, TEXT - 1}, {8, 8, 8192}, {1u << 31, 8, TEXT},
				     {8, 8, 1u << 31}};
	struct link *link;

	(void)state;
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(link_create(&wrong[i], -1, &link), -EINVAL);
}

static void a_ring_may_have_no_text(void **state)
{
	const struct link_sizes sizes = {8, 8, 0};
	struct link *link;

	(void)state;
	assert_int_equal(link_create(&sizes, -1, &link), 0);
	assert_true(link_up_bytes(link) >= SLUICE_PAGE + 8 * sizeof(struct sluice_up));
	link_destroy(link);
}

/* --- down -------------------------------------------------------------------------- */

static void down_is_seen_when_published(void **state)
{
	struct pair *p = *state;

	assert_int_equal(p->nf.down->magic, SLUICE_RING_MAGIC);
	assert_int_equal(p->nf.down->abi, SLUICE_ABI_VERSION);
	assert_int_equal(p->nf.down->entries, ENTRIES);
	assert_int_equal(p->nf.down->up_entries, ENTRIES);
	assert_int_equal(p->nf.down->up_text_bytes, TEXT);
	assert_int_equal(link_room(p->link), ENTRIES);
	for (uint32_t i = 0; i < ENTRIES; i++)
		*link_next(p->link) = (struct sluice_down){.exchange = i};
	assert_null(link_next(p->link));
	assert_int_equal(link_room(p->link), 0);
	assert_int_equal(p->nf.down->produced, 0);
	link_publish(p->link);
	assert_int_equal(p->nf.down->produced, ENTRIES);
	assert_int_equal(link_depth(p->link), ENTRIES);
	for (uint32_t i = 0; i < ENTRIES; i++)
		assert_int_equal(p->nf.ring[i].exchange, i);
	p->nf.up->down_consumed = 3;
	assert_int_equal(link_room(p->link), 3);
	assert_int_equal(link_depth(p->link), ENTRIES - 3);
	assert_non_null(link_next(p->link));
}

static void down_wraps(void **state)
{
	struct pair *p = *state;

	for (uint32_t i = 0; i < 1000; i++) {
		struct sluice_down *d = link_next(p->link);

		assert_non_null(d);
		d->exchange = i;
		link_publish(p->link);
		assert_int_equal(p->nf.ring[i % ENTRIES].exchange, i);
		p->nf.up->down_consumed = i + 1;
	}
}

static void consumer_that_lies(void **state)
{
	struct pair *p = *state;
	struct sluice_up up;

	link_next(p->link);
	link_publish(p->link);
	link_next(p->link);
	p->nf.up->down_consumed = 2; /* more than it can see */
	assert_int_equal(link_room(p->link), 0);
	assert_null(link_next(p->link));
	assert_int_equal(link_poll(p->link, &up, 1), -EPROTO);
	assert_true(link_pending(p->link));
	p->nf.up->down_consumed = 1; /* too late */
	assert_int_equal(link_poll(p->link, &up, 1), -EPROTO);
}

static void consumer_that_goes_back(void **state)
{
	struct pair *p = *state;
	struct sluice_up up;

	for (unsigned i = 0; i < 4; i++)
		link_next(p->link);
	link_publish(p->link);
	p->nf.up->down_consumed = 3;
	assert_int_equal(link_room(p->link), ENTRIES - 1);
	p->nf.up->down_consumed = 2;
	assert_int_equal(link_room(p->link), 0);
	assert_int_equal(link_poll(p->link, &up, 1), -EPROTO);
}

/* --- up ---------------------------------------------------------------------------- */

static void up_in_order(void **state)
{
	struct pair *p = *state;
	struct sluice_up up[ENTRIES];
	uint32_t n = 0;

	assert_false(link_pending(p->link));
	for (uint32_t turn = 0; turn < 300; turn++) {
		for (uint32_t i = 0; i < 5; i++)
			p->nf.up_ring[(n + i) % ENTRIES].exchange = n + i;
		p->nf.up->produced = n + 5;
		assert_true(link_pending(p->link));
		assert_int_equal(link_poll(p->link, up, 2), 2);
		assert_int_equal(link_poll(p->link, up + 2, ENTRIES), 3);
		assert_int_equal(link_poll(p->link, up + 5, ENTRIES), 0);
		assert_false(link_pending(p->link));
		for (uint32_t i = 0; i < 5; i++)
			assert_int_equal(up[i].exchange, n + i);
		assert_int_equal(p->nf.down->up_consumed, n);
		link_consume(p->link, 5);
		n += 5;
		assert_int_equal(p->nf.down->up_consumed, n);
	}
}

static void producers_that_lie(void **state)
{
	static const uint32_t lies[] = {ENTRIES + 1, UINT32_MAX, 1u << 31, ENTRIES * 2};
	struct pair *p = *state;
	struct sluice_up up[ENTRIES];

	for (unsigned i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		p->nf.up->produced = lies[i];
		assert_int_equal(link_poll(p->link, up, ENTRIES), -EPROTO);
		assert_int_equal(link_room(p->link), 0);
		teardown(state);
		setup(state);
	}
}

static void producer_that_goes_back(void **state)
{
	struct pair *p = *state;
	struct sluice_up up[ENTRIES];

	p->nf.up->produced = 4;
	assert_int_equal(link_poll(p->link, up, ENTRIES), 4);
	p->nf.up->produced = 3;
	assert_int_equal(link_poll(p->link, up, ENTRIES), -EPROTO);
}

static void text_stays_in_its_ring(void **state)
{
	struct pair *p = *state;
	static uint8_t copy[TEXT];
	struct sluice_up up = {.text_off = TEXT - 16, .text_len = 16};

	memset(p->nf.text + TEXT - 16, 7, 16);
	assert_int_equal(link_text(p->link, &up, copy, sizeof(copy)), 0);
	assert_int_equal(copy[15], 7);
	up.text_len = 17;
	assert_int_equal(link_text(p->link, &up, copy, sizeof(copy)), -EPROTO);
	up = (struct sluice_up){.text_off = 0xfffffff8, .text_len = 16}; /* wraps in 32 bits */
	assert_int_equal(link_text(p->link, &up, copy, sizeof(copy)), -EPROTO);
	up = (struct sluice_up){.text_off = 8, .text_len = UINT32_MAX};
	assert_int_equal(link_text(p->link, &up, copy, sizeof(copy)), -EPROTO);
	up = (struct sluice_up){.text_off = 4, .text_len = 8};
	assert_int_equal(link_text(p->link, &up, copy, sizeof(copy)), -EPROTO);
	up = (struct sluice_up){.text_len = 100};
	assert_int_equal(link_text(p->link, &up, copy, 99), -EPROTO);
	assert_int_equal(link_text(p->link, &up, copy, 100), 0);
	up = (struct sluice_up){.text_off = TEXT};
	assert_int_equal(link_text(p->link, &up, copy, 0), 0);
}

/* Whatever the pages say, polling and filling only ever ends in -EPROTO. */
static void random_pages(void **state)
{
	uint32_t seed = 1;

	for (unsigned round = 0; round < 200; round++) {
		struct pair *p = *state;
		struct sluice_up up[ENTRIES];
		int n = 0;

		for (unsigned turn = 0; turn < 100 && n >= 0; turn++) {
			seed = seed * 1664525 + 1013904223;
			p->nf.up->produced += seed >> 30 ? seed >> 28 : seed;
			p->nf.up->down_consumed += seed >> 31 ? 0 : seed >> 29;
			if (link_next(p->link))
				link_publish(p->link);
			n = link_poll(p->link, up, ENTRIES);
			assert_true(n <= ENTRIES);
			if (n > 0)
				link_consume(p->link, (unsigned)n);
		}
		teardown(state);
		setup(state);
	}
}

/* --- wake-ups and what can be seen ------------------------------------------------- */

static void sleeper_is_woken(void **state)
{
	struct pair *p = *state;
	uint64_t value;

	link_next(p->link);
	link_publish(p->link);
	assert_int_equal(read(p->wake_fd, &value, sizeof(value)), -1);
	p->nf.up->nf_sleeps = 1;
	assert_true(link_nf_sleeps(p->link));
	link_publish(p->link); /* nothing new */
	assert_int_equal(read(p->wake_fd, &value, sizeof(value)), -1);
	link_next(p->link);
	link_publish(p->link);
	assert_int_equal(read(p->wake_fd, &value, sizeof(value)), sizeof(value));
	link_sleep(p->link, true);
	assert_int_equal(p->nf.down->worker_sleeps, 1);
	link_sleep(p->link, false);
	assert_int_equal(p->nf.down->worker_sleeps, 0);
}

static void counters_are_seen(void **state)
{
	struct pair *p = *state;

	p->nf.counters[0] = 11;
	p->nf.counters[SLUICE_COUNTERS - 1] = 12;
	p->nf.up->loops = 13;
	p->nf.up->busy_ns = 14;
	assert_int_equal(link_counter(p->link, 0), 11);
	assert_int_equal(link_counter(p->link, SLUICE_COUNTERS - 1), 12);
	assert_int_equal(link_counter(p->link, SLUICE_COUNTERS), 0);
	assert_int_equal(link_loops(p->link), 13);
	assert_int_equal(link_busy_ns(p->link), 14);
	p->nf.up->down_consumed = 77;
	assert_int_equal(link_depth(p->link), ENTRIES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_checked),
		cmocka_unit_test(a_ring_may_have_no_text),
		TEST(down_is_seen_when_published),
		TEST(down_wraps),
		TEST(consumer_that_lies),
		TEST(consumer_that_goes_back),
		TEST(up_in_order),
		TEST(producers_that_lie),
		TEST(producer_that_goes_back),
		TEST(text_stays_in_its_ring),
		TEST(random_pages),
		TEST(sleeper_is_woken),
		TEST(counters_are_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
