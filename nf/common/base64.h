/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Base64 (RFC 4648), read strictly: no white space, no stray bits, padding where it is due.
 */
#ifndef NF_COMMON_BASE64_H
#define NF_COMMON_BASE64_H

#include <stdint.h>

#include <sluice/nf.h>

enum base64_kind {
	BASE64_PADDED, /* §4, as in Basic authentication */
	BASE64_URL,    /* §5, without padding, as in JSON Web Tokens */
};

/* The number of bytes in `out`, or -1 when it is no base64 or longer than `size`. */
int64_t base64_decode(struct sluice_str text, enum base64_kind kind, void *out, uint32_t size);

#endif
