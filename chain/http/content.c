/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/http/content.h"

#include <string.h>

bool http_content_keep(struct http_content *content, struct http_numbers *numbers,
		       struct sluice_head *head)
{
	if (head->fields > HTTP_CONTENT_FIELDS || head->text_used > HTTP_CONTENT_BYTES)
		return false;
	head->same = ++numbers->last;
	memcpy(content->line, head, sizeof(content->line));
	memcpy(content->first, head->first, sizeof(content->first));
	content->fields = head->fields;
	content->text_used = head->text_used;
	memcpy(content->field, head->field, head->fields * sizeof(head->field[0]));
	memcpy(content->text, (const uint8_t *)head + head->text_off, head->text_used);
	return true;
}

bool http_content_give(const struct http_content *content, struct sluice_head *head)
{
	if (content->fields > head->fields_size || content->text_used > head->text_size)
		return false;
	memcpy(head, content->line, sizeof(content->line));
	memcpy(head->first, content->first, sizeof(content->first));
	head->text_used = content->text_used;
	memcpy(head->field, content->field, content->fields * sizeof(content->field[0]));
	if (content->text_used)
		memcpy((uint8_t *)head + head->text_off, content->text, content->text_used);
	return true;
}
