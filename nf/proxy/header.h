/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The PROXY protocol, versions 1 and 2: the header by which a proxy tells a server who its client
 * is. Pure: bytes in, addresses out, and back.
 *
 * https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt; sections are cited as PP §.
 */
#ifndef NF_PROXY_HEADER_H
#define NF_PROXY_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/nf.h>

#define HEADER_WRITE_MAX 128

enum header_version { HEADER_NONE = 0, HEADER_V1, HEADER_V2 };

struct header {
	uint32_t bytes; /* of the header itself */
	bool named;     /* it names addresses; else those of the connection hold */
	struct sluice_peer client, local;
};

enum header_result {
	HEADER_MORE, /* it is not whole yet */
	HEADER_BAD,
	HEADER_DONE,
};

enum header_result header_read(struct sluice_str text, struct header *out);

/* Writes one to `out` (HEADER_WRITE_MAX bytes). Its length. */
uint32_t header_write(enum header_version version, const struct sluice_peer *client,
		      const struct sluice_peer *local, uint8_t *out);

#endif
