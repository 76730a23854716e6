/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/http/known.h"

#include <string.h>

#include "chain/http/mix.h"

/* The place of a head whose end is not known yet: by how it begins. */
#define BEGIN 64u

/* The same for what is long enough, in one step. */
static uint64_t begin_of(const uint8_t *data)
{
	uint64_t odd = http_load64(data + 8) + 3 * http_load64(data + 24) +
		       5 * http_load64(data + 40) + 9 * http_load64(data + 56);
	uint64_t even = http_load64(data) + 3 * http_load64(data + 16) +
			5 * http_load64(data + 32) + 9 * http_load64(data + 48);

	return http_mix_end(odd + (even << 41 | even >> 23));
}

static uint32_t place_of(const struct http_known_of *of, const struct http_run *run)
{
	uint64_t mixed = run->len < BEGIN ? http_mix(run->data, run->len) : begin_of(run->data);

	return (uint32_t)((mixed >> 40) + of->response + of->method) % HTTP_KNOWNS;
}

static bool same_limits(const struct http_limits *a, const struct http_limits *b)
{
	return a->max_head_bytes == b->max_head_bytes && a->max_fields == b->max_fields &&
	       a->max_target_bytes == b->max_target_bytes;
}

static bool is_it(const struct http_known *known, const struct http_known_of *of,
		  const struct http_run *run)
{
	return known->bytes && known->bytes <= run->len && known->response == of->response &&
	       known->method == of->method && same_limits(&known->limits, of->limits) &&
	       memcmp(known->text, run->data, known->bytes) == 0;
}

uint32_t http_known_recall(const struct http_knowns *knowns, const struct http_known_of *of,
			   const struct http_run *run, struct sluice_head *head,
			   struct http_framing *framing)
{
	const struct http_known *known = &knowns->known[place_of(of, run)];

	if (!is_it(known, of, run) || !http_content_give(&known->content, head))
		return 0;
	head->base[1] = run->ref;
	*framing = known->framing;
	return known->bytes;
}

/* All of its text lies in the run, from its begin on. */
static bool lies_in(const struct sluice_head *head, const struct http_run *run)
{
	return head->bases == 2 && head->base[1] == run->ref && head->text_used == 0;
}

void http_known_keep(struct http_knowns *knowns, struct http_numbers *numbers,
		     const struct http_known_of *of, const struct http_run *run, uint32_t bytes,
		     struct sluice_head *head, const struct http_framing *framing)
{
	struct http_known *known = &knowns->known[place_of(of, run)];
	uint64_t mixed;

	if (bytes > HTTP_KNOWN_BYTES || bytes > run->len || !lies_in(head, run))
		return;
	mixed = http_mix(run->data, bytes);
	if (known->seen != mixed) {
		known->seen = mixed;
		return;
	}
	known->bytes = 0;
	if (!http_content_keep(&known->content, numbers, head))
		return;
	known->bytes = bytes;
	known->response = of->response;
	known->method = of->method;
	known->limits = *of->limits;
	known->framing = *framing;
	memcpy(known->text, run->data, bytes);
}
