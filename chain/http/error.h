/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The reasons for which the codec refuses, one table for status, counter and log (errors.def).
 *
 * Threads: constant data, any thread.
 */
#ifndef CHAIN_HTTP_ERROR_H
#define CHAIN_HTTP_ERROR_H

#include <stdbool.h>
#include <stdint.h>

enum http_error {
	HTTP_OK = 0,
#define ERROR(id, status, counter, text) HTTP_ERROR_##id,
#include "chain/http/errors.def"
#undef ERROR
	HTTP_ERROR_COUNT
};

/* The status to answer with: 400, 414, 417, 431, 501 or 505; 502 when `response` (an origin server
 * sent it); 500 for edits. 0 for HTTP_OK. */
uint16_t http_error_status(enum http_error error, bool response);

/* "bare_lf": for counters. "ok" for HTTP_OK. */
const char *http_error_counter(enum http_error error);

/* "LF without CR": for the error log. */
const char *http_error_text(enum http_error error);

#endif
