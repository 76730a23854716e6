/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Congestion control: how much of a connection's data may be in flight. Pure.
 *
 * An algorithm is a const vtable in a file of its own; to add one, write the file, declare it
 * below, add a row to the table in cc.c and its name to the words in mgmt/conf/keys.c. TCP finds
 * the losses and decides what to send again; an algorithm only answers with `cwnd`. It may name a
 * pacing rate, which nothing reads in this version.
 *
 * State of an algorithm lives in `state`; one that needs more allocates it in `init`
 * and frees it in `fini`.
 */
#ifndef L4STACK_CC_CC_H
#define L4STACK_CC_CC_H

#include <stdbool.h>
#include <stdint.h>

#define CC_SSTHRESH_INFINITE UINT32_MAX

struct cc_ops;

struct cc {
	const struct cc_ops *ops;
	uint32_t cwnd;     /* bytes */
	uint32_t ssthresh; /* bytes; below it is slow start */
	uint32_t mss;      /* bytes of payload in a full segment */
	uint32_t spare;
	uint64_t pacing_bytes_per_s; /* 0: not paced */
	uint64_t state[4];
};
_Static_assert(sizeof(struct cc) == 64, "one cache line of a connection");

/* One ACK that acknowledges new data. */
struct cc_ack {
	uint64_t now_us;
	uint32_t acked_bytes;
	uint32_t flight_bytes; /* before this ACK */
	uint32_t rtt_us;       /* smoothed; 0: not known */
	bool cwnd_limited;     /* the window was what held the sender back */
};

enum cc_loss {
	CC_LOSS_FAST,    /* found by duplicate ACKs or SACK */
	CC_LOSS_TIMEOUT, /* the first retransmission timeout for this data */
	CC_LOSS_AGAIN,   /* a further timeout for the same data */
};

struct cc_ops {
	const char *name;
	/* `cc` has ops and mss set, everything else zero. `resent_syn`: RFC 5681 §3.1. */
	void (*init)(struct cc *cc, bool resent_syn, uint64_t now_us);
	void (*fini)(struct cc *cc);
	/* Not called during fast recovery. */
	void (*on_ack)(struct cc *cc, const struct cc_ack *ack);
	void (*on_loss)(struct cc *cc, enum cc_loss kind, uint32_t flight_bytes, uint64_t now_us);
	/* Fast recovery is over. */
	void (*on_recovered)(struct cc *cc, uint32_t flight_bytes, uint64_t now_us);
	/* Nothing was sent for longer than a retransmission timeout. */
	void (*on_idle)(struct cc *cc, uint64_t idle_us);
	/* `mss` has changed. */
	void (*on_mss)(struct cc *cc, uint32_t old_mss);
};

extern const struct cc_ops cc_newreno;

/* By name; NULL gives the default. NULL when there is none of that name. */
const struct cc_ops *cc_find(const char *name);

void cc_init(struct cc *cc, const struct cc_ops *ops, uint32_t mss, bool resent_syn,
	     uint64_t now_us);
void cc_fini(struct cc *cc); /* also of one that was never begun, or has ended */
void cc_set_mss(struct cc *cc, uint32_t mss);

/* RFC 6928: ten segments, but no more than 14600 bytes unless two segments are more. */
uint32_t cc_initial_window(uint32_t mss);

#endif
