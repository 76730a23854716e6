/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A witness on the wire: looks at every frame a stack sends, and says what is wrong with it.
 *
 *  - checksums are right, frames are no longer than the MTU;
 *  - payload is what the stream carries at that sequence number, each time it is sent;
 *  - only new data says that it may be marked (RFC 3168 §6.1.1, §6.1.4 to §6.1.6);
 *  - nothing is sent beyond FIN, nor beyond the window the other side has told (one byte, or
 *    FIN, at its very edge is a probe);
 *  - the right edge of a window never moves left; what was not sent is not acknowledged.
 */
#ifndef TESTS_SIM_CHECK_H
#define TESTS_SIM_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#define CHECK_FLOWS 64

struct check_side {
	bool seen; /* its SYN went out */
	uint32_t iss;
	uint32_t stream; /* pattern of its payload */
	uint8_t wscale;
	bool offers_wscale;
	int64_t end;  /* one past what it has sent, SYN is 0 */
	int64_t fin;  /* where its FIN stands; -1: not sent */
	int64_t edge; /* right edge it has told, in the other's numbers; -1: none */
};

struct check_flow {
	uint16_t client_port;
	bool over;
	struct check_side side[2]; /* 0: the client */
};

struct check {
	struct check_flow flows[CHECK_FLOWS];
	unsigned flow_count;
	uint32_t mtu;
	uint64_t segments, payload_bytes;
	bool fast;       /* Fast Open: SYNs may carry text */
	bool trace;      /* says each segment on stdout */
	char error[256]; /* empty: all is well */
};

void check_init(struct check *check, uint32_t mtu);

/* A connection from `client_port`: the streams of client and server. */
void check_expect(struct check *check, uint16_t client_port, uint32_t client_stream,
		  uint32_t server_stream);

void check_frame(struct check *check, unsigned from, const uint8_t *frame, uint32_t len,
		 uint64_t now_us);

#endif
