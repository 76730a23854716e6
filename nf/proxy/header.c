/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/proxy/header.h"

#include <string.h>

#include "nf/proxy/header_priv.h"

/* As far as the text goes, it is this one. */
static bool begins_as(struct sluice_str text, const char *begin, uint32_t len)
{
	return !memcmp(text.ptr, begin, text.len < len ? text.len : len);
}

enum header_result header_read(struct sluice_str text, struct header *out)
{
	*out = (struct header){0};
	if (!text.len)
		return HEADER_MORE;
	if (begins_as(text, HEADER_SIGNATURE, HEADER_SIGNATURE_BYTES))
		return header_read_v2(text, out);
	return begins_as(text, "PROXY ", 6) ? header_read_v1(text, out) : HEADER_BAD;
}

/* Of two families there is nothing to say: UNKNOWN, or LOCAL. */
static uint32_t write_unknown(enum header_version version, uint8_t *out)
{
	static const char line[] = "PROXY UNKNOWN\r\n";
	static const uint8_t rest[4] = {0x20, 0, 0, 0};

	if (version == HEADER_V1) {
		memcpy(out, line, sizeof(line) - 1);
		return sizeof(line) - 1;
	}
	memcpy(out, HEADER_SIGNATURE, HEADER_SIGNATURE_BYTES);
	memcpy(out + HEADER_SIGNATURE_BYTES, rest, sizeof(rest));
	return HEADER_SIGNATURE_BYTES + sizeof(rest);
}

uint32_t header_write(enum header_version version, const struct sluice_peer *client,
		      const struct sluice_peer *local, uint8_t *out)
{
	if (client->family != local->family)
		return write_unknown(version, out);
	return version == HEADER_V1 ? header_write_v1(client, local, out)
				    : header_write_v2(client, local, out);
}
