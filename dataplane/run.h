/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Running the daemon with a checked configuration, until SIGTERM or SIGINT has drained it.
 */
#ifndef DATAPLANE_RUN_H
#define DATAPLANE_RUN_H

struct conf;

/* Takes over `conf`. 0 after an orderly end; -errno when it could not start (said on stderr,
 * nothing left behind). */
int daemon_run(const char *conf_path, struct conf *conf) __attribute__((warn_unused_result));

#endif
