/* SPDX-License-Identifier: BSD-3-Clause */
/* The function lb, for its tests. */
#ifndef NF_LB_LB_H
#define NF_LB_LB_H

struct sluice_nf_hooks;

extern const struct sluice_nf_hooks lb_hooks;

#endif
