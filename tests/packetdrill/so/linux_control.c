/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/packetdrill/so/linux_control.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <rte_common.h>
#include <string.h>
#include <time.h>

#include <linux/errqueue.h>

#include "tests/packetdrill/so/sock.h"

/* Bytes that wait; the end counts as one, since there is something to read. */
static int unread(const struct sock *sock)
{
	int bytes = (int)sock_unread(sock);

	return bytes == 0 && sock_peer_has_ended(sock) ? 1 : bytes;
}

/* False: there is no room. */
static bool put(struct msghdr *msg, int level, int type, const void *data, size_t len)
{
	size_t room = msg->msg_control ? msg->msg_controllen : 0;
	struct cmsghdr *head = msg->msg_control;

	msg->msg_controllen = 0;
	if (room < CMSG_LEN(len)) {
		msg->msg_flags |= MSG_CTRUNC;
		return false;
	}
	*head = (struct cmsghdr){.cmsg_len = CMSG_LEN(len), .cmsg_level = level, .cmsg_type = type};
	memcpy(CMSG_DATA(head), data, len);
	msg->msg_controllen = RTE_MIN(room, CMSG_SPACE(len));
	return true;
}

void linux_control_out(const struct sock *sock, struct msghdr *msg)
{
	int bytes = unread(sock);

	if (sock->options.tell_unread)
		put(msg, IPPROTO_TCP, TCP_INQ, &bytes, sizeof(bytes));
	else
		msg->msg_controllen = 0;
}

/* The bytes are copied here, as they are where Linux sends to a device of its own. */
int linux_control_note(struct sock *sock, struct msghdr *msg)
{
	struct {
		struct sock_extended_err error;
		struct sockaddr_in6 offender; /* nobody */
	} told = {.error = {.ee_origin = SO_EE_ORIGIN_ZEROCOPY,
			    .ee_code = SO_EE_CODE_ZEROCOPY_COPIED}};
	size_t len = sizeof(told.error) +
		     (sock->is_ip6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
	struct sock_note note;

	if (!sock_note_take(sock, &note))
		return -EAGAIN;
	told.error.ee_info = note.first;
	told.error.ee_data = note.last;
	msg->msg_flags = MSG_ERRQUEUE;
	msg->msg_namelen = 0;
	if (sock->is_ip6)
		put(msg, IPPROTO_IPV6, IPV6_RECVERR, &told, len);
	else
		put(msg, IPPROTO_IP, IP_RECVERR, &told, len);
	return 0;
}
