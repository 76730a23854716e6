/* SPDX-License-Identifier: BSD-3-Clause */
/* Functions that only look: what they are shown, and that nothing waits for them. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/chain/engine/bench.h"

#define HEADS (ENGINE_HOOK_REQUEST_HEAD | ENGINE_HOOK_RESPONSE_HEAD)

#define f(i) (bench.fakes[i])

/* What the last one was shown, by function, read while it may be. */
static struct sight {
	char target[64], asked[64], field[64];
	uint16_t status; /* of the response; 0: there was none */
	struct sluice_end end;
	unsigned dones; /* of that function, then */
} sight[BENCH_FUNCTIONS];

static void copy(char *to, const struct sluice_head *head)
{
	strcpy(to, head ? head_text(head, head->target) : "-");
}

static void look(struct fake *fake, const struct sluice_down *down)
{
	struct sight *s = &sight[fake->function];
	const struct sluice_head *response;
	const char *field;

	if (down->kind != SLUICE_DOWN_SEEN) {
		fake_pass(fake, down);
		return;
	}
	response = fake_head_at(down->response);
	copy(s->target, fake_head_at(down->arg));
	copy(s->asked, fake_head_at(down->asked));
	field = response ? head_field(response, "X-Added") : NULL;
	strcpy(s->field, field ? field : "");
	s->status = response ? response->status : 0;
	s->end = down->end;
	s->dones = fake->dones;
}

static void watcher_up(unsigned function)
{
	fake_up(function, ENGINE_HOOK_SEEN)->on = look;
}

static void open_with(const struct options *options)
{
	memset(sight, 0, sizeof(sight));
	bench_open(options);
}

static void ask_once(const char *request)
{
	struct peer *c = client_open();

	bench.serve = OK(2) "ok";
	say(c, request);
	hear_head(c);
	hear(c, "ok");
	peer_shut(c);
}

static void find(void *ctx, const struct engine_instance_info *info)
{
	struct engine_instance_info *out = ctx;

	if (info->instance == out->instance)
		*out = *info;
}

static struct engine_instance_info info_of(unsigned i)
{
	struct engine_instance_info info = {.instance = f(i)->instance};

	engine_instances_each(bench.engine, find, &info);
	return info;
}

static uint64_t unseen_of(unsigned i)
{
	return info_of(i).unseen;
}

/* --- what they see --------------------------------------------------------------- */

static void test_once(void **state)
{
	struct options options = {.path = 2, .no_functions_up = true};

	(void)state;
	open_with(&options);
	watcher_up(0);
	watcher_up(1);
	ask_once(GET("/a"));
	until(f(0)->sights == 1 && f(1)->sights == 1);
	for (unsigned i = 0; i < 2; i++) {
		assert_string_equal(sight[i].target, "/a");
		assert_string_equal(sight[i].asked, "/a");
		assert_int_equal(sight[i].status, 200);
		assert_int_equal(sight[i].end.status, 200);
		assert_int_equal(sight[i].end.why, SLUICE_ENDING_COMPLETE);
		assert_int_equal(f(i)->heads[0] + f(i)->heads[1] + f(i)->dones, 0);
		until(info_of(i).seen == 1);
		assert_int_equal(info_of(i).exchanges, 0);
	}
	assert_int_equal(counted(descriptors_up), 0);
	assert_int_equal(counted(exchanges_seen), 2);
	assert_int_equal(counted(exchanges_unseen), 0);
	until(engine_exchanges(bench.engine) == 0);
	bench_close();
}

static void change(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_PASS);
	struct edits edits = {.len = 0};

	if (down->kind == SLUICE_DOWN_REQUEST_HEAD)
		edit_add(&edits, SLUICE_EDIT_TARGET, "", "/changed");
	else if (down->kind == SLUICE_DOWN_RESPONSE_HEAD)
		edit_add(&edits, SLUICE_EDIT_ADD, "X-Added", "yes");
	if (edits.len)
		fake_say_text(fake, up, edits.bytes, edits.len);
}

/* Each sees heads as they passed its place. */
static void test_places(void **state)
{
	struct options options = {.path = 3, .no_functions_up = true};

	(void)state;
	open_with(&options);
	watcher_up(0);
	fake_up(1, HEADS)->on = change;
	watcher_up(2);
	ask_once(GET("/came"));
	until(f(0)->sights == 1 && f(2)->sights == 1);
	assert_string_equal(sight[0].target, "/came");
	assert_string_equal(sight[0].field, "yes");
	assert_string_equal(sight[2].target, "/changed");
	assert_string_equal(sight[2].field, "");
	assert_int_equal(sight[2].status, 200);
	for (unsigned i = 0; i < 3; i += 2)
		assert_string_equal(sight[i].asked, "/changed");
	assert_int_equal(counted(exchanges_seen_changed), 0);
	bench_close();
}

static void answer(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_RESPOND);

	if (!fake_is_asked(down))
		return;
	up.status = 204;
	up.flags = SLUICE_UP_END;
	fake_say(fake, &up);
}

/* Who stands behind the function that answers is not come to. */
static void test_reached(void **state)
{
	struct options options = {.path = 3, .no_functions_up = true};
	struct peer *c;

	(void)state;
	open_with(&options);
	watcher_up(0);
	fake_up(1, ENGINE_HOOK_REQUEST_HEAD)->on = answer;
	watcher_up(2);
	c = client_open();
	say(c, GET("/"));
	head_has(hear_head(c), "HTTP/1.1 204 ");
	until(f(0)->sights == 1);
	assert_int_equal(sight[0].status, 204);
	assert_string_equal(sight[0].asked, "-");
	assert_int_equal(f(2)->sights, 0);
	assert_int_equal(counted(exchanges_unseen), 0);
	bench_close();
}

/* An answer of a function in place of the origin's: who saw that one sees none. */
static void test_instead(void **state)
{
	struct options options = {.path = 3, .no_functions_up = true};
	struct peer *c, *o;

	(void)state;
	open_with(&options);
	watcher_up(0);
	fake_up(1, ENGINE_HOOK_RESPONSE_HEAD)->on = answer;
	watcher_up(2);
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(2) "ok");
	head_has(hear_head(c), "HTTP/1.1 204 ");
	until(f(0)->sights == 1 && f(2)->sights == 1);
	assert_int_equal(sight[0].status, 204);
	assert_int_equal(sight[2].status, 0);
	assert_int_equal(sight[2].end.status, 204);
	bench_close();
}

static void test_own_answers(void **state)
{
	struct options options = {.path = 1, .no_functions_up = true};
	struct peer *c;

	(void)state;
	open_with(&options);
	watcher_up(0);
	origin_listen(0, false);
	c = client_open();
	say(c, GET("/a"));
	head_has(hear_head(c), "HTTP/1.1 502 ");
	until(f(0)->sights == 1);
	assert_string_equal(sight[0].target, "/a");
	assert_int_equal(sight[0].status, 0);
	assert_int_equal(sight[0].end.status, 502);
	assert_int_equal(sight[0].end.why, SLUICE_ENDING_UNREACHABLE);
	c = client_open();
	say(c, "GET /b\r\n\r\n");
	head_has(hear_head(c), "HTTP/1.1 400 ");
	until(f(0)->sights == 2);
	assert_int_equal(sight[0].end.status, 400);
	assert_int_equal(sight[0].end.why, SLUICE_ENDING_REQUEST_BAD);
	bench_close();
}

static void test_client_gone(void **state)
{
	struct options options = {.path = 1, .no_functions_up = true};
	struct peer *c;

	(void)state;
	open_with(&options);
	watcher_up(0);
	c = client_open();
	say(c, GET("/a"));
	hear_head(origin_accept(0));
	peer_abort(c);
	until(f(0)->sights == 1);
	assert_int_equal(sight[0].status, 0);
	assert_int_equal(sight[0].end.why, SLUICE_ENDING_CLIENT_GONE);
	assert_string_equal(sight[0].asked, "/a");
	bench_close();
}

static void leave(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_LEAVE);

	if (fake_is_asked(down))
		fake_say(fake, &up);
}

/* One may decide besides: it looks before it is done, and not at what it left. */
static void test_both(void **state)
{
	struct options options = {.path = 1, .no_functions_up = true};

	(void)state;
	open_with(&options);
	fake_up(0, HEADS | ENGINE_HOOK_DONE | ENGINE_HOOK_SEEN)->on = look;
	ask_once(GET("/a"));
	until(f(0)->dones == 1);
	assert_int_equal(f(0)->heads[0] + f(0)->heads[1], 2);
	assert_int_equal(f(0)->sights, 1);
	assert_int_equal(sight[0].dones, 0);
	f(0)->on = leave;
	ask_once(GET("/b"));
	bench_run_ms(10);
	assert_int_equal(f(0)->sights, 1);
	assert_int_equal(counted(exchanges_unseen), 0);
	bench_close();
}

/* --- who does not keep up -------------------------------------------------------- */

#define MANY 20

static const struct options one = {
	.path = 1, .no_functions_up = true, .link_entries = 4, .max_exchanges = 128};

static void ask_many(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		ask_once(GET("/many"));
}

/* It holds as many as its ring takes, and gives them back when it reads on. */
static void test_stopped(void **state)
{
	(void)state;
	open_with(&one);
	watcher_up(0);
	f(0)->stopped = true;
	ask_many(MANY);
	assert_int_equal(engine_exchanges(bench.engine), 4);
	assert_int_equal(unseen_of(0), MANY - 4);
	assert_int_equal(counted(exchanges_unseen), MANY - 4);
	f(0)->stopped = false;
	until(f(0)->sights == 4);
	until(engine_exchanges(bench.engine) == 0);
	assert_int_equal(info_of(0).seen, 4);
	ask_many(1);
	until(info_of(0).seen == 5);
	bench_close();
}

/* Dead, in the midst of it or for long, it has missed them, which its successor tells. */
static void test_dead(void **state)
{
	(void)state;
	open_with(&one);
	watcher_up(0);
	f(0)->stopped = true;
	ask_many(3);
	assert_int_equal(engine_exchanges(bench.engine), 3);
	fake_down(f(0));
	until(engine_exchanges(bench.engine) == 0);
	ask_many(MANY);
	assert_int_equal(counted(exchanges_unseen), MANY + 3);
	watcher_up(0);
	assert_int_equal(unseen_of(1), MANY + 3);
	ask_many(1);
	until(info_of(1).seen == 1);
	assert_int_equal(counted(exchanges_failed), 0);
	assert_int_equal(counted(exchanges_poison), 0);
	bench_close();
}

/* However long their rings are, watchers keep an eighth of the exchanges and no more. */
static void test_kept(void **state)
{
	struct options options = {.path = 2, .no_functions_up = true, .max_exchanges = 32};

	(void)state;
	open_with(&options);
	watcher_up(0);
	watcher_up(1);
	f(0)->stopped = f(1)->stopped = true;
	ask_many(MANY);
	assert_int_equal(engine_exchanges(bench.engine), 32 / 8 + 1);
	f(0)->stopped = f(1)->stopped = false;
	until(engine_exchanges(bench.engine) == 0);
	assert_int_equal(f(0)->sights, 32 / 8 + 1);
	assert_int_equal(f(1)->sights, 32 / 8 + 1);
	bench_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once),        cmocka_unit_test(test_places),
		cmocka_unit_test(test_reached),     cmocka_unit_test(test_instead),
		cmocka_unit_test(test_own_answers), cmocka_unit_test(test_client_gone),
		cmocka_unit_test(test_both),        cmocka_unit_test(test_stopped),
		cmocka_unit_test(test_dead),        cmocka_unit_test(test_kept),
	};

	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
