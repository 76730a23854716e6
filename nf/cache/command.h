/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What `sluicectl cache purge` and `sluicectl show cache` say to the function:
 *
 *	(purge | soft-purge) (url | tag | prefix) WHAT…
 *	show
 */
#ifndef NF_CACHE_COMMAND_H
#define NF_CACHE_COMMAND_H

#include <sluice/nf.h>

int command_run(struct sluice_nf *nf, struct sluice_command *command);

#endif
