/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of plugins have in common: start one, or see why it does not start. */
#ifndef TESTS_UNIT_NF_COMMON_PLUGIN_H
#define TESTS_UNIT_NF_COMMON_PLUGIN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <sluice/nf.h>

#include "nf/sdk/harness.h"

/* The entry of the plugin that is linked into the test. */
const struct sluice_nf_hooks *sluice_function_entry(void);

static inline struct harness *plugin_new(void)
{
	return harness_create(sluice_function_entry());
}

/* Starts the plugin in `h`; a config that is wrong fails the test with its first error. */
static inline struct harness *plugin_start_in(struct harness *h, const char *config)
{
	if (harness_start(h, config))
		fail_msg("%s", harness_error(h, 0));
	return h;
}

static inline struct harness *plugin_start(const char *config)
{
	return plugin_start_in(plugin_new(), config);
}

/* The config is refused with these errors, one in each line of `errors`, and no others. */
static inline void plugin_refuses(const char *config, const char *errors)
{
	struct harness *h = plugin_new();
	char all[4096] = "";

	assert_int_not_equal(harness_start(h, config), 0);
	for (unsigned i = 0; harness_error(h, i); ++i)
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i > 0 ? "\n" : "",
			 harness_error(h, i));
	assert_string_equal(all, errors);
	harness_destroy(h);
}

static inline void assert_body(const struct harness_exchange *x, const char *text)
{
	size_t len;
	const uint8_t *body = harness_body(x, &len);

	assert_int_equal(len, strlen(text));
	assert_memory_equal(body, text, len);
	assert_true(harness_body_ended(x));
}

static inline void assert_field(const struct harness_exchange *x, const char *name,
				const char *value)
{
	const char *found = harness_field(x, name);

	if (!found)
		fail_msg("no field %s", name);
	assert_string_equal(found, value);
}

static inline void assert_no_field(const struct harness_exchange *x, const char *name)
{
	if (harness_field(x, name))
		fail_msg("%s: %s", name, harness_field(x, name));
}

#endif
