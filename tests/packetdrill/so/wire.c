/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/packetdrill/so/wire.h"

#include <errno.h>
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <stdlib.h>
#include <string.h>

#include "l4stack/base/pkt.h"
#include "l4stack/stack.h"

#define ARP_BYTES   28
#define ARP_REQUEST 1
#define ARP_REPLY   2

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

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
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

static void keep_question(struct wire *wire, const struct rte_mbuf *pkt)
{
	if (wire->question_count == WIRE_QUESTIONS)
		return;
	if (pkt_read(pkt, RTE_ETHER_HDR_LEN, ARP_BYTES, wire->questions[wire->question_count]))
		wire->question_count++;
}

void wire_output(void *ctx, uint16_t port, struct rte_mbuf *pkt)
{
	struct wire *wire = ctx;
	uint8_t type[2];

	(void)port;
	if (pkt_read(pkt, 12, sizeof(type), type)) {
		if (get16(type) == RTE_ETHER_TYPE_ARP)
			keep_question(wire, pkt);
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

static int frame_in(struct wire *wire, uint16_t type, const void *bytes, size_t len)
{
	struct rte_mbuf *pkt = rte_pktmbuf_alloc(wire->rx);
	uint8_t *p = pkt ? (uint8_t *)rte_pktmbuf_append(pkt, (uint16_t)(RTE_ETHER_HDR_LEN + len))
			 : NULL;

	if (!p) {
		rte_pktmbuf_free(pkt);
		return -ENOBUFS;
	}
	memcpy(p, wire_stack_mac, 6);
	memcpy(p + 6, other_mac, 6);
	p[12] = (uint8_t)(type >> 8);
	p[13] = (uint8_t)type;
	memcpy(p + RTE_ETHER_HDR_LEN, bytes, len);
	stack_input(wire->stack, WIRE_PORT, &pkt, 1);
	return 0;
}

int wire_input(struct wire *wire, const void *packet, size_t len)
{
	const uint8_t *ip = packet;

	if (len == 0 || len > UINT16_MAX - RTE_ETHER_HDR_LEN)
		return -EINVAL;
	return frame_in(wire, ip[0] >> 4 == 6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4, packet,
			len);
}

/* RFC 826: whoever is asked for, it is we. */
static void answer_arp(struct wire *wire, const uint8_t *question)
{
	uint8_t reply[ARP_BYTES];

	if (get16(question + 6) != ARP_REQUEST)
		return;
	memcpy(reply, question, sizeof(reply));
	reply[7] = ARP_REPLY;
	memcpy(reply + 8, other_mac, 6);
	memcpy(reply + 14, question + 24, 4);
	memcpy(reply + 18, question + 8, 10);
	frame_in(wire, RTE_ETHER_TYPE_ARP, reply, sizeof(reply));
}

bool wire_answer(struct wire *wire)
{
	unsigned n = wire->question_count;

	wire->question_count = 0;
	for (unsigned i = 0; i < n; i++)
		answer_arp(wire, wire->questions[i]);
	return n;
}
