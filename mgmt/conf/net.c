/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses and networks: ports and routes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/conf/device.h"
#include "mgmt/conf/key.h"
#include "mgmt/conf/net.h"

/* Ports and routes: when one of them is wrong, no conclusions are drawn from the others. */
static void read_ports(struct reader *reader, const struct key *key,
		       const config_setting_t *setting, void *field)
{
	unsigned before = reader->errors->count;

	key_groups.read(reader, key, setting, field);
	if (reader->errors->count != before)
		reader->network_bad = true;
}

bool net_known(const struct reader *reader)
{
	return !reader->network_bad && reader->conf->ports_count > 0;
}

/* --- one address ---------------------------------------------------------------- */

static bool parse_addr(struct reader *reader, const struct key *key,
		       const config_setting_t *setting, const char *text, struct addr *out)
{
	if (addr_parse(text, out) == 0)
		return true;
	reader_error(reader, setting, "%s \"%s\" is not an address", key->name, text);
	return false;
}

/* "24" of "10.0.0.1/24": the whole text, decimal, within the family. -1: it is not. */
static int parse_prefix(const char *text, unsigned most)
{
	char *end;
	long prefix;

	if (text[0] < '0' || text[0] > '9')
		return -1;
	prefix = strtol(text, &end, 10);
	return *end || prefix > (long)most ? -1 : (int)prefix;
}

bool net_parse_network(struct reader *reader, const struct key *key,
		       const config_setting_t *setting, const char *text, struct addr *addr,
		       unsigned *prefix)
{
	const char *slash = strchr(text, '/');
	char head[ADDR_TEXT_MAX];
	int bits;

	if (!slash || (size_t)(slash - text) >= sizeof(head)) {
		reader_error(reader, setting, "%s \"%s\" must be ADDRESS/PREFIX", key->name, text);
		return false;
	}
	memcpy(head, text, (size_t)(slash - text));
	head[slash - text] = '\0';
	if (!parse_addr(reader, key, setting, head, addr))
		return false;
	bits = parse_prefix(slash + 1, addr_bits(addr->family));
	if (bits < 0)
		reader_error(reader, setting, "%s \"%s\": the prefix must be 0 to %u", key->name,
			     text, addr_bits(addr->family));
	*prefix = bits < 0 ? 0 : (unsigned)bits;
	return bits >= 0;
}

static bool read_network_text(struct reader *reader, const struct key *key,
			      const config_setting_t *setting, struct addr *addr, unsigned *prefix)
{
	const char *text = read_text(reader, key, setting);

	return text && net_parse_network(reader, key, setting, text, addr, prefix);
}

/* True when nothing is set behind the prefix. */
static bool is_network(const struct addr *addr, unsigned prefix)
{
	struct addr net = addr_mask(addr, prefix);

	return addr_equal(addr, &net);
}

static bool is_last(const struct addr *addr, unsigned prefix)
{
	uint32_t host_mask = prefix == 0 ? UINT32_MAX : UINT32_MAX >> prefix;

	return (__builtin_bswap32(addr_ip4(addr)) & host_mask) == host_mask;
}

static const char *ip4_unusable(const struct addr *addr, unsigned prefix)
{
	if (addr->bytes[0] == 0 || addr->bytes[0] == 127 || addr->bytes[0] >= 224)
		return "is not an address that a host can have";
	if (prefix < 31 && prefix > 0 && is_network(addr, prefix))
		return "is the name of the network, not of a host in it";
	if (prefix < 31 && prefix > 0 && is_last(addr, prefix))
		return "is the broadcast address of its network";
	return NULL;
}

/* RFC 4291 §2.5: not ::, ::1, or an IPv4 address in disguise. */
static const char *ip6_unusable(const struct addr *addr)
{
	static const struct addr mapped = {.bytes = {[10] = 0xff, [11] = 0xff}, .family = ADDR_IP6};
	static const struct addr low = {.family = ADDR_IP6};

	if (addr_is_group(addr) || addr_in_prefix(addr, &mapped, 96) ||
	    (addr_in_prefix(addr, &low, 127)))
		return "is not an address that a host can have";
	if (addr_is_link_local(addr))
		return "is link-local: a port makes its own, and nothing else can be meant by one";
	return NULL;
}

const char *net_unusable(const struct addr *addr, unsigned prefix)
{
	const char *why =
		addr->family == ADDR_IP6 ? ip6_unusable(addr) : ip4_unusable(addr, prefix);

	return why || prefix > 0 ? why : "needs a prefix of at least 1";
}

/* --- what is where ----------------------------------------------------------------- */

const struct conf_port *net_port_of(const struct conf *conf, const struct addr *addr)
{
	for (unsigned i = 0; i < conf->ports_count; i++)
		for (unsigned j = 0; j < conf->ports[i].addresses_count; j++)
			if (addr_equal(&conf->ports[i].addresses[j].addr, addr))
				return &conf->ports[i];
	return NULL;
}

bool net_is_connected(const struct conf *conf, const struct addr *addr)
{
	for (unsigned i = 0; i < conf->ports_count; i++) {
		const struct conf_port *port = &conf->ports[i];

		for (unsigned j = 0; j < port->addresses_count; j++)
			if (addr_in_prefix(addr, &port->addresses[j].addr,
					   port->addresses[j].prefix))
				return true;
	}
	return false;
}

bool net_is_routed(const struct conf *conf, const struct addr *addr)
{
	for (unsigned i = 0; i < conf->routes_count; i++)
		if (addr_in_prefix(addr, &conf->routes[i].to, conf->routes[i].prefix))
			return true;
	return false;
}

/* --- ports --------------------------------------------------------------------------- */

static void read_address(struct reader *reader, const struct key *key,
			 const config_setting_t *setting, struct conf_port *port)
{
	struct conf_address address = {0};
	const char *why, *text = config_setting_get_string(setting);
	const struct conf_port *other;

	if (!read_network_text(reader, key, setting, &address.addr, &address.prefix))
		return;
	why = net_unusable(&address.addr, address.prefix);
	other = net_port_of(reader->conf, &address.addr);
	if (why)
		reader_error(reader, setting, "%s: %s %s", key->name, text, why);
	else if (other)
		reader_error(reader, setting, "%s: %s is already an address of port \"%s\"",
			     key->name, text, NAME_OF(other));
	else
		port->addresses[port->addresses_count++] = address;
}

static void read_addresses(struct reader *reader, const struct key *key,
			   const config_setting_t *setting, void *field)
{
	struct conf_port *port = field;
	int length = config_setting_length(setting);

	if (!setting_is_sequence(setting)) {
		reader_type_error(reader, key, setting, "a list [ \"ADDRESS/PREFIX\", … ]");
		return;
	}
	if (length == 0)
		reader_error(reader, setting, "%s is empty", key->name);
	port->addresses =
		conf_arena_alloc(reader->arena, (size_t)length + 1, sizeof(*port->addresses));
	for (int i = 0; port->addresses && i < length; i++)
		read_address(reader, key, config_setting_get_elem(setting, (unsigned)i), port);
}

static const struct conf_port *twin_device(const struct conf *conf, const struct conf_port *port)
{
	for (const struct conf_port *other = conf->ports; other < port; other++)
		if (other->device && port->device && device_same(other->device, port->device))
			return other;
	return NULL;
}

/* RFC 8200 §5 */
#define IP6_MTU_MIN 1280

static bool has_ip6(const struct conf_port *port)
{
	for (unsigned i = 0; i < port->addresses_count; i++)
		if (port->addresses[i].addr.family == ADDR_IP6)
			return true;
	return false;
}

void check_port(struct reader *reader, const config_setting_t *setting, void *group)
{
	const struct conf_port *port = group, *other = twin_device(reader->conf, port);

	if (other && port->vlan != other->vlan)
		reader_error(reader, config_setting_get_member(setting, "device"),
			     "device is already that of port \"%s\"; ports of several VLANs on one "
			     "device are not available in this version",
			     NAME_OF(other));
	else if (other)
		reader_error(reader, config_setting_get_member(setting, "device"),
			     "device is already that of port \"%s\"", NAME_OF(other));
	if (has_ip6(port) && port->mtu < IP6_MTU_MIN)
		reader_error(reader, config_setting_get_member(setting, "mtu"),
			     "mtu %u is too small for IPv6, which needs %u", port->mtu,
			     IP6_MTU_MIN);
}

/* --- routes --------------------------------------------------------------------------- */

static void read_network(struct reader *reader, const struct key *key,
			 const config_setting_t *setting, void *field)
{
	struct conf_route *route = field;

	if (!read_network_text(reader, key, setting, &route->to, &route->prefix))
		return;
	if (!is_network(&route->to, route->prefix))
		reader_error(reader, setting, "%s %s has bits set behind its prefix", key->name,
			     config_setting_get_string(setting));
}

/* "fe80::1%PORT": a link-local address is on one port's link (RFC 4007 §11). False after an error.
 */
static bool read_zone(struct reader *reader, const config_setting_t *setting, const char *zone,
		      struct addr *via)
{
	for (unsigned i = 0; i < reader->conf->ports_count; i++) {
		const char *name = reader->conf->ports[i].name;

		if (name && strcmp(name, zone) == 0) {
			*via = addr_on_port(via, (uint16_t)i);
			return true;
		}
	}
	reader_error(reader, setting, "via: there is no port \"%s\"", zone);
	return false;
}

static void read_link_local(struct reader *reader, const struct key *key,
			    const config_setting_t *setting, const char *text, struct addr *via)
{
	const char *zone = strchr(text, '%');
	char head[ADDR_TEXT_MAX];

	snprintf(head, sizeof(head), "%.*s", (int)(zone - text), text);
	if (!parse_addr(reader, key, setting, head, via) || !net_known(reader))
		return;
	if (addr_is_link_local(via))
		read_zone(reader, setting, zone + 1, via);
	else
		reader_error(reader, setting, "%s %s: only link-local addresses name their port",
			     key->name, text);
}

static void read_via(struct reader *reader, const struct key *key, const config_setting_t *setting,
		     void *field)
{
	const char *text = read_text(reader, key, setting);
	struct addr *via = field;

	if (text && strchr(text, '%')) {
		read_link_local(reader, key, setting, text, via);
		return;
	}
	if (!text || !parse_addr(reader, key, setting, text, via) || !net_known(reader))
		return;
	if (addr_is_link_local(via))
		reader_error(reader, setting,
			     "%s %s is link-local: say on which port: \"%s%%PORT\"", key->name,
			     text, text);
	else if (net_port_of(reader->conf, via))
		reader_error(reader, setting, "%s %s is an address of our own port \"%s\"",
			     key->name, text, NAME_OF(net_port_of(reader->conf, via)));
	else if (!net_is_connected(reader->conf, via))
		reader_error(reader, setting, "%s %s is on no network that a port is connected to",
			     key->name, text);
}

void check_route(struct reader *reader, const config_setting_t *setting, void *group)
{
	const struct conf_route *route = group;

	for (const struct conf_route *other = reader->conf->routes; other < route; other++)
		if (other->prefix == route->prefix && addr_equal(&other->to, &route->to))
			reader_error(reader, setting, "line %u already has a route to this network",
				     other->place.line);
	if (route->via.family != ADDR_NONE && route->to.family != ADDR_NONE &&
	    route->via.family != route->to.family)
		reader_error(reader, setting, "to and via are not of one family");
}

const struct key_type key_ports = {"list of groups", read_ports};
const struct key_type key_addresses = {"list of addresses", read_addresses};
const struct key_type key_network = {"network", read_network};
const struct key_type key_via = {"address", read_via};
