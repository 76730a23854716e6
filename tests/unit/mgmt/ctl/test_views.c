/* SPDX-License-Identifier: BSD-3-Clause */
/* From structures to JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/ctl/views.h"

static void assert_json(json_t *json, const char *expected)
{
	char *text = json_dumps(json, JSON_COMPACT);

	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
	json_decref(json);
}

static void test_port(void **state)
{
	static const char *const addresses[] = {"10.0.0.1/24", "10.0.1.1/24"};
	const struct view_port port = {
		.state = "up",
		.name = "wan",
		.driver = "net_tap",
		.link = "10 Gbit/s",
		.mtu = 1500,
		.rx_packets = 1,
		.rx_bytes = INT64_MAX,
		.device = "net_tap0",
		.addresses = {addresses, 2},
		.shared_rx = true,
	};

	(void)state;
	assert_json(view_ports_json(&port, 1),
		    "[{\"state\":\"up\",\"name\":\"wan\",\"driver\":\"net_tap\",\"link\":\"10 "
		    "Gbit/s\",\"mtu\":1500,\"rx_packets\":1,\"rx_bytes\":9223372036854775807,"
		    "\"tx_packets\":0,\"tx_bytes\":0,\"drops\":0,\"device\":\"net_tap0\",\"mac\":"
		    "null,\"addresses\":[\"10.0.0.1/24\",\"10.0.1.1/24\"],\"offloads\":[],"
		    "\"shared_rx\":true}]");
}

static void test_status(void **state)
{
	const struct view_status status = {.state = "running", .version = "1", .pid = 7};
	const struct view_worker workers[] = {
		{.state = "running", .cpu = 1, .busy = 12.5},
		{.state = "stalled", .cpu = 2, .busy = NAN},
	};

	(void)state;
	assert_json(view_status_json(&status, workers, 2),
		    "{\"state\":\"running\",\"version\":\"1\",\"pid\":7,\"uptime_s\":0,"
		    "\"config_file\":null,\"config_version\":0,\"poll\":null,\"hugepages\":null,"
		    "\"memory_bytes\":0,\"memory_used_bytes\":0,\"connections\":0,"
		    "\"connections_total\":0,\"exchanges\":0,\"exchanges_total\":0,\"workers\":["
		    "{\"state\":\"running\",\"cpu\":1,\"node\":0,\"busy\":12.5,\"connections\":0,"
		    "\"exchanges\":0,\"rx_packets\":0,\"tx_packets\":0},"
		    "{\"state\":\"stalled\",\"cpu\":2,\"node\":0,\"busy\":0.0,\"connections\":0,"
		    "\"exchanges\":0,\"rx_packets\":0,\"tx_packets\":0}]}");
}

/* The head of a request that killed a function may hold anything. */
static void test_any_bytes(void **state)
{
	const struct view_error error = {.count = 1, .text = "GET /\xff\033[2J"};

	(void)state;
	assert_json(view_errors_json(&error, 1),
		    "[{\"last_s\":0,\"count\":1,\"chain\":null,\"function\":null,\"text\":\"GET "
		    "/\\\\xff\\u001B[2J\"}]");
}

static void test_filter(void **state)
{
	static const struct {
		const char *prefix, *left;
	} rows[] = {
		{"", "tcp.rx tcp.tx ip.rx "},
		{"tcp", "tcp.rx tcp.tx "},
		{"rx", "tcp.rx ip.rx "},
		{"tcp.r", "tcp.rx "},
		{"ip.t", ""},
		{"help", ""},
	};
	const struct view_stat stats[] = {
		{.group = "tcp", .name = "rx", .help = "help"},
		{.group = "tcp", .name = "tx"},
		{.group = "ip", .name = "rx"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		json_t *array = view_stats_json(stats, 3);
		char left[64] = "", *end = left;

		view_filter_json(&view_of_stat, array, rows[i].prefix);
		for (size_t j = 0; j < json_array_size(array); j++) {
			const json_t *row = json_array_get(array, j);

			end = stpcpy(end, json_string_value(json_object_get(row, "group")));
			end = stpcpy(end, ".");
			end = stpcpy(end, json_string_value(json_object_get(row, "name")));
			end = stpcpy(end, " ");
		}
		assert_string_equal(left, rows[i].left);
		json_decref(array);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_port),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_any_bytes),
		cmocka_unit_test(test_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
