/* SPDX-License-Identifier: BSD-3-Clause */
/* A log that writes to "out". */
#ifndef TESTS_UNIT_NF_LOG_LOG_TEST_H
#define TESTS_UNIT_NF_LOG_LOG_TEST_H

#include "tests/unit/nf/common/plugin.h"

#define FLUSH_US 300000

static inline struct harness *log_start(const char *config)
{
	struct harness *h = plugin_new();

	harness_allow_write(h, "out");
	return plugin_start_in(h, config);
}

#endif
