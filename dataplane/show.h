/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What `sluicectl show` shows, gathered from the workers, the supervisor and the devices.
 *
 * Control thread. Each gives a JSON value as mgmt/ctl/views.h has it, or NULL when there is no
 * memory.
 */
#ifndef DATAPLANE_SHOW_H
#define DATAPLANE_SHOW_H

#include <jansson.h>

struct daemon;

#define SHOW_FLOWS_MAX 10000 /* gathering them holds up a worker */

json_t *show_status(struct daemon *d);
json_t *show_ports(struct daemon *d);
json_t *show_chains(struct daemon *d);
json_t *show_functions(struct daemon *d);
json_t *show_applications(struct daemon *d);
json_t *show_flows(struct daemon *d);
json_t *show_upstreams(struct daemon *d, const char *only); /* a group; NULL: all */
json_t *show_stats(struct daemon *d, const char *prefix);   /* of "group.name" */
json_t *show_buffers(struct daemon *d);
json_t *show_cycles(struct daemon *d);
json_t *show_errors(struct daemon *d);

/* Once a second: what "lately" is measured against. */
void show_sample(struct daemon *d);

#endif
