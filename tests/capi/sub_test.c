/* Subscriptions: confirmed before they complete, kept over a restart with the epoch, bounded for slow readers. */
#include "world.h"

static corbel_sub *open_sub(struct world *w, corbel_events *to, uint32_t max_notices) {
  corbel_sub_options o = {.struct_size = sizeof o, .to = to, .user = 77, .max_notices = max_notices};
  corbel_sub *s = NULL;
  corbel_error *e = NULL;
  corbel_status status = corbel_sub_open(w->r, &o, &s, &e);
  tell(e);
  REQUIRE(status == CORBEL_OK && s != NULL);
  return s;
}

/* The value of the change's event: 1 when the server confirmed, 0 when it was not asked. */
static int64_t change(struct world *w, corbel_sub *s, int32_t op, const char *name) {
  corbel_call c = call_to(w->q, 5);
  corbel_ticket t = 0;
  CHECK_EQ(corbel_sub_change(s, op, name, strlen(name), &c, &t), CORBEL_OK);
  corbel_event ev = await_event(w->q, CORBEL_EVENT_DONE);
  CHECK(ev.ticket == t && ev.user == 5 && ev.status == CORBEL_OK);
  corbel_event_clear(&ev, sizeof ev);
  return ev.value;
}

/* How many the server says received it. */
static int64_t publish(struct world *w, const char *channel, const char *text) {
  corbel_event ev = COMMAND(w, "PUBLISH", channel, text);
  int64_t n = ev.object ? corbel_node_integer(corbel_reply_root(ev.object)) : -1;
  corbel_event_clear(&ev, sizeof ev);
  return n;
}

static int part_is(const corbel_event *ev, size_t i, const char *text) {
  corbel_bytes b = {NULL, 0};
  corbel_node_bytes(corbel_node_at(corbel_reply_root(ev->object), i), &b);
  return same(b, text);
}

static void notices_come_for_channels_and_patterns(void) {
  struct world w = world_open();
  corbel_events *notices = open_events(w.rt);
  corbel_sub *s = open_sub(&w, notices, 0);
  CHECK_EQ(change(&w, s, CORBEL_SUB_CHANNEL, "news"), 1);
  CHECK_EQ(change(&w, s, CORBEL_SUB_PATTERN, "logs.*"), 1);
  CHECK_EQ(publish(&w, "news", "hello"), 1);
  corbel_event ev = await_event(notices, CORBEL_EVENT_PUBLISHED);
  CHECK(ev.ticket == 0 && ev.user == 77 && ev.epoch >= 1 && ev.flags == 0);
  CHECK(part_is(&ev, 0, "message") && part_is(&ev, 1, "news") && part_is(&ev, 2, "hello"));
  corbel_event_clear(&ev, sizeof ev);
  CHECK_EQ(publish(&w, "logs.disk", "full"), 1);
  ev = await_event(notices, CORBEL_EVENT_PUBLISHED);
  CHECK(part_is(&ev, 0, "pmessage") && part_is(&ev, 1, "logs.*") && part_is(&ev, 2, "logs.disk") && part_is(&ev, 3, "full"));
  corbel_event_clear(&ev, sizeof ev);
  CHECK_EQ(change(&w, s, CORBEL_SUB_LEAVE_CHANNEL, "news"), 1);
  CHECK_EQ(publish(&w, "news", "unheard"), 0);
  CHECK_EQ(change(&w, s, CORBEL_SUB_LEAVE_PATTERN, "logs.*"), 1);
  CHECK_EQ(publish(&w, "logs.disk", "unheard"), 0);
  corbel_sub_free(s);
  corbel_events_free(notices);
  world_close(&w);
}

static void a_name_wanted_twice_is_asked_for_once(void) {
  struct world w = world_open();
  corbel_events *notices = open_events(w.rt);
  corbel_sub *a = open_sub(&w, notices, 0), *b = open_sub(&w, notices, 0);
  CHECK_EQ(change(&w, a, CORBEL_SUB_CHANNEL, "news"), 1);
  CHECK_EQ(change(&w, b, CORBEL_SUB_CHANNEL, "news"), 0);
  CHECK_EQ(publish(&w, "news", "both"), 1);
  for (int i = 0; i < 2; i++) {
    corbel_event ev = await_event(notices, CORBEL_EVENT_PUBLISHED);
    CHECK(part_is(&ev, 2, "both"));
    corbel_event_clear(&ev, sizeof ev);
  }
  CHECK_EQ(change(&w, a, CORBEL_SUB_LEAVE_CHANNEL, "news"), 0);
  CHECK_EQ(publish(&w, "news", "one"), 1);
  corbel_sub_free(b); /* leaves all its names */
  AWAIT(publish(&w, "news", "none") == 0);
  corbel_sub_free(a);
  corbel_events_free(notices);
  world_close(&w);
}

static void a_restart_is_a_gap_and_then_all_are_subscribed_again(void) {
  struct world w = world_open();
  corbel_events *notices = open_events(w.rt);
  corbel_sub *s = open_sub(&w, notices, 0);
  CHECK_EQ(change(&w, s, CORBEL_SUB_CHANNEL, "news"), 1);
  CHECK_EQ(publish(&w, "news", "before"), 1);
  corbel_event ev = await_event(notices, CORBEL_EVENT_PUBLISHED);
  uint64_t before = ev.epoch;
  corbel_event_clear(&ev, sizeof ev);
  server_kill(&w.server);
  ev = await_event(notices, CORBEL_EVENT_STATE);
  CHECK_EQ(ev.value, CORBEL_SUB_GAP);
  CHECK_EQ(ev.user, 77);
  server_restart(&w.server);
  ev = await_event(notices, CORBEL_EVENT_STATE);
  CHECK_EQ(ev.value, CORBEL_SUB_RESUBSCRIBED);
  CHECK(ev.epoch > before);
  uint64_t after = ev.epoch;
  CHECK_EQ(publish(&w, "news", "after"), 1);
  ev = await_event(notices, CORBEL_EVENT_PUBLISHED);
  CHECK(part_is(&ev, 2, "after"));
  CHECK_EQ(ev.epoch, after);
  corbel_event_clear(&ev, sizeof ev);
  corbel_sub_free(s);
  corbel_events_free(notices);
  world_close(&w);
}

static void a_slow_reader_loses_the_oldest_and_is_told_how_many(void) {
  struct world w = world_open();
  corbel_events *notices = open_events(w.rt);
  corbel_sub *s = open_sub(&w, notices, 8);
  CHECK_EQ(change(&w, s, CORBEL_SUB_CHANNEL, "flood"), 1);
  for (int i = 0; i < 100; i++) CHECK_EQ(publish(&w, "flood", "water"), 1);
  CHECK_EQ(publish(&w, "flood", "last"), 1);
  long long kept = 0, dropped = 0;
  int last = 0;
  while (!last) {
    corbel_event ev = await_event(notices, CORBEL_EVENT_PUBLISHED);
    if (ev.kind == 0) break;
    kept++;
    if (ev.flags & CORBEL_EVENT_DROPPED) dropped += ev.value;
    last = part_is(&ev, 2, "last");
    corbel_event_clear(&ev, sizeof ev);
  }
  CHECK_EQ(kept + dropped, 101);
  CHECK(kept <= 16);
  corbel_sub_free(s);
  corbel_events_free(notices);
  world_close(&w);
}

static void a_pool_of_one_has_no_room_for_a_subscription(void) {
  struct world w = world_open();
  corbel_redis *one = open_pool(w.rt, w.server.url, 1);
  corbel_sub_options o = {.struct_size = sizeof o, .to = w.q};
  corbel_sub *s = NULL;
  corbel_error *e = NULL;
  corbel_ticket t = 0;
  corbel_status status = corbel_sub_open(one, &o, &s, &e);
  if (status == CORBEL_OK) {
    corbel_call c = call_to(w.q, 0);
    c.err = &e;
    status = corbel_sub_change(s, CORBEL_SUB_CHANNEL, "news", 4, &c, &t);
  }
  if (status == CORBEL_OK) {
    corbel_event ev = await_event(w.q, CORBEL_EVENT_DONE);
    status = ev.status;
    e = ev.error;
  }
  CHECK_EQ(status, CORBEL_BUSY);
  CHECK(strstr(corbel_error_message(e), "1") != NULL);
  corbel_error_free(e);
  corbel_sub_free(s);
  corbel_redis_free(one);
  world_close(&w);
}

static void a_wrong_change_is_refused(void) {
  struct world w = world_open();
  corbel_sub *s = open_sub(&w, w.q, 0);
  corbel_call c = call_to(w.q, 0);
  corbel_ticket t = 0;
  CHECK_EQ(corbel_sub_change(s, 0, "x", 1, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_sub_change(s, 5, "x", 1, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_sub_change(s, CORBEL_SUB_CHANNEL, NULL, 1, &c, &t), CORBEL_INVALID);
  corbel_sub_free(s);
  world_close(&w);
}

int main(void) {
  RUN(notices_come_for_channels_and_patterns);
  RUN(a_name_wanted_twice_is_asked_for_once);
  RUN(a_restart_is_a_gap_and_then_all_are_subscribed_again);
  RUN(a_slow_reader_loses_the_oldest_and_is_told_how_many);
  RUN(a_pool_of_one_has_no_room_for_a_subscription);
  RUN(a_wrong_change_is_refused);
  return check_report();
}
