/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_options.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are swapped");

enum option_kind {
	KIND_END = 0,
	KIND_NOP = 1,
	KIND_MSS = 2,
	KIND_WSCALE = 3,
	KIND_SACK_OK = 4,
	KIND_SACK = 5,
	KIND_TS = 8,
	KIND_USER_TIMEOUT = 28,
	KIND_FAST_OPEN = 34,
};

enum option_len {
	LEN_MSS = 4,
	LEN_WSCALE = 3,
	LEN_SACK_OK = 2,
	LEN_SACK_HEAD = 2,
	LEN_SACK_BLOCK = 8,
	LEN_TS = 10,
	LEN_USER_TIMEOUT = 4,
	LEN_FAST_OPEN_HEAD = 2,
	LEN_FAST_OPEN_LEAST = 6,
};

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t word;

	memcpy(&word, p, sizeof(word));
	return __builtin_bswap32(word);
}

static uint8_t *put8(uint8_t *p, uint8_t v)
{
	*p = v;
	return p + 1;
}

static uint8_t *put16(uint8_t *p, uint16_t v)
{
	return put8(put8(p, (uint8_t)(v >> 8)), (uint8_t)v);
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
	return put16(put16(p, (uint16_t)(v >> 16)), (uint16_t)v);
}

static bool parse_mss(const uint8_t *body, size_t len, struct tcp_options *out)
{
	if (len != LEN_MSS)
		return false;
	out->mss = get16(body);
	out->present |= TCP_OPT_MSS;
	return true;
}

static bool parse_wscale(const uint8_t *body, size_t len, struct tcp_options *out)
{
	if (len != LEN_WSCALE)
		return false;
	/* RFC 7323 §2.3: a larger shift is used as 14. */
	out->wscale = body[0] > TCP_WSCALE_MAX ? TCP_WSCALE_MAX : body[0];
	out->present |= TCP_OPT_WSCALE;
	return true;
}

static bool parse_sack(const uint8_t *body, size_t len, struct tcp_options *out)
{
	size_t blocks = (len - LEN_SACK_HEAD) / LEN_SACK_BLOCK;

	if (blocks == 0 || blocks > TCP_SACK_BLOCKS_MAX ||
	    len != LEN_SACK_HEAD + blocks * LEN_SACK_BLOCK)
		return false;
	for (size_t i = 0; i < blocks; i++, body += LEN_SACK_BLOCK)
		out->sack[i] = (struct tcp_sack_block){get32(body), get32(body + 4)};
	out->sack_blocks = (uint8_t)blocks;
	out->present |= TCP_OPT_SACK;
	return true;
}

static bool parse_ts(const uint8_t *body, size_t len, struct tcp_options *out)
{
	if (len != LEN_TS)
		return false;
	out->tsval = get32(body);
	out->tsecr = get32(body + 4);
	out->present |= TCP_OPT_TS;
	return true;
}

/* RFC 5482 §3: minutes or seconds; zero is reserved, and nothing. */
static bool parse_user_timeout(const uint8_t *body, size_t len, struct tcp_options *out)
{
	uint32_t value;

	if (len != LEN_USER_TIMEOUT)
		return false;
	value = get16(body) & 0x7fff;
	if (value) {
		out->user_timeout_s = body[0] & 0x80 ? value * 60 : value;
		out->present |= TCP_OPT_USER_TIMEOUT;
	}
	return true;
}

/* RFC 7413 §4.1.1: of another length it is as if it were not there. */
static bool parse_fast_open(const uint8_t *body, size_t len, struct tcp_options *out)
{
	size_t cookie = len - LEN_FAST_OPEN_HEAD;

	if (cookie && (len < LEN_FAST_OPEN_LEAST || cookie > TCP_FAST_COOKIE_MAX || cookie % 2))
		return true;
	out->fast_open_len = (uint8_t)cookie;
	memcpy(out->fast_open, body, cookie);
	out->present |= TCP_OPT_FAST_OPEN;
	return true;
}

static bool parse_one(const uint8_t *option, size_t len, struct tcp_options *out)
{
	switch (option[0]) {
	case KIND_MSS:
		return parse_mss(option + 2, len, out);
	case KIND_WSCALE:
		return parse_wscale(option + 2, len, out);
	case KIND_SACK_OK:
		out->present |= TCP_OPT_SACK_OK;
		return len == LEN_SACK_OK;
	case KIND_SACK:
		return parse_sack(option + 2, len, out);
	case KIND_TS:
		return parse_ts(option + 2, len, out);
	case KIND_USER_TIMEOUT:
		return parse_user_timeout(option + 2, len, out);
	case KIND_FAST_OPEN:
		return parse_fast_open(option + 2, len, out);
	default:
		return true;
	}
}

/* RFC 7323 appendix A: how nearly every segment of a connection with time stamps looks. */
static bool parse_aligned_ts(const uint8_t *options, size_t len_bytes, struct tcp_options *out)
{
	static const uint8_t head[] = {KIND_NOP, KIND_NOP, KIND_TS, LEN_TS};

	return len_bytes == TCP_OPTIONS_TS_BYTES && !memcmp(options, head, sizeof(head)) &&
	       parse_ts(options + sizeof(head), LEN_TS, out);
}

bool tcp_options_parse(const uint8_t *options, size_t len_bytes, struct tcp_options *out)
{
	size_t at = 0;

	out->present = 0;
	if (parse_aligned_ts(options, len_bytes, out))
		return true;
	while (at < len_bytes && options[at] != KIND_END) {
		size_t len;

		if (options[at] == KIND_NOP) {
			at++;
			continue;
		}
		if (len_bytes - at < 2)
			return false;
		len = options[at + 1];
		if (len < 2 || len > len_bytes - at || !parse_one(options + at, len, out))
			return false;
		at += len;
	}
	return true;
}

static uint8_t *build_sack(const struct tcp_options *in, const uint8_t *start, uint8_t *out)
{
	size_t room = TCP_OPTIONS_MAX - (size_t)(out - start) - 2 - LEN_SACK_HEAD;
	size_t blocks = in->sack_blocks;

	if (blocks > room / LEN_SACK_BLOCK)
		blocks = room / LEN_SACK_BLOCK;
	out = put16(out, KIND_NOP << 8 | KIND_NOP);
	out = put16(out, (uint16_t)(KIND_SACK << 8 | (LEN_SACK_HEAD + blocks * LEN_SACK_BLOCK)));
	for (size_t i = 0; i < blocks; i++)
		out = put32(put32(out, in->sack[i].lo), in->sack[i].hi);
	return out;
}

/* RFC 7323 appendix A: two bytes before the time stamps align them. SACK-permitted can be
 * those, which saves four bytes of a SYN; without time stamps it is padded itself. */
static uint8_t *build_sack_ok_and_ts(const struct tcp_options *in, uint8_t *out)
{
	bool sack_ok = in->present & TCP_OPT_SACK_OK, ts = in->present & TCP_OPT_TS;

	if (sack_ok && !ts)
		out = put16(out, KIND_NOP << 8 | KIND_NOP);
	if (ts)
		tcp_options_build_ts(in->tsval, in->tsecr, out);
	if (sack_ok)
		put16(out, KIND_SACK_OK << 8 | LEN_SACK_OK);
	if (ts)
		return out + TCP_OPTIONS_TS_BYTES;
	return sack_ok ? out + LEN_SACK_OK : out;
}

static uint8_t *build_fast_open(const struct tcp_options *in, uint8_t *out)
{
	size_t len = LEN_FAST_OPEN_HEAD + in->fast_open_len;

	out = put16(out, (uint16_t)(KIND_FAST_OPEN << 8 | len));
	memcpy(out, in->fast_open, in->fast_open_len);
	out += in->fast_open_len;
	for (; len % 4; len++)
		*out++ = KIND_NOP;
	return out;
}

size_t tcp_options_build(const struct tcp_options *in, uint8_t *out)
{
	uint8_t *at = out;

	if (in->present & TCP_OPT_MSS)
		at = put16(put16(at, KIND_MSS << 8 | LEN_MSS), in->mss);
	at = build_sack_ok_and_ts(in, at);
	if (in->present & TCP_OPT_WSCALE)
		at = put32(at, (uint32_t)KIND_NOP << 24 | KIND_WSCALE << 16 | LEN_WSCALE << 8 |
				       in->wscale);
	if (in->present & TCP_OPT_SACK && in->sack_blocks)
		at = build_sack(in, out, at);
	if (in->present & TCP_OPT_FAST_OPEN)
		at = build_fast_open(in, at);
	return (size_t)(at - out);
}
