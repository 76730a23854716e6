/* SPDX-License-Identifier: BSD-3-Clause */
/* What tests with tables need: cmocka with its headers, and the number of rows. */
#ifndef TESTS_NF_CACHE_TABLE_H
#define TESTS_NF_CACHE_TABLE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

#endif
