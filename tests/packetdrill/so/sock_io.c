/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bytes in and out of a socket. They are copied: that is what read and write are.
 */
#include <errno.h>
#include <rte_mbuf.h>
#include <string.h>

#include "l4stack/base/pkt.h"
#include "l4stack/tcp/tcp.h"
#include "tests/packetdrill/so/sock.h"
#include "tests/packetdrill/so/world.h"

/* ---- in ---- */

static bool is_readable(const void *arg)
{
	return sock_events(arg) & (SOCK_READABLE | SOCK_ERROR);
}

static size_t copy_chain(const struct rte_mbuf *chain, uint8_t *buf, size_t len)
{
	size_t at = 0;

	for (const struct rte_mbuf *m = chain; m && at < len; m = m->next) {
		size_t n = RTE_MIN(len - at, (size_t)m->data_len);

		if (buf)
			memcpy(buf + at, rte_pktmbuf_mtod(m, const void *), n);
		at += n;
	}
	return at;
}

static void drop_left(struct sock *sock, size_t bytes)
{
	while (sock->left && bytes >= sock->left->data_len) {
		struct rte_mbuf *m = sock->left;

		bytes -= m->data_len;
		sock->left = m->next;
		rte_pktmbuf_free_seg(m);
	}
	if (bytes)
		pkt_pull(sock->left, (uint16_t)bytes);
}

/* `closed` may come of it, and with it what was left. */
static size_t take_from_conn(struct sock *sock, uint8_t *buf, size_t len)
{
	struct rte_mbuf *chain = tcp_recv(sock->conn, (uint32_t)RTE_MIN(len, UINT32_MAX));
	size_t n = copy_chain(chain, buf, len);

	rte_pktmbuf_free(chain);
	world_turn(sock->world);
	return n;
}

static size_t take(struct sock *sock, uint8_t *buf, size_t len, unsigned flags)
{
	size_t n;

	if (flags & SOCK_PEEK)
		return copy_chain(sock->conn ? tcp_recv_peek(sock->conn) : sock->left, buf, len);
	if (sock->conn)
		return take_from_conn(sock, buf, len);
	n = copy_chain(sock->left, buf, len);
	drop_left(sock, n);
	return n;
}

/* Nothing waits: why? */
static ssize_t nothing_to_read(struct sock *sock)
{
	if (sock->error)
		return -sock_take_error(sock);
	return 0;
}

static ssize_t recv_some(struct sock *sock, uint8_t *buf, size_t len, unsigned flags,
			 uint64_t until_us)
{
	int err;

	if (!is_readable(sock) && !(until_us == SOCK_AT_ONCE && sock_unread(sock))) {
		if (until_us == SOCK_AT_ONCE)
			return -EAGAIN;
		err = world_wait(sock->world, is_readable, sock, until_us);
		if (err)
			return err == -ETIMEDOUT ? -EAGAIN : err;
	}
	if (sock_unread(sock) == 0)
		return nothing_to_read(sock);
	return (ssize_t)take(sock, flags & SOCK_DISCARD ? NULL : buf, len, flags);
}

static bool may_recv(const struct sock *sock)
{
	return sock->phase == SOCK_CONNECTED || sock->phase == SOCK_OVER ||
	       sock->phase == SOCK_CONNECTING || sock->phase == SOCK_DEFERRED;
}

ssize_t sock_recv(struct sock *sock, void *buf, size_t len, unsigned flags, uint64_t until_us)
{
	size_t done = 0;
	ssize_t n;

	if (!may_recv(sock))
		return -ENOTCONN;
	if (len == 0)
		return 0;
	if (!buf && !(flags & SOCK_DISCARD))
		return -EFAULT;
	do {
		n = recv_some(sock, (uint8_t *)buf + done, len - done, flags, until_us);
		if (n <= 0)
			return done ? (ssize_t)done : n;
		done += (size_t)n;
	} while (flags & SOCK_WAIT_ALL && !(flags & SOCK_PEEK) && done < len);
	return (ssize_t)done;
}

/* ---- out ---- */

static bool is_writable(const void *arg)
{
	return sock_events(arg) & (SOCK_WRITABLE | SOCK_ERROR);
}

/* Who writes fills it to the brim; who found it full waits for a good part of it. */
static bool can_write(const struct sock *sock)
{
	if (sock->phase != SOCK_CONNECTED || sock->error)
		return is_writable(sock);
	return sock_send_room(sock) > 0;
}

static struct rte_mbuf *make_chain(struct rte_mempool *pool, const uint8_t *buf, size_t len)
{
	struct rte_mbuf *head = NULL, **link = &head;

	while (len) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
		size_t n;

		if (!m) {
			rte_pktmbuf_free(head);
			return NULL;
		}
		n = RTE_MIN(len, (size_t)rte_pktmbuf_tailroom(m));
		memcpy(rte_pktmbuf_append(m, (uint16_t)n), buf, n);
		*link = m;
		link = &m->next;
		buf += n;
		len -= n;
	}
	return head;
}

ssize_t sock_give(struct sock *sock, const void *buf, size_t len)
{
	struct rte_mbuf *chain = make_chain(sock->world->pools.payload, buf, len);
	int err;

	if (!chain)
		return len ? -ENOBUFS : 0;
	err = tcp_send(sock->conn, chain);
	if (err) {
		rte_pktmbuf_free(chain);
		return err;
	}
	sock->sent_us = sock->world->now_us;
	sock->given_bytes += len;
	return (ssize_t)len;
}

static ssize_t send_room(struct sock *sock, const uint8_t *buf, size_t len)
{
	ssize_t n;

	len = RTE_MIN(len, (size_t)sock_send_room(sock));
	if (sock_record_must_wait(sock))
		n = sock_record_keep(sock, buf, len) ? -ENOBUFS : (ssize_t)len;
	else
		n = sock_give(sock, buf, len);
	world_turn(sock->world);
	return n;
}

static int check_sendable(struct sock *sock)
{
	if (sock->error)
		return -sock_take_error(sock);
	if (sock->phase == SOCK_NEW || sock->phase == SOCK_LISTENING)
		return -EPIPE;
	return sock->shut_write || sock->phase == SOCK_OVER ? -EPIPE : 0;
}

static ssize_t send_some(struct sock *sock, const uint8_t *buf, size_t len, uint64_t until_us)
{
	int err = check_sendable(sock);

	if (err)
		return err;
	if (!can_write(sock)) {
		sock->was_full = true;
		if (until_us == SOCK_AT_ONCE)
			return -EAGAIN;
		err = world_wait(sock->world, is_writable, sock, until_us);
		if (!err)
			err = check_sendable(sock);
		if (err)
			return err == -ETIMEDOUT ? -EAGAIN : err;
	}
	return send_room(sock, buf, len);
}

ssize_t sock_send(struct sock *sock, const void *buf, size_t len, bool more, uint64_t until_us)
{
	size_t done = 0;

	if (len == 0)
		return check_sendable(sock);
	if (!buf)
		return -EFAULT;
	if (sock->phase == SOCK_DEFERRED)
		return sock_connect_fast(sock, &sock->peer, buf, len, until_us);
	sock->more = more;
	sock_apply_gather(sock);
	do {
		ssize_t n = send_some(sock, (const uint8_t *)buf + done, len - done, until_us);

		if (n < 0)
			return done ? (ssize_t)done : n;
		done += (size_t)n;
	} while (done < len);
	return (ssize_t)done;
}
