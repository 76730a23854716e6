/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers, states and choices. Connections and checks are tested with the engine's bench. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/ring/region.h"
#include "chain/upstream/choose.h"
#include "mgmt/conf/conf.h"

static struct region region;
static struct upstreams *up;
static struct conf conf;
static struct conf_upstream groups[SLUICE_GROUPS_MAX + 1];
static char names[SLUICE_GROUPS_MAX + 1][16];

static int open_upstreams(void **state)
{
	(void)state;
	region.bytes = sizeof(struct sluice_upstreams);
	region.base = calloc(1, region.bytes);
	memset(&conf, 0, sizeof(conf));
	conf.upstreams = groups;
	return region.base ? upstreams_create(&region, &up) : -1;
}

static int close_upstreams(void **state)
{
	(void)state;
	upstreams_destroy(up);
	for (unsigned i = 0; i <= SLUICE_GROUPS_MAX; i++)
		free(groups[i].servers);
	memset(groups, 0, sizeof(groups));
	free(region.base);
	return 0;
}

static const struct sluice_upstreams *view(void)
{
	return upstreams_view(up);
}

/* A group of servers 10.0.0.N, N as in the list. */
static struct conf_upstream *group(unsigned at, const char *name, const char *list)
{
	struct conf_upstream *g = &groups[at];

	free(g->servers);
	*g = (struct conf_upstream){.name = name,
				    .servers = calloc(strlen(list) + 1, sizeof(*g->servers))};
	for (; *list; list++) {
		struct conf_server *s = &g->servers[g->servers_count++];

		s->endpoint.addr = addr_from_ip4((uint32_t)(*list - '0') << 24 | 10);
		s->endpoint.port = 80;
		s->weight = 1;
	}
	if (conf.upstreams_count <= at)
		conf.upstreams_count = at + 1;
	return g;
}

static char digit_of(uint32_t server)
{
	return (char)('0' + view()->server[server].addr.bytes[3]);
}

/* The group's servers that are up, by their digits. */
static const char *members(uint16_t g)
{
	static char text[64];
	unsigned n = 0;
	uint32_t server;

	for (uint16_t i = 0; (server = upstreams_server(up, g, i)) != UPSTREAM_NONE; i++)
		if (upstreams_state(up, server) == SLUICE_SERVER_UP)
			text[n++] = digit_of(server);
	text[n] = 0;
	return text;
}

static void test_numbers(void **state)
{
	uint32_t first, changes;

	(void)state;
	group(0, "web", "123");
	group(1, "api", "45");
	assert_int_equal(upstreams_apply(up, &conf, 1), 0);
	assert_int_equal(view()->groups, 2);
	assert_string_equal(view()->group[0].name, "web");
	assert_string_equal(members(0), "123");
	assert_string_equal(members(1), "45");
	assert_int_equal(upstreams_server(up, 0, 3), UPSTREAM_NONE);
	assert_int_equal(upstreams_server(up, 2, 0), UPSTREAM_NONE);
	assert_null(upstreams_group(up, 2));
	first = upstreams_server(up, 1, 0);
	assert_int_equal(upstreams_group_of(up, first), 1);
	changes = view()->changes;
	assert_int_equal(upstreams_apply(up, &conf, 2), 0);
	assert_int_equal(view()->groups, 2);
	assert_int_equal(upstreams_server(up, 1, 0), first);
	assert_int_equal(view()->changes, changes + 1);
}

static void test_servers_come_and_go(void **state)
{
	uint32_t two, three;

	(void)state;
	group(0, "web", "123");
	assert_int_equal(upstreams_apply(up, &conf, 1), 0);
	two = upstreams_server(up, 0, 1);
	three = upstreams_server(up, 0, 2);
	upstreams_begin(up, two);
	upstreams_success(up, two, 800, 1);
	group(0, "web", "24");
	assert_int_equal(upstreams_apply(up, &conf, 2), 0);
	assert_string_equal(members(0), "24");
	assert_int_equal(upstreams_server(up, 0, 1), two);
	assert_int_equal(view()->server[two].active, 1);
	assert_int_equal(view()->server[two].latency_us, 800);
	assert_int_equal(upstreams_state(up, three), SLUICE_SERVER_DRAIN);
	assert_false(upstreams_present(up, three));
	group(0, "web", "3");
	assert_int_equal(upstreams_apply(up, &conf, 3), 0);
	assert_string_equal(members(0), "3");
	assert_int_equal(upstreams_server(up, 0, 2), three); /* it came back to its number */
	group(0, "web", "123");
	assert_int_equal(upstreams_apply(up, &conf, 1), 0); /* back to an earlier version */
	assert_string_equal(members(0), "123");
	upstreams_end(up, two);
	assert_int_equal(view()->server[two].active, 0);
}

static void test_group_outgrows(void **state)
{
	uint32_t old;

	(void)state;
	group(0, "web", "12");
	group(1, "api", "3");
	assert_int_equal(upstreams_apply(up, &conf, 1), 0);
	old = upstreams_server(up, 0, 1);
	upstreams_success(up, old, 500, 1);
	upstreams_checked(up, upstreams_server(up, 0, 0), false);
	group(0, "web", "123456789");
	assert_int_equal(upstreams_apply(up, &conf, 2), 0);
	assert_string_equal(members(0), "23456789"); /* 1 is still down */
	assert_string_equal(members(1), "3");
	assert_int_equal(view()->group[0].servers, 9);
	assert_int_not_equal(upstreams_server(up, 0, 1), old);
	assert_int_equal(view()->server[upstreams_server(up, 0, 1)].latency_us, 500);
	assert_int_equal(upstreams_state(up, old), SLUICE_SERVER_DRAIN);
	assert_int_equal(upstreams_group_of(up, old), 0);
}

static void test_groups_go(void **state)
{
	(void)state;
	group(0, "web", "1");
	group(1, "api", "2");
	assert_int_equal(upstreams_apply(up, &conf, 1), 0);
	assert_int_equal(upstreams_only_group(up), SLUICE_NONE16);
	conf.upstreams_count = 1;
	assert_int_equal(upstreams_apply(up, &conf, 2), 0);
	assert_string_equal(view()->group[1].name, "");
	assert_int_equal(view()->groups, 2);
	assert_int_equal(upstreams_only_group(up), 0);
	assert_string_equal(members(1), "2"); /* for those that are routed there already */
	conf.upstreams_count = 2;
	assert_int_equal(upstreams_apply(up, &conf, 3), 0);
	assert_int_equal(view()->groups, 3);
	assert_string_equal(view()->group[2].name, "api");
}

static void test_too_many(void **state)
{
	(void)state;
	for (unsigned i = 0; i <= SLUICE_GROUPS_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "g%u", i);
		group(i, names[i], "1");
	}
	assert_int_equal(upstreams_apply(up, &conf, 1), -ENOSPC);
	assert_int_equal(view()->groups, 0);
	free(groups[SLUICE_GROUPS_MAX].servers);
	groups[SLUICE_GROUPS_MAX].servers = NULL;
	conf.upstreams_count = SLUICE_GROUPS_MAX;
	assert_int_equal(upstreams_apply(up, &conf, 1), 0);
	assert_int_equal(view()->groups, SLUICE_GROUPS_MAX);
}

static void test_twins(void **state)
{
	(void)state;
	group(0, "web", "112");
	assert_int_equal(upstreams_apply(up, &conf, 1), 0);
	assert_string_equal(members(0), "112");
	group(0, "web", "11");
	assert_int_equal(upstreams_apply(up, &conf, 2), 0);
	assert_string_equal(members(0), "11");
	group(0, "web", "1");
	assert_int_equal(upstreams_apply(up, &conf, 3), 0);
	assert_string_equal(members(0), "1");
}

static void test_states(void **state)
{
	struct upstream_totals totals;
	uint32_t s;

	(void)state;
	group(0, "web", "1")->health = (struct conf_health){.max_fails = 3, .eject_ms = 100};
	assert_int_equal(upstreams_apply(up, &conf, 1), 0);
	s = upstreams_server(up, 0, 0);
	upstreams_failure(up, s, 1000);
	upstreams_failure(up, s, 1000);
	upstreams_success(up, s, 10, 1);
	upstreams_failure(up, s, 1000);
	upstreams_failure(up, s, 1000);
	assert_int_equal(upstreams_state(up, s), SLUICE_SERVER_UP);
	upstreams_failure(up, s, 1000);
	assert_int_equal(upstreams_state(up, s), SLUICE_SERVER_DOWN);
	upstreams_totals(up, s, &totals);
	assert_true(totals.ejected);
	assert_int_equal(totals.failures, 5);
	assert_int_equal(upstreams_readmit(up, 50000), 101000);
	assert_int_equal(upstreams_state(up, s), SLUICE_SERVER_DOWN);
	upstreams_checked(up, s, false);
	assert_int_equal(upstreams_readmit(up, 101000), UINT64_MAX);
	assert_int_equal(upstreams_state(up, s), SLUICE_SERVER_DOWN); /* the check still says so */
	upstreams_checked(up, s, true);
	assert_int_equal(upstreams_state(up, s), SLUICE_SERVER_UP);
	assert_int_equal(upstreams_readmit(up, 0), UINT64_MAX);
}

static void test_latency(void **state)
{
	uint32_t s;

	(void)state;
	group(0, "web", "1");
	assert_int_equal(upstreams_apply(up, &conf, 1), 0);
	s = upstreams_server(up, 0, 0);
	upstreams_success(up, s, 8000, 1);
	assert_int_equal(view()->server[s].latency_us, 8000);
	upstreams_success(up, s, 16000, 1);
	assert_int_equal(view()->server[s].latency_us, 9000);
	upstreams_success(up, s, 1000, 1);
	assert_int_equal(view()->server[s].latency_us, 8000);
}

/* --- choosing -------------------------------------------------------------------- */

static struct chooser chooser;

static const char *choose(unsigned n)
{
	static char text[64];

	for (unsigned i = 0; i < n; i++) {
		uint32_t server = chooser_next(&chooser, 0, NULL, 0);

		text[i] = server == UPSTREAM_NONE ? '-' : digit_of(server);
	}
	text[n] = 0;
	return text;
}

static void test_choose(void **state)
{
	uint32_t tried[2], server;

	(void)state;
	group(0, "web", "123");
	groups[0].servers[0].weight = 3;
	assert_int_equal(upstreams_apply(up, &conf, 1), 0);
	assert_int_equal(chooser_open(&chooser, up), 0);
	assert_string_equal(choose(10),
			    "1213112131"); /* smooth: 3 of 5, never more than two in a row */
	upstreams_checked(up, upstreams_server(up, 0, 0), false);
	assert_string_equal(choose(4), "2323");
	tried[0] = upstreams_server(up, 0, 1);
	server = chooser_next(&chooser, 0, tried, 1);
	assert_int_equal(digit_of(server), '3');
	tried[1] = server;
	assert_int_equal(chooser_next(&chooser, 0, tried, 2), UPSTREAM_NONE);
	upstreams_checked(up, upstreams_server(up, 0, 1), false);
	upstreams_checked(up, upstreams_server(up, 0, 2), false);
	assert_string_equal(choose(2), "--");
	chooser_close(&chooser);
}

#define up_test(f) cmocka_unit_test_setup_teardown(f, open_upstreams, close_upstreams)

/* --- who is well ------------------------------------------------------------------ */

static void test_panic(void **state)
{
	(void)state;
	group(0, "web", "1234")->health.panic_percent = 50;
	assert_int_equal(upstreams_apply(up, &conf, 1), 0);
	for (uint16_t i = 0; i < 2; i++)
		upstreams_checked(up, upstreams_server(up, 0, i), false);
	assert_string_equal(members(0), "34"); /* half of them: no panic yet */
	upstreams_checked(up, upstreams_server(up, 0, 2), false);
	assert_string_equal(members(0), "1234");
	upstreams_order(up, upstreams_server(up, 0, 1), UPSTREAM_TAKE_DOWN);
	assert_string_equal(members(0), "134"); /* who was taken out stays out */
	upstreams_checked(up, upstreams_server(up, 0, 0), true);
	assert_string_equal(members(0), "14");
}

static void test_5xx(void **state)
{
	uint32_t s;

	(void)state;
	group(0, "web", "12")->health.max_5xx = 3;
	groups[0].health.eject_ms = 1000;
	assert_int_equal(upstreams_apply(up, &conf, 1), 0);
	s = upstreams_server(up, 0, 0);
	for (unsigned i = 0; i < 2; i++)
		upstreams_status(up, s, 500, 0);
	upstreams_status(up, s, 404, 0);
	for (unsigned i = 0; i < 2; i++)
		upstreams_status(up, s, 503, 0);
	assert_string_equal(members(0), "12"); /* not in a row */
	upstreams_status(up, s, 599, 0);
	assert_string_equal(members(0), "2");
	assert_int_equal(upstreams_readmit(up, 999999), 1000000);
	assert_int_equal(upstreams_readmit(up, 1000000), UINT64_MAX);
	assert_string_equal(members(0), "12");
}

static void test_slow_start(void **state)
{
	uint32_t s, changes;

	(void)state;
	group(0, "web", "12")->health.slow_start_ms = 1000;
	assert_int_equal(upstreams_apply(up, &conf, 1), 0);
	s = upstreams_server(up, 0, 0);
	assert_int_equal(view()->server[s].warm, 0); /* nobody is new at the start */
	upstreams_checked(up, s, false);
	upstreams_checked(up, s, true);
	upstreams_warm(up, 5000000);
	assert_int_equal(view()->server[s].warm, 1);
	upstreams_warm(up, 5500000);
	assert_int_equal(view()->server[s].warm, SLUICE_WARM / 2);
	changes = view()->changes;
	upstreams_warm(up, 5500001);
	assert_int_equal(view()->changes, changes); /* nothing to be read anew */
	upstreams_warm(up, 6000000);
	assert_int_equal(view()->server[s].warm, 0);
	assert_int_equal(view()->changes, changes + 1);
}

/* --- limits ------------------------------------------------------------------------ */

static void test_limits(void **state)
{
	uint32_t a, b;

	(void)state;
	group(0, "web", "12")->limits = (struct conf_limits){.connections = 3, .pending = 1};
	groups[0].servers[0].max_connections = 2;
	assert_int_equal(upstreams_apply(up, &conf, 1), 0);
	a = upstreams_server(up, 0, 0);
	b = upstreams_server(up, 0, 1);
	assert_true(upstreams_admit(up, a));
	assert_true(upstreams_admit(up, a));
	assert_true(upstreams_full(up, a));
	assert_false(upstreams_admit(up, a));
	assert_false(upstreams_full(up, b));
	assert_true(upstreams_admit(up, b));
	assert_false(upstreams_admit(up, b)); /* the group has its three */
	assert_int_equal(view()->server[a].active, 2);
	assert_int_equal(view()->server[b].active, 1);
	upstreams_end(up, a);
	assert_true(upstreams_admit(up, b));
	assert_true(upstreams_pend(up, 0));
	assert_false(upstreams_pend(up, 0));
	upstreams_unpend(up, 0);
	assert_true(upstreams_pend(up, 0));
}

static void test_retry_budget(void **state)
{
	struct upstream_group_totals totals;

	(void)state;
	group(0, "web", "1")->limits = (struct conf_limits){.retries = 5, .retry_percent = 20};
	assert_int_equal(upstreams_apply(up, &conf, 1), 0);
	for (unsigned i = 0; i < 20; i++)
		upstreams_begin(up, upstreams_server(up, 0, 0));
	for (unsigned i = 0; i < 4; i++) /* a fifth of 20 */
		assert_true(upstreams_retry(up, 0));
	assert_false(upstreams_retry(up, 0));
	for (unsigned i = 0; i < 20; i++)
		upstreams_begin(up, upstreams_server(up, 0, 0));
	assert_true(upstreams_retry(up, 0));
	assert_false(upstreams_retry(up, 0)); /* five, whatever the percentage */
	upstreams_unretry(up, 0);
	assert_true(upstreams_retry(up, 0));
	upstreams_group_totals(up, 0, &totals);
	assert_int_equal(totals.retrying, 5);
	assert_int_equal(totals.retries_refused, 2);
}

/* --- by hand ----------------------------------------------------------------------- */

static void test_orders(void **state)
{
	struct endpoint at;
	uint32_t s;

	(void)state;
	group(0, "web", "123");
	assert_int_equal(upstreams_apply(up, &conf, 1), 0);
	assert_int_equal(upstreams_group_named(up, "web"), 0);
	assert_int_equal(upstreams_group_named(up, "wep"), SLUICE_NONE16);
	assert_int_equal(endpoint_parse("10.0.0.2:80", &at), 0);
	s = upstreams_server_at(up, 0, &at);
	assert_int_equal(s, upstreams_server(up, 0, 1));
	upstreams_order(up, s, UPSTREAM_DRAIN);
	assert_int_equal(upstreams_state(up, s), SLUICE_SERVER_KEEP);
	upstreams_order(up, s, UPSTREAM_TAKE_DOWN);
	assert_int_equal(upstreams_state(up, s), SLUICE_SERVER_DOWN);
	upstreams_weigh(up, s, 7);
	assert_int_equal(upstreams_apply(up, &conf, 2), 0); /* addresses changed, say */
	assert_int_equal(upstreams_state(up, s), SLUICE_SERVER_DOWN);
	assert_int_equal(view()->server[s].weight, 7);
	upstreams_forget_orders(up);
	assert_int_equal(upstreams_state(up, s), SLUICE_SERVER_UP);
	assert_int_equal(view()->server[s].weight, 1);
	assert_int_equal(endpoint_parse("10.0.0.2:81", &at), 0);
	assert_int_equal(upstreams_server_at(up, 0, &at), UPSTREAM_NONE);
}

/* --- names ------------------------------------------------------------------------- */

static int resolve(const char *digits)
{
	struct addr list[8];
	unsigned n = 0;

	for (; *digits; digits++)
		list[n++] = addr_from_ip4((uint32_t)(*digits - '0') << 24 | 10);
	return upstreams_resolved(up, "web.example", list, n);
}

static void test_names(void **state)
{
	uint32_t two;

	(void)state;
	group(0, "web", "19");
	groups[0].servers[1].host = "web.example";
	assert_int_equal(upstreams_apply(up, &conf, 1), 0);
	assert_string_equal(members(0), "1");
	assert_int_equal(resolve("23"), 1);
	assert_int_equal(resolve("32"), 0); /* the same in another order */
	assert_int_equal(upstreams_apply(up, &conf, 1), 0);
	assert_string_equal(members(0), "123");
	two = upstreams_server(up, 0, 1);
	assert_int_equal(resolve("34"), 1);
	assert_int_equal(upstreams_apply(up, &conf, 1), 0);
	assert_string_equal(members(0), "134");
	assert_int_equal(upstreams_state(up, two), SLUICE_SERVER_DRAIN);
}

/* Addresses come and go all day: the places of those that are gone are used again. */
static void test_names_change_for_ever(void **state)
{
	uint32_t servers = 0;

	(void)state;
	group(0, "web", "9");
	groups[0].servers[0].host = "web.example";
	assert_int_equal(upstreams_apply(up, &conf, 1), 0);
	for (unsigned i = 0; i < 50; i++) {
		char digits[3] = {(char)('1' + i % 8), (char)('1' + (i + 1) % 8), 0};

		assert_int_equal(resolve(digits), 1);
		assert_int_equal(upstreams_apply(up, &conf, 1), 0);
		assert_int_equal(strlen(members(0)), 2);
		assert_non_null(strchr(members(0), digits[0]));
		assert_non_null(strchr(members(0), digits[1]));
		if (i == 10)
			servers = view()->servers;
	}
	assert_int_equal(view()->servers, servers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		up_test(test_numbers),
		up_test(test_servers_come_and_go),
		up_test(test_group_outgrows),
		up_test(test_groups_go),
		up_test(test_too_many),
		up_test(test_twins),
		up_test(test_states),
		up_test(test_latency),
		up_test(test_choose),
		up_test(test_panic),
		up_test(test_5xx),
		up_test(test_slow_start),
		up_test(test_limits),
		up_test(test_retry_budget),
		up_test(test_orders),
		up_test(test_names),
		up_test(test_names_change_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
