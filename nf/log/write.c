/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "log.h"
#include "nf/common/str.h"

static void put_escape(struct text *out, const char *format, unsigned char c)
{
	char escape[8];

	snprintf(escape, sizeof(escape), format, c);
	text_put(out, sluice_str(escape));
}

/* What stands between quotes, or between spaces, cannot end there. */
void log_put_text(struct sluice_str value, bool number, struct text *out)
{
	(void)number;
	if (value.len == 0)
		text_put(out, sluice_str("-"));
	for (uint32_t i = 0; i < value.len; ++i) {
		unsigned char c = (unsigned char)value.ptr[i];

		if (c < ' ' || c >= 0x7f || c == '"' || c == '\\')
			put_escape(out, "\\x%02X", c);
		else
			text_put(out, str_make(value.ptr + i, 1));
	}
}

/* RFC 3629 §4: bytes of the character that begins here; 0: that is none. */
static uint32_t utf8_len(const unsigned char *p, uint32_t left)
{
	unsigned char low = 0x80, high = 0xbf;
	uint32_t len;

	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	low = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : low;
	high = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : high;
	if (len > left || p[1] < low || p[1] > high)
		return 0;
	for (uint32_t i = 2; i < len; ++i)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

/* RFC 8259 §7; bytes that are no UTF-8 are written as the characters of their numbers. */
static uint32_t put_json_char(const char *at, uint32_t left, struct text *out)
{
	unsigned char c = (unsigned char)*at;
	uint32_t len = 1;

	if (c == '"' || c == '\\')
		text_put(out, sluice_str("\\"));
	if (c >= 0x80)
		len = utf8_len((const unsigned char *)at, left);
	if (c < ' ' || c == 0x7f || len == 0)
		put_escape(out, "\\u%04x", c);
	else
		text_put(out, str_make(at, len));
	return len ? len : 1;
}

void log_put_json(struct sluice_str value, bool number, struct text *out)
{
	if (number) {
		text_put(out, value.len > 0 ? value : sluice_str("null"));
		return;
	}
	text_put(out, sluice_str("\""));
	for (uint32_t i = 0; i < value.len;)
		i += put_json_char(value.ptr + i, value.len - i, out);
	text_put(out, sluice_str("\""));
}
