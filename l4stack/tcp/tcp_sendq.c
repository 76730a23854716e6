/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_sendq.h"

#include "l4stack/base/pkt.h"
#include "l4stack/tcp/tcp_chain.h"
#include "l4stack/tcp/tcp_seq.h"

void tcp_sendq_append_any(struct tcp_conn *conn, struct rte_mbuf *chain)
{
	struct tcp_chain_size size;
	struct rte_mbuf *last;

	chain = tcp_chain_measure(chain, &last, &size);
	if (!chain)
		return;
	if (conn->snd_tail)
		conn->snd_tail->next = chain;
	else
		conn->snd_head = chain;
	conn->snd_tail = last;
	if (!conn->snd_cursor) {
		conn->snd_cursor = chain;
		conn->snd_cursor_off = 0;
	}
	conn->snd_bytes += size.bytes;
	conn->mem_charge += size.charge;
	conn->tcp->send_held_bytes += size.charge;
}

static void pop(struct tcp_conn *conn)
{
	struct rte_mbuf *m = conn->snd_head;

	conn->snd_head = m->next;
	if (!conn->snd_head)
		conn->snd_tail = NULL;
	if (conn->snd_cursor == m) {
		conn->snd_cursor = conn->snd_head;
		conn->snd_cursor_off = 0;
	}
	if (conn->resend_at == m)
		conn->resend_at = NULL;
	tcp_sendq_uncharge(conn, tcp_mbuf_charge(m));
	rte_pktmbuf_free_seg(m);
}

static void pull(struct tcp_conn *conn, uint32_t bytes)
{
	pkt_pull(conn->snd_head, (uint16_t)bytes);
	if (conn->snd_cursor == conn->snd_head)
		conn->snd_cursor_off -= RTE_MIN(conn->snd_cursor_off, bytes);
	if (conn->resend_at == conn->snd_head)
		conn->resend_seq += bytes;
}

void tcp_sendq_ack_any(struct tcp_conn *conn, uint32_t bytes)
{
	conn->snd_bytes -= bytes;
	while (bytes && bytes >= conn->snd_head->data_len) {
		bytes -= conn->snd_head->data_len;
		pop(conn);
	}
	if (bytes)
		pull(conn, bytes);
}

void tcp_sendq_rewind(struct tcp_conn *conn)
{
	conn->snd_nxt = conn->snd_una;
	conn->snd_cursor = conn->snd_head;
	conn->snd_cursor_off = 0;
}

struct rte_mbuf *tcp_sendq_seek(struct tcp_conn *conn, uint32_t seq, uint32_t *off)
{
	uint32_t at = tcp_snd_queue_seq(conn);
	struct rte_mbuf *m = conn->snd_head;

	if (conn->resend_at && seq_ge(seq, conn->resend_seq)) {
		m = conn->resend_at;
		at = conn->resend_seq;
	}
	while (m && seq - at >= m->data_len) {
		at += m->data_len;
		m = m->next;
	}
	conn->resend_at = m;
	conn->resend_seq = at;
	*off = m ? seq - at : 0;
	return m;
}

void tcp_sendq_free(struct tcp_conn *conn)
{
	tcp_sendq_uncharge(conn, conn->mem_charge);
	rte_pktmbuf_free(conn->snd_head);
	conn->snd_head = conn->snd_tail = conn->snd_cursor = conn->resend_at = NULL;
	conn->snd_bytes = 0;
}
