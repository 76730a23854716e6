/* SPDX-License-Identifier: BSD-3-Clause */
/* Kinds of IPv6 addresses. */
#include <string.h>

#include "l4stack/ip/ip6.h"

bool ip6_is_host(const struct addr *addr)
{
	static const uint8_t low[15] = {0};
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

	if (addr_is_group(addr) || memcmp(addr->bytes, mapped, sizeof(mapped)) == 0)
		return false;
	return memcmp(addr->bytes, low, sizeof(low)) != 0 || addr->bytes[15] > 1;
}

struct addr ip6_all_nodes(uint16_t port)
{
	struct addr all = {.bytes = {0xff, 2, [15] = 1}, .family = ADDR_IP6};

	return addr_on_port(&all, port);
}

struct addr ip6_link_local(uint16_t port, const uint8_t mac[6])
{
	struct addr a = {.bytes = {0xfe, 0x80}, .family = ADDR_IP6};

	memcpy(a.bytes + 8, mac, 3);
	a.bytes[8] ^= 2;
	a.bytes[11] = 0xff;
	a.bytes[12] = 0xfe;
	memcpy(a.bytes + 13, mac + 3, 3);
	return addr_on_port(&a, port);
}
