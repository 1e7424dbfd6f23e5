/* Pools: commands, replies, server errors, scripts, statistics, closing. */
#include "world.h"

static void a_reply_is_a_tree(void) {
  struct world w = world_open();
  corbel_event ev =
      COMMAND(&w, "EVAL", "return {1, 'two', {3, false}, redis.status_reply('FINE'), redis.error_reply('MINE own')}", "0");
  CHECK(ev.status == CORBEL_OK && ev.error == NULL);
  REQUIRE(ev.object != NULL);
  const corbel_node *root = corbel_reply_root(ev.object);
  corbel_bytes b = {NULL, 0};
  CHECK_EQ(corbel_node_kind(root), CORBEL_NODE_ARRAY);
  CHECK_EQ(corbel_node_count(root), 5);
  CHECK_EQ(corbel_node_kind(corbel_node_at(root, 0)), CORBEL_NODE_INTEGER);
  CHECK_EQ(corbel_node_integer(corbel_node_at(root, 0)), 1);
  CHECK_EQ(corbel_node_bytes(corbel_node_at(root, 0), &b), CORBEL_INVALID);
  CHECK_EQ(corbel_node_kind(corbel_node_at(root, 1)), CORBEL_NODE_STRING);
  CHECK(corbel_node_bytes(corbel_node_at(root, 1), &b) == CORBEL_OK && same(b, "two"));
  CHECK_EQ(corbel_node_count(corbel_node_at(root, 1)), 0);
  CHECK_EQ(corbel_node_count(corbel_node_at(root, 2)), 2);
  const corbel_node *nil = corbel_node_at(corbel_node_at(root, 2), 1);
  CHECK_EQ(corbel_node_kind(nil), CORBEL_NODE_NIL);
  CHECK(corbel_node_bytes(nil, &b) == CORBEL_OK && b.data == NULL && b.size == 0);
  CHECK_EQ(corbel_node_kind(corbel_node_at(root, 3)), CORBEL_NODE_STATUS);
  CHECK(corbel_node_bytes(corbel_node_at(root, 3), &b) == CORBEL_OK && same(b, "FINE"));
  CHECK_EQ(corbel_node_kind(corbel_node_at(root, 4)), CORBEL_NODE_ERROR);
  CHECK(corbel_node_bytes(corbel_node_at(root, 4), &b) == CORBEL_OK && same(b, "MINE own"));
  CHECK(corbel_node_at(root, 5) == NULL);
  corbel_event_clear(&ev, sizeof ev);
  world_close(&w);
}

static void records_tell_the_tree_in_one_call(void) {
  struct world w = world_open();
  struct {
    corbel_record r;
    char more[8];
  } wide[8];
  corbel_event ev = COMMAND(&w, "EVAL", "return {1, {'two', false}, ''}", "0");
  REQUIRE(ev.object != NULL);
  CHECK_EQ(corbel_reply_records(ev.object, NULL, 0, sizeof(corbel_record)), 6);
  CHECK_EQ(corbel_reply_records(ev.object, wide, 8, sizeof wide[0]), 6);
  static const int32_t kinds[] = {CORBEL_NODE_ARRAY,  CORBEL_NODE_INTEGER, CORBEL_NODE_ARRAY,
                                  CORBEL_NODE_STRING, CORBEL_NODE_NIL,     CORBEL_NODE_STRING};
  static const uint32_t depths[] = {0, 1, 1, 2, 2, 1};
  static const int64_t values[] = {3, 1, 2, 3, 0, 0};
  for (int i = 0; i < 6; i++) {
    CHECK_EQ(wide[i].r.kind, kinds[i]);
    CHECK_EQ(wide[i].r.depth, depths[i]);
    CHECK_EQ(wide[i].r.value, values[i]);
    CHECK((wide[i].r.data != NULL) == (kinds[i] == CORBEL_NODE_STRING));
  }
  CHECK(memcmp(wide[3].r.data, "two", 3) == 0);
  corbel_record two[2];
  CHECK_EQ(corbel_reply_records(ev.object, two, 2, sizeof two[0]), 6);
  CHECK(two[1].kind == CORBEL_NODE_INTEGER && two[1].value == 1);
  corbel_event_clear(&ev, sizeof ev);
  world_close(&w);
}

static void bytes_come_back_as_they_went(void) {
  struct world w = world_open();
  char all[256];
  for (int i = 0; i < 256; i++) all[i] = (char)i;
  corbel_bytes set[] = {bytes("SET"), bytes("k"), {all, sizeof all}};
  corbel_call c = call_to(w.q, 1);
  corbel_ticket t = 0;
  CHECK_EQ(corbel_redis_send(w.r, set, 3, &c, &t), CORBEL_OK);
  corbel_event ev = await_event(w.q, CORBEL_EVENT_REPLY);
  CHECK(same(root_bytes(&ev), "OK"));
  corbel_event_clear(&ev, sizeof ev);
  ev = COMMAND(&w, "GET", "k");
  corbel_bytes b = root_bytes(&ev);
  CHECK(b.size == 256 && b.data && memcmp(b.data, all, 256) == 0);
  corbel_event_clear(&ev, sizeof ev);
  ev = COMMAND(&w, "GET", "no such key");
  CHECK_EQ(corbel_node_kind(corbel_reply_root(ev.object)), CORBEL_NODE_NIL);
  corbel_event_clear(&ev, sizeof ev);
  world_close(&w);
}

static void a_server_error_is_refused_with_its_code(void) {
  struct world w = world_open();
  corbel_event ev = COMMAND(&w, "SET", "text", "abc");
  corbel_event_clear(&ev, sizeof ev);
  ev = COMMAND(&w, "LPUSH", "text", "1");
  CHECK_EQ(ev.status, CORBEL_REFUSED);
  CHECK(ev.object == NULL && ev.error != NULL);
  CHECK_EQ(corbel_error_status(ev.error), CORBEL_REFUSED);
  CHECK(strcmp(corbel_error_native(ev.error), "WRONGTYPE") == 0);
  CHECK(strcmp(corbel_error_source(ev.error), "redis") == 0);
  CHECK_EQ(corbel_error_flags(ev.error) & CORBEL_ERROR_RETRIABLE, 0);
  corbel_event_clear(&ev, sizeof ev);
  world_close(&w);
}

static void what_changes_a_connection_is_refused_at_once(void) {
  struct world w = world_open();
  static const char *const refused[] = {"MULTI", "WATCH", "subscribe", "BLPOP", "Select", "AUTH"};
  for (int i = 0; i < 6; i++) {
    corbel_bytes argv[] = {bytes(refused[i]), bytes("1")};
    corbel_error *e = NULL;
    corbel_call c = call_to(w.q, 0);
    corbel_ticket t = 0;
    c.err = &e;
    CHECK_EQ(corbel_redis_send(w.r, argv, 2, &c, &t), CORBEL_INVALID);
    CHECK(t == 0 && e != NULL && strlen(corbel_error_message(e)) > 0);
    corbel_error_free(e);
  }
  world_close(&w);
}

static void a_script_is_loaded_when_it_is_unknown(void) {
  struct world w = world_open();
  corbel_bytes script = bytes("return {KEYS[1], ARGV[1], ARGV[2]}");
  corbel_bytes argv[] = {bytes("key"), bytes("a"), bytes("b")};
  for (int round = 0; round < 3; round++) {
    corbel_call c = call_to(w.q, 9);
    corbel_ticket t = 0;
    CHECK_EQ(corbel_redis_eval(w.r, script, argv, 3, 1, &c, &t), CORBEL_OK);
    corbel_event ev = await_event(w.q, CORBEL_EVENT_REPLY);
    CHECK(ev.ticket == t && ev.status == CORBEL_OK);
    CHECK_EQ(corbel_node_count(corbel_reply_root(ev.object)), 3);
    corbel_event_clear(&ev, sizeof ev);
    if (round == 1) ev = COMMAND(&w, "SCRIPT", "FLUSH"), corbel_event_clear(&ev, sizeof ev);
  }
  corbel_call c = call_to(w.q, 9);
  corbel_ticket t = 0;
  CHECK_EQ(corbel_redis_eval(w.r, script, argv, 3, 4, &c, &t), CORBEL_INVALID);
  world_close(&w);
}

static void statistics_count(void) {
  struct world w = world_open();
  for (int i = 0; i < 10; i++) {
    corbel_event ev = COMMAND(&w, "PING");
    corbel_event_clear(&ev, sizeof ev);
  }
  corbel_redis_stats s;
  CHECK_EQ(corbel_redis_stats_get(w.r, &s, sizeof s), CORBEL_OK);
  CHECK(s.max == 32 && s.open >= 1 && s.pipelines >= 1 && s.commands >= 10 && s.unanswered == 0 && s.lost == 0);
  uint32_t first[2] = {0, 0xffffffffu}; /* a caller that knows the first member only */
  CHECK_EQ(corbel_redis_stats_get(w.r, (corbel_redis_stats *)first, sizeof first[0]), CORBEL_OK);
  CHECK(first[0] == 32 && first[1] == 0xffffffffu);
  world_close(&w);
}

static void a_close_lets_what_is_under_way_complete(void) {
  struct world w = world_open();
  corbel_bytes echo[] = {bytes("ECHO"), bytes("x")};
  corbel_ticket t = 0;
  corbel_call c = call_to(w.q, 1);
  for (int i = 0; i < 100; i++) CHECK_EQ(corbel_redis_send(w.r, echo, 2, &c, &t), CORBEL_OK);
  corbel_call closing = call_to(w.q, 2);
  CHECK_EQ(corbel_redis_close(w.r, &closing, &t), CORBEL_OK);
  CHECK_EQ(corbel_redis_send(w.r, echo, 2, &c, &t), CORBEL_CLOSED);
  int replies = 0, closed = 0;
  while (!closed) {
    corbel_event ev = await_event(w.q, 0);
    if (ev.kind == 0) break;
    closed = ev.kind == CORBEL_EVENT_CLOSED;
    if (ev.kind == CORBEL_EVENT_REPLY) replies += ev.status == CORBEL_OK;
    CHECK_EQ(ev.user, closed ? 2 : 1);
    corbel_event_clear(&ev, sizeof ev);
  }
  CHECK_EQ(replies, 100);
  world_close(&w);
}

static void nobody_has_to_wait_for_a_reply(void) {
  struct world w = world_open();
  corbel_bytes incr[] = {bytes("INCR"), bytes("n")};
  for (int i = 0; i < 50; i++) CHECK_EQ(corbel_redis_send(w.r, incr, 2, NULL, NULL), CORBEL_OK);
  long long value = 0, until = now_ms() + 20000;
  while (value != 50 && now_ms() < until) {
    corbel_event ev = COMMAND(&w, "GET", "n");
    corbel_bytes b = root_bytes(&ev);
    value = b.data ? atoll(b.data) : 0;
    corbel_event_clear(&ev, sizeof ev);
  }
  CHECK_EQ(value, 50);
  world_close(&w);
}

int main(void) {
  RUN(a_reply_is_a_tree);
  RUN(records_tell_the_tree_in_one_call);
  RUN(bytes_come_back_as_they_went);
  RUN(a_server_error_is_refused_with_its_code);
  RUN(what_changes_a_connection_is_refused_at_once);
  RUN(a_script_is_loaded_when_it_is_unknown);
  RUN(statistics_count);
  RUN(a_close_lets_what_is_under_way_complete);
  RUN(nobody_has_to_wait_for_a_reply);
  return check_report();
}
