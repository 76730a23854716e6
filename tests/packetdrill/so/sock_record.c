/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records: what is written with MSG_EOR is the end of a segment. What comes behind it is kept here
 * until all before is sent, so that nothing joins the two.
 */
#include <errno.h>
#include <rte_mbuf.h>
#include <stdlib.h>
#include <string.h>

#include "l4stack/tcp/tcp.h"
#include "tests/packetdrill/so/sock.h"
#include "tests/packetdrill/so/world.h"

struct sock_record {
	struct sock_record *next;
	size_t len;
	bool ends;
	uint8_t bytes[];
};

static bool is_held(const struct sock *sock)
{
	return sock->record_ended && sock->conn && sock_unsent(sock);
}

bool sock_record_must_wait(const struct sock *sock)
{
	return sock->records || is_held(sock);
}

int sock_record_keep(struct sock *sock, const void *buf, size_t len)
{
	struct sock_record **link = &sock->records;
	struct sock_record *record = malloc(sizeof(*record) + len);

	if (!record)
		return -ENOBUFS;
	*record = (struct sock_record){.len = len};
	memcpy(record->bytes, buf, len);
	while (*link)
		link = &(*link)->next;
	*link = record;
	sock->record_bytes += (uint32_t)len;
	return 0;
}

void sock_record_end(struct sock *sock)
{
	struct sock_record *record = sock->records;

	while (record && record->next)
		record = record->next;
	if (record)
		record->ends = true;
	else
		sock->record_ended = true;
}

static void release_first(struct sock *sock)
{
	struct sock_record *record = sock->records;

	sock->records = record->next;
	sock->record_bytes -= (uint32_t)record->len;
	sock->record_ended = record->ends;
	if (sock->conn)
		(void)!sock_give(sock, record->bytes,
				 record->len); /* no memory: it is lost, as the test is */
	free(record);
}

void sock_record_tend(struct sock *sock)
{
	while (sock->records && !is_held(sock)) {
		do
			release_first(sock);
		while (sock->records && !sock->record_ended);
		world_turn(sock->world);
	}
}

void sock_record_release_all(struct sock *sock)
{
	while (sock->records)
		release_first(sock);
}
