/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/common/list.h"

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

struct sluice_str list_trim(struct sluice_str text)
{
	while (text.len > 0 && is_space(text.ptr[0])) {
		++text.ptr;
		--text.len;
	}
	while (text.len > 0 && is_space(text.ptr[text.len - 1]))
		--text.len;
	return text;
}

/* Length up to the first comma that divides. */
static uint32_t element_len(struct sluice_str text)
{
	unsigned depth = 0; /* of comments, which nest */
	bool quoted = false;

	for (uint32_t i = 0; i < text.len; ++i) {
		char c = text.ptr[i];

		if (c == ',' && !quoted && depth == 0)
			return i;
		if (c == '\\' && (quoted || depth > 0))
			++i;
		else if (c == '"' && depth == 0)
			quoted = !quoted;
		else if (c == '(' && !quoted)
			++depth;
		else if (c == ')' && depth > 0 && !quoted)
			--depth;
	}
	return text.len;
}

bool list_next(struct sluice_str *rest, struct sluice_str *element)
{
	while (rest->len > 0) {
		uint32_t len = element_len(*rest), past = len < rest->len ? len + 1 : len;

		*element = list_trim((struct sluice_str){rest->ptr, len});
		rest->ptr += past;
		rest->len -= past;
		if (element->len > 0)
			return true;
	}
	return false;
}
