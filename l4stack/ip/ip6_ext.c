/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/ip/ip6_ext.h"

#include <rte_byteorder.h>
#include <string.h>

#define HOP_BY_HOP  0
#define ROUTING     43
#define FRAGMENT    44
#define DESTINATION 60

#define UNIT          8
#define FIRST         40 /* right behind the IPv6 header */
#define HEADERS_MOST  8  /* RFC 8883 §3: a limit is ours to set */
#define OPTIONS_MOST  16 /* in one header, padding too */
#define OPTION_PAD1   0
#define OPTION_PADN   1
#define OPTION_ROUTER 5 /* router alert: for routers */

#define FRAGMENT_OFFSET 0xfff8
#define FRAGMENT_MORE   1

void ip6_fragment_read(const uint8_t *bytes, struct ip6_fragment *out)
{
	uint16_t field = (uint16_t)(bytes[2] << 8 | bytes[3]);

	out->protocol = bytes[0];
	out->offset = field & FRAGMENT_OFFSET;
	out->more = field & FRAGMENT_MORE;
	memcpy(&out->id, bytes + 4, sizeof(out->id));
}

void ip6_fragment_write(uint8_t *bytes, const struct ip6_fragment *fragment)
{
	uint16_t field = (uint16_t)(fragment->offset | fragment->more);

	bytes[0] = fragment->protocol;
	bytes[1] = 0;
	bytes[2] = (uint8_t)(field >> 8);
	bytes[3] = (uint8_t)field;
	memcpy(bytes + 4, &fragment->id, sizeof(fragment->id));
}

static bool stop(struct ip6_walk *out, enum ip6_walk_end end, uint32_t bad_at)
{
	out->end = end;
	out->bad_at = bad_at;
	return false;
}

/* RFC 8200 §4.2: the highest bits of an unknown option say what is to be done. */
static bool option_skip(uint8_t type, uint32_t at, struct ip6_walk *out)
{
	out->action = type >> 6;
	if (type == OPTION_PADN || type == OPTION_ROUTER || out->action == 0)
		return true;
	return stop(out, IP6_WALK_OPTION, at);
}

static bool options_walk(const uint8_t *bytes, uint32_t at, uint32_t end, struct ip6_walk *out)
{
	for (unsigned n = 0; at < end; n++) {
		if (n == OPTIONS_MOST)
			return stop(out, IP6_WALK_MALFORMED, at);
		if (bytes[at] == OPTION_PAD1) {
			at++;
			continue;
		}
		if (end - at < 2 || bytes[at + 1] > end - at - 2)
			return stop(out, IP6_WALK_MALFORMED, at);
		if (!option_skip(bytes[at], at, out))
			return false;
		at += 2u + bytes[at + 1];
	}
	return true;
}

/* RFC 8200 §4.4: one that has come to its end says nothing; others are for routers, and those of
 * type 0 for nobody (RFC 5095 §3). */
static bool routing_walk(const uint8_t *bytes, uint32_t at, struct ip6_walk *out)
{
	return bytes[at + 3] == 0 || stop(out, IP6_WALK_ROUTED, at + 2);
}

/* The header at out->at, all of whose `size` bytes are there. False when the walk ends with it. */
static bool header_walk(const uint8_t *bytes, uint32_t size, struct ip6_walk *out)
{
	struct ip6_fragment fragment;

	switch (out->protocol) {
	case HOP_BY_HOP:
		if (out->at != FIRST)
			return stop(out, IP6_WALK_MALFORMED, out->named_at);
		return options_walk(bytes, out->at + 2, out->at + size, out);
	case DESTINATION:
		return options_walk(bytes, out->at + 2, out->at + size, out);
	case ROUTING:
		return routing_walk(bytes, out->at, out);
	default:
		ip6_fragment_read(bytes + out->at, &fragment);
		return (fragment.offset == 0 && !fragment.more) ||
		       stop(out, IP6_WALK_FRAGMENT, out->at);
	}
}

static bool is_extension(uint8_t protocol)
{
	return protocol == HOP_BY_HOP || protocol == ROUTING || protocol == FRAGMENT ||
	       protocol == DESTINATION;
}

void ip6_walk(const uint8_t *bytes, uint32_t len, uint32_t from, uint8_t protocol,
	      uint32_t named_at, struct ip6_walk *out)
{
	*out = (struct ip6_walk){
		.end = IP6_WALK_UPPER, .protocol = protocol, .at = from, .named_at = named_at};
	for (unsigned n = 0; is_extension(out->protocol); n++) {
		uint32_t size = UNIT;

		if (n == HEADERS_MOST) {
			stop(out, IP6_WALK_MALFORMED, out->named_at);
			return;
		}
		if (out->at > len || len - out->at < UNIT) {
			stop(out, IP6_WALK_TRUNCATED, out->at);
			return;
		}
		/* A fragment header has no length: RFC 8200 §4.5. */
		if (out->protocol != FRAGMENT)
			size = UNIT * (1u + bytes[out->at + 1]);
		if (len - out->at < size) {
			stop(out, IP6_WALK_TRUNCATED, out->at);
			return;
		}
		if (!header_walk(bytes, size, out))
			return;
		out->protocol = bytes[out->at];
		out->named_at = out->at;
		out->at += size;
	}
}
