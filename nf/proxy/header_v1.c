/* SPDX-License-Identifier: BSD-3-Clause */
/* Version 1: one line of text (PP §2.1). */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "nf/proxy/header_priv.h"

#define LINE_MAX_BYTES 107

/* The next word of the line, up to a single space (which another one follows) or its end. */
static bool word_next(const char **at, char *word, size_t size)
{
	size_t len = strcspn(*at, " ");

	if (!len || len >= size)
		return false;
	memcpy(word, *at, len);
	word[len] = 0;
	*at += len;
	return **at != ' ' || *++*at;
}

static bool address_next(const char **at, uint8_t family, struct sluice_peer *peer)
{
	char word[INET6_ADDRSTRLEN];

	peer->family = family;
	return word_next(at, word, sizeof(word)) &&
	       inet_pton(family == 4 ? AF_INET : AF_INET6, word, peer->bytes) == 1;
}

/* Decimal, without leading zeroes. */
static bool port_next(const char **at, struct sluice_peer *peer)
{
	uint32_t port = 0;
	char word[6];

	if (!word_next(at, word, sizeof(word)) || (word[0] == '0' && word[1]))
		return false;
	for (const char *p = word; *p; p++) {
		if (*p < '0' || *p > '9')
			return false;
		port = port * 10 + (uint32_t)(*p - '0');
	}
	peer->port = (uint16_t)port;
	return port <= UINT16_MAX;
}

static bool addresses_read(const char *at, uint8_t family, struct header *out)
{
	out->named = true;
	return address_next(&at, family, &out->client) && address_next(&at, family, &out->local) &&
	       port_next(&at, &out->client) && port_next(&at, &out->local) && !*at;
}

static bool line_read(const char *line, struct header *out)
{
	const char *at = line + strlen("PROXY ");
	char word[8];

	if (strncmp(line, "PROXY ", strlen("PROXY ")) != 0 || !word_next(&at, word, sizeof(word)))
		return false;
	if (!strcmp(word, "UNKNOWN")) /* the rest says nothing */
		return true;
	if (!strcmp(word, "TCP4"))
		return addresses_read(at, 4, out);
	return !strcmp(word, "TCP6") && addresses_read(at, 6, out);
}

enum header_result header_read_v1(struct sluice_str text, struct header *out)
{
	uint32_t most = text.len < LINE_MAX_BYTES ? text.len : LINE_MAX_BYTES;
	const char *end = memmem(text.ptr, most, "\r\n", 2);
	char line[LINE_MAX_BYTES + 1];
	size_t len;

	if (!end)
		return text.len < LINE_MAX_BYTES ? HEADER_MORE : HEADER_BAD;
	len = (size_t)(end - text.ptr);
	memcpy(line, text.ptr, len);
	line[len] = 0;
	out->bytes = (uint32_t)len + 2;
	return strlen(line) == len && line_read(line, out) ? HEADER_DONE : HEADER_BAD;
}

uint32_t header_write_v1(const struct sluice_peer *client, const struct sluice_peer *local,
			 uint8_t *out)
{
	int family = client->family == 4 ? AF_INET : AF_INET6;
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];

	inet_ntop(family, client->bytes, from, sizeof(from));
	inet_ntop(family, local->bytes, to, sizeof(to));
	return (uint32_t)snprintf((char *)out, HEADER_WRITE_MAX, "PROXY TCP%u %s %s %u %u\r\n",
				  client->family, from, to, client->port, local->port);
}
