/* SPDX-License-Identifier: BSD-3-Clause */
/* Via: who passed a message on (RFC 9110 §7.6.3). */
#include "nf/proxy/proxy.h"

#include "nf/common/list.h"

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* "1.1 name (comment)": the name. */
static struct sluice_str received_by(struct sluice_str element)
{
	uint32_t start = 0, end;

	while (start < element.len && !is_space(element.ptr[start]))
		++start;
	while (start < element.len && is_space(element.ptr[start]))
		++start;
	end = start;
	while (end < element.len && !is_space(element.ptr[end]) && element.ptr[end] != '(')
		++end;
	return (struct sluice_str){element.ptr + start, end - start};
}

unsigned proxy_via_count(const struct proxy *proxy, const struct sluice_exchange *x)
{
	struct sluice_str own = sluice_str(proxy->via);
	unsigned count = 0;

	if (own.len == 0)
		return 0;
	for (unsigned i = sluice_field_first(x, SLUICE_FIELD_VIA); i != SLUICE_NONE16;
	     i = sluice_field_next(x, i)) {
		struct sluice_str rest = sluice_field_value(x, i), element;

		while (list_next(&rest, &element))
			count += sluice_str_equal_nocase(received_by(element), own);
	}
	return count;
}

int proxy_via(struct proxy *proxy, struct sluice_exchange *x)
{
	unsigned which = sluice_head(x)->version == 10 ? 0 : 1;
	struct sluice_kept_edits *same = &proxy->via_same[which];
	uint32_t from = sluice_edits_now(x);
	int err;

	if (proxy->via[0] == '\0')
		return 0;
	if (same->len)
		return sluice_edits_repeat(x, same);
	err = sluice_field_add(x, "Via", sluice_str(proxy->via_values[which]));
	if (!err)
		(void)sluice_edits_keep(x, from, same); /* if there is room */
	return err;
}
