/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sim [--seed N] [--count K] [--ip6] [--fast] [--slow] [--course NAME] [--trace]: runs the
 * scenarios of seeds N to N+K-1, or a course with them. One that fails prints the command that runs
 * it again; --trace shows its segments.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/course.h"
#include "tests/sim/sim.h"
#include "tests/unit/support/eal.h"

static void print_stats(const struct sim_stats *s)
{
	printf("%" PRIu64 " scenarios, %" PRIu64 " connections, %" PRIu64 " segments (%" PRIu64
	       " lost), %" PRIu64 " MB, %" PRIu64 " s of virtual time\n",
	       s->scenarios, s->connections, s->segments, s->lost, s->payload_bytes / 1000000,
	       s->virtual_us / 1000000);
	printf("%" PRIu64 " fast retransmits, %" PRIu64 " timeouts, %" PRIu64
	       " of them in vain, %" PRIu64 " marks; payload copied %" PRIu64
	       " KB, referenced %" PRIu64 " KB\n",
	       s->fast_retransmits, s->rtos, s->spurious, s->marks, s->copied / 1000,
	       s->referenced / 1000);
	printf("%" PRIu64 " packets cut on their way, %" PRIu64 " put together again; %" PRIu64
	       " path MTUs lowered; %" PRIu64 " connections opened fast; %" PRIu64
	       " times a port was waited for\n",
	       s->cut, s->reassembled, s->mtu_lowered, s->fast_opens, s->waits);
}

struct arguments {
	uint64_t seed, count;
	const struct sim_course *course;
	bool ip6, fast, slow, trace;
};

static bool read_arguments(int argc, char **argv, struct arguments *out)
{
	static const struct option options[] = {
		{"seed", required_argument, NULL, 's'},   {"count", required_argument, NULL, 'c'},
		{"course", required_argument, NULL, 'o'}, {"ip6", no_argument, NULL, '6'},
		{"fast", no_argument, NULL, 'f'},         {"slow", no_argument, NULL, 'w'},
		{"trace", no_argument, NULL, 't'},        {0},
	};
	int c;

	*out = (struct arguments){.seed = 1, .count = 1};
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's')
			out->seed = strtoull(optarg, NULL, 10);
		else if (c == 'c')
			out->count = strtoull(optarg, NULL, 10);
		else if (c == 'o' && (out->course = sim_course_find(optarg)))
			continue;
		else if (c == '6')
			out->ip6 = true;
		else if (c == 'f')
			out->fast = true;
		else if (c == 'w')
			out->slow = true;
		else if (c == 't')
			out->trace = true;
		else
			return false;
	}
	return optind == argc;
}

int main(int argc, char **argv)
{
	struct sim_stats stats = {0};
	struct sim_pools pools;
	struct arguments args;
	unsigned failed = 0;

	if (!read_arguments(argc, argv, &args)) {
		fprintf(stderr,
			"usage: %s [--seed N] [--count K] [--ip6] [--fast] [--slow] "
			"[--course NAME] [--trace]\n",
			argv[0]);
		return 2;
	}
	if (eal_start() || sim_pools_make(&pools)) {
		fprintf(stderr, "no memory for the pools\n");
		return 2;
	}
	for (uint64_t i = 0; i < args.count && failed < 10; i++) {
		struct sim_what what = {args.seed + i, args.course, args.ip6,
					args.fast,     args.slow,   args.trace};
		char error[512];

		if (sim_run(&pools, &what, &stats, error, sizeof(error)))
			continue;
		failed++;
		printf("FAILED: %s\n  again with: %s --seed %" PRIu64 "%s%s%s%s%s\n", error,
		       argv[0], what.seed, what.ip6 ? " --ip6" : "", what.fast ? " --fast" : "",
		       what.slow ? " --slow" : "", what.course ? " --course " : "",
		       what.course ? sim_course_name(what.course) : "");
	}
	print_stats(&stats);
	if (args.fast && !failed && !stats.fast_opens) {
		printf("FAILED: nothing was opened fast\n");
		failed++;
	}
	if (args.slow && !failed && !stats.waits) {
		printf("FAILED: no port was waited for\n");
		failed++;
	}
	return failed ? 1 : 0;
}
