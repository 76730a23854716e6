/* SPDX-License-Identifier: BSD-3-Clause */
/* Paths of chains as text. Control thread. */
#ifndef DATAPLANE_SHOW_PATH_H
#define DATAPLANE_SHOW_PATH_H

#include "mgmt/conf/conf.h"
#include "mgmt/ctl/views.h"

struct rows;

/* A text for each function, and one for each branch: "{ path ^/api: limit | else: edge }". They
 * live as long as the rows. */
struct view_texts show_path(struct rows *rows, const struct conf_chain *chain);

#endif
