/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses and endpoints, of either IP family.
 *
 * An address is held in network byte order, as it stands in a packet; an IPv4
 * address uses the first four bytes and leaves the others zero, so that two
 * addresses are equal when their bytes are. Ports are in host byte order.
 *
 * Link-local and group addresses of IPv6 mean something on one link only (RFC 4007): they carry
 * the port they belong to as their zone, wherever the stack keeps them, and are equal
 * when that is the same too.
 */
#ifndef L4STACK_BASE_ADDR_H
#define L4STACK_BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum addr_family { ADDR_NONE = 0, ADDR_IP4 = 4, ADDR_IP6 = 6 };

struct addr {
	uint8_t bytes[16];
	uint8_t family; /* enum addr_family */
	uint8_t zone;   /* of fe80::/10 and ff00::/8: the port's number and 1; otherwise 0 */
	uint8_t pad[2];
};

struct endpoint {
	struct addr addr;
	uint16_t port; /* host byte order */
};

/* Room for "[ffff:…:ffff]:65535" and a NUL. */
#define ADDR_TEXT_MAX     48
#define ENDPOINT_TEXT_MAX 64

static inline bool addr_equal(const struct addr *a, const struct addr *b)
{
	return __builtin_memcmp(a, b, offsetof(struct addr, pad)) == 0;
}

/* An order for tables: by family, then by bytes, then by zone. Negative, 0 or positive. */
int addr_compare(const struct addr *a, const struct addr *b);

/* True when the first `prefix` bits of both are the same (and the family). */
bool addr_in_prefix(const struct addr *a, const struct addr *net, unsigned prefix);

/* The first `prefix` bits of it, the others zero: the network an address is on. */
struct addr addr_mask(const struct addr *a, unsigned prefix);

/* Parses "10.0.0.1" or "fd10::1". 0, or -EINVAL. */
int addr_parse(const char *text, struct addr *out);

/* Parses "10.0.0.1:80" or "[fd10::1]:80". 0, or -EINVAL. */
int endpoint_parse(const char *text, struct endpoint *out);

/* Both write at most `size` bytes with the NUL, and return `buf`. */
const char *addr_format(const struct addr *a, char *buf, size_t size);
const char *endpoint_format(const struct endpoint *e, char *buf, size_t size);

/* How long a prefix of this family can be. */
static inline unsigned addr_bits(uint8_t family)
{
	return family == ADDR_IP4 ? 32 : family == ADDR_IP6 ? 128 : 0;
}

static inline struct addr addr_from_ip6(const void *bytes)
{
	struct addr a = {.family = ADDR_IP6};

	__builtin_memcpy(a.bytes, bytes, sizeof(a.bytes));
	return a;
}

/* RFC 4291 §2.5.6 */
static inline bool addr_is_link_local(const struct addr *a)
{
	return a->family == ADDR_IP6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

/* Of IPv6: RFC 4291 §2.7 */
static inline bool addr_is_group(const struct addr *a)
{
	return a->family == ADDR_IP6 && a->bytes[0] == 0xff;
}

/* The address as it is on a port: with the zone, if it is of those that have one. */
static inline struct addr addr_on_port(const struct addr *a, uint16_t port)
{
	struct addr out = *a;

	out.zone = addr_is_link_local(a) || addr_is_group(a) ? (uint8_t)(port + 1) : 0;
	return out;
}

/* All zero: "any" of its family. */
static inline bool addr_is_any(const struct addr *a)
{
	static const uint8_t zero[16];

	return __builtin_memcmp(a->bytes, zero, sizeof(zero)) == 0;
}

/* All sixteen bytes are one store: an address is copied as a whole soon after, and a load that
 * spans two stores waits for both to reach the cache. */
static inline struct addr addr_from_ip4(uint32_t network_order)
{
	typedef uint32_t words __attribute__((vector_size(16)));
	const words bytes = {network_order};
	const uint32_t rest = ADDR_IP4; /* the family, in memory the first byte of it */
	struct addr a;

	__builtin_memcpy(a.bytes, &bytes, sizeof(bytes));
	__builtin_memcpy(&a.family, &rest, sizeof(rest));
	return a;
}

static inline uint32_t addr_ip4(const struct addr *a)
{
	uint32_t v;

	__builtin_memcpy(&v, a->bytes, sizeof(v));
	return v;
}

#endif
