/* SPDX-License-Identifier: BSD-3-Clause */
/* An application ends: what it had closed is finished, the rest is reset, and nothing is lost. */
#include "tests/unit/chain/app/bench.h"

#include <errno.h>

static struct sluice_app_down accepted(void)
{
	say_listen(0, 7000);
	assert_int_equal(hear(SLUICE_APP_LISTENING).open.error, 0);
	(void)client_open(7000);
	return hear(SLUICE_APP_ACCEPTED);
}

static void what_was_closed_is_sent_whole(void **state)
{
	struct sluice_app_down down;

	(void)state;
	bench_open(NULL);
	down = accepted();
	for (uint32_t i = 0; i < 6; i++)
		say_send(down.conn, down.generation, i * 32768, 32768, i + 1);
	say_close(down.conn, down.generation, 0);
	app_end(); /* before a worker has seen a word of it */
	until(bench.clients->ended || bench.clients->closed);
	assert_int_equal(bench.clients->heard, 6 * 32768);
	assert_true(!bench.clients->closed || bench.clients->reason == TCP_CLOSED_NORMAL);
	assert_int_equal(client_open(7000)->reason, TCP_CLOSED_REFUSED);
	bench_close();
}

static void what_was_open_is_reset(void **state)
{
	struct sluice_app_down down;

	(void)state;
	bench_open(NULL);
	down = accepted();
	client_say(bench.clients, 5000);
	(void)hear(SLUICE_APP_DATA); /* and holds it */
	say_send(down.conn, down.generation, 0, 100000, 1);
	bench_run_ms(1);
	app_end();
	until(bench.clients->closed);
	assert_int_equal(bench.clients->reason, TCP_CLOSED_RESET);
	app_begin();
	(void)accepted();
	bench_close();
}

static void draining_closes_its_doors_only(void **state)
{
	struct sluice_app_down down, gone;

	(void)state;
	bench_open(NULL);
	down = accepted();
	apps_drain(bench.apps);
	gone = hear(SLUICE_APP_LISTENING);
	assert_int_equal(gone.open.error, ESHUTDOWN);
	assert_int_equal(client_open(7000)->reason, TCP_CLOSED_REFUSED);
	say_send(down.conn, down.generation, 0, 10, 1);
	until(bench.clients->next->heard == 10);
	say_listen(1, 7000);
	until(hears(&gone) && gone.kind == SLUICE_APP_LISTENING);
	assert_int_equal(gone.open.error, ESHUTDOWN);
	bench_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_closed_is_sent_whole),
		cmocka_unit_test(what_was_open_is_reset),
		cmocka_unit_test(draining_closes_its_doors_only),
	};

	return cmocka_run_group_tests(tests, bench_start, NULL);
}
