/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/sluice-bench/answer.h"

#include <stdlib.h>

#include <rte_mbuf.h>

#include "tests/bench/sluice-bench/client.h"
#include "tests/bench/sluice-bench/content.h"

#define LENGTH "Content-Length:"

static bool read_head(const char *text, uint32_t len, uint32_t *head_bytes, uint32_t *body_bytes)
{
	const char *end = memmem(text, len, "\r\n\r\n", 4);
	const char *length =
		end ? memmem(text, (size_t)(end - text), LENGTH, strlen(LENGTH)) : NULL;

	if (!length || len < strlen(ANSWER_OK) || memcmp(text, ANSWER_OK, strlen(ANSWER_OK)) != 0)
		return false;
	*head_bytes = (uint32_t)(end + 4 - text);
	*body_bytes = (uint32_t)strtoul(length + strlen(LENGTH), NULL, 10);
	return true;
}

bool answer_read(struct client *client, const char *text, uint32_t len)
{
	uint32_t head, body;

	if (!read_head(text, len, &head, &body)) {
		client->answer_bytes = len;
		return false;
	}
	client->answer_bytes = head + body;
	client->head_bytes = head;
	return body == client->conf.size;
}

static bool piece_right(const uint8_t *text, uint32_t len, uint32_t at)
{
	for (uint32_t i = 0; i < len; i++)
		if (text[i] != 'a' + (at + i) % CONTENT_PERIOD)
			return false;
	return true;
}

bool answer_body(const struct client *client, const struct rte_mbuf *m, uint32_t offset,
		 uint32_t len, uint32_t at)
{
	uint32_t skip = at < client->head_bytes ? RTE_MIN(len, client->head_bytes - at) : 0;

	offset += skip;
	len -= skip;
	at += skip;
	for (; len; m = m->next) {
		uint32_t from = RTE_MIN(offset, m->data_len), n = RTE_MIN(len, m->data_len - from);

		offset -= from;
		if (!piece_right(rte_pktmbuf_mtod_offset(m, const uint8_t *, from), n,
				 at - client->head_bytes))
			return false;
		len -= n;
		at += n;
	}
	return true;
}

uint8_t answer_last(const struct rte_mbuf *m, uint32_t end)
{
	while (end > m->data_len && m->next) {
		end -= m->data_len;
		m = m->next;
	}
	return *rte_pktmbuf_mtod_offset(m, const uint8_t *, end - 1);
}
