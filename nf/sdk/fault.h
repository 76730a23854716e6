/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fault points: in sluice-nf-faults, the build for tests, the process kills itself at the one that
 * a plugin has armed (sluice_fault_arm). In sluice-nf there is nothing of them.
 */
#ifndef NF_SDK_FAULT_H
#define NF_SDK_FAULT_H

enum nf_fault {
	FAULT_NONE,
#define FAULT(id, name, when) FAULT_##id,
#include "nf/sdk/faults.def"
#undef FAULT
};

/* At the next time that the process comes by. */
void sluice_fault_arm(enum nf_fault at);

#ifdef NF_FAULTS
void fault_at(enum nf_fault at);
#define FAULT_POINT(id) fault_at(FAULT_##id)
#else
#define FAULT_POINT(id) ((void)0)
#endif

#endif
