/* SPDX-License-Identifier: BSD-3-Clause */
/* Endpoints: the servers of upstreams, and where chains listen. */
#include "mgmt/conf/key.h"
#include "mgmt/conf/net.h"

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

static void read_server(struct reader *reader, const struct key *key,
			const config_setting_t *setting, void *field)
{
	struct endpoint *endpoint = field;

	if (!net_read_endpoint(reader, key, setting, endpoint))
		return;
	if (net_unusable(&endpoint->addr, addr_bits(endpoint->addr.family)))
		reader_error(reader, setting, "%s %s %s", key->name,
			     config_setting_get_string(setting),
			     net_unusable(&endpoint->addr, addr_bits(endpoint->addr.family)));
	else if (net_known(reader) && !net_is_connected(reader->conf, &endpoint->addr) &&
		 !net_is_routed(reader->conf, &endpoint->addr))
		reader_error(reader, setting,
			     "%s %s cannot be reached: no port and no route leads there", key->name,
			     config_setting_get_string(setting));
}

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

void check_upstream(struct reader *reader, const config_setting_t *setting, void *group)
{
	const struct conf_upstream *upstream = group;
	char text[ENDPOINT_TEXT_MAX];

	check_servers(reader, setting);
	if (upstream->health.expect_min > upstream->health.expect_max)
		reader_error(reader, config_setting_get_member(setting, "health"),
			     "health: expect_min %u is above expect_max %u",
			     upstream->health.expect_min, upstream->health.expect_max);
	for (unsigned i = 0; i < upstream->servers_count; i++)
		for (unsigned j = 0; j < i; j++)
			if (net_same_endpoint(&upstream->servers[i].endpoint,
					      &upstream->servers[j].endpoint) &&
			    upstream->servers[i].endpoint.port)
				conf_error(reader->errors, &upstream->servers[i].place,
					   "%s: server %s stands there twice", reader->where,
					   endpoint_format(&upstream->servers[i].endpoint, text,
							   sizeof(text)));
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
			if (net_same_endpoint(&conf->upstreams[i].servers[j].endpoint, endpoint))
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
const struct key_type key_listens = {"address:port(s)", read_listens};
