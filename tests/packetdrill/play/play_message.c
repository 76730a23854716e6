/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <time.h>

#include <linux/errqueue.h>

#include "tests/packetdrill/play/frame.h"

#define WRONG 1000000 /* and what was told instead */

static int64_t unread_told(struct msghdr *msg)
{
	const struct cmsghdr *head = CMSG_FIRSTHDR(msg);
	int bytes = -1;

	if (head && head->cmsg_level == IPPROTO_TCP && head->cmsg_type == TCP_INQ)
		memcpy(&bytes, CMSG_DATA(head), sizeof(bytes));
	return bytes;
}

/* "last" of the writes that are told to be done; -1 if none are. */
static int64_t writes_told(struct msghdr *msg, int64_t *first)
{
	const struct cmsghdr *head = CMSG_FIRSTHDR(msg);
	struct sock_extended_err error;

	if (!head || (head->cmsg_type != IP_RECVERR && head->cmsg_type != IPV6_RECVERR))
		return -1;
	memcpy(&error, CMSG_DATA(head), sizeof(error));
	*first = error.ee_info;
	return error.ee_origin == SO_EE_ORIGIN_ZEROCOPY ? (int64_t)error.ee_data : -1;
}

/* recvmsg(4, {iov=[{..., 1000}], unread=500}, 0): `unread` is what TCP_INQ must tell;
 * recvmsg(4, {iov=[], first=0, last=2}, MSG_ERRQUEUE): which writes must be done. */
int64_t run_recvmsg(struct frame *f)
{
	const struct value *unread = value_member(frame_arg(f, 1), "unread");
	const struct value *last = value_member(frame_arg(f, 1), "last");
	int64_t first = -1;
	char control[256] = "";
	struct iovec iov[VECTORS_MOST];
	struct msghdr msg = {
		.msg_iov = iov,
		.msg_iovlen = (size_t)frame_vector(f, value_member(frame_arg(f, 1), "iov"), iov),
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int64_t n = f->stack->recvmsg(f->userdata, frame_fd(f, 0), &msg,
				      (int)value_number(frame_arg(f, 2)));

	if (n >= 0 && unread->kind == VALUE_NUMBER && unread_told(&msg) != unread->number)
		return WRONG + unread_told(&msg);
	if (n >= 0 && last->kind == VALUE_NUMBER &&
	    (writes_told(&msg, &first) != last->number ||
	     first != value_number(value_member(frame_arg(f, 1), "first"))))
		return WRONG + writes_told(&msg, &first);
	return n;
}
