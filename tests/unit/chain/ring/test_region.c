/* SPDX-License-Identifier: BSD-3-Clause */
/* Regions: numbers, and what the holder of a descriptor cannot do with it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "chain/ring/link.h"
#include "chain/ring/region.h"

static struct region_table table;

static int reopen(int fd, int flags)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags | O_CLOEXEC);
}

/* No way leads from this descriptor to a writable page, and none to fewer pages. */
static void assert_read_only(int fd, uint64_t bytes)
{
	uint8_t *map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);

	assert_ptr_not_equal(map, MAP_FAILED);
	assert_int_equal(mprotect(map, bytes, PROT_READ | PROT_WRITE), -1);
	assert_int_equal(munmap(map, bytes), 0);
	assert_ptr_equal(mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), -1);
}

static void sealed_for_readers(void **state)
{
	struct region *r;
	int again;

	(void)state;
	assert_int_equal(region_create_sealed(&table, REGION_MESSAGES, "messages", 10000, &r), 0);
	assert_int_equal(r->bytes, 12288);
	assert_int_equal(r->sources_count, 1);
	assert_int_equal(r->sources[0].bytes, 12288);
	assert_string_equal(r->name, "messages");
	r->base[12287] = 1; /* its maker still writes */
	assert_read_only(r->sources[0].fd, r->bytes);
	again = reopen(r->sources[0].fd, O_RDWR); /* root may; it gains nothing */
	if (again >= 0)
		assert_read_only(again, r->bytes);
	close(again);
	again = reopen(r->sources[0].fd, O_RDONLY);
	assert_read_only(again, r->bytes);
	assert_int_equal(fcntl(r->sources[0].fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	close(again);
	region_remove(&table, r);
}

static void link_memory_is_sealed(void **state)
{
	struct link_sizes sizes = {64, 64, 32768};
	struct link *link;
	uint8_t *up;

	(void)state;
	assert_int_equal(link_create(&sizes, -1, &link), 0);
	assert_read_only(link_down_fd(link), link_down_bytes(link));
	up = mmap(NULL, link_up_bytes(link), PROT_READ | PROT_WRITE, MAP_SHARED, link_up_fd(link),
		  0);
	assert_ptr_not_equal(up, MAP_FAILED);
	up[0] = 1;
	assert_int_equal(ftruncate(link_up_fd(link), 0), -1);
	assert_int_equal(ftruncate(link_up_fd(link), 1 << 20), -1);
	munmap(up, link_up_bytes(link));
	link_destroy(link);
}

/* The manager's own mapping of the up region: a store ends in SIGSEGV. */
static void child_stores(const uint8_t *at)
{
	*(volatile uint8_t *)(uintptr_t)at = 1;
	_exit(0);
}

static void reader_cannot_store(void **state)
{
	struct region *r;
	const uint8_t *map;
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(region_create_sealed(&table, REGION_MESSAGES, "messages", 4096, &r), 0);
	map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, r->sources[0].fd, 0);
	pid = fork();
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		child_stores(map);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	munmap((void *)(uintptr_t)map, 4096);
	region_remove(&table, r);
}

static void numbers_go_round(void **state)
{
	static struct region *all[REGIONS_MAX];
	struct region *r;
	uint16_t first;
	unsigned n = 0;

	(void)state;
	assert_int_equal(region_enter(&table, REGION_RX, "a", table.region, 64, NULL, 0, &r), 0);
	first = r->id;
	region_remove(&table, r);
	assert_null(table.region[first]);
	assert_int_equal(region_enter(&table, REGION_RX, "b", table.region, 64, NULL, 0, &r), 0);
	assert_int_not_equal(r->id, first);
	region_remove(&table, r);
	while (region_enter(&table, REGION_RX, "c", table.region, 64, NULL, 0, &all[n]) == 0) {
		assert_int_not_equal(all[n]->id, 0);
		n++;
	}
	assert_int_equal(n, REGIONS_MAX - 1);
	assert_int_equal(region_enter(&table, REGION_RX, "c", table.region, 64, NULL, 0, &r),
			 -ENOSPC);
	while (n)
		region_remove(&table, all[--n]);
}

static void slices_are_bounded(void **state)
{
	static uint8_t memory[100];
	struct region *r;

	(void)state;
	assert_int_equal(region_enter(&table, REGION_ARENA, "a", memory, 100, NULL, 0, &r), 0);
	assert_ptr_equal(region_resolve(&table, sluice_ref(r->id, 0), 100), memory);
	assert_ptr_equal(region_resolve(&table, sluice_ref(r->id, 100), 0), memory + 100);
	assert_null(region_resolve(&table, sluice_ref(r->id, 1), 100));
	assert_null(region_resolve(&table, sluice_ref(r->id, 101), 0));
	assert_null(region_resolve(&table, sluice_ref(r->id, (UINT64_C(1) << 48) - 1), UINT32_MAX));
	assert_null(region_resolve(&table, sluice_ref(0, 0), 1));
	assert_null(region_resolve(&table, sluice_ref(REGIONS_MAX, 0), 0));
	assert_null(region_resolve(&table, SLUICE_REF_NONE, 0));
	assert_true(region_holds(r, memory + 99));
	assert_false(region_holds(r, memory + 100));
	region_remove(&table, r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sealed_for_readers),  cmocka_unit_test(link_memory_is_sealed),
		cmocka_unit_test(reader_cannot_store), cmocka_unit_test(numbers_go_round),
		cmocka_unit_test(slices_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
