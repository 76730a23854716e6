/* SPDX-License-Identifier: BSD-3-Clause */
/* Chains: what is only for one of their protocols. */
#include <string.h>

#include "mgmt/conf/key.h"

/* The path's own setting is where its branches are. */
static void refuse_branches(struct reader *reader, const config_setting_t *setting)
{
	const config_setting_t *path = config_setting_get_member(setting, "path");

	reader_error(reader, path,
		     "path: branches choose by what a request is like; protocol is \"tcp\"");
}

void check_chain(struct reader *reader, const config_setting_t *setting, void *group)
{
	static const char *const of_requests[] = {
		"body_timeout_ms", "connect",          "max_age_ms",       "max_fields",
		"max_head_bytes",  "max_requests",     "max_target_bytes", "min_body_bytes_per_s",
		"upgrade",         "tunnel_timeout_ms"};
	const struct conf_chain *chain = group;

	if (!chain->protocol || strcmp(chain->protocol, "tcp") != 0)
		return;
	for (unsigned i = 0; i < sizeof(of_requests) / sizeof(of_requests[0]); i++) {
		const config_setting_t *at = config_setting_get_member(setting, of_requests[i]);

		if (at)
			reader_error(reader, at, "%s is for requests; protocol is \"tcp\"",
				     of_requests[i]);
	}
	if (chain->branches_count)
		refuse_branches(reader, setting);
}
