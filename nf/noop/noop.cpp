// SPDX-License-Identifier: BSD-3-Clause
/*
 * noop in C++17: noop.c says what it does. Hooks are called from C: no exception may leave one.
 */
#include <cerrno>
#include <cstring>
#include <new>

#include <sluice/nf.h>

namespace
{

struct Noop {
	const char *field = nullptr; // no field is added
	uint64_t *requests = nullptr;
	uint64_t *waited_us = nullptr;

	static Noop &of(sluice_exchange *x)
	{
		return *static_cast<Noop *>(sluice_data(sluice_of(x)));
	}
};

// Zeroed before the first hook, and never constructed: plain data only.
struct Seen {
	uint64_t began_us;
};

// Hooks that are not wanted cost nothing.
int read_mode(sluice_nf *nf, const sluice_conf *config)
{
	const char *mode;

	if (sluice_conf_string(config, "mode", "pass", &mode))
		return -EINVAL;
	if (std::strcmp(mode, "pass") != 0 && std::strcmp(mode, "watch") != 0)
		return sluice_conf_error_key(config, "mode", "mode is \"pass\" or \"watch\"");
	sluice_leave_out(nf, *mode == 'p' ? SLUICE_HOOK_SEEN
					  : SLUICE_HOOK_REQUEST_HEAD | SLUICE_HOOK_RESPONSE_HEAD);
	return 0;
}

int init(sluice_nf *nf, const sluice_conf *config)
{
	auto *noop = new (std::nothrow) Noop;

	if (!noop)
		return -ENOMEM;
	sluice_set_data(nf, noop);
	noop->requests = sluice_counter(nf, "requests", "requests that passed");
	noop->waited_us = sluice_counter(nf, "waited_us", "time from requests to their responses");
	if (sluice_conf_string(config, "field", nullptr, &noop->field) == 0 &&
	    read_mode(nf, config) == 0)
		return 0;
	delete noop;
	return -EINVAL; // the error is recorded, with file and line
}

void fini(sluice_nf *nf)
{
	delete static_cast<Noop *>(sluice_data(nf));
}

sluice_verdict request_head(sluice_exchange *x)
{
	const Noop &noop = Noop::of(x);

	static_cast<Seen *>(sluice_ctx(x))->began_us = sluice_now_us(sluice_of(x));
	++*noop.requests;
	if (noop.field)
		sluice_field_set(x, noop.field, sluice_path(x));
	return SLUICE_PASS;
}

sluice_verdict response_head(sluice_exchange *x)
{
	const auto *seen = static_cast<const Seen *>(sluice_ctx(x));

	*Noop::of(x).waited_us += sluice_now_us(sluice_of(x)) - seen->began_us;
	return SLUICE_LEAVE;
}

// Everything that it may want to know is there at once, and nobody waits for it.
void seen(sluice_exchange *x, sluice_exchange *response)
{
	const Noop &noop = Noop::of(x);

	++*noop.requests;
	if (response)
		*noop.waited_us += sluice_ending(x)->reply_us;
}

// Designated initializers are C++20; in C++17 the hooks are filled in one by one.
const sluice_nf_hooks hooks = [] {
	sluice_nf_hooks h = sluice_hooks();

	h.name = "noop++";
	h.summary = "passes everything on: the template for other functions, in C++";
	h.ctx_bytes = sizeof(Seen);
	h.init = init;
	h.fini = fini;
	h.request_head = request_head;
	h.response_head = response_head;
	h.seen = seen;
	return h;
}();

} // namespace

SLUICE_FUNCTION(hooks);
