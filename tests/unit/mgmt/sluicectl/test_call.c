/* SPDX-License-Identifier: BSD-3-Clause */
/* Both ends: the command line's call against the server, in a thread of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mgmt/ctl/ctl.h"
#include "mgmt/sluicectl/call.h"

#define BIG_BYTES (8u << 20)

static char dir[32], path[64];
static struct ctl *ctl;
static pthread_t thread;
static atomic_bool ended;

static int run_big(void *ctx, const struct ctl_request *request, json_t **data, char *error,
		   size_t error_size)
{
	char *text = malloc(BIG_BYTES + 1);

	(void)ctx, (void)request, (void)error, (void)error_size;
	memset(text, 'x', BIG_BYTES);
	text[BIG_BYTES] = '\0';
	*data = json_string(text);
	free(text);
	return 0;
}

static int run_reload(void *ctx, const struct ctl_request *request, json_t **data, char *error,
		      size_t error_size)
{
	(void)ctx, (void)request, (void)data;
	snprintf(error, error_size, "a.conf:1: first\na.conf:2: second");
	return -EINVAL;
}

static const struct ctl_command commands[] = {
	{"show", "big", run_big},
	{"reload", NULL, run_reload},
	{NULL, NULL, NULL},
};

static void *serve(void *arg)
{
	struct pollfd fd = {.fd = ctl_fd(ctl), .events = POLLIN};

	while (!ended)
		if (poll(&fd, 1, 10) == 1)
			ctl_handle(ctl, 1);
	return arg;
}

static int setup(void **state)
{
	char error[256];

	(void)state;
	strcpy(dir, "/tmp/sluice-call-XXXXXX");
	if (!mkdtemp(dir) || ctl_create(dir, commands, NULL, error, sizeof(error), &ctl) != 0)
		return -1;
	snprintf(path, sizeof(path), "%s/" CTL_SOCKET_NAME, dir);
	return pthread_create(&thread, NULL, serve, NULL);
}

static int teardown(void **state)
{
	(void)state;
	ended = true;
	pthread_join(thread, NULL);
	ctl_destroy(ctl);
	return rmdir(dir);
}

static void test_answer(void **state)
{
	json_t *request = json_pack("{s:s, s:s}", "cmd", "show", "what", "big"), *data = NULL;
	char *error = NULL;

	(void)state;
	assert_int_equal(call_daemon(path, request, &data, &error), 0);
	assert_int_equal(json_string_length(data), BIG_BYTES);
	json_decref(data);
	json_decref(request);
}

static void test_refusal(void **state)
{
	json_t *request = json_pack("{s:s}", "cmd", "reload"), *data = NULL;
	char *error = NULL;

	(void)state;
	assert_int_equal(call_daemon(path, request, &data, &error), -1);
	assert_string_equal(error, "a.conf:1: first\na.conf:2: second");
	free(error);
	json_decref(request);
}

/* A name longer than what the server takes. */
static void test_too_long(void **state)
{
	static char name[2 * CTL_REQUEST_MAX];
	json_t *request, *data = NULL;
	char *error = NULL;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	request = json_pack("{s:s, s:s}", "cmd", "function", "name", name);
	assert_int_equal(call_daemon(path, request, &data, &error), -1);
	assert_non_null(error);
	free(error);
	json_decref(request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_refusal),
		cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
