/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The packets of the handshake. The socket is non-blocking on our side: a guest that does not
 * read gets nothing, and holds up nobody.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "chain/app/door_internal.h"
#include "chain/supervise/process.h"

/* 0, -EAGAIN, -EPIPE, -EPROTO. Descriptors sent along are dropped by the kernel. */
int packet_hello(int socket, char *name, size_t size)
{
	struct sluice_app_hello hello;
	ssize_t n = recv(socket, &hello, sizeof(hello), MSG_DONTWAIT | MSG_TRUNC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return -EAGAIN;
	if (n <= 0)
		return -EPIPE;
	if (n != sizeof(hello) || hello.header.kind != SLUICE_APP_HELLO ||
	    hello.header.bytes != sizeof(hello))
		return -EPROTO;
	if (hello.abi != SLUICE_APP_ABI_VERSION)
		return -EPROTONOSUPPORT;
	hello.name[sizeof(hello.name) - 1] = '\0';
	snprintf(name, size, "%s", hello.name);
	return 0;
}

static int send_packet(int socket, const void *packet, size_t bytes)
{
	return send(socket, packet, bytes, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

static int send_worker(const struct process *p, const struct guest *guest, unsigned i)
{
	const struct guest_worker *w = &guest->worker[i];

	return process_link(p, w->link, i, w->rx->id, w->wake_fd);
}

int packet_welcome(const struct guest *guest)
{
	struct process p = {.pid = 0, .pidfd = -1, .socket = guest->socket, .wake_fd = -1};
	unsigned workers = guest->door->conf.workers;
	struct sluice_app_welcome welcome = {
		.header = {SLUICE_APP_WELCOME, sizeof(welcome)},
		.abi = SLUICE_APP_ABI_VERSION,
		.workers = workers,
		.conns = guest->terms.conns,
		.blocks = guest->terms.blocks,
		.send_bytes = guest->terms.send_bytes,
		.leases = guest->terms.leases,
	};
	int rc = send_packet(guest->socket, &welcome, sizeof(welcome));

	if (!rc)
		rc = process_region(&p, guest->arena, true, false);
	for (unsigned i = 0; i < workers && !rc; i++)
		rc = process_region(&p, guest->worker[i].rx, false, false);
	for (unsigned i = 0; i < workers && !rc; i++)
		rc = send_worker(&p, guest, i);
	return rc ? rc : process_go(&p);
}

void packet_error(int socket, int error, const char *text)
{
	struct sluice_host_text packet = {.level = (uint32_t)error};
	size_t len = strnlen(text, sizeof(packet.text));

	memcpy(packet.text, text, len);
	packet.header.kind = SLUICE_HOST_ERROR;
	packet.header.bytes = (uint32_t)(offsetof(struct sluice_host_text, text) + len);
	if (send_packet(socket, &packet, packet.header.bytes))
		return; /* it is gone: it does not want to know */
}
