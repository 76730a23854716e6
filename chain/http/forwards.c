/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/http/forwards.h"

#include <stdio.h>

#include "chain/http/edit.h"
#include "chain/http/scan.h"

#define FORWARDS_MAX 1000000000u /* more is as much */

static bool parse(struct http_bytes text, uint32_t *count)
{
	uint32_t sum = 0;

	if (text.len == 0 || http_scan_class(text.data, text.len, HTTP_DIGIT) != text.len)
		return false;
	for (uint32_t i = 0; i < text.len && sum < FORWARDS_MAX / 10; i++)
		sum = sum * 10 + (text.data[i] - '0');
	*count = sum;
	return true;
}

static bool counts(const struct sluice_head *head)
{
	return (head->method == SLUICE_METHOD_OPTIONS || head->method == SLUICE_METHOD_TRACE) &&
	       head->first[SLUICE_FIELD_MAX_FORWARDS] != SLUICE_NONE16;
}

enum http_error http_forwards_count(struct sluice_head *head, const struct http_memory *memory,
				    bool *last)
{
	static const char name[] = "Max-Forwards";
	uint16_t field = head->first[SLUICE_FIELD_MAX_FORWARDS];
	uint32_t count = 0;
	char text[16];
	int len;

	*last = false;
	if (!counts(head))
		return HTTP_OK;
	if (head->field[field].next != SLUICE_NONE16 ||
	    !parse(http_value(memory, head, field), &count))
		return HTTP_ERROR_MAX_FORWARDS;
	*last = count == 0;
	if (*last)
		return HTTP_OK;
	len = snprintf(text, sizeof(text), "%u", count - 1);
	if (http_head_set(head, memory,
			  (struct http_bytes){(const uint8_t *)name, sizeof(name) - 1},
			  (struct http_bytes){(const uint8_t *)text, (uint32_t)len}))
		return HTTP_ERROR_HEAD_TEXT;
	return HTTP_OK;
}
