/* SPDX-License-Identifier: BSD-3-Clause */
/* It dies at a fault point of sluice-nf-faults: "die-NAME", for each of nf/sdk/faults.def. */
#include <dlfcn.h>
#include <string.h>

#include "hostile.h"
#include "nf/sdk/fault.h"

/* sluice-nf itself has no such thing. */
static bool arm(enum nf_fault at)
{
	void *symbol = dlsym(RTLD_DEFAULT, "sluice_fault_arm");
	void (*fn)(enum nf_fault);

	if (!symbol)
		return false;
	memcpy(&fn, &symbol, sizeof(fn)); /* ISO C has no conversion between the two */
	fn(at);
	return true;
}

/* An answer of its own, so that slices come back to it. */
static enum sluice_verdict respond(const struct prey *prey)
{
	struct sluice_str text = {"mine", 4};

	if (sluice_respond(prey->x, 200, text.len) || sluice_respond_text(prey->x, text, true))
		return SLUICE_RESET;
	return SLUICE_RESPOND;
}

static enum sluice_verdict die(const struct prey *prey, enum nf_fault at)
{
	struct sluice_str value = {"it lived", 8};

	if (!arm(at))
		return SLUICE_RESET;
	if (at == FAULT_RELEASE || at == FAULT_RELEASED)
		return respond(prey);
	sluice_field_set(prey->x, "x-hostile", value);
	return SLUICE_PASS;
}

#define FAULT(id, name, when)                                           \
	static enum sluice_verdict die_at_##id(const struct prey *prey) \
	{                                                               \
		return die(prey, FAULT_##id);                           \
	}
#include "nf/sdk/faults.def"
#undef FAULT

const struct attack fault_attacks[] = {
#define FAULT(id, name, when) {"die-" name, ON_REQUEST_HEAD, die_at_##id},
#include "nf/sdk/faults.def"
#undef FAULT
	{0},
};
