/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What happens to a socket because time passes: what is corked does not wait for ever, and it is
 * noted what held a sender back.
 */
#include <rte_common.h>

#include "l4stack/tcp/tcp.h"
#include "tests/packetdrill/so/sock.h"
#include "tests/packetdrill/so/world.h"

/* Linux gives up gathering after the time of a retransmission. */
static bool gathers(const struct sock *sock, const struct sock_info *info)
{
	return (sock->options.cork || sock->more) && info->unsent_bytes && !info->unacked_bytes;
}

static bool is_window_shut(const struct sock_info *info)
{
	uint32_t wanted = RTE_MIN(info->unsent_bytes, info->mss);

	return info->unsent_bytes &&
	       info->send_window_bytes < (uint64_t)info->unacked_bytes + wanted;
}

void sock_spend(struct sock *sock, uint64_t us)
{
	struct sock_info info;

	if (!sock->conn || sock->phase != SOCK_CONNECTED || !tcp_send_pending(sock->conn))
		return;
	sock_get_info(sock, &info);
	sock->busy_us += us;
	if (is_window_shut(&info))
		sock->window_us += us;
	else if (sock->was_full && !info.unsent_bytes)
		sock->buffer_us += us;
}

uint64_t sock_due_us(const struct sock *sock)
{
	return sock->gathered_until_us ? sock->gathered_until_us : WORLD_NEVER;
}

void sock_tend(struct sock *sock)
{
	struct sock_info info;

	sock_notes_tend(sock);
	sock_record_tend(sock);
	sock_get_info(sock, &info);
	if (!sock->conn || !gathers(sock, &info)) {
		sock->gathered_until_us = 0;
		return;
	}
	if (!sock->gathered_until_us)
		sock->gathered_until_us = sock->world->now_us + info.rto_us;
	if (sock->world->now_us < sock->gathered_until_us)
		return;
	sock->gathered_until_us = 0;
	sock_push(sock);
	sock_apply_gather(sock);
}
