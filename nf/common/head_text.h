/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A request's head written out as text, for those who ask what arrived (TRACE, echo).
 */
#ifndef NF_COMMON_HEAD_TEXT_H
#define NF_COMMON_HEAD_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/nf.h>

/*
 * Writes the request line, the fields and the empty line into `room`; what does not fit is
 * left out, by whole lines. `secrets`: also fields that authenticate (RFC 9110 §9.3.8
 * keeps them out of the answer to TRACE).
 */
struct sluice_str head_text(const struct sluice_exchange *x, bool secrets, char *room,
			    uint32_t size);

#endif
