/* SPDX-License-Identifier: BSD-3-Clause */
/* Edits of a head: gathered as the list that goes into the text ring with the verdict. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nf/sdk/core.h"

/* RFC 9110 §5.6.2: the characters of a token. */
static const bool token_chars[256] = {
	['!'] = true,         ['#' ... '\''] = true, ['*' ... '+'] = true,
	['-' ... '.'] = true, ['0' ... '9'] = true,  ['A' ... 'Z'] = true,
	['^' ... 'z'] = true, ['|'] = true,          ['~'] = true,
};

static bool is_token(struct sluice_str s)
{
	for (uint32_t i = 0; i < s.len; i++)
		if (!token_chars[(unsigned char)s.ptr[i]])
			return false;
	return s.len > 0 && s.len <= UINT16_MAX;
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Of eight bytes none is below ' ', and none is DEL: a subtraction that has to borrow sets a sign
 * bit that was not there. */
static bool is_plain(const char *bytes)
{
	uint64_t word, del;

	memcpy(&word, bytes, sizeof(word));
	del = word ^ EACH(127);
	return !((((word - EACH(' ')) & ~word) | ((del - EACH(1)) & ~del)) & EACH(128));
}

/* RFC 9110 §5.5: visible characters, obs-text, and white space that is not at the ends. */
static bool is_value(struct sluice_str s)
{
	uint32_t i = 0;

	while (s.len - i >= sizeof(uint64_t) && is_plain(s.ptr + i))
		i += sizeof(uint64_t);
	if (i && s.len - i < sizeof(uint64_t) && is_plain(s.ptr + s.len - sizeof(uint64_t)))
		i = s.len;
	for (; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if ((c < ' ' && c != '\t') || c == 127)
			return false;
	}
	return s.len <= UINT16_MAX;
}

static bool is_target(struct sluice_str s)
{
	for (uint32_t i = 0; i < s.len; i++) {
		if ((unsigned char)s.ptr[i] <= ' ' || (unsigned char)s.ptr[i] >= 127)
			return false;
	}
	return s.len > 0 && s.len <= UINT16_MAX;
}

static struct sluice_str trimmed(struct sluice_str s)
{
	while (s.len && (s.ptr[0] == ' ' || s.ptr[0] == '\t')) {
		s.ptr++;
		s.len--;
	}
	while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
		s.len--;
	return s;
}

static bool edits_have(struct sluice_exchange *x)
{
	struct sluice_nf *nf = x->nf;

	if (x->edited)
		return true;
	x->edits = nf->spare_edits;
	if (x->edits)
		nf->spare_edits = x->edits->next;
	else
		x->edits = malloc(sizeof(*x->edits));
	if (!x->edits)
		return false;
	x->edits->bytes = 0;
	x->edited = true;
	return true;
}

void edits_forget(struct sluice_exchange *x)
{
	x->edits->next = x->nf->spare_edits;
	x->nf->spare_edits = x->edits;
	x->edits = NULL;
	x->edited = false;
}

/* Edits belong to the answer to a head, in its hook or while it is held; and to an answer of its
 * own to a piece of a request. */
static bool may_edit(const struct sluice_exchange *x)
{
	if (x->phase == NF_REQUEST_BODY)
		return x->live && x->respond;
	return x->live && (x->phase == NF_REQUEST_HEAD || x->phase == NF_RESPONSE_HEAD);
}

/* Room for so many bytes behind what is there. */
static int edits_room(struct sluice_exchange *x, uint32_t bytes, uint8_t **at)
{
	if (!edits_have(x))
		return -ENOMEM;
	if (bytes > SLUICE_EDITS_MAX_BYTES - x->edits->bytes)
		return -ENOSPC;
	*at = x->edits->text + x->edits->bytes;
	x->edits->bytes += bytes;
	return 0;
}

int edits_put(struct sluice_exchange *x, const struct sluice_edit *edit, const void *name,
	      const void *value)
{
	uint32_t bytes = (uint32_t)sizeof(*edit) + edit->name_len + edit->value_len;
	uint32_t padded = (bytes + 7) & ~7u;
	uint8_t *at;
	int err = edits_room(x, padded, &at);

	if (err)
		return err;
	memset(at + padded - 8, 0, 8); /* what is not filled below */
	memcpy(at, edit, sizeof(*edit));
	memcpy(at + sizeof(*edit), name, edit->name_len);
	memcpy(at + sizeof(*edit) + edit->name_len, value, edit->value_len);
	return 0;
}

/* --- the same again ---------------------------------------------------------------- */

uint32_t sluice_edits_now(const struct sluice_exchange *x)
{
	return x->edited ? x->edits->bytes : 0;
}

bool sluice_edits_keep(const struct sluice_exchange *x, uint32_t from,
		       struct sluice_kept_edits *out)
{
	uint32_t now = sluice_edits_now(x);

	out->len = 0;
	if (from > now || now - from > sizeof(out->bytes))
		return false;
	out->len = now - from;
	if (out->len)
		memcpy(out->bytes, x->edits->text + from, out->len);
	return true;
}

int sluice_edits_repeat(struct sluice_exchange *x, const struct sluice_kept_edits *kept)
{
	uint8_t *at;
	int err;

	if (!may_edit(x) || kept->len > sizeof(kept->bytes))
		return -EINVAL;
	if (!kept->len)
		return 0;
	err = edits_room(x, kept->len, &at);
	if (!err)
		memcpy(at, kept->bytes, kept->len);
	return err;
}

/* --- one by one -------------------------------------------------------------------- */

static int put(struct sluice_exchange *x, enum sluice_edit_op op, enum sluice_field_id id,
	       struct sluice_str name, struct sluice_str value)
{
	struct sluice_edit edit = {.op = (uint8_t)op,
				   .id = (uint16_t)id,
				   .name_len = (uint16_t)name.len,
				   .value_len = (uint16_t)value.len};

	return may_edit(x) ? edits_put(x, &edit, name.ptr, value.ptr) : -EINVAL;
}

static int put_field(struct sluice_exchange *x, enum sluice_edit_op op, const char *name,
		     struct sluice_str value)
{
	struct sluice_str text = sluice_str(name);
	enum sluice_field_id id = field_id(text);

	value = trimmed(value);
	if ((!id && !is_token(text)) || !is_value(value) ||
	    (field_flags(id) & (SLUICE_FIELD_HOP | SLUICE_FIELD_FRAMING)))
		return -EINVAL;
	return put(x, op, id, text, value);
}

int sluice_field_set(struct sluice_exchange *x, const char *name, struct sluice_str value)
{
	return put_field(x, SLUICE_EDIT_SET, name, value);
}

int sluice_field_add(struct sluice_exchange *x, const char *name, struct sluice_str value)
{
	return put_field(x, SLUICE_EDIT_ADD, name, value);
}

int sluice_field_remove(struct sluice_exchange *x, const char *name)
{
	return put_field(x, SLUICE_EDIT_REMOVE, name, sluice_str(""));
}

int sluice_target_set(struct sluice_exchange *x, struct sluice_str target)
{
	if (x->phase != NF_REQUEST_HEAD || !is_target(target))
		return -EINVAL;
	return put(x, SLUICE_EDIT_TARGET, SLUICE_FIELD_OTHER, sluice_str(""), target);
}

int sluice_status_set(struct sluice_exchange *x, uint16_t status)
{
	char digits[8];

	if (x->phase != NF_RESPONSE_HEAD || status < 200 || status > 599)
		return -EINVAL;
	snprintf(digits, sizeof(digits), "%u", status);
	return put(x, SLUICE_EDIT_STATUS, SLUICE_FIELD_OTHER, sluice_str(""), sluice_str(digits));
}
