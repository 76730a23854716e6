/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading a head: the manager parsed it, this finds its pieces. */
#include <errno.h>
#include <stdlib.h>

#include "nf/sdk/core.h"

static struct sluice_str piece(const struct sluice_exchange *x, unsigned base, unsigned off,
			       uint32_t len)
{
	const uint8_t *at;

	if (!len || base >= SLUICE_HEAD_BASES)
		return sluice_str("");
	at = nf_resolve(x->nf, x->head->base[base] + off, len);
	return at ? (struct sluice_str){(const char *)at, len} : sluice_str("");
}

struct sluice_str sluice_text(const struct sluice_exchange *x, const struct sluice_text *text)
{
	return x->head ? piece(x, text->base, text->off, text->len) : sluice_str("");
}

const struct sluice_head *sluice_head(const struct sluice_exchange *x)
{
	return x->head;
}

#define TEXT_OF(name, member)                                                       \
	struct sluice_str sluice_##name(const struct sluice_exchange *x)            \
	{                                                                           \
		return x->head ? sluice_text(x, &x->head->member) : sluice_str(""); \
	}

TEXT_OF(method, method_text)
TEXT_OF(target, target)
TEXT_OF(path, path)
TEXT_OF(query, query)
TEXT_OF(host, host)

unsigned sluice_field_first(const struct sluice_exchange *x, enum sluice_field_id id)
{
	if (!x->head || id <= SLUICE_FIELD_OTHER || id >= SLUICE_FIELD_COUNT)
		return SLUICE_NONE16;
	return x->head->first[id];
}

unsigned sluice_field_next(const struct sluice_exchange *x, unsigned i)
{
	return x->head && i < x->head->fields ? x->head->field[i].next : SLUICE_NONE16;
}

struct sluice_str sluice_field_name(const struct sluice_exchange *x, unsigned i)
{
	const struct sluice_field *f;

	if (!x->head || i >= x->head->fields)
		return sluice_str("");
	f = &x->head->field[i];
	return piece(x, f->name_base, f->name_off, f->name_len);
}

struct sluice_str sluice_field_value(const struct sluice_exchange *x, unsigned i)
{
	const struct sluice_field *f;

	if (!x->head || i >= x->head->fields)
		return sluice_str("");
	f = &x->head->field[i];
	return piece(x, f->value_base, f->value_off, f->value_len);
}

int sluice_field(const struct sluice_exchange *x, enum sluice_field_id id, struct sluice_str *value)
{
	unsigned i = sluice_field_first(x, id);

	*value = sluice_field_value(x, i);
	return i == SLUICE_NONE16 ? -ENOENT : 0;
}

static unsigned other_named(const struct sluice_exchange *x, struct sluice_str name)
{
	for (unsigned i = 0; x->head && i < x->head->fields; i++) {
		if (x->head->field[i].id == SLUICE_FIELD_OTHER &&
		    x->head->field[i].name_len == name.len &&
		    sluice_str_equal_nocase(sluice_field_name(x, i), name))
			return i;
	}
	return SLUICE_NONE16;
}

int sluice_field_named(const struct sluice_exchange *x, const char *name, struct sluice_str *value)
{
	struct sluice_str text = sluice_str(name);
	enum sluice_field_id id = field_id(text);
	unsigned i = id ? sluice_field_first(x, id) : other_named(x, text);

	*value = sluice_field_value(x, i);
	return i == SLUICE_NONE16 ? -ENOENT : 0;
}

const struct sluice_exchange *sluice_asked(const struct sluice_exchange *x)
{
	struct sluice_nf *nf = x->nf;
	const struct sluice_head *head = NULL;

	if (x->phase == NF_SEEN)
		return nf->sight->asked->head ? nf->sight->asked : NULL;
	if (x->phase == NF_RESPONSE_HEAD && x->asked)
		head = (const struct sluice_head *)nf_resolve(nf, x->asked, sizeof(*head));
	if (head && !nf->asked)
		nf->asked = calloc(1, sizeof(*nf->asked));
	if (!head || !nf->asked)
		return NULL;
	*nf->asked = (struct sluice_exchange){
		.nf = nf, .head = head, .group = SLUICE_NONE16, .server = SLUICE_NONE16};
	return nf->asked;
}

uint16_t sluice_routed(const struct sluice_exchange *x)
{
	if (x->group != SLUICE_NONE16 && x->phase != NF_RESPONSE_HEAD)
		return x->group;
	return x->head ? x->head->group : SLUICE_NONE16;
}
