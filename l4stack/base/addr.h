/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses and endpoints, of either IP family.
 *
 * An address is held in network byte order, as it stands in a packet; an IPv4
 * address uses the first four bytes and leaves the others zero, so that two
 * addresses are equal when their bytes are. Ports are in host byte order.
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
	uint8_t pad[3];
};

struct endpoint {
	struct addr addr;
	uint16_t port; /* host byte order */
};

/* Room for "[ffff:…:ffff]:65535" and a NUL. */
#define ADDR_TEXT_MAX     48
#define ENDPOINT_TEXT_MAX 64

bool addr_equal(const struct addr *a, const struct addr *b);

/* An order for tables: by family, then by bytes. Negative, 0 or positive. */
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

static inline struct addr addr_from_ip4(uint32_t network_order)
{
	struct addr a = {.family = ADDR_IP4};

	__builtin_memcpy(a.bytes, &network_order, sizeof(network_order));
	return a;
}

static inline uint32_t addr_ip4(const struct addr *a)
{
	uint32_t v;

	__builtin_memcpy(&v, a->bytes, sizeof(v));
	return v;
}

#endif
