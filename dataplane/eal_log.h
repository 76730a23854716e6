/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What DPDK has to say, in our log.
 *
 * While something is tried that may fail (EAL starts, a port is opened) its lines are held back:
 * drivers complain of much that does not matter. If it failed, one of them says why: a
 * driver's first, or EAL's last if no driver said anything.
 *
 * eal_log_open before EAL starts. Any thread of DPDK's may write; hold and release are the control
 * thread's.
 */
#ifndef DATAPLANE_EAL_LOG_H
#define DATAPLANE_EAL_LOG_H

void eal_log_open(void);
void eal_log_hold(void);
/* That line of those since eal_log_hold, "" if there was none; good until the next eal_log_hold. */
const char *eal_log_release(void);

#endif
