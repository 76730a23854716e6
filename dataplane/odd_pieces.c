/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/odd_pieces.h"

#include <stdbool.h>
#include <string.h>

#include <rte_mbuf.h>

#include "l4stack/base/csum.h"

#define CHECKSUM_AT 16 /* RFC 9293 §3.1 */

static bool left_to_device(const struct rte_mbuf *m)
{
	return (m->ol_flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_TCP_CKSUM &&
	       !(m->ol_flags & RTE_MBUF_F_TX_TCP_SEG);
}

static bool has_odd_piece(const struct rte_mbuf *m)
{
	uint32_t odd = 0;

	for (; m->next; m = m->next)
		odd |= m->data_len;
	return odd & 1;
}

void odd_pieces_sum(struct rte_mbuf *m)
{
	uint32_t transport = m->l2_len + m->l3_len;
	uint16_t checksum;

	if (!m->next || !left_to_device(m) || !has_odd_piece(m))
		return;
	/* The pseudo header's sum stands in the field. */
	checksum = csum_finish(csum_mbuf(m, transport, m->pkt_len - transport));
	memcpy(rte_pktmbuf_mtod_offset(m, uint8_t *, transport + CHECKSUM_AT), &checksum,
	       sizeof(checksum));
	m->ol_flags &= ~RTE_MBUF_F_TX_L4_MASK;
}
