/* SPDX-License-Identifier: BSD-3-Clause */
/* One question to the daemon, and its answer. Blocks. */
#ifndef MGMT_SLUICECTL_CALL_H
#define MGMT_SLUICECTL_CALL_H

#include <jansson.h>
#include <stddef.h>

/*
 * Sends `request` to the socket at `path`. 0 and `*data` (a reference; JSON null when the
 * answer has none); or -1 and a sentence in `*error` (free it).
 */
int call_daemon(const char *path, const json_t *request, json_t **data, char **error)
	__attribute__((warn_unused_result));

#endif
