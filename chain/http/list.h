/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The elements of a comma-separated list without quoted strings (RFC 9110 §5.6.1).
 *
 * Threads: any.
 */
#ifndef CHAIN_HTTP_LIST_H
#define CHAIN_HTTP_LIST_H

#include <stdbool.h>

#include "chain/http/text.h"

struct http_list {
	struct http_bytes rest;
	bool ended;
};

static inline struct http_list http_list_of(struct http_bytes value)
{
	return (struct http_list){value, false};
}

/* `bytes` without the white space around it. */
struct http_bytes http_trim(struct http_bytes bytes);

/* The next element, without the white space around it; empty ones too. False: no more. */
bool http_list_next(struct http_list *list, struct http_bytes *element);

#endif
