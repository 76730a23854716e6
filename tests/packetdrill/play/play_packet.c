/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "tests/packetdrill/play/play.h"
#include "tests/packetdrill/play/report.h"

#define TEXT_BYTES 1024

static uint8_t bytes[PACKET_BYTES];

/* ---- to the stack ---- */

void play_packet_in(struct play *play, const struct packet *script)
{
	static uint8_t payload[PACKET_BYTES];
	struct packet wire;
	struct route route;
	size_t len;

	if (script->len > PACKET_BYTES - 128)
		fail("a packet of %u bytes is too long", script->len);
	/* The first byte of the stream comes after SYN, in whichever segment. */
	for (uint32_t i = 0; i < script->len; i++)
		payload[i] = play_sent_byte(script->seq + i - !(script->flags & FLAG_SYN));
	flow_to_wire(&play->flows, script, &wire, &route);
	if (script->kind == PACKET_ICMP)
		len = codec_write_icmp(&wire, &route, bytes);
	else
		len = codec_write(&wire, &route, payload, bytes);
	if (play->stack.netdev_send(play->stack.userdata, bytes, len))
		fail("the stack does not take the packet");
}

/* ---- from the stack ---- */

/* The next packet, as it was on the wire. False: there is none, and never will be. */
static bool take_packet(struct play *play, struct packet *wire, struct route *route,
			const uint8_t **payload, int64_t *at_us)
{
	size_t len = sizeof(bytes);
	long long sent_us = 0;
	const char *wrong;

	if (play->stack.netdev_receive(play->stack.userdata, bytes, &len, &sent_us) || len == 0)
		return false;
	memset(wire, 0, sizeof(*wire));
	memset(route, 0, sizeof(*route));
	wrong = codec_read(bytes, len, wire, route, payload);
	if (wrong)
		fail("the stack sent a packet of %zu bytes, and %s", len, wrong);
	*at_us = sent_us - play->start_us;
	return true;
}

static bool option_is(const struct play *play, const struct packet_option *expected,
		      const struct packet_option *got)
{
	int64_t slack_ms = play->script->tolerance_us / 1000;
	int32_t late_ms = (int32_t)(got->value - expected->value);

	if (expected->kind != got->kind)
		return false;
	if (expected->kind == OPTION_TS)
		return expected->echo == got->echo && late_ms >= -slack_ms && late_ms <= slack_ms;
	return expected->value == got->value && expected->blocks == got->blocks &&
	       !memcmp(expected->sack, got->sack, sizeof(got->sack)) &&
	       expected->bytes == got->bytes && !memcmp(expected->raw, got->raw, got->bytes);
}

static bool options_are(const struct play *play, const struct packet *expected,
			const struct packet *got)
{
	if (expected->any_options)
		return true;
	if (expected->option_count != got->option_count)
		return false;
	for (unsigned i = 0; i < got->option_count; i++)
		if (!option_is(play, &expected->options[i], &got->options[i]))
			return false;
	return true;
}

/* NULL, or what differs first. */
static const char *difference(const struct play *play, const struct packet *expected,
			      const struct packet *got)
{
	if (expected->flow != got->flow)
		return "the flow";
	if (expected->flags != got->flags)
		return "the flags";
	if (expected->seq != got->seq)
		return "the sequence number";
	if (expected->len != got->len)
		return "the length";
	if (expected->flags & FLAG_ACK && expected->ack != got->ack)
		return "the ack";
	if (expected->has_window && expected->window != got->window)
		return "the window";
	if (expected->has_urgent && expected->urgent != got->urgent)
		return "the urgent pointer";
	if (expected->ecn != ECN_ANY && expected->ecn != got->ecn)
		return "ECN";
	return options_are(play, expected, got) ? NULL : "the options";
}

/* What is sent is what was written: the first byte has number 1. */
static void check_payload(const struct packet *got, const uint8_t *payload)
{
	uint32_t first = got->seq - !(got->flags & FLAG_SYN);

	for (uint32_t i = 0; i < got->len; i++)
		if (payload[i] != play_written_byte(first + i))
			fail("byte %u of the stream is 0x%02x, and 0x%02x was written",
			     got->seq + i, payload[i], play_written_byte(first + i));
}

static void explain(const struct packet *expected, const struct packet *got, int64_t at_us,
		    const char *what)
{
	char want[TEXT_BYTES], have[TEXT_BYTES];

	packet_format(expected, want, sizeof(want));
	packet_format(got, have, sizeof(have));
	fail("not the packet that was expected: %s\n  expected  %s\n  got       %s\n"
	     "  at        %.6f",
	     what, want, have, (double)at_us / 1e6);
}

/* The next packet, in the script's numbers. */
static void take_expected(struct play *play, const struct packet *expected, struct packet *wire,
			  struct packet *got, int64_t *at_us)
{
	struct route route;
	const uint8_t *payload;
	char text[TEXT_BYTES];

	if (!take_packet(play, wire, &route, &payload, at_us)) {
		packet_format(expected, text, sizeof(text));
		fail("no packet came, and none will\n  expected  %s", text);
	}
	flow_from_wire(&play->flows, wire, &route, expected, got);
	check_payload(got, payload);
}

static bool follows(const struct packet *next, const struct packet *first, const struct packet *sum)
{
	return next->flow == sum->flow && next->seq == sum->end && next->len &&
	       next->len <= first->len && next->ack == sum->ack && next->window == sum->window;
}

/* A segment that is longer in the script than on the wire is several, of one length but for the
 * last, whose flags count. */
static void take_rest(struct play *play, const struct packet *expected, struct packet *sum)
{
	const struct packet first = *sum;
	struct packet wire, next;
	int64_t at_us;

	while (sum->len < expected->len) {
		bool even = sum->len % first.len == 0;

		take_expected(play, expected, &wire, &next, &at_us);
		if (!even || !follows(&next, &first, sum))
			explain(expected, &next, at_us, "it does not join what came before");
		sum->len += next.len;
		sum->end = next.end;
		sum->flags = next.flags;
	}
}

void play_packet_out(struct play *play, const struct event *event, int64_t base_us)
{
	const struct packet *expected = event->packet;
	struct packet wire, got;
	const char *what;
	char text[TEXT_BYTES];
	int64_t at_us;

	take_expected(play, expected, &wire, &got, &at_us);
	if (got.len && expected->seq == got.seq)
		take_rest(play, expected, &got);
	what = difference(play, expected, &got);
	if (what)
		explain(expected, &got, at_us, what);
	flow_note_sent(&play->flows, expected, &wire);
	packet_format(&got, text, sizeof(text));
	play_check_time(play, &event->when, base_us, at_us, text);
	play->last_us = at_us;
}

void play_no_packet_left(struct play *play, int64_t until_us)
{
	struct packet wire, got, none = {.flow = 1};
	struct route route;
	const uint8_t *payload;
	char text[TEXT_BYTES];
	int64_t at_us;

	if (!take_packet(play, &wire, &route, &payload, &at_us) || at_us > until_us)
		return;
	flow_from_wire(&play->flows, &wire, &route, &none, &got);
	packet_format(&got, text, sizeof(text));
	fail("a packet that was not expected\n  got       %s\n  at        %.6f", text,
	     (double)at_us / 1e6);
}
