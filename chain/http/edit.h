/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Changes to a head in its slot. New text goes to the slot's text area; payload is never
 * touched, and text that is no longer referred to is not used again.
 *
 * http_edits_apply is for the lists that functions send: nothing in them is trusted. The
 * other calls are for the manager itself; they check room, and the caller answers for the
 * names and values.
 *
 * Threads: that of the head, while no function holds the exchange. Nothing is allocated.
 */
#ifndef CHAIN_HTTP_EDIT_H
#define CHAIN_HTTP_EDIT_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/abi.h>

#include "chain/http/error.h"
#include "chain/http/text.h"

/*
 * Applies an edit list (`len` bytes of struct sluice_edit records, already copied to private
 * memory) whole or not at all: 0; -EINVAL: a record is wrong; -ENOSPC: it might not fit (every
 * SET is counted as one more field). Then the head is unchanged and `*error` says why.
 *
 * Refused: what is no token or no field-value, FRAMING and HOP fields, removing Host, Host in
 * a response or a CONNECT, a host or target that a client could not have sent, TARGET in a
 * response, STATUS in a request. ADD of a field that may stand once only (SINGLE) is SET.
 */
int http_edits_apply(struct sluice_head *head, const struct http_memory *memory,
		     const uint8_t *edits, uint32_t len, enum http_error *error)
	__attribute__((warn_unused_result));

/* Whether a list that was applied changes conditions or the range of a request (RFC 9110 §13,
 * §14.2). */
bool http_edits_ask_otherwise(const uint8_t *edits, uint32_t len);

/* Takes all of these out of a request: it asks for all there is. */
void http_head_ask_for_all(struct sluice_head *head);

/* Whether a status answers conditions or a range, and nothing else. */
bool http_status_of_condition(uint16_t status);

/* A field's name: by number where it has one, else by its letters. */
struct http_key {
	uint16_t id; /* of this name, or SLUICE_FIELD_OTHER when it has none */
	struct http_bytes name;
};

/* Replaces every field of that name by one, at the place of the first. -ENOSPC. */
int http_head_set(struct sluice_head *head, const struct http_memory *memory,
		  struct http_bytes name, struct http_bytes value)
	__attribute__((warn_unused_result));

/* One more field, at the end. -ENOSPC. */
int http_head_add(struct sluice_head *head, struct http_bytes name, struct http_bytes value)
	__attribute__((warn_unused_result));

/* One more field, or instead of the one there is of that name when it may stand once only (SINGLE).
 * -ENOSPC. */
int http_head_put(struct sluice_head *head, const struct http_memory *memory,
		  struct http_bytes name, struct http_bytes value)
	__attribute__((warn_unused_result));

/* Both by a key. */
int http_head_set_key(struct sluice_head *head, const struct http_memory *memory,
		      const struct http_key *key, struct http_bytes value)
	__attribute__((warn_unused_result));
int http_head_put_key(struct sluice_head *head, const struct http_memory *memory,
		      const struct http_key *key, struct http_bytes value)
	__attribute__((warn_unused_result));
/* Removes every field of that name; says how many. */
uint32_t http_head_remove(struct sluice_head *head, const struct http_memory *memory,
			  struct http_bytes name);

/* By number: as above, without a comparison of names. */
uint32_t http_head_remove_id(struct sluice_head *head, uint16_t id);

/* Request: a new target, checked as one that came: -EINVAL. -ENOSPC. */
int http_head_target(struct sluice_head *head, struct http_bytes target)
	__attribute__((warn_unused_result));

/* Response: a new status, with the reason of the table. */
void http_head_status(struct sluice_head *head, uint16_t status);

/* Makes the head of a response from nothing, in a slot fresh from http_head_init. */
void http_head_build_response(struct sluice_head *head, uint16_t status, uint8_t request_method);

/* Makes the head of a request from nothing, likewise; its target is an edit. `method` is a known
 * one. -ENOSPC. */
int http_head_build_request(struct sluice_head *head, uint8_t method)
	__attribute__((warn_unused_result));

/* Finds the first field of that name: its index, or SLUICE_NONE16. By number: head->first[id]. */
uint16_t http_head_find(const struct sluice_head *head, const struct http_memory *memory,
			struct http_bytes name);

#endif
