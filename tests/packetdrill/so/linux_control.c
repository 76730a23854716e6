/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/packetdrill/so/linux_control.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "tests/packetdrill/so/sock.h"

/* Bytes that wait; the end counts as one, since there is something to read. */
static int unread(const struct sock *sock)
{
	int bytes = (int)sock_unread(sock);

	return bytes == 0 && sock_peer_has_ended(sock) ? 1 : bytes;
}

void linux_control_out(const struct sock *sock, struct msghdr *msg)
{
	size_t room = msg->msg_control ? msg->msg_controllen : 0;
	int bytes = unread(sock);
	struct cmsghdr *head;

	msg->msg_controllen = 0;
	if (!sock->options.tell_unread)
		return;
	if (room < CMSG_LEN(sizeof(bytes))) {
		msg->msg_flags |= MSG_CTRUNC;
		return;
	}
	head = msg->msg_control;
	*head = (struct cmsghdr){
		.cmsg_len = CMSG_LEN(sizeof(bytes)),
		.cmsg_level = IPPROTO_TCP,
		.cmsg_type = TCP_INQ,
	};
	memcpy(CMSG_DATA(head), &bytes, sizeof(bytes));
	msg->msg_controllen = room < CMSG_SPACE(sizeof(bytes)) ? room : CMSG_SPACE(sizeof(bytes));
}
