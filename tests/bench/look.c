/* SPDX-License-Identifier: BSD-3-Clause */
/* look: a function for `ablation` that hears every body, and looks at the ends of each piece. */
#include <sluice/nf.h>

static int look_init(struct sluice_nf *nf, const struct sluice_conf *config)
{
	(void)config;
	sluice_set_data(nf, sluice_counter(nf, "seen", "bytes of bodies, and their ends' values"));
	return 0;
}

static enum sluice_verdict look_head(struct sluice_exchange *x)
{
	(void)x;
	return SLUICE_PASS;
}

static enum sluice_verdict look_body(struct sluice_exchange *x, const struct sluice_span *spans,
				     unsigned n, bool end)
{
	uint64_t *seen = sluice_data(sluice_of(x));

	(void)end;
	for (unsigned i = 0; i < n; i++)
		if (spans[i].len)
			*seen += spans[i].len + spans[i].ptr[0] + spans[i].ptr[spans[i].len - 1];
	return SLUICE_PASS;
}

static const struct sluice_nf_hooks look_hooks = {
	SLUICE_HOOKS,
	.name = "look",
	.init = look_init,
	.request_head = look_head,
	.response_head = look_head,
	.request_body = look_body,
	.response_body = look_body,
};
SLUICE_FUNCTION(look_hooks);
