/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/app/app.h"

bool app_may_listen(const struct app_terms *terms, const struct endpoint *local)
{
	for (unsigned i = 0; i < terms->listens_count; i++) {
		const struct endpoint *allowed = &terms->listens[i];

		if (allowed->port == local->port && allowed->addr.family == local->addr.family &&
		    (addr_is_any(&allowed->addr) || addr_equal(&allowed->addr, &local->addr)))
			return true;
	}
	return false;
}

bool app_may_connect(const struct app_terms *terms, const struct endpoint *remote)
{
	for (unsigned i = 0; i < terms->connects_count; i++) {
		const struct app_network *allowed = &terms->connects[i];

		if ((!allowed->port || allowed->port == remote->port) &&
		    addr_in_prefix(&remote->addr, &allowed->addr, allowed->prefix))
			return true;
	}
	return false;
}
