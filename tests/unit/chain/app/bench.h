/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bench of applications: two stacks joined by a wire in memory, in virtual time. On the near
 * one an application has an account, and the test plays it word by word through the real rings; on
 * the far one stand its clients.
 *
 *    bench_open(NULL);
 *    say_listen(0, 7000);
 *    c = client_open(7000);
 *    down = hear(SLUICE_APP_ACCEPTED);
 *    ...
 *    bench_close();              everything must be where it was before
 */
#ifndef TESTS_UNIT_CHAIN_APP_BENCH_H
#define TESTS_UNIT_CHAIN_APP_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "chain/app/app.h"
#include "chain/ring/link.h"
#include "chain/ring/region.h"
#include "l4stack/stack.h"
#include "l4stack/tcp/tcp.h"
#include "tests/unit/chain/ring/nf_side.h"

#define BENCH_ARENA_BYTES (1u << 20)

struct client {
	struct tcp_conn *conn; /* NULL: closed */
	bool opened, closed, ended, deaf;
	enum tcp_close_reason reason;
	uint64_t heard; /* bytes */
	uint64_t sum;   /* of them */
	uint64_t said, to_say;
	struct client *next;
};

struct options {
	uint32_t conns, blocks, leases, hang_ms; /* 0: as usual */
};

struct bench {
	uint64_t now_us;
	struct stack *near, *far;
	struct apps *apps;
	struct app *app;
	struct app_terms terms;
	struct region_table regions;
	struct region *arena, *rx;
	uint8_t *own; /* the arena, as the application writes it */
	struct link *link;
	struct nf_side side;
	uint32_t consumed, produced;
	int bell, alarm;
	struct client *clients;
};
extern struct bench bench;

int bench_start(void **state); /* group setup */
void bench_open(const struct options *options);
/* The application has ended by now, or ends here; no buffer may be missing. */
void bench_close(void);
void bench_step(void);
void bench_run_ms(unsigned ms);
/* The account ends, and with it the rings; what was closed is still sent. */
void app_end(void);
/* Another one comes. */
void app_begin(void);

struct client *client_open(uint16_t port); /* open, or refused */
void client_say(struct client *client, uint64_t bytes);
void client_reset(struct client *client);

/* What the application says, and hears. */
void say(struct sluice_app_up up);
void say_listen(uint32_t number, uint16_t port);
bool hears(struct sluice_app_down *out);                     /* the next that waits; false: none */
struct sluice_app_down hear(enum sluice_app_down_kind kind); /* it must come, as the next */
void say_send(uint32_t conn, uint32_t generation, uint64_t offset, uint32_t len, uint32_t tag);
void say_close(uint32_t conn, uint32_t generation, uint8_t flags);
void say_free(const struct sluice_app_down *data); /* all of its slices */

uint8_t pattern(uint64_t at); /* what clients say */

#define until(condition)                                \
	do {                                            \
		unsigned steps_ = 0;                    \
		while (!(condition)) {                  \
			assert_true(steps_++ < 100000); \
			bench_step();                   \
		}                                       \
	} while (0)

#define counted(name) (apps_counters(bench.apps)->name)

#endif
