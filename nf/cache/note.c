/* SPDX-License-Identifier: BSD-3-Clause */
#include "note.h"

#include <inttypes.h>
#include <stdio.h>

struct sluice_str note_text(const struct note *note, const char *name, char room[NOTE_BYTES])
{
	static const char *const why[] = {
		[NOTE_HIT] = "hit",
		[NOTE_URI_MISS] = "fwd=uri-miss",
		[NOTE_VARY_MISS] = "fwd=vary-miss",
		[NOTE_STALE] = "fwd=stale",
		[NOTE_REQUEST] = "fwd=request",
		[NOTE_METHOD] = "fwd=method",
	};
	char ttl[32] = "", status[32] = "";
	int len;

	if (note->has_ttl)
		snprintf(ttl, sizeof(ttl), "; ttl=%" PRId64, note->ttl_s);
	if (note->forward_status)
		snprintf(status, sizeof(status), "; fwd-status=%u", note->forward_status);
	len = snprintf(room, NOTE_BYTES, "%.100s; %s%s%s%s%s", name, why[note->why], status, ttl,
		       note->stored ? "; stored" : "", note->collapsed ? "; collapsed" : "");
	return (struct sluice_str){room, (uint32_t)len};
}
