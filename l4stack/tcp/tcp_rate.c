/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_rate.h"

/* §3.3 */
struct tcp_rate_sample tcp_rate_sample(const struct tcp_rate *rate, const struct tcp_stamp *stamp,
				       uint32_t min_rtt_us)
{
	uint32_t send_us = stamp->sent_us - stamp->first_sent_us;
	uint32_t ack_us = rate->delivered_us - stamp->delivered_us;
	uint32_t interval_us = send_us > ack_us ? send_us : ack_us;

	return (struct tcp_rate_sample){
		.delivered_bytes = rate->delivered - stamp->delivered,
		.interval_us = interval_us < min_rtt_us ? 0 : interval_us,
		.prior_delivered = stamp->delivered,
		.app_limited = stamp->app_limited,
		.known = true,
	};
}

struct tcp_rate_sample tcp_rate_take(struct tcp_rate *rate, const struct tcp_news *news,
				     uint32_t min_rtt_us, uint32_t now_us)
{
	if (!news->delivered)
		return (struct tcp_rate_sample){0};
	tcp_rate_note(rate, news->delivered_bytes, now_us);
	if (!news->latest_known)
		return (struct tcp_rate_sample){0};
	rate->first_sent_us = news->latest.sent_us;
	return tcp_rate_sample(rate, &news->latest, min_rtt_us);
}
