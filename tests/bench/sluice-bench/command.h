/* SPDX-License-Identifier: BSD-3-Clause */
/* A line of text as a measurement to be made. */
#ifndef TESTS_BENCH_SLUICE_BENCH_COMMAND_H
#define TESTS_BENCH_SLUICE_BENCH_COMMAND_H

#include "tests/bench/sluice-bench/client.h"

struct command {
	unsigned device;
	unsigned warm_ms, ms;
	bool has_origin; /* something of ours is behind the server as well: */
	unsigned origin_device, segment, train;
	uint32_t origin; /* its address, in network order */
	struct client_conf client;
};

/* NULL, or what is wrong with it. Changes `line`. */
const char *command_read(struct command *command, char *line);

#endif
