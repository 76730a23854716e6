/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Max-Forwards (RFC 9110 §7.6.2): how far OPTIONS and TRACE may still go.
 *
 * Threads: that of the head.
 */
#ifndef CHAIN_HTTP_FORWARDS_H
#define CHAIN_HTTP_FORWARDS_H

#include <stdbool.h>

#include <sluice/abi.h>

#include "chain/http/error.h"
#include "chain/http/text.h"

/* Counts the field down by one where the method has to. `*last`: it was 0, the request must not be
 * passed on. HTTP_OK, MAX_FORWARDS: it is no number, or HEAD_TEXT: no room. */
enum http_error http_forwards_count(struct sluice_head *head, const struct http_memory *memory,
				    bool *last) __attribute__((warn_unused_result));

#endif
