/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fields known by number (sluice/fields.def) and methods.
 *
 * Threads: constant data after the program's start, any thread.
 */
#ifndef CHAIN_HTTP_FIELD_H
#define CHAIN_HTTP_FIELD_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/abi.h>

#include "chain/http/chars.h"

/* The number of a name, without regard to case, in constant time; SLUICE_FIELD_OTHER. */
uint16_t http_field_id(const uint8_t *name, uint32_t len);

/* Whether that name has this number, which is none of a field otherwise. */
bool http_field_is(uint16_t id, const uint8_t *name, uint32_t len);

extern const uint8_t http_field_flags_of[SLUICE_FIELD_COUNT];

/* SLUICE_FIELD_HOP | SLUICE_FIELD_FRAMING | SLUICE_FIELD_SINGLE; 0 for SLUICE_FIELD_OTHER. */
static inline uint8_t http_field_flags(uint16_t id)
{
	return id < SLUICE_FIELD_COUNT ? http_field_flags_of[id] : 0;
}

/* In lower case; "" for SLUICE_FIELD_OTHER. */
const char *http_field_name(uint16_t id);

/* Fields that must not be merged from trailers: framing, routing, authentication, request
 * modifiers, content (RFC 9110 §6.5.1), and those for one connection only. */
bool http_field_forbidden_in_trailers(uint16_t id);

/* Methods are case-sensitive (RFC 9110 §9.1). SLUICE_METHOD_OTHER for the rest. */
uint8_t http_method_id(const uint8_t *name, uint32_t len);

/* "GET"; "" for SLUICE_METHOD_OTHER. */
const char *http_method_name(uint8_t method);

/* Asked twice it does what it does once (RFC 9110 §9.2.2). One that is not known here does not. */
bool http_method_idempotent(uint8_t method);

#endif
