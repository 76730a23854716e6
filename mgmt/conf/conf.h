/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The configuration as plain structures.
 *
 * conf_load reads a libconfig file, checks all of it and gives a tree that nobody changes
 * any more; conf_free ends it. Everything is in it: defaults are filled in, names are
 * resolved to pointers or indexes, addresses are parsed. One thread at a time may load;
 * a loaded tree may be read by all.
 *
 * Errors are collected, each as "FILE:LINE: text", up to CONF_ERRORS_MAX.
 */
#ifndef MGMT_CONF_CONF_H
#define MGMT_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "l4stack/base/addr.h"

#define CONF_NAME_MAX      64 /* with the NUL; a name is [A-Za-z0-9_.-]+ */
#define CONF_ERRORS_MAX    20
#define CONF_INSTANCES_MAX 64

enum conf_poll { CONF_POLL_ADAPTIVE, CONF_POLL_BUSY };
enum conf_hugepages { CONF_HUGEPAGES_AUTO, CONF_HUGEPAGES_ON, CONF_HUGEPAGES_OFF };
/* Addresses that are asked for before they are used: duplicate address detection. */
enum conf_probe { CONF_PROBE_IP6, CONF_PROBE_ALL, CONF_PROBE_NONE };
enum conf_placement { CONF_PROCESS, CONF_INLINE };
enum conf_on_failure { CONF_FAIL_REJECT, CONF_FAIL_BYPASS, CONF_FAIL_RETRY };
enum conf_balance {
	CONF_BALANCE_ROUND_ROBIN,
	CONF_BALANCE_LEAST,
	CONF_BALANCE_P2C,
	CONF_BALANCE_HASH,
	CONF_BALANCE_MAGLEV,
	CONF_BALANCE_EWMA,
	CONF_BALANCE_SOURCE,
};

/* Where something stands in the files (an @include has its own name). */
struct conf_place {
	const char *file;
	unsigned line;
};

struct conf_daemon {
	unsigned *workers; /* CPUs */
	unsigned workers_count;
	enum conf_poll poll;
	enum conf_hugepages hugepages;
	unsigned memory_mb;
	unsigned batch;            /* packets taken from a port at a time */
	unsigned copy_below_bytes; /* shorter pieces of payload are copied */
	unsigned recalls;          /* answers that each worker keeps, to give them again */
	unsigned drain_ms;         /* SIGTERM: how long exchanges may still take */
	unsigned max_connections;
	const char *run_dir;        /* holds control.sock and apps.sock */
	const char *plugin_dir;     /* where NAME.so is looked for; default: beside the binary,
				       ../lib/sluice */
	const char *user;           /* whom functions run as; NULL: a transient uid for each */
	struct endpoint *resolvers; /* servers of DNS; none: as /etc/resolv.conf says */
	unsigned resolvers_count;
	struct conf_place place;
};

struct conf_address {
	struct addr addr;
	unsigned prefix;
};

struct conf_port {
	const char *name;
	const char *device; /* DPDK's device string: "net_af_packet0,iface=eth1", "0000:00:05.0" */
	struct conf_address *addresses;
	unsigned addresses_count;
	unsigned mtu;
	unsigned vlan; /* 802.1Q; 0: none */
	enum conf_probe probe;
	bool offload;         /* false: everything in software (for comparison) */
	unsigned descriptors; /* per queue; 0: default */
	struct conf_place place;
};

struct conf_route {
	struct addr to;
	unsigned prefix;
	struct addr via;
	struct conf_place place;
};

struct conf_server {
	const char *host; /* a name, whose addresses are looked for; NULL: it has an address */
	struct endpoint endpoint;
	unsigned weight;
	unsigned max_connections; /* at a time, all workers; 0: any number */
	struct conf_place place;
};

struct conf_health {
	bool on;
	const char *path;        /* NULL: a TCP connect is enough */
	const char *host;        /* of the request; NULL: the server's address */
	const char *expect_body; /* a text that the answer's body must have; NULL: any body */
	unsigned interval_ms, timeout_ms, fall, rise;
	unsigned expect_min, expect_max; /* statuses that are healthy; 200 to 399 */
	/* passive: this many failed exchanges in a row take a server out for eject_ms; 0: off */
	unsigned max_fails, eject_ms;
	unsigned max_5xx;       /* likewise for answers of 500 and above; 0: off */
	unsigned panic_percent; /* fewer of the servers are well: all are used; 0: never */
	unsigned slow_start_ms; /* one that comes back has its full share only then */
};

/* Bounds of a group, over all workers; 0: none. */
struct conf_limits {
	unsigned connections;
	unsigned pending, pending_ms; /* exchanges in line for a connection, and for how long */
	unsigned retries;             /* under way at a time */
	unsigned retry_percent;       /* likewise, of the exchanges in flight */
};

/* When a kept connection may carry the first request of a client's connection. */
enum conf_reuse {
	CONF_REUSE_SAFE, /* if the request can be repeated, should the server close it just now */
	CONF_REUSE_ALWAYS,
	CONF_REUSE_NEVER, /* connections are not kept */
};

struct conf_upstream {
	const char *name;
	enum conf_balance balance;
	struct conf_server *servers;
	unsigned servers_count;
	struct conf_health health;
	unsigned connect_timeout_ms, response_timeout_ms, idle_timeout_ms;
	struct conf_limits limits;
	enum conf_reuse reuse;
	unsigned keepalive; /* idle connections kept for each server and worker */
	unsigned retries;   /* other servers tried when one cannot be connected */
	struct conf_place place;
};

/* What a function may do beyond its rings (`allow`). */
#define CONF_ALLOW_MAX      16
#define CONF_ALLOW_TEXT_MAX 1024

enum conf_connect_kind { CONF_CONNECT_TCP, CONF_CONNECT_UDP, CONF_CONNECT_UNIX };

struct conf_connection {
	const char *name; /* as it is written: "10.0.0.1:53", "udp:10.0.0.1:53", "unix:/run/x" */
	enum conf_connect_kind kind;
	struct endpoint endpoint; /* not of UNIX */
	const char *path;         /* UNIX only */
};

enum conf_write_kind { CONF_WRITE_FILE, CONF_WRITE_SYSLOG, CONF_WRITE_JOURNAL };

struct conf_writing {
	const char
		*name; /* as it is written: "/var/log/x", "syslog", "syslog:/dev/log", "journal" */
	enum conf_write_kind kind;
	const char *path; /* of the file, or of the receiver's socket */
};

struct conf_allow {
	const char **read; /* files, and folders with all that is in them */
	unsigned read_count;
	struct conf_connection *connect;
	unsigned connect_count;
	struct conf_writing *write;
	unsigned write_count;
};

struct conf_function {
	const char *name;
	const char *plugin;      /* "filter", or a path with a slash */
	const char *plugin_path; /* resolved */
	enum conf_placement placement;
	unsigned instances;     /* or the fewest */
	unsigned instances_max; /* more than `instances`: as many as the work needs */
	enum conf_on_failure on_failure;
	unsigned hang_ms;  /* no turn of its loop for that long: killed */
	unsigned hold_ms;  /* a head may stay with it no longer: the client gets 504 */
	unsigned arena_mb; /* payload it may produce */
	int cpu;           /* -1: any */
	const char *user;  /* NULL: the daemon's */
	struct conf_allow allow;
	/*
	 * The `config` group for the plugin, as JSON that keeps places:
	 * every node is {"l": line, "f": file, "t": "group"|"list"|"int"|"float"|"bool"|"string",
	 * "v": …}; a group's v is an object of nodes, a list's (or array's) an array. An absent
	 * config is an empty group.
	 */
	char *config_json;
	struct conf_place place;
};

/* What a request must be like; NULL: in any way. All that is given must hold. */
struct conf_condition {
	const char *path;   /* a PCRE2 pattern */
	const char *host;   /* "NAME", "*.NAME" or "~PATTERN" */
	const char *method; /* "GET" */
	const char *header; /* the name of a field */
	const char *value;  /* a pattern for its value; NULL: any */
	struct conf_place place;
};

/* Requests that fulfil `when` meet path[begin] … path[middle - 1], the others path[middle] …
 * path[end - 1]. Branches are in the order of `begin`; an inner one comes after the outer one. */
struct conf_branch {
	struct conf_condition when;
	unsigned begin, middle, end;
};

#define CONF_UPGRADES_MAX 8
#define CONF_UPGRADE_MAX  32 /* bytes of one, with its NUL */

struct conf_chain {
	const char *name;
	struct endpoint *listens;
	unsigned listens_count;
	const char *protocol;              /* "http" or "tcp" */
	const struct conf_function **path; /* those of all branches, one after the other */
	unsigned path_length;
	struct conf_branch *branches;
	unsigned branches_count;
	unsigned head_timeout_ms, idle_timeout_ms, body_timeout_ms;
	unsigned max_head_bytes, max_fields, max_target_bytes;
	unsigned min_body_bytes_per_s; /* 0: any rate */
	unsigned max_requests;         /* of a connection; 0: any number */
	unsigned max_age_ms;           /* of a connection; 0: any */
	const char **upgrades;         /* protocols that clients may change to */
	unsigned upgrades_count;
	bool connect; /* CONNECT is passed on */
	unsigned tunnel_timeout_ms;
	struct conf_tcp {
		const char *congestion;
		bool ecn;
		unsigned recv_buffer_kb, send_buffer_kb;
		unsigned keepalive_ms, keepalive_each_ms, keepalive_probes;
		unsigned user_timeout_ms;   /* 0: the stack's own */
		unsigned max_segment_bytes; /* 0: what the path allows */
		bool nagle, fast_open;
	} tcp;
	struct conf_place place;
};

/* Where an application may connect to. */
struct conf_destination {
	struct addr addr;
	unsigned prefix;
	uint16_t port; /* 0: any */
};

struct conf_application {
	const char *name;
	const char *user, *group; /* who may attach; NULL: whoever has the other */
	uint32_t uid, gid;        /* of them */
	struct endpoint *listens; /* where it may listen; a zero address: everywhere */
	unsigned listens_count;
	struct conf_destination *connects;
	unsigned connects_count;
	unsigned max_connections; /* in each worker */
	unsigned arena_mb;        /* for what it sends */
	unsigned rx_mb;           /* for what it receives, in each worker */
	unsigned recv_buffer_kb, send_buffer_kb;
	unsigned hang_ms; /* its ring full for that long: it is ended; 0: never */
	struct conf_place place;
};

struct conf {
	struct conf_daemon daemon;
	struct conf_port *ports;
	unsigned ports_count;
	struct conf_route *routes;
	unsigned routes_count;
	struct conf_upstream *upstreams;
	unsigned upstreams_count;
	struct conf_function *functions;
	unsigned functions_count;
	struct conf_chain *chains;
	unsigned chains_count;
	struct conf_application *applications;
	unsigned applications_count;
	void *arena; /* all of the above's memory */
};

/* Numbers for servers, of all groups together: a group sets aside twice as many as it has, so that
 * servers can come and go in place. */
#define CONF_SERVERS_MAX 16384
static inline unsigned conf_server_numbers(unsigned servers)
{
	return servers * 2 < 8 ? 8 : servers * 2;
}

struct conf_errors {
	unsigned count;              /* may be more than are kept */
	char *text[CONF_ERRORS_MAX]; /* "FILE:LINE: text" */
};

/* The address can be a server's: a host's, and a port or a route leads there. */
bool conf_reaches(const struct conf *conf, const struct addr *addr);

/* 0, or -EINVAL with at least one error. */
int conf_load(const char *path, struct conf **out, struct conf_errors *errors)
	__attribute__((warn_unused_result));
void conf_free(struct conf *conf);

void conf_error(struct conf_errors *errors, const struct conf_place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void conf_errors_clear(struct conf_errors *errors);

/* The file of a plugin that is named as in the configuration; a path with a slash begins with one.
 * -EINVAL with a sentence in `error`. */
int conf_plugin_find(const struct conf *conf, const char *plugin, char *path, size_t size,
		     char *error, size_t error_size) __attribute__((warn_unused_result));

/* Every key with its type, default, range and purpose, as text for people. */
void conf_print_reference(FILE *out);

#endif
