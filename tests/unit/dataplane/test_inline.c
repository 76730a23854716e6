/* SPDX-License-Identifier: BSD-3-Clause */
/* A function in the worker: descriptors in, verdicts out, as from a process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "chain/engine/engine.h"
#include "chain/ring/link.h"
#include "chain/ring/region.h"
#include "dataplane/inline.h"
#include "mgmt/conf/conf.h"
#include "nf/sdk/object.h"

#define BYTES (2 << 20)

static struct {
	struct region_table regions;
	struct region *messages, *arena;
	struct object object;
	struct inline_parts parts;
	struct inline_part *part;
	struct conf_errors errors;
} t;

static int make(const char *config_json)
{
	static struct conf_function function = {.name = "mine", .place = {"t.conf", 1}};
	struct inline_part_conf pc = {.function = &function,
				      .object = &t.object,
				      .regions = &t.regions,
				      .messages = t.messages,
				      .arena = t.arena,
				      .wake_fd = -1};
	char json[512];

	strcpy(json, config_json);
	function.config_json = json;
	return inline_create(&pc, &t.part, &t.errors);
}

static int setup(void **state)
{
	char error[256] = "";

	(void)state;
	memset(&t, 0, sizeof(t));
	assert_int_equal(
		region_create_sealed(&t.regions, REGION_MESSAGES, "messages", BYTES, &t.messages),
		0);
	assert_int_equal(region_create_sealed(&t.regions, REGION_ARENA, "arena", BYTES, &t.arena),
			 0);
	if (object_load(PLUGIN_DIR "/noop.so", "noop.so", &t.object, error, sizeof(error)))
		fail_msg("%s", error);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (t.part) {
		inline_leave(&t.parts, t.part);
		inline_free(t.part);
	}
	object_unload(&t.object);
	conf_errors_clear(&t.errors);
	region_remove(&t.regions, t.messages);
	region_remove(&t.regions, t.arena);
	return 0;
}

/* A request's head in the first slot: nothing but "GET /". */
static void send_head(uint32_t exchange)
{
	struct sluice_down *down = link_next(inline_link(t.part));

	assert_non_null(down);
	*down = (struct sluice_down){
		.exchange = exchange, .generation = 7, .kind = SLUICE_DOWN_REQUEST_HEAD};
	link_publish(inline_link(t.part));
}

static void answers_as_a_process_would(void **state)
{
	struct sluice_up up[8];
	const char *help;

	(void)state;
	assert_int_equal(make("{\"l\":1,\"f\":\"t.conf\",\"t\":\"group\",\"v\":{}}"), 0);
	inline_join(&t.parts, t.part);
	assert_false(inline_turn(&t.parts, 1000));
	for (uint32_t i = 0; i < 5; i++)
		send_head(i);
	assert_true(inline_turn(&t.parts, 2000));
	assert_int_equal(link_poll(inline_link(t.part), up, 8), 5);
	for (uint32_t i = 0; i < 5; i++) {
		assert_int_equal(up[i].exchange, i);
		assert_int_equal(up[i].generation, 7);
		assert_int_equal(up[i].kind, SLUICE_UP_VERDICT);
		assert_int_equal(up[i].verdict, SLUICE_PASS);
	}
	assert_false(inline_turn(&t.parts, 3000));
	assert_int_equal(link_depth(inline_link(t.part)), 0);
	assert_string_equal(inline_counter(t.part, 1, &help), "requests");
	assert_int_equal(link_counter(inline_link(t.part), 1), 5);
}

/* Called in place: the verdict at once, unless something is on its way in a ring. */
static void is_called_in_place(void **state)
{
	const struct sluice_down down = {
		.exchange = 3, .generation = 7, .kind = SLUICE_DOWN_REQUEST_HEAD};
	uint8_t text[SLUICE_EDITS_MAX_BYTES];
	const struct sluice_shown head = {.head = (const struct sluice_head *)t.messages->base,
					  .exchange = 5,
					  .generation = 7};
	struct engine_answer answer = {.text = text};
	struct sluice_up up[2];

	(void)state;
	assert_int_equal(make("{\"l\":1,\"f\":\"t.conf\",\"t\":\"group\",\"v\":{}}"), 0);
	inline_join(&t.parts, t.part);
	assert_true(inline_event(t.part, 1000, &down, &answer));
	assert_true(answer.given);
	assert_int_equal(answer.up.exchange, 3);
	assert_int_equal(answer.up.verdict, SLUICE_PASS);
	assert_false(inline_turn(&t.parts, 1000)); /* nothing is left to be said */
	answer.given = false;
	assert_int_equal(inline_show(t.part, 1000, &head, &answer), SLUICE_PASS);
	assert_false(answer.given);
	send_head(4);
	assert_false(inline_event(t.part, 2000, &down, &answer)); /* behind that one */
	assert_true(inline_turn(&t.parts, 2000));
	assert_false(inline_event(t.part, 2000, &down, &answer)); /* its answer was not taken */
	assert_false(answer.given);
	assert_int_equal(link_poll(inline_link(t.part), up, 2), 1);
	assert_int_equal(up[0].exchange, 4);
	link_consume(inline_link(t.part), 1);
	inline_turn(&t.parts, 3000);
	assert_true(inline_event(t.part, 3000, &down, NULL)); /* then its answer goes by the ring */
	assert_true(inline_turn(&t.parts, 3000));
	assert_int_equal(link_poll(inline_link(t.part), up, 2), 1);
	assert_int_equal(up[0].exchange, 3);
}

/* Whoever says more than a verdict says it in full. */
static void says_it_in_full(void **state)
{
	static const char config[] = "{\"l\":1,\"f\":\"t.conf\",\"t\":\"group\",\"v\":{\"field\":"
				     "{\"l\":1,\"f\":\"t.conf\",\"t\":\"string\",\"v\":\"x\"}}}";
	const struct sluice_shown head = {.head = (const struct sluice_head *)t.messages->base,
					  .exchange = 5,
					  .generation = 7};
	uint8_t text[SLUICE_EDITS_MAX_BYTES];
	struct engine_answer answer = {.text = text};

	(void)state;
	assert_int_equal(make(config), 0);
	inline_join(&t.parts, t.part);
	assert_int_equal(inline_show(t.part, 1000, &head, &answer), ENGINE_TOLD);
	assert_true(answer.given);
	assert_int_equal(answer.up.exchange, 5);
	assert_int_equal(answer.up.generation, 7);
	assert_int_equal(answer.up.kind, SLUICE_UP_VERDICT);
	assert_int_equal(answer.up.verdict, SLUICE_PASS);
	assert_int_not_equal(answer.up.text_len, 0);
}

static struct sluice_exchange *held;

/* Holds the first that comes, and lets it go when it is asked about the second. */
static enum sluice_verdict hold_one(struct sluice_exchange *x)
{
	if (!held) {
		held = x;
		return SLUICE_HOLD;
	}
	sluice_resume(held, SLUICE_PASS);
	return SLUICE_PASS;
}

/* The engine takes the first word, whatever it is about; the verdict that it asked for follows by
 * the ring, and nothing overtakes that. */
static void what_is_said_first_is_heard_first(void **state)
{
	const struct sluice_nf_hooks hooks = {SLUICE_HOOKS, .name = "mine",
					      .request_head = hold_one};
	struct sluice_shown head = {.head = (const struct sluice_head *)t.messages->base,
				    .generation = 7};
	uint8_t text[SLUICE_EDITS_MAX_BYTES];
	struct engine_answer answer = {.text = text};
	struct sluice_up up[2];

	(void)state;
	held = NULL;
	t.object.hooks = hooks;
	assert_int_equal(make("{\"l\":1,\"f\":\"t.conf\",\"t\":\"group\",\"v\":{}}"), 0);
	inline_join(&t.parts, t.part);
	head.exchange = 1;
	assert_int_equal(inline_show(t.part, 1000, &head, &answer), ENGINE_TOLD);
	assert_false(answer.given);
	head.exchange = 2;
	assert_int_equal(inline_show(t.part, 1000, &head, &answer), ENGINE_TOLD);
	assert_true(answer.given);
	assert_int_equal(answer.up.exchange, 1);
	assert_int_equal(answer.up.verdict, SLUICE_PASS);
	head.exchange = 3;
	assert_int_equal(inline_show(t.part, 1000, &head, &answer), ENGINE_NOT_SHOWN);
	assert_true(inline_turn(&t.parts, 1000));
	assert_int_equal(link_poll(inline_link(t.part), up, 2), 1);
	assert_int_equal(up[0].exchange, 2);
	assert_int_equal(up[0].verdict, SLUICE_PASS);
	link_consume(inline_link(t.part), 1);
	inline_turn(&t.parts, 2000);
	assert_int_equal(inline_show(t.part, 2000, &head, &answer), SLUICE_PASS);
}

static void a_wrong_config_has_its_line(void **state)
{
	(void)state;
	assert_int_not_equal(make("{\"l\":1,\"f\":\"t.conf\",\"t\":\"group\",\"v\":{\"feild\":"
				  "{\"l\":9,\"f\":\"t.conf\",\"t\":\"string\",\"v\":\"x\"}}}"),
			     0);
	assert_null(t.part);
	assert_int_equal(t.errors.count, 1);
	assert_non_null(strstr(t.errors.text[0], "t.conf:9: "));
	assert_non_null(strstr(t.errors.text[0], "feild"));
}

/* Full rings: what cannot be answered now is answered when there is room, and nothing is lost. */
static void a_full_ring_waits(void **state)
{
	struct link *link;
	struct sluice_up up[32];
	uint32_t sent = 0, heard = 0;
	int n;

	(void)state;
	assert_int_equal(make("{\"l\":1,\"f\":\"t.conf\",\"t\":\"group\",\"v\":{}}"), 0);
	inline_join(&t.parts, t.part);
	link = inline_link(t.part);
	for (unsigned round = 0; round < 40; round++) {
		while (sent < 3000 && link_room(link))
			send_head(sent++);
		inline_turn(&t.parts, 1000 + round);
		inline_turn(&t.parts, 1000 + round);
	}
	assert_true(sent > 2000 && sent < 3000);
	while ((n = link_poll(link, up, 32)) > 0 || sent < 3000 || heard < sent) {
		for (int i = 0; i < n; i++)
			assert_int_equal(up[i].exchange, heard++);
		if (n > 0)
			link_consume(link, (unsigned)n);
		while (sent < 3000 && link_room(link))
			send_head(sent++);
		inline_turn(&t.parts, 5000);
	}
	assert_int_equal(heard, 3000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(answers_as_a_process_would, setup, teardown),
		cmocka_unit_test_setup_teardown(is_called_in_place, setup, teardown),
		cmocka_unit_test_setup_teardown(says_it_in_full, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_said_first_is_heard_first, setup, teardown),
		cmocka_unit_test_setup_teardown(a_wrong_config_has_its_line, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_ring_waits, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
