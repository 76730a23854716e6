/* SPDX-License-Identifier: BSD-3-Clause */
/* `sluicectl upstream`: commands as in mgmt/ctl/ctl.h, for the control thread; `ctx` is the daemon.
 */
#ifndef DATAPLANE_UPSTREAMS_H
#define DATAPLANE_UPSTREAMS_H

#include <jansson.h>
#include <stddef.h>

struct ctl_request;

int upstreams_run_up(void *ctx, const struct ctl_request *request, json_t **data, char *error,
		     size_t size);
int upstreams_run_down(void *ctx, const struct ctl_request *request, json_t **data, char *error,
		       size_t size);
int upstreams_run_drain(void *ctx, const struct ctl_request *request, json_t **data, char *error,
			size_t size);
int upstreams_run_weight(void *ctx, const struct ctl_request *request, json_t **data, char *error,
			 size_t size);

#endif
