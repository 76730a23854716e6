/* SPDX-License-Identifier: BSD-3-Clause */
/* What ends a sleep, and how long naps are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "dataplane/clock.h"
#include "dataplane/driver.h"
#include "dataplane/idle.h"

/* Longer than any test may take: who is not woken is killed by ctest. */
#define FOREVER_US UINT64_C(3600000000)

static struct driver level = {.wake = DRIVER_WAKE_LEVEL}, edge = {.wake = DRIVER_WAKE_EDGE};
static struct port port;
static struct worker_set set = {.ports = &port, .ports_count = 1};

static void port_with(const struct driver *traits, int fd)
{
	port = (struct port){.traits = traits, .queues = 1, .wake_fd = {fd}};
}

static int descriptor(void)
{
	int fd = eventfd(0, EFD_NONBLOCK);

	assert_true(fd >= 0);
	return fd;
}

static void ends_when_it_is_woken(void **state)
{
	int fd = descriptor();
	struct idle idle;

	(void)state;
	port_with(&level, fd);
	assert_int_equal(idle_create(&set, 0, &idle), 0);
	assert_false(idle.naps);
	idle_wake(idle.event_fd);
	idle_wake(idle.event_fd);
	idle_sleep(&idle, FOREVER_US);
	assert_int_equal(eventfd_read(idle.event_fd, &(eventfd_t){0}), -1);
	idle_sleep(&idle, 1); /* both wake-ups were one */
	idle_destroy(&idle);
	idle_destroy(&idle);
	close(fd);
}

static void ends_when_a_port_has_packets(void **state)
{
	int fd = descriptor();
	struct idle idle;

	(void)state;
	port_with(&level, fd);
	assert_int_equal(idle_create(&set, 0, &idle), 0);
	eventfd_write(fd, 1);
	for (int i = 0; i < 3; i++)
		idle_sleep(&idle, FOREVER_US);
	idle_destroy(&idle);
	close(fd);
}

/* Nobody reads the descriptor: what it said once must not wake us for ever. */
static void an_edge_ends_one_sleep(void **state)
{
	int fd = descriptor();
	struct idle idle;
	uint64_t before_us;

	(void)state;
	port_with(&edge, fd);
	assert_int_equal(idle_create(&set, 0, &idle), 0);
	for (int i = 0; i < 3; i++) {
		eventfd_write(fd, 1);
		idle_sleep(&idle, FOREVER_US);
	}
	before_us = clock_monotonic_us();
	idle_sleep(&idle, 20000);
	assert_true(clock_monotonic_us() - before_us >= 19000);
	idle_destroy(&idle);
	close(fd);
}

static void naps_grow_until_there_is_work(void **state)
{
	struct idle idle;
	uint32_t last = IDLE_NAP_MIN_US;

	(void)state;
	port_with(&edge, -1);
	assert_int_equal(idle_create(&set, 0, &idle), 0);
	assert_true(idle.naps);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(idle.nap_us, last);
		idle_sleep(&idle, FOREVER_US);
		last = last * 2 < IDLE_NAP_MAX_US ? last * 2 : IDLE_NAP_MAX_US;
	}
	assert_int_equal(last, IDLE_NAP_MAX_US);
	idle_active(&idle);
	assert_int_equal(idle.nap_us, IDLE_NAP_MIN_US);
	idle_destroy(&idle);
}

static void spins_where_sleeps_are_short(void **state)
{
	struct idle idle = {.spin_us = IDLE_SPIN_MAX_US};

	(void)state;
	idle_slept(&idle, IDLE_SHORT_US + 1);
	assert_int_equal(idle_spin_us(&idle), IDLE_SPIN_MAX_US / 2);
	for (int i = 0; i < 8; i++)
		idle_slept(&idle, 1000);
	assert_int_equal(idle_spin_us(&idle), 0);
	idle_slept(&idle, IDLE_SHORT_US);
	assert_int_equal(idle_spin_us(&idle), IDLE_SPIN_MAX_US);
}

static void naps_say_nothing_of_spinning(void **state)
{
	struct idle idle = {.spin_us = IDLE_SPIN_MAX_US, .naps = true};

	(void)state;
	idle_slept(&idle, IDLE_NAP_MAX_US);
	assert_int_equal(idle_spin_us(&idle), IDLE_SPIN_MAX_US);
}

/* A worker without a queue in a port is told by the others: it has nothing to poll there. */
static void another_workers_queue(void **state)
{
	struct idle idle;

	(void)state;
	port_with(&edge, -1);
	assert_int_equal(idle_create(&set, 1, &idle), 0);
	assert_false(idle.naps);
	idle_destroy(&idle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_when_it_is_woken),
		cmocka_unit_test(ends_when_a_port_has_packets),
		cmocka_unit_test(an_edge_ends_one_sleep),
		cmocka_unit_test(naps_grow_until_there_is_work),
		cmocka_unit_test(spins_where_sleeps_are_short),
		cmocka_unit_test(naps_say_nothing_of_spinning),
		cmocka_unit_test(another_workers_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
