/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who feeds the watchdog: the workers, by making progress. The control thread only looks.
 *
 * Every worker has a counter that it moves in each turn of its loop, and at least once a
 * second when it has nothing to do. The watchdog is fed when all of them have moved since
 * it was fed last, so that one worker that hangs is enough for a restart.
 *
 * Pure: no clock, no state of its own.
 */
#ifndef MGMT_SYSTEMD_FEEDER_H
#define MGMT_SYSTEMD_FEEDER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * True when each of `workers` counters differs from `last`: feed, and `last` becomes `now`.
 * Otherwise `last` stays, and `*stalled` is the first worker that has not moved.
 */
bool feeder_check(uint64_t *last, const uint64_t *now, unsigned workers, unsigned *stalled);

#endif
