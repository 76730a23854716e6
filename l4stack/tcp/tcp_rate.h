/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How fast the network delivers: draft-cheng-iccrg-delivery-rate-estimation. Pure.
 *
 * Each transmission is stamped with how much had been delivered when it went out; its ACK shows
 * how much was delivered since, and in what time. The time is the longer of what sending
 * and what acknowledging took, so that neither a burst out nor ACKs that come together
 * look like bandwidth. A sample taken while the owner had nothing to send says at least so much.
 */
#ifndef L4STACK_TCP_TCP_RATE_H
#define L4STACK_TCP_TCP_RATE_H

#include "l4stack/tcp/tcp_scoreboard.h"
#include "l4stack/tcp/tcp_seq.h"

struct tcp_rate {
	uint32_t delivered;    /* bytes, in all: C.delivered */
	uint32_t delivered_us; /* when that was last true */
	uint32_t first_sent_us;
	uint32_t app_limited; /* `delivered` at which the bubble has passed; 0: there is none */
};

struct tcp_rate_sample {
	uint32_t delivered_bytes; /* since it was sent: */
	uint32_t interval_us;     /* in this time; 0: no sample */
	uint32_t prior_delivered; /* before it was sent */
	bool app_limited, known;
};

/* A transmission at `now_us`, before which `flight_bytes` were in the network. When nothing is in
 * flight, the time of sending and of delivery both begin now: §3.2. */
static inline struct tcp_stamp tcp_rate_stamp(struct tcp_rate *rate, uint32_t flight_bytes,
					      uint32_t now_us)
{
	if (flight_bytes == 0)
		rate->first_sent_us = rate->delivered_us = now_us;
	return (struct tcp_stamp){
		.sent_us = now_us,
		.delivered = rate->delivered,
		.delivered_us = rate->delivered_us,
		.first_sent_us = rate->first_sent_us,
		.app_limited = rate->app_limited,
	};
}

/* The owner has no more to send, and `flight_bytes` are in the network: §3.4. */
static inline void tcp_rate_limited(struct tcp_rate *rate, uint32_t flight_bytes)
{
	uint32_t end = rate->delivered + flight_bytes;

	rate->app_limited = end ? end : 1;
}

/* Bytes were delivered. */
static inline void tcp_rate_note(struct tcp_rate *rate, uint32_t bytes, uint32_t now_us)
{
	rate->delivered += bytes;
	rate->delivered_us = now_us;
	if (rate->app_limited && seq_gt(rate->delivered, rate->app_limited))
		rate->app_limited = 0;
}

/* What the transmission with that stamp tells, of those delivered the one that was sent last: its
 * time is rate->first_sent_us from then on. `min_rtt_us`: an interval shorter than that cannot be.
 */
struct tcp_rate_sample tcp_rate_sample(const struct tcp_rate *rate, const struct tcp_stamp *stamp,
				       uint32_t min_rtt_us);

/* Takes in an ACK: both. */
struct tcp_rate_sample tcp_rate_take(struct tcp_rate *rate, const struct tcp_news *news,
				     uint32_t min_rtt_us, uint32_t now_us);

#endif
