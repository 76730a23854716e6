/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RACK: losses found by time (RFC 8985 §6). Pure.
 *
 * Of what has not been delivered, everything that was sent a reordering window before
 * something that has been delivered is lost. The window is zero until the path is seen to
 * reorder; then it is a quarter of the shortest round trip, and grows by as much with each round
 * trip in which the peer reports, by DSACK, that something was sent again in vain.
 */
#ifndef L4STACK_TCP_TCP_RACK_H
#define L4STACK_TCP_TCP_RACK_H

#include "l4stack/tcp/tcp_scoreboard.h"
#include "l4stack/tcp/tcp_seq.h"

struct tcp_rack {
	uint32_t sent_us, end; /* of what was sent last, of all that was delivered */
	uint32_t rtt_us;       /* its round trip */
	uint32_t min_rtt_us, min_rtt_at_us;
	uint32_t fack;         /* the highest number delivered */
	uint32_t dsack_round;  /* the window grows once until this is acknowledged */
	uint8_t window_steps;  /* quarters of the shortest round trip */
	uint8_t steps_persist; /* recoveries before it shrinks again */
	bool known;            /* there was an ACK yet */
	bool in_dsack_round, reordering_seen;
};

void tcp_rack_init(struct tcp_rack *rack, uint32_t una);

#define TCP_MIN_RTT_KEPT_US 300000000u /* paths change */

/* Step 1. Nothing can be faster than the path: what was sent again did not come back in less. */
static inline void tcp_rack_note_rtt(struct tcp_rack *rack, uint32_t rtt_us, uint32_t now_us)
{
	rack->rtt_us = rtt_us;
	if (rack->known && rtt_us > rack->min_rtt_us &&
	    now_us - rack->min_rtt_at_us < TCP_MIN_RTT_KEPT_US)
		return;
	rack->min_rtt_us = rtt_us;
	rack->min_rtt_at_us = now_us;
}

static inline bool tcp_rack_sent_after(uint32_t a_us, uint32_t a_end, uint32_t b_us, uint32_t b_end)
{
	return a_us == b_us ? seq_gt(a_end, b_end) : seq_gt(a_us, b_us);
}

/* Step 2 */
static inline void tcp_rack_note_sent(struct tcp_rack *rack, uint32_t sent_us, uint32_t end)
{
	if (!rack->known || tcp_rack_sent_after(sent_us, end, rack->sent_us, rack->end)) {
		rack->sent_us = sent_us;
		rack->end = end;
	}
	rack->known = true;
}

/* The three of them, of one run that was sent once and is the last of all that was sent. */
static inline uint32_t tcp_rack_take_single(struct tcp_rack *rack, uint32_t sent_us, uint32_t end,
					    uint32_t now_us)
{
	uint32_t rtt_us = now_us - sent_us;

	rack->fack = seq_max(rack->fack, end);
	tcp_rack_note_rtt(rack, rtt_us, now_us);
	tcp_rack_note_sent(rack, sent_us, end);
	return rtt_us ? rtt_us : 1;
}

/* §6.2 steps 1 to 3: what an ACK has delivered. Returns its round trip, 0 when it tells none. */
uint32_t tcp_rack_take(struct tcp_rack *rack, const struct tcp_news *news, uint32_t now_us);

/* §6.2 step 4: a DSACK came, now that `nxt` is the next to be sent; `una` was acknowledged. */
void tcp_rack_dsack(struct tcp_rack *rack, uint32_t nxt);
void tcp_rack_round(struct tcp_rack *rack, uint32_t una);

/* A recovery, fast or by timeout, is over. */
void tcp_rack_recovered(struct tcp_rack *rack);

/* `urgent`: recovery goes on, or three segments were reported: no reordering is waited for unless
 * it was seen. */
uint32_t tcp_rack_window(const struct tcp_rack *rack, uint32_t srtt_us, bool urgent);

/* §6.2 step 5: marks what is lost by now. Returns in how many µs to look again; 0: no need. */
uint32_t tcp_rack_detect(const struct tcp_rack *rack, struct tcp_scoreboard *board,
			 uint32_t window_us, uint32_t now_us);

/* §6.3: what is lost when the retransmission timer expires. */
void tcp_rack_timeout(const struct tcp_rack *rack, struct tcp_scoreboard *board, uint32_t window_us,
		      uint32_t now_us);

#endif
