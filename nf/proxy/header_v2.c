/* SPDX-License-Identifier: BSD-3-Clause */
/* Version 2: binary (PP §2.2). What follows the addresses (TLVs) is skipped. */
#include <string.h>

#include "nf/proxy/header_priv.h"

#define FIXED_BYTES   16
#define COMMAND_LOCAL 0x20
#define COMMAND_PROXY 0x21
#define STREAM_IP4    0x11
#define STREAM_IP6    0x21

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* Source, destination, source port, destination port. */
static bool addresses_read(const uint8_t *at, uint32_t len, uint8_t family, struct header *out)
{
	uint32_t each = family == 4 ? 4 : 16;

	if (len < 2 * each + 4)
		return false;
	out->client.family = out->local.family = family;
	memcpy(out->client.bytes, at, each);
	memcpy(out->local.bytes, at + each, each);
	out->client.port = get16(at + 2 * each);
	out->local.port = get16(at + 2 * each + 2);
	out->named = true;
	return true;
}

/* Families and transports that cannot be ours say nothing of use, and are no error. */
static bool block_read(const uint8_t *fixed, uint32_t len, struct header *out)
{
	if (fixed[12] == COMMAND_LOCAL)
		return true;
	if (fixed[12] != COMMAND_PROXY)
		return false;
	if (fixed[13] == STREAM_IP4)
		return addresses_read(fixed + FIXED_BYTES, len, 4, out);
	if (fixed[13] == STREAM_IP6)
		return addresses_read(fixed + FIXED_BYTES, len, 6, out);
	return fixed[13] >> 4 <= 3 && (fixed[13] & 15) <= 2;
}

enum header_result header_read_v2(struct sluice_str text, struct header *out)
{
	const uint8_t *fixed = (const uint8_t *)text.ptr;
	uint32_t len;

	if (text.len < FIXED_BYTES)
		return HEADER_MORE;
	if (fixed[12] != COMMAND_LOCAL && fixed[12] != COMMAND_PROXY)
		return HEADER_BAD;
	len = get16(fixed + 14);
	if (text.len - FIXED_BYTES < len)
		return HEADER_MORE;
	out->bytes = FIXED_BYTES + len;
	return block_read(fixed, len, out) ? HEADER_DONE : HEADER_BAD;
}

uint32_t header_write_v2(const struct sluice_peer *client, const struct sluice_peer *local,
			 uint8_t *out)
{
	uint32_t each = client->family == 4 ? 4 : 16;
	uint8_t *at = out + FIXED_BYTES;

	memcpy(out, HEADER_SIGNATURE, HEADER_SIGNATURE_BYTES);
	out[12] = COMMAND_PROXY;
	out[13] = client->family == 4 ? STREAM_IP4 : STREAM_IP6;
	put16(out + 14, (uint16_t)(2 * each + 4));
	memcpy(at, client->bytes, each);
	memcpy(at + each, local->bytes, each);
	put16(at + 2 * each, client->port);
	put16(at + 2 * each + 2, local->port);
	return FIXED_BYTES + 2 * each + 4;
}
