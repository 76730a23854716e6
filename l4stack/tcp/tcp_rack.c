/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_rack.h"

#define STEPS_MOST       255
#define STEPS_PERSIST    16 /* §6.2 step 4 */
#define STEPS_OF_MIN_RTT 4

void tcp_rack_init(struct tcp_rack *rack, uint32_t una)
{
	*rack = (struct tcp_rack){.fack = una, .window_steps = 1};
}

uint32_t tcp_rack_take(struct tcp_rack *rack, const struct tcp_news *news, uint32_t now_us)
{
	uint32_t rtt_us;

	rack->reordering_seen |= news->reordered; /* step 3 */
	if (news->delivered)
		rack->fack = seq_max(rack->fack, news->end);
	if (!news->latest_known)
		return 0;
	rtt_us = now_us - news->latest.sent_us;
	if (!news->latest_resent)
		tcp_rack_note_rtt(rack, rtt_us, now_us);
	else
		rack->rtt_us = rtt_us;
	tcp_rack_note_sent(rack, news->latest.sent_us, news->latest_end);
	if (news->latest_resent)
		return 0;
	return rtt_us ? rtt_us : 1;
}

void tcp_rack_dsack(struct tcp_rack *rack, uint32_t nxt)
{
	if (rack->in_dsack_round)
		return;
	rack->in_dsack_round = true;
	rack->dsack_round = nxt;
	if (rack->window_steps < STEPS_MOST)
		rack->window_steps++;
	rack->steps_persist = STEPS_PERSIST;
}

void tcp_rack_round(struct tcp_rack *rack, uint32_t una)
{
	if (rack->in_dsack_round && seq_ge(una, rack->dsack_round))
		rack->in_dsack_round = false;
}

void tcp_rack_recovered(struct tcp_rack *rack)
{
	if (rack->steps_persist && --rack->steps_persist == 0)
		rack->window_steps = 1;
}

uint32_t tcp_rack_window(const struct tcp_rack *rack, uint32_t srtt_us, bool urgent)
{
	uint64_t window_us;

	if (!rack->reordering_seen && urgent)
		return 0;
	window_us = (uint64_t)rack->window_steps * rack->min_rtt_us / STEPS_OF_MIN_RTT;
	return window_us < srtt_us ? (uint32_t)window_us : srtt_us;
}

uint32_t tcp_rack_detect(const struct tcp_rack *rack, struct tcp_scoreboard *board,
			 uint32_t window_us, uint32_t now_us)
{
	struct tcp_run *run = board->flying.first, *after;
	uint32_t wait_us = 0;

	if (!rack->known)
		return 0;
	for (; run && seq_le(run->stamp.sent_us, rack->sent_us); run = after) {
		uint32_t due_us = run->stamp.sent_us + rack->rtt_us + window_us;

		after = run->after;
		if (!tcp_rack_sent_after(rack->sent_us, rack->end, run->stamp.sent_us, run->hi))
			continue;
		if (seq_le(due_us, now_us))
			tcp_scoreboard_lose(board, run);
		else if (due_us - now_us > wait_us)
			wait_us = due_us - now_us;
	}
	return wait_us;
}

void tcp_rack_timeout(const struct tcp_rack *rack, struct tcp_scoreboard *board, uint32_t window_us,
		      uint32_t now_us)
{
	if (rack->known)
		tcp_scoreboard_lose_older(board, now_us - rack->rtt_us - window_us);
	else
		tcp_scoreboard_lose_all(board);
}
