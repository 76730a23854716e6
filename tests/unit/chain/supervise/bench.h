/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A manager without DPDK for tests of functions as processes: regions, one or two workers
 * that the test plays itself, a supervisor, and a record of what its owner was told.
 *
 * The RX region is made as EAL's memory may look: its first half is a file of its own, its
 * second lies in the middle of a file that holds other memory, too.
 */
#ifndef TESTS_SUPERVISE_BENCH_H
#define TESTS_SUPERVISE_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "chain/supervise/supervise.h"
#include "mgmt/conf/conf.h"

#define BENCH_WORKERS  2
#define BENCH_RX_BYTES (4u << 20)
#define BENCH_SECRET   0x5ec2e7 /* stands in the file beside the RX region */

struct bench {
	struct region_table regions;
	struct region *rx[BENCH_WORKERS], *messages[BENCH_WORKERS], *upstreams;
	int wake[BENCH_WORKERS];
	struct supervisor *supervisor;
	struct instance_info last; /* of the last `up` */
	unsigned ups, downs, arenas, turns, retired, taken_back, changes;
	unsigned bound;         /* exchanges that each retired one has */
	char change_error[256]; /* of the last change; "" */
	uint64_t down_us;       /* when */
	char last_exit[128];
	char log[64][256];
	unsigned logs;
	struct {
		uint64_t token;
		unsigned index;
		int rc;
		char text[SLUICE_HOST_ANSWER_MAX + 1];
	} answer; /* the last one to a command */
	unsigned answers;
	bool shares;
	bool crowded; /* arenas lie in files that hold other memory, too */
	uint32_t exchange, piece;
};

struct bench *bench_create(void);
void bench_destroy(struct bench *b);

/* A function of that plugin (a file's path); `config` is JSON with places, or NULL. */
struct conf_function bench_function(const char *name, const char *plugin_path, const char *config);
/* Starts it and waits until it is up; -EINVAL with `errors`. */
int bench_start(struct bench *b, uint16_t id, const struct conf_function *f,
		struct conf_errors *errors);

/* Handles the supervisor's events until the counter reaches `least`, for at most `ms`. True if it
 * did. */
bool bench_until(struct bench *b, const unsigned *counter, unsigned least, unsigned ms);
void bench_run(struct bench *b, unsigned ms);
const struct instance_info *bench_info(struct bench *b, uint16_t id);
/* Those of `id` that are in this state. */
unsigned bench_count(struct bench *b, uint16_t id, enum instance_state state);
/* One at that place in that state; NULL. */
const struct instance_info *bench_at(struct bench *b, uint16_t id, unsigned index,
				     enum instance_state state);
bool bench_logged(const struct bench *b, const char *text);

/* Sends GET `path` (HTTP/1.1, one field: Host) to that link of the instance of `id`. */
void bench_send(struct bench *b, uint16_t id, unsigned worker, const char *path);
void bench_send_body(struct bench *b, uint16_t id, unsigned worker,
		     const struct sluice_slice *slice, bool end);
void bench_release(struct bench *b, uint16_t id, unsigned worker, uint32_t tag);
/* Waits for one answer (as a worker does, asleep): 1, 0 after `ms` without one, or -EPROTO. */
int bench_answer(struct bench *b, uint16_t id, unsigned worker, struct sluice_up *up, unsigned ms);
/* Sends, waits for the verdict, and returns the first edit's value as text; NULL: no answer. */
const char *bench_ask(struct bench *b, uint16_t id, const char *path);

uint64_t bench_us(void);

#endif
