/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include "nf/cache/note.h"

static void texts(void **state)
{
	static const struct {
		struct note note;
		const char *text;
	} rows[] = {
		{{.why = NOTE_HIT}, "sluice; hit"},
		{{.why = NOTE_HIT, .has_ttl = true, .ttl_s = 30}, "sluice; hit; ttl=30"},
		{{.why = NOTE_HIT, .has_ttl = true, .ttl_s = -3}, "sluice; hit; ttl=-3"},
		{{.why = NOTE_URI_MISS, .stored = true}, "sluice; fwd=uri-miss; stored"},
		{{.why = NOTE_VARY_MISS}, "sluice; fwd=vary-miss"},
		{{.why = NOTE_STALE}, "sluice; fwd=stale"},
		{{.why = NOTE_REQUEST}, "sluice; fwd=request"},
		{{.why = NOTE_METHOD}, "sluice; fwd=method"},
		{{.why = NOTE_URI_MISS, .collapsed = true, .has_ttl = true, .ttl_s = 1},
		 "sluice; fwd=uri-miss; ttl=1; collapsed"},
	};
	char room[NOTE_BYTES];

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct sluice_str s = note_text(&rows[i].note, "sluice", room);

		assert_int_equal(s.len, strlen(rows[i].text));
		assert_memory_equal(s.ptr, rows[i].text, s.len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
