/* SPDX-License-Identifier: BSD-3-Clause */
/* The control socket over a real socket: conversations, bounds, and who owns the path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "mgmt/ctl/ctl.h"

#define BIG_BYTES (4u << 20)

struct server {
	char dir[32];
	char path[64];
	struct ctl *ctl;
	uint64_t now_ms;
	uint64_t token; /* of the request that was put off last */
	unsigned runs;
};

/* --- commands ------------------------------------------------------------------------------- */

static int run_ports(void *ctx, const struct ctl_request *request, json_t **data, char *error,
		     size_t error_size)
{
	(void)request, (void)error, (void)error_size;
	((struct server *)ctx)->runs++;
	*data = json_pack("[s]", "wan");
	return 0;
}

static int run_stats(void *ctx, const struct ctl_request *request, json_t **data, char *error,
		     size_t error_size)
{
	(void)ctx, (void)error, (void)error_size;
	*data = json_incref(json_object_get(request->args, "prefix"));
	return 0;
}

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

static int run_restart(void *ctx, const struct ctl_request *request, json_t **data, char *error,
		       size_t error_size)
{
	const char *name = json_string_value(json_object_get(request->args, "name"));

	(void)ctx, (void)data;
	if (!name)
		return -EINVAL;
	snprintf(error, error_size, "there is no function \"%s\"", name);
	return -ENOENT;
}

static int run_reload(void *ctx, const struct ctl_request *request, json_t **data, char *error,
		      size_t error_size)
{
	(void)data, (void)error, (void)error_size;
	((struct server *)ctx)->token = request->token;
	return CTL_LATER;
}

static const struct ctl_command commands[] = {
	{"show", "ports", run_ports}, {"show", "stats", run_stats},
	{"show", "big", run_big},     {"function", "restart", run_restart},
	{"reload", NULL, run_reload}, {NULL, NULL, NULL},
};

/* --- both ends -------------------------------------------------------------------------------- */

static struct server server;

static int setup(void **state)
{
	char error[256] = "";

	(void)state;
	memset(&server, 0, sizeof(server));
	strcpy(server.dir, "/tmp/sluice-ctl-XXXXXX");
	if (!mkdtemp(server.dir))
		return -1;
	snprintf(server.path, sizeof(server.path), "%s/" CTL_SOCKET_NAME, server.dir);
	server.now_ms = 1000;
	if (ctl_create(server.dir, commands, &server, error, sizeof(error), &server.ctl) == 0)
		return 0;
	print_error("%s\n", error);
	return -1;
}

static int teardown(void **state)
{
	(void)state;
	ctl_destroy(server.ctl);
	if (access(server.path, F_OK) == 0)
		return -1;
	return rmdir(server.dir);
}

static int dial(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	strcpy(address.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Turns the server until it has nothing to do. */
static void turn(void)
{
	struct pollfd fd = {.fd = ctl_fd(server.ctl), .events = POLLIN};

	for (int i = 0; i < 100 && poll(&fd, 1, 0) == 1; i++)
		ctl_handle(server.ctl, server.now_ms);
	assert_int_equal(poll(&fd, 1, 0), 0);
}

/* What has come; "" for nothing, "(end)" for the end of the connection. */
static const char *hear(int fd)
{
	static char text[16384];
	ssize_t n;

	turn();
	n = recv(fd, text, sizeof(text) - 1, 0);
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return "(end)";
	assert_true(n > 0 || errno == EAGAIN);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* --- conversations ---------------------------------------------------------------------------- */

static void test_conversations(void **state)
{
	static const struct {
		const char *said, *heard;
	} rows[] = {
		{"{\"cmd\":\"show\",\"what\":\"ports\"}\n", "{\"ok\":true,\"data\":[\"wan\"]}\n"},
		{"{\"cmd\":\"show\",\"what\":\"stats\",\"prefix\":\"tcp\"}\n",
		 "{\"ok\":true,\"data\":\"tcp\"}\n"},
		{"{\"cmd\":\"show\",\"what\":\"stats\"}\n", "{\"ok\":true,\"data\":null}\n"},
		{"{\"cmd\":\"show\",\"what\":\"prots\"}\n",
		 "{\"ok\":false,\"error\":\"there is no command \\\"show prots\\\"; did you mean "
		 "\\\"show ports\\\"?\"}\n"},
		{"{\"cmd\":\"show\"}\n", "{\"ok\":false,\"error\":\"show what?\"}\n"},
		{"{\"cmd\":\"relaod\"}\n",
		 "{\"ok\":false,\"error\":\"there is no command \\\"relaod\\\"; did you mean "
		 "\\\"reload\\\"?\"}\n"},
		{"{\"cmd\":\"dance\"}\n",
		 "{\"ok\":false,\"error\":\"there is no command \\\"dance\\\"\"}\n"},
		{"{\"what\":\"ports\"}\n",
		 "{\"ok\":false,\"error\":\"the request has no \\\"cmd\\\"\"}\n"},
		{"[1]\n", "{\"ok\":false,\"error\":\"the request has no \\\"cmd\\\"\"}\n"},
		{"show ports\n", "{\"ok\":false,\"error\":\"the request is not JSON: '[' or '{' "
				 "expected near 'show'\"}\n"},
		{"{\"cmd\":\"function\",\"what\":\"restart\",\"name\":\"edge\"}\n",
		 "{\"ok\":false,\"error\":\"there is no function \\\"edge\\\"\"}\n"},
		{"{\"cmd\":\"function\",\"what\":\"restart\"}\n",
		 "{\"ok\":false,\"error\":\"Invalid argument\"}\n"},
	};
	int fd = dial(server.path);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		say(fd, rows[i].said);
		assert_string_equal(hear(fd), rows[i].heard);
	}
	close(fd);
	turn();
}

static void test_pieces_and_pipelines(void **state)
{
	int fd = dial(server.path);

	(void)state;
	say(fd, "{\"cmd\":\"show\",");
	assert_string_equal(hear(fd), "");
	say(fd, "\"what\":\"ports\"}\n{\"cmd\":\"show\",\"what\":\"stats\",\"prefix\":\"a\"}\n{");
	assert_string_equal(hear(fd),
			    "{\"ok\":true,\"data\":[\"wan\"]}\n{\"ok\":true,\"data\":\"a\"}\n");
	close(fd);
	turn();
}

/* A client may shut down its side and wait: the last line needs no newline then. */
static void test_half_close(void **state)
{
	int fd = dial(server.path);

	(void)state;
	say(fd, "{\"cmd\":\"show\",\"what\":\"ports\"}");
	shutdown(fd, SHUT_WR);
	assert_string_equal(hear(fd), "{\"ok\":true,\"data\":[\"wan\"]}\n");
	assert_string_equal(hear(fd), "(end)");
	close(fd);
}

/* --- later -------------------------------------------------------------------------------------
 */

static void test_later(void **state)
{
	int fd = dial(server.path);

	(void)state;
	say(fd, "{\"cmd\":\"reload\"}\n{\"cmd\":\"show\",\"what\":\"ports\"}\n");
	assert_string_equal(hear(fd), "");
	assert_int_equal(server.runs, 0); /* in order: it waits */
	assert_int_equal(
		ctl_finish(server.ctl, server.token, json_pack("{s:i}", "config_version", 2), NULL),
		0);
	assert_string_equal(hear(fd), "{\"ok\":true,\"data\":{\"config_version\":2}}\n"
				      "{\"ok\":true,\"data\":[\"wan\"]}\n");
	assert_int_equal(ctl_finish(server.ctl, server.token, NULL, NULL), -ESTALE);
	say(fd, "{\"cmd\":\"reload\"}\n");
	turn();
	assert_int_equal(ctl_finish(server.ctl, server.token, json_null(), "a.conf:1: no\nb"), 0);
	assert_string_equal(hear(fd), "{\"ok\":false,\"error\":\"a.conf:1: no\\nb\"}\n");
	close(fd);
	turn();
}

/* The client has gone, and another sits in its place: the answer goes to nobody. */
static void test_later_for_nobody(void **state)
{
	int fd = dial(server.path), other;

	(void)state;
	say(fd, "{\"cmd\":\"reload\"}\n");
	turn();
	close(fd);
	turn();
	other = dial(server.path);
	turn();
	assert_int_equal(ctl_finish(server.ctl, server.token, json_object(), NULL), -ESTALE);
	assert_string_equal(hear(other), "");
	assert_int_equal(ctl_finish(server.ctl, UINT64_MAX, json_object(), NULL), -ESTALE);
	close(other);
	turn();
}

static void test_later_after_half_close(void **state)
{
	int fd = dial(server.path);

	(void)state;
	say(fd, "{\"cmd\":\"reload\"}\n");
	shutdown(fd, SHUT_WR);
	assert_string_equal(hear(fd), "");
	assert_int_equal(ctl_finish(server.ctl, server.token, NULL, NULL), 0);
	assert_string_equal(hear(fd), "{\"ok\":true,\"data\":null}\n");
	assert_string_equal(hear(fd), "(end)");
	close(fd);
}

/* --- bounds -------------------------------------------------------------------------------------
 */

static void test_long_request(void **state)
{
	static char text[CTL_REQUEST_MAX + 1];
	int fd = dial(server.path);

	(void)state;
	memset(text, 'x', CTL_REQUEST_MAX);
	say(fd, text);
	assert_string_equal(hear(fd), "{\"ok\":false,\"error\":\"the request is too long\"}\n");
	assert_string_equal(hear(fd), "(end)");
	close(fd);
}

/* An answer larger than the socket's buffer comes whole to a client that reads. */
static void test_big_answer(void **state)
{
	int fd = dial(server.path);
	size_t total = 0;
	const char *part;

	(void)state;
	say(fd, "{\"cmd\":\"show\",\"what\":\"big\"}\n{\"cmd\":\"show\",\"what\":\"ports\"}\n");
	while (*(part = hear(fd)))
		total += strlen(part);
	assert_int_equal(total, BIG_BYTES + strlen("{\"ok\":true,\"data\":\"\"}\n") +
					strlen("{\"ok\":true,\"data\":[\"wan\"]}\n"));
	close(fd);
	turn();
}

/* One that does not read is let go, and others are served meanwhile. */
static void test_stalled_reader(void **state)
{
	int slow = dial(server.path), fast = dial(server.path);
	char byte;

	(void)state;
	say(slow, "{\"cmd\":\"show\",\"what\":\"big\"}\n");
	say(fast, "{\"cmd\":\"show\",\"what\":\"ports\"}\n");
	assert_string_equal(hear(fast), "{\"ok\":true,\"data\":[\"wan\"]}\n");
	server.now_ms += CTL_STALL_MS + 1;
	ctl_handle(server.ctl, server.now_ms);
	while (recv(slow, &byte, 1, 0) == 1)
		;
	assert_string_equal(hear(slow), "(end)");
	say(fast, "{\"cmd\":\"show\",\"what\":\"ports\"}\n");
	assert_string_equal(hear(fast), "{\"ok\":true,\"data\":[\"wan\"]}\n");
	close(slow);
	close(fast);
	turn();
}

/* Silent clients cannot lock an operator out: the one silent longest makes room. */
static void test_many_clients(void **state)
{
	int fds[CTL_CLIENTS_MAX + 1];

	(void)state;
	for (unsigned i = 0; i <= CTL_CLIENTS_MAX; i++) {
		server.now_ms++;
		fds[i] = dial(server.path);
		turn();
	}
	say(fds[CTL_CLIENTS_MAX], "{\"cmd\":\"show\",\"what\":\"ports\"}\n");
	assert_string_equal(hear(fds[CTL_CLIENTS_MAX]), "{\"ok\":true,\"data\":[\"wan\"]}\n");
	assert_string_equal(hear(fds[0]), "(end)");
	assert_string_equal(hear(fds[1]), "");
	for (unsigned i = 0; i <= CTL_CLIENTS_MAX; i++)
		close(fds[i]);
	turn();
}

/* --- the path ------------------------------------------------------------------------------------
 */

static void test_mode(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(stat(server.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
}

static int create_again(char *error, size_t size, struct ctl **out)
{
	return ctl_create(server.dir, commands, &server, error, size, out);
}

static void test_live_daemon(void **state)
{
	char error[256], expected[256];
	struct ctl *second;

	(void)state;
	assert_int_equal(create_again(error, sizeof(error), &second), -EADDRINUSE);
	assert_null(second);
	snprintf(expected, sizeof(expected), "%s: another daemon is running there (pid %d)",
		 server.path, (int)getpid());
	assert_string_equal(error, expected);
	turn();
}

/* The file of a daemon that died without removing it. */
static void test_dead_daemon(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), client;
	char error[256];

	(void)state;
	ctl_destroy(server.ctl);
	strcpy(address.sun_path, server.path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	assert_int_equal(create_again(error, sizeof(error), &server.ctl), 0);
	client = dial(server.path);
	say(client, "{\"cmd\":\"show\",\"what\":\"ports\"}\n");
	assert_string_equal(hear(client), "{\"ok\":true,\"data\":[\"wan\"]}\n");
	close(client);
	turn();
}

static void test_file_in_the_way(void **state)
{
	char error[256], expected[256];
	FILE *file;

	(void)state;
	ctl_destroy(server.ctl);
	server.ctl = NULL;
	file = fopen(server.path, "w");
	assert_non_null(file);
	fclose(file);
	assert_int_equal(create_again(error, sizeof(error), &server.ctl), -EEXIST);
	snprintf(expected, sizeof(expected), "%s is in the way: it is not a socket", server.path);
	assert_string_equal(error, expected);
	unlink(server.path);
}

static void test_no_folder(void **state)
{
	char error[256];
	struct ctl *ctl;

	(void)state;
	assert_int_equal(ctl_create("/nowhere/at/all", commands, NULL, error, sizeof(error), &ctl),
			 -ENOENT);
	assert_string_equal(error, "/nowhere/at/all: No such file or directory");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_conversations),
		TEST(test_pieces_and_pipelines),
		TEST(test_half_close),
		TEST(test_later),
		TEST(test_later_for_nobody),
		TEST(test_later_after_half_close),
		TEST(test_long_request),
		TEST(test_big_answer),
		TEST(test_stalled_reader),
		TEST(test_many_clients),
		TEST(test_mode),
		TEST(test_live_daemon),
		TEST(test_dead_daemon),
		TEST(test_file_in_the_way),
		cmocka_unit_test(test_no_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
