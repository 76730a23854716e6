/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections of an application: begun, read, written, ended; and what holds back whom. */
#include "tests/unit/chain/app/bench.h"

#include <errno.h>
#include <string.h>

static struct sluice_app_down accepted(void)
{
	(void)client_open(7000);
	return hear(SLUICE_APP_ACCEPTED);
}

static void listening(void)
{
	say_listen(3, 7000);
	assert_int_equal(hear(SLUICE_APP_LISTENING).open.error, 0);
}

/* Received bytes are where the slices say; returns how many. */
static uint64_t check_data(const struct sluice_app_down *down, uint64_t at)
{
	uint64_t bytes = 0;

	for (unsigned s = 0; s < down->count; s++) {
		const struct sluice_slice *slice = &down->slice[s];
		const uint8_t *data = region_resolve(&bench.regions, slice->ref, slice->len);

		assert_int_equal(sluice_ref_region(slice->ref), bench.rx->id);
		assert_non_null(data);
		for (uint32_t i = 0; i < slice->len; i++)
			assert_int_equal(data[i], pattern(at + bytes + i));
		bytes += slice->len;
	}
	return bytes;
}

static void bytes_come_and_go(void **state)
{
	struct sluice_app_down down;
	struct app_info info;
	uint64_t sum = 0;

	(void)state;
	bench_open(NULL);
	listening();
	down = accepted();
	assert_int_equal(down.arg, 3);
	assert_int_equal(down.open.local.port, 7000);
	assert_int_equal(down.open.local.bytes[3], 1);
	assert_int_equal(down.open.remote.bytes[3], 2);
	client_say(bench.clients, 700);
	down = hear(SLUICE_APP_DATA);
	assert_int_equal(check_data(&down, 0), 700);
	assert_int_equal(counted(payload_copied_bytes), 700);
	say_free(&down);
	for (unsigned i = 0; i < 3000; i++)
		sum += bench.own[100 + i] = pattern(i);
	say_send(down.conn, down.generation, 100, 3000, 42);
	until(bench.clients->heard == 3000);
	assert_int_equal(bench.clients->sum, sum);
	assert_int_equal(counted(payload_referenced_bytes), 3000);
	down = hear(SLUICE_APP_RELEASE);
	assert_int_equal(down.count, 1);
	assert_int_equal(down.tag[0], 42);
	app_info(bench.app, &info);
	assert_int_equal(info.blocks, 0);
	assert_int_equal(info.leases, 0);
	assert_int_equal(info.conns, 1);
	bench_close();
}

static void each_side_ends(void **state)
{
	struct sluice_app_down down;
	struct app_info info;

	(void)state;
	bench_open(NULL);
	listening();
	down = accepted();
	tcp_shutdown(bench.clients->conn);
	down = hear(SLUICE_APP_DATA);
	assert_int_equal(down.flags, SLUICE_APP_END);
	assert_int_equal(down.count, 0);
	say_close(down.conn, down.generation, 0);
	until(bench.clients->ended || bench.clients->closed);
	app_info(bench.app, &info);
	assert_int_equal(info.conns, 0);
	down = accepted();
	say_close(down.conn, down.generation, SLUICE_APP_ABORT);
	until(bench.clients->closed);
	assert_int_equal(bench.clients->reason, TCP_CLOSED_RESET);
	bench_close();
}

static void what_came_before_a_reset_is_told(void **state)
{
	struct sluice_app_down down;

	(void)state;
	bench_open(NULL);
	listening();
	down = accepted();
	client_say(bench.clients, 500);
	until(bench.clients->said == 500);
	client_reset(bench.clients);
	down = hear(SLUICE_APP_DATA);
	assert_int_equal(check_data(&down, 0), 500);
	say_free(&down);
	down = hear(SLUICE_APP_CLOSED);
	assert_int_equal(down.open.error, ECONNRESET);
	say_close(down.conn, down.generation, 0);
	bench_close();
}

static void listening_elsewhere_is_denied(void **state)
{
	(void)state;
	bench_open(NULL);
	say_listen(0, 7001);
	assert_int_equal(hear(SLUICE_APP_LISTENING).open.error, EACCES);
	assert_int_equal(counted(app_denied), 1);
	assert_int_equal(client_open(7001)->reason, TCP_CLOSED_REFUSED);
	bench_close();
}

static void connecting_is_denied(void **state)
{
	struct sluice_app_up up = {.kind = SLUICE_APP_CONNECT, .arg = 77};
	struct sluice_app_down down;

	(void)state;
	bench_open(NULL);
	up.peer = (struct sluice_peer){.family = 4, .port = 80, .bytes = {10, 0, 0, 2}};
	say(up);
	down = hear(SLUICE_APP_CONNECTING);
	assert_int_equal(down.arg, 77);
	assert_int_equal(down.open.error, EACCES);
	bench_close();
}

static void more_connections_than_allowed_are_reset(void **state)
{
	struct sluice_app_down first;

	(void)state;
	bench_open(&(struct options){.conns = 2});
	listening();
	first = accepted();
	(void)accepted();
	(void)client_open(7000);
	until(bench.clients->closed);
	assert_int_equal(counted(app_refused), 1);
	say_close(first.conn, first.generation, 0);
	bench_run_ms(5);
	assert_int_equal(accepted().conn, first.conn);
	bench_close();
}

/* Takes what comes for a while without giving anything back. */
static uint64_t take_and_hold(struct sluice_app_down *held, unsigned *n)
{
	struct sluice_app_down down;
	uint64_t bytes = 0;

	for (unsigned step = 0; step < 3000; step++) {
		while (hears(&down)) {
			assert_int_equal(down.kind, SLUICE_APP_DATA);
			bytes += check_data(&down, bytes);
			held[(*n)++] = down;
		}
		bench_step();
	}
	return bytes;
}

static void blocks_that_are_held_close_the_window(void **state)
{
	static struct sluice_app_down held[256];
	struct sluice_app_down down;
	uint64_t bytes;
	unsigned n = 0;

	(void)state;
	bench_open(&(struct options){.blocks = 8});
	listening();
	(void)accepted();
	client_say(bench.clients, 4 << 20);
	bytes = take_and_hold(held, &n);
	assert_true(bytes <= 8 * SLUICE_APP_BLOCK_BYTES);
	assert_true(bench.clients->to_say > 0);
	assert_true(counted(app_rx_full) > 0);
	for (unsigned i = 0; i < n; i++)
		say_free(&held[i]);
	while (bytes < 4 << 20) {
		down = hear(SLUICE_APP_DATA);
		bytes += check_data(&down, bytes);
		say_free(&down);
	}
	bench_close();
}

static void slices_wait_for_the_reader(void **state)
{
	struct sluice_app_down down;
	uint32_t released = 0;

	(void)state;
	bench_open(NULL);
	listening();
	down = accepted();
	bench.clients->deaf = true;
	for (uint32_t i = 0; i < 8; i++)
		say_send(down.conn, down.generation, i * 32768, 32768, i + 1);
	bench_run_ms(300);
	assert_null(app_verdict(bench.app));
	bench.clients->deaf = false;
	while (released < 8) {
		down = hear(SLUICE_APP_RELEASE);
		for (unsigned i = 0; i < down.count; i++)
			assert_int_equal(down.tag[i], ++released);
	}
	until(bench.clients->heard == 8 * 32768);
	bench_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_come_and_go),
		cmocka_unit_test(each_side_ends),
		cmocka_unit_test(what_came_before_a_reset_is_told),
		cmocka_unit_test(listening_elsewhere_is_denied),
		cmocka_unit_test(connecting_is_denied),
		cmocka_unit_test(more_connections_than_allowed_are_reset),
		cmocka_unit_test(blocks_that_are_held_close_the_window),
		cmocka_unit_test(slices_wait_for_the_reader),
	};

	return cmocka_run_group_tests(tests, bench_start, NULL);
}
