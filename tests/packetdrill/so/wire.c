/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/packetdrill/so/wire.h"

#include <errno.h>
#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <stdlib.h>
#include <string.h>

#include "l4stack/base/pkt.h"
#include "l4stack/stack.h"

const uint8_t wire_stack_mac[6] = {2, 0, 0, 0, 0, 1};
static const uint8_t other_mac[6] = {2, 0, 0, 0, 0, 2};

struct wire_packet {
	struct wire_packet *next;
	uint64_t sent_us;
	size_t len;
	uint8_t bytes[];
};

void wire_init(struct wire *wire, struct rte_mempool *rx, const uint64_t *now_us)
{
	wire->rx = rx;
	wire->now_us = now_us;
	wire->last = &wire->first;
}

void wire_fini(struct wire *wire)
{
	while (wire->first) {
		struct wire_packet *packet = wire->first;

		wire->first = packet->next;
		free(packet);
	}
}

/* ---- from the stack ---- */

static void keep_packet(struct wire *wire, const struct rte_mbuf *pkt)
{
	size_t len = pkt->pkt_len - RTE_ETHER_HDR_LEN;
	struct wire_packet *packet = malloc(sizeof(*packet) + len);

	if (!packet)
		return;
	packet->next = NULL;
	packet->sent_us = *wire->now_us;
	packet->len = len;
	pkt_read(pkt, RTE_ETHER_HDR_LEN, (uint32_t)len, packet->bytes);
	*wire->last = packet;
	wire->last = &packet->next;
}

/* Answered later, in wire_answer: the stack must not be called while it sends. */
static void keep_question(struct wire *wire, const uint8_t *frame, size_t len)
{
	struct wire_question *question = &wire->questions[wire->question_count];

	if (wire->question_count == WIRE_QUESTIONS)
		return;
	memcpy(question->frame, frame, len);
	question->len = len;
	wire->question_count++;
}

void wire_output(void *ctx, uint16_t port, struct rte_mbuf *pkt)
{
	struct wire *wire = ctx;
	uint8_t frame[NEIGHBOUR_FRAME_MAX];
	size_t len = RTE_MIN((size_t)pkt->pkt_len, sizeof(frame));

	(void)port;
	if (len > RTE_ETHER_HDR_LEN && pkt_read(pkt, 0, (uint32_t)len, frame)) {
		if (neighbour_is_talk(frame, len))
			keep_question(wire, frame, len);
		else
			keep_packet(wire, pkt);
	}
	rte_pktmbuf_free(pkt);
}

size_t wire_take(struct wire *wire, void *packet, size_t room, uint64_t *sent_us)
{
	struct wire_packet *first = wire->first;
	size_t len;

	if (!first)
		return 0;
	wire->first = first->next;
	if (!wire->first)
		wire->last = &wire->first;
	len = first->len;
	*sent_us = first->sent_us;
	memcpy(packet, first->bytes, len < room ? len : room);
	free(first);
	return len;
}

/* ---- to the stack ---- */

int wire_destination(const void *packet, size_t len, struct addr *out)
{
	const uint8_t *ip = packet;

	*out = (struct addr){0};
	if (len >= 20 && ip[0] >> 4 == 4) {
		out->family = ADDR_IP4;
		memcpy(out->bytes, ip + 16, 4);
		return 0;
	}
	if (len >= 40 && ip[0] >> 4 == 6) {
		out->family = ADDR_IP6;
		memcpy(out->bytes, ip + 24, 16);
		return 0;
	}
	return -EINVAL;
}

/* What has no room in the first mbuf follows in others, as GRO and LRO hand it up. */
static bool append(struct rte_mempool *pool, struct rte_mbuf *pkt, const uint8_t *bytes, size_t len)
{
	struct rte_mbuf *tail = pkt;

	while (len) {
		uint16_t n = (uint16_t)RTE_MIN(len, (size_t)rte_pktmbuf_tailroom(tail));

		memcpy(rte_pktmbuf_mtod_offset(tail, uint8_t *, tail->data_len), bytes, n);
		tail->data_len = (uint16_t)(tail->data_len + n);
		pkt->pkt_len += n;
		bytes += n;
		len -= n;
		if (!len)
			return true;
		tail->next = rte_pktmbuf_alloc(pool);
		if (!tail->next)
			return false;
		tail = tail->next;
		pkt->nb_segs++;
	}
	return true;
}

static int frame_in(struct wire *wire, const void *ether, const void *bytes, size_t len)
{
	struct rte_mbuf *pkt = rte_pktmbuf_alloc(wire->rx);

	if (!pkt || !append(wire->rx, pkt, ether, RTE_ETHER_HDR_LEN) ||
	    !append(wire->rx, pkt, bytes, len)) {
		rte_pktmbuf_free(pkt);
		return -ENOBUFS;
	}
	stack_input(wire->stack, WIRE_PORT, &pkt, 1);
	return 0;
}

int wire_input(struct wire *wire, const void *packet, size_t len)
{
	const uint8_t *ip = packet;
	struct rte_ether_hdr ether;

	if (len == 0 || len > UINT16_MAX - RTE_ETHER_HDR_LEN)
		return -EINVAL;
	memcpy(&ether.dst_addr, wire_stack_mac, 6);
	memcpy(&ether.src_addr, other_mac, 6);
	ether.ether_type =
		ip[0] >> 4 == 6 ? RTE_BE16(RTE_ETHER_TYPE_IPV6) : RTE_BE16(RTE_ETHER_TYPE_IPV4);
	return frame_in(wire, &ether, packet, len);
}

bool wire_answer(struct wire *wire)
{
	unsigned n = wire->question_count;

	wire->question_count = 0;
	for (unsigned i = 0; i < n; i++) {
		const struct wire_question question = wire->questions[i];
		uint8_t frame[NEIGHBOUR_FRAME_MAX];
		size_t len = neighbour_answer(question.frame, question.len, other_mac, frame);

		if (len)
			frame_in(wire, frame, frame + RTE_ETHER_HDR_LEN, len - RTE_ETHER_HDR_LEN);
	}
	return n;
}
