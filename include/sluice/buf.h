/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A buffer in an arena: memory that its owner (a network function, or an application) alone
 * may write, and that is sent from where it lies.
 *
 * A buffer has a reference count, 1 at first. Each slice that is given to be sent holds one
 * more until its last byte was acknowledged by the peer; only then may the bytes change.
 * <sluice/nf.h> and <sluice/socket.h> say how to get one.
 */
#ifndef SLUICE_BUF_H
#define SLUICE_BUF_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sluice_buf {
	uint8_t *data;
	uint32_t size;
};

void sluice_buf_ref(struct sluice_buf *buf);
void sluice_buf_unref(struct sluice_buf *buf); /* NULL: nothing happens */

#ifdef __cplusplus
}
#endif
#endif
