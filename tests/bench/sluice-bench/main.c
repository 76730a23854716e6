/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sluice-bench CPU MEMORY_MB DEVICE...: a load generator behind devices of DPDK's.
 *
 * It says "ready", then takes commands on its standard input, one a line, and answers each with a
 * line of JSON:
 *
 *	closed|open|once  device=N server=IP:PORT path=PATH size=BYTES connections=N
 *	                  [last=CHAR] [rate=PER_SECOND] [from=IP] [hosts=N] [warm_ms=MS] [ms=MS]
 *	                  [paths=N] [active=N]
 *	                  [origin=N origin_address=IP [segment=BYTES] [train=FRAMES]]
 *
 * With `origin` it is also the server behind the proxy that it asks, on that device.
 */
#include <stdio.h>
#include <stdlib.h>

#include <rte_eal.h>

#include "tests/bench/sluice-bench/command.h"
#include "tests/bench/sluice-bench/run.h"

#define BUFFERS      8191
#define BUFFER_BYTES 9216 /* an answer of 8 KB in one piece, when the device need not cut it */
#define DEVICES_MOST 4
#define LINE_BYTES   1024

static struct wire wire[DEVICES_MOST];
static struct origin origin[DEVICES_MOST];

/* The origin that a command names: connections to it stay from one to the next. */
static const char *origin_of(const struct command *command, struct origin **out)
{
	struct origin *o = &origin[command->origin_device];

	*out = NULL;
	if (!command->has_origin)
		return NULL;
	if (!o->wire && origin_start(o, &wire[command->origin_device], command->origin))
		return "no memory for an origin";
	*out = o;
	return NULL;
}

static void serve(unsigned devices)
{
	char line[LINE_BYTES];

	while (fgets(line, sizeof(line), stdin)) {
		struct command command;
		struct origin *behind;
		const char *error = command_read(&command, line);

		if (!error && (command.device >= devices || command.origin_device >= devices))
			error = "there is no such device";
		if (!error)
			error = origin_of(&command, &behind);
		if (!error)
			error = run_command(&command, &wire[command.device], behind);
		if (error)
			printf("{\"error\": \"%s\"}\n", error);
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	int devices = argc - 3;

	if (devices < 1 || devices > DEVICES_MOST) {
		fprintf(stderr, "usage: sluice-bench CPU MEMORY_MB DEVICE...   (1 to %u devices)\n",
			DEVICES_MOST);
		return 2;
	}
	if (wire_eal("sluice-bench", (unsigned)atoi(argv[1]), (unsigned)atoi(argv[2])))
		return 1;
	for (int i = 0; i < devices; i++)
		if (wire_open(&wire[i], argv[3 + i], BUFFERS, BUFFER_BYTES))
			return 1;
	puts("ready");
	fflush(stdout);
	serve((unsigned)devices);
	for (int i = 0; i < devices; i++) {
		origin_stop(&origin[i]);
		wire_close(&wire[i]);
	}
	rte_eal_cleanup();
	return 0;
}
