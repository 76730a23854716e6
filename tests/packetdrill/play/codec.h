/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets as bytes. The numbers in a struct packet are the wire's here.
 */
#ifndef TESTS_PACKETDRILL_PLAY_CODEC_H
#define TESTS_PACKETDRILL_PLAY_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "tests/packetdrill/play/script.h"

#define PACKET_BYTES 65536

struct host {
	uint8_t bytes[16];
	unsigned len; /* 4 or 16 */
};

/* Who sends and who is sent to. */
struct route {
	struct host src, dst;
	uint16_t src_port, dst_port;
};

/* 0, or -1: not an address. */
int host_parse(const char *text, struct host *out);

/* `payload` has packet->len bytes. The length. */
size_t codec_write(const struct packet *packet, const struct route *route, const uint8_t *payload,
		   uint8_t *out);

/* ICMP from `route->src` about a TCP segment that went the other way with number `packet->seq`. */
size_t codec_write_icmp(const struct packet *packet, const struct route *route, uint8_t *out);

/* NULL, or what is wrong with it, checksums too. `payload` points into `bytes`. */
const char *codec_read(const uint8_t *bytes, size_t len, struct packet *out, struct route *route,
		       const uint8_t **payload);

#endif
