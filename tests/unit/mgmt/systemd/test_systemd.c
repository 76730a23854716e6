/* SPDX-License-Identifier: BSD-3-Clause */
/* The watchdog's feeder, and what the service manager hears. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "mgmt/systemd/feeder.h"
#include "mgmt/systemd/sd.h"

#define WORKERS 3
#define ALL     UINT32_MAX

/* One look after the other: what the counters are, and whether the watchdog is fed. */
static void test_feeder(void **state)
{
	static const struct {
		uint64_t now[WORKERS];
		bool fed;
		unsigned stalled;
	} looks[] = {
		{{0, 0, 0}, false, 0},
		{{5, 0, 9}, false, 1},
		{{5, 1, 9}, true, ALL},
		{{5, 1, 9}, false, 0},
		{{6, 2, 9}, false, 2},
		/* It counts from the last feeding, not from the last look. */
		{{6, 2, 10}, true, ALL},
		{{UINT64_MAX, 3, 11}, true, ALL},
		{{0, 4, 12}, true, ALL}, /* wrapped around: it moved */
	};
	uint64_t last[WORKERS] = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(looks) / sizeof(*looks); i++) {
		unsigned stalled = ALL;

		assert_int_equal(feeder_check(last, looks[i].now, WORKERS, &stalled), looks[i].fed);
		assert_int_equal(stalled, looks[i].stalled);
	}
}

/* --- the service manager's end -----------------------------------------------------------------
 */

static int manager;

static int setup(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char name[64];

	(void)state;
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	snprintf(name, sizeof(name), "@sluice-test-%d", (int)getpid());
	memcpy(address.sun_path, name, strlen(name));
	address.sun_path[0] = '\0';
	setenv("NOTIFY_SOCKET", name, 1);
	return bind(manager, (struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name)));
}

static int teardown(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	return close(manager);
}

static const char *heard(void)
{
	static char text[1024];
	ssize_t n = recv(manager, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void test_messages(void **state)
{
	unsigned long long us = 0;
	uint64_t last[2] = {0};

	(void)state;
	sd_tell_ready("2 chains");
	assert_string_equal(heard(), "READY=1\nSTATUS=2 chains");
	sd_tell_status("%u connections", 7u);
	assert_string_equal(heard(), "STATUS=7 connections");
	assert_true(sd_feed(last, (uint64_t[]){1, 2}, 2));
	assert_string_equal(heard(), "WATCHDOG=1");
	assert_false(sd_feed(last, (uint64_t[]){2, 2}, 2));
	assert_string_equal(heard(), "");
	sd_tell_stopping("draining", 45000000);
	assert_string_equal(heard(), "STOPPING=1\nSTATUS=draining\nEXTEND_TIMEOUT_USEC=45000000");
	sd_tell_reloading();
	assert_int_equal(sscanf(heard(), "RELOADING=1 MONOTONIC_USEC=%llu", &us), 1);
	assert_true(us > 0);
}

static void test_nobody_listens(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	sd_tell_ready("alone");
	assert_string_equal(heard(), "");
}

static void test_watchdog_time(void **state)
{
	(void)state;
	assert_int_equal(sd_watchdog_us(), 0);
	setenv("WATCHDOG_USEC", "10000000", 1);
	assert_int_equal(sd_watchdog_us(), 10000000);
	unsetenv("WATCHDOG_USEC");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_feeder),
		cmocka_unit_test_setup_teardown(test_messages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody_listens, setup, teardown),
		cmocka_unit_test(test_watchdog_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
