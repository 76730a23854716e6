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

int main(void)
{
	const struct CMUnitTest tests[] = {
		up_test(test_numbers),        up_test(test_servers_come_and_go),
		up_test(test_group_outgrows), up_test(test_groups_go),
		up_test(test_too_many),       up_test(test_twins),
		up_test(test_states),         up_test(test_latency),
		up_test(test_choose),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
