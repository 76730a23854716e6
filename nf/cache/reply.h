/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a response's fields say, and which of them are kept. Works on lists of fields, so
 * that a response from the origin and a stored one that a 304 has brought up to date are
 * read by the same code.
 */
#ifndef NF_CACHE_REPLY_H
#define NF_CACHE_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/nf.h>

#include "fields.h"
#include "fresh.h"
#include "nf/common/date.h"

struct read_names;

/* All fields of the head that the exchange shows now. Texts lie where the head has them. */
void reply_collect(const struct sluice_exchange *x, struct fields_list *all);

/* Facts for the rules; vary_never stays false. `received`: the wall clock's seconds. */
void reply_facts(const struct fields_list *all, uint16_t status, int64_t received,
		 const struct read_names *targeted, struct fresh_response *out);

/* Those that may be stored (RFC 9111 §3.1), with a Date if there is none: its text goes to `date`.
 */
void reply_keep(const struct fields_list *all, const struct fresh_response *facts,
		struct fields_list *kept, char date[DATE_BYTES]);

/* Stored fields, those that `news` (from a 304) has replaced by it (RFC 9111 §3.2); its cookies
 * only where cookies are stored at all. */
void reply_merge(const struct fields *stored, const struct fields_list *news, bool cookies,
		 struct fields_list *merged);

/* Is it a field of the connection, of the framing, or one that each answer has anew? */
bool reply_is_passing(uint16_t id);

/* The first value of a known field; an empty text when there is none. */
struct sluice_str reply_value(const struct fields_list *all, enum sluice_field_id id);

#endif
