/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP options on the wire: RFC 9293 §3.1 and §3.2, RFC 7323 §2 and §3, RFC 2018. Pure.
 */
#ifndef L4STACK_TCP_TCP_OPTIONS_H
#define L4STACK_TCP_TCP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TCP_OPTIONS_MAX      40 /* bytes: the data offset has four bits */
#define TCP_OPTIONS_TS_BYTES 12 /* the time stamps alone, padded */
#define TCP_SACK_BLOCKS_MAX  4
#define TCP_FAST_COOKIE_MAX  16
#define TCP_WSCALE_MAX       14 /* RFC 7323 §2.3 */

enum tcp_option_bit {
	TCP_OPT_MSS = 1 << 0,
	TCP_OPT_WSCALE = 1 << 1,
	TCP_OPT_TS = 1 << 2,
	TCP_OPT_SACK_OK = 1 << 3, /* SACK-permitted: in SYN only */
	TCP_OPT_SACK = 1 << 4,
	TCP_OPT_USER_TIMEOUT = 1 << 5, /* RFC 5482; read only */
	TCP_OPT_FAST_OPEN = 1 << 6,    /* RFC 7413; in SYN only */
};

struct tcp_sack_block {
	uint32_t lo, hi; /* [lo, hi) */
};

struct tcp_options {
	uint32_t present; /* enum tcp_option_bit; the fields of absent options are not set */
	uint32_t tsval, tsecr;
	uint16_t mss;
	uint8_t wscale;
	uint8_t sack_blocks;
	uint32_t user_timeout_s;
	struct tcp_sack_block sack[TCP_SACK_BLOCKS_MAX];
	uint8_t fast_open_len; /* 0: a cookie is asked for */
	uint8_t fast_open[TCP_FAST_COOKIE_MAX];
};

/* Reads the options of a header. False when they are malformed: then `out` has what stood
 * before the fault. Unknown options are skipped; wrong lengths of known ones are faults. */
bool tcp_options_parse(const uint8_t *options, size_t len_bytes, struct tcp_options *out);

/* Writes what `in->present` names, padded to a multiple of four, and returns the length in
 * bytes. As many SACK blocks are written as fit into TCP_OPTIONS_MAX; the
 * others are at most as many bytes. */
size_t tcp_options_build(const struct tcp_options *in, uint8_t *out);

/* The same for time stamps alone: TCP_OPTIONS_TS_BYTES. */
static inline void tcp_options_build_ts(uint32_t tsval, uint32_t tsecr, uint8_t *out)
{
	const uint32_t head = __builtin_bswap32(0x0101080a); /* NOP, NOP, kind 8, length 10 */

	tsval = __builtin_bswap32(tsval);
	tsecr = __builtin_bswap32(tsecr);
	__builtin_memcpy(out, &head, sizeof(head));
	__builtin_memcpy(out + 4, &tsval, sizeof(tsval));
	__builtin_memcpy(out + 8, &tsecr, sizeof(tsecr));
}

#endif
