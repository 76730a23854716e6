/* SPDX-License-Identifier: BSD-3-Clause */
/* What a function cannot do, whatever it tries. */
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench.h"

#define NOOP  PLUGIN_DIR "/noop.so"
#define PROBE TEST_DIR "/probe.so"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* One bench for all: a probe as function 1, its neighbour as function 2. */
static struct bench *b;
static struct conf_function probe, neighbour;

static int setup(void **state)
{
	struct conf_errors errors = {0};

	(void)state;
	b = bench_create();
	probe = bench_function("probe", PROBE, NULL);
	neighbour = bench_function("neighbour", NOOP, NULL);
	return bench_start(b, 2, &neighbour, &errors) || bench_start(b, 1, &probe, &errors);
}

static int teardown(void **state)
{
	(void)state;
	bench_destroy(b);
	return 0;
}

/* It fails with that errno, and the function lives. */
static void refused(const char *attack, const char *error)
{
	const char *result = bench_ask(b, 1, attack);

	if (!result || strcmp(result, error) != 0)
		fail_msg("%s: %s, not %s", attack, result ? result : "no answer", error);
	assert_int_equal(b->downs, 0);
}

/* It ends the function, which is started again; the neighbour does not notice. */
static void deadly(const char *attack, const char *how)
{
	pid_t pid = bench_info(b, 2)->pid;

	assert_string_equal(bench_ask(b, 1, "/"), "");
	bench_send(b, 1, 0, attack);
	assert_true(bench_until(b, &b->downs, 1, 10000));
	if (strcmp(b->last_exit, how) != 0)
		fail_msg("%s: %s, not %s", attack, b->last_exit, how);
	assert_string_equal(bench_ask(b, 2, "/"), "");
	assert_int_equal(bench_info(b, 2)->pid, pid);
	b->ups = 0;
	assert_true(bench_until(b, &b->ups, 1, 10000));
	assert_string_equal(bench_ask(b, 1, "/"), "");
	b->downs = 0;
}

#define SIGSYS_TEXT "killed by SIGSYS: a system call that no function may make"

static void memory_of_others(void **state)
{
	(void)state;
	deadly("/write-rx", SANITIZED ? "exit 1" : "killed by SIGSEGV");
	refused("/mprotect-rx", "EACCES");
	refused("/mprotect-head", "EACCES");
	refused("/mremap-rx", "EPERM");
	if (!SANITIZED)
		refused("/remove-pages", "EPERM");
	assert_memory_equal(b->rx[0]->base + 4096, "GET ", 4);
}

static void files(void **state)
{
	(void)state;
	refused("/open", SANITIZED ? "EACCES" : "EPERM");
	refused("/open-fds", SANITIZED ? "EACCES" : "EPERM");
	refused("/read-kept", "0"); /* opened by init */
}

static void file_make(const char *path)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs("hello", file);
	fclose(file);
	assert_int_equal(chmod(path, 0644), 0);
}

static int socket_make(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	unlink(path);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void hears_hello(int listener)
{
	int fd = accept(listener, NULL, NULL);
	char text[8] = "";

	assert_true(fd >= 0);
	assert_int_equal(read(fd, text, sizeof(text)), 5);
	assert_string_equal(text, "hello");
	close(fd);
}

static void remove_all(void)
{
	unlink("/tmp/probe-allowed/in/file");
	unlink("/tmp/probe-allowed/beside");
	unlink("/tmp/probe-allowed/socket");
	rmdir("/tmp/probe-allowed/in");
	rmdir("/tmp/probe-allowed");
}

/* What the configuration names, and nothing beside it. */
static void allowed(void **state)
{
	const char *paths[] = {"/tmp/probe-allowed/in"};
	struct conf_connection connections[] = {
		{.name = "unix:/tmp/probe-allowed/socket", .kind = CONF_CONNECT_UNIX},
		{.name = "unix:/tmp/probe-allowed/nobody", .kind = CONF_CONNECT_UNIX},
	};
	struct conf_function f = bench_function("allowed", PROBE, NULL);
	struct conf_errors errors = {0};
	int listener;

	(void)state;
	remove_all();
	assert_int_equal(mkdir("/tmp/probe-allowed", 0755), 0);
	assert_int_equal(mkdir("/tmp/probe-allowed/in", 0755), 0);
	file_make("/tmp/probe-allowed/in/file");
	file_make("/tmp/probe-allowed/beside");
	listener = socket_make("/tmp/probe-allowed/socket");
	f.allow = (struct conf_allow){
		.read = paths, .read_count = 1, .connect = connections, .connect_count = 2};
	assert_int_equal(bench_start(b, 4, &f, &errors), 0);
	assert_string_equal(bench_ask(b, 4, "/open-allowed"), "0");
	assert_string_equal(bench_ask(b, 4, "/write-allowed"), SANITIZED ? "EACCES" : "EPERM");
	assert_string_equal(bench_ask(b, 4, "/open-beside"), "EACCES");
	assert_string_equal(bench_ask(b, 4, "/open"), "EACCES");
	assert_string_equal(bench_ask(b, 4, "/say-allowed"), "0");
	hears_hello(listener);
	assert_string_equal(bench_ask(b, 4, "/connection-refused"), "ENOENT");
	assert_string_equal(bench_ask(b, 4, "/connection-unknown"), "ENOENT");
	bench_send(b, 4, 0, "/socket");
	assert_true(bench_until(b, &b->downs, 1, 10000));
	assert_string_equal(b->last_exit, SIGSYS_TEXT);
	supervisor_stop(b->supervisor, 4, bench_us());
	b->downs = 0;
	close(listener);
	remove_all();
}

static void wake_ups_of_others(void **state)
{
	(void)state;
	refused("/steal-wake", "EPERM");
	refused("/steal-wake-wide", "EPERM");
	refused("/dup-wake", "EPERM");
	refused("/make-blocking", "EPERM");
}

static void limits_and_code(void **state)
{
	(void)state;
	refused("/map-code", "EPERM");
	refused("/raise-limit", "EPERM");
	refused("/grow-heap", "0");
	refused("/find-group", "0");
}

static void other_processes(void **state)
{
	(void)state;
	deadly("/socket", SIGSYS_TEXT);
	deadly("/fork", SIGSYS_TEXT);
	deadly("/exec", SIGSYS_TEXT);
	deadly("/kill-parent", SIGSYS_TEXT);
	deadly("/trace-parent", SIGSYS_TEXT);
	deadly("/abort", "killed by SIGABRT");
}

static void init_cannot_write(void **state)
{
	struct conf_function f =
		bench_function("writer", PROBE,
			       "{\"l\":7,\"f\":\"a.conf\",\"t\":\"group\",\"v\":{\"init\":"
			       "{\"l\":7,\"f\":\"a.conf\",\"t\":\"string\",\"v\":\"write\"}}}");
	struct conf_errors errors = {0};

	(void)state;
	assert_int_equal(bench_start(b, 3, &f, &errors), 0);
	assert_int_equal(access("/tmp/probe-was-here", F_OK), -1);
	supervisor_stop(b->supervisor, 3, bench_us());
}

/* --- from outside ------------------------------------------------------------------ */

static void descriptors(void **state)
{
	char path[64], name[32], target[64];
	struct dirent *entry;
	unsigned n = 0;
	DIR *dir;

	(void)state;
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)bench_info(b, 2)->pid);
	dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		ssize_t len;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%.8s", entry->d_name);
		len = readlinkat(dirfd(dir), name, target, sizeof(target) - 1);
		assert_true(len > 0);
		target[len] = '\0';
		if (atoi(name) <= SLUICE_HOST_SOCKET)
			assert_memory_equal(target, "socket:", 7);
		else
			assert_string_equal(target, "anon_inode:[eventfd]");
		n++;
	}
	closedir(dir);
	assert_int_equal(n, SLUICE_HOST_SOCKET + 1 + 1 + BENCH_WORKERS);
}

static long status_of(const char *key, int base)
{
	char path[64], line[256];
	long value = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)bench_info(b, 2)->pid);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, key, strlen(key)) == 0)
			value = strtol(line + strlen(key), NULL, base);
	}
	fclose(file);
	return value;
}

static void privileges(void **state)
{
	(void)state;
	if (geteuid() == 0)
		assert_in_range(status_of("Uid:", 10), 61184, 65519);
	assert_int_equal(status_of("NoNewPrivs:", 10), 1);
	assert_int_equal(status_of("Seccomp:", 10), 2);
	assert_int_equal(status_of("CapEff:", 16), 0);
	assert_int_equal(status_of("CapPrm:", 16), 0);
}

/* The limit of that name, soft and hard alike; -1: none. */
static long long limit_of(const char *name)
{
	char path[64], line[256], soft[32], hard[32];
	long long value = -2;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/limits", (int)bench_info(b, 2)->pid);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, name, strlen(name)) != 0)
			continue;
		assert_int_equal(sscanf(line + strlen(name), "%31s %31s", soft, hard), 2);
		assert_string_equal(soft, hard);
		value = strcmp(soft, "unlimited") ? atoll(soft) : -1;
	}
	fclose(file);
	return value;
}

static void limits(void **state)
{
	(void)state;
	assert_int_equal(limit_of("Max processes"), 0);
	assert_int_equal(limit_of("Max core file size"), 0);
	assert_int_equal(limit_of("Max file size"), 0);
	assert_in_range(limit_of("Max open files"), 1, 1024);
	if (!SANITIZED)
		assert_in_range(limit_of("Max address space"), 1, UINT64_C(1) << 33);
}

/* The files of a process that may not be dumped belong to root, not to its user. */
static void not_dumpable(void **state)
{
	char path[64];
	struct stat st;

	(void)state;
	if (geteuid() != 0)
		skip();
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)bench_info(b, 2)->pid);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 0);
	assert_int_not_equal(status_of("Uid:", 10), 0);
}

/* Shared mappings that can be written: its up regions and its arena, no others. */
static void mappings(void **state)
{
	char path[64], line[512], rights[8];
	unsigned writable = 0, shared = 0;
	FILE *file;

	(void)state;
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)bench_info(b, 2)->pid);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		assert_int_equal(sscanf(line, "%*s %7s", rights), 1);
		shared += rights[3] == 's';
		if (rights[3] != 's' || rights[1] != 'w')
			continue;
		writable++;
		assert_true(strstr(line, "sluice.up") || strstr(line, "memfd:bench"));
	}
	fclose(file);
	assert_int_equal(writable, BENCH_WORKERS + 1);
	assert_int_equal(shared, 2 * BENCH_WORKERS + BENCH_WORKERS + 2 * BENCH_WORKERS + 1 + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(descriptors),
		cmocka_unit_test(privileges),
		cmocka_unit_test(limits),
		cmocka_unit_test(not_dumpable),
		cmocka_unit_test(mappings),
		cmocka_unit_test(memory_of_others),
		cmocka_unit_test(files),
		cmocka_unit_test(allowed),
		cmocka_unit_test(wake_ups_of_others),
		cmocka_unit_test(limits_and_code),
		cmocka_unit_test(other_processes),
		cmocka_unit_test(init_cannot_write),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
