/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/tell.h"

#include <stdio.h>

#include "dataplane/daemon.h"
#include "dataplane/log.h"
#include "mgmt/systemd/sd.h"

#define TELL_MAX     200
#define STOP_MORE_MS 15000 /* for functions to end and devices to close, after the drain */

static const char *plural(unsigned count)
{
	return count == 1 ? "" : "s";
}

void tell_ready(const struct daemon *d, const char *note)
{
	const struct conf *conf = daemon_conf(d);
	char text[TELL_MAX];

	snprintf(text, sizeof(text),
		 "serving: %u port%s, %u chain%s, %u function%s, %u application%s; configuration "
		 "version %u%s",
		 conf->ports_count, plural(conf->ports_count), conf->chains_count,
		 plural(conf->chains_count), conf->functions_count, plural(conf->functions_count),
		 conf->applications_count, plural(conf->applications_count), d->release->version,
		 note);
	log_info("%s", text);
	sd_tell_ready(text);
}

void tell_draining(unsigned ms)
{
	char text[TELL_MAX];

	snprintf(text, sizeof(text),
		 "draining: no new connections; exchanges under way may take %u ms", ms);
	log_info("%s", text);
	sd_tell_stopping(text, (uint64_t)(ms + STOP_MORE_MS) * 1000);
}
