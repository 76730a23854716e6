/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A folder of its own for a test of the configuration: the working directory, with
 * plugins/{filter,cache,proxy,lb,static,noop}.so as empty files. Gone afterwards.
 */
#ifndef TESTS_UNIT_MGMT_CONF_FIXTURE_H
#define TESTS_UNIT_MGMT_CONF_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mgmt/conf/conf.h"

int fixture_setup(void **state);
int fixture_teardown(void **state);

void fixture_write(const char *name, const char *text);

/* Loads a file that has no errors; prints them if it has. */
struct conf *fixture_load(const char *name);

/* The errors of a file that has some, joined by newlines. Free it. */
char *fixture_errors(const char *name);

#endif
