/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A function that misbehaves on request: each path names something that it then tries. What
 * came of it goes into the field x-result: the errno's name or a number.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <sluice/nf.h>

static struct {
	int64_t init;
	struct sluice_buf *buf;
	uint32_t sum; /* of the bodies seen */
	char init_result[64];
	int kept_fd;
} probe;

static uint8_t *request_bytes(struct sluice_exchange *x)
{
	return (uint8_t *)(uintptr_t)sluice_path(x).ptr;
}

static uintptr_t page_of(const void *at)
{
	return (uintptr_t)at & ~(uintptr_t)4095;
}

/* --- attacks: a result, or the end ------------------------------------------------- */

static long write_rx(struct sluice_exchange *x)
{
	*(volatile uint8_t *)request_bytes(x) = 'X';
	return 0;
}

static long mprotect_rx(struct sluice_exchange *x)
{
	return mprotect((void *)page_of(request_bytes(x)), 4096, PROT_READ | PROT_WRITE);
}

static long mprotect_head(struct sluice_exchange *x)
{
	return mprotect((void *)page_of(sluice_head(x)), 4096, PROT_READ | PROT_WRITE);
}

static long mremap_rx(struct sluice_exchange *x)
{
	uintptr_t page = page_of(request_bytes(x));

	return mremap((void *)page, 4096, 64 << 20, MREMAP_MAYMOVE) == MAP_FAILED ? -1 : 0;
}

static long remove_pages(struct sluice_exchange *x)
{
	struct sluice_buf *buf = sluice_buf_alloc(sluice_of(x), 4096);

	return madvise((void *)page_of(buf->data), 4096, MADV_REMOVE);
}

static long open_file(struct sluice_exchange *x)
{
	(void)x;
	return open("/etc/hostname", O_RDONLY);
}

/* What the configuration of the test allows, and what lies beside it. */
static long open_allowed(struct sluice_exchange *x)
{
	char text[8];
	int fd = open("/tmp/probe-allowed/in/file", O_RDONLY);

	(void)x;
	return fd < 0 || read(fd, text, sizeof(text)) != 5 || close(fd) ? -1 : 0;
}

static long write_allowed(struct sluice_exchange *x)
{
	(void)x;
	return open("/tmp/probe-allowed/in/file", O_RDWR);
}

static long open_beside(struct sluice_exchange *x)
{
	(void)x;
	return open("/tmp/probe-allowed/in/../beside", O_RDONLY);
}

static long say_allowed(struct sluice_exchange *x)
{
	int fd = sluice_connection(sluice_of(x), "unix:/tmp/probe-allowed/socket");

	return fd >= 0 && write(fd, "hello", 5) == 5 ? 0 : fd;
}

static long connection_refused(struct sluice_exchange *x)
{
	errno = -sluice_connection(sluice_of(x), "unix:/tmp/probe-allowed/nobody");
	return -1;
}

static long connection_unknown(struct sluice_exchange *x)
{
	errno = -sluice_connection(sluice_of(x), "10.0.0.1:53");
	return -1;
}

static long open_fds(struct sluice_exchange *x)
{
	(void)x;
	return open("/proc/self/fd/4", O_RDWR);
}

static long steal_wake(struct sluice_exchange *x)
{
	uint64_t value;

	(void)x;
	return read(5, &value, sizeof(value));
}

static long steal_wake_wide(struct sluice_exchange *x)
{
	uint64_t value;

	(void)x;
	return syscall(SYS_read, UINT64_C(0x100000005), &value, sizeof(value));
}

static long dup_wake(struct sluice_exchange *x)
{
	(void)x;
	return dup(5);
}

static long make_blocking(struct sluice_exchange *x)
{
	(void)x;
	return fcntl(5, F_SETFL, 0);
}

static long map_code(struct sluice_exchange *x)
{
	(void)x;
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
			       MAP_FAILED
		       ? -1
		       : 0;
}

static long raise_limit(struct sluice_exchange *x)
{
	struct rlimit limit = {1 << 20, 1 << 20};

	(void)x;
	return setrlimit(RLIMIT_NOFILE, &limit);
}

static long make_socket(struct sluice_exchange *x)
{
	(void)x;
	return socket(AF_INET, SOCK_STREAM, 0);
}

static long do_fork(struct sluice_exchange *x)
{
	(void)x;
	return fork();
}

static long do_exec(struct sluice_exchange *x)
{
	char name[] = "sh", *arguments[] = {name, NULL};

	(void)x;
	return execv("/bin/sh", arguments);
}

static long kill_parent(struct sluice_exchange *x)
{
	(void)x;
	return syscall(SYS_kill, getppid(), 9);
}

static long trace_parent(struct sluice_exchange *x)
{
	(void)x;
	return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static long do_abort(struct sluice_exchange *x)
{
	(void)x;
	abort();
}

static long spin(struct sluice_exchange *x)
{
	volatile uint64_t turns = 0;

	(void)x;
	for (;;)
		turns++;
	return 0;
}

static long say_stderr(struct sluice_exchange *x)
{
	(void)x;
	fprintf(stderr, "a line on stderr\n");
	return 0;
}

static long flood_log(struct sluice_exchange *x)
{
	for (unsigned i = 0; i < 10000; i++)
		sluice_log(sluice_of(x), SLUICE_LOG_INFO, "line %u", i);
	for (unsigned i = 0; i < 1000; i++)
		fprintf(stderr, "stderr %u\n", i);
	return 0;
}

static long read_kept(struct sluice_exchange *x)
{
	char byte;

	(void)x;
	return pread(probe.kept_fd, &byte, 1, 0) == 1 ? 0 : -1;
}

static long find_group(struct sluice_exchange *x)
{
	return sluice_group_find(sluice_of(x), "web");
}

static long grow_heap(struct sluice_exchange *x)
{
	char *memory = malloc(8 << 20);

	(void)x;
	if (!memory)
		return -1;
	memset(memory, 1, 8 << 20);
	memory = realloc(memory, 16 << 20); /* mremap, if it might */
	if (!memory)
		return -1;
	memory[16 << 19] = 1;
	free(memory);
	return 0;
}

static long bodies_sum(struct sluice_exchange *x)
{
	(void)x;
	return (long)probe.sum;
}

static long arena_used(struct sluice_exchange *x)
{
	return (long)sluice_arena_used(sluice_of(x));
}

static const struct {
	const char *path;
	long (*run)(struct sluice_exchange *x);
} attacks[] = {
	{"/write-rx", write_rx},
	{"/mprotect-rx", mprotect_rx},
	{"/mprotect-head", mprotect_head},
	{"/mremap-rx", mremap_rx},
	{"/remove-pages", remove_pages},
	{"/open", open_file},
	{"/open-allowed", open_allowed},
	{"/write-allowed", write_allowed},
	{"/open-beside", open_beside},
	{"/say-allowed", say_allowed},
	{"/connection-refused", connection_refused},
	{"/connection-unknown", connection_unknown},
	{"/open-fds", open_fds},
	{"/steal-wake", steal_wake},
	{"/steal-wake-wide", steal_wake_wide},
	{"/dup-wake", dup_wake},
	{"/make-blocking", make_blocking},
	{"/map-code", map_code},
	{"/raise-limit", raise_limit},
	{"/socket", make_socket},
	{"/fork", do_fork},
	{"/exec", do_exec},
	{"/kill-parent", kill_parent},
	{"/trace-parent", trace_parent},
	{"/abort", do_abort},
	{"/spin", spin},
	{"/stderr", say_stderr},
	{"/flood", flood_log},
	{"/read-kept", read_kept},
	{"/find-group", find_group},
	{"/grow-heap", grow_heap},
	{"/bodies-sum", bodies_sum},
	{"/arena-used", arena_used},
};

/* --- commands ---------------------------------------------------------------------- */

/* Packets of its own making, instead of those of its host. */
static void answer_falsely(uint32_t number, uint32_t flags, unsigned times)
{
	struct sluice_host_answer m = {
		.header = {SLUICE_HOST_ANSWER, sizeof(m)}, .number = number, .flags = flags};

	memset(m.text, 'x', sizeof(m.text));
	while (times--)
		if (send(SLUICE_HOST_SOCKET, &m, sizeof(m), MSG_NOSIGNAL) < 0)
			return;
}

static int on_command(struct sluice_nf *nf, struct sluice_command *command)
{
	const char *word = sluice_word(command, 0);
	unsigned rows = (unsigned)atoi(sluice_word(command, 1));

	(void)nf;
	if (!strcmp(word, "die"))
		abort();
	if (!strcmp(word, "spin"))
		spin(NULL);
	if (!strcmp(word, "another"))
		answer_falsely(rows + 100, SLUICE_HOST_ANSWER_END, 1);
	if (!strcmp(word, "flood"))
		answer_falsely(rows, 0, 70);
	if (!strcmp(word, "refuse"))
		return sluice_refuse(command, "not %s", sluice_word(command, 1));
	for (unsigned i = 0; i < rows; i++) {
		sluice_row_number(command, word, i);
		sluice_row_end(command);
	}
	return 0;
}

/* --- the function ------------------------------------------------------------------ */

static enum sluice_verdict answer(struct sluice_exchange *x)
{
	probe.buf = sluice_buf_alloc(sluice_of(x), 5);
	memcpy(probe.buf->data, "hello", 5);
	sluice_respond(x, 200, 5);
	sluice_respond_body(x, probe.buf, 0, 5, true);
	sluice_buf_unref(probe.buf);
	return SLUICE_RESPOND;
}

static enum sluice_verdict on_request(struct sluice_exchange *x)
{
	struct sluice_str path = sluice_path(x);
	char result[64];
	long rc;

	if (sluice_str_equal(path, sluice_str("/answer")))
		return answer(x);
	for (unsigned i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		if (!sluice_str_equal(path, sluice_str(attacks[i].path)))
			continue;
		errno = 0;
		rc = attacks[i].run(x);
		if (rc < 0 && errno)
			snprintf(result, sizeof(result), "%s", strerrorname_np(errno));
		else
			snprintf(result, sizeof(result), "%ld", rc);
		sluice_field_set(x, "x-result", sluice_str(result));
	}
	return SLUICE_PASS;
}

static enum sluice_verdict on_body(struct sluice_exchange *x, const struct sluice_span *spans,
				   unsigned n, bool end)
{
	(void)x;
	(void)end;
	for (unsigned i = 0; i < n; i++) {
		for (uint32_t c = 0; c < spans[i].len; c++)
			probe.sum += spans[i].ptr[c];
	}
	return SLUICE_PASS;
}

static int init(struct sluice_nf *nf, const struct sluice_conf *config)
{
	const char *what;

	sluice_counter(nf, "asked", "a counter");
	if (sluice_conf_string(config, "init", "", &what))
		return -EINVAL;
	if (!strcmp(what, "crash"))
		abort();
	if (!strcmp(what, "error"))
		return sluice_conf_error(config, "no such thing");
	if (!strcmp(what, "write") && open("/tmp/probe-was-here", O_WRONLY | O_CREAT, 0600) >= 0)
		return sluice_conf_error(config, "it could write");
	if (!strcmp(what, "dangling") && sluice_group_find(nf, "web") < 0)
		return sluice_conf_error(config, "no upstream \"web\"");
	if (!strcmp(what, "hang"))
		for (;;)
			pause();
	probe.kept_fd = open("/etc/passwd", O_RDONLY);
	if (probe.kept_fd < 0)
		return sluice_conf_error(config, "init cannot read files");
	sluice_log(nf, SLUICE_LOG_INFO, "probe begins");
	return 0;
}

static const struct sluice_nf_hooks hooks = {
#ifdef PROBE_ABI
	.abi = PROBE_ABI,
	.size = sizeof(hooks),
#else
	SLUICE_HOOKS,
#endif
	.name = "probe",
	.init = init,
	.request_head = on_request,
	.response_body = on_body,
	.command = on_command,
};

#ifndef PROBE_NO_ENTRY
SLUICE_FUNCTION(hooks);
#else
const struct sluice_nf_hooks *const probe_hooks;
const struct sluice_nf_hooks *const probe_hooks = &hooks;
#endif
