/* SPDX-License-Identifier: BSD-3-Clause */
/* One measurement: connections opened, warmed up, measured, closed; and its line of JSON. */
#ifndef TESTS_BENCH_SLUICE_BENCH_RUN_H
#define TESTS_BENCH_SLUICE_BENCH_RUN_H

#include "tests/bench/sluice-bench/command.h"
#include "tests/bench/sluice-bench/origin.h"

/* Prints the result. `origin` takes its turns with the client; NULL: there is none. NULL, or what
 * went wrong, and then nothing is printed. */
const char *run_command(const struct command *command, struct wire *wire, struct origin *origin);

#endif
