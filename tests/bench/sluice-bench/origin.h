/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An origin: a server of /SIZE for a proxy, at one address. Of TCP it has what a peer that keeps
 * the rules needs: it takes what comes in order, sends what the window lets it send, each
 * connection a train of frames in turn, and begins again where the peer stopped when that asks for
 * it or is silent. One request at a time for each connection, which is how a proxy asks.
 */
#ifndef TESTS_BENCH_SLUICE_BENCH_ORIGIN_H
#define TESTS_BENCH_SLUICE_BENCH_ORIGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/sluice-bench/content.h"
#include "tests/bench/sluice-bench/frame.h"
#include "tests/bench/sluice-bench/wire.h"

#define ORIGIN_PORTS 65536

enum origin_state { ORIGIN_NONE, ORIGIN_OPEN, ORIGIN_ENDED };

struct origin_conn {
	uint32_t rcv_nxt, snd_una, snd_nxt;
	uint32_t begin, end; /* of the answer, in sequence numbers */
	uint32_t size;       /* of its body */
	uint32_t window;
	uint8_t shift, state, again;
	bool used;   /* the port, once */
	bool queued; /* it has its turn to send */
	uint64_t sent_tsc;
} __attribute__((aligned(64)));

struct origin_counts {
	uint64_t opened, requests, bytes; /* bytes: of answers, as often as they were sent */
	uint64_t resent;                  /* times that a connection began again */
	uint64_t wrong;                   /* segments that are no request, or two at a time */
};

struct origin {
	struct wire *wire;
	struct content content;
	uint32_t ip; /* in network order */
	/* How much of an answer a frame carries. More than FRAME_MSS: as a device hands it on that
	 * has put segments together. */
	uint32_t segment;
	uint32_t train; /* frames of one connection behind each other, as a device cuts them */
	bool known;     /* the peer, for whom `bare` is made */
	uint64_t now;
	struct frame bare;
	struct origin_counts counts;
	struct origin_conn *conn; /* by the peer's port */
	uint16_t *queue;          /* ports whose turn it is, a ring */
	uint32_t queue_head, queue_count;
	uint16_t *used; /* ports that were ever opened */
	uint32_t used_count;
};

/* 0, or -1: no memory. `segment` and `train` must be set before the first turn. */
int origin_start(struct origin *origin, struct wire *wire, uint32_t ip)
	__attribute__((warn_unused_result));
void origin_stop(struct origin *origin);

/* Takes what has come, sends what can be sent. True if there was anything. */
bool origin_turn(struct origin *origin);

/* Those that hear nothing for too long begin again. A few times a second. */
void origin_sweep(struct origin *origin);

#endif
