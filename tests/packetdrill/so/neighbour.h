/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one neighbour that stands for every address: it answers ARP and neighbor
 * solicitations. Pure: frames in, frames out.
 */
#ifndef TESTS_PACKETDRILL_SO_NEIGHBOUR_H
#define TESTS_PACKETDRILL_SO_NEIGHBOUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NEIGHBOUR_FRAME_MAX 128

/* ARP, NDP or MLD: what stays on the link, and what packetdrill is not shown. */
bool neighbour_is_talk(const uint8_t *frame, size_t len);

/* The answer's length, at most NEIGHBOUR_FRAME_MAX; 0 when it was no question. */
size_t neighbour_answer(const uint8_t *frame, size_t len, const uint8_t *mac, uint8_t *out);

#endif
