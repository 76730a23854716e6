/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Congestion control: how much of a connection's data may be in flight. Pure.
 *
 * An algorithm is a const vtable in a file of its own; to add one, write the file, declare it
 * below, add a row to the table in cc.c and its name to the words in mgmt/conf/keys.c. TCP finds
 * the losses and decides what to send again; an algorithm only answers with `cwnd`, and with
 * a pacing rate if it wants segments spread over time.
 *
 * There are two kinds. One that reacts to losses (NewReno, CUBIC) sets `ssthresh` when there is
 * one and is not asked again until recovery is over: meanwhile TCP brings the flight down to it
 * (PRR, RFC 6937). One that has a model of the path (BBR; `model` is set) is told of every ACK,
 * in recovery too, and its `cwnd` is taken as it is.
 *
 * State of an algorithm lives in `state`.
 */
#ifndef L4STACK_CC_CC_H
#define L4STACK_CC_CC_H

#include <stdbool.h>
#include <stdint.h>

#define CC_SSTHRESH_INFINITE UINT32_MAX

struct cc_ops;

struct cc {
	const struct cc_ops *ops;
	uint32_t cwnd;                       /* bytes */
	uint32_t ssthresh;                   /* bytes; below it is slow start */
	uint32_t mss;                        /* bytes of payload in a full segment */
	uint32_t prior_cwnd, prior_ssthresh; /* before the loss that may be taken back */
	bool quiet;                  /* ACKs tell nothing new, as long as the window is not used */
	uint64_t pacing_bytes_per_s; /* 0: not paced */
	uint64_t state[11];
};
_Static_assert(sizeof(struct cc) == 128, "two cache lines of a connection");

/* One ACK that delivers something new. */
struct cc_ack {
	uint64_t now_us;
	uint32_t acked_bytes;  /* what it has delivered, which was not reported before */
	uint32_t flight_bytes; /* before this ACK */
	uint32_t rtt_us;       /* smoothed; 0: not known */
	uint32_t sample_us;    /* the round trip of this ACK; 0: it tells none */
	bool cwnd_limited;     /* the window was what held the sender back */
	bool after_timeout;    /* what timed out is being sent again */
	bool recovering;       /* fast recovery: only a model is told */
	bool round_start;      /* the first ACK of what was sent since the last round began */
	/* Delivery rate (tcp_rate.h) */
	uint32_t pipe_bytes;                  /* in flight after this ACK */
	uint32_t delivered_bytes, lost_bytes; /* newly, by this ACK */
	uint32_t rate_bytes, rate_us;         /* so much in such a time; 0: no sample */
	bool app_limited;
};

enum cc_loss {
	CC_LOSS_FAST,    /* found by duplicate ACKs or RACK */
	CC_LOSS_ECN,     /* the network has marked: nothing was lost (RFC 3168 §6.1.2) */
	CC_LOSS_TIMEOUT, /* the first retransmission timeout for this data */
	CC_LOSS_AGAIN,   /* a further timeout for the same data */
};

struct cc_ops {
	const char *name;
	bool model;
	bool ecn; /* a mark makes the window smaller: without that ECN is not agreed to */
	/* `cc` has ops and mss set, everything else zero. `resent_syn`: RFC 5681 §3.1. */
	void (*init)(struct cc *cc, bool resent_syn, uint64_t now_us);
	/* Not called during fast recovery, unless `model` is set. */
	void (*on_ack)(struct cc *cc, const struct cc_ack *ack);
	void (*on_loss)(struct cc *cc, enum cc_loss kind, uint32_t flight_bytes, uint64_t now_us);
	/* Fast recovery is over; with `model`, or what had timed out is mended. */
	void (*on_recovered)(struct cc *cc, uint32_t flight_bytes, uint64_t now_us);
	/* The loss was none: cc.c has put `cwnd` and `ssthresh` back; the rest follows. */
	void (*on_undo)(struct cc *cc);
	/* Something is sent for the first time after at least a retransmission timeout. */
	void (*on_idle)(struct cc *cc, uint64_t idle_us, uint64_t now_us);
	/* `mss` has changed. */
	void (*on_mss)(struct cc *cc, uint32_t old_mss);
};

extern const struct cc_ops cc_bbr, cc_cubic, cc_newreno;

/* By name; NULL gives the default. NULL when there is none of that name. */
const struct cc_ops *cc_find(const char *name);

/* The names, the default first; NULL behind the last. */
const char *cc_name(unsigned index);

void cc_init(struct cc *cc, const struct cc_ops *ops, uint32_t mss, bool resent_syn,
	     uint64_t now_us);
void cc_set_mss(struct cc *cc, uint32_t mss);

/* A loss that begins an episode: what was before is remembered for cc_undo. */
void cc_lose(struct cc *cc, enum cc_loss kind, uint32_t flight_bytes, uint64_t now_us);

/* It was none. RFC 4015 §3.2: the window is given back, but for a burst beyond `flight_bytes`
 * and an initial window; slow start brings what is missing. */
void cc_undo(struct cc *cc, uint32_t flight_bytes);

/* RFC 6928: ten segments, but no more than 14600 bytes unless two segments are more. */
uint32_t cc_initial_window(uint32_t mss);

/* RFC 5681 §3.1 slow start, byte counting of RFC 3465 §2.2 and §2.3: returns what of the bytes
 * is left for congestion avoidance. */
uint32_t cc_slow_start(struct cc *cc, const struct cc_ack *ack);

/* RFC 5681 §4.1: the restart window after idle time. The threshold remembers most of what there
 * was (RFC 2861 §3), so that slow start finds it again in a few round trips. */
void cc_restart(struct cc *cc);

#endif
