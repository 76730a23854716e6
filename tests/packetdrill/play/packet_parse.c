/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/packetdrill/play/lex.h"
#include "tests/packetdrill/play/report.h"
#include "tests/packetdrill/play/script.h"

/* ---- [what is said of IP, and of the flow] ---- */

static bool take_ecn(struct packet *packet, const char *word)
{
	static const char *const names[] = {"noecn", "ect1", "ect0", "ce"};

	for (uint8_t i = 0; i < 4; i++) {
		if (!strcmp(names[i], word)) {
			packet->ecn = i;
			return true;
		}
	}
	return false;
}

static void parse_about(struct lex *lex, struct packet *packet)
{
	do {
		const char *word = lex_word(lex);

		if (word[0] == 'c' && isdigit((unsigned char)word[1]))
			packet->flow = (unsigned)atoi(word + 1);
		else if (!strcmp(word, "new"))
			packet->fresh = true;
		else if (!strcmp(word, "badsum"))
			packet->bad_checksum = true;
		else if (!take_ecn(packet, word))
			fail("[%s]: a flow (c1, c2, ...), new, badsum, noecn, ect0, ect1 or ce",
			     word);
	} while (lex_accept(lex, ','));
	lex_expect(lex, ']');
}

/* ---- flags and numbers ---- */

static const char flag_letters[] = "FSRP.UEWA";

static uint16_t flag_of(char letter)
{
	const char *at = strchr(flag_letters, letter);

	if (!letter || !at)
		fail("there is no flag '%c'", letter);
	return (uint16_t)(1 << (at - flag_letters));
}

static uint16_t parse_flags(struct lex *lex)
{
	uint16_t flags = 0;

	if (lex_accept(lex, '-'))
		return 0;
	if (lex->token.kind == TOKEN_WORD)
		for (const char *p = lex_word(lex); *p; p++)
			flags |= flag_of(*p);
	if (lex_accept(lex, '.'))
		flags |= FLAG_ACK;
	if (!flags)
		lex_unexpected(lex, "flags");
	return flags;
}

static void parse_numbers(struct lex *lex, struct packet *packet)
{
	packet->seq = (uint32_t)lex_integer(lex);
	lex_expect(lex, ':');
	packet->end = (uint32_t)lex_integer(lex);
	lex_expect(lex, '(');
	packet->len = (uint32_t)lex_integer(lex);
	lex_expect(lex, ')');
	if (packet->end - packet->seq != packet->len)
		fail("%u:%u(%u) does not add up", packet->seq, packet->end, packet->len);
}

/* ---- options ---- */

static void parse_sack(struct lex *lex, struct packet_option *option)
{
	while (lex->token.kind == TOKEN_INTEGER && option->blocks < SACK_MOST) {
		uint32_t *block = option->sack[option->blocks++];

		block[0] = (uint32_t)lex_integer(lex);
		lex_expect(lex, ':');
		block[1] = (uint32_t)lex_integer(lex);
	}
}

static void parse_ts(struct lex *lex, struct packet_option *option)
{
	lex_expect_word(lex, "val");
	option->value = (uint32_t)lex_integer(lex);
	lex_expect_word(lex, "ecr");
	option->echo = (uint32_t)lex_integer(lex);
}

static void parse_cookie(struct lex *lex, struct packet_option *option)
{
	const char *digits = lex_hex_digits(lex);
	unsigned byte;

	for (; digits[0] && digits[1] && option->bytes < COOKIE_MOST; digits += 2) {
		sscanf(digits, "%2x", &byte);
		option->raw[option->bytes++] = (uint8_t)byte;
	}
}

static void parse_option(struct lex *lex, struct packet_option *option)
{
	if (lex_is_word(lex, "FO")) {
		option->kind = OPTION_FAST_OPEN;
		/* The cookie may begin with a digit: it is read before the next token is. */
		parse_cookie(lex, option);
	} else if (lex_is_word(lex, "md5")) {
		option->kind = OPTION_MD5;
		parse_cookie(lex, option);
	} else if (lex_accept_word(lex, "mss")) {
		option->kind = OPTION_MSS;
		option->value = (uint32_t)lex_integer(lex);
	} else if (lex_accept_word(lex, "wscale")) {
		option->kind = OPTION_WSCALE;
		option->value = (uint32_t)lex_integer(lex);
	} else if (lex_accept_word(lex, "sackOK")) {
		option->kind = OPTION_SACK_OK;
	} else if (lex_accept_word(lex, "sack")) {
		option->kind = OPTION_SACK;
		parse_sack(lex, option);
	} else if (lex_accept_word(lex, "TS")) {
		option->kind = OPTION_TS;
		parse_ts(lex, option);
	} else if (lex_accept_word(lex, "nop")) {
		option->kind = OPTION_NOP;
	} else if (lex_accept_word(lex, "eol")) {
		option->kind = OPTION_EOL;
	} else {
		lex_unexpected(lex, "an option");
	}
}

static void parse_options(struct lex *lex, struct packet *packet)
{
	if (lex->token.kind == TOKEN_ELLIPSIS) {
		lex_next(lex);
		packet->any_options = true;
	} else {
		do {
			if (packet->option_count == OPTIONS_MOST)
				fail("too many options");
			parse_option(lex, &packet->options[packet->option_count++]);
		} while (lex_accept(lex, ','));
	}
	lex_expect(lex, '>');
}

static void parse_tcp(struct lex *lex, struct packet *packet)
{
	packet->flags = parse_flags(lex);
	parse_numbers(lex, packet);
	if (lex_accept_word(lex, "ack"))
		packet->ack = (uint32_t)lex_integer(lex);
	packet->has_window = lex_accept_word(lex, "win");
	if (packet->has_window)
		packet->window = (uint32_t)lex_integer(lex);
	packet->has_urgent = lex_accept_word(lex, "urg");
	if (packet->has_urgent)
		packet->urgent = (uint32_t)lex_integer(lex);
	/* A '<' on a line of its own event begins with a time: here it can only be options. */
	if (lex_accept(lex, '<'))
		parse_options(lex, packet);
}

/* ---- icmp: [1:1001(1000)] icmp unreachable frag_needed mtu 1200 ---- */

static const struct {
	const char *name;
	uint8_t code;
} icmp_codes[] = {
	{"net_unreachable", 0},  {"host_unreachable", 1}, {"protocol_unreachable", 2},
	{"port_unreachable", 3}, {"frag_needed", 4},      {"source_route_failed", 5},
	{"net_unknown", 6},      {"host_unknown", 7},     {"net_prohibited", 9},
	{"host_prohibited", 10}, {"packet_filtered", 13},
};

static void parse_icmp(struct lex *lex, struct packet *packet)
{
	const char *code;

	packet->kind = PACKET_ICMP;
	packet->icmp_type = 3;
	lex_expect_word(lex, "unreachable");
	code = lex_word(lex);
	for (size_t i = 0; i < sizeof(icmp_codes) / sizeof(icmp_codes[0]); i++) {
		if (!strcmp(icmp_codes[i].name, code)) {
			packet->icmp_code = icmp_codes[i].code;
			if (lex_accept_word(lex, "mtu"))
				packet->mtu = (uint32_t)lex_integer(lex);
			return;
		}
	}
	fail("there is no ICMP code \"%s\"", code);
}

struct packet *packet_parse(struct lex *lex)
{
	struct packet *packet = keep(sizeof(*packet));

	packet->flow = 1;
	packet->outbound = lex_is(lex, '>');
	packet->ecn = packet->outbound ? ECN_ANY : 0;
	lex_next(lex);
	if (lex_accept(lex, '[')) {
		if (lex->token.kind != TOKEN_INTEGER) {
			parse_about(lex, packet);
		} else {
			parse_numbers(lex, packet);
			lex_expect(lex, ']');
		}
	}
	if (!packet->outbound && lex_accept_word(lex, "icmp"))
		parse_icmp(lex, packet);
	else
		parse_tcp(lex, packet);
	return packet;
}
