/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

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

/* recvmsg(4, {iov=[{..., 1000}], unread=500}, 0): `unread` is what TCP_INQ must tell. */
int64_t run_recvmsg(struct frame *f)
{
	const struct value *unread = value_member(frame_arg(f, 1), "unread");
	char control[CMSG_SPACE(sizeof(int))] = "";
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
	return n;
}
