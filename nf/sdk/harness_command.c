/* SPDX-License-Identifier: BSD-3-Clause */
/* Words from the command line, as the manager has them. */
#include <stdlib.h>
#include <string.h>

#include "nf/sdk/harness_priv.h"

int harness_command(struct harness *h, const char *words)
{
	size_t bytes = strlen(words) + 1;
	char *copy = harness_copy(words, bytes - 1);
	int rc;

	for (char *at = copy; (at = strchr(at, ' ')); at++)
		*at = '\0';
	free(h->answer);
	rc = nf_command(h->nf, copy, bytes, &h->answer);
	if (!h->answer)
		harness_abort("out of memory");
	free(copy);
	harness_settle(h);
	return rc;
}

const char *harness_answer(const struct harness *h)
{
	return h->answer;
}
