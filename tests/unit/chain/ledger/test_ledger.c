/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <rte_ring.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "chain/ledger/home.h"
#include "chain/ledger/ledger.h"
#include "tests/unit/support/eal.h"

#define ARENA_BYTES (1u << 20)

static struct rte_mempool *pool;
static uint8_t memory[ARENA_BYTES];
static struct region arena = {.id = 7, .kind = REGION_ARENA, .base = memory, .bytes = ARENA_BYTES};
static struct ledger *ledger;
static struct holder holder;

static int start(void **state)
{
	(void)state;
	if (eal_start())
		return -1;
	pool = eal_pool("ref", 64, 0);
	for (uint32_t i = 0; i < ARENA_BYTES; i++)
		memory[i] = (uint8_t)(i * 7 + (i >> 8));
	return pool ? 0 : -1;
}

static int open_ledger(void **state)
{
	struct ledger_conf conf = {.pieces = 4, .leases = 8, .leases_each = 6};

	(void)state;
	if (ledger_create(&conf, &ledger))
		return -1;
	ledger_holder_open(ledger, &holder);
	return 0;
}

static int close_ledger(void **state)
{
	(void)state;
	ledger_holder_close(&holder);
	ledger_destroy(ledger);
	return rte_mempool_in_use_count(pool) ? -1 : 0;
}

static struct lease *take(uint64_t offset, uint32_t len, uint32_t tag)
{
	struct sluice_slice slice = {sluice_ref(7, offset), len, tag};

	return ledger_lease_take(&holder, &arena, &slice);
}

static struct ledger_counts counts(void)
{
	struct ledger_counts c;

	ledger_counts(ledger, &c);
	return c;
}

static void check_bytes(const struct rte_mbuf *chain, uint64_t offset, uint32_t len)
{
	uint32_t done = 0;

	for (const struct rte_mbuf *m = chain; m; m = m->next) {
		assert_ptr_equal(rte_pktmbuf_mtod(m, uint8_t *), memory + offset + done);
		assert_int_not_equal(m->buf_iova, 0);
		done += m->data_len;
	}
	assert_int_equal(done, len);
}

static void test_lease(void **state)
{
	struct lease *lease = take(100, 5000, 42);
	struct rte_mbuf *m;
	uint32_t tag;

	(void)state;
	assert_int_equal(counts().leases, 1);
	assert_int_equal(counts().lease_bytes, 5000);
	assert_int_equal(ledger_arena_leases(ledger, 7), 1);
	m = ledger_lease_attach(lease, pool, UINT32_MAX, UINT32_MAX);
	check_bytes(m, 100, 5000);
	assert_int_equal(lease->attached, 5000);
	ledger_lease_drop(lease);
	assert_false(ledger_release_next(&holder, &tag));
	rte_pktmbuf_free(m);
	assert_int_equal(ledger_arena_leases(ledger, 7), 0);
	assert_true(ledger_release_due(&holder));
	assert_true(ledger_release_next(&holder, &tag));
	assert_int_equal(tag, 42);
	assert_false(ledger_release_due(&holder));
	assert_int_equal(counts().leases, 0);
}

/* Many mbufs of one lease, freed in any order, some of them shared once more. */
static void test_segments(void **state)
{
	struct lease *lease = take(0, 200000, 1);
	struct rte_mbuf *chain, *rest, *clone;
	uint32_t tag;

	(void)state;
	chain = ledger_lease_attach(lease, pool, 150000, 8192);
	check_bytes(chain, 0, 150000);
	assert_int_equal(chain->data_len, 8192);
	rest = ledger_lease_attach(lease, pool, UINT32_MAX, UINT32_MAX);
	check_bytes(rest, 150000, 50000);
	ledger_lease_drop(lease);
	clone = rte_pktmbuf_alloc(pool);
	rte_pktmbuf_attach(clone, chain);
	rte_pktmbuf_free(chain);
	rte_pktmbuf_free(rest);
	assert_false(ledger_release_due(&holder));
	rte_pktmbuf_free(clone);
	assert_true(ledger_release_next(&holder, &tag));
}

/* Longer than an mbuf can say. */
static void test_long(void **state)
{
	struct lease *lease = take(0, 1000000, 1);
	struct rte_mbuf *chain = ledger_lease_attach(lease, pool, UINT32_MAX, UINT32_MAX);
	uint32_t tag;

	(void)state;
	check_bytes(chain, 0, 1000000);
	assert_non_null(chain->next);
	ledger_lease_drop(lease);
	rte_pktmbuf_free(chain);
	assert_true(ledger_release_next(&holder, &tag));
}

static void test_no_mbufs(void **state)
{
	struct lease *lease = take(0, 100 * 1000, 1);
	struct rte_mbuf *chain;
	uint32_t tag;

	(void)state;
	chain = ledger_lease_attach(lease, pool, UINT32_MAX, 1000); /* there are 64 */
	check_bytes(chain, 0, 64000);
	assert_int_equal(lease->attached, 64000);
	assert_null(ledger_lease_attach(lease, pool, UINT32_MAX, 1000));
	rte_pktmbuf_free(chain);
	assert_false(ledger_release_due(&holder)); /* the taker still has it */
	chain = ledger_lease_attach(lease, pool, UINT32_MAX, 1000);
	check_bytes(chain, 64000, 36000);
	rte_pktmbuf_free(chain);
	ledger_lease_drop(lease);
	assert_true(ledger_release_next(&holder, &tag));
}

static void test_dropped(void **state)
{
	uint32_t tag;

	(void)state;
	ledger_lease_drop(take(0, 10, 9));
	assert_true(ledger_release_next(&holder, &tag));
	assert_int_equal(tag, 9);
}

static void test_limits(void **state)
{
	struct lease *lease[8];
	struct holder other;
	uint32_t tag;

	(void)state;
	ledger_holder_open(ledger, &other);
	assert_int_equal(ledger_lease_room(&holder), 6);
	assert_int_equal(ledger_leases_below(ledger, 2), 5);
	assert_int_equal(ledger_leases_below(ledger, 7), 0);
	for (unsigned i = 0; i < 6; i++)
		lease[i] = take(i, 1, i);
	assert_int_equal(ledger_lease_room(&holder), 0);
	assert_int_equal(ledger_leases_below(ledger, 2), 5);
	assert_int_equal(ledger_leases_below(ledger, 3), 0);
	assert_null(take(0, 1, 0));
	assert_int_equal(ledger_lease_room(&other), 2);
	for (unsigned i = 0; i < 6; i++)
		ledger_lease_drop(lease[i]);
	assert_int_equal(ledger_lease_room(&holder), 0); /* not told yet */
	for (unsigned i = 0; i < 6; i++) {
		assert_true(ledger_release_next(&holder, &tag));
		assert_int_equal(tag, i); /* in the order in which they came back */
	}
	assert_int_equal(ledger_lease_room(&holder), 6);
	ledger_holder_close(&other);
}

/* The instance is gone: its bytes are still being sent, its tags are nobody's. */
static void test_holder_gone(void **state)
{
	struct lease *sending = take(0, 100, 1), *back = take(100, 100, 2);
	struct rte_mbuf *m = ledger_lease_attach(sending, pool, UINT32_MAX, UINT32_MAX);

	(void)state;
	ledger_lease_drop(sending);
	ledger_lease_drop(back);
	ledger_holder_close(&holder);
	assert_int_equal(counts().leases, 1);
	assert_int_equal(ledger_arena_leases(ledger, 7), 1);
	memset(&holder, 0xee, sizeof(holder));
	rte_pktmbuf_free(m);
	assert_int_equal(counts().leases, 0);
	assert_int_equal(ledger_arena_leases(ledger, 7), 0);
	ledger_holder_open(ledger, &holder);
}

/* Destroyed with mbufs on their way: it goes with the last of them. */
static void test_destroyed_early(void **state)
{
	struct lease *lease = take(0, 100, 1);
	struct rte_mbuf *m = ledger_lease_attach(lease, pool, UINT32_MAX, UINT32_MAX);

	ledger_lease_drop(lease);
	ledger_holder_close(&holder);
	ledger_destroy(ledger);
	rte_pktmbuf_free(m);
	assert_int_equal(open_ledger(state), 0);
}

/* --- another thread frees the last mbuf --------------------------------------------------- */

static struct ledger_home home;

static int open_at_home(void **state)
{
	ledger_home_open(&home, eventfd(0, EFD_NONBLOCK));
	if (home.wake_fd < 0 || open_ledger(state))
		return -1;
	ledger_settle(ledger, &home);
	ledger_home_enter(&home);
	return 0;
}

static int close_at_home(void **state)
{
	int rc = close_ledger(state);

	ledger_home_leave(&home);
	close(home.wake_fd);
	return rc;
}

static void *free_elsewhere(void *m)
{
	rte_pktmbuf_free(m);
	return NULL;
}

static void freed_by_another(struct rte_mbuf *m)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, free_elsewhere, m), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static struct rte_mbuf *on_its_way(uint32_t tag)
{
	struct lease *lease = take(tag * 100, 100, tag);
	struct rte_mbuf *m = ledger_lease_attach(lease, pool, UINT32_MAX, UINT32_MAX);

	assert_non_null(m);
	ledger_lease_drop(lease);
	return m;
}

static uint64_t wakes(void)
{
	eventfd_t n;

	return eventfd_read(home.wake_fd, &n) ? 0 : n;
}

/* The sum of those that are due. */
static uint64_t tags_told(void)
{
	uint64_t sum = 0;
	uint32_t tag;

	while (ledger_release_next(&holder, &tag))
		sum += tag;
	return sum;
}

/* It waits until its worker collects it. The worker is woken once, however many they are. */
static void test_freed_elsewhere(void **state)
{
	struct rte_mbuf *first = on_its_way(1), *second = on_its_way(2);

	(void)state;
	freed_by_another(first);
	freed_by_another(second);
	assert_int_equal(wakes(), 1);
	assert_false(ledger_release_due(&holder));
	assert_int_equal(ledger_arena_leases(ledger, 7), 2);
	ledger_home_collect(&home);
	assert_int_equal(ledger_arena_leases(ledger, 7), 0);
	assert_int_equal(tags_told(), 3);
	assert_int_equal(counts().leases, 0);
	ledger_home_collect(&home);
	assert_int_equal(wakes(), 0);
}

/* Only the last mbuf counts; at home nothing waits. */
static void test_freed_at_home(void **state)
{
	struct rte_mbuf *m = on_its_way(1), *also = rte_pktmbuf_alloc(pool);

	(void)state;
	assert_non_null(also);
	rte_pktmbuf_attach(also, m);
	freed_by_another(m);
	assert_int_equal(wakes(), 0);
	rte_pktmbuf_free(also);
	assert_int_equal(wakes(), 0);
	assert_true(ledger_release_due(&holder));
}

/* The ledger is gone, and its worker not yet. */
static void test_freed_after_all(void **state)
{
	struct rte_mbuf *m = on_its_way(1);

	ledger_holder_close(&holder);
	ledger_destroy(ledger);
	freed_by_another(m);
	assert_int_equal(wakes(), 1);
	ledger_home_collect(&home); /* with it goes the ledger */
	assert_int_equal(open_ledger(state), 0);
}

/* All workers have stopped: what waits is taken back, and nothing waits any more. */
static void test_left(void **state)
{
	struct rte_mbuf *first = on_its_way(1), *second = on_its_way(2);

	(void)state;
	freed_by_another(first);
	ledger_home_leave(&home);
	assert_int_equal(ledger_arena_leases(ledger, 7), 1);
	freed_by_another(second);
	assert_int_equal(ledger_arena_leases(ledger, 7), 0);
}

#define ROUNDS 200000

static struct rte_ring *way;

static void *free_all(void *arg)
{
	struct rte_mbuf *m;

	(void)arg;
	for (unsigned n = 0; n < ROUNDS;)
		if (rte_ring_dequeue(way, (void **)&m) == 0) {
			rte_pktmbuf_free(m);
			n++;
		} else {
			sched_yield();
		}
	return NULL;
}

/* A worker takes and collects while another one frees: each tag comes back once. Every other lease
 * has two mbufs, and either thread may free the last one. */
static void test_freed_meanwhile(void **state)
{
	uint64_t given = 0, told = 0;
	pthread_t thread;

	(void)state;
	way = rte_ring_create("way", 16, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	assert_non_null(way);
	assert_int_equal(pthread_create(&thread, NULL, free_all, NULL), 0);
	for (uint32_t n = 0; n < ROUNDS;) {
		struct rte_mbuf *m, *also = NULL;

		ledger_home_collect(&home);
		told += tags_told();
		if (!ledger_lease_room(&holder)) {
			sched_yield();
			continue;
		}
		m = on_its_way(n % 8 + 1);
		given += n % 8 + 1;
		if (n++ & 1) {
			also = rte_pktmbuf_alloc(pool);
			assert_non_null(also);
			rte_pktmbuf_attach(also, m);
		}
		assert_int_equal(rte_ring_enqueue(way, m), 0);
		rte_pktmbuf_free(also);
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	ledger_home_collect(&home);
	told += tags_told();
	assert_int_equal(told, given);
	assert_int_equal(counts().leases, 0);
	rte_ring_free(way);
}

/* --- pieces -------------------------------------------------------------------------------- */

static void test_pieces(void **state)
{
	struct piece *piece[4];

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		piece[i] = ledger_piece_take(&holder);
		assert_non_null(piece[i]);
		assert_null(piece[i]->chain);
		assert_int_equal(piece[i]->copy[2], PIECE_NO_COPY);
	}
	assert_null(ledger_piece_take(&holder));
	assert_int_equal(counts().pieces, 4);
	assert_int_equal(holder.pieces, 4);
	for (unsigned i = 0; i < 4; i++)
		ledger_piece_end(piece[i]);
	assert_int_equal(counts().pieces, 0);
	assert_int_equal(holder.pieces, 0);
}

#define ledger_test(f) cmocka_unit_test_setup_teardown(f, open_ledger, close_ledger)
#define home_test(f)   cmocka_unit_test_setup_teardown(f, open_at_home, close_at_home)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ledger_test(test_lease),         ledger_test(test_segments),
		ledger_test(test_long),          ledger_test(test_no_mbufs),
		ledger_test(test_dropped),       ledger_test(test_limits),
		ledger_test(test_holder_gone),   ledger_test(test_destroyed_early),
		home_test(test_freed_elsewhere), home_test(test_freed_at_home),
		home_test(test_freed_after_all), home_test(test_left),
		home_test(test_freed_meanwhile), ledger_test(test_pieces),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
