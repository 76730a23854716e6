/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The scoreboard, by the examples of RFC 6675 and by comparison with an array of bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "l4stack/tcp/tcp_scoreboard.h"
#include "l4stack/tcp/tcp_seq.h"
#include "l4stack/tcp/tcp_slab.h"

#define BASE 0xfffffff0u /* numbers pass zero soon */

static struct tcp_slab slab;
static struct tcp_scoreboard board;

static int setup(void **state)
{
	(void)state;
	tcp_slab_init(&slab, sizeof(struct tcp_run), 100000);
	tcp_scoreboard_init(&board, &slab);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tcp_scoreboard_clear(&board);
	assert_int_equal(slab.used, 0);
	tcp_slab_fini(&slab);
	return 0;
}

static void push(uint32_t lo, uint32_t hi, uint32_t at_us)
{
	const struct tcp_stamp stamp = {.sent_us = at_us};

	assert_true(tcp_scoreboard_ready(&board));
	tcp_scoreboard_push(&board, BASE + lo, BASE + hi, &stamp);
}

static void resend(uint32_t lo, uint32_t hi, uint32_t at_us)
{
	const struct tcp_stamp stamp = {.sent_us = at_us};

	assert_true(tcp_scoreboard_ready(&board));
	tcp_scoreboard_resend(&board, BASE + lo, BASE + hi, &stamp);
}

static struct tcp_news begin(uint32_t fack, uint32_t recover)
{
	return (struct tcp_news){
		.fack = BASE + fack, .recover = BASE + recover, .resent_until_us = UINT32_MAX / 2};
}

static struct tcp_news sack(uint32_t lo, uint32_t hi)
{
	struct tcp_news news = begin(0, 0);

	tcp_scoreboard_sack(&board, BASE + lo, BASE + hi, &news);
	return news;
}

static struct tcp_news ack(uint32_t una)
{
	struct tcp_news news = begin(0, 0);

	tcp_scoreboard_ack(&board, BASE + una, &news);
	return news;
}

static void expect(uint32_t flying, uint32_t lost, uint32_t sacked)
{
	assert_int_equal(tcp_scoreboard_flying(&board), flying);
	assert_int_equal(tcp_scoreboard_lost(&board), lost);
	assert_int_equal(tcp_scoreboard_sacked(&board), sacked);
}

static void expect_lost(uint32_t most, uint32_t lo, uint32_t hi)
{
	uint32_t a, b;

	assert_true(tcp_scoreboard_next_lost(&board, most, &a, &b));
	assert_int_equal(a, BASE + lo);
	assert_int_equal(b, BASE + hi);
}

/* ---- sending ---- */

static void test_one_flush_is_one_run(void **state)
{
	(void)state;
	push(0, 10, 5);
	push(10, 30, 5);
	assert_int_equal(board.n, 1);
	push(30, 40, 6);
	assert_int_equal(board.n, 2);
	expect(40, 0, 0);
	ack(40);
	assert_int_equal(board.n, 0);
	assert_int_equal(slab.used, 0);
}

/* ---- reports ---- */

static void test_sack_splits_and_joins(void **state)
{
	(void)state;
	push(0, 100, 1);
	assert_int_equal(sack(20, 30).delivered_bytes, 10);
	assert_int_equal(board.n, 3);
	assert_int_equal(sack(30, 40).delivered_bytes, 10); /* joined with the first */
	assert_int_equal(board.n, 3);
	assert_int_equal(sack(60, 70).delivered_bytes, 10);
	assert_int_equal(board.n, 5);
	assert_int_equal(sack(10, 80).delivered_bytes, 40); /* over all of them */
	assert_int_equal(board.n, 3);
	assert_int_equal(sack(10, 80).delivered_bytes, 0);
	expect(30, 0, 70);
	assert_int_equal(ack(50).delivered_bytes, 10);
	expect(20, 0, 30);
	assert_int_equal(ack(100).delivered_bytes, 20);
	expect(0, 0, 0);
}

/* What RACK, the round trip and the rate are made from. */
static void test_news(void **state)
{
	struct tcp_news news = begin(35, 30);

	(void)state;
	push(0, 10, 1);
	push(10, 20, 2);
	push(20, 30, 3);
	push(30, 40, 4);
	tcp_scoreboard_sack(&board, BASE + 10, BASE + 30, &news);
	assert_true(news.latest_known && !news.latest_resent);
	assert_int_equal(news.latest.sent_us, 3);
	assert_int_equal(news.latest_end, BASE + 30);
	assert_int_equal(news.earliest_us, 2);
	assert_true(news.reordered); /* 35 was delivered before */
	assert_true(news.original);
	assert_int_equal(news.end, BASE + 30);
	news = begin(30, 30);
	tcp_scoreboard_sack(&board, BASE + 30, BASE + 40, &news);
	assert_false(news.reordered);
	assert_false(news.original); /* it was sent after the loss */
}

/* RFC 8985 §6.2 step 2: an answer that is too fast is one to the original. */
static void test_too_fast(void **state)
{
	struct tcp_news news = begin(0, 10);

	(void)state;
	push(0, 10, 100);
	resend(0, 10, 200);
	news.resent_until_us = 199;
	tcp_scoreboard_ack(&board, BASE + 10, &news);
	assert_int_equal(news.delivered_bytes, 10);
	assert_false(news.latest_known);
	assert_false(news.original);
	assert_false(news.earliest_known);
}

/* ---- losses ---- */

/* NextSeg rule 1 in the order of losses, and pipe. */
static void test_lost_and_sent_again(void **state)
{
	(void)state;
	push(0, 100, 1);
	sack(20, 30);
	sack(50, 60);
	tcp_scoreboard_lose(&board, board.first);
	tcp_scoreboard_lose(&board, board.first->next->next);
	expect(40, 40, 20);
	expect_lost(8, 0, 8);
	resend(0, 8, 2);
	expect(48, 32, 20);
	expect_lost(100, 8, 20);
	resend(8, 20, 2); /* one run with what went out with it */
	assert_int_equal(board.first->hi, BASE + 20);
	expect_lost(100, 30, 50);
	resend(30, 50, 3);
	assert_null(board.lost.first);
	expect(80, 0, 20);
	/* By time of transmission: the rest of the first, then the two. */
	assert_int_equal(board.flying.first->lo, BASE + 60);
	assert_int_equal(board.flying.first->after->lo, BASE);
	assert_int_equal(board.flying.last->lo, BASE + 30);
}

/* Neighbours go out as one. */
static void test_lost_stretch(void **state)
{
	(void)state;
	push(0, 10, 1);
	push(10, 20, 2);
	push(20, 30, 3);
	tcp_scoreboard_lose_all(&board);
	expect(0, 30, 0);
	expect_lost(100, 0, 30);
	expect_lost(15, 0, 15);
	resend(0, 30, 9);
	assert_int_equal(board.n, 1);
}

/* RFC 8985 §6.3: not what was sent just now, but the first in any case. */
static void test_lose_older(void **state)
{
	(void)state;
	push(0, 10, 1);
	push(10, 20, 5);
	push(20, 30, 9);
	resend(0, 10, 10);
	tcp_scoreboard_lose_older(&board, 5);
	expect(10, 20, 0);
	expect_lost(100, 0, 20);
}

static void test_lose_first(void **state)
{
	(void)state;
	push(0, 100, 1);
	tcp_scoreboard_lose_first(&board, 30);
	expect(70, 30, 0);
	tcp_scoreboard_lose_first(&board, 30); /* it is */
	expect(70, 30, 0);
	ack(30);
	tcp_scoreboard_lose_first(&board, 500);
	expect(0, 70, 0);
}

/* RFC 2018 §8 */
static void test_forget_reports(void **state)
{
	(void)state;
	push(0, 40, 1);
	sack(0, 10);
	sack(20, 30);
	tcp_scoreboard_forget_reports(&board);
	tcp_scoreboard_lose_all(&board);
	expect(0, 40, 0);
	expect_lost(100, 0, 40);
}

/* The loss was none: each is where its time belongs. */
static void test_find_lost(void **state)
{
	(void)state;
	push(0, 10, 1);
	push(10, 20, 3);
	push(20, 30, 5);
	tcp_scoreboard_lose(&board, board.first->next);
	tcp_scoreboard_lose(&board, board.first);
	tcp_scoreboard_find_lost(&board);
	expect(30, 0, 0);
	assert_int_equal(board.flying.first->lo, BASE);
	assert_int_equal(board.flying.first->after->lo, BASE + 10);
}

/* ---- bounds ---- */

static void test_bounded(void **state)
{
	(void)state;
	push(0, 100000, 1);
	for (uint32_t i = 0; i < 20000; i++)
		sack(i * 4 + 1, i * 4 + 2);
	assert_true(board.n <= TCP_RUNS_MAX);
	push(100000, 100010, 2); /* joins: there is no room for its own */
	push(100010, 100020, 3);
	assert_true(board.n <= TCP_RUNS_MAX + 1);
	assert_int_equal(tcp_scoreboard_flying(&board) + tcp_scoreboard_sacked(&board), 100020);
	ack(100020);
	expect(0, 0, 0);
}

static void test_no_memory(void **state)
{
	(void)state;
	push(0, 100, 1);
	slab.most = slab.used;
	assert_false(tcp_scoreboard_ready(&board));
	assert_int_equal(sack(20, 30).delivered_bytes, 0); /* not taken */
	expect(100, 0, 0);
	assert_int_equal(sack(0, 100).delivered_bytes, 100);
}

/* ---- against an array ---- */

#define SPAN 400

static void check_model(const char *model, uint32_t una, uint32_t nxt)
{
	uint32_t at = una, counts[TCP_RUN_STATES] = {0}, listed = 0;

	for (const struct tcp_run *run = board.first; run; run = run->next) {
		assert_int_equal(run->lo, BASE + at);
		assert_true(seq_lt(run->lo, run->hi));
		for (; at != run->hi - BASE; at++) {
			assert_int_equal(model[at], run->state);
			counts[run->state]++;
		}
	}
	assert_int_equal(at, nxt);
	expect(counts[TCP_RUN_FLYING], counts[TCP_RUN_LOST], counts[TCP_RUN_SACKED]);
	for (const struct tcp_run *run = board.flying.first; run; run = run->after) {
		listed += run->hi - run->lo;
		if (run->after)
			assert_true(run->stamp.sent_us <= run->after->stamp.sent_us);
	}
	assert_int_equal(listed, counts[TCP_RUN_FLYING]);
}

static void test_random(void **state)
{
	char model[100000];

	(void)state;
	srandom(1);
	for (uint32_t una = 0, nxt = 0, now = 1; nxt < 90000; now += random() % 2) {
		uint32_t lo = una + (uint32_t)random() % (nxt - una + 1);
		uint32_t hi = lo + (uint32_t)random() % (nxt - lo + 1), a, b;

		switch (random() % 7) {
		case 0:
		case 1:
			if (nxt - una < SPAN) {
				hi = nxt + 1 + (uint32_t)random() % 40;
				push(nxt, hi, now);
				memset(model + nxt, TCP_RUN_FLYING, hi - nxt);
				nxt = hi;
			}
			break;
		case 2:
			if (lo < hi)
				sack(lo, hi);
			memset(model + lo, TCP_RUN_SACKED, hi - lo);
			break;
		case 3:
			una += (hi - una) / 4;
			ack(una);
			break;
		case 4:
			if (!board.flying.first)
				break;
			lo = board.flying.first->lo - BASE;
			hi = board.flying.first->hi - BASE;
			tcp_scoreboard_lose(&board, board.flying.first);
			memset(model + lo, TCP_RUN_LOST, hi - lo);
			break;
		case 5:
			if (!tcp_scoreboard_next_lost(&board, 1 + (uint32_t)random() % 30, &a, &b))
				break;
			resend(a - BASE, b - BASE, now);
			memset(model + (a - BASE), TCP_RUN_FLYING, b - a);
			break;
		default:
			if (random() % 20)
				break;
			tcp_scoreboard_lose_all(&board);
			for (a = una; a < nxt; a++)
				model[a] = model[a] == TCP_RUN_FLYING ? TCP_RUN_LOST : model[a];
		}
		check_model(model, una, nxt);
	}
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_one_flush_is_one_run),
		TEST(test_sack_splits_and_joins),
		TEST(test_news),
		TEST(test_too_fast),
		TEST(test_lost_and_sent_again),
		TEST(test_lost_stretch),
		TEST(test_lose_older),
		TEST(test_lose_first),
		TEST(test_forget_reports),
		TEST(test_find_lost),
		TEST(test_bounded),
		TEST(test_no_memory),
		TEST(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
