/* SPDX-License-Identifier: BSD-3-Clause */
/* Instances of functions, played through the real rings. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/chain/engine/bench_internal.h"

#define ARENA_BYTES (8u << 20)

/* --- life ------------------------------------------------------------------------ */

static void rings_map(struct fake *fake)
{
	uint8_t *up;

	fake->down_bytes = link_down_bytes(fake->link);
	fake->up_bytes = link_up_bytes(fake->link);
	fake->down_ctl =
		mmap(NULL, fake->down_bytes, PROT_READ, MAP_SHARED, link_down_fd(fake->link), 0);
	up = mmap(NULL, fake->up_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, link_up_fd(fake->link),
		  0);
	assert_true(fake->down_ctl != MAP_FAILED && up != MAP_FAILED);
	fake->down = (const struct sluice_down *)((const uint8_t *)fake->down_ctl + SLUICE_PAGE);
	fake->up_ctl = (struct sluice_up_ctl *)up;
	fake->up = (struct sluice_up *)(up + SLUICE_PAGE);
	fake->up_text = up + SLUICE_PAGE + fake->down_ctl->up_entries * sizeof(struct sluice_up);
}

static void note(struct fake *fake, const struct sluice_down *down);
static void fake_publish(struct fake *fake);

/* Both rings are empty. */
static bool is_callable(const struct fake *fake)
{
	return !fake->stopped && !fake->dead && fake->consumed == fake->down_ctl->produced &&
	       fake->produced == fake->down_ctl->up_consumed;
}

/* An engine_event. */
static bool fake_call(void *ctx, uint64_t now_us, const struct sluice_down *down,
		      struct engine_answer *answer)
{
	struct fake *fake = ctx;

	(void)now_us;
	if (!is_callable(fake))
		return false;
	fake->called++;
	fake->answer = answer;
	fake->exchange = down->exchange;
	fake->generation = down->generation;
	note(fake, down);
	fake->on(fake, down);
	fake->answer = NULL;
	fake_publish(fake);
	return true;
}

static uint32_t arg_of(const struct sluice_head *head)
{
	return head ? (uint32_t)(((const uint8_t *)head - bench.messages->base) / 64)
		    : SLUICE_HEAD_NONE;
}

/* An engine_show: noted as if it came by the ring. */
static int fake_show(void *ctx, uint64_t now_us, const struct sluice_shown *head,
		     struct engine_answer *answer)
{
	struct fake *fake = ctx;
	struct sluice_down down = {.exchange = head->exchange,
				   .generation = head->generation,
				   .kind = head->response ? SLUICE_DOWN_RESPONSE_HEAD
							  : SLUICE_DOWN_REQUEST_HEAD,
				   .flags = head->end ? SLUICE_DOWN_END : 0,
				   .arg = arg_of(head->head)};

	down.slice[0].ref = head->asked;
	fake->verdict = ENGINE_TOLD;
	return fake_call(ctx, now_us, &down, answer) ? fake->verdict : ENGINE_NOT_SHOWN;
}

/* An engine_seen: noted as if it came by the ring. */
static bool fake_see(void *ctx, uint64_t now_us, const struct engine_sight *sight)
{
	const struct sluice_down down = {.response = arg_of(sight->response),
					 .asked = arg_of(sight->asked),
					 .kind = SLUICE_DOWN_SEEN,
					 .arg = arg_of(sight->request),
					 .end = sight->end};

	return fake_call(ctx, now_us, &down, NULL);
}

struct fake *fake_up_at(unsigned function, unsigned index, uint32_t hooks)
{
	struct link_sizes sizes = {
		.entries = bench.options.link_entries ? bench.options.link_entries : 256,
		.up_entries = 256,
		.up_text_bytes = 65536};
	bool in_place = getenv("BENCH_IN_PLACE");
	struct fake *fake = calloc(1, sizeof(*fake));

	assert_non_null(fake);
	assert_true(bench.fakes_count < 64);
	fake->function = function;
	fake->instance = ++bench.instances;
	fake->on = fake_pass;
	fake->wake_fd = eventfd(0, EFD_NONBLOCK);
	assert_int_equal(link_create(&sizes, fake->wake_fd, &fake->link), 0);
	rings_map(fake);
	assert_int_equal(region_create_sealed(&bench.regions, REGION_ARENA, "arena", ARENA_BYTES,
					      &fake->arena),
			 0);
	assert_int_equal(
		engine_instance_up(bench.engine,
				   &(struct engine_instance){.id = fake->instance,
							     .function = (uint16_t)function,
							     .index = (uint16_t)index,
							     .hooks = hooks,
							     .link = fake->link,
							     .arena = fake->arena,
							     .near = bench.options.near_functions,
							     .event = in_place ? fake_call : NULL,
							     .show = in_place ? fake_show : NULL,
							     .seen = in_place ? fake_see : NULL,
							     .event_ctx = fake}),
		0);
	fake->up_known = true;
	bench.fakes[bench.fakes_count++] = fake;
	return fake;
}

struct fake *fake_up(unsigned function, uint32_t hooks)
{
	return fake_up_at(function, bench.instances, hooks);
}

void fake_down(struct fake *fake)
{
	if (fake->up_known)
		engine_instance_down(bench.engine, fake->instance);
	fake->up_known = false;
	fake->stopped = true;
}

void fake_free(struct fake *fake)
{
	munmap((void *)(uintptr_t)fake->down_ctl, fake->down_bytes);
	munmap(fake->up_ctl, fake->up_bytes);
	link_destroy(fake->link);
	close(fake->wake_fd);
	region_remove(&bench.regions, fake->arena);
	free(fake->body[0]);
	free(fake->body[1]);
	free(fake);
}

/* --- reading --------------------------------------------------------------------- */

static void note_body(struct fake *fake, unsigned d, const struct sluice_down *down)
{
	for (unsigned i = 0; i < down->slices; i++) {
		const struct sluice_slice *s = &down->slice[i];
		const uint8_t *bytes = region_resolve(&bench.regions, s->ref, s->len);

		assert_non_null(bytes);
		assert_int_not_equal(bench.regions.region[sluice_ref_region(s->ref)]->kind,
				     REGION_ARENA);
		if (fake->body_len[d] + s->len > fake->body_room[d]) {
			fake->body_room[d] = 2 * (fake->body_len[d] + s->len);
			fake->body[d] = realloc(fake->body[d], fake->body_room[d]);
		}
		memcpy(fake->body[d] + fake->body_len[d], bytes, s->len);
		fake->body_len[d] += s->len;
	}
	fake->pieces[d]++;
	if (down->flags & SLUICE_DOWN_END)
		fake->ends[d]++;
}

static void note(struct fake *fake, const struct sluice_down *down)
{
	fake->last[down->kind] = *down;
	switch (down->kind) {
	case SLUICE_DOWN_REQUEST_HEAD:
	case SLUICE_DOWN_RESPONSE_HEAD:
		fake->heads[down->kind == SLUICE_DOWN_RESPONSE_HEAD]++;
		return;
	case SLUICE_DOWN_OPEN:
		fake->opens++;
		return;
	case SLUICE_DOWN_REQUEST_BODY:
	case SLUICE_DOWN_CLIENT_DATA:
		note_body(fake, 0, down);
		return;
	case SLUICE_DOWN_RESPONSE_BODY:
	case SLUICE_DOWN_SERVER_DATA:
		note_body(fake, 1, down);
		return;
	case SLUICE_DOWN_DONE:
		fake->dones++;
		fake->resets += (down->flags & SLUICE_DOWN_RESET) != 0;
		return;
	case SLUICE_DOWN_RELEASE:
		for (unsigned i = 0; i < down->slices; i++)
			fake->released[fake->releases++ % FAKE_SEEN_MAX] = down->slice[i].tag;
		return;
	case SLUICE_DOWN_SEEN:
		fake->sights++;
		return;
	case SLUICE_DOWN_ASK_HEAD:
	case SLUICE_DOWN_ASK_END:
	case SLUICE_DOWN_REFUSED:
		return;
	case SLUICE_DOWN_REPEATED:
		fake->repeated += down->repeated.times;
		return;
	case SLUICE_DOWN_ASK_BODY:
		note_body(fake, 1, down);
		return;
	default:
		fail_msg("a descriptor of kind %u", down->kind);
	}
}

static void fake_publish(struct fake *fake)
{
	__atomic_store_n(&fake->up_ctl->produced, fake->produced, __ATOMIC_RELEASE);
	__atomic_store_n(&fake->up_ctl->down_consumed, fake->consumed, __ATOMIC_RELEASE);
}

/* One that is `dead` has stopped in the midst of what it had taken, and has said nothing of it. */
static void fake_turn(struct fake *fake)
{
	uint32_t produced = __atomic_load_n(&fake->down_ctl->produced, __ATOMIC_ACQUIRE);

	while (!fake->stopped && !fake->dead && fake->consumed != produced) {
		struct sluice_down down =
			fake->down[fake->consumed & (fake->down_ctl->entries - 1)];

		note(fake, &down);
		fake->on(fake, &down);
		fake->consumed++;
	}
	if (!fake->stopped && !fake->dead)
		fake_publish(fake);
}

void fakes_turn(void)
{
	for (unsigned i = 0; i < bench.fakes_count; i++)
		fake_turn(bench.fakes[i]);
}

/* --- answering ------------------------------------------------------------------- */

static bool is_piece(const struct sluice_down *down)
{
	return down->kind == SLUICE_DOWN_REQUEST_BODY || down->kind == SLUICE_DOWN_RESPONSE_BODY ||
	       down->kind == SLUICE_DOWN_CLIENT_DATA || down->kind == SLUICE_DOWN_SERVER_DATA;
}

bool fake_is_asked(const struct sluice_down *down)
{
	switch (down->kind) {
	case SLUICE_DOWN_REQUEST_HEAD:
	case SLUICE_DOWN_RESPONSE_HEAD:
	case SLUICE_DOWN_OPEN:
		return true;
	default:
		return is_piece(down);
	}
}

struct sluice_up fake_answer(const struct sluice_down *down, enum sluice_verdict verdict)
{
	bool body = is_piece(down);

	return (struct sluice_up){
		.exchange = down->exchange,
		.generation = down->generation,
		.kind = body ? SLUICE_UP_PIECE : SLUICE_UP_VERDICT,
		.verdict = (uint8_t)verdict,
		.piece = body ? down->arg : 0,
		.group = SLUICE_NONE16,
		.server = SLUICE_NONE16,
	};
}

/* The first that it says, when it is called. */
static bool is_for_caller(const struct fake *fake, const struct sluice_up *up)
{
	return fake->answer && !fake->answer->given && up->kind == SLUICE_UP_VERDICT &&
	       fake->produced == fake->down_ctl->up_consumed;
}

/* A verdict on what it is asked about, and nothing else. */
static bool is_plain(const struct fake *fake, const struct sluice_up *up)
{
	return (up->verdict == SLUICE_PASS || up->verdict == SLUICE_LEAVE) && !up->slices &&
	       !up->flags && !up->steady_ms && up->group == SLUICE_NONE16 &&
	       up->server == SLUICE_NONE16 && up->exchange == fake->exchange &&
	       up->generation == fake->generation;
}

void fake_say(struct fake *fake, const struct sluice_up *up)
{
	uint32_t entries = fake->down_ctl->up_entries;

	if (is_for_caller(fake, up) && !up->text_len && is_plain(fake, up) && fake->plain++ % 2) {
		memset(&fake->answer->up, 0xff, sizeof(fake->answer->up));
		fake->verdict = up->verdict;
		fake->answer = NULL; /* what it says besides goes by the ring */
		return;
	}
	if (is_for_caller(fake, up) && !up->text_len) {
		fake->answer->up = *up;
		fake->answer->given = true;
		return;
	}
	assert_true(fake->produced - fake->down_ctl->up_consumed < entries);
	fake->up[fake->produced++ & (entries - 1)] = *up;
	if (fake->stopped)
		fake_publish(fake);
}

void fake_say_text(struct fake *fake, struct sluice_up up, const void *text, uint32_t len)
{
	if (is_for_caller(fake, &up) && len <= SLUICE_EDITS_MAX_BYTES) {
		fake->answer->up = up;
		fake->answer->up.text_len = len;
		fake->answer->given = true;
		memcpy(fake->answer->text, text, len);
		return;
	}
	if (fake->text_at + len > fake->down_ctl->up_text_bytes)
		fake->text_at = 0;
	memcpy(fake->up_text + fake->text_at, text, len);
	up.text_off = fake->text_at;
	up.text_len = len;
	fake->text_at += (len + 7) & ~7u;
	fake_say(fake, &up);
}

void fake_pass(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_PASS);

	if (fake_is_asked(down))
		fake_say(fake, &up);
}

void fake_hold(struct fake *fake, const struct sluice_down *down)
{
	(void)fake;
	(void)down;
}

struct sluice_slice fake_slice(struct fake *fake, uint64_t offset, const void *bytes, uint32_t len,
			       uint32_t tag)
{
	if (bytes)
		memcpy(fake->arena->base + offset, bytes, len);
	return (struct sluice_slice){
		.ref = sluice_ref(fake->arena->id, offset), .len = len, .tag = tag};
}

bool fake_was_released(const struct fake *fake, uint32_t tag)
{
	for (unsigned i = 0; i < fake->releases; i++)
		if (fake->released[i] == tag)
			return true;
	return false;
}

/* --- heads ----------------------------------------------------------------------- */

const struct sluice_head *fake_head_at(uint32_t arg)
{
	if (arg == SLUICE_HEAD_NONE)
		return NULL;
	return (const struct sluice_head *)(const void *)(bench.messages->base +
							  (uint64_t)arg * 64);
}

const struct sluice_head *fake_head(const struct fake *fake, const struct sluice_down *down)
{
	(void)fake;
	return fake_head_at(down->arg);
}

const char *head_text(const struct sluice_head *head, struct sluice_text text)
{
	static char out[65536];
	const uint8_t *bytes =
		region_resolve(&bench.regions, head->base[text.base] + text.off, text.len);

	if (text.len)
		assert_non_null(bytes);
	if (text.len)
		memcpy(out, bytes, text.len);
	out[text.len] = 0;
	return out;
}

const char *head_field(const struct sluice_head *head, const char *name)
{
	for (unsigned i = 0; i < head->fields; i++) {
		const struct sluice_field *f = &head->field[i];
		struct sluice_text n = {f->name_off, f->name_len, f->name_base};
		struct sluice_text v = {f->value_off, f->value_len, f->value_base};

		if (!strcasecmp(head_text(head, n), name))
			return head_text(head, v);
	}
	return NULL;
}

void edit_add(struct edits *edits, enum sluice_edit_op op, const char *name, const char *value)
{
	struct sluice_edit e = {.op = (uint8_t)op,
				.name_len = (uint16_t)strlen(name),
				.value_len = (uint16_t)strlen(value)};
	uint8_t *at = edits->bytes + edits->len;
	uint32_t len = (uint32_t)sizeof(e) + e.name_len + e.value_len;

	assert_true(edits->len + len + 8 <= sizeof(edits->bytes));
	memset(at, 0, (len + 7) & ~7u);
	memcpy(at, &e, sizeof(e));
	memcpy(at + sizeof(e), name, e.name_len);
	memcpy(at + sizeof(e) + e.name_len, value, e.value_len);
	edits->len += (len + 7) & ~7u;
}
