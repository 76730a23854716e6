/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Arenas that others may read. A process that begins gets all of them before its plugin is
 * loaded. To one that runs a new arena can only be given when its file holds nothing else:
 * the plugin could map the rest of the file, too.
 */
#include <string.h>
#include <sys/stat.h>

#include "chain/supervise/instance.h"

static bool may_read(const struct instance *reader, const struct instance *writer)
{
	const struct supervisor_conf *conf = &reader->supervisor->conf;

	if (reader == writer || !writer->info.arena)
		return false;
	return !conf->owner->shares ||
	       conf->owner->shares(conf->ctx, reader->info.function, writer->info.function);
}

static bool file_is_all_its_own(const struct region *r)
{
	struct stat st;

	for (unsigned i = 0; i < r->sources_count; i++) {
		if (r->sources[i].offset || fstat(r->sources[i].fd, &st) ||
		    (uint64_t)st.st_size != r->sources[i].bytes)
			return false;
	}
	return true;
}

/* It runs, and as far as we know it sees bodies. */
static bool reads_now(const struct instance *i)
{
	if (i->info.state == INSTANCE_STARTING)
		return i->process.socket >= 0;
	return i->announced &&
	       (i->info.hooks & (SLUICE_HOOK_REQUEST_BODY | SLUICE_HOOK_RESPONSE_BODY |
				 SLUICE_HOOK_CLIENT_DATA | SLUICE_HOOK_SERVER_DATA));
}

void share_new_arena(const struct instance *writer)
{
	struct region *arena = writer->info.arena;
	bool whole = arena && file_is_all_its_own(arena);

	for (struct instance *i = writer->supervisor->instances; i; i = i->next) {
		if (!may_read(i, writer) || !reads_now(i))
			continue;
		if (!whole)
			instance_log(i, 3, "cannot read bodies of \"%s\" until it is started anew",
				     writer->info.function_name);
		else if (process_region(&i->process, arena, false, false))
			instance_log(i, 1, "was not given the arena of \"%s\"",
				     writer->info.function_name);
	}
}

int share_arenas(const struct instance *reader)
{
	int rc = 0;

	for (struct instance *i = reader->supervisor->instances; i && !rc; i = i->next) {
		if (may_read(reader, i))
			rc = process_region(&reader->process, i->info.arena, false, true);
	}
	return rc;
}
