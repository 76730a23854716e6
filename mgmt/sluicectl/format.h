/* SPDX-License-Identifier: BSD-3-Clause */
/* Values as people read them: "1.2 MB", "3h 05m", "340 us". */
#ifndef MGMT_SLUICECTL_FORMAT_H
#define MGMT_SLUICECTL_FORMAT_H

#include <jansson.h>
#include <stddef.h>

#include "mgmt/ctl/views.h"

#define FORMAT_TEXT_MAX 32

/* Each writes at most `size` bytes with the NUL and returns `buf`. MB are 2^20, as in the
 * configuration. */
const char *format_bytes(int64_t bytes, char *buf, size_t size);
const char *format_seconds(int64_t seconds, char *buf, size_t size);
const char *format_us(int64_t us, char *buf, size_t size);
const char *format_time(int64_t seconds, char *buf, size_t size);

/* A field's value from JSON, for people; "-" for none. Free it. NULL: no memory. */
char *format_value(enum view_kind kind, const json_t *value);

#endif
