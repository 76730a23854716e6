/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/ip/gso.h"

#include <rte_byteorder.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>
#include <string.h>

#include "l4stack/base/pkt.h"

#define TCP_HEADER_MAX 60

struct gso {
	const struct stack_pools *pools;
	struct rte_mbuf *rest; /* payload not yet emitted */
	uint32_t left;         /* its bytes */
	uint32_t done;         /* bytes before it */
	uint16_t header_bytes;
	uint8_t header[TCP_HEADER_MAX];
};

/* Takes the header out of the packet; what stays is payload. */
static void gso_begin(struct gso *gso, struct rte_mbuf *pkt)
{
	const struct rte_tcp_hdr *tcp = rte_pktmbuf_mtod(pkt, const struct rte_tcp_hdr *);

	gso->header_bytes = (uint16_t)(tcp->data_off >> 4 << 2);
	memcpy(gso->header, tcp, gso->header_bytes);
	gso->left = pkt->pkt_len - gso->header_bytes;
	gso->rest = pkt;
	pkt_pull(pkt, gso->header_bytes);
	if (pkt->data_len == 0) {
		gso->rest = pkt->next;
		rte_pktmbuf_free_seg(pkt);
	}
}

static struct rte_mbuf *header_make(const struct gso *gso, uint32_t len)
{
	struct rte_mbuf *pkt = rte_pktmbuf_alloc(gso->pools->header);
	struct rte_tcp_hdr *tcp;

	if (!pkt)
		return NULL;
	tcp = (struct rte_tcp_hdr *)rte_pktmbuf_append(pkt, gso->header_bytes);
	memcpy(tcp, gso->header, gso->header_bytes);
	tcp->sent_seq = rte_cpu_to_be_32(rte_be_to_cpu_32(tcp->sent_seq) + gso->done);
	if (gso->done > 0)
		tcp->tcp_flags &= (uint8_t)~RTE_TCP_CWR_FLAG;
	if (len < gso->left)
		tcp->tcp_flags &= (uint8_t) ~(RTE_TCP_FIN_FLAG | RTE_TCP_PSH_FLAG);
	return pkt;
}

static struct rte_mbuf *segment_make(struct gso *gso, uint32_t len)
{
	struct rte_mbuf *segment = header_make(gso, len);

	if (!segment)
		return NULL;
	if (!pkt_move(segment, &gso->rest, len, gso->pools->ref)) {
		rte_pktmbuf_free(segment);
		return NULL;
	}
	gso->done += len;
	gso->left -= len;
	return segment;
}

bool gso_tcp(struct rte_mbuf *pkt, uint16_t segment_bytes, const struct stack_pools *pools,
	     gso_emit_fn *emit, void *ctx)
{
	struct gso gso = {.pools = pools};

	gso_begin(&gso, pkt);
	while (gso.left > 0) {
		struct rte_mbuf *segment = segment_make(&gso, RTE_MIN(gso.left, segment_bytes));

		if (!segment)
			break;
		emit(ctx, segment);
	}
	rte_pktmbuf_free(gso.rest);
	return gso.left == 0;
}
