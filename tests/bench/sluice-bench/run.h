/* SPDX-License-Identifier: BSD-3-Clause */
/* One measurement: connections opened, warmed up, measured, closed; and its line of JSON. */
#ifndef TESTS_BENCH_SLUICE_BENCH_RUN_H
#define TESTS_BENCH_SLUICE_BENCH_RUN_H

#include "tests/bench/sluice-bench/command.h"

/* Prints the result. NULL, or what went wrong, and then nothing is printed. */
const char *run_command(const struct command *command, struct wire *wire);

#endif
