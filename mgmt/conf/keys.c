/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every key of the configuration, one row each: see key.h. What a row says is what is
 * read, what is refused, and what conf_print_reference prints.
 */
#include "mgmt/conf/key.h"

/* The offset of a member, which must be of the type that the row writes. */
#define AT(s, member, type) \
	(offsetof(struct s, member) + 0 * sizeof(&((struct s *)0)->member == (type *)0))

/* clang-format off */
#define UINT(s, m, dflt, lo, hi, text)                                                             \
	{.name = #m, .type = &key_uint, .fallback = (dflt), .offset = AT(s, m, unsigned),          \
	 .min = (lo), .max = (hi), .help = (text)}
#define TEXT(s, m, kind, dflt, text)                                                               \
	{.name = #m, .type = &key_##kind, .fallback = (dflt), .offset = AT(s, m, const char *),    \
	 .help = (text)}
#define BOOL(s, m, dflt, text)                                                                     \
	{.name = #m, .type = &key_bool, .fallback = (dflt), .offset = AT(s, m, bool),              \
	 .help = (text)}
#define ENUM(s, m, list, dflt, text)                                                               \
	{.name = #m, .type = &key_enum, .fallback = (dflt), .offset = offsetof(struct s, m),       \
	 .words = (list), .help = (text)}
/* A type that fills several members itself: it is given the whole structure. */
#define WHOLE(key, kind, dflt, lo, hi, text)                                                       \
	{.name = (key), .type = &key_##kind, .fallback = (dflt), .offset = 0, .min = (lo),         \
	 .max = (hi), .help = (text)}
#define GROUPS(s, m, kind, of, dflt, lo, hi, text)                                                 \
	{.name = #m, .type = &key_##kind, .fallback = (dflt), .offset = offsetof(struct s, m),     \
	 .count = AT(s, m##_count, unsigned), .min = (lo), .max = (hi), .group = &(of),            \
	 .help = (text)}
#define GROUP(s, m, of, dflt, text)                                                                \
	{.name = #m, .type = &key_one_group, .fallback = (dflt), .offset = offsetof(struct s, m),  \
	 .group = &(of), .help = (text)}
#define END {.name = NULL}
/* clang-format on */

static const char *const poll_words[] = {"adaptive", "busy", NULL};
static const char *const hugepages_words[] = {"auto", "on", "off", NULL};
static const char *const probe_words[] = {"ip6", "all", "none", NULL};
static const char *const on_failure_words[] = {"reject", "bypass", "retry", NULL};
static const char *const balance_words[] = {"round_robin", "least", "p2c",    "hash",
					    "maglev",      "ewma",  "source", NULL};
static const char *const reuse_words[] = {"safe", "always", "never", NULL};
static const char *const placement_words[] = {"process", "inline", NULL};
static const char *const protocol_words[] = {"http", "tcp", NULL};
static const char *const congestion_words[] = {"cubic", "newreno", "bbr", NULL};

/* --- daemon ------------------------------------------------------------------------- */

static const struct key daemon_keys[] = {
	WHOLE("workers", cpus, "[ 0 ]", 0, 1023, "the CPUs that run workers, one on each"),
	ENUM(conf_daemon, poll, poll_words, "\"adaptive\"",
	     "busy: workers never sleep; adaptive: they sleep when there is nothing to do"),
	ENUM(conf_daemon, hugepages, hugepages_words, "\"auto\"", "auto: used if there are enough"),
	UINT(conf_daemon, memory_mb, "512", 64, 1048576, "for packets, connections and messages"),
	UINT(conf_daemon, max_connections, "65536", 16, 4194304,
	     "of clients and to servers, all workers"),
	UINT(conf_daemon, batch, "32", 1, 32, "packets taken from a port at a time, at most"),
	UINT(conf_daemon, copy_below_bytes, "256", 1, 9216,
	     "shorter pieces of payload are copied beside their headers, not referred to"),
	UINT(conf_daemon, recalls, "1024", 0, 65536,
	     "answers that each worker keeps, to give them again as long as functions allow; 0: "
	     "none"),
	UINT(conf_daemon, drain_ms, "30000", 0, 3600000,
	     "how long exchanges may still take after SIGTERM"),
	{.name = "run_dir",
	 .type = &key_directory,
	 .fallback = "\"/run/sluice\"",
	 .offset = AT(conf_daemon, run_dir, const char *),
	 .max = 90,
	 .help = "holds control.sock and apps.sock"},
	TEXT(conf_daemon, plugin_dir, plugin_dir, KEY_OPTIONAL,
	     "where plugins are; otherwise ../lib/sluice beside the program"),
	WHOLE("resolvers", resolvers, "()", 0, 3,
	      "servers of DNS for servers with names, \"ADDRESS\" or \"ADDRESS:PORT\", or a list; "
	      "otherwise as /etc/resolv.conf says"),
	TEXT(conf_daemon, user, user, KEY_OPTIONAL,
	     "whom functions run as; otherwise each as a user of its own"),
	END,
};

static const struct key_group daemon_group = {
	.keys = daemon_keys,
	.size = sizeof(struct conf_daemon),
	.place = offsetof(struct conf_daemon, place),
	.check = check_daemon,
};

/* --- ports -------------------------------------------------------------------------- */

static const struct key port_keys[] = {
	TEXT(conf_port, name, name, KEY_REQUIRED, "what the port is called here"),
	TEXT(conf_port, device, text, KEY_REQUIRED,
	     "DPDK's device string: \"0000:00:05.0\", \"net_af_packet0,iface=eth1\""),
	WHOLE("addresses", addresses, KEY_REQUIRED, 1, 64, "\"ADDRESS/PREFIX\", each"),
	UINT(conf_port, mtu, "1500", 576, 9216, "largest IP packet in bytes"),
	UINT(conf_port, vlan, "0", 0, 4094, "802.1Q tag of every frame; 0: none"),
	ENUM(conf_port, probe, probe_words, "\"ip6\"",
	     "addresses asked for before they are used, so that two hosts do not share one"),
	BOOL(conf_port, offload, "true", "false: checksums and segmentation in software"),
	UINT(conf_port, descriptors, "0", 0, 32768, "of each queue; 0: what the device likes"),
	END,
};

static const struct key_group port_group = {
	.keys = port_keys,
	.size = sizeof(struct conf_port),
	.place = offsetof(struct conf_port, place),
	.named = true,
	.check = check_port,
};

/* --- routes ------------------------------------------------------------------------- */

static const struct key route_keys[] = {
	WHOLE("to", network, KEY_REQUIRED, 0, 128,
	      "the network: \"0.0.0.0/0\" and \"::/0\" are everything"),
	{.name = "via",
	 .type = &key_via,
	 .fallback = KEY_REQUIRED,
	 .offset = AT(conf_route, via, struct addr),
	 .help = "the gateway, on a network of a port; \"fe80::1%PORT\" if it is link-local"},
	END,
};

static const struct key_group route_group = {
	.keys = route_keys,
	.size = sizeof(struct conf_route),
	.place = offsetof(struct conf_route, place),
	.check = check_route,
};

/* --- upstreams ---------------------------------------------------------------------- */

static const struct key server_keys[] = {
	{.name = "address",
	 .type = &key_server,
	 .fallback = KEY_REQUIRED,
	 .offset = 0,
	 .help = "\"ADDRESS:PORT\", \"[ADDRESS]:PORT\" for IPv6, or \"NAME:PORT\": all addresses "
		 "of "
		 "that name, looked up again when its TTL is over"},
	UINT(conf_server, weight, "1", 1, 256, "its share, against the others'"),
	UINT(conf_server, max_connections, "0", 0, 1000000,
	     "exchanges and connections at a time, all workers; 0: any number"),
	END,
};

static const struct key_group server_group = {
	.keys = server_keys,
	.size = sizeof(struct conf_server),
	.place = offsetof(struct conf_server, place),
};

static const struct key health_keys[] = {
	BOOL(conf_health, on, "true", "ask servers how they are"),
	TEXT(conf_health, path, uri_path, KEY_OPTIONAL,
	     "what to GET; otherwise a connect is enough"),
	TEXT(conf_health, host, text, KEY_OPTIONAL, "its Host; otherwise the server's address"),
	TEXT(conf_health, expect_body, text, KEY_OPTIONAL,
	     "a text that must be in the first 64 KB of the answer's body"),
	UINT(conf_health, interval_ms, "2000", 10, 3600000, "from one check to the next"),
	UINT(conf_health, timeout_ms, "1000", 10, 600000, "a check that takes longer has failed"),
	UINT(conf_health, fall, "3", 1, 1000, "failed checks in a row that take a server out"),
	UINT(conf_health, rise, "2", 1, 1000, "good checks in a row that bring it back"),
	UINT(conf_health, expect_min, "200", 100, 599, "the lowest status that is good"),
	UINT(conf_health, expect_max, "399", 100, 599, "the highest status that is good"),
	UINT(conf_health, max_fails, "3", 0, 1000000,
	     "failed exchanges in a row that take a server out; 0: never"),
	UINT(conf_health, max_5xx, "0", 0, 1000000,
	     "answers of 500 and above in a row that do, too; 0: never"),
	UINT(conf_health, eject_ms, "10000", 10, 3600000, "for how long they do"),
	UINT(conf_health, panic_percent, "0", 0, 100,
	     "when fewer of the servers are well, all are used; 0: never"),
	UINT(conf_health, slow_start_ms, "0", 0, 3600000,
	     "one that comes back has its whole share only after that"),
	END,
};

static const struct key_group health_group = {
	.keys = health_keys,
	.size = sizeof(struct conf_health),
	.place = KEY_NOWHERE,
};

static const struct key limits_keys[] = {
	UINT(conf_limits, connections, "0", 0, 1000000,
	     "exchanges and connections with its servers at a time; 0: any number"),
	UINT(conf_limits, pending, "0", 0, 1000000,
	     "exchanges in line for one; more get 503; 0: any number"),
	UINT(conf_limits, pending_ms, "5000", 1, 3600000, "how long they stay in line; then 503"),
	UINT(conf_limits, retries, "0", 0, 1000000, "retries under way at a time; 0: any number"),
	UINT(conf_limits, retry_percent, "0", 0, 100,
	     "likewise, of the exchanges in flight, and 3 at least; 0: any number"),
	END,
};

static const struct key_group limits_group = {
	.keys = limits_keys,
	.size = sizeof(struct conf_limits),
	.place = KEY_NOWHERE,
};

static const struct key upstream_keys[] = {
	TEXT(conf_upstream, name, name, KEY_REQUIRED, "what functions call the group"),
	ENUM(conf_upstream, balance, balance_words, "\"p2c\"",
	     "how a server is chosen; p2c: the less busy of two taken at random"),
	GROUPS(conf_upstream, servers, groups, server_group, KEY_REQUIRED, 1, 4096, "the origins"),
	GROUP(conf_upstream, health, health_group, "{ on = false; }",
	      "checks; without it only failed exchanges count"),
	UINT(conf_upstream, connect_timeout_ms, "2000", 10, 600000, "to be connected"),
	UINT(conf_upstream, response_timeout_ms, "60000", 10, 3600000,
	     "to the head of the response"),
	UINT(conf_upstream, idle_timeout_ms, "60000", 10, 3600000,
	     "of a kept connection without use"),
	GROUP(conf_upstream, limits, limits_group, "{ }", "bounds over all workers"),
	ENUM(conf_upstream, reuse, reuse_words, "\"safe\"",
	     "of kept connections; safe: the first request of a client's connection only if it can "
	     "be repeated"),
	UINT(conf_upstream, keepalive, "64", 0, 65536,
	     "idle connections kept, for each server and worker"),
	UINT(conf_upstream, retries, "1", 0, 16,
	     "other servers tried when one cannot be connected"),
	END,
};

static const struct key_group upstream_group = {
	.keys = upstream_keys,
	.size = sizeof(struct conf_upstream),
	.place = offsetof(struct conf_upstream, place),
	.named = true,
	.check = check_upstream,
};

/* --- functions ----------------------------------------------------------------------- */

static const struct key range_keys[] = {
	UINT(conf_range, min, "1", 1, CONF_INSTANCES_MAX, "as many there are when little is to do"),
	UINT(conf_range, max, KEY_REQUIRED, 1, CONF_INSTANCES_MAX, "as many there are at the most"),
	END,
};

static const struct key_group range_group = {
	.keys = range_keys,
	.size = sizeof(struct conf_range),
	.place = KEY_NOWHERE,
	.check = check_range,
};

static const struct key allow_keys[] = {
	WHOLE("read", allow_read, "()", 0, CONF_ALLOW_MAX,
	      "files, and folders with all that is in them, that it may open to read"),
	WHOLE("connect", allow_connect, "()", 0, CONF_ALLOW_MAX,
	      "\"ADDRESS:PORT\", \"udp:ADDRESS:PORT\" or \"unix:PATH\": connections made for it"),
	WHOLE("write", allow_write, "()", 0, CONF_ALLOW_MAX,
	      "files, \"syslog\", \"syslog:SOCKET\", \"journal\": written for it, line by line"),
	END,
};

static const struct key_group allow_group = {
	.keys = allow_keys,
	.size = sizeof(struct conf_allow),
	.place = KEY_NOWHERE,
};

static const struct key function_keys[] = {
	TEXT(conf_function, name, name, KEY_REQUIRED, "what paths call it"),
	WHOLE("plugin", plugin, KEY_REQUIRED, 0, 0,
	      "NAME of plugin_dir/NAME.so, or a path with a slash"),
	ENUM(conf_function, placement, placement_words, "\"process\"",
	     "a process of its own, or in the workers: faster, but not isolated"),
	{.name = "instances",
	 .type = &key_instances,
	 .fallback = "1",
	 .min = 1,
	 .max = CONF_INSTANCES_MAX,
	 .group = &range_group,
	 .help = "processes that share its work; { min; max; }: as many as it needs"},
	ENUM(conf_function, on_failure, on_failure_words, "\"reject\"",
	     "of exchanges it held: 503, skip it, or give them to its successor"),
	UINT(conf_function, hang_ms, "2000", 50, 600000,
	     "no turn of its loop for that long: restarted"),
	UINT(conf_function, hold_ms, "60000", 10, 3600000,
	     "to answer a head; what it holds for longer ends with 504"),
	UINT(conf_function, arena_mb, "64", 1, 1048576, "room for the payload that it makes"),
	{.name = "cpu",
	 .type = &key_int,
	 .fallback = "-1",
	 .offset = AT(conf_function, cpu, int),
	 .min = -1,
	 .max = 1023,
	 .help = "where it runs; -1: anywhere"},
	TEXT(conf_function, user, user, KEY_OPTIONAL,
	     "whom it runs as; otherwise the daemon's choice"),
	GROUP(conf_function, allow, allow_group, "{ }", "what it may do beyond its rings"),
	{.name = "config",
	 .type = &key_plugin_config,
	 .fallback = "{ }",
	 .offset = AT(conf_function, config_json, char *),
	 .help = "the plugin's own: see its page"},
	END,
};

static const struct key_group function_group = {
	.keys = function_keys,
	.size = sizeof(struct conf_function),
	.place = offsetof(struct conf_function, place),
	.named = true,
	.check = check_function,
};

/* --- chains --------------------------------------------------------------------------- */

static const struct key tcp_keys[] = {
	{.name = "congestion",
	 .type = &key_word,
	 .fallback = "\"cubic\"",
	 .offset = AT(conf_tcp, congestion, const char *),
	 .words = congestion_words,
	 .help = "how the sending rate is found"},
	BOOL(conf_tcp, ecn, "true", "marks instead of losses, for clients that ask for it"),
	UINT(conf_tcp, recv_buffer_kb, "1024", 16, 1048576,
	     "most that waits unread, for each connection"),
	UINT(conf_tcp, send_buffer_kb, "1024", 16, 1048576,
	     "most that waits unacknowledged, likewise"),
	UINT(conf_tcp, keepalive_ms, "0", 0, 604800000,
	     "silence after which the peer is asked whether it is there; 0: never"),
	UINT(conf_tcp, keepalive_each_ms, "75000", 100, 604800000, "between two such questions"),
	UINT(conf_tcp, keepalive_probes, "9", 1, 255, "unanswered ones that end the connection"),
	UINT(conf_tcp, user_timeout_ms, "0", 0, 604800000,
	     "how long what was sent may go without an answer; 0: 5 minutes"),
	UINT(conf_tcp, max_segment_bytes, "0", 0, 65495,
	     "payload of a packet, both ways; 0: what the path allows"),
	BOOL(conf_tcp, nagle, "false", "small segments wait for the answer to the one before"),
	BOOL(conf_tcp, fast_open, "false",
	     "a client that was here before may send its request with its first packet (RFC 7413); "
	     "the network may make one request two"),
	END,
};

static const struct key_group tcp_group = {
	.keys = tcp_keys,
	.size = sizeof(struct conf_tcp),
	.place = KEY_NOWHERE,
	.check = check_tcp,
};

static const struct key chain_keys[] = {
	TEXT(conf_chain, name, name, KEY_REQUIRED, "what the chain is called"),
	WHOLE("listen", listens, KEY_REQUIRED, 1, 64,
	      "\"ADDRESS:PORT\", or a list; 0.0.0.0: any of ours"),
	{.name = "protocol",
	 .type = &key_word,
	 .fallback = "\"http\"",
	 .offset = AT(conf_chain, protocol, const char *),
	 .words = protocol_words,
	 .help = "what its clients speak; tcp: anything, byte for byte"},
	WHOLE("path", path, KEY_REQUIRED, 1, 16,
	      "functions, in the order in which a request meets them; { when; path; else; } "
	      "branches"),
	UINT(conf_chain, head_timeout_ms, "10000", 10, 3600000,
	     "for a request's head to arrive; tcp: for early bytes that a function waits for"),
	UINT(conf_chain, idle_timeout_ms, "60000", 10, 3600000,
	     "between two requests of a connection; tcp: without a byte either way"),
	UINT(conf_chain, body_timeout_ms, "60000", 10, 3600000, "between two pieces of a body"),
	UINT(conf_chain, max_head_bytes, "16384", 1024, 65535, "a longer head is refused with 431"),
	UINT(conf_chain, max_fields, "100", 8, 1000, "more header fields are refused with 431"),
	UINT(conf_chain, max_target_bytes, "8192", 64, 65535,
	     "a longer request target is refused with 414"),
	UINT(conf_chain, min_body_bytes_per_s, "0", 0, 1000000000,
	     "a client that sends a body, or takes one, at less is not waited for; 0: any rate"),
	UINT(conf_chain, max_requests, "0", 0, 1000000000,
	     "of one connection, which is closed after the last; 0: any number"),
	UINT(conf_chain, max_age_ms, "0", 0, 604800000,
	     "of a connection: the answer then under way is its last; 0: any"),
	WHOLE("upgrade", upgrades, "()", 0, CONF_UPGRADES_MAX,
	      "protocols that clients may change to when the server agrees, \"websocket\", or a "
	      "list"),
	BOOL(conf_chain, connect, "false",
	     "CONNECT is passed to the servers, which must be proxies; otherwise refused with 501"),
	UINT(conf_chain, tunnel_timeout_ms, "3600000", 10, 604800000,
	     "of a connection after such a change, or CONNECT, on which nothing moves"),
	GROUP(conf_chain, tcp, tcp_group, "{ }", "of the clients' connections"),
	END,
};

static const struct key_group chain_group = {
	.keys = chain_keys,
	.size = sizeof(struct conf_chain),
	.place = offsetof(struct conf_chain, place),
	.named = true,
	.check = check_chain,
};

/* --- applications ---------------------------------------------------------------------- */

static const struct key application_keys[] = {
	TEXT(conf_application, name, name, KEY_REQUIRED, "what it attaches as"),
	WHOLE("user", app_user, KEY_OPTIONAL, 0, 0,
	      "who may attach; without user and group: the daemon's own user"),
	WHOLE("group", app_group, KEY_OPTIONAL, 0, 0, "a group that whoever attaches must be in"),
	WHOLE("listen", app_listens, "()", 0, 64,
	      "\"ADDRESS:PORT\", or a list: where it may listen; 0.0.0.0: anywhere"),
	WHOLE("connect", app_connects, "()", 0, 64,
	      "\"ADDRESS/PREFIX:PORT\", or a list: where it may connect; port *: any"),
	UINT(conf_application, max_connections, "1024", 1, 65536, "most of them, in each worker"),
	UINT(conf_application, arena_mb, "16", 1, 65536, "room for what it sends"),
	UINT(conf_application, rx_mb, "16", 1, 4096,
	     "room for what it receives and has not released, in each worker"),
	UINT(conf_application, recv_buffer_kb, "64", 16, 1048576,
	     "most that waits unread, for each connection"),
	UINT(conf_application, send_buffer_kb, "256", 16, 1048576,
	     "most that waits unacknowledged, likewise"),
	UINT(conf_application, hang_ms, "10000", 0, 3600000,
	     "it is ended when it takes nothing from a full ring for that long; 0: never"),
	END,
};

static const struct key_group application_group = {
	.keys = application_keys,
	.size = sizeof(struct conf_application),
	.place = offsetof(struct conf_application, place),
	.named = true,
	.check = check_application,
};

/* --- all of it -------------------------------------------------------------------------- */

const struct key conf_root_keys[] = {
	GROUP(conf, daemon, daemon_group, "{ }", "the process"),
	GROUPS(conf, ports, ports, port_group, KEY_REQUIRED, 1, 64, "network devices"),
	GROUPS(conf, routes, ports, route_group, "()", 0, 4096, "networks behind gateways"),
	GROUPS(conf, upstreams, groups, upstream_group, "()", 0, 1024, "groups of origins"),
	GROUPS(conf, functions, groups, function_group, "()", 0, 256, "network functions"),
	GROUPS(conf, chains, groups, chain_group, "()", 0, 1024,
	       "where clients come in, and their way"),
	GROUPS(conf, applications, groups, application_group, "()", 0, 64,
	       "programs that use the stack by its socket API"),
	END,
};
