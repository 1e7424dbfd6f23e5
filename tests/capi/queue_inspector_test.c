/* The inspector: figures, pages of the dead list with bodies of any bytes, putting back and removing. */
#include "queue.h"

static corbel_inspector *open_inspector(struct world *w, const corbel_queue_options *more) {
  corbel_queue_options o = {.struct_size = sizeof o, .name = QUEUE_NAME};
  corbel_inspector *i = NULL;
  corbel_error *e = NULL;
  if (more) o = *more;
  corbel_status s = corbel_inspector_open(w->r, &o, &i, &e);
  tell(e);
  REQUIRE(s == CORBEL_OK && i != NULL);
  return i;
}

static corbel_dead *page_of(struct world *w, corbel_inspector *i, uint64_t after, size_t count) {
  corbel_call c = call_to(w->q, 4);
  corbel_ticket t = 0;
  CHECK_EQ(corbel_inspector_dead(i, after, count, &c, &t), CORBEL_OK);
  corbel_event ev = await_event(w->q, CORBEL_EVENT_DEAD);
  CHECK(ev.ticket == t && ev.user == 4 && ev.status == CORBEL_OK && ev.source == CORBEL_SOURCE_QUEUE);
  REQUIRE(ev.object != NULL);
  CHECK((size_t)ev.value == corbel_dead_count(ev.object));
  return ev.object;
}

static int64_t count_of(struct world *w) {
  corbel_event ev = await_event(w->q, CORBEL_EVENT_DONE);
  CHECK_EQ(ev.status, CORBEL_OK);
  corbel_event_clear(&ev, sizeof ev);
  return ev.value;
}

/* Whether the figures hold this text. */
static int figures_have(struct world *w, corbel_inspector *i, const char *text) {
  corbel_call c = call_to(w->q, 4);
  corbel_bytes json = {NULL, 0};
  CHECK_EQ(corbel_inspector_stats(i, &c, NULL), CORBEL_OK);
  corbel_event ev = await_event(w->q, CORBEL_EVENT_QUEUE_STATS);
  CHECK(ev.status == CORBEL_OK && corbel_text_bytes(ev.object, &json) == CORBEL_OK);
  int found = json.data && strstr(json.data, text) != NULL;
  if (!found) printf("  %.*s has no %s\n", (int)json.size, (const char *)json.data, text);
  corbel_event_clear(&ev, sizeof ev);
  return found;
}

static void bury(struct world *w, corbel_events *mq, const char *reason) {
  corbel_message *j = next_message(mq);
  corbel_settle s = {.struct_size = sizeof s, .how = CORBEL_SETTLE_BURY, .reason = reason};
  CHECK_EQ(settle_as(w, j, s), 1);
  corbel_message_free(j);
}

static void the_figures_of_a_queue(void) {
  struct world w = world_open();
  corbel_producer *p = open_producer(&w, NULL);
  corbel_inspector *look = open_inspector(&w, NULL);
  CHECK(figures_have(&w, look, "\"ready\": 0"));
  corbel_put later = item_of("later");
  later.delay_ms = 60000;
  put_items(&w, p, &later, 1);
  put(&w, p, "out", NULL);
  corbel_events *mq = open_events(w.rt);
  corbel_consumer *k = open_consumer(&w, mq, NULL);
  corbel_message *j = next_message(mq);
  put(&w, p, "a", NULL);
  put(&w, p, "b", NULL);
  CHECK(figures_have(&w, look, "\"ready\": 2") && figures_have(&w, look, "\"in_flight\": 1"));
  CHECK(figures_have(&w, look, "\"delayed\": 1") && figures_have(&w, look, "\"parked\": 0"));
  CHECK(figures_have(&w, look, "\"dead\": 0") && figures_have(&w, look, "\"oldest_age\": "));
  CHECK(figures_have(&w, look, "\"lanes\": ["));
  corbel_message_free(j);
  corbel_consumer_free(k);
  corbel_inspector_free(look);
  corbel_producer_free(p);
  corbel_events_free(mq);
  world_close(&w);
}

static void the_dead_are_seen_with_their_history(void) {
  struct world w = world_open();
  corbel_producer *p = open_producer(&w, NULL);
  corbel_events *mq = open_events(w.rt);
  corbel_queue_options o = {.struct_size = sizeof o, .max_attempts = 2};
  corbel_consumer *k = open_consumer(&w, mq, &o);
  corbel_inspector *look = open_inspector(&w, NULL);
  corbel_put item = item_of(NULL);
  item.id = "odd";
  item.body.data = "a\0b\xff";
  item.body.size = 4;
  item.group = "g";
  put_items(&w, p, &item, 1);
  for (int attempt = 1; attempt <= 2; attempt++) {
    corbel_message *j = next_message(mq);
    CHECK_EQ(corbel_message_attempt(j), attempt);
    corbel_settle s = {.struct_size = sizeof s, .how = CORBEL_SETTLE_RETRY, .delay_ms = -1};
    s.reason = attempt == 1 ? "first reason" : "second reason";
    CHECK_EQ(settle_as(&w, j, s), 1);
    corbel_message_free(j);
  }
  corbel_dead *page = page_of(&w, look, 0, 10);
  corbel_dead_record d;
  corbel_dead_attempt a;
  CHECK_EQ(corbel_dead_count(page), 1);
  CHECK_EQ(corbel_dead_next(page), 0);
  CHECK_EQ(corbel_dead_at(page, 0, &d, sizeof d), CORBEL_OK);
  CHECK(d.number != 0 && same(d.id, "odd") && same(d.group, "g") && d.lane.size == 0 && d.attempts == 2);
  CHECK(d.body.size == 4 && memcmp(d.body.data, "a\0b\xff", 4) == 0);
  CHECK(d.died_ms > 1600000000000 && d.reason.size > 0);
  CHECK_EQ(d.history_count, 2);
  CHECK_EQ(corbel_dead_attempt_at(page, 0, 0, &a, sizeof a), CORBEL_OK);
  CHECK(a.attempt == 1 && same(a.reason, "first reason") && a.by.size > 0 && a.at_ms > 1600000000000);
  CHECK_EQ(corbel_dead_attempt_at(page, 0, 1, &a, sizeof a), CORBEL_OK);
  CHECK(a.attempt == 2 && same(a.reason, "second reason"));
  CHECK_EQ(corbel_dead_attempt_at(page, 0, 2, &a, sizeof a), CORBEL_INVALID);
  CHECK_EQ(corbel_dead_attempt_at(page, 1, 0, &a, sizeof a), CORBEL_INVALID);
  CHECK_EQ(corbel_dead_at(page, 1, &d, sizeof d), CORBEL_INVALID);
  CHECK_EQ(corbel_dead_at(page, 0, &d, 3), CORBEL_INVALID);
  CHECK_EQ(corbel_dead_at(page, 0, NULL, sizeof d), CORBEL_INVALID);
  corbel_dead_free(page);
  corbel_inspector_free(look);
  corbel_consumer_free(k);
  corbel_producer_free(p);
  corbel_events_free(mq);
  world_close(&w);
}

static void the_dead_are_read_by_page_put_back_and_removed(void) {
  struct world w = world_open();
  corbel_producer *p = open_producer(&w, NULL);
  corbel_events *mq = open_events(w.rt);
  corbel_consumer *k = open_consumer(&w, mq, NULL);
  corbel_inspector *look = open_inspector(&w, NULL);
  const char *const bodies[] = {"0", "1", "2", "3", "4"};
  for (int i = 0; i < 5; i++) {
    put(&w, p, bodies[i], NULL);
    bury(&w, mq, "bad");
  }
  corbel_consumer_free(k);
  uint64_t numbers[5], after = 0;
  int seen = 0;
  do {
    corbel_dead *page = page_of(&w, look, after, 2);
    corbel_dead_record d;
    CHECK(corbel_dead_count(page) <= 2);
    for (size_t i = 0; i < corbel_dead_count(page) && seen < 5; i++, seen++) {
      CHECK_EQ(corbel_dead_at(page, i, &d, sizeof d), CORBEL_OK);
      CHECK(same(d.body, bodies[seen]) && same(d.reason, "bad"));
      numbers[seen] = d.number;
    }
    after = corbel_dead_next(page);
    corbel_dead_free(page);
  } while (after != 0);
  CHECK_EQ(seen, 5);

  corbel_call c = call_to(w.q, 4);
  CHECK_EQ(corbel_inspector_requeue(look, numbers, 2, &c, NULL), CORBEL_OK);
  CHECK_EQ(count_of(&w), 2);
  CHECK_EQ(corbel_inspector_purge(look, numbers, 3, &c, NULL), CORBEL_OK);
  CHECK_EQ(count_of(&w), 1); /* two of the three are dead no more */
  CHECK_EQ(corbel_inspector_purge(look, numbers, 0, &c, NULL), CORBEL_OK);
  CHECK_EQ(count_of(&w), 0); /* none is not all */
  CHECK_EQ(depth(&w, p), 2);
  k = open_consumer(&w, mq, NULL);
  corbel_message *j = next_message(mq);
  CHECK(has_body(j, "0"));
  CHECK_EQ(corbel_message_attempt(j), 1);
  corbel_message_free(j);
  corbel_consumer_free(k);
  CHECK_EQ(corbel_inspector_requeue(look, NULL, 0, &c, NULL), CORBEL_OK);
  CHECK_EQ(count_of(&w), 2);
  CHECK_EQ(corbel_inspector_purge(look, NULL, 0, &c, NULL), CORBEL_OK);
  CHECK_EQ(count_of(&w), 0);
  corbel_inspector_free(look);
  corbel_producer_free(p);
  corbel_events_free(mq);
  world_close(&w);
}

static void what_is_wrong_is_refused_at_once(void) {
  struct world w = world_open();
  corbel_inspector *look = open_inspector(&w, NULL), *none = NULL;
  corbel_call c = call_to(w.q, 0);
  corbel_queue_options odd = {.struct_size = sizeof odd, .layout = 2};
  CHECK_EQ(corbel_inspector_open(w.r, &odd, &none, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_inspector_dead(look, 0, 0, &c, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_inspector_dead(look, 0, 1001, &c, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_inspector_dead(look, 0, 1, NULL, NULL), CORBEL_INVALID); /* its event would own a page */
  CHECK_EQ(corbel_inspector_stats(look, NULL, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_inspector_requeue(look, NULL, 1, &c, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_inspector_purge(look, NULL, 1, &c, NULL), CORBEL_INVALID);
  corbel_event ev;
  CHECK_EQ(corbel_events_take(w.q, &ev, 1, sizeof ev, 20), 0);
  corbel_inspector_free(look);
  world_close(&w);
}

static void a_call_ends_though_its_inspector_is_freed(void) {
  struct world w = world_open();
  corbel_inspector *look = open_inspector(&w, NULL);
  corbel_call c = call_to(w.q, 4);
  corbel_ticket t = 0;
  CHECK_EQ(corbel_inspector_stats(look, &c, &t), CORBEL_OK);
  corbel_inspector_free(look);
  corbel_event ev = await_event(w.q, CORBEL_EVENT_QUEUE_STATS);
  CHECK_EQ(ev.ticket, t);
  corbel_event_clear(&ev, sizeof ev);
  server_kill(&w.server);
  look = open_inspector(&w, NULL);
  c.timeout_ms = 50;
  CHECK_EQ(corbel_inspector_dead(look, 0, 10, &c, &t), CORBEL_OK);
  ev = await_event(w.q, CORBEL_EVENT_DEAD);
  CHECK(ev.ticket == t && ev.status != CORBEL_OK && ev.object == NULL && ev.error != NULL);
  corbel_event_clear(&ev, sizeof ev);
  corbel_inspector_free(look);
  world_close(&w);
}

int main(void) {
  RUN(the_figures_of_a_queue);
  RUN(the_dead_are_seen_with_their_history);
  RUN(the_dead_are_read_by_page_put_back_and_removed);
  RUN(what_is_wrong_is_refused_at_once);
  RUN(a_call_ends_though_its_inspector_is_freed);
  return check_report();
}
