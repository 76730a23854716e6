/* SPDX-License-Identifier: BSD-3-Clause */
#include "command.h"

#include <string.h>

#include "purge.h"
#include "uri.h"

/* --- purges ---------------------------------------------------------------------------- */

typedef int purge_fn(struct cache *cache, struct sluice_command *command, const char *what,
		     bool soft, const char **done);

static int refuse_url(struct sluice_command *command, const char *url)
{
	return sluice_refuse(command, "\"%s\" is no URL of http", url);
}

static int by_url(struct cache *cache, struct sluice_command *command, const char *url, bool soft,
		  const char **done)
{
	struct uri_key key;

	if (!uri_key_absolute(&key, sluice_str(url)))
		return refuse_url(command, url);
	if (!purge_target(cache, (struct sluice_str){key.text, key.len}, soft))
		*done = "nothing was stored";
	return 0;
}

static int by_tag(struct cache *cache, struct sluice_command *command, const char *tags, bool soft,
		  const char **done)
{
	(void)done;
	if (purge_tags(cache, sluice_str(tags), soft))
		return 0;
	return sluice_refuse(command, "\"%s\" is no tag", tags);
}

static int by_prefix(struct cache *cache, struct sluice_command *command, const char *url,
		     bool soft, const char **done)
{
	struct uri_key key;

	(void)done;
	if (!uri_key_absolute(&key, sluice_str(url)))
		return refuse_url(command, url);
	if (purge_prefix(cache, (struct sluice_str){key.text, key.len}, soft))
		return 0;
	return sluice_refuse(command, "a prefix may have %d bytes", PREFIX_BYTES);
}

static purge_fn *kind_of(const char *word)
{
	static const struct {
		const char *word;
		purge_fn *fn;
	} kinds[] = {{"url", by_url}, {"tag", by_tag}, {"prefix", by_prefix}};

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(word, kinds[i].word))
			return kinds[i].fn;
	return NULL;
}

static int purge_one(struct cache *cache, struct sluice_command *command, purge_fn *fn,
		     const char *what, bool soft)
{
	const char *done = soft ? "stale" : "purged";
	int rc = fn(cache, command, what, soft, &done);

	if (!rc)
		rc = sluice_row_text(command, "what", sluice_str(what));
	if (!rc)
		rc = sluice_row_text(command, "result", sluice_str(done));
	sluice_row_end(command);
	return rc;
}

static int purge(struct cache *cache, struct sluice_command *command, bool soft)
{
	purge_fn *fn = kind_of(sluice_word(command, 1));
	int rc = 0;

	if (!fn || sluice_words(command) < 3)
		return sluice_refuse(command, "purge what? url, tag or prefix, and which");
	for (unsigned i = 2; i < sluice_words(command) && !rc; i++)
		rc = purge_one(cache, command, fn, sluice_word(command, i), soft);
	return rc;
}

/* --- what there is --------------------------------------------------------------------- */

static int show(struct cache *cache, struct sluice_command *command)
{
	const struct cache_counters *count = &cache->count;
	const struct {
		const char *name;
		uint64_t value;
	} values[] = {
		{"objects", cache->store.objects}, {"bytes", store_used(&cache->store)},
		{"limit", cache->store.limit},     {"hits", *count->hits},
		{"stale", *count->hits_stale},     {"collapsed", *count->hits_collapsed},
		{"misses", *count->misses},        {"evictions", cache->store.evictions},
		{"purges", *count->purges},
	};
	int rc = 0;

	for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]) && !rc; i++)
		rc = sluice_row_number(command, values[i].name, (int64_t)values[i].value);
	return rc;
}

int command_run(struct sluice_nf *nf, struct sluice_command *command)
{
	struct cache *cache = sluice_data(nf);
	const char *word = sluice_word(command, 0);

	if (!strcmp(word, "show") && sluice_words(command) == 1)
		return show(cache, command);
	if (!strcmp(word, "purge") || !strcmp(word, "soft-purge"))
		return purge(cache, command, word[0] == 's');
	return sluice_refuse(command, "\"%s\"? a cache knows purge, soft-purge and show", word);
}
