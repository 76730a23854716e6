/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench_http [COUNT]: COUNT heads (1,000,000) of each kind parsed, with every set of scanning loops
 * that this CPU has, and with none; in nanoseconds for a head and gigabytes in a second. Fails when
 * a head is not read as it should be.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chain/http/framing.h"
#include "chain/http/head.h"
#include "chain/http/scan.h"
#include "tests/bench/pair.h"

#define COUNT_DEFAULT 1000000u
#define SLOT_BYTES    8192
#define FIELDS        64

struct kind {
	const char *name;
	const char *text;
	uint16_t fields;
};

#define SHORT                                                                             \
	"GET /index.html HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: curl/8.5.0\r\n" \
	"Accept: */*\r\n\r\n"
#define BROWSER                                                                                  \
	"GET /shop/products/4711?category=shoes&sort=price&page=3 HTTP/1.1\r\n"                  \
	"Host: www.example.com\r\n"                                                              \
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n" \
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"   \
	"*/*;q=0.8\r\n"                                                                          \
	"Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"        \
	"Referer: https://www.example.com/shop/products?category=shoes&sort=price&page=2\r\n"    \
	"Connection: keep-alive\r\nUpgrade-Insecure-Requests: 1\r\nSec-Fetch-Dest: document\r\n" \
	"Sec-Fetch-Mode: navigate\r\nSec-Fetch-Site: same-origin\r\nPriority: u=0, i\r\n\r\n"
#define LETTERS_64 "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ+/"
#define LETTERS_512 \
	LETTERS_64 LETTERS_64 LETTERS_64 LETTERS_64 LETTERS_64 LETTERS_64 LETTERS_64 LETTERS_64
#define COOKIES                                                                               \
	"GET / HTTP/1.1\r\nHost: www.example.com\r\nCookie: session=" LETTERS_512 LETTERS_512 \
	"; prefs=" LETTERS_512 "\r\nAuthorization: Bearer " LETTERS_512 "\r\n\r\n"

static const struct kind kinds[] = {
	{"curl", SHORT, 3},
	{"browser", BROWSER, 12},
	{"cookies", COOKIES, 3},
};

static _Alignas(8) uint8_t slot[SLOT_BYTES];

static const uint8_t *memory_at(void *ctx, uint64_t ref)
{
	return (const uint8_t *)ctx + ref;
}

static bool parse(const struct kind *kind, uint32_t len)
{
	const struct http_limits limits = HTTP_LIMITS_DEFAULT;
	const struct http_run run = {(const uint8_t *)kind->text, len, 0};
	const struct http_memory memory = {memory_at, (void *)(uintptr_t)kind->text};
	struct sluice_head *head = (struct sluice_head *)slot;
	struct http_head_parser parser;
	struct http_framing framing;
	uint64_t taken;

	if (http_head_init(head, UINT64_C(1) << 40, sizeof(slot), FIELDS))
		return false;
	http_head_reset(&parser, false, 0);
	return http_head_feed(&parser, &limits, &run, 1, head, &taken) == HTTP_HEAD_DONE &&
	       taken == len && head->fields == kind->fields &&
	       http_framing_request(head, &memory, &framing) == HTTP_OK;
}

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static bool run(const struct kind *kind, uint32_t count)
{
	uint32_t len = (uint32_t)strlen(kind->text);
	double begin = now_ns(), ns;
	char name[64];

	for (uint32_t i = 0; i < count; i++)
		if (!parse(kind, len))
			return false;
	ns = (now_ns() - begin) / count;
	snprintf(name, sizeof(name), "%s: %s, %u bytes", http_scan->name, kind->name, len);
	pair_row(name, ns, 1, "ns a head");
	pair_row("", len / ns, 2, "GB/s");
	return true;
}

int main(int argc, char **argv)
{
	uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : COUNT_DEFAULT;

	for (uint32_t set = 0; http_scan_set(set); set++) {
		http_scan = http_scan_set(set);
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
			if (run(&kinds[i], count))
				continue;
			fprintf(stderr, "bench_http: %s was not read\n", kinds[i].name);
			return 1;
		}
	}
	return 0;
}
