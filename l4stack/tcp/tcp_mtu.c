/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_mtu.h"

#include <stddef.h>

#include "l4stack/tcp/tcp_recovery.h"
#include "l4stack/tcp/tcp_recvq.h"
#include "l4stack/tcp/tcp_seq.h"

#define TIMEOUTS_BEFORE 2 /* those that are taken for congestion */

/* RFC 8200 §5 and RFC 791: what every host takes, and so nearly every path carries; and how long
 * the peer has to be silent. Few paths are so narrow as the last. */
static const struct {
	uint16_t mtu;
	uint32_t silent_ms;
} steps[] = {{1500, 0}, {1280, 0}, {576, 12000}};
/* RFC 1191 §7.1, and tunnels. */
static const uint16_t plateaus[] = {8166, 4352, 2002, 1500, 1492, 1480, 1400, 1280, 1006};

/* ---- down ---- */

/* What goes out first, now that all of it is lost. */
static uint32_t first_bytes(const struct tcp_conn *conn)
{
	uint32_t lo, hi;

	return tcp_scoreboard_next_lost(&conn->sent, conn->mss, &lo, &hi) ? hi - lo : 0;
}

/* The next step that makes it shorter; 0: there is none. */
static uint16_t step_down(const struct tcp_conn *conn)
{
	uint32_t bytes = first_bytes(conn);
	uint32_t silent_ms = tcp_now_ms(conn->tcp) - conn->retry_ms;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (silent_ms >= steps[i].silent_ms && steps[i].mtu < conn->path.mtu &&
		    steps[i].mtu >= tcp_mtu_floor(conn) &&
		    tcp_conn_mss_of(conn, steps[i].mtu) < bytes)
			return steps[i].mtu;
	return 0;
}

static void set_mtu(struct tcp_conn *conn, uint16_t mtu)
{
	conn->path.mtu = mtu;
	tcp_conn_set_mss(conn);
}

static void probe_at(struct tcp_conn *conn, uint16_t mtu, uint32_t in_ms)
{
	conn->mtu.next = mtu;
	conn->mtu.probe_ms = tcp_now_ms(conn->tcp) + in_ms;
}

static void lower(struct tcp_conn *conn)
{
	uint16_t step = step_down(conn);

	if (!step)
		return;
	stack_count(conn->tcp->stack, tcp_black_holes);
	if (!conn->mtu.full)
		conn->mtu.full = conn->path.mtu;
	set_mtu(conn, step);
	probe_at(conn, conn->mtu.full, 0);
}

/* ---- up ---- */

static uint16_t plateau_below(const struct tcp_conn *conn, uint16_t mtu)
{
	for (size_t i = 0; i < sizeof(plateaus) / sizeof(plateaus[0]); i++)
		if (plateaus[i] < mtu)
			return tcp_conn_mss_of(conn, plateaus[i]) > conn->mss ? plateaus[i] : 0;
	return 0;
}

static bool is_probing(const struct tcp_conn *conn)
{
	return conn->loss & TCP_LOSS_MTU_PROBE;
}

static void probe_over(struct tcp_conn *conn)
{
	conn->loss &= (uint16_t)~TCP_LOSS_MTU_PROBE;
}

static void probe_failed(struct tcp_conn *conn)
{
	uint16_t below = plateau_below(conn, conn->mtu.tried);

	probe_over(conn);
	if (conn->mtu.next < conn->mtu.tried || seq_gt(conn->mtu.probe_ms, tcp_now_ms(conn->tcp)))
		return; /* a router has told more than that */
	if (below)
		probe_at(conn, below, 0);
	else
		probe_at(conn, conn->mtu.full, TCP_MTU_RAISE_MS);
}

uint32_t tcp_mtu_probe_bytes(const struct tcp_conn *conn)
{
	uint32_t bytes;

	if (!conn->mtu.full || is_probing(conn) || !tcp_has(conn, TCP_USE_SACK) ||
	    !tcp_recovery_is_open(conn) || tcp_scoreboard_lost(&conn->sent) ||
	    tcp_scoreboard_sacked(&conn->sent) || seq_lt(tcp_now_ms(conn->tcp), conn->mtu.probe_ms))
		return 0;
	bytes = tcp_conn_mss_of(conn, conn->mtu.next);
	return bytes > conn->mss ? bytes : 0;
}

void tcp_mtu_probe_begin(struct tcp_conn *conn)
{
	uint16_t known = conn->path.mtu;

	conn->mtu.tried = conn->mtu.next;
	conn->mss = tcp_conn_mss_of(conn, conn->mtu.tried);
	conn->path.mtu = conn->mtu.tried;
	conn->mtu.known = known;
}

/* The path may have become another one meanwhile: then all has begun anew. */
void tcp_mtu_probe_end(struct tcp_conn *conn, bool sent)
{
	if (!conn->mtu.known)
		return;
	conn->path.mtu = conn->mtu.known;
	conn->mtu.known = 0;
	conn->mss = tcp_conn_mss_of(conn, conn->path.mtu);
	if (!sent)
		return;
	conn->mtu.probe_end = conn->snd_nxt;
	conn->loss |= TCP_LOSS_MTU_PROBE;
}

void tcp_mtu_acked(struct tcp_conn *conn)
{
	if (!is_probing(conn) || seq_lt(conn->snd_una, conn->mtu.probe_end))
		return;
	probe_over(conn);
	stack_count(conn->tcp->stack, tcp_mtu_raised);
	set_mtu(conn, conn->mtu.tried);
	ip_path_learn_mtu(conn->tcp->stack, &conn->path, conn->mtu.tried);
	probe_at(conn, conn->mtu.full, TCP_MTU_RAISE_MS);
	if (conn->mtu.tried >= conn->mtu.full)
		conn->mtu.full = 0;
}

/* RFC 4821 §7.6.2 and §7.6.3: beside other losses the probe's own tells nothing. */
bool tcp_mtu_lost(struct tcp_conn *conn)
{
	const struct tcp_run *lost = conn->sent.lost.first;
	uint32_t bytes;

	if (!is_probing(conn) || !lost)
		return false;
	bytes = tcp_conn_mss_of(conn, conn->mtu.tried);
	if (lost->hi != conn->mtu.probe_end || lost->hi - lost->lo != bytes ||
	    tcp_scoreboard_lost(&conn->sent) != bytes || !tcp_recovery_is_open(conn)) {
		probe_over(conn);
		return false;
	}
	probe_failed(conn);
	return true;
}

void tcp_mtu_timeout(struct tcp_conn *conn)
{
	if (is_probing(conn))
		probe_failed(conn);
	if (conn->retries >= TIMEOUTS_BEFORE && !conn->trust_path)
		lower(conn);
}

/* ---- told ---- */

void tcp_mtu_begin(struct tcp_conn *conn)
{
	uint16_t most = ip_path_port_mtu(conn->tcp->stack, &conn->path);

	probe_over(conn);
	conn->mss_own = (uint16_t)tcp_recvq_mtu_mss(conn->path.src.family, most, conn->mss_most);
	conn->mtu = (struct tcp_mtu){0};
	if (conn->path.mtu >= most)
		return;
	conn->mtu.full = most;
	probe_at(conn, most, TCP_MTU_RAISE_MS);
}

/* What is longer than that is taken for lost at once, probe or not. */
static void told_lower(struct tcp_conn *conn, uint16_t mtu)
{
	ip_path_learn_mtu(conn->tcp->stack, &conn->path, mtu);
	conn->path.mtu = mtu;
	tcp_mtu_begin(conn);
}

/* While longer segments are tried: that is the one to try, or none is. */
static void told_of_probe(struct tcp_conn *conn, uint16_t mtu)
{
	if (mtu >= conn->mtu.full)
		return;
	if (mtu > conn->path.mtu) {
		probe_at(conn, mtu, 0);
		return;
	}
	ip_path_learn_mtu(conn->tcp->stack, &conn->path, mtu);
	probe_at(conn, conn->mtu.full, TCP_MTU_RAISE_MS);
}

bool tcp_mtu_told(struct tcp_conn *conn, uint16_t mtu)
{
	if (mtu >= conn->path.mtu) {
		told_of_probe(conn, mtu);
		return false;
	}
	told_lower(conn, mtu);
	return true;
}
