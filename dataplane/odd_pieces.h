/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checksums of packets that lie in several pieces, for a driver that sums them wrongly.
 *
 * rte_raw_cksum_mbuf() of DPDK 22.11 loses carries of a piece that begins at an odd offset. A
 * driver that uses it (net_vhost, for a guest that wants its packets summed) sends some of them
 * with a wrong checksum, and would do so again each time that they are sent again.
 *
 * Pure.
 */
#ifndef DATAPLANE_ODD_PIECES_H
#define DATAPLANE_ODD_PIECES_H

struct rte_mbuf;

/* If the packet's TCP checksum is left to the device, and one of its pieces begins at an odd
 * offset: puts the checksum in, and leaves the device nothing to do. Not if the device is to cut
 * it: then the peer has taken over checksums as well. */
void odd_pieces_sum(struct rte_mbuf *packet);

#endif
