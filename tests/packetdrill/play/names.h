/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The symbols of scripts: SOL_SOCKET, EAGAIN, TCP_ESTABLISHED, tcpi_snd_cwnd.
 */
#ifndef TESTS_PACKETDRILL_PLAY_NAMES_H
#define TESTS_PACKETDRILL_PLAY_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool name_number(const char *name, int64_t *out);

/* The error's name, or "error 123". */
const char *name_of_error(int error);

/* A field of struct tcp_info, as it was filled. */
#define INFO_BYTES 512
bool name_info_field(const char *name, const void *info, int64_t *out);

#endif
