/* The queue: putting, claiming, settling once, handing back, coming back after a lost lease, draining. */
#include "world.h"

static const char *const name = "work";

static corbel_producer *open_producer(struct world *w) {
  corbel_queue_options o = {.struct_size = sizeof o, .name = name};
  corbel_producer *p = NULL;
  REQUIRE(corbel_producer_open(w->r, &o, &p, NULL) == CORBEL_OK && p != NULL);
  return p;
}

static corbel_consumer *open_consumer(struct world *w, corbel_events *to, uint32_t concurrency, int64_t lease_ms) {
  corbel_queue_options o = {
      .struct_size = sizeof o, .name = name, .to = to, .user = 31, .concurrency = concurrency, .lease_ms = lease_ms};
  corbel_consumer *k = NULL;
  REQUIRE(corbel_consumer_open(w->r, &o, &k, NULL) == CORBEL_OK && k != NULL);
  return k;
}

static int64_t put(struct world *w, corbel_producer *p, const char *body, const char *id) {
  corbel_put item = {.struct_size = sizeof item, .body = bytes(body), .id = id};
  corbel_call c = call_to(w->q, 1);
  corbel_ticket t = 0;
  CHECK_EQ(corbel_producer_put(p, &item, 1, sizeof item, &c, &t), CORBEL_OK);
  corbel_event ev = await_event(w->q, CORBEL_EVENT_QUEUED);
  CHECK(ev.ticket == t && ev.status == CORBEL_OK && ev.source == CORBEL_SOURCE_QUEUE);
  corbel_event_clear(&ev, sizeof ev);
  return ev.value;
}

static int64_t depth(struct world *w, corbel_producer *p) {
  corbel_call c = call_to(w->q, 2);
  corbel_ticket t = 0;
  CHECK_EQ(corbel_producer_depth(p, &c, &t), CORBEL_OK);
  corbel_event ev = await_event(w->q, CORBEL_EVENT_DONE);
  CHECK(ev.ticket == t && ev.status == CORBEL_OK);
  corbel_event_clear(&ev, sizeof ev);
  return ev.value;
}

static corbel_message *next_message(corbel_events *q) {
  corbel_event ev = await_event(q, CORBEL_EVENT_MESSAGE);
  CHECK(ev.ticket == 0 && ev.user == 31);
  REQUIRE(ev.object != NULL);
  return ev.object;
}

static int64_t settle(struct world *w, corbel_message *j, int32_t how) {
  corbel_settle s = {.struct_size = sizeof s, .how = how, .reason = "a test says so"};
  corbel_call c = call_to(w->q, 3);
  corbel_ticket t = 0;
  CHECK_EQ(corbel_message_settle(j, &s, &c, &t), CORBEL_OK);
  corbel_event ev = await_event(w->q, CORBEL_EVENT_DONE);
  CHECK(ev.ticket == t && ev.status == CORBEL_OK);
  corbel_event_clear(&ev, sizeof ev);
  return ev.value;
}

static void a_message_goes_in_and_is_settled_once(void) {
  struct world w = world_open();
  corbel_producer *p = open_producer(&w);
  CHECK_EQ(put(&w, p, "first", "id-1"), 1);
  CHECK_EQ(put(&w, p, "second", NULL), 2);
  CHECK_EQ(depth(&w, p), 2);
  corbel_events *mq = open_events(w.rt);
  corbel_consumer *k = open_consumer(&w, mq, 1, 0);
  corbel_message *j = next_message(mq);
  corbel_bytes body = {NULL, 0};
  CHECK_EQ(corbel_message_body(j, &body), CORBEL_OK);
  CHECK(same(body, "first") && strcmp(corbel_message_id(j), "id-1") == 0);
  CHECK_EQ(corbel_message_attempt(j), 1);
  uint64_t token = corbel_message_token(j);
  CHECK_EQ(settle(&w, j, CORBEL_SETTLE_DONE), 1);
  corbel_settle again = {.struct_size = sizeof again, .how = CORBEL_SETTLE_DONE};
  corbel_call c = call_to(w.q, 3);
  corbel_ticket t = 0;
  CHECK_EQ(corbel_message_settle(j, &again, &c, &t), CORBEL_STATE);
  corbel_message_free(j);
  j = next_message(mq);
  CHECK(corbel_message_body(j, &body) == CORBEL_OK && same(body, "second") && strlen(corbel_message_id(j)) > 0);
  CHECK(corbel_message_token(j) > token);
  CHECK_EQ(settle(&w, j, CORBEL_SETTLE_DONE), 1);
  corbel_message_free(j);
  CHECK_EQ(depth(&w, p), 0);
  corbel_consumer_free(k);
  corbel_producer_free(p);
  corbel_events_free(mq);
  world_close(&w);
}

static void what_is_not_done_comes_back(void) {
  struct world w = world_open();
  corbel_producer *p = open_producer(&w);
  corbel_events *mq = open_events(w.rt);
  corbel_consumer *k = open_consumer(&w, mq, 1, 0);
  CHECK_EQ(put(&w, p, "again", NULL), 1);
  corbel_message *j = next_message(mq);
  CHECK_EQ(settle(&w, j, CORBEL_SETTLE_RETRY), 1);
  corbel_message_free(j);
  j = next_message(mq);
  CHECK_EQ(corbel_message_attempt(j), 2);
  CHECK_EQ(settle(&w, j, CORBEL_SETTLE_HAND_BACK), 1);
  corbel_message_free(j);
  j = next_message(mq);
  CHECK_EQ(corbel_message_attempt(j), 2);
  corbel_message_free(j); /* unsettled: handed back */
  j = next_message(mq);
  CHECK_EQ(corbel_message_attempt(j), 2);
  CHECK_EQ(settle(&w, j, CORBEL_SETTLE_DONE), 1);
  corbel_message_free(j);
  corbel_consumer_free(k);
  corbel_producer_free(p);
  corbel_events_free(mq);
  world_close(&w);
}

static void a_drain_waits_for_what_is_out_and_says_what_was_left(void) {
  struct world w = world_open();
  corbel_producer *p = open_producer(&w);
  corbel_events *mq = open_events(w.rt);
  corbel_consumer *k = open_consumer(&w, mq, 2, 0);
  put(&w, p, "a", NULL);
  put(&w, p, "b", NULL);
  corbel_message *a = next_message(mq), *b = next_message(mq);
  corbel_call c = call_to(w.q, 4);
  corbel_ticket t = 0;
  CHECK_EQ(corbel_consumer_drain(k, &c, &t), CORBEL_OK);
  put(&w, p, "nobody claims it", NULL);
  corbel_settle s = {.struct_size = sizeof s, .how = CORBEL_SETTLE_DONE};
  CHECK_EQ(corbel_message_settle(a, &s, NULL, NULL), CORBEL_OK);
  CHECK_EQ(corbel_message_settle(b, &s, NULL, NULL), CORBEL_OK);
  corbel_event ev = await_event(w.q, CORBEL_EVENT_DONE);
  CHECK(ev.ticket == t && ev.status == CORBEL_OK);
  CHECK_EQ(ev.value, 0);
  corbel_event_clear(&ev, sizeof ev);
  CHECK_EQ(depth(&w, p), 1);
  corbel_message_free(a);
  corbel_message_free(b);
  corbel_consumer_free(k);
  k = open_consumer(&w, mq, 1, 0);
  a = next_message(mq);
  c.timeout_ms = 50;
  CHECK_EQ(corbel_consumer_drain(k, &c, &t), CORBEL_OK);
  ev = await_event(w.q, CORBEL_EVENT_DONE);
  CHECK_EQ(ev.value, 1);
  corbel_event_clear(&ev, sizeof ev);
  corbel_message_free(a);
  corbel_consumer_free(k);
  corbel_producer_free(p);
  corbel_events_free(mq);
  world_close(&w);
}

static void a_freed_consumer_s_messages_stay_valid(void) {
  struct world w = world_open();
  corbel_producer *p = open_producer(&w);
  corbel_events *mq = open_events(w.rt);
  corbel_consumer *k = open_consumer(&w, mq, 1, 0);
  put(&w, p, "mine", NULL);
  corbel_message *j = next_message(mq);
  corbel_consumer_free(k);
  corbel_bytes body = {NULL, 0};
  CHECK(corbel_message_body(j, &body) == CORBEL_OK && same(body, "mine"));
  CHECK_EQ(settle(&w, j, CORBEL_SETTLE_DONE), 1);
  corbel_message_free(j);
  corbel_producer_free(p);
  corbel_events_free(mq);
  world_close(&w);
}

static void what_this_version_lacks_is_unsupported(void) {
  struct world w = world_open();
  corbel_producer *p = open_producer(&w), *refused = NULL;
  corbel_call c = call_to(w.q, 0);
  corbel_ticket t = 0;
  corbel_put grouped = {.struct_size = sizeof grouped, .body = bytes("x"), .group = "g"};
  CHECK_EQ(corbel_producer_put(p, &grouped, 1, sizeof grouped, &c, &t), CORBEL_UNSUPPORTED);
  corbel_put later = {.struct_size = sizeof later, .body = bytes("x"), .not_before_ms = 1};
  CHECK_EQ(corbel_producer_put(p, &later, 1, sizeof later, &c, &t), CORBEL_UNSUPPORTED);
  corbel_put odd = {.struct_size = sizeof odd, .body = bytes("x"), .id = "a\nb"};
  CHECK_EQ(corbel_producer_put(p, &odd, 1, sizeof odd, &c, &t), CORBEL_INVALID);
  corbel_queue_options o = {.struct_size = sizeof o, .max_attempts = 3};
  CHECK_EQ(corbel_producer_open(w.r, &o, &refused, NULL), CORBEL_UNSUPPORTED);
  corbel_queue_options nowhere = {.struct_size = sizeof nowhere};
  corbel_consumer *k = NULL;
  CHECK_EQ(corbel_consumer_open(w.r, &nowhere, &k, NULL), CORBEL_INVALID);
  corbel_producer_free(p);
  world_close(&w);
}

int main(void) {
  RUN(a_message_goes_in_and_is_settled_once);
  RUN(what_is_not_done_comes_back);
  RUN(a_drain_waits_for_what_is_out_and_says_what_was_left);
  RUN(a_freed_consumer_s_messages_stay_valid);
  RUN(what_this_version_lacks_is_unsupported);
  return check_report();
}
