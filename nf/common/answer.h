/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Short answers of a function's own: a status and a line of text. From request_head and
 * request_body.
 */
#ifndef NF_COMMON_ANSWER_H
#define NF_COMMON_ANSWER_H

#include <stdint.h>

#include <sluice/nf.h>

/* A line of text: "403 Forbidden"; for a number without a name its class, "client error". */
const char *answer_reason(uint16_t status);

/* 204, 304 and the like: never a body (RFC 9110 §6.4.1). */
static inline bool answer_has_no_body(uint16_t status)
{
	return status < 200 || status == 204 || status == 304;
}

struct answer {
	uint16_t status;
	struct sluice_str text; /* the body, as text/plain; empty: none */
	const char *name;       /* one field more; NULL: none */
	struct sluice_str value;
};

/* Answers the request; the text does not go to HEAD, nor when the arena is full. The verdict for
 * the hook: SLUICE_RESPOND, or SLUICE_RESET when an answer cannot be begun. */
enum sluice_verdict answer_send(struct sluice_exchange *x, const struct answer *answer);

/* Answers with the status and its reason as text. */
enum sluice_verdict answer_status(struct sluice_exchange *x, uint16_t status);

#endif
