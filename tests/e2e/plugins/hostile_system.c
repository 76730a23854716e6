/* SPDX-License-Identifier: BSD-3-Clause */
/* What it asks of the kernel. What is refused answers with the errno's name. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hostile.h"

/* Tells the client what came of it. */
static enum sluice_verdict tell(const struct prey *prey, bool succeeded)
{
	const char *word = succeeded ? "it could" : strerrorname_np(errno);
	struct sluice_str text = {word, (uint32_t)strlen(word)};

	if (sluice_respond(prey->x, 200, text.len) || sluice_respond_text(prey->x, text, true))
		return SLUICE_RESET;
	return SLUICE_RESPOND;
}

static void *page_of(const void *at)
{
	return (void *)((uintptr_t)at & ~(uintptr_t)(SLUICE_PAGE - 1));
}

static enum sluice_verdict unprotect(const struct prey *prey)
{
	void *page = page_of(sluice_path(prey->x).ptr);

	return tell(prey, mprotect(page, SLUICE_PAGE, PROT_READ | PROT_WRITE) == 0);
}

static enum sluice_verdict remap(const struct prey *prey)
{
	void *page = page_of(sluice_path(prey->x).ptr);

	return tell(prey, mremap(page, SLUICE_PAGE, 64 << 20, MREMAP_MAYMOVE) != MAP_FAILED);
}

static enum sluice_verdict try_open(const struct prey *prey, const char *path, int flags)
{
	return tell(prey, open(path, flags) >= 0);
}

/* Writing there asks nobody for the rights of a mapping. */
static enum sluice_verdict open_memory(const struct prey *prey)
{
	return try_open(prey, "/proc/self/mem", O_RDWR);
}

static enum sluice_verdict open_manager(const struct prey *prey)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)getppid());
	return try_open(prey, path, O_RDONLY);
}

/* The mapping, by its own file, with more rights. */
static enum sluice_verdict reopen_mapping(const struct prey *prey)
{
	uintptr_t page = (uintptr_t)page_of(sluice_path(prey->x).ptr);
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", page, page + SLUICE_PAGE);
	return try_open(prey, path, O_RDWR);
}

static enum sluice_verdict open_file(const struct prey *prey)
{
	return try_open(prey, "/etc/hostname", O_RDONLY);
}

static enum sluice_verdict make_file(const struct prey *prey)
{
	return tell(prey, open("/tmp/hostile-was-here", O_WRONLY | O_CREAT, 0600) >= 0);
}

/* --- what ends it at once ------------------------------------------------------------ */

static enum sluice_verdict make_process(const struct prey *prey)
{
	return tell(prey, fork() >= 0);
}

static enum sluice_verdict run_program(const struct prey *prey)
{
	char name[] = "sh", *arguments[] = {name, NULL};

	return tell(prey, execv("/bin/sh", arguments) == 0);
}

static enum sluice_verdict make_socket(const struct prey *prey)
{
	return tell(prey, socket(AF_INET, SOCK_STREAM, 0) >= 0);
}

static enum sluice_verdict signal_manager(const struct prey *prey)
{
	return tell(prey, syscall(SYS_kill, getppid(), 9) == 0);
}

static enum sluice_verdict trace_manager(const struct prey *prey)
{
	return tell(prey, ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0);
}

static enum sluice_verdict give_up(const struct prey *prey)
{
	(void)prey;
	abort();
}

static enum sluice_verdict spin(const struct prey *prey)
{
	volatile uint64_t turns = 0;

	(void)prey;
	for (;;)
		turns++;
	return SLUICE_PASS;
}

const struct attack system_attacks[] = {
	{"unprotect", ON_REQUEST_HEAD, unprotect},
	{"remap", ON_REQUEST_HEAD, remap},
	{"open-memory", ON_REQUEST_HEAD, open_memory},
	{"open-manager", ON_REQUEST_HEAD, open_manager},
	{"reopen-mapping", ON_REQUEST_HEAD, reopen_mapping},
	{"open-file", ON_REQUEST_HEAD, open_file},
	{"make-file", ON_REQUEST_HEAD, make_file},
	{"fork", ON_REQUEST_HEAD, make_process},
	{"exec", ON_REQUEST_HEAD, run_program},
	{"socket", ON_REQUEST_HEAD, make_socket},
	{"signal-manager", ON_REQUEST_HEAD, signal_manager},
	{"trace-manager", ON_REQUEST_HEAD, trace_manager},
	{"abort", ON_REQUEST_HEAD, give_up},
	{"spin", ON_REQUEST_HEAD, spin},
	{0},
};
