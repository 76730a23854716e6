/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/http/list.h"

#include <stddef.h>
#include <string.h>

#include "chain/http/chars.h"

struct http_bytes http_trim(struct http_bytes bytes)
{
	while (bytes.len > 0 && http_is(bytes.data[bytes.len - 1], HTTP_SPACE))
		bytes.len--;
	while (bytes.len > 0 && http_is(bytes.data[0], HTTP_SPACE)) {
		bytes.data++;
		bytes.len--;
	}
	return bytes;
}

bool http_list_next(struct http_list *list, struct http_bytes *element)
{
	const uint8_t *start = list->rest.data, *comma;
	uint32_t len = list->rest.len;

	if (list->ended)
		return false;
	comma = memchr(start, ',', len);
	list->ended = comma == NULL;
	if (comma != NULL) {
		len = (uint32_t)(comma - start);
		list->rest.data = comma + 1;
		list->rest.len -= len + 1;
	}
	*element = http_trim((struct http_bytes){start, len});
	return true;
}
