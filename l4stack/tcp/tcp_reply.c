/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_reply.h"

#include "l4stack/tcp/tcp_segment.h"

#define RESETS_PER_SECOND 1000
#define RESETS_BURST      256

void tcp_reply_push(struct tcp_proto *tcp, const struct tcp_reply *reply)
{
	if (tcp->reply_count == TCP_REPLIES_MAX) {
		stack_count(tcp->stack, tcp_replies_dropped);
		return;
	}
	tcp->replies[tcp->reply_count++] = *reply;
}

void tcp_reply_reset(struct tcp_proto *tcp, const struct tcp_seg *seg)
{
	struct tcp_reply reply = {
		.local = seg->local,
		.remote = seg->remote,
		.flags = TCP_RST,
	};

	if (seg->flags & TCP_RST)
		return;
	if (!bucket_take(&tcp->reset_limit, tcp->stack->now_us, RESETS_PER_SECOND, RESETS_BURST)) {
		stack_count(tcp->stack, tcp_resets_limited);
		return;
	}
	if (seg->flags & TCP_ACK) {
		reply.seq = seg->ack;
	} else {
		reply.flags |= TCP_ACK;
		reply.ack = seg->seq + tcp_seg_span(seg);
	}
	stack_count(tcp->stack, tcp_resets_out);
	tcp_reply_push(tcp, &reply);
}

void tcp_reply_flush(struct tcp_proto *tcp)
{
	for (uint32_t i = 0; i < tcp->reply_count; i++)
		tcp_segment_send_reply(tcp, &tcp->replies[i]);
	tcp->reply_count = 0;
}
