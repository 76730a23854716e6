/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Request targets and hosts (RFC 9112 §3.2, RFC 3986 §3.2): pure functions of the codec's own.
 *
 * Threads: any.
 */
#ifndef CHAIN_HTTP_TARGET_H
#define CHAIN_HTTP_TARGET_H

#include <stdbool.h>
#include <stdint.h>

/* Offsets are from the target's first byte; a piece that is not there has length 0. */
struct http_target {
	uint32_t host_off, host_len;   /* absolute-form, authority-form */
	uint32_t rest_off, rest_len;   /* all that comes after the host */
	uint32_t path_off, path_len;   /* empty in absolute-form: "/" is meant, with OPTIONS "*" */
	uint32_t query_off, query_len; /* without '?' */
};

/* A target as it came: bytes are known to be HTTP_TARGET. False: not in a form that the
 * method (enum sluice_method) allows. */
bool http_target_parse(uint8_t method, const uint8_t *text, uint32_t len, struct http_target *out);

/* The same for any bytes. */
bool http_target_check(uint8_t method, const uint8_t *text, uint32_t len, struct http_target *out);

/* uri-host [ ":" port ], not empty: a registered name without commas, an IPv4 address, or an IPv6
 * address in brackets; no user information. */
bool http_host_valid(const uint8_t *text, uint32_t len);

#endif
