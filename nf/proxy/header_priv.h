/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the PROXY protocol share: header.c chooses, one file for each version. */
#ifndef NF_PROXY_HEADER_PRIV_H
#define NF_PROXY_HEADER_PRIV_H

#include "nf/proxy/header.h"

#define HEADER_SIGNATURE       "\r\n\r\n\0\r\nQUIT\n"
#define HEADER_SIGNATURE_BYTES 12

/* `out` is zero, and the text begins as one of that version. */
enum header_result header_read_v1(struct sluice_str text, struct header *out);
enum header_result header_read_v2(struct sluice_str text, struct header *out);
/* Both addresses are of one family. */
uint32_t header_write_v1(const struct sluice_peer *client, const struct sluice_peer *local,
			 uint8_t *out);
uint32_t header_write_v2(const struct sluice_peer *client, const struct sluice_peer *local,
			 uint8_t *out);

#endif
