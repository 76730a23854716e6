/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "compress.h"
#include "nf/common/read.h"

#define MIN_BYTES_DEFAULT   1000
#define MAX_STREAMS_DEFAULT 256
#define WINDOW_KB_DEFAULT   128

static const struct coding *const known[] = {&coding_zstd, &coding_br, &coding_gzip};
#define KNOWN (sizeof(known) / sizeof(known[0]))
_Static_assert(KNOWN == COMPRESS_CODINGS, "there is room for all");

static const char *const default_types[] = {
	"text/*",
	"application/javascript",
	"application/json",
	"application/ld+json",
	"application/manifest+json",
	"application/wasm",
	"application/xhtml+xml",
	"application/xml",
	"application/atom+xml",
	"application/rss+xml",
	"image/svg+xml",
};
#define DEFAULT_TYPES (sizeof(default_types) / sizeof(default_types[0]))

static int add_coding(struct compress *compress, const struct sluice_conf *where, const char *name)
{
	for (unsigned i = 0; i < compress->codings; ++i)
		if (strcmp(compress->name[i], name) == 0)
			return sluice_conf_error(where, "\"%s\" is there twice", name);
	for (unsigned i = 0; i < KNOWN; ++i) {
		if (strcmp(known[i]->name, name) != 0)
			continue;
		compress->coding[compress->codings] = known[i];
		compress->name[compress->codings++] = known[i]->name;
		return 0;
	}
	return sluice_conf_error(where, "\"%s\" is not one of zstd, br and gzip", name);
}

static int read_codings(struct compress *compress, const struct sluice_conf *config)
{
	const struct sluice_conf *list = sluice_conf_list(config, "codings");
	int err = !list && sluice_conf_has(config, "codings") ? -EINVAL : 0;

	for (unsigned i = 0; !list && !err && i < KNOWN; ++i)
		err = add_coding(compress, config, known[i]->name);
	for (unsigned i = 0; list && !err && i < sluice_conf_length(list); ++i) {
		const char *name;

		err = sluice_conf_string_at(list, i, &name);
		if (!err)
			err = add_coding(compress, list, name);
	}
	return err;
}

static int read_levels(struct compress *compress, const struct sluice_conf *config)
{
	static const char *const keys[COMPRESS_CODINGS] = {"zstd_level", "br_level", "gzip_level"};
	int err = 0;

	for (unsigned k = 0; k < KNOWN; ++k) {
		uint32_t level;

		err |= read_number(config, keys[k], (uint32_t)known[k]->level_default,
				   (uint32_t)known[k]->level_min, (uint32_t)known[k]->level_max,
				   &level);
		for (unsigned i = 0; i < compress->codings; ++i)
			if (compress->coding[i] == known[k])
				compress->level[i] = (int)level;
	}
	return err ? -EINVAL : 0;
}

static int read_types(struct compress *compress, const struct sluice_conf *config)
{
	const struct sluice_conf *list = sluice_conf_list(config, "types");
	unsigned n = list ? sluice_conf_length(list) : DEFAULT_TYPES;

	if (!list && sluice_conf_has(config, "types"))
		return -EINVAL;
	compress->types = pool_alloc(&compress->pool, n, sizeof(*compress->types));
	if (!compress->types)
		return -ENOMEM;
	compress->types_count = n;
	for (unsigned i = 0; i < n; ++i) {
		const char *type = list ? NULL : default_types[i];

		if (list && sluice_conf_string_at(list, i, &type))
			return -EINVAL;
		if (!strchr(type, '/') && strcmp(type, "*") != 0)
			return sluice_conf_error(list, "\"%s\" is not a media type", type);
		compress->types[i] = sluice_str(type);
	}
	return 0;
}

/* A window is a power of two. */
static int read_window(struct compress *compress, const struct sluice_conf *config)
{
	uint32_t kb;
	int err = read_number(config, "window_kb", WINDOW_KB_DEFAULT, 1, 8192, &kb);

	for (compress->window_bits = 10; (1u << compress->window_bits) < kb * 1024;)
		++compress->window_bits;
	return err;
}

static int read_counters(struct compress_counters *c, struct sluice_nf *nf)
{
	c->responses = sluice_counter(nf, "responses", "response heads looked at");
	c->compressed = sluice_counter(nf, "compressed", "responses compressed");
	c->busy = sluice_counter(nf, "busy", "responses left alone: max_streams were open");
	c->failed = sluice_counter(nf, "failed", "responses cut off: no room in the arena");
	c->bytes_in = sluice_counter(nf, "bytes_in", "bytes of bodies before");
	c->bytes_out = sluice_counter(nf, "bytes_out", "and after");
	return c->responses && c->compressed && c->busy && c->failed && c->bytes_in && c->bytes_out
		       ? 0
		       : -ENOSPC;
}

int compress_read(struct compress *compress, struct sluice_nf *nf, const struct sluice_conf *config)
{
	static const char *const flush[] = {"auto", "always", "never", NULL};
	uint32_t match_limit;
	unsigned choice;
	int errors = read_number(config, "match_limit", PATTERN_MATCH_LIMIT_DEFAULT, 1, UINT32_MAX,
				 &match_limit);
	int err = patterns_create(match_limit, &compress->patterns);

	if (!err)
		err = read_counters(&compress->counters, nf);
	if (err)
		return err;
	errors |= read_codings(compress, config);
	errors |= read_levels(compress, config);
	errors |= read_types(compress, config);
	errors |= request_rules_read(&compress->pool, compress->patterns, config, "skip",
				     &compress->skip);
	errors |= read_window(compress, config);
	errors |= read_choice(config, "flush", flush, FLUSH_AUTO, &choice);
	errors |= read_number(config, "min_bytes", MIN_BYTES_DEFAULT, 0, UINT32_MAX,
			      &compress->min_bytes);
	errors |= read_number(config, "max_streams", MAX_STREAMS_DEFAULT, 1, 65536,
			      &compress->max_streams);
	compress->flush = (enum compress_flush)choice;
	return errors ? -EINVAL : 0;
}
