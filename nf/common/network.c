/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/common/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nf/common/pool.h"

#define ADDRESS_BYTES 16
#define V4_AT         12 /* IPv4 lies in the last four bytes */

static void map_v4(const uint8_t v4[4], uint8_t out[ADDRESS_BYTES])
{
	memset(out, 0, V4_AT - 2);
	out[V4_AT - 2] = out[V4_AT - 1] = 0xff;
	memcpy(out + V4_AT, v4, 4);
}

/* Splits "address/prefix"; without a prefix it is -1. */
static int split(const char *text, char *address, size_t size, long *prefix)
{
	size_t len = strcspn(text, "/");
	char *end;

	if (len >= size)
		return -EINVAL;
	memcpy(address, text, len);
	address[len] = '\0';
	*prefix = -1;
	if (text[len] == '\0')
		return 0;
	if (text[len + 1] < '0' || text[len + 1] > '9')
		return -EINVAL;
	*prefix = strtol(text + len + 1, &end, 10);
	return *end == '\0' ? 0 : -EINVAL;
}

/* Sets the bits after `prefix` in `last`; -EINVAL when `first` has one of them. */
static int widen(struct network_range *range, unsigned prefix)
{
	memcpy(range->last, range->first, ADDRESS_BYTES);
	for (unsigned bit = prefix; bit < 8 * ADDRESS_BYTES; ++bit) {
		uint8_t mask = (uint8_t)(0x80 >> bit % 8);

		if (range->first[bit / 8] & mask)
			return -EINVAL;
		range->last[bit / 8] |= mask;
	}
	return 0;
}

int network_parse(const char *text, struct network_range *out)
{
	char address[INET6_ADDRSTRLEN];
	uint8_t v4[4];
	long prefix;

	if (split(text, address, sizeof(address), &prefix))
		return -EINVAL;
	if (inet_pton(AF_INET, address, v4) == 1) {
		if (prefix > 32)
			return -EINVAL;
		map_v4(v4, out->first);
		return widen(out, prefix < 0 ? 128 : 96 + (unsigned)prefix);
	}
	if (inet_pton(AF_INET6, address, out->first) != 1 || prefix > 128)
		return -EINVAL;
	return widen(out, prefix < 0 ? 128 : (unsigned)prefix);
}

static int compare(const void *a, const void *b)
{
	const struct network_range *left = a, *right = b;

	return memcmp(left->first, right->first, ADDRESS_BYTES);
}

/* Sorts, and joins ranges that overlap. */
static void settle(struct networks *set)
{
	unsigned kept = 0;

	qsort(set->range, set->count, sizeof(*set->range), compare);
	for (unsigned i = 1; i < set->count; ++i) {
		struct network_range *last = &set->range[kept], *next = &set->range[i];

		if (memcmp(next->first, last->last, ADDRESS_BYTES) > 0)
			set->range[++kept] = *next;
		else if (memcmp(next->last, last->last, ADDRESS_BYTES) > 0)
			memcpy(last->last, next->last, ADDRESS_BYTES);
	}
	if (set->count > 0)
		set->count = kept + 1;
}

static int read_one(const struct sluice_conf *list, unsigned i, struct network_range *out)
{
	const char *text;
	int err = sluice_conf_string_at(list, i, &text);

	if (err)
		return err;
	if (network_parse(text, out))
		return sluice_conf_error(list, "\"%s\" is not a network (address/prefix)", text);
	return 0;
}

int networks_read(struct pool *pool, const struct sluice_conf *group, const char *key,
		  struct networks *out)
{
	const struct sluice_conf *list = sluice_conf_list(group, key);
	unsigned n = list ? sluice_conf_length(list) : 0;
	int err = 0;

	out->count = n;
	out->range = pool_alloc(pool, n, sizeof(*out->range));
	if (!out->range)
		return -ENOMEM;
	for (unsigned i = 0; i < n; ++i)
		if (read_one(list, i, &out->range[i]))
			err = -EINVAL;
	settle(out);
	return err;
}

void network_address(const struct sluice_peer *peer, uint8_t out[ADDRESS_BYTES])
{
	if (peer->family == 4)
		map_v4(peer->bytes, out);
	else
		memcpy(out, peer->bytes, ADDRESS_BYTES);
}

bool networks_contain(const struct networks *set, const struct sluice_peer *peer)
{
	unsigned low = 0, high = set->count;
	uint8_t address[ADDRESS_BYTES];

	network_address(peer, address);
	while (low < high) {
		unsigned middle = low + (high - low) / 2;

		if (memcmp(set->range[middle].last, address, ADDRESS_BYTES) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < set->count && memcmp(set->range[low].first, address, ADDRESS_BYTES) <= 0;
}

static char *put_byte(uint8_t byte, char *out)
{
	if (byte >= 100)
		*out++ = (char)('0' + byte / 100);
	if (byte >= 10)
		*out++ = (char)('0' + byte / 10 % 10);
	*out++ = (char)('0' + byte % 10);
	return out;
}

/* inet_ntop does it by sprintf. */
static struct sluice_str text_v4(const uint8_t *bytes, char *out)
{
	char *at = put_byte(bytes[0], out);

	for (unsigned i = 1; i < 4; ++i) {
		*at++ = '.';
		at = put_byte(bytes[i], at);
	}
	*at = '\0';
	return (struct sluice_str){out, (uint32_t)(at - out)};
}

struct sluice_str network_peer_text(const struct sluice_peer *peer, char *out)
{
	if (peer->family == 4)
		return text_v4(peer->bytes, out);
	if (!inet_ntop(AF_INET6, peer->bytes, out, NETWORK_TEXT_BYTES))
		out[0] = '\0';
	return sluice_str(out);
}
