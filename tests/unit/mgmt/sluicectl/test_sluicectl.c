/* SPDX-License-Identifier: BSD-3-Clause */
/* What people see: numbers, tables, and words that are not understood. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mgmt/sluicectl/call.h"
#include "mgmt/sluicectl/command.h"
#include "mgmt/sluicectl/format.h"
#include "mgmt/sluicectl/render.h"

#define COUNT(rows) (sizeof(rows) / sizeof(*(rows)))

/* --- numbers ---------------------------------------------------------------------------------- */

static void test_format(void **state)
{
	static const struct {
		const char *(*format)(int64_t value, char *buf, size_t size);
		int64_t value;
		const char *text;
	} rows[] = {
		{format_bytes, 0, "0 B"},
		{format_bytes, 1023, "1023 B"},
		{format_bytes, 1024, "1.0 kB"},
		{format_bytes, 1258291, "1.2 MB"},
		{format_bytes, 104857600, "100 MB"},
		{format_bytes, 536870912, "512 MB"},
		{format_bytes, 1048575, "1.0 MB"},
		{format_bytes, INT64_MAX, "8192 PB"},
		{format_seconds, 5, "5s"},
		{format_seconds, 65, "1m 05s"},
		{format_seconds, 7384, "2h 03m"},
		{format_seconds, 273600, "3d 04h"},
		{format_us, 0, "-"},
		{format_us, 340, "340 us"},
		{format_us, 1230, "1.2 ms"},
		{format_us, 250000, "250 ms"},
		{format_us, 1500000, "1.5 s"},
		{format_time, 0, "-"},
		{format_time, 1714564800, "2024-05-01 12:00:00"},
	};
	char buf[FORMAT_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(rows[i].format(rows[i].value, buf, sizeof(buf)), rows[i].text);
}

/* --- tables ----------------------------------------------------------------------------------- */

static char *rendered(const struct view *view, const char *plural, json_t *data, bool colour)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(data);
	if (view == &view_of_status)
		render_status(data, colour, out);
	else
		render_list(view, plural, data, colour, out);
	fclose(out);
	json_decref(data);
	return text;
}

static void assert_rendered(const struct view *view, const char *plural, json_t *data,
			    const char *expected)
{
	char *text = rendered(view, plural, data, false);

	assert_string_equal(text, expected);
	free(text);
}

static void test_status(void **state)
{
	const struct view_status status = {
		.state = "running",
		.version = "0.1.0",
		.pid = 4242,
		.uptime_s = 7384,
		.config_file = "/etc/sluice/sluice.conf",
		.config_version = 3,
		.poll = "adaptive",
		.hugepages = "none",
		.memory_bytes = 512 << 20,
		.memory_used_bytes = 1258291,
		.connections = 200,
		.connections_total = 123456,
		.exchanges = 12,
		.exchanges_total = 9876543,
	};
	const struct view_worker workers[] = {
		{"running", 1, 0, 12.34, 120, 10, 1234567, 7654321},
		{"running", 3, 0, 0.5, 80, 2, 99, 101},
	};

	(void)state;
	assert_rendered(
		&view_of_status, NULL, view_status_json(&status, workers, 2),
		"state                running\n"
		"version              0.1.0\n"
		"pid                  4242\n"
		"uptime               2h 03m\n"
		"config file          /etc/sluice/sluice.conf\n"
		"config version       3\n"
		"poll                 adaptive\n"
		"hugepages            none\n"
		"memory               512 MB\n"
		"memory in use        1.2 MB\n"
		"connections          200\n"
		"connections in all   123456\n"
		"exchanges in flight  12\n"
		"exchanges in all     9876543\n"
		"\n"
		"STATE    CPU  NODE   BUSY  CONNECTIONS  EXCHANGES  RX PACKETS  TX PACKETS\n"
		"running    1     0  12.3%          120         10     1234567     7654321\n"
		"running    3     0   0.5%           80          2          99         101\n");
}

static void test_ports(void **state)
{
	static const char *const addresses[] = {"10.10.0.1/24"};
	const struct view_port ports[] = {
		{.state = "up",
		 .name = "wan",
		 .driver = "net_af_packet",
		 .link = "10 Gbit/s",
		 .mtu = 1500,
		 .rx_packets = 123456,
		 .rx_bytes = 1258291,
		 .tx_packets = 98,
		 .tx_bytes = 5000,
		 .device = "net_af_packet0,iface=sl-wan",
		 .mac = "02:00:00:00:00:01",
		 .addresses = {addresses, 1},
		 .shared_rx = true},
		{.state = "down", .name = "lan", .driver = "net_tap", .mtu = 1500},
	};

	(void)state;
	assert_rendered(
		&view_of_port, "ports", view_ports_json(ports, 2),
		"STATE  PORT  DRIVER         LINK        MTU  RX PACKETS  RX BYTES  TX PACKETS  TX "
		"BYTES  DROPS\n"
		"up     wan   net_af_packet  10 Gbit/s  1500      123456    1.2 MB          98    "
		"4.9 kB      0\n"
		"       device net_af_packet0,iface=sl-wan   mac 02:00:00:00:00:01   addresses "
		"10.10.0.1/24   shared RX region yes\n"
		"down   lan   net_tap        -          1500           0       0 B           0     "
		"  0 B      0\n"
		"       shared RX region no\n");
}

static void test_functions(void **state)
{
	const struct view_function functions[] = {
		{.state = "up",
		 .name = "guard",
		 .plugin = "filter",
		 .placement = "process",
		 .pid = 812,
		 .cpu = -1,
		 .uptime_s = 3600,
		 .exchanges = 10432,
		 .seen = 17,
		 .unseen = 5,
		 .held = 3,
		 .busy = 4.2},
		{.state = "restarting",
		 .name = "edge",
		 .instance = 1,
		 .plugin = "cache",
		 .placement = "process",
		 .pid = -1,
		 .cpu = 2,
		 .restarts = 4,
		 .last_exit = "killed by signal 9"},
	};

	(void)state;
	assert_rendered(
		&view_of_function, "functions", view_functions_json(functions, 2),
		"STATE       FUNCTION  NO  PLUGIN  PLACEMENT  PID  CPU  UPTIME  RESTARTS  "
		"EXCHANGES  SEEN  UNSEEN  HELD  QUEUED  OFFENCES  BUSY\n"
		"up          guard      0  filter  process    812    -  1h 00m         0      "
		"10432    17       5     3       0         0  4.2%\n"
		"restarting  edge       1  cache   process      -    2      0s         4          "
		"0     0       0     0       0         0  0.0%\n"
		"            last exit killed by signal 9\n");
}

static void test_flows(void **state)
{
	const struct view_flow flows[] = {
		{"established", "10.10.0.9:40000", "10.10.0.1:80", "www", NULL, 340, 14600, 77,
		 1258291, 12},
		{"established", "10.20.0.11:8080", "10.20.0.1:50001", "www", "web", 0, 14600, 0, 0,
		 0},
	};

	(void)state;
	assert_rendered(
		&view_of_flow, "flows", view_flows_json(flows, 2),
		"STATE        PEER             LOCAL            CHAIN  UPSTREAM     RTT     CWND   "
		" "
		"IN     OUT  AGE\n"
		"established  10.10.0.9:40000  10.10.0.1:80     www    -         340 us  14.3 kB  "
		"77 B  1.2 MB  12s\n"
		"established  10.20.0.11:8080  10.20.0.1:50001  www    web            -  14.3 kB   "
		"0 B     0 B   0s\n");
}

/* Terminals are not driven by what came from the network; text beyond ASCII is aligned. */
static void test_odd_text(void **state)
{
	const struct view_error errors[] = {
		{0, 2, "www", "café", "GET /\033[2J\n"},
		{1714564800, 10, "www", "edge", "x"},
	};

	(void)state;
	assert_rendered(&view_of_error, "errors", view_errors_json(errors, 2),
			"LAST                 COUNT  CHAIN  FUNCTION  WHAT\n"
			"-                        2  www    café      GET /\\x1b[2J\\x0a\n"
			"2024-05-01 12:00:00     10  www    edge      x\n");
}

static void test_empty(void **state)
{
	(void)state;
	assert_rendered(&view_of_flow, "flows", json_array(), "no flows\n");
	assert_rendered(&view_of_flow, "flows", json_null(), "no flows\n");
}

static void test_colour(void **state)
{
	const struct view_stat stat = {"tcp", "rx", 5, "segments"};
	const struct view_upstream upstream = {.state = "down", .group = "web", .server = "a"};
	char *text = rendered(&view_of_stat, "stats", view_stats_json(&stat, 1), true);

	(void)state;
	assert_string_equal(text, "\033[1mGROUP\033[0m  \033[1mNAME\033[0m  \033[1mVALUE\033[0m  "
				  "\033[1mMEANING\033[0m\ntcp    rx        5  segments\n");
	free(text);
	text = rendered(&view_of_upstream, "upstreams", view_upstreams_json(&upstream, 1), true);
	assert_non_null(strstr(text, "\n\033[31mdown\033[0m   web"));
	free(text);
}

/* --- words ------------------------------------------------------------------------------------ */

static const struct command_options no_options;

static void test_words(void **state)
{
	static const struct {
		char *words[5];
		const char *request; /* NULL: an error */
		const char *error;
	} rows[] = {
		{{"show", "ports"}, "{\"cmd\":\"show\",\"what\":\"ports\"}", NULL},
		{{"show", "stats", "tcp"},
		 "{\"cmd\":\"show\",\"what\":\"stats\",\"prefix\":\"tcp\"}",
		 NULL},
		{{"reload"}, "{\"cmd\":\"reload\"}", NULL},
		{{"function", "restart", "edge"},
		 "{\"cmd\":\"function\",\"what\":\"restart\",\"name\":\"edge\"}",
		 NULL},
		{{"function", "upgrade", "edge"},
		 "{\"cmd\":\"function\",\"what\":\"upgrade\",\"name\":\"edge\"}",
		 NULL},
		{{"function", "drain", "edge"},
		 "{\"cmd\":\"function\",\"what\":\"drain\",\"name\":\"edge\"}",
		 NULL},
		{{"function", "scale", "edge", "4"},
		 "{\"cmd\":\"function\",\"what\":\"scale\",\"name\":\"edge\",\"instances\":4}",
		 NULL},
		{{"function", "scale", "edge"}, NULL, "scale it to how many instances?"},
		{{"function", "scale", "edge", "4x"}, NULL, "not a number of instances: \"4x\""},
		{{"function", "scale", "edge", "0"}, NULL, "not a number of instances: \"0\""},
		{{"function", "scale", "edge", "4", "5"}, NULL, "one word too many: \"5\""},
		{{"function", "upgrade", "edge", "x.so"}, NULL, "one word too many: \"x.so\""},
		{{"function", "drain"},
		 NULL,
		 "drain which function? see \"sluicectl show functions\""},
		{{"upstream", "web"},
		 "{\"cmd\":\"show\",\"what\":\"upstreams\",\"group\":\"web\"}",
		 NULL},
		{{"upstream", "web", "10.0.0.1:80", "drain"},
		 "{\"cmd\":\"upstream\",\"what\":\"drain\",\"name\":\"web\","
		 "\"server\":\"10.0.0.1:80\"}",
		 NULL},
		{{"upstream", "web", "10.0.0.1:80", "weight", "7"},
		 "{\"cmd\":\"upstream\",\"what\":\"weight\",\"name\":\"web\","
		 "\"server\":\"10.0.0.1:80\",\"weight\":7}",
		 NULL},
		{{"upstream"}, NULL, "which upstream? NAME [SERVER drain, up, down or weight N]"},
		{{"upstream", "web", "a:1"},
		 NULL,
		 "what of the server? drain, up, down or weight N"},
		{{"upstream", "web", "a:1", "dwon"},
		 NULL,
		 "servers have no command \"dwon\"; did you mean \"down\"?"},
		{{"upstream", "web", "a:1", "weight"}, NULL, "what weight is it to have?"},
		{{"upstream", "web", "a:1", "weight", "0"},
		 NULL,
		 "not a weight of 1 to 256: \"0\""},
		{{"upstream", "web", "a:1", "up", "now"}, NULL, "one word too many: \"now\""},
		{{NULL}, NULL, "what is to be done? see \"sluicectl --help\""},
		{{"shwo"}, NULL, "there is no command \"shwo\"; did you mean \"show\"?"},
		{{"dance"}, NULL, "there is no command \"dance\""},
		{{"show"},
		 NULL,
		 "show what? status, ports, chains, functions, applications, flows, upstreams, "
		 "stats, buffers, cycles, errors or cache"},
		{{"show", "flow"},
		 NULL,
		 "there is nothing to show called \"flow\"; did you mean \"flows\"?"},
		{{"show", "ports", "a", "b"}, NULL, "one word too many: \"b\""},
		{{"reload", "now"}, NULL, "one word too many: \"now\""},
		{{"function"},
		 NULL,
		 "function what? restart NAME, upgrade NAME, scale NAME N, drain NAME or tell NAME "
		 "WORD…"},
		{{"function", "tell", "edge", "purge", "all"},
		 "{\"cmd\":\"function\",\"what\":\"tell\",\"name\":\"edge\","
		 "\"words\":[\"purge\",\"all\"]}",
		 NULL},
		{{"function", "tell", "edge"}, NULL, "tell it what?"},
		{{"function", "tell", "edge", "\xff"}, NULL, "the words are not UTF-8 text"},
		{{"show", "cache"},
		 "{\"cmd\":\"function\",\"what\":\"tell\",\"plugin\":\"cache\","
		 "\"words\":[\"show\"]}",
		 NULL},
		{{"show", "cache", "x"}, NULL, "one word too many: \"x\""},
		{{"cache"}, NULL, "cache what? purge"},
		{{"cache", "eat"}, NULL, "caches have no command \"eat\"; did you mean \"purge\"?"},
		{{"cache", "purge"}, NULL, "purge what? URL…, --tag TAG… or --prefix URL…"},
		{{"function", "restrat"},
		 NULL,
		 "functions have no command \"restrat\"; did you mean \"restart\"?"},
		{{"function", "restart"},
		 NULL,
		 "restart which function? see \"sluicectl show functions\""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct command command;
		char *error = NULL, *request;
		int count = 0;

		while (count < 5 && rows[i].words[count])
			count++;
		if (command_parse(count, rows[i].words, &no_options, &command, &error) == 0) {
			request = json_dumps(command.request, JSON_COMPACT);
			assert_non_null(rows[i].request);
			assert_string_equal(request, rows[i].request);
			free(request);
		} else {
			assert_non_null(rows[i].error);
			assert_string_equal(error, rows[i].error);
		}
		free(error);
		command_free(&command);
	}
}

/* The daemon is told a whole path, or a name to be looked for in its folder. */
static void test_plugin(void **state)
{
	char *upgrade[] = {"function", "upgrade", "edge"}, *reload[] = {"reload"};
	static const struct {
		const char *given, *sent; /* NULL: an error */
	} rows[] = {
		{"filter", "filter"},
		{"/dev/../dev/null", "/dev/null"},
		{"/no/such/file.so", NULL},
	};
	struct command_options filter = {.plugin = "filter"};
	struct command command;
	char *error = NULL;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct command_options options = {.plugin = rows[i].given};
		int rc = command_parse(3, upgrade, &options, &command, &error);

		assert_int_equal(rc, rows[i].sent ? 0 : -1);
		if (rows[i].sent)
			assert_string_equal(
				json_string_value(json_object_get(command.request, "plugin")),
				rows[i].sent);
		command_free(&command);
	}
	assert_string_equal(error, "No such file or directory \"/no/such/file.so\"");
	free(error);
	assert_int_equal(command_parse(1, reload, &filter, &command, &error), -1);
	assert_string_equal(error, "--plugin is for \"function upgrade\"");
	free(error);
	command_free(&command);
}

static void test_purge(void **state)
{
	static const struct {
		struct command_options options;
		const char *words; /* of the request; NULL: an error */
		const char *error;
	} rows[] = {
		{{0}, "[\"purge\",\"url\",\"a\",\"b\"]", NULL},
		{{.soft = true}, "[\"soft-purge\",\"url\",\"a\",\"b\"]", NULL},
		{{.tag = true}, "[\"purge\",\"tag\",\"a\",\"b\"]", NULL},
		{{.prefix = true, .soft = true}, "[\"soft-purge\",\"prefix\",\"a\",\"b\"]", NULL},
		{{.tag = true, .prefix = true}, NULL, "either --tag or --prefix"},
	};
	char *words[] = {"cache", "purge", "a", "b"}, *reload[] = {"reload"};
	struct command command;
	char *error = NULL, *sent;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int rc = command_parse(4, words, &rows[i].options, &command, &error);

		assert_int_equal(rc, rows[i].words ? 0 : -1);
		if (rows[i].error)
			assert_string_equal(error, rows[i].error);
		sent = json_dumps(json_object_get(command.request, "words"), JSON_COMPACT);
		if (rows[i].words)
			assert_string_equal(sent, rows[i].words);
		free(sent);
		command_free(&command);
	}
	free(error);
	assert_int_equal(command_parse(1, reload, &rows[1].options, &command, &error), -1);
	assert_string_equal(error, "--soft, --tag and --prefix are for \"cache purge\"");
	free(error);
	command_free(&command);
}

static void test_rows(void **state)
{
	static const struct {
		const char *data, *text;
	} rows[] = {
		{"[]", "done\n"},
		{"[{\"function\":\"edge\",\"n\":1},{\"function\":\"a\",\"n\":12,\"x\":\"\\n\"}]",
		 "function   n  x\n"
		 "edge       1  -\n"
		 "a         12  \\x0a\n"},
	};
	char *words[] = {"show", "cache"};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		json_t *data = json_loads(rows[i].data, 0, NULL);
		struct command command;
		char *error = NULL, *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		assert_int_equal(command_parse(2, words, &no_options, &command, &error), 0);
		command_print(&command, data, false, false, out);
		fclose(out);
		assert_string_equal(text, rows[i].text);
		free(text);
		json_decref(data);
		command_free(&command);
	}
}

static void test_done(void **state)
{
	static const struct {
		char *words[3];
		int count;
		bool json;
		const char *text;
	} rows[] = {
		{{"reload"}, 1, false, "reloaded: configuration version 3\n"},
		{{"reload"}, 1, true, "{\n  \"config_version\": 3\n}\n"},
		{{"function", "restart", "edge"}, 3, false, "restarted: configuration version 3\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		json_t *data = json_pack("{s:i}", "config_version", 3);
		struct command command;
		char *error = NULL, *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		assert_int_equal(
			command_parse(rows[i].count, rows[i].words, &no_options, &command, &error),
			0);
		command_print(&command, data, rows[i].json, false, out);
		fclose(out);
		assert_string_equal(text, rows[i].text);
		free(text);
		json_decref(data);
		command_free(&command);
	}
}

static void test_no_daemon(void **state)
{
	json_t *request = json_object(), *data = NULL;
	char *error = NULL;

	(void)state;
	assert_int_equal(call_daemon("/nowhere/control.sock", request, &data, &error), -1);
	assert_string_equal(error,
			    "cannot reach the daemon at /nowhere/control.sock: no such file; "
			    "is sluiced running?");
	free(error);
	json_decref(request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_format), cmocka_unit_test(test_status),
		cmocka_unit_test(test_ports),  cmocka_unit_test(test_functions),
		cmocka_unit_test(test_purge),  cmocka_unit_test(test_rows),
		cmocka_unit_test(test_flows),  cmocka_unit_test(test_odd_text),
		cmocka_unit_test(test_empty),  cmocka_unit_test(test_colour),
		cmocka_unit_test(test_plugin), cmocka_unit_test(test_words),
		cmocka_unit_test(test_done),   cmocka_unit_test(test_no_daemon),
	};

	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
