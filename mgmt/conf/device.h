/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK's device strings: "NAME,KEY=VALUE,KEY=VALUE", or an address on a bus.
 *
 * Pure.
 */
#ifndef MGMT_CONF_DEVICE_H
#define MGMT_CONF_DEVICE_H

#include <stdbool.h>
#include <stddef.h>

/* What stands before the first comma. */
void device_name(const char *device, char *out, size_t size);

/* The value of an argument; false, with `out` empty, when it is not given. */
bool device_argument(const char *device, const char *key, char *out, size_t size);

/* Whether both are one device, or stand for one interface or socket. */
bool device_same(const char *a, const char *b);

#endif
