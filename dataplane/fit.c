/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/fit.h"

#include <errno.h>
#include <string.h>

#include <sluice/abi.h>

#include "mgmt/conf/conf.h"

static uint32_t hooks_for(const struct conf_chain *chain)
{
	return strcmp(chain->protocol, "tcp") ? SLUICE_HOOKS_HTTP : SLUICE_HOOKS_TCP;
}

int fit_check(const struct conf *conf, const uint32_t *hooks, struct conf_errors *errors)
{
	int rc = 0;

	for (unsigned i = 0; i < conf->chains_count; i++) {
		const struct conf_chain *chain = &conf->chains[i];

		for (unsigned j = 0; j < chain->path_length; j++) {
			uint32_t has = hooks[chain->path[j] - conf->functions];

			if (!has || (has & hooks_for(chain)))
				continue;
			conf_error(errors, &chain->place,
				   "chains.%s: function \"%s\" (plugin %s) is not for protocol "
				   "\"%s\"",
				   chain->name, chain->path[j]->name, chain->path[j]->plugin,
				   chain->protocol);
			rc = -EINVAL;
		}
	}
	return rc;
}
