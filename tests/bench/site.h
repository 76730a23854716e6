/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker without devices: the engine with inline functions on one stack of a pair.
 *
 * The configuration is written as for sluiced; its ports, workers and limits of memory are not
 * looked at. One site in a thread.
 */
#ifndef TESTS_BENCH_SITE_H
#define TESTS_BENCH_SITE_H

#include <stdbool.h>

#include "tests/bench/pair.h"

struct engine;
struct site;

/* Puts what `conf_path` describes on the server's side. 0 or -1; says on stderr what is wrong.
 * `by_rings`: functions are not called in place, but asked by their rings, as processes are. */
int site_open(struct pair *pair, const char *conf_path, bool by_rings, struct site **out)
	__attribute__((warn_unused_result));
void site_close(struct site *site);

const struct engine *site_engine(const struct site *site);

#endif
