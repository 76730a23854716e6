/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/packetdrill/play/names.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/sockios.h>
#include <linux/tcp.h>

struct name {
	const char *name;
	int64_t number;
};

#define NAME(n)       \
	{             \
#n, n \
	}

static const struct name names[] = {
	NAME(AF_INET),
	NAME(AF_INET6),
	NAME(PF_INET),
	NAME(PF_INET6),
	NAME(SOCK_STREAM),
	NAME(SOCK_NONBLOCK),
	NAME(IPPROTO_TCP),
	NAME(IPPROTO_IP),
	NAME(IPPROTO_IPV6),
	NAME(SOL_SOCKET),
	{"SOL_TCP", IPPROTO_TCP},
	{"SOL_IP", IPPROTO_IP},
	NAME(SO_REUSEADDR),
	NAME(SO_KEEPALIVE),
	NAME(SO_SNDBUF),
	NAME(SO_RCVBUF),
	NAME(SO_LINGER),
	NAME(SO_ERROR),
	NAME(SO_ACCEPTCONN),
	NAME(SO_RCVLOWAT),
	NAME(TCP_NODELAY),
	NAME(TCP_MAXSEG),
	NAME(TCP_CORK),
	NAME(TCP_KEEPIDLE),
	NAME(TCP_KEEPINTVL),
	NAME(TCP_KEEPCNT),
	NAME(TCP_DEFER_ACCEPT),
	NAME(TCP_INFO),
	NAME(TCP_QUICKACK),
	NAME(TCP_CONGESTION),
	NAME(TCP_USER_TIMEOUT),
	NAME(TCP_FASTOPEN),
	NAME(TCP_NOTSENT_LOWAT),
	NAME(TCP_INQ),
	NAME(F_GETFL),
	NAME(F_SETFL),
	NAME(O_RDWR),
	NAME(O_NONBLOCK),
	{"SIOCINQ", FIONREAD},
	NAME(FIONREAD),
	NAME(SIOCOUTQ),
	NAME(SIOCOUTQNSD),
	NAME(SHUT_RD),
	NAME(SHUT_WR),
	NAME(SHUT_RDWR),
	NAME(MSG_DONTWAIT),
	NAME(MSG_PEEK),
	NAME(MSG_WAITALL),
	NAME(MSG_TRUNC),
	NAME(MSG_MORE),
	NAME(MSG_OOB),
	NAME(MSG_NOSIGNAL),
	NAME(MSG_FASTOPEN),
	NAME(MSG_EOR),
	NAME(MSG_ZEROCOPY),
	NAME(MSG_ERRQUEUE),
	NAME(SO_ZEROCOPY),
	NAME(IP_TOS),
	NAME(TCP_FASTOPEN_CONNECT),
	NAME(TCP_WINDOW_CLAMP),
	NAME(TCP_SYNCNT),
	NAME(TCP_LINGER2),
	NAME(TCPI_OPT_SYN_DATA),
	NAME(POLLIN),
	NAME(POLLOUT),
	NAME(POLLERR),
	NAME(POLLHUP),
	NAME(POLLNVAL),
	NAME(POLLRDHUP),
	NAME(EPOLLIN),
	NAME(EPOLLOUT),
	NAME(EPOLLERR),
	NAME(EPOLLHUP),
	NAME(EPOLLRDHUP),
	NAME(EPOLLET),
	NAME(EPOLLONESHOT),
	NAME(EPOLL_CTL_ADD),
	NAME(EPOLL_CTL_MOD),
	NAME(EPOLL_CTL_DEL),
	{"TCP_ESTABLISHED", 1},
	{"TCP_SYN_SENT", 2},
	{"TCP_SYN_RECV", 3},
	{"TCP_FIN_WAIT1", 4},
	{"TCP_FIN_WAIT2", 5},
	{"TCP_TIME_WAIT", 6},
	{"TCP_CLOSE", 7},
	{"TCP_CLOSE_WAIT", 8},
	{"TCP_LAST_ACK", 9},
	{"TCP_LISTEN", 10},
	{"TCP_CLOSING", 11},
	{"TCP_CA_Open", 0},
	{"TCP_CA_Disorder", 1},
	{"TCP_CA_CWR", 2},
	{"TCP_CA_Recovery", 3},
	{"TCP_CA_Loss", 4},
	NAME(TCPI_OPT_TIMESTAMPS),
	NAME(TCPI_OPT_SACK),
	NAME(TCPI_OPT_WSCALE),
	NAME(TCPI_OPT_ECN),
	{"NULL", 0},
	{"TCP_INFINITE_SSTHRESH", 0x7fffffff},
};

static const struct name errors[] = {
	NAME(EAGAIN),          NAME(EALREADY),      NAME(EBADF),        NAME(ECONNREFUSED),
	NAME(ECONNRESET),      NAME(EDEADLK),       NAME(EHOSTUNREACH), NAME(EINPROGRESS),
	NAME(EINVAL),          NAME(EISCONN),       NAME(ENETUNREACH),  NAME(ENOBUFS),
	NAME(ENOENT),          NAME(ENOPROTOOPT),   NAME(ENOSYS),       NAME(ENOTCONN),
	NAME(EFAULT),          NAME(EOPNOTSUPP),    NAME(EPIPE),        NAME(ETIMEDOUT),
	NAME(EADDRINUSE),      NAME(EADDRNOTAVAIL), NAME(EAFNOSUPPORT), NAME(EMFILE),
	NAME(EPROTONOSUPPORT), NAME(ENOMEM),
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

bool name_number(const char *name, int64_t *out)
{
	for (size_t i = 0; i < COUNT(names); i++) {
		if (!strcmp(names[i].name, name)) {
			*out = names[i].number;
			return true;
		}
	}
	for (size_t i = 0; i < COUNT(errors); i++) {
		if (!strcmp(errors[i].name, name)) {
			*out = errors[i].number;
			return true;
		}
	}
	return false;
}

const char *name_of_error(int error)
{
	static char text[32];

	for (size_t i = 0; i < COUNT(errors); i++)
		if (errors[i].number == error)
			return errors[i].name;
	snprintf(text, sizeof(text), "error %d", error);
	return text;
}

/* ---- struct tcp_info ---- */

struct field {
	const char *name;
	size_t at, bytes;
};

#define FIELD(n)                                                                    \
	{                                                                           \
#n, offsetof(struct tcp_info, n), sizeof(((struct tcp_info *)0)->n) \
	}

static const struct field fields[] = {
	FIELD(tcpi_state),
	FIELD(tcpi_ca_state),
	FIELD(tcpi_retransmits),
	FIELD(tcpi_probes),
	FIELD(tcpi_backoff),
	FIELD(tcpi_options),
	FIELD(tcpi_rto),
	FIELD(tcpi_snd_mss),
	FIELD(tcpi_rcv_mss),
	FIELD(tcpi_unacked),
	FIELD(tcpi_sacked),
	FIELD(tcpi_lost),
	FIELD(tcpi_retrans),
	FIELD(tcpi_pmtu),
	FIELD(tcpi_rtt),
	FIELD(tcpi_rttvar),
	FIELD(tcpi_snd_ssthresh),
	FIELD(tcpi_snd_cwnd),
	FIELD(tcpi_advmss),
	FIELD(tcpi_reordering),
	FIELD(tcpi_rcv_space),
	FIELD(tcpi_total_retrans),
	FIELD(tcpi_bytes_received),
	FIELD(tcpi_bytes_sent),
	FIELD(tcpi_notsent_bytes),
	FIELD(tcpi_snd_wnd),
	FIELD(tcpi_bytes_acked),
	FIELD(tcpi_segs_in),
	FIELD(tcpi_segs_out),
	FIELD(tcpi_delivered),
	FIELD(tcpi_bytes_retrans),
	FIELD(tcpi_dsack_dups),
	FIELD(tcpi_reord_seen),
	FIELD(tcpi_delivered_ce),
	FIELD(tcpi_rcv_ooopack),
	FIELD(tcpi_last_data_sent),
	FIELD(tcpi_last_data_recv),
	FIELD(tcpi_last_ack_recv),
	FIELD(tcpi_min_rtt),
	FIELD(tcpi_busy_time),
	FIELD(tcpi_rwnd_limited),
	FIELD(tcpi_sndbuf_limited),
	FIELD(tcpi_data_segs_in),
	FIELD(tcpi_data_segs_out),
};

static int64_t read_field(const void *at, size_t bytes)
{
	uint64_t v = 0;

	memcpy(&v, at, bytes); /* little-endian, as all we run on */
	return (int64_t)v;
}

bool name_info_field(const char *name, const void *info, int64_t *out)
{
	const struct tcp_info *ti = info;

	if (!strcmp(name, "tcpi_snd_wscale")) {
		*out = ti->tcpi_snd_wscale;
		return true;
	}
	if (!strcmp(name, "tcpi_rcv_wscale")) {
		*out = ti->tcpi_rcv_wscale;
		return true;
	}
	for (size_t i = 0; i < COUNT(fields); i++) {
		if (!strcmp(fields[i].name, name)) {
			*out = read_field((const char *)info + fields[i].at, fields[i].bytes);
			return true;
		}
	}
	return false;
}
