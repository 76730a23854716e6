/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/packetdrill/play/codec.h"
#include "tests/support/net.h"

#include <arpa/inet.h>
#include <string.h>

#define TCP 6
#define TTL 64

#define IP4_BYTES  20
#define IP6_BYTES  40
#define TCP_BYTES  20
#define ICMP_BYTES 8

int host_parse(const char *text, struct host *out)
{
	*out = (struct host){.len = 4};
	if (inet_pton(AF_INET, text, out->bytes) == 1)
		return 0;
	out->len = 16;
	return inet_pton(AF_INET6, text, out->bytes) == 1 ? 0 : -1;
}

/* ---- checksum: RFC 9293 §3.1, with the pseudo-header ---- */

static uint16_t transport_sum(const struct host *src, const struct host *dst, const uint8_t *p,
			      size_t len)
{
	uint32_t sum = TCP + (uint32_t)len;

	sum = net_sum(src->bytes, src->len, sum);
	sum = net_sum(dst->bytes, dst->len, sum);
	return (uint16_t)~net_sum(p, len, sum);
}

/* ---- options ---- */

static uint8_t *write_sack(const struct packet_option *o, uint8_t *p)
{
	*p++ = (uint8_t)(2 + 8 * o->blocks);
	for (int i = 0; i < o->blocks; i++)
		p = net_put(net_put(p, 4, o->sack[i][0]), 4, o->sack[i][1]);
	return p;
}

static uint8_t *write_option(const struct packet_option *o, uint8_t *p)
{
	*p++ = o->kind;
	switch (o->kind) {
	case OPTION_EOL:
	case OPTION_NOP:
		return p;
	case OPTION_MSS:
		return net_put(net_put(p, 1, 4), 2, o->value);
	case OPTION_WSCALE:
		return net_put(net_put(p, 1, 3), 1, o->value);
	case OPTION_SACK_OK:
		return net_put(p, 1, 2);
	case OPTION_SACK:
		return write_sack(o, p);
	case OPTION_TS:
		return net_put(net_put(net_put(p, 1, 10), 4, o->value), 4, o->echo);
	default:
		p = net_put(p, 1, 2u + o->bytes);
		memcpy(p, o->raw, o->bytes);
		return p + o->bytes;
	}
}

/* Padded with zeros: the end of the options. */
static size_t write_options(const struct packet *packet, uint8_t *out)
{
	uint8_t room[OPTIONS_MOST * (2 + OPTION_BYTES)] = {0}, *p = room;
	size_t len;

	for (unsigned i = 0; i < packet->option_count; i++)
		p = write_option(&packet->options[i], p);
	len = (size_t)(p - room);
	len = (len + 3) / 4 * 4;
	if (len > 40)
		len = 40;
	memcpy(out, room, len);
	return len;
}

static void read_sack(const uint8_t *body, size_t len, struct packet_option *o)
{
	while (len >= 8 && o->blocks < SACK_MOST) {
		o->sack[o->blocks][0] = net_get(body, 4);
		o->sack[o->blocks++][1] = net_get(body + 4, 4);
		body += 8;
		len -= 8;
	}
}

static void read_option(const uint8_t *body, size_t len, struct packet_option *o)
{
	if (o->kind == OPTION_MSS && len == 2)
		o->value = net_get(body, 2);
	else if (o->kind == OPTION_WSCALE && len == 1)
		o->value = body[0];
	else if (o->kind == OPTION_SACK)
		read_sack(body, len, o);
	else if (o->kind == OPTION_TS && len == 8) {
		o->value = net_get(body, 4);
		o->echo = net_get(body + 4, 4);
	} else {
		o->bytes = (uint8_t)len;
		memcpy(o->raw, body, len);
	}
}

static const char *read_options(const uint8_t *p, size_t len, struct packet *out)
{
	while (len) {
		struct packet_option *o = &out->options[out->option_count++];
		size_t size = 1;

		o->kind = p[0];
		if (o->kind > OPTION_NOP) {
			if (len < 2 || p[1] < 2 || p[1] > len)
				return "an option has a wrong length";
			size = p[1];
			read_option(p + 2, size - 2, o);
		}
		p += size;
		len -= size;
	}
	return NULL;
}

/* ---- IP ---- */

static size_t ip_bytes(const struct route *route)
{
	return route->dst.len == 4 ? IP4_BYTES : IP6_BYTES;
}

static void write_ip4(const struct route *route, uint8_t protocol, uint8_t ecn, size_t len,
		      uint8_t *out)
{
	uint8_t *p = net_put(out, 2, 0x4500u | ecn);

	p = net_put(net_put(net_put(p, 2, (uint32_t)len), 2, 0), 2, 0);
	net_put(net_put(net_put(p, 1, TTL), 1, protocol), 2, 0);
	memcpy(out + 12, route->src.bytes, 4);
	memcpy(out + 16, route->dst.bytes, 4);
	net_put(out + 10, 2, (uint16_t)~net_sum(out, IP4_BYTES, 0));
}

static void write_ip6(const struct route *route, uint8_t protocol, uint8_t ecn, size_t len,
		      uint8_t *out)
{
	uint8_t *p = net_put(out, 4, 6u << 28 | (uint32_t)ecn << 20);

	net_put(net_put(net_put(p, 2, (uint32_t)len - IP6_BYTES), 1, protocol), 1, TTL);
	memcpy(out + 8, route->src.bytes, 16);
	memcpy(out + 24, route->dst.bytes, 16);
}

static void write_ip(const struct route *route, uint8_t protocol, uint8_t ecn, size_t len,
		     uint8_t *out)
{
	if (route->dst.len == 4)
		write_ip4(route, protocol, ecn, len, out);
	else
		write_ip6(route, protocol, ecn, len, out);
}

static const char *read_ip4(const uint8_t *ip, size_t len, struct packet *out, struct route *route)
{
	if (len < IP4_BYTES || (ip[0] & 15) != 5 || net_get(ip + 2, 2) != len)
		return "its IPv4 header is wrong";
	if (net_sum(ip, IP4_BYTES, 0) != 0xffff)
		return "its IPv4 checksum is wrong";
	if (ip[9] != TCP)
		return "it is not TCP";
	out->ecn = ip[1] & 3;
	route->src.len = route->dst.len = 4;
	memcpy(route->src.bytes, ip + 12, 4);
	memcpy(route->dst.bytes, ip + 16, 4);
	return NULL;
}

static const char *read_ip6(const uint8_t *ip, size_t len, struct packet *out, struct route *route)
{
	if (len < IP6_BYTES || net_get(ip + 4, 2) != len - IP6_BYTES)
		return "its IPv6 header is wrong";
	if (ip[6] != TCP)
		return "it is not TCP";
	out->ecn = ip[1] >> 4 & 3;
	route->src.len = route->dst.len = 16;
	memcpy(route->src.bytes, ip + 8, 16);
	memcpy(route->dst.bytes, ip + 24, 16);
	return NULL;
}

/* ---- TCP ---- */

size_t codec_write(const struct packet *packet, const struct route *route, const uint8_t *payload,
		   uint8_t *out)
{
	size_t ip_len = ip_bytes(route), options;
	uint8_t *tcp = out + ip_len, *p;

	options = write_options(packet, tcp + TCP_BYTES);
	p = net_put(net_put(tcp, 2, route->src_port), 2, route->dst_port);
	p = net_put(net_put(p, 4, packet->seq), 4, packet->ack);
	p = net_put(p, 2, (uint32_t)(TCP_BYTES + options) / 4 << 12 | packet->flags);
	net_put(net_put(net_put(p, 2, packet->window), 2, 0), 2, packet->urgent);
	memcpy(tcp + TCP_BYTES + options, payload, packet->len);
	options += TCP_BYTES + packet->len;
	net_put(tcp + 16, 2, transport_sum(&route->src, &route->dst, tcp, options));
	tcp[16] ^= packet->bad_checksum;
	write_ip(route, TCP, packet->ecn & 3, ip_len + options, out);
	return ip_len + options;
}

const char *codec_read(const uint8_t *bytes, size_t len, struct packet *out, struct route *route,
		       const uint8_t **payload)
{
	bool is4 = len && bytes[0] >> 4 == 4;
	size_t ip_len = is4 ? IP4_BYTES : IP6_BYTES, header;
	const uint8_t *tcp = bytes + ip_len;
	const char *wrong =
		is4 ? read_ip4(bytes, len, out, route) : read_ip6(bytes, len, out, route);

	if (wrong)
		return wrong;
	len -= ip_len;
	header = len < TCP_BYTES ? 0 : (size_t)(tcp[12] >> 4) * 4;
	if (header < TCP_BYTES || header > len)
		return "its TCP header is wrong";
	if (transport_sum(&route->src, &route->dst, tcp, len))
		return "its TCP checksum is wrong";
	route->src_port = (uint16_t)net_get(tcp, 2);
	route->dst_port = (uint16_t)net_get(tcp + 2, 2);
	out->seq = net_get(tcp + 4, 4);
	out->ack = net_get(tcp + 8, 4);
	out->flags = net_get(tcp + 12, 2) & 0x1ff;
	out->window = net_get(tcp + 14, 2);
	out->urgent = net_get(tcp + 18, 2);
	out->len = (uint32_t)(len - header);
	*payload = tcp + header;
	return read_options(tcp + TCP_BYTES, header - TCP_BYTES, out);
}

/* ---- ICMP: RFC 792; RFC 4443 for what corresponds ---- */

static void quote(const struct packet *packet, const struct route *route, uint8_t *out)
{
	struct route back = {route->dst, route->src, route->dst_port, route->src_port};
	size_t ip_len = ip_bytes(&back);

	write_ip(&back, TCP, 0, ip_len + TCP_BYTES + packet->len, out);
	net_put(net_put(net_put(out + ip_len, 2, back.src_port), 2, back.dst_port), 4, packet->seq);
}

size_t codec_write_icmp(const struct packet *packet, const struct route *route, uint8_t *out)
{
	size_t ip_len = ip_bytes(route), len = ICMP_BYTES + ip_len + 8;
	uint8_t *icmp = out + ip_len;

	memset(icmp, 0, len);
	icmp[0] = packet->icmp_type;
	icmp[1] = packet->icmp_code;
	net_put(icmp + 6, 2, packet->mtu);
	quote(packet, route, icmp + ICMP_BYTES);
	net_put(icmp + 2, 2, (uint16_t)~net_sum(icmp, len, 0));
	write_ip(route, 1, 0, ip_len + len, out);
	return ip_len + len;
}
