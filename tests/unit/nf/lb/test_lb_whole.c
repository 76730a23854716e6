/* SPDX-License-Identifier: BSD-3-Clause */
/* The function as a whole, and the reading of its keys. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nf/common/cookie.h"
#include "nf/lb/key.h"
#include "nf/lb/lb.h"
#include "nf/sdk/harness.h"

static struct harness *start(const char *config)
{
	struct harness *h = harness_create(&lb_hooks);

	harness_group_add(h, "other", SLUICE_BALANCE_ROUND_ROBIN, 1);
	harness_group_add(h, "web", SLUICE_BALANCE_ROUND_ROBIN, 3);
	assert_int_equal(harness_start(h, config), 0);
	return h;
}

/* The server picked for a GET; SLUICE_NONE16: none. */
static unsigned pick(struct harness *h, const char *target, const struct harness_field *fields)
{
	struct harness_exchange *x = harness_request(h, "GET", target, fields);
	unsigned server = harness_server(x);

	assert_int_equal(harness_verdict(x), SLUICE_LEAVE);
	harness_done(x, false);
	return server;
}

static void follows_the_route_of_others(void **state)
{
	struct harness *h = start("");

	(void)state;
	harness_routed(h, 1, SLUICE_NONE16);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(pick(h, "/", HARNESS_FIELDS({"Host", "a"})), i % 3);
	assert_int_equal(harness_counter(h, "picked_round_robin"), 6);
	assert_int_equal(harness_counter(h, "refreshes"), 1);
	harness_destroy(h);
}

static void own_upstream_when_nobody_routed(void **state)
{
	struct harness *h = start("upstream = \"web\";");
	struct harness_exchange *x = harness_request(h, "GET", "/", HARNESS_FIELDS({"Host", "a"}));

	(void)state;
	assert_int_equal(harness_group(x), 1);
	assert_int_equal(harness_server(x), 0);
	harness_routed(h, 0, SLUICE_NONE16);
	x = harness_request(h, "GET", "/", HARNESS_FIELDS({"Host", "a"}));
	assert_int_equal(harness_group(x), SLUICE_NONE16);
	assert_int_equal(harness_server(x), 0);
	harness_destroy(h);
}

static void no_group_no_pick(void **state)
{
	struct harness *h = start("");

	(void)state;
	assert_int_equal(pick(h, "/", HARNESS_FIELDS({"Host", "a"})), SLUICE_NONE16);
	assert_int_equal(harness_counter(h, "no_group"), 1);
	harness_destroy(h);
}

static void all_down_no_pick(void **state)
{
	struct harness *h = start("");

	(void)state;
	harness_routed(h, 1, SLUICE_NONE16);
	for (unsigned i = 0; i < 3; i++)
		harness_server_of(h, 1, i)->state = SLUICE_SERVER_DOWN;
	harness_upstreams_changed(h);
	assert_int_equal(pick(h, "/", HARNESS_FIELDS({"Host", "a"})), SLUICE_NONE16);
	assert_int_equal(harness_counter(h, "no_server"), 1);
	harness_server_of(h, 1, 2)->state = SLUICE_SERVER_UP;
	harness_upstreams_changed(h);
	assert_int_equal(pick(h, "/", HARNESS_FIELDS({"Host", "a"})), 2);
	harness_destroy(h);
}

static void balance_can_be_forced(void **state)
{
	static const struct {
		const char *config, *counter;
	} rows[] = {
		{"balance = \"least\";", "picked_least"},
		{"balance = \"p2c\";", "picked_p2c"},
		{"balance = \"hash\";", "picked_hash"},
		{"balance = \"round_robin\";", "picked_round_robin"},
		{"balance = \"maglev\"; load_percent = 150;", "picked_maglev"},
		{"balance = \"ewma\";", "picked_ewma"},
		{"balance = \"source\";", "picked_source"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct harness *h = start(rows[i].config);

		harness_routed(h, 1, SLUICE_NONE16);
		assert_in_range(pick(h, "/", HARNESS_FIELDS({"Host", "a"})), 0, 2);
		assert_int_equal(harness_counter(h, rows[i].counter), 1);
		harness_destroy(h);
	}
}

/* How many servers 40 values of that part of the request reach. */
static unsigned spread(const char *config, const char *target, const char *name, const char *value)
{
	struct harness *h = start(config);
	bool seen[3] = {false};
	char t[64], v[64];

	harness_routed(h, 1, SLUICE_NONE16);
	for (unsigned i = 0; i < 40; i++) {
		unsigned first, again;

		snprintf(t, sizeof(t), target, i);
		snprintf(v, sizeof(v), value, i);
		first = pick(h, t, HARNESS_FIELDS({"Host", "a"}, {name, v}));
		again = pick(h, t, HARNESS_FIELDS({"Host", "a"}, {name, v}));
		assert_int_equal(first, again);
		seen[first] = true;
	}
	harness_destroy(h);
	return seen[0] + seen[1] + seen[2];
}

static void hash_goes_by_its_key(void **state)
{
	(void)state;
	assert_int_equal(spread("balance = \"hash\"; hash_key = \"path\";", "/%u", "X", "a"), 3);
	assert_int_equal(spread("balance = \"hash\"; hash_key = \"path\";", "/a?%u", "X", "%u"), 1);
	assert_int_equal(
		spread("balance = \"hash\"; hash_key = \"header:x-user\";", "/%u", "X-User", "%u"),
		3);
	assert_int_equal(
		spread("balance = \"hash\"; hash_key = \"header:x-user\";", "/%u", "X-Else", "%u"),
		1);
	assert_int_equal(
		spread("balance = \"hash\"; hash_key = \"cookie:s\";", "/", "Cookie", "a=1; s=%u"),
		3);
	assert_int_equal(
		spread("balance = \"hash\"; hash_key = \"cookie:s\";", "/", "Cookie", "ss=%u"), 1);
	assert_int_equal(spread("balance = \"hash\"; hash_key = \"host\";", "/%u", "X", "%u"), 1);
	assert_int_equal(spread("balance = \"hash\";", "/%u", "X", "%u"), 1);
}

static void hash_by_client(void **state)
{
	struct harness *h = start("balance = \"hash\";");
	bool seen[3] = {false};
	char address[32];

	(void)state;
	harness_routed(h, 1, SLUICE_NONE16);
	for (unsigned i = 0; i < 40; i++) {
		snprintf(address, sizeof(address), "192.0.2.%u", i);
		harness_client(h, address, (uint16_t)(1000 + i));
		seen[pick(h, "/", HARNESS_FIELDS({"Host", "a"}))] = true;
	}
	assert_true(seen[0] && seen[1] && seen[2]);
	harness_destroy(h);
}

static void config_errors_have_lines(void **state)
{
	static const struct {
		const char *config, *error;
	} rows[] = {
		{"upstream = \"nowhere\";", "nowhere"},
		{"balance = \"fair\";", "fair"},
		{"hash_key = \"shoe\";", "shoe"},
		{"hash_key = \"header:\";", "header:"},
		{"hash_key = \"cookie:a b\";", "cookie:a b"},
		{"seed = -1;", "seed"},
		{"bogus = 1;", "bogus"},
		{"balance = 4;", "balance"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct harness *h = harness_create(&lb_hooks);

		assert_int_equal(harness_start(h, rows[i].config), -EINVAL);
		assert_non_null(strstr(harness_error(h, 0), rows[i].error));
		assert_non_null(strstr(harness_error(h, 0), "test.conf:"));
		harness_destroy(h);
	}
}

static void cookies_are_found_whole(void **state)
{
	static const struct {
		const char *field, *name, *value;
	} rows[] = {
		{"s=1", "s", "1"},    {"a=2; s=1", "s", "1"}, {"a=2;s=1;b=3", "s", "1"},
		{"s=", "s", ""},      {"s=x=y", "s", "x=y"},  {"ss=1", "s", NULL},
		{"as=1", "s", NULL},  {"s", "s", NULL},       {"", "s", NULL},
		{"; ;=;", "s", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sluice_str value;
		int rc = cookie_in(sluice_str(rows[i].field), sluice_str(rows[i].name), &value);

		assert_int_equal(rc, rows[i].value ? 0 : -ENOENT);
		if (rc)
			continue;
		assert_int_equal(value.len, strlen(rows[i].value));
		assert_memory_equal(value.ptr, rows[i].value, value.len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_the_route_of_others),
		cmocka_unit_test(own_upstream_when_nobody_routed),
		cmocka_unit_test(no_group_no_pick),
		cmocka_unit_test(all_down_no_pick),
		cmocka_unit_test(balance_can_be_forced),
		cmocka_unit_test(hash_goes_by_its_key),
		cmocka_unit_test(hash_by_client),
		cmocka_unit_test(config_errors_have_lines),
		cmocka_unit_test(cookies_are_found_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
