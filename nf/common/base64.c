/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/common/base64.h"

#include <string.h>

static int digit(char c, enum base64_kind kind)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == (kind == BASE64_URL ? '-' : '+'))
		return 62;
	return c == (kind == BASE64_URL ? '_' : '/') ? 63 : -1;
}

/* Without its padding; -1: that is not as it should be. */
static int64_t unpadded(struct sluice_str text, enum base64_kind kind)
{
	uint32_t len = text.len;

	if (kind == BASE64_URL)
		return len;
	while (len > 0 && text.len - len < 2 && text.ptr[len - 1] == '=')
		--len;
	return text.len % 4 == 0 ? (int64_t)len : -1;
}

int64_t base64_decode(struct sluice_str text, enum base64_kind kind, void *out, uint32_t size)
{
	int64_t len = unpadded(text, kind);
	uint32_t bits = 0, n = 0, used = 0;
	uint8_t *to = out;

	if (len < 0 || len % 4 == 1)
		return -1;
	for (int64_t i = 0; i < len; ++i) {
		int value = digit(text.ptr[i], kind);

		if (value < 0)
			return -1;
		bits = bits << 6 | (uint32_t)value;
		n += 6;
		if (n < 8)
			continue;
		n -= 8;
		if (used == size)
			return -1;
		to[used++] = (uint8_t)(bits >> n);
		bits &= (1u << n) - 1;
	}
	return bits ? -1 : (int64_t)used;
}
