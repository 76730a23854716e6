/* SPDX-License-Identifier: BSD-3-Clause */
/* Responses from below a root: from the request's path to a file. */
#include "nf/static/static.h"

#include <string.h>

#include "nf/common/text.h"

/* What follows the response's prefix; false: the decoded path lies elsewhere. */
static bool below(const struct static_response *response, struct sluice_str path,
		  struct sluice_str *rest)
{
	struct sluice_str prefix = {"/", 1};

	if (response->path.kind == PATH_PREFIX)
		prefix = response->path.text;
	if (path.len < prefix.len || memcmp(path.ptr, prefix.ptr, prefix.len) != 0)
		return false;
	*rest = (struct sluice_str){path.ptr + prefix.len, path.len - prefix.len};
	while (rest->len > 0 && rest->ptr[0] == '/')
		*rest = (struct sluice_str){rest->ptr + 1, rest->len - 1};
	return true;
}

static struct accept accepted(const struct sluice_exchange *x, const struct static_root *root)
{
	unsigned i = sluice_field_first(x, SLUICE_FIELD_ACCEPT_ENCODING);
	const char *name[VARIANTS_MAX] = {NULL};
	struct accept_reading reading;

	for (unsigned n = 0; n < root->variants; ++n)
		name[n] = root->variant[n]->coding;
	accept_init(&reading, name, root->variants);
	for (; i != SLUICE_NONE16; i = sluice_field_next(x, i))
		accept_take(&reading, sluice_field_value(x, i));
	return accept_end(&reading);
}

int static_root_find(struct static_nf *self, struct sluice_exchange *x,
		     const struct static_response *response, struct found *out)
{
	struct sluice_str path = path_decoded(sluice_path(x), &self->file_room), rest;
	struct accept accept = accepted(x, &response->root);
	int status;

	*out = (struct found){.fd = -1};
	if (!below(response, path, &rest))
		return 404;
	status = files_find(&self->files, &response->root, rest, &accept, out);
	stream_did_read(self, out->read_bytes);
	return status;
}

/* RFC 3986 §3.3: what may stand in a path as it is. */
static bool is_plain(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
	       (c && strchr("-._~!$&'()*+,;=:@/", c));
}

static void put_escaped(struct text *text, struct sluice_str path)
{
	static const char digits[] = "0123456789ABCDEF";

	for (uint32_t i = 0; i < path.len; ++i) {
		uint8_t byte = (uint8_t)path.ptr[i];
		char escape[3] = {'%', digits[byte >> 4], digits[byte & 15]};

		if (is_plain(path.ptr[i]))
			text_put(text, (struct sluice_str){path.ptr + i, 1});
		else
			text_put(text, (struct sluice_str){escape, 3});
	}
}

/* Of one spelling, in which no run of slashes begins: it names no other host. */
enum sluice_verdict static_root_redirect(struct static_nf *self, struct sluice_exchange *x)
{
	struct sluice_str path = path_decoded(sluice_path(x), &self->file_room);
	struct sluice_str query = sluice_query(x);
	struct text text = {.room = self->room, .size = sizeof(self->room)};

	put_escaped(&text, path);
	text_put(&text, sluice_str("/"));
	if (query.len > 0) {
		text_put(&text, sluice_str("?"));
		text_put(&text, query);
	}
	if (text.full || sluice_respond(x, 301, 0) ||
	    sluice_field_add(x, "Location", text_str(&text)))
		return SLUICE_RESET;
	++*self->counters.redirected;
	return SLUICE_RESPOND;
}
