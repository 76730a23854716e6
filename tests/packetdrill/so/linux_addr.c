/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/packetdrill/so/linux_addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

enum addr_family linux_addr_family(int domain)
{
	if (domain == AF_INET)
		return ADDR_IP4;
	return domain == AF_INET6 ? ADDR_IP6 : ADDR_NONE;
}

static int in4(const struct sockaddr *addr, socklen_t len, struct endpoint *out)
{
	struct sockaddr_in in;

	if (len < sizeof(in))
		return -EINVAL;
	memcpy(&in, addr, sizeof(in));
	*out = (struct endpoint){addr_from_ip4(in.sin_addr.s_addr), ntohs(in.sin_port)};
	return 0;
}

static int in6(const struct sockaddr *addr, socklen_t len, struct endpoint *out)
{
	struct sockaddr_in6 in;

	if (len < sizeof(in))
		return -EINVAL;
	memcpy(&in, addr, sizeof(in));
	*out = (struct endpoint){.addr.family = ADDR_IP6, .port = ntohs(in.sin6_port)};
	if (IN6_IS_ADDR_V4MAPPED(&in.sin6_addr)) {
		out->addr.family = ADDR_IP4;
		memcpy(out->addr.bytes, in.sin6_addr.s6_addr + 12, 4);
	} else {
		memcpy(out->addr.bytes, in.sin6_addr.s6_addr, 16);
	}
	return 0;
}

int linux_addr_in(const struct sockaddr *addr, socklen_t len, struct endpoint *out)
{
	if (!addr || len < sizeof(addr->sa_family))
		return -EINVAL;
	switch (linux_addr_family(addr->sa_family)) {
	case ADDR_IP4:
		return in4(addr, len, out);
	case ADDR_IP6:
		return in6(addr, len, out);
	default:
		return -EAFNOSUPPORT;
	}
}

static struct sockaddr_in6 out6(const struct endpoint *endpoint)
{
	struct sockaddr_in6 out = {.sin6_family = AF_INET6, .sin6_port = htons(endpoint->port)};
	uint8_t *bytes = out.sin6_addr.s6_addr;

	if (endpoint->addr.family == ADDR_IP6) {
		memcpy(bytes, endpoint->addr.bytes, 16);
	} else {
		bytes[10] = bytes[11] = 0xff;
		memcpy(bytes + 12, endpoint->addr.bytes, 4);
	}
	return out;
}

void linux_addr_out(const struct endpoint *endpoint, bool is_ip6, struct sockaddr *addr,
		    socklen_t *len)
{
	struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons(endpoint->port)};
	struct sockaddr_in6 in6 = out6(endpoint);
	socklen_t size = is_ip6 ? sizeof(in6) : sizeof(in4);

	if (!addr || !len)
		return;
	in4.sin_addr.s_addr = addr_ip4(&endpoint->addr);
	memcpy(addr, is_ip6 ? (const void *)&in6 : (const void *)&in4, size < *len ? size : *len);
	*len = size;
}
