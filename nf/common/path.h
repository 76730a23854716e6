/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Paths in one spelling, so that a rule cannot be passed by another one.
 *
 * "/admin", "/%61dmin", "/x/../admin" and "//admin" may all end at the same resource of an
 * origin. Two functions bring a path into one form, without touching the request:
 *
 *   path_decoded     for rules that guard: every escape decoded, "." and ".." resolved, runs of
 *                    slashes joined. Any byte may stand in the result.
 *   path_canonical   for rules that route and rewrite (RFC 3986 §6.2.2): escapes of unreserved
 *                    characters decoded, others in upper case, "." and ".." resolved. The same
 * resource by the RFC, and still fit to stand in a request.
 *
 * A path that already has that form (nearly all) is returned as it is. Otherwise the result
 * stands in `room`, until the next call with that room.
 */
#ifndef NF_COMMON_PATH_H
#define NF_COMMON_PATH_H

#include <sluice/nf.h>

/* A head, and so a path, is shorter than 64 KiB. */
#define PATH_ROOM_BYTES 65536

struct path_room {
	char bytes[PATH_ROOM_BYTES];
};

struct sluice_str path_decoded(struct sluice_str path, struct path_room *room);
struct sluice_str path_canonical(struct sluice_str path, struct path_room *room);

#endif
