/* SPDX-License-Identifier: BSD-3-Clause */
/* What is wrong with a configuration is said word for word, with its line. */
#include "tests/unit/mgmt/conf/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A whole configuration, one line for each part; a case replaces the parts it is about. */
#define DAEMON "daemon = { plugin_dir = \"plugins\"; };\n"
#define PORT(more)                                                                           \
	"ports = ( { name = \"wan\"; device = \"net_null0\"; addresses = [ \"10.0.0.1/24\" " \
	"]; " more " } );\n"
#define FUNCTION(more) "functions = ( { name = \"guard\"; plugin = \"filter\"; " more " } );\n"
#define CHAIN(more)                                                                          \
	"chains = ( { name = \"www\"; listen = \"10.0.0.1:80\"; path = [ \"guard\" ]; " more \
	" } );\n"
#define PORTS     PORT("")
#define FUNCTIONS FUNCTION("")
#define CHAINS    CHAIN("")
#define REST      PORTS FUNCTIONS CHAINS
/* Line 5, behind the other four. */
#define BASE DAEMON REST

struct row {
	const char *text;
	const char *errors;
};

static void check(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *errors;

		fixture_write("t.conf", rows[i].text);
		errors = fixture_errors("t.conf");
		if (strcmp(errors, rows[i].errors) != 0)
			print_error("row %zu:\n%s", i, rows[i].text);
		assert_string_equal(errors, rows[i].errors);
		free(errors);
	}
}

#define CHECK(rows) check(rows, sizeof(rows) / sizeof(*(rows)))

static void test_keys(void **state)
{
	static const struct row rows[] = {
		{BASE "port = 1;\n", "t.conf:5: unknown key \"port\"; did you mean \"ports\"?"},
		{BASE "nonsense = 1;\n", "t.conf:5: unknown key \"nonsense\""},
		{"daemon = { plugin_dir = \"plugins\";\n memroy_mb = 5; };\n" REST,
		 "t.conf:2: daemon: unknown key \"memroy_mb\"; did you mean \"memory_mb\"?"},
		{DAEMON PORT("\nmut = 1500;") FUNCTIONS CHAINS,
		 "t.conf:3: ports.wan: unknown key \"mut\"; did you mean \"mtu\"?"},
		{DAEMON PORTS FUNCTIONS CHAIN("tcp = { cc = \"newreno\"; };"),
		 "t.conf:4: chains.www.tcp: unknown key \"cc\""},
		{DAEMON PORTS FUNCTIONS CHAIN("upgrade = [ \"h2c\", \"web socket\" ];"),
		 "t.conf:4: chains.www: upgrade \"web socket\" is not a protocol: NAME or "
		 "NAME/VERSION"},
		{BASE "upstreams = ( { name = \"web\"; servers = ( {\n address = "
		      "\"10.0.0.2:80\"; },\n { address = \"10.0.0.3:80\";\n wait = 1; } ); } );\n",
		 "t.conf:8: upstreams.web.servers[1]: unknown key \"wait\""},
		{BASE "upstreams = ( { name = \"web\"; servers = ( { address = \"10.0.0.2:80\"; "
		      "weigth = 1; } ); } );\n",
		 "t.conf:5: upstreams.web.servers[0]: unknown key \"weigth\"; did you mean "
		 "\"weight\"?"},
		{"", "t.conf:1: ports is missing\n"
		     "t.conf:1: there is nothing to do: no chains, no applications"},
		{DAEMON "ports = ( { } );\n" FUNCTIONS CHAINS,
		 "t.conf:2: ports[0]: name is missing\nt.conf:2: ports[0]: device is missing\n"
		 "t.conf:2: ports[0]: addresses is missing"},
	};

	(void)state;
	CHECK(rows);
}

static void test_types(void **state)
{
	static const struct row rows[] = {
		{"daemon = 5;\n" PORTS "functions = 1;\n" CHAINS,
		 "t.conf:1: daemon must be a group { … }, not an integer\n"
		 "t.conf:3: functions must be a list of groups ( { … }, { … } ), not an integer\n"
		 "t.conf:4: chains.www: path: there is no function \"guard\""},
		{BASE "upstreams = { name = \"web\"; };\n",
		 "t.conf:5: upstreams must be a list of groups ( { … }, { … } ), not a group"},
		{BASE "upstreams = ( 5 );\n",
		 "t.conf:5: upstreams[0]: must be a group { … }, not an integer"},
		{"daemon = { plugin_dir = \"plugins\"; memory_mb = \"512\"; drain_ms = 1.5; "
		 "};\n" REST,
		 "t.conf:1: daemon: memory_mb must be an integer, not a string\n"
		 "t.conf:1: daemon: drain_ms must be an integer, not a number with a fraction"},
		{"daemon = { plugin_dir = \"plugins\"; poll = 1; hugepages = true; };\n" REST,
		 "t.conf:1: daemon: poll must be a string, not an integer\n"
		 "t.conf:1: daemon: hugepages must be a string, not true or false"},
		{"daemon = { plugin_dir = \"plugins\"; workers = 1; };\n" REST,
		 "t.conf:1: daemon: workers must be a list of CPUs [ 1, 2 ], not an integer"},
		{DAEMON PORT("offload = 1;") FUNCTIONS CHAINS,
		 "t.conf:2: ports.wan: offload must be true or false, not an integer"},
		{DAEMON PORTS FUNCTION("config = [ 1 ];") CHAINS,
		 "t.conf:3: functions.guard: config must be a group { … }, not a list"},
		{DAEMON PORTS FUNCTIONS
		 "chains = ( { name = \"www\"; listen = 80; path = \"guard\"; } );\n",
		 "t.conf:4: chains.www: listen must be a string, not an integer\n"
		 "t.conf:4: chains.www: path must be a list of functions [ \"NAME\", … ], not a "
		 "string"},
		{DAEMON "ports = ( { name = \"wan\"; device = \"\"; addresses = \"10.0.0.1/24\"; } "
			");\n" FUNCTIONS CHAINS,
		 "t.conf:2: ports.wan: device is empty\n"
		 "t.conf:2: ports.wan: addresses must be a list [ \"ADDRESS/PREFIX\", … ], not a "
		 "string"},
	};

	(void)state;
	CHECK(rows);
}

static void test_values(void **state)
{
	static const struct row rows[] = {
		{"daemon = { plugin_dir = \"plugins\"; memory_mb = 5; poll = \"buzy\"; };\n" REST,
		 "t.conf:1: daemon: poll is \"buzy\"; it may be \"adaptive\" or \"busy\"\n"
		 "t.conf:1: daemon: memory_mb is 5; it may be 64 to 1048576"},
		{"daemon = { plugin_dir = \"plugins\"; hugepages = \"no\"; };\n" REST,
		 "t.conf:1: daemon: hugepages is \"no\"; it may be \"auto\", \"on\" or \"off\""},
		{"daemon = { plugin_dir = \"plugins\"; workers = [ 1, 2,\n 1 ]; };\n" REST,
		 "t.conf:2: daemon: workers names CPU 1 twice"},
		{"daemon = { plugin_dir = \"plugins\"; workers = [ ]; };\n" REST,
		 "t.conf:1: daemon: workers is empty"},
		{"daemon = { plugin_dir = \"plugins\"; workers = [ -1 ]; };\n" REST,
		 "t.conf:1: daemon: workers is -1; it may be 0 to 1023"},
		{"daemon = { plugin_dir = \"plugins\"; run_dir = \"run\"; user = \"no-such-user\"; "
		 "};\n" REST,
		 "t.conf:1: daemon: run_dir \"run\" must begin with \"/\"\n"
		 "t.conf:1: daemon: user \"no-such-user\" does not exist on this machine"},
		{"daemon = { plugin_dir = \"plugins\"; memory_mb = 4294967808; };\n" REST,
		 "t.conf:1: the number 4294967808 does not fit: 32 bits, or 64 with an L behind "
		 "it"},
		{"daemon = { plugin_dir = \"plugins\"; memory_mb = 4294967808L; };\n" REST,
		 "t.conf:1: daemon: memory_mb is 4294967808; it may be 64 to 1048576"},
		{DAEMON PORT("mtu = 68;") FUNCTIONS CHAINS,
		 "t.conf:2: ports.wan: mtu is 68; it may be 576 to 9216"},
		{DAEMON PORTS FUNCTION("placement = \"inline\"; instances = 2;\nuser = \"root\";")
			 CHAINS,
		 "t.conf:3: functions.guard: instances is for processes; placement is \"inline\"\n"
		 "t.conf:4: functions.guard: user is for processes; placement is \"inline\""},
		{DAEMON PORTS FUNCTION("placement = \"outside\";") CHAINS,
		 "t.conf:3: functions.guard: placement is \"outside\"; it may be \"process\" or "
		 "\"inline\""},
		{DAEMON PORTS FUNCTION("on_failure = \"panic\"; instances = 0;") CHAINS,
		 "t.conf:3: functions.guard: instances is 0; it may be 1 to 64\n"
		 "t.conf:3: functions.guard: on_failure is \"panic\"; it may be \"reject\", "
		 "\"bypass\" or \"retry\""},
		{DAEMON PORTS FUNCTION("instances = { min = 4;\n max = 2; };") CHAINS,
		 "t.conf:3: functions.guard.instances: min 4 is above max 2"},
		{DAEMON PORTS FUNCTION("instances = {\n min = 0;\n max = 65; most = 1; };") CHAINS,
		 "t.conf:4: functions.guard.instances: min is 0; it may be 1 to 64\n"
		 "t.conf:5: functions.guard.instances: max is 65; it may be 1 to 64\n"
		 "t.conf:5: functions.guard.instances: unknown key \"most\""},
		{DAEMON PORTS FUNCTION("instances = {\n min = 2; };") CHAINS,
		 "t.conf:3: functions.guard.instances: max is missing"},
		{DAEMON PORTS FUNCTION("\ninstances = \"many\";") CHAINS,
		 "t.conf:4: functions.guard: instances must be an integer, not a string"},
		{DAEMON PORTS FUNCTION("\ninstances = [ 1, 2 ];") CHAINS,
		 "t.conf:4: functions.guard: instances must be an integer or { min = …; max = …; "
		 "}, not a list"},
		{DAEMON PORTS FUNCTION(
			 "allow = { read = [ \"srv\",\n\"/no/such/folder\" ];\n"
			 "connect = [ \"10.0.0.1\",\n\"unix:run\" ];\nexecute = [ ]; };") CHAINS,
		 "t.conf:3: functions.guard.allow: read \"srv\" must begin with \"/\"\n"
		 "t.conf:4: functions.guard.allow: read \"/no/such/folder\": No such file or "
		 "directory\n"
		 "t.conf:5: functions.guard.allow: connect \"10.0.0.1\" must be ADDRESS:PORT, "
		 "udp:ADDRESS:PORT or unix:PATH\n"
		 "t.conf:6: functions.guard.allow: connect \"run\" must begin with \"/\"\n"
		 "t.conf:7: functions.guard.allow: unknown key \"execute\""},
		{DAEMON PORTS FUNCTION("allow = { write = [ \"log\",\n\"/no/such/folder/log\",\n"
				       "\"syslog:\",\n\"journal\" ]; };") CHAINS,
		 "t.conf:3: functions.guard.allow: write \"log\" must begin with \"/\"\n"
		 "t.conf:4: functions.guard.allow: write \"/no/such/folder/log\": there is no "
		 "folder /no/such/folder/\n"
		 "t.conf:5: functions.guard.allow: write \"\" must begin with \"/\""},
		{DAEMON PORTS FUNCTION("placement = \"inline\";\n"
				       "allow = { read = [ \"/\" ]; write = [ \"syslog\" ]; };")
			 CHAINS,
		 "t.conf:4: functions.guard: allow.read and allow.connect are for processes; "
		 "placement is \"inline\""},
		{DAEMON PORTS FUNCTION("allow = { read = \"/srv\"; };") CHAINS,
		 "t.conf:3: functions.guard.allow: read must be a list [ … ] of texts, not a "
		 "string"},
		{DAEMON PORTS FUNCTIONS CHAIN("tcp = { congestion = \"vegas\"; };"),
		 "t.conf:4: chains.www.tcp: congestion is \"vegas\"; it may be \"cubic\", "
		 "\"newreno\" or \"bbr\""},
		{DAEMON PORTS FUNCTIONS CHAIN("tcp = {\n keepalive_probes = 0;\n nagle = 1;\n "
					      "max_segment_bytes = 50;\n };"),
		 "t.conf:5: chains.www.tcp: keepalive_probes is 0; it may be 1 to 255\n"
		 "t.conf:6: chains.www.tcp: nagle must be true or false, not an integer\n"
		 "t.conf:7: chains.www.tcp: max_segment_bytes 50 is below 88"},
		{DAEMON PORTS FUNCTIONS CHAIN("protocol = \"udp\";"),
		 "t.conf:4: chains.www: protocol is \"udp\"; it may be \"http\" or \"tcp\""},
		{DAEMON PORTS FUNCTIONS CHAIN("protocol = \"tcp\";\nmax_fields = 9;\n"
					      "body_timeout_ms = 100; max_head_bytes = 2000;"),
		 "t.conf:5: chains.www: max_fields is for requests; protocol is \"tcp\"\n"
		 "t.conf:6: chains.www: body_timeout_ms is for requests; protocol is \"tcp\"\n"
		 "t.conf:6: chains.www: max_head_bytes is for requests; protocol is \"tcp\""},
		{DAEMON PORTS FUNCTIONS
		 "chains = ( { name = \"www\"; listen = \"10.0.0.1:80\"; protocol = \"tcp\";\n"
		 "path = [ { when = { path = \"^/\"; }; path = [ \"guard\" ]; } ]; } );\n",
		 "t.conf:5: chains.www: path: branches choose by what a request is like; "
		 "protocol is \"tcp\""},
		{BASE "upstreams = ( { name = \"web\"; servers = ( { address = \"10.0.0.2:80\"; } "
		      ");\n health = { path = \"x\"; expect_min = 500; }; } );\n",
		 "t.conf:6: upstreams.web.health: path \"x\" must begin with \"/\" and hold no "
		 "spaces\n"
		 "t.conf:6: upstreams.web: health: expect_min 500 is above expect_max 399"},
		{BASE "upstreams = ( { name = \"web\"; servers = ( ); } );\n",
		 "t.conf:5: upstreams.web: servers has 0 groups; it may have 1 to 4096"},
	};

	(void)state;
	CHECK(rows);
}

static void test_names(void **state)
{
	static const struct row rows[] = {
		{DAEMON PORTS
		 "functions = ( { name = \"a\"; plugin = \"noop\"; },\n { name = "
		 "\"a\"; plugin = \"noop\"; } );\n"
		 "chains = ( { name = \"www\"; listen = \"10.0.0.1:80\"; path = [ \"a\" ]; } );\n",
		 "t.conf:4: functions.a: the name is used twice"},
		{DAEMON PORTS "functions = ( { name = \"a b\"; plugin = \"noop\"; } );\n" CHAINS,
		 "t.conf:3: functions.a b: name \"a b\" is not a name: letters, digits, \"_\", "
		 "\".\" and \"-\", at most 63\n"
		 "t.conf:4: chains.www: path: there is no function \"guard\""},
		{DAEMON PORTS FUNCTIONS "chains = ( { name = \"www\"; listen = \"10.0.0.1:80\";\n"
					"path = [ \"gaurd\",\n \"edge\" ]; } );\n",
		 "t.conf:5: chains.www: path: there is no function \"gaurd\"; did you mean "
		 "\"guard\"?\n"
		 "t.conf:6: chains.www: path: there is no function \"edge\""},
		{DAEMON PORTS FUNCTIONS "chains = ( { name = \"www\"; listen = \"10.0.0.1:80\"; "
					"path = [ \"guard\", \"guard\" ]; } );\n",
		 "t.conf:4: chains.www: path: function \"guard\" stands there twice"},
		{DAEMON PORTS FUNCTIONS
		 "chains = ( { name = \"www\"; listen = \"10.0.0.1:80\"; path = [ \"guard\",\n"
		 "{ when = { path = \"^/(a\"; };\n path = [ \"guard\" ]; },\n"
		 "{ path = [ ]; },\n { when = { }; elze = [ \"guard\" ]; },\n"
		 "{ when = { value = \"x\"; host = \"a/b\"; }; path = ( ); } ]; } );\n",
		 "t.conf:5: chains.www[1]: bad pattern at offset 4: missing closing parenthesis\n"
		 "t.conf:6: chains.www[1]: path: function \"guard\" stands there twice\n"
		 "t.conf:7: chains.www[2]: a branch needs when = { … }\n"
		 "t.conf:8: chains.www[3]: unknown key \"elze\"; a branch has when, path and else\n"
		 "t.conf:8: chains.www[3]: needs a path, a host, a method or a header\n"
		 "t.conf:8: chains.www[3]: a branch without functions\n"
		 "t.conf:9: chains.www[4]: host \"a/b\" is neither a host, nor *.host, nor "
		 "~PATTERN\n"
		 "t.conf:9: chains.www[4]: value is that of a header: which one?\n"
		 "t.conf:9: chains.www[4]: a branch without functions"},
		{DAEMON PORTS FUNCTIONS
		 "chains = ( { name = \"www\"; listen = \"10.0.0.1:80\"; path = [ ]; } );\n",
		 "t.conf:4: chains.www: path has 0 functions; it may have 1 to 16"},
		{DAEMON PORTS FUNCTIONS "chains = ( { name = \"a\"; listen = \"10.0.0.1:80\"; "
					"path = [ \"guard\" ]; },\n { name = \"b\"; listen = "
					"\"10.0.0.1:80\"; path = [ \"guard\" ]; } );\n",
		 "t.conf:5: chains.b: listen 10.0.0.1:80 is already taken by chain \"a\""},
		{DAEMON PORTS "functions = ( { name = \"edge\"; plugin = \"cachee\"; } );\n"
			      "chains = ( { name = \"www\"; listen = \"10.0.0.1:80\"; path = [ "
			      "\"edge\" ]; } );\n",
		 "t.conf:3: functions.edge: plugin \"cachee\" not found; looked at "
		 "plugins/cachee.so"},
		{DAEMON PORTS "functions = ( { name = \"edge\"; plugin = \"./my.so\"; } );\n"
			      "chains = ( { name = \"www\"; listen = \"10.0.0.1:80\"; path = [ "
			      "\"edge\" ]; } );\n",
		 "t.conf:3: functions.edge: plugin \"./my.so\" not found; looked at ./my.so"},
	};

	(void)state;
	CHECK(rows);
}

#define ADDRESSES(list)                                                                        \
	DAEMON "ports = ( { name = \"wan\"; device = \"net_null0\"; addresses = [ " list       \
	       " ]; } );\n" FUNCTIONS "chains = ( { name = \"www\"; listen = \"0.0.0.0:80\"; " \
	       "path = [ \"guard\" ]; } );\n"

static void test_addresses(void **state)
{
	static const struct row rows[] = {
		{ADDRESSES("\"10.0.0.1\""),
		 "t.conf:2: ports.wan: addresses \"10.0.0.1\" must be ADDRESS/PREFIX"},
		{ADDRESSES("\"10.0.0.1/33\""),
		 "t.conf:2: ports.wan: addresses \"10.0.0.1/33\": the prefix must be 0 to 32"},
		{ADDRESSES("\"10.0.0.1/x\""),
		 "t.conf:2: ports.wan: addresses \"10.0.0.1/x\": the prefix must be 0 to 32"},
		{ADDRESSES("\"10.0.0/24\""),
		 "t.conf:2: ports.wan: addresses \"10.0.0\" is not an address"},
		{ADDRESSES("\"fd10::1/129\""),
		 "t.conf:2: ports.wan: addresses \"fd10::1/129\": the prefix must be 0 to 128"},
		{ADDRESSES("\"fe80::1/64\""), "t.conf:2: ports.wan: addresses: fe80::1/64 is "
					      "link-local: a port makes its own, and "
					      "nothing else can be meant by one"},
		{ADDRESSES("\"ff02::1/64\", \"::1/128\", \"::ffff:10.0.0.1/128\""),
		 "t.conf:2: ports.wan: addresses: ff02::1/64 is not an address that a host can "
		 "have\n"
		 "t.conf:2: ports.wan: addresses: ::1/128 is not an address that a host can have\n"
		 "t.conf:2: ports.wan: addresses: ::ffff:10.0.0.1/128 is not an address that a "
		 "host "
		 "can have"},
		{DAEMON
		 "ports = ( { name = \"a\"; device = \"x\"; mtu = 1279; vlan = 7;\n"
		 "addresses = [ \"fd10::1/64\", \"10.0.0.1/24\" ]; },\n"
		 "{ name = \"b\"; device = \"x\"; vlan = 4095; addresses = [ \"10.1.0.1/24\" ]; } "
		 ");\n" FUNCTIONS CHAINS,
		 "t.conf:2: ports.a: mtu 1279 is too small for IPv6, which needs 1280\n"
		 "t.conf:4: ports.b: vlan is 4095; it may be 0 to 4094\n"
		 "t.conf:4: ports.b: device is already that of port \"a\"; ports of several VLANs "
		 "on "
		 "one device are not available in this version"},
		{ADDRESSES("\"10.0.0.0/24\""),
		 "t.conf:2: ports.wan: addresses: 10.0.0.0/24 is the name of the network, not of a "
		 "host in it"},
		{ADDRESSES("\"10.0.0.255/24\""),
		 "t.conf:2: ports.wan: addresses: 10.0.0.255/24 is the broadcast address of its "
		 "network"},
		{ADDRESSES("\"224.0.0.5/24\""),
		 "t.conf:2: ports.wan: addresses: 224.0.0.5/24 is not an address that a host can "
		 "have"},
		{ADDRESSES("\"10.0.0.1/0\""),
		 "t.conf:2: ports.wan: addresses: 10.0.0.1/0 needs a prefix of at least 1"},
		{ADDRESSES("\"10.0.0.1/24\", \"10.0.0.1/16\""),
		 "t.conf:2: ports.wan: addresses: 10.0.0.1/16 is already an address of port "
		 "\"wan\""},
		{ADDRESSES(""), "t.conf:2: ports.wan: addresses is empty"},
		{DAEMON
		 "ports = ( { name = \"a\"; device = \"x\"; addresses = [ \"10.0.0.1/24\" ]; },\n"
		 "{ name = \"b\"; device = \"x\"; addresses = [ \"10.0.0.1/24\" ]; } "
		 ");\n" FUNCTIONS CHAINS,
		 "t.conf:3: ports.b: addresses: 10.0.0.1/24 is already an address of port \"a\"\n"
		 "t.conf:3: ports.b: device is already that of port \"a\""},
	};

	(void)state;
	CHECK(rows);
}

static void test_network(void **state)
{
	static const struct row rows[] = {
		{BASE "routes = ( { to = \"0.0.0.0/0\"; via = \"10.9.9.9\"; } );\n",
		 "t.conf:5: routes[0]: via 10.9.9.9 is on no network that a port is connected to"},
		{BASE "routes = ( { to = \"0.0.0.0/0\"; via = \"10.0.0.1\"; } );\n",
		 "t.conf:5: routes[0]: via 10.0.0.1 is an address of our own port \"wan\""},
		{BASE "routes = ( { to = \"10.9.9.1/24\"; via = \"10.0.0.2\"; } );\n",
		 "t.conf:5: routes[0]: to 10.9.9.1/24 has bits set behind its prefix"},
		{BASE "routes = ( { to = \"10.9.9.0/24\"; via = \"10.0.0.2\"; },\n"
		      "{ to = \"10.9.9.0/24\"; via = \"10.0.0.3\"; } );\n",
		 "t.conf:6: routes[1]: line 5 already has a route to this network"},
		{BASE "routes = ( { to = \"::/0\"; via = \"fe80::1\"; } );\n",
		 "t.conf:5: routes[0]: via fe80::1 is link-local: say on which port: "
		 "\"fe80::1%PORT\""},
		{BASE "routes = ( { to = \"::/0\"; via = \"fe80::1%lan\"; },\n"
		      "{ to = \"fd30::/16\"; via = \"10.0.0.2\"; },\n"
		      "{ to = \"fd40::1/64\"; via = \"fe80::1%wan\"; } );\n",
		 "t.conf:5: routes[0]: via: there is no port \"lan\"\n"
		 "t.conf:6: routes[1]: to and via are not of one family\n"
		 "t.conf:7: routes[2]: to fd40::1/64 has bits set behind its prefix"},
		{BASE
		 "upstreams = ( { name = \"web\"; servers = ( { address = \"10.9.9.9:80\"; } ); } "
		 ");\n",
		 "t.conf:5: upstreams.web.servers[0]: address 10.9.9.9:80 cannot be reached: no "
		 "port and no route leads there"},
		{BASE "upstreams = ( { name = \"web\"; servers = ( { address = \"10.0.0.9:0\"; },\n"
		      "{ address = \"10.0.0.9\"; },\n{ address = \"[fd10::1]:80\"; } ); } );\n",
		 "t.conf:5: upstreams.web.servers[0]: address \"10.0.0.9:0\" must be ADDRESS:PORT "
		 "or NAME:PORT\n"
		 "t.conf:6: upstreams.web.servers[1]: address \"10.0.0.9\" must be ADDRESS:PORT or "
		 "NAME:PORT\n"
		 "t.conf:7: upstreams.web.servers[2]: address [fd10::1]:80 cannot be reached: no "
		 "port and no route leads there"},
		{BASE "upstreams = ( { name = \"web\"; servers = ( { address = \"fd10::1:80\"; },\n"
		      "{ address = \"[fe80::1]:80\"; } ); } );\n",
		 "t.conf:5: upstreams.web.servers[0]: address \"fd10::1:80\" must be ADDRESS:PORT "
		 "or NAME:PORT\n"
		 "t.conf:6: upstreams.web.servers[1]: address [fe80::1]:80 is link-local: a port "
		 "makes "
		 "its own, and nothing else can be meant by one"},
		{BASE
		 "upstreams = ( { name = \"web\"; servers = ( { address = \"10.0.0.9:80\"; },\n"
		 "{ address = \"10.0.0.9:80\"; } ); } );\n",
		 "t.conf:6: upstreams.web: server 10.0.0.9:80 stands there twice"},
		{BASE
		 "upstreams = ( { name = \"web\"; servers = ( { address = \"10.0.0.1:80\"; } ); } "
		 ");\n",
		 "t.conf:4: chains.www: listen 10.0.0.1:80 is also a server of upstream \"web\": "
		 "requests would go in circles"},
		{DAEMON PORTS FUNCTIONS
		 "chains = ( { name = \"www\"; listen = [ \"10.0.0.2:80\",\n"
		 "\"10.0.0.1:80\",\n\"10.0.0.1:80\" ]; path = [ \"guard\" ]; } );\n",
		 "t.conf:4: chains.www: listen 10.0.0.2:80: no port has this address\n"
		 "t.conf:6: chains.www: listen 10.0.0.1:80 stands there twice"},
		/* A wrong port is said once: nothing is concluded from the addresses it lacks. */
		{DAEMON
		 "ports = ( { name = \"wan\"; device = \"x\"; addresses = [ \"10.0.0.1/40\" ]; } "
		 ");\n" FUNCTIONS CHAINS
		 "routes = ( { to = \"0.0.0.0/0\"; via = \"10.0.0.2\"; } );\n",
		 "t.conf:2: ports.wan: addresses \"10.0.0.1/40\": the prefix must be 0 to 32"},
	};

	(void)state;
	CHECK(rows);
}

static void test_syntax(void **state)
{
	static const struct row rows[] = {
		{BASE "x = ;\n", "t.conf:5: syntax error"},
		{BASE "x = \"a\n\\\"b;\n", "t.conf:5: the string that begins here is not ended"},
		{BASE "\n/* x\n", "t.conf:6: the comment that begins here is not ended"},
		{BASE "daemon = { };\n", "t.conf:5: duplicate setting name"},
		{BASE "@include \"nowhere.conf\"\n",
		 "t.conf:5: cannot read nowhere.conf: No such file or directory"},
		{BASE "@include \"plugins\"\n", "t.conf:5: cannot read plugins: Is a directory"},
		{BASE "@include \"/etc/x.conf\"\n",
		 "t.conf:5: @include \"/etc/x.conf\": the path must be relative to the folder of "
		 "t.conf"},
		{"@include \"t.conf\"\n", "t.conf:1: @include \"t.conf\": nested too deep"},
		{DAEMON PORTS FUNCTION("config = { big = 0xfffffffff;\n text = \"\\xff\"; far = "
				       "1e999;\n # 99999999999\n ok = 99999999999L; };") CHAINS,
		 "t.conf:3: the number 0xfffffffff does not fit: 32 bits, or 64 with an L behind "
		 "it\n"
		 "t.conf:4: the number 1e999 does not fit: 32 bits, or 64 with an L behind it"},
		{DAEMON PORTS FUNCTION("config = {\n text = \"\\xff\"; };") CHAINS,
		 "t.conf:4: functions.guard: config: the string is not UTF-8 text"},
	};

	(void)state;
	CHECK(rows);
}

static void test_missing_file(void **state)
{
	char *errors = fixture_errors("none.conf");

	(void)state;
	assert_string_equal(errors,
			    "none.conf:1: cannot read none.conf: No such file or directory");
	free(errors);
}

/* Errors of an included file carry its name, and stand together. */
static void test_included_errors(void **state)
{
	char *errors;

	(void)state;
	assert_int_equal(mkdir("parts", 0755), 0);
	fixture_write("parts/net.conf", "\nports = ( { name = \"wan\"; device = \"x\"; mtu = 1;\n"
					"addresses = [ \"10.0.0.1/24\" ]; } );\n");
	fixture_write("main.conf", DAEMON "@include \"parts/net.conf\"\n" FUNCTIONS
					  "chains = ( { name = \"www\"; listen = \"10.0.0.2:80\"; "
					  "path = [ \"guard\" ]; } );\nx = 1;\n");
	errors = fixture_errors("main.conf");
	assert_string_equal(errors, "parts/net.conf:2: ports.wan: mtu is 1; it may be 576 to 9216\n"
				    "main.conf:5: unknown key \"x\"");
	free(errors);
}

static void test_included_syntax(void **state)
{
	char *errors;

	(void)state;
	assert_int_equal(mkdir("etc", 0755), 0);
	fixture_write("etc/main.conf", "@include \"bad.conf\"\n");
	fixture_write("etc/bad.conf", "\nx = ;\n");
	errors = fixture_errors("etc/main.conf");
	assert_string_equal(errors, "etc/bad.conf:2: syntax error");
	free(errors);
}

/* More errors than are kept: the first by line are, and all are counted. */
static void test_many_errors(void **state)
{
	struct conf_errors errors = {0};
	char expected[64];

	(void)state;
	for (unsigned i = 50; i > 0; i--)
		conf_error(&errors, &(struct conf_place){"f", i}, "e%u", i);
	assert_int_equal(errors.count, 50);
	for (unsigned i = 0; i < CONF_ERRORS_MAX; i++) {
		snprintf(expected, sizeof(expected), "f:%u: e%u", i + 1, i + 1);
		assert_string_equal(errors.text[i], expected);
	}
	conf_errors_clear(&errors);
	assert_int_equal(errors.count, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

/* 1 group of 4096 takes 8192 numbers, the second the other half; line 7 is one too many. */
static void test_servers(void **state)
{
	char *text = malloc(1 << 20), *errors, *at = text;

	(void)state;
	at += sprintf(at, BASE "upstreams = (");
	for (unsigned group = 0; group < 3; group++) {
		at += sprintf(at, "%s\n{ name = \"g%u\"; servers = (", group ? "," : "", group);
		for (unsigned i = 0; i < (group < 2 ? 4096 : 1); i++)
			at += sprintf(at, "%s{ address = \"10.0.0.2:%u\"; }", i ? "," : "", 1 + i);
		at += sprintf(at, "); }");
	}
	sprintf(at, " );\n");
	fixture_write("t.conf", text);
	errors = fixture_errors("t.conf");
	assert_string_equal(errors,
			    "t.conf:8: upstreams.g2: too many servers: twice as many as each "
			    "group has (8 at least) are 16392 with this one, of 16384");
	free(errors);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_keys),
		TEST(test_servers),
		TEST(test_types),
		TEST(test_values),
		TEST(test_names),
		TEST(test_addresses),
		TEST(test_network),
		TEST(test_syntax),
		TEST(test_missing_file),
		TEST(test_included_errors),
		TEST(test_included_syntax),
		cmocka_unit_test(test_many_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
