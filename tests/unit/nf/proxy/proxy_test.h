/* SPDX-License-Identifier: BSD-3-Clause */
/* The proxy with two upstream groups, "web" and "api". */
#ifndef TESTS_UNIT_NF_PROXY_PROXY_TEST_H
#define TESTS_UNIT_NF_PROXY_PROXY_TEST_H

#include "tests/unit/nf/common/plugin.h"

#define WEB 0
#define API 1

static inline struct harness *proxy_new(void)
{
	struct harness *h = plugin_new();

	assert_int_equal(harness_group_add(h, "web", SLUICE_BALANCE_P2C, 2), WEB);
	assert_int_equal(harness_group_add(h, "api", SLUICE_BALANCE_P2C, 1), API);
	return h;
}

static inline struct harness *proxy_start(const char *config)
{
	return plugin_start_in(proxy_new(), config);
}

#endif
