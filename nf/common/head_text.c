/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/common/head_text.h"

#include "nf/common/text.h"

/* One line of three parts, or nothing. */
static void put_line(struct text *out, struct sluice_str a, const char *between,
		     struct sluice_str b, const char *end)
{
	uint32_t before = out->used;

	text_put(out, a);
	text_put(out, sluice_str(between));
	text_put(out, b);
	text_put(out, sluice_str(end));
	if (out->full)
		out->used = before;
	out->full = false;
}

static bool is_secret(const struct sluice_head *head, unsigned i)
{
	uint16_t id = head->field[i].id;

	return id == SLUICE_FIELD_AUTHORIZATION || id == SLUICE_FIELD_PROXY_AUTHORIZATION ||
	       id == SLUICE_FIELD_COOKIE;
}

struct sluice_str head_text(const struct sluice_exchange *x, bool secrets, char *room,
			    uint32_t size)
{
	const struct sluice_head *head = sluice_head(x);
	struct text out = {.room = room, .size = size};

	put_line(&out, sluice_method(x), " ", sluice_target(x),
		 head->version == 10 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
	for (unsigned i = 0; i < head->fields; ++i)
		if (secrets || !is_secret(head, i))
			put_line(&out, sluice_field_name(x, i), ": ", sluice_field_value(x, i),
				 "\r\n");
	put_line(&out, sluice_str(""), "", sluice_str(""), "\r\n");
	return text_str(&out);
}
