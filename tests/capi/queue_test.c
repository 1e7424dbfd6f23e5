/* The queue: putting, claiming, settling once, handing back, draining. */
#include "queue.h"

static void a_message_goes_in_and_is_settled_once(void) {
  struct world w = world_open();
  corbel_producer *p = open_producer(&w, NULL);
  CHECK_EQ(put(&w, p, "first", "id-1"), 1);
  CHECK_EQ(put(&w, p, "second", NULL), 2);
  CHECK_EQ(depth(&w, p), 2);
  corbel_events *mq = open_events(w.rt);
  corbel_consumer *k = open_consumer(&w, mq, NULL);
  corbel_message *j = next_message(mq);
  CHECK(has_body(j, "first") && strcmp(corbel_message_id(j), "id-1") == 0);
  CHECK_EQ(corbel_message_attempt(j), 1);
  uint64_t token = corbel_message_token(j);
  CHECK_EQ(settle(&w, j, CORBEL_SETTLE_DONE), 1);
  corbel_settle again = settle_by(CORBEL_SETTLE_DONE);
  corbel_call c = call_to(w.q, 3);
  corbel_ticket t = 0;
  CHECK_EQ(corbel_message_settle(j, &again, &c, &t), CORBEL_STATE);
  corbel_message_free(j);
  j = next_message(mq);
  CHECK(has_body(j, "second") && strlen(corbel_message_id(j)) > 0);
  CHECK(corbel_message_token(j) > token);
  CHECK_EQ(settle(&w, j, CORBEL_SETTLE_DONE), 1);
  corbel_message_free(j);
  CHECK_EQ(depth(&w, p), 0);
  corbel_consumer_free(k);
  corbel_producer_free(p);
  corbel_events_free(mq);
  world_close(&w);
}

static void a_message_is_seen_whole_in_one_call(void) {
  struct world w = world_open();
  const corbel_queue_lane lanes[] = {{.name = "slow"}, {.name = "fast", .weight = 4}};
  corbel_queue_options o = {.struct_size = sizeof o, .lanes = lanes, .lane_count = 2};
  corbel_producer *p = open_producer(&w, &o);
  corbel_put item = item_of("text");
  item.id = "id-1";
  item.user_type = "fast";
  item.group = "talk 7";
  CHECK_EQ(put_items(&w, p, &item, 1), 1);
  corbel_events *mq = open_events(w.rt);
  corbel_consumer *k = open_consumer(&w, mq, &o);
  corbel_message *j = next_message(mq);
  CHECK_EQ(strcmp(corbel_message_lane(j), "fast"), 0);
  CHECK_EQ(strcmp(corbel_message_group(j), "talk 7"), 0);
  CHECK(corbel_message_put_ms(j) > 1600000000000);
  CHECK_EQ(corbel_message_lost(j), 0);
  corbel_message_view v;
  CHECK_EQ(corbel_message_view_get(j, &v, sizeof v), CORBEL_OK);
  CHECK(same(v.body, "text") && same(v.id, "id-1") && same(v.lane, "fast") && same(v.group, "talk 7"));
  CHECK(v.token == corbel_message_token(j) && v.put_ms == corbel_message_put_ms(j) && v.attempt == 1 && v.lost == 0);
  struct {
    corbel_message_view view;
    uint64_t later;
  } newer = {.later = 7};
  CHECK_EQ(corbel_message_view_get(j, &newer.view, sizeof newer), CORBEL_OK);
  CHECK(same(newer.view.body, "text") && newer.later == 0);
  CHECK_EQ(corbel_message_view_get(j, &v, 4), CORBEL_INVALID);
  corbel_message_free(j);
  corbel_consumer_free(k);
  corbel_producer_free(p);
  corbel_events_free(mq);
  world_close(&w);
}

static void what_is_not_done_comes_back(void) {
  struct world w = world_open();
  corbel_producer *p = open_producer(&w, NULL);
  corbel_events *mq = open_events(w.rt);
  corbel_queue_options patient = {.struct_size = sizeof patient, .backoff_first_ms = 60000};
  corbel_consumer *k = open_consumer(&w, mq, &patient);
  CHECK_EQ(put(&w, p, "again", NULL), 1);
  corbel_message *j = next_message(mq);
  corbel_settle at_once = {.struct_size = sizeof at_once, .how = CORBEL_SETTLE_RETRY, .delay_ms = -1, .reason = "not yet"};
  CHECK_EQ(settle_as(&w, j, at_once), 1);
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

static void a_drain_waits_for_what_is_out(void) {
  struct world w = world_open();
  corbel_producer *p = open_producer(&w, NULL);
  corbel_events *mq = open_events(w.rt);
  corbel_queue_options two = {.struct_size = sizeof two, .concurrency = 2};
  corbel_consumer *k = open_consumer(&w, mq, &two);
  put(&w, p, "a", NULL);
  put(&w, p, "b", NULL);
  corbel_message *a = next_message(mq), *b = next_message(mq);
  corbel_call c = call_to(w.q, 4);
  corbel_ticket t = 0;
  CHECK_EQ(corbel_consumer_drain(k, &c, &t), CORBEL_OK);
  put(&w, p, "nobody claims it", NULL);
  corbel_settle s = settle_by(CORBEL_SETTLE_DONE);
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
  corbel_producer_free(p);
  corbel_events_free(mq);
  world_close(&w);
}

static void what_a_drain_hands_back_is_lost_for_who_has_it(void) {
  struct world w = world_open();
  corbel_producer *p = open_producer(&w, NULL);
  corbel_events *mq = open_events(w.rt);
  corbel_consumer *k = open_consumer(&w, mq, NULL);
  put(&w, p, "too long", NULL);
  corbel_message *j = next_message(mq);
  corbel_call c = call_to(w.q, 4);
  corbel_ticket t = 0;
  c.timeout_ms = 50;
  CHECK_EQ(corbel_consumer_drain(k, &c, &t), CORBEL_OK);
  corbel_event ev = await_event(w.q, CORBEL_EVENT_DONE);
  CHECK(ev.ticket == t && ev.status == CORBEL_OK);
  CHECK_EQ(ev.value, 1);
  corbel_event_clear(&ev, sizeof ev);
  ev = await_event(mq, CORBEL_EVENT_MESSAGE_LOST);
  CHECK(ev.user == QUEUE_USER && ev.object == NULL && (uint64_t)ev.value == corbel_message_token(j));
  CHECK_EQ(corbel_message_lost(j), 1);
  CHECK_EQ(depth(&w, p), 1);
  CHECK_EQ(settle(&w, j, CORBEL_SETTLE_DONE), 0);
  CHECK_EQ(depth(&w, p), 1);
  corbel_settle again = settle_by(CORBEL_SETTLE_DONE);
  CHECK_EQ(corbel_message_settle(j, &again, NULL, NULL), CORBEL_STATE);
  corbel_message_free(j);
  corbel_consumer_free(k);
  k = open_consumer(&w, mq, NULL);
  j = next_message(mq);
  CHECK(has_body(j, "too long"));
  CHECK_EQ(corbel_message_attempt(j), 1); /* the hand-back was no attempt */
  corbel_message_free(j);
  corbel_consumer_free(k);
  corbel_producer_free(p);
  corbel_events_free(mq);
  world_close(&w);
}

static void a_freed_consumer_s_messages_stay_valid(void) {
  struct world w = world_open();
  corbel_producer *p = open_producer(&w, NULL);
  corbel_events *mq = open_events(w.rt);
  corbel_consumer *k = open_consumer(&w, mq, NULL);
  put(&w, p, "mine", NULL);
  corbel_message *j = next_message(mq);
  corbel_consumer_free(k);
  CHECK(has_body(j, "mine"));
  CHECK_EQ(settle(&w, j, CORBEL_SETTLE_DONE), 1);
  corbel_message_free(j);
  corbel_producer_free(p);
  corbel_events_free(mq);
  world_close(&w);
}

static void messages_that_nobody_received_go_back_with_their_queue(void) {
  struct world w = world_open();
  corbel_producer *p = open_producer(&w, NULL);
  corbel_events *unread = open_events(w.rt), *mq = open_events(w.rt);
  corbel_queue_options two = {.struct_size = sizeof two, .concurrency = 2};
  corbel_consumer *k = open_consumer(&w, unread, &two);
  put(&w, p, "a", NULL);
  put(&w, p, "b", NULL);
  AWAIT(depth(&w, p) == 0);
  corbel_events_free(unread);
  AWAIT(depth(&w, p) == 2);
  corbel_consumer_free(k);
  k = open_consumer(&w, mq, NULL);
  corbel_message *j = next_message(mq);
  CHECK_EQ(corbel_message_attempt(j), 1);
  corbel_message_free(j);
  corbel_consumer_free(k);
  corbel_producer_free(p);
  corbel_events_free(mq);
  world_close(&w);
}

int main(void) {
  RUN(a_message_goes_in_and_is_settled_once);
  RUN(a_message_is_seen_whole_in_one_call);
  RUN(what_is_not_done_comes_back);
  RUN(a_drain_waits_for_what_is_out);
  RUN(what_a_drain_hands_back_is_lost_for_who_has_it);
  RUN(a_freed_consumer_s_messages_stay_valid);
  RUN(messages_that_nobody_received_go_back_with_their_queue);
  return check_report();
}
