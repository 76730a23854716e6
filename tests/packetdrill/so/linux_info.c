/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/packetdrill/so/linux_info.h"

#include <linux/tcp.h>
#include <string.h>

#include "tests/packetdrill/so/sock.h"

/* The kernel's numbers of TCP's states, which no header for programs has but netinet/tcp.h,
 * and that one has a structure of the same name as linux/tcp.h. */
static const struct {
	const char *name;
	uint8_t number;
} states[] = {
	{"ESTABLISHED", 1}, {"SYN-SENT", 2},  {"SYN-RECEIVED", 3}, {"FIN-WAIT-1", 4},
	{"FIN-WAIT-2", 5},  {"TIME-WAIT", 6}, {"CLOSED", 7},       {"CLOSE-WAIT", 8},
	{"LAST-ACK", 9},    {"LISTEN", 10},   {"CLOSING", 11},
};

#define CA_OPEN           0
#define CA_DISORDER       1
#define CA_CWR            2
#define CA_RECOVERY       3
#define CA_LOSS           4
#define SSTHRESH_INFINITE 0x7fffffffu

static uint8_t state_number(const char *name)
{
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (!strcmp(states[i].name, name))
			return states[i].number;
	return 0;
}

static uint8_t ca_state(const struct sock_info *info)
{
	if (info->mending || (info->retries && info->unacked_bytes))
		return CA_LOSS;
	if (info->recovering)
		return CA_RECOVERY;
	if (info->reduced)
		return CA_CWR;
	return info->disordered ? CA_DISORDER : CA_OPEN;
}

static uint8_t options(const struct sock_info *info)
{
	return (uint8_t)((info->timestamps ? TCPI_OPT_TIMESTAMPS : 0) |
			 (info->sack ? TCPI_OPT_SACK : 0) | (info->wscale ? TCPI_OPT_WSCALE : 0) |
			 (info->ecn ? TCPI_OPT_ECN : 0) |
			 (info->fast_text ? TCPI_OPT_SYN_DATA : 0));
}

static uint32_t segments(const struct sock_info *info, uint32_t bytes)
{
	return info->mss ? (bytes + info->mss - 1) / info->mss : 0;
}

static uint32_t ssthresh(const struct sock_info *info)
{
	if (info->ssthresh_bytes >= SSTHRESH_INFINITE || !info->mss)
		return SSTHRESH_INFINITE;
	return info->ssthresh_bytes / info->mss;
}

static bool is_open(const struct sock_info *info)
{
	return info->mss && strcmp(info->state, "SYN-SENT") != 0;
}

static void fill_flight(const struct sock_info *info, struct tcp_info *out)
{
	out->tcpi_unacked = segments(info, info->unacked_bytes);
	out->tcpi_sacked = segments(info, info->sacked_bytes);
	/* Linux counts what is lost until it is acknowledged. */
	out->tcpi_lost = segments(info, info->lost_bytes + info->resent_bytes);
	out->tcpi_retrans = segments(info, info->resent_bytes);
	out->tcpi_delivered = segments(info, info->delivered_bytes) + is_open(info); /* the SYN */
	out->tcpi_total_retrans = info->retransmits;
	out->tcpi_notsent_bytes = info->unsent_bytes;
	out->tcpi_bytes_received = info->bytes_in;
	out->tcpi_bytes_sent = info->bytes_out;
	out->tcpi_snd_wnd = info->send_window_bytes;
}

static void fill_times(const struct sock_info *info, struct tcp_info *out)
{
	out->tcpi_rto = info->rto_us;
	out->tcpi_rtt = info->srtt_us;
	out->tcpi_rttvar = info->rttvar_us;
	out->tcpi_min_rtt = info->min_rtt_us;
	out->tcpi_busy_time = info->busy_us;
	out->tcpi_rwnd_limited = info->window_us;
	out->tcpi_sndbuf_limited = info->buffer_us;
	out->tcpi_last_data_sent = (uint32_t)(info->idle_sent_us / 1000);
	out->tcpi_last_data_recv = (uint32_t)(info->idle_recv_us / 1000);
	out->tcpi_last_ack_recv = (uint32_t)(info->idle_acked_us / 1000);
}

static void fill_sizes(const struct sock_info *info, struct tcp_info *out)
{
	out->tcpi_snd_mss = info->mss;
	out->tcpi_rcv_mss = info->recv_mss;
	out->tcpi_advmss = info->advertised_mss;
	out->tcpi_pmtu = info->path_mtu;
	out->tcpi_snd_cwnd = info->mss ? info->cwnd_bytes / info->mss : 0;
	out->tcpi_snd_ssthresh = ssthresh(info);
	out->tcpi_rcv_space = info->recv_window_bytes;
	out->tcpi_snd_wscale = info->wscale_send & 15;
	out->tcpi_rcv_wscale = info->wscale_recv & 15;
}

void linux_info_out(const struct sock_info *info, void *value, socklen_t *len)
{
	struct tcp_info out = {
		.tcpi_state = state_number(info->state),
		.tcpi_ca_state = ca_state(info),
		.tcpi_retransmits = info->retries,
		.tcpi_backoff = info->retries,
		.tcpi_probes = info->probes,
		.tcpi_options = options(info),
		.tcpi_reordering = 3,
	};

	fill_times(info, &out);
	fill_sizes(info, &out);
	fill_flight(info, &out);
	if (*len > sizeof(out))
		*len = sizeof(out);
	memcpy(value, &out, *len);
}
