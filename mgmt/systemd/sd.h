/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the service manager is told: thin wrappers around sd_notify(3).
 *
 * Each is one datagram to systemd and does nothing when the process was not started by it.
 * Called by the control thread. Failing to tell is not an error of ours.
 */
#ifndef MGMT_SYSTEMD_SD_H
#define MGMT_SYSTEMD_SD_H

#include <stdbool.h>
#include <stdint.h>

/* Up, or done with reloading. `status` is what `systemctl status` shows. */
void sd_tell_ready(const char *status);

/* A reload begins; sd_tell_ready ends it, whether the new configuration was taken or not. */
void sd_tell_reloading(void);

/* It ends, within `us`: longer than TimeoutStopSec, if need be. */
void sd_tell_stopping(const char *status, uint64_t us);
void sd_tell_status(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Feeds the watchdog if every worker has moved its counter since it was fed last: see
 * feeder.h. `last` is the caller's, zero at first. False: not fed, a worker stands still.
 * To be called about four times in the watchdog's time, or oftener.
 */
bool sd_feed(uint64_t *last, const uint64_t *now, unsigned workers);

/* The watchdog's time; 0: there is none. */
uint64_t sd_watchdog_us(void);

#endif
