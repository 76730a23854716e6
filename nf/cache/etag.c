/* SPDX-License-Identifier: BSD-3-Clause */
#include "etag.h"

#include "nf/common/str.h"

/* The length of the tag that the text begins with; 0: it begins with none. */
static uint32_t tag_len(struct sluice_str s)
{
	uint32_t i = s.len >= 2 && s.ptr[0] == 'W' && s.ptr[1] == '/' ? 2 : 0;

	if (i >= s.len || s.ptr[i] != '"')
		return 0;
	for (i++; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c == '"')
			return i + 1;
		if (c < 0x21 || c == 0x7f)
			return 0;
	}
	return 0;
}

bool etag_is_valid(struct sluice_str tag)
{
	return tag.len && tag_len(tag) == tag.len;
}

bool etag_is_weak(struct sluice_str tag)
{
	return tag.len >= 2 && tag.ptr[0] == 'W';
}

static struct sluice_str opaque(struct sluice_str tag)
{
	return etag_is_weak(tag) ? str_skip(tag, 2) : tag;
}

bool etag_equal_strong(struct sluice_str a, struct sluice_str b)
{
	return !etag_is_weak(a) && etag_is_valid(a) && str_equal(a, b);
}

bool etag_equal_weak(struct sluice_str a, struct sluice_str b)
{
	return etag_is_valid(a) && etag_is_valid(b) && str_equal(opaque(a), opaque(b));
}

bool etag_list_has(struct sluice_str list, struct sluice_str tag)
{
	list = str_trim(list);
	if (str_equal(list, sluice_str("*")))
		return true;
	while (list.len) {
		uint32_t len = tag_len(list);

		if (!len)
			return false;
		if (etag_equal_weak(str_make(list.ptr, len), tag))
			return true;
		list = str_trim(str_skip(list, len));
		if (list.len && list.ptr[0] != ',')
			return false;
		while (list.len && (list.ptr[0] == ',' || str_is_space(list.ptr[0])))
			list = str_skip(list, 1);
	}
	return false;
}
