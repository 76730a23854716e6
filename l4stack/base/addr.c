/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

int addr_compare(const struct addr *a, const struct addr *b)
{
	int order = a->family - b->family;

	if (!order)
		order = memcmp(a->bytes, b->bytes, sizeof(a->bytes));
	return order ? order : a->zone - b->zone;
}

bool addr_in_prefix(const struct addr *a, const struct addr *net, unsigned prefix)
{
	unsigned whole = prefix / 8, rest = prefix % 8;
	uint8_t mask = (uint8_t)(0xff00 >> rest);

	if (a->family != net->family || prefix > addr_bits(a->family))
		return false;
	if (memcmp(a->bytes, net->bytes, whole) != 0)
		return false;
	return rest == 0 || ((a->bytes[whole] ^ net->bytes[whole]) & mask) == 0;
}

struct addr addr_mask(const struct addr *a, unsigned prefix)
{
	struct addr out = *a;

	for (unsigned i = 0; i < sizeof(out.bytes); i++) {
		unsigned keep = prefix <= i * 8 ? 0 : prefix - i * 8;

		if (keep < 8)
			out.bytes[i] &= (uint8_t)(0xff00 >> keep);
	}
	return out;
}

int addr_parse(const char *text, struct addr *out)
{
	struct addr a = {.family = ADDR_IP4};

	if (inet_pton(AF_INET, text, a.bytes) != 1) {
		a.family = ADDR_IP6;
		if (inet_pton(AF_INET6, text, a.bytes) != 1)
			return -EINVAL;
	}
	*out = a;
	return 0;
}

/* 1 to 5 digits and nothing else; strtoul would take signs and blanks. */
static int port_parse(const char *text, uint16_t *out)
{
	unsigned value = 0;
	size_t n = strlen(text);

	if (n == 0 || n > 5 || strspn(text, "0123456789") != n)
		return -EINVAL;
	for (; *text; text++)
		value = value * 10 + (unsigned)(*text - '0');
	if (value > UINT16_MAX)
		return -EINVAL;
	*out = (uint16_t)value;
	return 0;
}

/* The host part of "host:port" or "[host]:port"; *port is left at the port's first digit. */
static int host_split(const char *text, char *host, size_t size, const char **port)
{
	bool bracket = text[0] == '[';
	const char *end = bracket ? strchr(text, ']') : strrchr(text, ':');
	const char *start = text + bracket;

	if (!end || end < start || (size_t)(end - start) >= size)
		return -EINVAL;
	memcpy(host, start, (size_t)(end - start));
	host[end - start] = '\0';
	if (bracket && *++end != ':')
		return -EINVAL;
	*port = end + 1;
	return 0;
}

int endpoint_parse(const char *text, struct endpoint *out)
{
	struct endpoint e = {0};
	char host[ADDR_TEXT_MAX];
	const char *port;

	if (host_split(text, host, sizeof(host), &port) || addr_parse(host, &e.addr))
		return -EINVAL;
	if ((e.addr.family == ADDR_IP6) != (text[0] == '['))
		return -EINVAL;
	if (port_parse(port, &e.port))
		return -EINVAL;
	*out = e;
	return 0;
}

const char *addr_format(const struct addr *a, char *buf, size_t size)
{
	int family = a->family == ADDR_IP6 ? AF_INET6 : AF_INET;
	char text[ADDR_TEXT_MAX] = "-";

	if (a->family != ADDR_NONE)
		inet_ntop(family, a->bytes, text, sizeof(text));
	snprintf(buf, size, "%s", text);
	return buf;
}

const char *endpoint_format(const struct endpoint *e, char *buf, size_t size)
{
	char text[ADDR_TEXT_MAX];

	addr_format(&e->addr, text, sizeof(text));
	snprintf(buf, size, e->addr.family == ADDR_IP6 ? "[%s]:%u" : "%s:%u", text, e->port);
	return buf;
}
