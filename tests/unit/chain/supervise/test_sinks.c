/* SPDX-License-Identifier: BSD-3-Clause */
/* What functions write: to files that are rotated, and to receivers of datagrams. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "chain/supervise/sinks.h"
#include "mgmt/conf/conf.h"

#define WAIT_MS 20000

static char folder[] = "/tmp/test_sinks_XXXXXX";
static char path[128];

static int to(enum conf_write_kind kind)
{
	struct conf_writing writing = {.kind = kind, .path = path};
	int fd;

	assert_int_equal(sink_open(&writing, "edge", &fd), 0);
	return fd;
}

static void put(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void assert_file(const char *name, const char *text)
{
	char seen[256] = "";
	FILE *file = fopen(name, "r");

	assert_non_null(file);
	seen[fread(seen, 1, sizeof(seen) - 1, file)] = '\0';
	fclose(file);
	assert_string_equal(seen, text);
}

static void test_a_file(void **state)
{
	struct stat st;
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/log", folder);
	fd = to(CONF_WRITE_FILE);
	put(fd, "one\n");
	put(fd, "two\nthree\n");
	close(fd);
	sinks_wait(WAIT_MS);
	assert_file(path, "one\ntwo\nthree\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	/* The next instance goes on behind it. */
	fd = to(CONF_WRITE_FILE);
	put(fd, "four\n");
	close(fd);
	sinks_wait(WAIT_MS);
	assert_file(path, "one\ntwo\nthree\nfour\n");
}

static void test_rotation(void **state)
{
	char moved[160];
	struct stat st;
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/rotated", folder);
	snprintf(moved, sizeof(moved), "%s.1", path);
	fd = to(CONF_WRITE_FILE);
	put(fd, "before\n");
	for (unsigned ms = 0; (stat(path, &st) || st.st_size == 0) && ms < WAIT_MS; ms += 10)
		usleep(10000);
	assert_int_equal(rename(path, moved), 0);
	for (unsigned ms = 0; stat(path, &st) && ms < WAIT_MS; ms += 10)
		usleep(10000); /* it looks once a second */
	put(fd, "after\n");
	close(fd);
	sinks_wait(WAIT_MS);
	assert_file(moved, "before\n");
	assert_file(path, "after\n");
}

static void test_no_folder(void **state)
{
	struct conf_writing writing = {.kind = CONF_WRITE_FILE, .path = "/no/such/folder/log"};
	int fd;

	(void)state;
	assert_int_equal(sink_open(&writing, "edge", &fd), -ENOENT);
	sinks_wait(WAIT_MS);
}

static int receiver(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = 20};
	int sock = socket(AF_UNIX, SOCK_DGRAM, 0);

	memcpy(address.sun_path, path, strlen(path));
	unlink(path);
	assert_int_equal(bind(sock, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	return sock;
}

static void assert_comes(int sock, const char *text)
{
	char seen[256] = "";

	assert_true(recv(sock, seen, sizeof(seen) - 1, 0) > 0);
	assert_string_equal(seen, text);
}

static void test_datagrams(void **state)
{
	int sock, fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/socket", folder);
	sock = receiver();
	fd = to(CONF_WRITE_SYSLOG);
	put(fd, "<134>one\n<134>two\n");
	assert_comes(sock, "<134>one");
	assert_comes(sock, "<134>two");
	/* It is started anew. */
	close(sock);
	sock = receiver();
	put(fd, "<134>three\n");
	assert_comes(sock, "<134>three");
	close(fd);
	fd = to(CONF_WRITE_JOURNAL);
	put(fd, "four\n");
	assert_comes(sock, "PRIORITY=6\nSYSLOG_IDENTIFIER=edge\nMESSAGE=four\n");
	close(fd);
	sinks_wait(WAIT_MS);
	close(sock);
}

static void test_a_receiver_that_stands_still(void **state)
{
	char line[4000];
	unsigned taken = 0;
	int sock, fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/still", folder);
	sock = receiver();
	fd = to(CONF_WRITE_SYSLOG);
	memset(line, 'x', sizeof(line));
	while (taken < 100000 && write(fd, line, sizeof(line)) > 0)
		++taken;
	assert_int_equal(errno, EAGAIN);
	assert_true(taken > 10 && taken < 10000);
	/* Nobody waits for it when all ends. */
	close(fd);
	sinks_wait(50);
	close(sock);
	sinks_wait(WAIT_MS);
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_file),
		cmocka_unit_test(test_rotation),
		cmocka_unit_test(test_no_folder),
		cmocka_unit_test(test_datagrams),
		cmocka_unit_test(test_a_receiver_that_stands_still),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
