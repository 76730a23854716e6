/* SPDX-License-Identifier: BSD-3-Clause */
#include "auth.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nf/common/answer.h"

_Static_assert(AUTH_USER_BYTES == SEEN_USER_BYTES, "names fit");

/* --- answers ---------------------------------------------------------------------------- */

/* RFC 9110 §11.6.1: a challenge for each way there is. */
static enum sluice_verdict refuse(struct auth *auth, struct sluice_exchange *x, bool bad_token)
{
	struct answer answer = {.status = 401, .text = sluice_str(answer_reason(401))};
	enum sluice_verdict verdict;

	++*auth->counters.refused;
	if (auth->jwt.on) {
		answer.name = "WWW-Authenticate";
		answer.value = sluice_str(auth->challenge[bad_token]);
	}
	verdict = answer_send(x, &answer);
	if (verdict == SLUICE_RESPOND && auth->basic.on &&
	    sluice_field_add(x, "WWW-Authenticate", sluice_str(auth->basic_challenge)))
		return SLUICE_RESET;
	return verdict;
}

static enum sluice_verdict busy(struct auth *auth, struct sluice_exchange *x)
{
	struct answer answer = {.status = 503,
				.text = sluice_str(answer_reason(503)),
				.name = "Retry-After",
				.value = sluice_str("1")};

	++*auth->counters.busy;
	return answer_send(x, &answer);
}

/* What a client says of itself is not passed on as our word. */
static int set_user(const struct auth *auth, struct sluice_exchange *x, const char *user)
{
	if (auth->user_header[0] == '\0')
		return 0;
	return user && user[0] ? sluice_field_set(x, auth->user_header, sluice_str(user))
			       : sluice_field_remove(x, auth->user_header);
}

static enum sluice_verdict allow(struct auth *auth, struct sluice_exchange *x, const char *user)
{
	int err = set_user(auth, x, user);

	if (!err && user && auth->remove_credential)
		err = sluice_field_remove(x, "Authorization");
	if (err)
		return answer_status(x, 431);
	++*auth->counters.allowed;
	return SLUICE_LEAVE;
}

/* --- decisions -------------------------------------------------------------------------- */

static enum sluice_verdict verdict_of(struct auth *auth, struct sluice_exchange *x,
				      enum auth_result result, const char *user, bool token)
{
	switch (result) {
	case AUTH_GOOD:
		return allow(auth, x, user);
	case AUTH_LATER:
		return SLUICE_HOLD;
	case AUTH_BUSY:
		return busy(auth, x);
	case AUTH_NONE:
	case AUTH_BAD:
		break;
	}
	return refuse(auth, x, token && result == AUTH_BAD);
}

void auth_decide(struct auth *auth, struct sluice_exchange *x, bool good)
{
	struct auth_context *context = sluice_ctx(x);
	int64_t now = sluice_wall_seconds(auth->nf);

	++*auth->counters.hashed;
	explicit_bzero(context->password, sizeof(context->password));
	if (good)
		seen_add(&auth->seen, &context->tag, context->user, now + auth->remember_s);
	sluice_resume(x, verdict_of(auth, x, good ? AUTH_GOOD : AUTH_BAD, context->user, false));
}

static void take_turn(void *user, struct sluice_exchange *x)
{
	const struct auth_context *context = sluice_ctx(x);
	struct auth *auth = user;

	auth_decide(auth, x, users_check(&auth->basic.users, context->user, context->password));
}

static enum pattern_result match(struct auth *auth, const struct request_rules *rules,
				 const struct sluice_exchange *x, struct sluice_str path)
{
	enum pattern_result result = request_rules_match(rules, x, path);

	*auth->counters.match_limits += result == PATTERN_LIMIT;
	return result;
}

/* A match that was given up counts as one of `protect` and as none of `skip`. */
static bool is_open(struct auth *auth, const struct sluice_exchange *x)
{
	struct sluice_str path = path_decoded(sluice_path(x), &auth->path_room);

	if (match(auth, &auth->skip, x, path) == PATTERN_YES)
		return true;
	return auth->protect.count > 0 && match(auth, &auth->protect, x, path) == PATTERN_NO;
}

static enum sluice_verdict auth_request(struct sluice_exchange *x)
{
	struct auth *auth = sluice_data(sluice_of(x));
	char user[AUTH_USER_BYTES];
	enum auth_result result;

	++*auth->counters.requests;
	if (is_open(auth, x)) {
		++*auth->counters.skipped;
		return set_user(auth, x, NULL) ? answer_status(x, 431) : SLUICE_LEAVE;
	}
	result = auth_basic_check(auth, x, user);
	if (result != AUTH_NONE)
		return verdict_of(auth, x, result, user, false);
	result = auth_jwt_check(auth, x, user);
	return verdict_of(auth, x, result, user, true);
}

/* Held exchanges may end meanwhile. */
static void auth_done(struct sluice_exchange *x, bool reset)
{
	struct auth *auth = sluice_data(sluice_of(x));
	struct auth_context *context = sluice_ctx(x);

	(void)reset;
	line_leave(&auth->line, &context->place);
	explicit_bzero(context->password, sizeof(context->password));
}

/* --- life --------------------------------------------------------------------------------- */

static void auth_free(struct auth *auth)
{
	sluice_timer_free(auth->line.timer);
	keys_free(&auth->jwt.keys);
	patterns_destroy(auth->patterns);
	pool_free(&auth->pool);
	free(auth);
}

static int auth_init(struct sluice_nf *nf, const struct sluice_conf *config)
{
	struct auth *auth = calloc(1, sizeof(*auth));
	int err;

	if (!auth)
		return -ENOMEM;
	auth->nf = nf;
	err = line_init(&auth->line, nf, take_turn, auth);
	if (!err)
		err = auth_read(auth, nf, config);
	if (err) {
		auth_free(auth);
		return err;
	}
	patterns_report(auth->patterns, nf);
	sluice_set_data(nf, auth);
	return 0;
}

static void auth_fini(struct sluice_nf *nf)
{
	auth_free(sluice_data(nf));
}

static const struct sluice_nf_hooks auth_hooks = {
	SLUICE_HOOKS,
	.name = "auth",
	.summary = "asks who it is: Basic credentials and JSON Web Tokens",
	.ctx_bytes = sizeof(struct auth_context),
	.init = auth_init,
	.fini = auth_fini,
	.request_head = auth_request,
	.done = auth_done,
};
SLUICE_FUNCTION(auth_hooks);
