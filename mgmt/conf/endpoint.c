/* SPDX-License-Identifier: BSD-3-Clause */
/* Endpoints: the servers of upstreams, and where chains listen. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/conf/key.h"
#include "mgmt/conf/net.h"

#define BODY_TEXT_MAX 255
#define HOST_MAX      254 /* RFC 1035 §2.3.4, as text */

bool net_read_endpoint(struct reader *reader, const struct key *key,
		       const config_setting_t *setting, struct endpoint *out)
{
	const char *text = read_text(reader, key, setting);

	if (!text)
		return false;
	if (endpoint_parse(text, out) != 0 || out->port == 0) {
		reader_error(reader, setting, "%s \"%s\" must be ADDRESS:PORT", key->name, text);
		return false;
	}
	return true;
}

/* --- servers ------------------------------------------------------------------------ */

bool conf_reaches(const struct conf *conf, const struct addr *addr)
{
	return !net_unusable(addr, addr_bits(addr->family)) &&
	       (net_is_connected(conf, addr) || net_is_routed(conf, addr));
}

/* RFC 1123 §2.1: labels of letters, digits and hyphens; the last one has a letter, so that it is no
 * address that somebody mistyped. */
static bool is_host(const char *text, size_t len)
{
	bool letter = false;

	for (size_t i = 0, label = 0; i < len; i++, label++) {
		char c = text[i];

		if (c == '.' && (label == 0 || text[i - 1] == '-'))
			return false;
		if ((c == '-' && label == 0) || label > 63)
			return false;
		if (c != '.' && c != '-' && c != '_' && !isalnum((unsigned char)c))
			return false;
		letter = c == '.' ? false : letter || isalpha((unsigned char)c);
		if (c == '.')
			label = (size_t)-1;
	}
	return letter && len < HOST_MAX && text[len - 1] != '-';
}

/* "NAME:PORT" */
static bool parse_named(struct reader *reader, const char *text, struct conf_server *out)
{
	const char *colon = strrchr(text, ':');
	char *end, *host;
	long port;

	if (!colon || !is_host(text, (size_t)(colon - text)) || colon[1] < '1' || colon[1] > '9')
		return false;
	port = strtol(colon + 1, &end, 10);
	host = conf_arena_text(reader->arena, text);
	if (*end || port > UINT16_MAX || !host)
		return false;
	host[colon - text] = '\0';
	out->host = host;
	out->endpoint.port = (uint16_t)port;
	return true;
}

static void check_server(struct reader *reader, const struct key *key,
			 const config_setting_t *setting, const struct addr *addr)
{
	const char *text = config_setting_get_string(setting);
	const char *why = net_unusable(addr, addr_bits(addr->family));

	if (why)
		reader_error(reader, setting, "%s %s %s", key->name, text, why);
	else if (net_known(reader) && !conf_reaches(reader->conf, addr))
		reader_error(reader, setting,
			     "%s %s cannot be reached: no port and no route leads there", key->name,
			     text);
}

static void read_server(struct reader *reader, const struct key *key,
			const config_setting_t *setting, void *field)
{
	struct conf_server *server = field;
	const char *text = read_text(reader, key, setting);

	if (!text || parse_named(reader, text, server))
		return;
	if (endpoint_parse(text, &server->endpoint) != 0 || server->endpoint.port == 0)
		reader_error(reader, setting, "%s \"%s\" must be ADDRESS:PORT or NAME:PORT",
			     key->name, text);
	else
		check_server(reader, key, setting, &server->endpoint.addr);
}

/* --- resolvers ---------------------------------------------------------------------- */

/* "ADDRESS" or "ADDRESS:PORT", or a list; port 53 is the default. */
static void read_resolver(struct reader *reader, const struct key *key,
			  const config_setting_t *setting, struct conf_daemon *daemon)
{
	struct endpoint *out = &daemon->resolvers[daemon->resolvers_count];
	const char *text = read_text(reader, key, setting);

	if (!text)
		return;
	if (addr_parse(text, &out->addr) == 0)
		out->port = 53;
	else if (endpoint_parse(text, out) != 0 || out->port == 0)
		out->port = 0;
	if (out->port && out->addr.family == ADDR_IP4)
		daemon->resolvers_count++;
	else
		reader_error(reader, setting, "%s \"%s\" must be the IPv4 address of a resolver",
			     key->name, text);
}

static void read_resolvers(struct reader *reader, const struct key *key,
			   const config_setting_t *setting, void *field)
{
	struct conf_daemon *daemon = field;
	int n = setting_is_sequence(setting) ? config_setting_length(setting) : 1;

	if (n > key->max) {
		reader_error(reader, setting, "%s has %d entries; it may have %lld", key->name, n,
			     (long long)key->max);
		return;
	}
	daemon->resolvers =
		conf_arena_alloc(reader->arena, (size_t)n + 1, sizeof(*daemon->resolvers));
	for (int i = 0; daemon->resolvers && i < n; i++)
		read_resolver(reader, key,
			      setting_is_sequence(setting)
				      ? config_setting_get_elem(setting, (unsigned)i)
				      : setting,
			      daemon);
}

/* --- groups ------------------------------------------------------------------------- */

/* Less is more header than payload; the stack would not go there. */
#define SEGMENT_LEAST 88

void check_tcp(struct reader *reader, const config_setting_t *setting, void *group)
{
	const struct conf_tcp *tcp = group;

	if (tcp->max_segment_bytes && tcp->max_segment_bytes < SEGMENT_LEAST)
		reader_error(reader, config_setting_get_member(setting, "max_segment_bytes"),
			     "max_segment_bytes %u is below %u", tcp->max_segment_bytes,
			     SEGMENT_LEAST);
}

/* All groups up to this one: an error at the first for which there are no numbers left. */
static void check_servers(struct reader *reader, const config_setting_t *setting)
{
	const struct conf *conf = reader->conf;
	unsigned numbers = 0, before = 0;

	for (unsigned i = 0; i < conf->upstreams_count; i++) {
		before = numbers;
		numbers += conf_server_numbers(conf->upstreams[i].servers_count);
	}
	if (numbers > CONF_SERVERS_MAX && before <= CONF_SERVERS_MAX)
		reader_error(
			reader, setting,
			"too many servers: twice as many as each group has (8 at least) are %u "
			"with this one, of %u",
			numbers, CONF_SERVERS_MAX);
}

static void check_health(struct reader *reader, const config_setting_t *setting,
			 const struct conf_health *health)
{
	const config_setting_t *at = config_setting_get_member(setting, "health");

	if (health->expect_min > health->expect_max)
		reader_error(reader, at, "health: expect_min %u is above expect_max %u",
			     health->expect_min, health->expect_max);
	if (!health->path && (health->host || health->expect_body))
		reader_error(reader, at, "health: %s without a path has no meaning",
			     health->host ? "host" : "expect_body");
	if (health->expect_body && strlen(health->expect_body) > BODY_TEXT_MAX)
		reader_error(reader, at, "health: expect_body may have %d bytes", BODY_TEXT_MAX);
	for (const char *c = health->host; c && *c; c++)
		if (*c <= ' ' || *c == 127) {
			reader_error(reader, at, "health: host \"%s\" is not a host", health->host);
			break;
		}
}

static bool same_server(const struct conf_server *a, const struct conf_server *b)
{
	if (a->host || b->host)
		return a->host && b->host && !strcasecmp(a->host, b->host) &&
		       a->endpoint.port == b->endpoint.port;
	return a->endpoint.port && net_same_endpoint(&a->endpoint, &b->endpoint);
}

static void refuse_twin(struct reader *reader, const struct conf_server *server)
{
	char text[ENDPOINT_TEXT_MAX];

	if (server->host)
		conf_error(reader->errors, &server->place, "%s: server %s:%u stands there twice",
			   reader->where, server->host, server->endpoint.port);
	else
		conf_error(reader->errors, &server->place, "%s: server %s stands there twice",
			   reader->where, endpoint_format(&server->endpoint, text, sizeof(text)));
}

void check_upstream(struct reader *reader, const config_setting_t *setting, void *group)
{
	const struct conf_upstream *upstream = group;

	check_servers(reader, setting);
	check_health(reader, setting, &upstream->health);
	for (unsigned i = 0; i < upstream->servers_count; i++)
		for (unsigned j = 0; j < i; j++)
			if (same_server(&upstream->servers[i], &upstream->servers[j]))
				refuse_twin(reader, &upstream->servers[i]);
}

/* --- listens ------------------------------------------------------------------------------ */

const struct conf_chain *net_chain_on(const struct conf *conf, const struct endpoint *endpoint)
{
	for (unsigned i = 0; i < conf->chains_count; i++)
		for (unsigned j = 0; j < conf->chains[i].listens_count; j++)
			if (net_same_endpoint(&conf->chains[i].listens[j], endpoint))
				return &conf->chains[i];
	return NULL;
}

static const struct conf_upstream *upstream_of(const struct conf *conf,
					       const struct endpoint *endpoint)
{
	for (unsigned i = 0; i < conf->upstreams_count; i++)
		for (unsigned j = 0; j < conf->upstreams[i].servers_count; j++)
			if (!conf->upstreams[i].servers[j].host &&
			    net_same_endpoint(&conf->upstreams[i].servers[j].endpoint, endpoint))
				return &conf->upstreams[i];
	return NULL;
}

static bool listens_already(const struct conf_chain *chain, const struct endpoint *endpoint)
{
	for (unsigned i = 0; i < chain->listens_count; i++)
		if (net_same_endpoint(&chain->listens[i], endpoint))
			return true;
	return false;
}

/* True when an error was found. */
static bool refuse_listen(struct reader *reader, const config_setting_t *setting,
			  const struct conf_chain *chain, const struct endpoint *endpoint)
{
	const char *text = config_setting_get_string(setting);
	const struct conf *conf = reader->conf;

	if (listens_already(chain, endpoint))
		reader_error(reader, setting, "listen %s stands there twice", text);
	else if (net_chain_on(conf, endpoint))
		reader_error(reader, setting, "listen %s is already taken by chain \"%s\"", text,
			     NAME_OF(net_chain_on(conf, endpoint)));
	else if (upstream_of(conf, endpoint))
		reader_error(reader, setting,
			     "listen %s is also a server of upstream \"%s\": requests would go in "
			     "circles",
			     text, NAME_OF(upstream_of(conf, endpoint)));
	else if (net_known(reader) && !addr_is_any(&endpoint->addr) &&
		 !net_port_of(conf, &endpoint->addr))
		reader_error(reader, setting, "listen %s: no port has this address", text);
	else
		return false;
	return true;
}

static void read_listen(struct reader *reader, const struct key *key,
			const config_setting_t *setting, struct conf_chain *chain)
{
	struct endpoint endpoint;

	if (net_read_endpoint(reader, key, setting, &endpoint) &&
	    !refuse_listen(reader, setting, chain, &endpoint))
		chain->listens[chain->listens_count++] = endpoint;
}

static void read_listens(struct reader *reader, const struct key *key,
			 const config_setting_t *setting, void *field)
{
	struct conf_chain *chain = field;
	int length = setting_is_sequence(setting) ? config_setting_length(setting) : 1;

	if (length == 0)
		reader_error(reader, setting, "%s is empty", key->name);
	chain->listens =
		conf_arena_alloc(reader->arena, (size_t)length + 1, sizeof(*chain->listens));
	for (int i = 0; chain->listens && i < length; i++)
		read_listen(reader, key,
			    setting_is_sequence(setting)
				    ? config_setting_get_elem(setting, (unsigned)i)
				    : setting,
			    chain);
}

const struct key_type key_server = {"address:port", read_server};
const struct key_type key_resolvers = {"address(es)", read_resolvers};
const struct key_type key_listens = {"address:port(s)", read_listens};
