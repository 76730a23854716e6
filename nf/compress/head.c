/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "compress.h"
#include "nf/common/accept.h"
#include "nf/common/list.h"
#include "nf/common/str.h"
#include "nf/common/text.h"

#define TAG_BYTES 512

/* An element of the fields of that name; its argument after "=" does not count. */
static bool field_lists(const struct sluice_exchange *x, enum sluice_field_id id, const char *name)
{
	unsigned i = sluice_field_first(x, id);

	for (; i != SLUICE_NONE16; i = sluice_field_next(x, i)) {
		struct sluice_str rest = sluice_field_value(x, i), element;

		while (list_next(&rest, &element))
			if (str_equal_nocase(element, sluice_str(name)))
				return true;
	}
	return false;
}

static bool has(const struct sluice_exchange *x, enum sluice_field_id id)
{
	return sluice_field_first(x, id) != SLUICE_NONE16;
}

/* --- requests ------------------------------------------------------------------------- */

static int best_coding(const struct compress *compress, const struct sluice_exchange *x)
{
	unsigned i = sluice_field_first(x, SLUICE_FIELD_ACCEPT_ENCODING);
	struct accept_reading reading;
	struct accept accept;

	accept_init(&reading, compress->name, compress->codings);
	for (; i != SLUICE_NONE16; i = sluice_field_next(x, i))
		accept_take(&reading, sluice_field_value(x, i));
	accept = accept_end(&reading);
	return accept_best(&accept, compress->codings);
}

static bool asks_weak(const struct sluice_exchange *x)
{
	unsigned i = sluice_field_first(x, SLUICE_FIELD_IF_NONE_MATCH);

	for (; i != SLUICE_NONE16; i = sluice_field_next(x, i)) {
		struct sluice_str value = sluice_field_value(x, i);

		if (memmem(value.ptr, value.len, "W/", 2))
			return true;
	}
	return false;
}

static bool is_skipped(struct compress *compress, const struct sluice_exchange *x)
{
	struct sluice_str path = path_decoded(sluice_path(x), &compress->path_room);

	return request_rules_match(&compress->skip, x, path) != PATTERN_NO;
}

bool compress_request(struct compress *compress, const struct sluice_exchange *x,
		      struct compress_context *context)
{
	/* RFC 9111 §5.2.1.6 */
	if (field_lists(x, SLUICE_FIELD_CACHE_CONTROL, "no-transform") || is_skipped(compress, x))
		return false;
	context->best = (int8_t)best_coding(compress, x);
	context->asks_weak = asks_weak(x);
	return true;
}

/* --- responses ------------------------------------------------------------------------ */

static bool type_fits(const struct compress *compress, struct sluice_str type)
{
	const char *end = memchr(type.ptr, ';', type.len);

	if (end)
		type.len = (uint32_t)(end - type.ptr);
	type = str_trim(type);
	for (unsigned i = 0; i < compress->types_count; ++i) {
		struct sluice_str wanted = compress->types[i];
		bool begins = wanted.len > 0 && wanted.ptr[wanted.len - 1] == '*';

		if (begins && type.len >= --wanted.len &&
		    str_equal_nocase(str_make(type.ptr, wanted.len), wanted))
			return true;
		if (!begins && str_equal_nocase(type, wanted))
			return true;
	}
	return false;
}

/* RFC 9110 §15: with these there is no whole body. */
static bool status_fits(uint16_t status)
{
	return status >= 200 && status != 204 && status != 205 && status != 206 && status != 304;
}

bool compress_eligible(const struct compress *compress, const struct sluice_exchange *x)
{
	const struct sluice_head *head = sluice_head(x);
	bool is_head = head->method == SLUICE_METHOD_HEAD;
	struct sluice_str type;

	if (!status_fits(head->status) || has(x, SLUICE_FIELD_CONTENT_ENCODING) ||
	    has(x, SLUICE_FIELD_CONTENT_RANGE) || sluice_field(x, SLUICE_FIELD_CONTENT_TYPE, &type))
		return false;
	if (!is_head &&
	    (head->body_bytes == SLUICE_LENGTH_NONE || head->body_bytes < compress->min_bytes))
		return false;
	/* RFC 9111 §5.2.2.6 */
	return type_fits(compress, type) &&
	       !field_lists(x, SLUICE_FIELD_CACHE_CONTROL, "no-transform");
}

/* RFC 9110 §12.5.5 */
int compress_vary(struct sluice_exchange *x)
{
	if (field_lists(x, SLUICE_FIELD_VARY, "*") ||
	    field_lists(x, SLUICE_FIELD_VARY, "accept-encoding"))
		return 0;
	return sluice_field_add(x, "Vary", sluice_str("Accept-Encoding"));
}

/* RFC 9110 §8.8.1: the bytes are others now, what they mean is not. */
int compress_weaken(struct sluice_exchange *x)
{
	char room[TAG_BYTES];
	struct text text = {.room = room, .size = sizeof(room)};
	struct sluice_str tag;

	if (sluice_field(x, SLUICE_FIELD_ETAG, &tag) || tag.len == 0 || tag.ptr[0] != '"')
		return 0;
	text_put(&text, sluice_str("W/"));
	text_put(&text, tag);
	return text.full ? sluice_field_remove(x, "ETag")
			 : sluice_field_set(x, "ETag", text_str(&text));
}

/* What told of the bytes as they were goes. */
int compress_edit(struct sluice_exchange *x, const char *coding)
{
	static const char *const gone[] = {"Accept-Ranges", "Content-MD5", "Digest",
					   "Content-Digest", "Repr-Digest"};
	int err = sluice_field_set(x, "Content-Encoding", sluice_str(coding));
	struct sluice_str value;

	for (unsigned i = 0; !err && i < sizeof(gone) / sizeof(gone[0]); ++i)
		if (sluice_field_named(x, gone[i], &value) == 0)
			err = sluice_field_remove(x, gone[i]);
	if (!err)
		err = compress_weaken(x);
	return err ? err : compress_vary(x);
}
