/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sleep and wake protocol, hammered: a worker and a function in two threads send each
 * other bursts and sleep whenever they can. A wake-up that is lost leaves one of them
 * asleep with something in its ring: then poll runs into its limit, and the test fails.
 */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "nf/sdk/outring.h"
#include "nf_side.h"

#define TOTAL    200000
#define LIMIT_MS 10000

static struct {
	struct link *link;
	struct nf_side nf;
	struct outring out;
	int nf_fd, worker_fd;
	unsigned nf_slept, worker_slept, lost;
} t;

static uint32_t draw(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 10) % below;
}

static void wait_for(int fd, unsigned *slept)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	uint64_t value;

	++*slept;
	if (poll(&p, 1, LIMIT_MS) != 1)
		__atomic_store_n(&t.lost, 1, __ATOMIC_RELAXED);
	else if (read(fd, &value, sizeof(value)) != sizeof(value))
		__atomic_store_n(&t.lost, 1, __ATOMIC_RELAXED);
}

/* --- the function: echoes each number, with it as text too, now and then ----------- */

static bool nf_pending(uint32_t consumed)
{
	return __atomic_load_n(&t.nf.down->produced, __ATOMIC_ACQUIRE) != consumed;
}

static void nf_sleep(uint32_t consumed)
{
	__atomic_store_n(&t.nf.up->nf_sleeps, 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!nf_pending(consumed))
		wait_for(t.nf_fd, &t.nf_slept);
	__atomic_store_n(&t.nf.up->nf_sleeps, 0, __ATOMIC_RELAXED);
}

static void *nf_run(void *unused)
{
	uint32_t consumed = 0, seed = 7;

	(void)unused;
	while ((consumed < TOTAL || outring_waits(&t.out)) &&
	       !__atomic_load_n(&t.lost, __ATOMIC_RELAXED)) {
		uint32_t produced = __atomic_load_n(&t.nf.down->produced, __ATOMIC_ACQUIRE);
		bool any = produced != consumed;

		outring_flush(&t.out);
		while (consumed != produced && !outring_keeps(&t.out)) {
			const struct sluice_down *d = &t.nf.ring[consumed % t.nf.down->entries];
			char text[300];
			struct sluice_up up = {.exchange = d->exchange};

			memset(text, (int)d->exchange, sizeof(text));
			up.text_len = draw(&seed, 3) ? 0 : draw(&seed, sizeof(text)) + 1;
			outring_put(&t.out, &up, text, true);
			consumed++;
		}
		__atomic_store_n(&t.nf.up->down_consumed, consumed, __ATOMIC_RELEASE);
		outring_publish(&t.out, any); /* the worker may wait for room */
		if (!nf_pending(consumed) && consumed < TOTAL && !outring_keeps(&t.out))
			nf_sleep(consumed);
	}
	return NULL;
}

/* --- the worker: sends bursts, checks echoes --------------------------------------- */

static void echo_check(const struct sluice_up *up, uint32_t want)
{
	char text[300];

	assert_int_equal(up->exchange, want);
	assert_int_equal(link_text(t.link, up, text, sizeof(text)), 0);
	for (uint32_t i = 0; i < up->text_len; i++)
		assert_int_equal((uint8_t)text[i], (uint8_t)want);
}

static uint32_t echoes_take(uint32_t got, uint32_t *seed)
{
	struct sluice_up up[64];
	int n = link_poll(t.link, up, 1 + draw(seed, 64));

	assert_true(n >= 0);
	for (int i = 0; i < n; i++)
		echo_check(&up[i], got + (uint32_t)i);
	if (n)
		link_consume(t.link, (unsigned)n);
	return (uint32_t)n;
}

static void burst_send(uint32_t *sent, uint32_t *seed)
{
	struct sluice_down *d;

	for (uint32_t burst = draw(seed, 40); burst && *sent < TOTAL; burst--) {
		d = link_next(t.link);
		if (!d)
			break;
		*d = (struct sluice_down){.exchange = (*sent)++};
	}
	link_publish(t.link);
}

static void worker_sleep(uint32_t got, uint32_t sent)
{
	link_sleep(t.link, true);
	if (!link_pending(t.link) && got < sent)
		wait_for(t.worker_fd, &t.worker_slept);
	link_sleep(t.link, false);
}

static void worker_run(void)
{
	uint32_t sent = 0, got = 0, seed = 99;

	while (got < TOTAL && !__atomic_load_n(&t.lost, __ATOMIC_RELAXED)) {
		bool drain = draw(&seed, 2); /* let the function run dry, too */

		burst_send(&sent, &seed);
		do {
			got += echoes_take(got, &seed);
			worker_sleep(got, sent);
		} while (drain && got < sent && !__atomic_load_n(&t.lost, __ATOMIC_RELAXED));
	}
}

static void hammer(void **state)
{
	struct link_sizes sizes = {64, 32, SLUICE_EDITS_MAX_BYTES};
	pthread_t thread;

	(void)state;
	t.nf_fd = eventfd(0, EFD_NONBLOCK);
	t.worker_fd = eventfd(0, EFD_NONBLOCK);
	assert_int_equal(link_create(&sizes, t.nf_fd, &t.link), 0);
	nf_side_map(&t.nf, t.link);
	assert_int_equal(outring_init(&t.out, t.nf.down, t.nf.up_base, t.worker_fd), 0);
	assert_int_equal(pthread_create(&thread, NULL, nf_run, NULL), 0);
	worker_run();
	pthread_join(thread, NULL);
	assert_int_equal(t.lost, 0);
	print_message("%u descriptors; the function slept %u times, the worker %u\n", TOTAL,
		      t.nf_slept, t.worker_slept);
	assert_true(t.nf_slept > 0 && t.worker_slept > 0);
	outring_fini(&t.out);
	nf_side_unmap(&t.nf);
	link_destroy(t.link);
	close(t.nf_fd);
	close(t.worker_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(hammer)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
