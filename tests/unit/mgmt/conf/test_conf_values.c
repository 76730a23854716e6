/* SPDX-License-Identifier: BSD-3-Clause */
/* What a right configuration becomes: every member, defaults, included files, JSON, the reference.
 */
#include "tests/unit/mgmt/conf/fixture.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char full[] =
	"daemon = { workers = [ 1, 3 ]; poll = \"busy\"; memory_mb = 256; hugepages = \"off\";\n"
	"  run_dir = \"/run/test\"; plugin_dir = \"plugins\"; user = \"root\"; drain_ms = 0;\n"
	"  max_connections = 1000; };\n"
	"ports = ( { name = \"wan\"; device = \"net_af_packet0,iface=sl-wan\";\n"
	"    addresses = [ \"10.10.0.1/24\", \"10.10.1.1/31\" ]; mtu = 9000; offload = false;\n"
	"    descriptors = 512; },\n"
	"  { name = \"lan\"; device = \"net_tap0\"; addresses = ( \"10.20.0.1/24\" ); } );\n"
	"routes = ( { to = \"0.0.0.0/0\"; via = \"10.10.0.254\"; } );\n"
	"upstreams = ( { name = \"web\"; balance = \"hash\";\n"
	"  servers = ( { address = \"10.20.0.11:8080\"; weight = 5; }, { address = "
	"\"192.0.2.1:80\"; } );\n"
	"  health = { path = \"/up\"; interval_ms = 1000; timeout_ms = 500; fall = 4; rise = 1;\n"
	"    expect_min = 204; expect_max = 204; max_fails = 0; eject_ms = 20; };\n"
	"  connect_timeout_ms = 100; response_timeout_ms = 200; idle_timeout_ms = 300;\n"
	"  keepalive = 7; retries = 3; } );\n"
	"functions = (\n"
	"  { name = \"guard\"; plugin = \"filter\"; placement = \"process\";\n"
	"    instances = { min = 2; max = 6; };\n"
	"    on_failure = \"bypass\"; hang_ms = 100; arena_mb = 8; cpu = 1; user = \"root\";\n"
	"    hold_ms = 50; allow = { read = [ \"/\" ]; connect = [ \"10.0.0.1:53\",\n"
	"    \"udp:[fd00::1]:53\", \"unix:/run/x.sock\" ]; };\n"
	"    config = { deny = ( { path = \"^/admin\"; status = 403; } ); }; },\n"
	"  { name = \"route\"; plugin = \"plugins/proxy.so\"; } );\n"
	"chains = ( { name = \"www\"; listen = [ \"10.10.0.1:80\", \"0.0.0.0:8080\" ];\n"
	"  protocol = \"http\"; path = [ \"guard\", \"route\" ]; head_timeout_ms = 11;\n"
	"  idle_timeout_ms = 12; body_timeout_ms = 13; max_head_bytes = 2048; max_fields = 20;\n"
	"  max_target_bytes = 256; min_body_bytes_per_s = 100; max_requests = 7;\n"
	"  max_age_ms = 900; upgrade = [ \"websocket\", \"foo/2\" ]; connect = true;\n"
	"  tunnel_timeout_ms = 14;\n"
	"  tcp = { congestion = \"newreno\"; ecn = false; recv_buffer_kb = 64; send_buffer_kb = "
	"128;\n"
	"    keepalive_ms = 60000; keepalive_each_ms = 5000; keepalive_probes = 3;\n"
	"    user_timeout_ms = 20000; max_segment_bytes = 1200; nagle = true;\n"
	"    fast_open = true; }; } );\n";

static const char least[] =
	"daemon = { plugin_dir = \"plugins\"; };\n"
	"ports = ( { name = \"wan\"; device = \"net_null0\"; addresses = [ \"10.0.0.1/24\" ]; } "
	");\n"
	"functions = ( { name = \"hello\"; plugin = \"static\"; } );\n"
	"chains = ( { name = \"www\"; listen = \"10.0.0.1:80\"; path = [ \"hello\" ]; } );\n"
	"upstreams = ( { name = \"web\"; servers = ( { address = \"10.0.0.2:80\"; } ); } );\n";

static void assert_address(const struct addr *addr, const char *text)
{
	char buf[ADDR_TEXT_MAX];

	assert_string_equal(addr_format(addr, buf, sizeof(buf)), text);
}

static void assert_endpoint(const struct endpoint *endpoint, const char *text)
{
	char buf[ENDPOINT_TEXT_MAX];

	assert_string_equal(endpoint_format(endpoint, buf, sizeof(buf)), text);
}

static void check_daemon(const struct conf_daemon *daemon)
{
	assert_int_equal(daemon->workers_count, 2);
	assert_int_equal(daemon->workers[0], 1);
	assert_int_equal(daemon->workers[1], 3);
	assert_int_equal(daemon->poll, CONF_POLL_BUSY);
	assert_int_equal(daemon->hugepages, CONF_HUGEPAGES_OFF);
	assert_int_equal(daemon->memory_mb, 256);
	assert_int_equal(daemon->drain_ms, 0);
	assert_int_equal(daemon->max_connections, 1000);
	assert_string_equal(daemon->run_dir, "/run/test");
	assert_string_equal(daemon->plugin_dir, "plugins");
	assert_string_equal(daemon->user, "root");
	assert_string_equal(daemon->place.file, "t.conf");
	assert_int_equal(daemon->place.line, 1);
}

static void check_network(const struct conf *conf)
{
	assert_int_equal(conf->ports_count, 2);
	assert_string_equal(conf->ports[0].name, "wan");
	assert_string_equal(conf->ports[0].device, "net_af_packet0,iface=sl-wan");
	assert_int_equal(conf->ports[0].addresses_count, 2);
	assert_address(&conf->ports[0].addresses[1].addr, "10.10.1.1");
	assert_int_equal(conf->ports[0].addresses[1].prefix, 31);
	assert_int_equal(conf->ports[0].mtu, 9000);
	assert_false(conf->ports[0].offload);
	assert_int_equal(conf->ports[0].descriptors, 512);
	assert_true(conf->ports[1].offload);
	assert_int_equal(conf->ports[1].place.line, 7);
	assert_int_equal(conf->routes_count, 1);
	assert_address(&conf->routes[0].to, "0.0.0.0");
	assert_int_equal(conf->routes[0].prefix, 0);
	assert_address(&conf->routes[0].via, "10.10.0.254");
}

static void check_upstream(const struct conf_upstream *web)
{
	assert_string_equal(web->name, "web");
	assert_int_equal(web->balance, CONF_BALANCE_HASH);
	assert_int_equal(web->servers_count, 2);
	assert_endpoint(&web->servers[0].endpoint, "10.20.0.11:8080");
	assert_int_equal(web->servers[0].weight, 5);
	assert_int_equal(web->servers[1].weight, 1);
	assert_true(web->health.on);
	assert_string_equal(web->health.path, "/up");
	assert_int_equal(web->health.interval_ms, 1000);
	assert_int_equal(web->health.timeout_ms, 500);
	assert_int_equal(web->health.fall, 4);
	assert_int_equal(web->health.rise, 1);
	assert_int_equal(web->health.expect_min, 204);
	assert_int_equal(web->health.expect_max, 204);
	assert_int_equal(web->health.max_fails, 0);
	assert_int_equal(web->health.eject_ms, 20);
	assert_int_equal(web->connect_timeout_ms, 100);
	assert_int_equal(web->response_timeout_ms, 200);
	assert_int_equal(web->idle_timeout_ms, 300);
	assert_int_equal(web->keepalive, 7);
	assert_int_equal(web->retries, 3);
}

static void check_functions(const struct conf *conf)
{
	const struct conf_function *guard = &conf->functions[0], *route = &conf->functions[1];

	assert_int_equal(conf->functions_count, 2);
	assert_string_equal(guard->plugin, "filter");
	assert_string_equal(guard->plugin_path, "plugins/filter.so");
	assert_int_equal(guard->instances, 2);
	assert_int_equal(guard->instances_max, 6);
	assert_int_equal(guard->on_failure, CONF_FAIL_BYPASS);
	assert_int_equal(guard->hold_ms, 50);
	assert_int_equal(guard->allow.read_count, 1);
	assert_string_equal(guard->allow.read[0], "/");
	assert_int_equal(guard->allow.connect_count, 3);
	assert_int_equal(guard->allow.connect[0].kind, CONF_CONNECT_TCP);
	assert_int_equal(guard->allow.connect[0].endpoint.port, 53);
	assert_int_equal(guard->allow.connect[1].kind, CONF_CONNECT_UDP);
	assert_int_equal(guard->allow.connect[1].endpoint.addr.family, ADDR_IP6);
	assert_int_equal(guard->allow.connect[2].kind, CONF_CONNECT_UNIX);
	assert_string_equal(guard->allow.connect[2].path, "/run/x.sock");
	assert_int_equal(guard->hang_ms, 100);
	assert_int_equal(guard->arena_mb, 8);
	assert_int_equal(guard->cpu, 1);
	assert_string_equal(guard->user, "root");
	assert_string_equal(route->plugin_path, "plugins/proxy.so");
	assert_int_equal(route->instances, 1);
	assert_int_equal(route->instances_max, 1);
	assert_int_equal(route->on_failure, CONF_FAIL_REJECT);
	assert_int_equal(route->cpu, -1);
	assert_null(route->user);
}

static void check_chain(const struct conf *conf)
{
	const struct conf_chain *www = &conf->chains[0];

	assert_int_equal(conf->chains_count, 1);
	assert_int_equal(www->listens_count, 2);
	assert_endpoint(&www->listens[0], "10.10.0.1:80");
	assert_endpoint(&www->listens[1], "0.0.0.0:8080");
	assert_string_equal(www->protocol, "http");
	assert_int_equal(www->path_length, 2);
	assert_ptr_equal(www->path[0], &conf->functions[0]);
	assert_ptr_equal(www->path[1], &conf->functions[1]);
	assert_int_equal(www->head_timeout_ms, 11);
	assert_int_equal(www->idle_timeout_ms, 12);
	assert_int_equal(www->body_timeout_ms, 13);
	assert_int_equal(www->max_head_bytes, 2048);
	assert_int_equal(www->max_fields, 20);
	assert_int_equal(www->max_target_bytes, 256);
	assert_int_equal(www->min_body_bytes_per_s, 100);
	assert_int_equal(www->max_requests, 7);
	assert_int_equal(www->max_age_ms, 900);
	assert_int_equal(www->upgrades_count, 2);
	assert_string_equal(www->upgrades[0], "websocket");
	assert_string_equal(www->upgrades[1], "foo/2");
	assert_true(www->connect);
	assert_int_equal(www->tunnel_timeout_ms, 14);
	assert_string_equal(www->tcp.congestion, "newreno");
	assert_false(www->tcp.ecn);
	assert_int_equal(www->tcp.recv_buffer_kb, 64);
	assert_int_equal(www->tcp.send_buffer_kb, 128);
	assert_int_equal(www->tcp.keepalive_ms, 60000);
	assert_int_equal(www->tcp.keepalive_each_ms, 5000);
	assert_int_equal(www->tcp.keepalive_probes, 3);
	assert_int_equal(www->tcp.user_timeout_ms, 20000);
	assert_int_equal(www->tcp.max_segment_bytes, 1200);
	assert_true(www->tcp.nagle && www->tcp.fast_open);
}

static void test_full(void **state)
{
	struct conf *conf;

	(void)state;
	fixture_write("t.conf", full);
	conf = fixture_load("t.conf");
	check_daemon(&conf->daemon);
	check_network(conf);
	check_upstream(&conf->upstreams[0]);
	check_functions(conf);
	check_chain(conf);
	conf_free(conf);
}

/* As the configuration finds it, for who names another later. */
static void test_plugins(void **state)
{
	struct conf *conf;
	char path[64], error[128];

	(void)state;
	fixture_write("t.conf", full);
	conf = fixture_load("t.conf");
	assert_int_equal(conf_plugin_find(conf, "lb", path, sizeof(path), error, sizeof(error)), 0);
	assert_string_equal(path, "plugins/lb.so");
	assert_int_equal(
		conf_plugin_find(conf, "/dev/null", path, sizeof(path), error, sizeof(error)),
		-EINVAL);
	assert_string_equal(error, "plugin \"/dev/null\" not found; looked at /dev/null");
	assert_int_equal(conf_plugin_find(conf, "lbb", path, sizeof(path), error, sizeof(error)),
			 -EINVAL);
	assert_string_equal(error, "plugin \"lbb\" not found; looked at plugins/lbb.so");
	assert_int_equal(
		conf_plugin_find(conf, "./lb.so", path, sizeof(path), error, sizeof(error)),
		-EINVAL);
	assert_string_equal(error, "plugin \"./lb.so\" is no path from \"/\" on");
	conf_free(conf);
}

/* Both families, side by side. */
static void test_ip6(void **state)
{
	static const char text[] =
		"ports = ( { name = \"wan\"; device = \"x\"; vlan = 7; probe = \"all\";\n"
		"  addresses = [ \"10.0.0.1/24\", \"2001:db8::1/64\" ]; } );\n"
		"routes = ( { to = \"0.0.0.0/0\"; via = \"10.0.0.2\"; },\n"
		"  { to = \"::/0\"; via = \"fe80::2%wan\"; } );\n"
		"upstreams = ( { name = \"web\"; servers = ( { address = \"[2001:db8::9]:8080\"; "
		"},\n"
		"  { address = \"[2001:db9::9]:8080\"; } ); } );\n"
		"functions = ( { name = \"f\"; plugin = \"./f.so\"; } );\n"
		"chains = ( { name = \"www\"; path = [ \"f\" ]; protocol = \"http\";\n"
		"  listen = [ \"10.0.0.1:80\", \"[2001:db8::1]:80\", \"[::]:81\", \"0.0.0.0:81\" "
		"]; } );\n";
	struct conf *conf;

	(void)state;
	fixture_write("f.so", "");
	fixture_write("t.conf", text);
	conf = fixture_load("t.conf");
	assert_int_equal(conf->ports[0].vlan, 7);
	assert_int_equal(conf->ports[0].probe, CONF_PROBE_ALL);
	assert_address(&conf->ports[0].addresses[1].addr, "2001:db8::1");
	assert_int_equal(conf->ports[0].addresses[1].prefix, 64);
	assert_address(&conf->routes[1].to, "::");
	assert_int_equal(conf->routes[1].via.zone, 1);
	assert_endpoint(&conf->upstreams[0].servers[1].endpoint, "[2001:db9::9]:8080");
	assert_endpoint(&conf->chains[0].listens[1], "[2001:db8::1]:80");
	assert_endpoint(&conf->chains[0].listens[2], "[::]:81");
	conf_free(conf);
}

static void test_defaults(void **state)
{
	struct conf *conf;

	(void)state;
	fixture_write("t.conf", least);
	conf = fixture_load("t.conf");
	assert_int_equal(conf->daemon.workers_count, 1);
	assert_int_equal(conf->daemon.workers[0], 0);
	assert_int_equal(conf->daemon.poll, CONF_POLL_ADAPTIVE);
	assert_int_equal(conf->daemon.hugepages, CONF_HUGEPAGES_AUTO);
	assert_int_equal(conf->daemon.memory_mb, 512);
	assert_string_equal(conf->daemon.run_dir, "/run/sluice");
	assert_null(conf->daemon.user);
	assert_int_equal(conf->routes_count, 0);
	assert_false(conf->upstreams[0].health.on);
	assert_null(conf->upstreams[0].health.path);
	assert_int_equal(conf->upstreams[0].health.max_fails, 3);
	assert_int_equal(conf->upstreams[0].balance, CONF_BALANCE_P2C);
	assert_int_equal(conf->chains[0].tcp.recv_buffer_kb, 1024);
	assert_string_equal(conf->chains[0].tcp.congestion, "cubic");
	assert_true(conf->chains[0].tcp.ecn);
	assert_int_equal(conf->chains[0].tcp.keepalive_ms, 0);
	assert_int_equal(conf->chains[0].tcp.keepalive_probes, 9);
	assert_false(conf->chains[0].tcp.nagle || conf->chains[0].tcp.fast_open);
	assert_int_equal(conf->chains[0].max_head_bytes, 16384);
	conf_free(conf);
}

/* Plugins are looked for beside the running program, in ../lib/sluice. */
static void test_plugin_dir(void **state)
{
	struct conf_errors errors = {0};
	char exe[512] = "", expected[600];
	struct conf *conf = NULL;

	(void)state;
	assert_true(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
	*strrchr(exe, '/') = '\0';
	fixture_write("t.conf", strchr(least, '\n') + 1);
	if (conf_load("t.conf", &conf, &errors) == 0) { /* the plugins have been built */
		snprintf(expected, sizeof(expected), "/lib/sluice");
		assert_non_null(strstr(conf->daemon.plugin_dir, expected));
	} else {
		assert_non_null(strstr(errors.text[0], "/lib/sluice/static.so"));
	}
	conf_errors_clear(&errors);
	conf_free(conf);
}

static void test_include(void **state)
{
	struct conf *conf;

	(void)state;
	assert_int_equal(mkdir("etc", 0755), 0);
	assert_int_equal(mkdir("etc/parts", 0755), 0);
	assert_int_equal(symlink("../plugins", "etc/plugins"), 0);
	fixture_write(
		"etc/main.conf",
		"# comment\n@include \"parts/a.conf\"\n"
		"ports = ( { name = \"wan\"; device = \"x\"; addresses = [ \"10.0.0.1/24\" ]; } "
		");\n"
		"chains = ( { name = \"www\"; listen = \"10.0.0.1:80\"; path = [ \"f\" ]; } );\n");
	fixture_write("etc/parts/a.conf", "daemon = { plugin_dir = \"../plugins\"; };\n"
					  "@include \"parts/b.conf\"\n");
	fixture_write(
		"etc/parts/b.conf",
		"functions = (\n{ name = \"f\"; plugin = \"noop\";\n config = { a = 1; }; } );\n");
	conf = fixture_load("etc/main.conf");
	assert_string_equal(conf->daemon.place.file, "etc/parts/a.conf");
	assert_string_equal(conf->daemon.plugin_dir, "etc/parts/../plugins");
	assert_string_equal(conf->functions[0].place.file, "etc/parts/b.conf");
	assert_int_equal(conf->functions[0].place.line, 2);
	assert_string_equal(conf->functions[0].config_json,
			    "{\"l\":3,\"f\":\"etc/parts/b.conf\",\"t\":\"group\",\"v\":{\"a\":"
			    "{\"l\":3,\"f\":\"etc/parts/b.conf\",\"t\":\"int\",\"v\":1}}}");
	assert_string_equal(conf->ports[0].place.file, "etc/main.conf");
	assert_int_equal(conf->ports[0].place.line, 3);
	conf_free(conf);
}

/* --- the plugin's config as JSON ------------------------------------------------------- */

static void test_json(void **state)
{
	static const struct {
		const char *config;
		const char *json; /* of v, where N stands for the places */
	} rows[] = {
		{"", "{}"},
		{"config = { };", "{}"},
		{"config = { a = 1; b = -5L; c = 1.5; d = true; e = \"ä\\n\"; };",
		 "{\"a\":{N,\"t\":\"int\",\"v\":1},\"b\":{N,\"t\":\"int\",\"v\":-5},"
		 "\"c\":{N,\"t\":\"float\",\"v\":1.5},\"d\":{N,\"t\":\"bool\",\"v\":true},"
		 "\"e\":{N,\"t\":\"string\",\"v\":\"ä\\n\"}}"},
		{"config = { l = ( 1, \"x\", { } ); a = [ 1, 2 ]; };",
		 "{\"l\":{N,\"t\":\"list\",\"v\":[{N,\"t\":\"int\",\"v\":1},{N,\"t\":\"string\","
		 "\"v\":\"x\"},{N,\"t\":\"group\",\"v\":{}}]},\"a\":{N,\"t\":\"list\",\"v\":["
		 "{N,\"t\":\"int\",\"v\":1},{N,\"t\":\"int\",\"v\":2}]}}"},
		{"config = { big = 9000000000L; };",
		 "{\"big\":{N,\"t\":\"int\",\"v\":9000000000}}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[1024], expected[1024] = "", *end = expected;
		struct conf *conf;
		json_t *node;
		char *v;

		snprintf(text, sizeof(text),
			 "daemon = { plugin_dir = \"plugins\"; };\n"
			 "ports = ( { name = \"wan\"; device = \"x\"; addresses = [ "
			 "\"10.0.0.1/24\" ]; } );\n"
			 "chains = ( { name = \"www\"; listen = \"10.0.0.1:80\"; path = [ \"f\" ]; "
			 "} "
			 ");\n"
			 "functions = ( { name = \"f\"; plugin = \"noop\"; %s } );\n",
			 rows[i].config);
		fixture_write("t.conf", text);
		conf = fixture_load("t.conf");
		node = json_loads(conf->functions[0].config_json, 0, NULL);
		assert_non_null(node);
		assert_string_equal(json_string_value(json_object_get(node, "t")), "group");
		v = json_dumps(json_object_get(node, "v"), JSON_COMPACT);
		for (const char *c = rows[i].json; *c; c++)
			if (*c == 'N')
				end = stpcpy(end, "\"l\":4,\"f\":\"t.conf\"");
			else
				*end++ = *c;
		assert_string_equal(v, expected);
		free(v);
		json_decref(node);
		conf_free(conf);
	}
}

/* --- the reference ------------------------------------------------------------------------ */

static void test_reference(void **state)
{
	static const char *const parts[] = {
		"daemon                      the process\n",
		"    weight                  its share, against the others'\n"
		"                              integer, 1 to 256; default 1\n",
		"  hugepages                 auto: used if there are enough\n"
		"                              \"auto\" | \"on\" | \"off\"; default \"auto\"\n",
		"  instances                 processes that share its work; { min; max; }: as "
		"many as it needs\n"
		"                              integer or group; default 1\n"
		"    min                     as many there are when little is to do\n"
		"                              integer, 1 to 64; default 1\n",
		"list of functions and branches; required\n",
	};
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	(void)state;
	conf_print_reference(stream);
	fclose(stream);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (!strstr(text, parts[i]))
			fail_msg("not in the reference:\n%s\nwhich is:\n%s", parts[i], text);
	free(text);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_full),       TEST(test_plugins),
		TEST(test_ip6),        TEST(test_defaults),
		TEST(test_plugin_dir), TEST(test_include),
		TEST(test_json),       cmocka_unit_test(test_reference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
