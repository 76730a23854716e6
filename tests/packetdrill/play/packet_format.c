/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>

#include "tests/packetdrill/play/script.h"

struct out {
	char *at;
	size_t room;
};

static void put(struct out *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct out *out, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(out->at, out->room, format, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= out->room)
		n = out->room ? (int)out->room - 1 : 0;
	out->at += n;
	out->room -= (size_t)n;
}

static void put_flags(struct out *out, uint16_t flags)
{
	static const char letters[] = "FSRPUEWA";
	static const uint16_t bits[] = {FLAG_FIN, FLAG_SYN, FLAG_RST, FLAG_PSH,
					FLAG_URG, FLAG_ECE, FLAG_CWR, FLAG_AE};

	for (int i = 0; letters[i]; i++)
		if (flags & bits[i])
			put(out, "%c", letters[i]);
	if (flags & FLAG_ACK)
		put(out, ".");
	else if (!flags)
		put(out, "-");
}

static void put_raw(struct out *out, const struct packet_option *option)
{
	for (int i = 0; i < option->bytes; i++)
		put(out, "%02x", option->raw[i]);
}

static void put_option(struct out *out, const struct packet_option *option)
{
	switch (option->kind) {
	case OPTION_EOL:
		put(out, "eol");
		break;
	case OPTION_NOP:
		put(out, "nop");
		break;
	case OPTION_MSS:
		put(out, "mss %u", option->value);
		break;
	case OPTION_WSCALE:
		put(out, "wscale %u", option->value);
		break;
	case OPTION_SACK_OK:
		put(out, "sackOK");
		break;
	case OPTION_SACK:
		put(out, "sack");
		for (int i = 0; i < option->blocks; i++)
			put(out, " %u:%u", option->sack[i][0], option->sack[i][1]);
		break;
	case OPTION_TS:
		put(out, "TS val %u ecr %u", option->value, option->echo);
		break;
	case OPTION_FAST_OPEN:
		put(out, "FO ");
		put_raw(out, option);
		break;
	default:
		put(out, "kind %u ", option->kind);
		put_raw(out, option);
		break;
	}
}

static void put_options(struct out *out, const struct packet *packet)
{
	if (packet->any_options) {
		put(out, " <...>");
		return;
	}
	for (unsigned i = 0; i < packet->option_count; i++) {
		put(out, "%s", i ? "," : " <");
		put_option(out, &packet->options[i]);
	}
	if (packet->option_count)
		put(out, ">");
}

static void put_about(struct out *out, const struct packet *packet)
{
	static const char *const ecn[] = {"noecn", "ect1", "ect0", "ce"};

	if (packet->flow != 1)
		put(out, "[c%u] ", packet->flow);
	if (packet->ecn != ECN_ANY && packet->ecn != 0)
		put(out, "[%s] ", ecn[packet->ecn]);
}

void packet_format(const struct packet *packet, char *buf, size_t size)
{
	struct out out = {buf, size};

	put(&out, "%c ", packet->outbound ? '>' : '<');
	put_about(&out, packet);
	if (packet->kind == PACKET_ICMP) {
		put(&out, "icmp type %u code %u", packet->icmp_type, packet->icmp_code);
		return;
	}
	put_flags(&out, packet->flags);
	put(&out, " %u:%u(%u)", packet->seq, packet->end, packet->len);
	if (packet->flags & FLAG_ACK)
		put(&out, " ack %u", packet->ack);
	if (packet->has_window)
		put(&out, " win %u", packet->window);
	if (packet->has_urgent)
		put(&out, " urg %u", packet->urgent);
	put_options(&out, packet);
}
