/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/packetdrill/so/linux_options.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>

#include <linux/sockios.h>

#include "tests/packetdrill/so/linux_info.h"
#include "tests/packetdrill/so/sock.h"

/* Linux doubles what is asked for, for its own books, and gives half of it as window. */
#define BUFFER_FACTOR 2
#define BUFFER_FRESH  65536

/* What Linux takes for TCP_MAXSEG, and tells of a socket that is not connected. */
#define MAXSEG_LEAST 88
#define MAXSEG_MOST  32767
#define MAXSEG_FRESH 536

#define SYN_RETRIES_MOST 20 /* Linux takes 127, and waits for ever */

enum kind {
	KIND_BOOL,
	KIND_NOT,
	KIND_U32,
	KIND_ANY_U32,
	KIND_U16,
	KIND_BUFFER,
	KIND_TIME,
	KIND_KEPT
};

/* An option that is one field of struct sock_options. */
struct row {
	int level, name;
	enum kind kind;
	size_t at;
};

#define ROW(level, name, kind, field)                                   \
	{                                                               \
		level, name, kind, offsetof(struct sock_options, field) \
	}

/* Those that change nothing here are remembered, as they would be. */
#define KEPT(i) offsetof(struct sock_options, kept[i])

static const struct row rows[] = {
	ROW(IPPROTO_TCP, TCP_NODELAY, KIND_BOOL, nodelay),
	ROW(IPPROTO_TCP, TCP_CORK, KIND_BOOL, cork),
	ROW(IPPROTO_TCP, TCP_USER_TIMEOUT, KIND_U32, user_timeout_ms),
	ROW(IPPROTO_TCP, TCP_KEEPIDLE, KIND_U32, keep_idle_s),
	ROW(IPPROTO_TCP, TCP_KEEPINTVL, KIND_U32, keep_each_s),
	ROW(IPPROTO_TCP, TCP_KEEPCNT, KIND_U32, keep_count),
	ROW(IPPROTO_TCP, TCP_MAXSEG, KIND_U16, max_segment),
	ROW(IPPROTO_TCP, TCP_NOTSENT_LOWAT, KIND_ANY_U32, unsent_most),
	ROW(IPPROTO_TCP, TCP_FASTOPEN, KIND_U32, fast_opens),
	ROW(IPPROTO_TCP, TCP_INQ, KIND_BOOL, tell_unread),
	ROW(IPPROTO_TCP, TCP_QUICKACK, KIND_NOT, slow_acks),
	ROW(IPPROTO_TCP, TCP_DEFER_ACCEPT, KIND_U32, accept_after_s),
	ROW(IPPROTO_TCP, TCP_SYNCNT, KIND_U32, syn_retries),
	ROW(IPPROTO_TCP, TCP_WINDOW_CLAMP, KIND_U32, window_most),
	ROW(SOL_SOCKET, SO_ZEROCOPY, KIND_BOOL, tell_writes),
	ROW(SOL_SOCKET, SO_RCVLOWAT, KIND_U32, recv_least),
	ROW(IPPROTO_TCP, TCP_FASTOPEN_CONNECT, KIND_BOOL, fast_connect),
	ROW(SOL_SOCKET, SO_KEEPALIVE, KIND_BOOL, keepalive),
	ROW(SOL_SOCKET, SO_REUSEADDR, KIND_BOOL, reuse),
	ROW(SOL_SOCKET, SO_SNDBUF, KIND_BUFFER, send_bytes),
	ROW(SOL_SOCKET, SO_RCVBUF, KIND_BUFFER, recv_bytes),
	ROW(SOL_SOCKET, SO_SNDBUFFORCE, KIND_BUFFER, send_bytes),
	ROW(SOL_SOCKET, SO_RCVBUFFORCE, KIND_BUFFER, recv_bytes),
	ROW(SOL_SOCKET, SO_SNDTIMEO, KIND_TIME, send_timeout_us),
	ROW(SOL_SOCKET, SO_RCVTIMEO, KIND_TIME, recv_timeout_us),
	{SOL_SOCKET, SO_REUSEPORT, KIND_KEPT, KEPT(0)},
	{SOL_SOCKET, SO_OOBINLINE, KIND_KEPT, KEPT(1)},
	{SOL_SOCKET, SO_PRIORITY, KIND_KEPT, KEPT(2)},
	{SOL_SOCKET, SO_MARK, KIND_KEPT, KEPT(3)},
	{SOL_SOCKET, SO_TIMESTAMP, KIND_KEPT, KEPT(4)},
	{IPPROTO_TCP, TCP_LINGER2, KIND_KEPT, KEPT(8)},
	{IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, KIND_KEPT, KEPT(19)},
	{IPPROTO_IP, IP_TOS, KIND_KEPT, KEPT(10)},
	{IPPROTO_IP, IP_TTL, KIND_KEPT, KEPT(11)},
	{IPPROTO_IP, IP_FREEBIND, KIND_KEPT, KEPT(12)},
	{IPPROTO_IP, IP_MTU_DISCOVER, KIND_KEPT, KEPT(13)},
	{IPPROTO_IP, IP_RECVERR, KIND_KEPT, KEPT(14)},
	{IPPROTO_IPV6, IPV6_V6ONLY, KIND_KEPT, KEPT(15)},
	{IPPROTO_IPV6, IPV6_TCLASS, KIND_KEPT, KEPT(16)},
	{IPPROTO_IPV6, IPV6_RECVERR, KIND_KEPT, KEPT(17)},
};

static const struct row *find(int level, int name)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].level == level && rows[i].name == name)
			return &rows[i];
	return NULL;
}

/* ---- one field ---- */

static void field_set(struct sock_options *options, const struct row *row, int value)
{
	void *at = (char *)options + row->at;

	switch (row->kind) {
	case KIND_BOOL:
		*(bool *)at = value;
		break;
	case KIND_NOT:
		*(bool *)at = !value;
		break;
	case KIND_U16:
		*(uint16_t *)at = (uint16_t)value;
		break;
	default:
		*(uint32_t *)at = (uint32_t)value;
		break;
	}
}

/* One that was not set begins small, and grows as it is used. */
static int buffer_get(uint32_t bytes)
{
	return bytes ? (int)(bytes * BUFFER_FACTOR) : BUFFER_FRESH;
}

static int field_get(const struct sock_options *options, const struct row *row)
{
	const void *at = (const char *)options + row->at;

	switch (row->kind) {
	case KIND_BOOL:
		return *(const bool *)at;
	case KIND_NOT:
		return !*(const bool *)at;
	case KIND_U16:
		return *(const uint16_t *)at;
	case KIND_BUFFER:
		return buffer_get(*(const uint32_t *)at);
	default:
		return (int)*(const uint32_t *)at;
	}
}

static int time_set(struct sock_options *options, const struct row *row, const void *value,
		    socklen_t len)
{
	struct timeval tv;

	if (len < sizeof(tv))
		return -EINVAL;
	memcpy(&tv, value, sizeof(tv));
	*(uint64_t *)(void *)((char *)options + row->at) =
		(uint64_t)tv.tv_sec * 1000000 + (uint64_t)tv.tv_usec;
	return 0;
}

static int int_in(const void *value, socklen_t len, int *out)
{
	if (!value || len < sizeof(*out))
		return -EINVAL;
	memcpy(out, value, sizeof(*out));
	return 0;
}

static void int_out(int v, void *value, socklen_t *len)
{
	if (*len > sizeof(v))
		*len = sizeof(v);
	memcpy(value, &v, *len);
}

/* ---- those that are more than a field ---- */

static int linger_set(struct sock *sock, const void *value, socklen_t len)
{
	struct linger linger;

	if (len < sizeof(linger))
		return -EINVAL;
	memcpy(&linger, value, sizeof(linger));
	sock->options.linger = linger.l_onoff;
	sock->options.linger_s = (uint32_t)linger.l_linger;
	return 0;
}

static int linger_get(const struct sock *sock, void *value, socklen_t *len)
{
	struct linger linger = {sock->options.linger, (int)sock->options.linger_s};

	if (*len < sizeof(linger))
		return -EINVAL;
	*len = sizeof(linger);
	memcpy(value, &linger, sizeof(linger));
	return 0;
}

static int congestion_set(struct sock *sock, const char *name, socklen_t len)
{
	char text[SOCK_NAME_MAX];

	if (len == 0 || len >= SOCK_NAME_MAX)
		return -ENOENT;
	memcpy(text, name, len);
	text[len] = '\0';
	/* Linux's name for it. */
	return sock_set_congestion(sock, strcmp(text, "reno") ? text : "newreno");
}

static int congestion_get(const struct sock *sock, void *value, socklen_t *len)
{
	struct sock_info info;
	char name[SOCK_NAME_MAX] = "";

	sock_get_info(sock, &info);
	snprintf(name, sizeof(name), "%s", sock->conn ? info.congestion : sock->options.congestion);
	if (*len > sizeof(name))
		*len = sizeof(name);
	memcpy(value, name, *len);
	return 0;
}

static int fast_key_set(struct sock *sock, const void *value, socklen_t len)
{
	uint64_t key[2];

	if (len != sizeof(key))
		return -EINVAL;
	memcpy(key, value, sizeof(key));
	sock_set_fast_key(sock, key);
	return 0;
}

static int info_get(const struct sock *sock, void *value, socklen_t *len)
{
	struct sock_info info;

	sock_get_info(sock, &info);
	linux_info_out(&info, value, len);
	return 0;
}

static int mss_get(const struct sock *sock, void *value, socklen_t *len)
{
	struct sock_info info;

	sock_get_info(sock, &info);
	if (!info.mss)
		info.mss = sock->options.max_segment ? sock->options.max_segment : MAXSEG_FRESH;
	int_out((int)info.mss, value, len);
	return 0;
}

static bool is_in_range(const struct row *row, int v)
{
	if (row->level == IPPROTO_TCP && row->name == TCP_MAXSEG)
		return v == 0 || (v >= MAXSEG_LEAST && v <= MAXSEG_MOST);
	if (row->level == IPPROTO_TCP && row->name == TCP_SYNCNT)
		return v >= 1 && v <= SYN_RETRIES_MOST;
	return v >= 0 || row->kind == KIND_ANY_U32 || row->kind == KIND_KEPT;
}

/* ---- */

int linux_option_set(struct sock *sock, int level, int name, const void *value, socklen_t len)
{
	const struct row *row = find(level, name);
	int v, err;

	if (level == SOL_SOCKET && name == SO_LINGER)
		return linger_set(sock, value, len);
	if (level == IPPROTO_TCP && name == TCP_CONGESTION)
		return congestion_set(sock, value, len);
	if (level == IPPROTO_TCP && name == TCP_FASTOPEN_KEY)
		return fast_key_set(sock, value, len);
	if (!row)
		return -ENOPROTOOPT;
	if (row->kind == KIND_TIME)
		return time_set(&sock->options, row, value, len);
	err = int_in(value, len, &v);
	if (err)
		return err;
	if (!is_in_range(row, v))
		return -EINVAL;
	field_set(&sock->options, row, v);
	if (level == IPPROTO_TCP && name == TCP_NODELAY && v)
		sock_push(sock);
	if (level == IPPROTO_TCP && name == TCP_QUICKACK)
		sock_quick_ack(sock);
	sock_apply(sock);
	return 0;
}

int linux_option_get(struct sock *sock, int level, int name, void *value, socklen_t *len)
{
	const struct row *row = find(level, name);

	if (level == SOL_SOCKET && name == SO_LINGER)
		return linger_get(sock, value, len);
	if (level == IPPROTO_TCP && name == TCP_CONGESTION)
		return congestion_get(sock, value, len);
	if (level == IPPROTO_TCP && name == TCP_INFO)
		return info_get(sock, value, len);
	if (level == IPPROTO_TCP && name == TCP_MAXSEG)
		return mss_get(sock, value, len);
	if (level == SOL_SOCKET && name == SO_ERROR)
		int_out(sock_take_error(sock), value, len);
	else if (level == SOL_SOCKET && name == SO_TYPE)
		int_out(SOCK_STREAM, value, len);
	else if (level == SOL_SOCKET && name == SO_PROTOCOL)
		int_out(IPPROTO_TCP, value, len);
	else if (level == SOL_SOCKET && name == SO_DOMAIN)
		int_out(sock->is_ip6 ? AF_INET6 : AF_INET, value, len);
	else if (level == SOL_SOCKET && name == SO_ACCEPTCONN)
		int_out(sock->phase == SOCK_LISTENING, value, len);
	else if (row && row->kind != KIND_TIME)
		int_out(field_get(&sock->options, row), value, len);
	else
		return -ENOPROTOOPT;
	return 0;
}

int linux_ioctl(const struct sock *sock, unsigned long request, int *value)
{
	struct sock_info info;

	sock_get_info(sock, &info);
	switch (request) {
	case FIONREAD: /* SIOCINQ is the same */
		if (sock->phase == SOCK_LISTENING)
			return -EINVAL;
		*value = (int)sock_unread(sock);
		return 0;
	case SIOCOUTQ:
		*value = (int)info.send_queue_bytes;
		return 0;
	case SIOCOUTQNSD:
		*value = (int)info.unsent_bytes;
		return 0;
	default:
		return -EINVAL;
	}
}
