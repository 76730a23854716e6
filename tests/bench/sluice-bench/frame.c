/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/sluice-bench/frame.h"

#include <string.h>

#define TTL 64

void frame_length(struct frame *frame, uint16_t tcp_bytes)
{
	struct rte_ipv4_hdr *ip = &frame->ip;

	ip->total_length = rte_cpu_to_be_16((uint16_t)(sizeof(*ip) + tcp_bytes));
	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	frame->tcp.cksum = rte_ipv4_phdr_cksum(ip, 0);
}

void frame_prepare(struct frame *frame, const struct frame_ends *ends, uint16_t tcp_bytes)
{
	*frame = (struct frame){
		.eth = {.dst_addr = ends->to_mac,
			.src_addr = ends->from_mac,
			.ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4)},
		.ip = {.version_ihl = RTE_IPV4_VHL_DEF,
		       .fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG),
		       .time_to_live = TTL,
		       .next_proto_id = IPPROTO_TCP,
		       .src_addr = ends->from_ip,
		       .dst_addr = ends->to_ip},
		.tcp = {.src_port = ends->from_port,
			.dst_port = ends->to_port,
			.data_off = sizeof(struct rte_tcp_hdr) / 4 << 4,
			.rx_win = rte_cpu_to_be_16(FRAME_WINDOW)},
	};
	frame_length(frame, tcp_bytes);
}

uint16_t frame_syn_options(struct frame *frame)
{
	static const uint8_t options[] = {2, 4, FRAME_MSS >> 8,    FRAME_MSS & 0xff, 1,
					  3, 3, FRAME_WINDOW_SHIFT};
	uint16_t bytes = sizeof(frame->tcp) + sizeof(options);

	memcpy(frame + 1, options, sizeof(options));
	frame->tcp.data_off = (uint8_t)(bytes / 4 << 4);
	frame_length(frame, bytes);
	return sizeof(options);
}

uint32_t frame_payload(const struct rte_mbuf *m, const struct frame *frame, uint32_t *offset)
{
	uint32_t whole = sizeof(frame->eth) + rte_be_to_cpu_16(frame->ip.total_length);

	*offset = sizeof(frame->eth) + sizeof(frame->ip) + (frame->tcp.data_off >> 4) * 4u;
	if (whole > m->pkt_len || *offset > whole || *offset > m->data_len)
		return 0;
	return whole - *offset;
}
