/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is told of writes whose memory the writer wants back: each has a number, and those that
 * are acknowledged wait as ranges of numbers until they are asked for.
 */
#include <rte_common.h>

#include "l4stack/tcp/tcp.h"
#include "tests/packetdrill/so/sock.h"

void sock_note_write(struct sock *sock)
{
	struct sock_notes *notes = &sock->notes;

	if (notes->waiting == RTE_DIM(notes->end))
		return;
	notes->end[notes->waiting++] = sock->given_bytes;
}

/* One range for those that follow each other. */
static void tell(struct sock_notes *notes, uint32_t number)
{
	struct sock_note *last = notes->told ? &notes->notes[notes->told - 1] : NULL;

	if (last && last->last + 1 == number)
		last->last = number;
	else if (notes->told < RTE_DIM(notes->notes))
		notes->notes[notes->told++] = (struct sock_note){number, number};
}

void sock_notes_tend(struct sock *sock)
{
	struct sock_notes *notes = &sock->notes;
	uint64_t left = sock->conn ? tcp_send_pending(sock->conn) : 0;
	unsigned done = 0;

	while (done < notes->waiting && notes->end[done] + left <= sock->given_bytes)
		tell(notes, notes->first_waiting + done++);
	if (!done)
		return;
	notes->first_waiting += done;
	notes->waiting -= done;
	for (unsigned i = 0; i < notes->waiting; i++)
		notes->end[i] = notes->end[i + done];
	sock->news_in++;
	sock->news_out++;
}

bool sock_note_take(struct sock *sock, struct sock_note *out)
{
	struct sock_notes *notes = &sock->notes;

	if (!notes->told)
		return false;
	*out = notes->notes[0];
	notes->told--;
	for (unsigned i = 0; i < notes->told; i++)
		notes->notes[i] = notes->notes[i + 1];
	return true;
}
