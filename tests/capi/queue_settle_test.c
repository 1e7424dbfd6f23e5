/* Settling: back-off, delay, burying, many at once, and leases that were lost. */
#include "queue.h"

static void a_retry_waits_as_it_is_told(void) {
  struct world w = world_open();
  corbel_producer *p = open_producer(&w, NULL);
  corbel_events *mq = open_events(w.rt);
  corbel_queue_options o = {.struct_size = sizeof o, .backoff_first_ms = 200, .backoff_most_ms = 200};
  corbel_consumer *k = open_consumer(&w, mq, &o);
  put(&w, p, "x", NULL);
  corbel_message *j = next_message(mq);
  long long start = now_ms();
  CHECK_EQ(settle(&w, j, CORBEL_SETTLE_RETRY), 1); /* after the back-off */
  corbel_message_free(j);
  j = next_message(mq);
  CHECK(corbel_message_attempt(j) == 2 && now_ms() - start >= 100);
  corbel_settle later = {.struct_size = sizeof later, .how = CORBEL_SETTLE_RETRY, .delay_ms = 400};
  start = now_ms();
  CHECK_EQ(settle_as(&w, j, later), 1);
  corbel_message_free(j);
  j = next_message(mq);
  CHECK(corbel_message_attempt(j) == 3 && now_ms() - start >= 400);
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  corbel_settle at = {.struct_size = sizeof at, .how = CORBEL_SETTLE_RETRY};
  at.not_before_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + 450;
  start = now_ms();
  CHECK_EQ(settle_as(&w, j, at), 1);
  corbel_message_free(j);
  j = next_message(mq);
  CHECK(corbel_message_attempt(j) == 4 && now_ms() - start >= 400);
  CHECK_EQ(settle(&w, j, CORBEL_SETTLE_DONE), 1);
  corbel_message_free(j);
  corbel_consumer_free(k);
  corbel_producer_free(p);
  corbel_events_free(mq);
  world_close(&w);
}

static void what_is_wrong_is_refused_and_settles_nothing(void) {
  struct world w = world_open();
  corbel_producer *p = open_producer(&w, NULL);
  corbel_events *mq = open_events(w.rt);
  corbel_consumer *k = open_consumer(&w, mq, NULL);
  put(&w, p, "x", NULL);
  corbel_message *j = next_message(mq);
  const corbel_settle wrong[] = {
      {.struct_size = sizeof wrong[0], .how = 0},
      {.struct_size = sizeof wrong[0], .how = 5},
      {.struct_size = sizeof wrong[0], .how = CORBEL_SETTLE_RETRY, .delay_ms = -2},
      {.struct_size = sizeof wrong[0], .how = CORBEL_SETTLE_RETRY, .not_before_ms = -1},
      {.struct_size = sizeof wrong[0], .how = CORBEL_SETTLE_RETRY, .not_before_ms = 1000, .delay_ms = -1},
      {.struct_size = sizeof wrong[0], .how = CORBEL_SETTLE_DONE, .delay_ms = 1},
      {.struct_size = sizeof wrong[0], .how = CORBEL_SETTLE_BURY, .not_before_ms = 1},
      {.struct_size = sizeof wrong[0], .how = CORBEL_SETTLE_DONE, .reserved = 1},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    corbel_call c = call_to(w.q, 0);
    CHECK_EQ(corbel_message_settle(j, &wrong[i], &c, NULL), CORBEL_INVALID);
    CHECK_EQ(corbel_messages_settle(&j, 1, &wrong[i], &c, NULL), CORBEL_INVALID);
  }
  CHECK_EQ(settle(&w, j, CORBEL_SETTLE_DONE), 1);
  corbel_message_free(j);
  corbel_consumer_free(k);
  corbel_producer_free(p);
  corbel_events_free(mq);
  world_close(&w);
}

static void many_are_settled_in_one_call(void) {
  struct world w = world_open();
  corbel_producer *p = open_producer(&w, NULL);
  corbel_events *mq = open_events(w.rt);
  corbel_queue_options o = {.struct_size = sizeof o, .concurrency = 50, .prefetch = 14};
  corbel_consumer *k = open_consumer(&w, mq, &o);
  corbel_put items[64];
  for (int i = 0; i < 64; i++) items[i] = item_of("x");
  corbel_message *all[64];
  put_items(&w, p, items, 1);
  all[5] = next_message(mq); /* claimed alone, so that the lease of the others is another */
  put_items(&w, p, items, 63);
  for (int i = 0; i < 64; i++)
    if (i != 5) all[i] = next_message(mq);
  take_lease_away(&w, all[5]);
  corbel_settle done = settle_by(CORBEL_SETTLE_DONE);
  corbel_call c = call_to(w.q, 9);
  corbel_ticket t = 0;
  CHECK_EQ(corbel_messages_settle(all, 63, &done, &c, &t), CORBEL_OK);
  corbel_event ev = await_event(w.q, CORBEL_EVENT_DONE);
  CHECK(ev.ticket == t && ev.user == 9 && ev.status == CORBEL_OK && ev.source == CORBEL_SOURCE_QUEUE);
  CHECK_EQ(ev.value, 62);
  corbel_message *mixed[] = {all[63], all[0]};
  CHECK_EQ(corbel_messages_settle(mixed, 2, &done, &c, &t), CORBEL_STATE);
  CHECK_EQ(settle(&w, all[63], CORBEL_SETTLE_DONE), 1); /* nothing was settled by the call before */
  corbel_messages_free(all, 64);
  CHECK_EQ(corbel_messages_settle(NULL, 1, &done, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_messages_settle(all, 0, &done, &c, &t), CORBEL_INVALID);
  all[0] = NULL;
  CHECK_EQ(corbel_messages_settle(all, 1, &done, &c, &t), CORBEL_INVALID);
  corbel_messages_free(NULL, 3);
  corbel_consumer_free(k);
  corbel_producer_free(p);
  corbel_events_free(mq);
  world_close(&w);
}

static int64_t in_flight(struct world *w) {
  corbel_event ev = COMMAND(w, "EVAL", "return tonumber(redis.call('GET', KEYS[1]) or 0)", "1", QUEUE_NAME ":inflight");
  int64_t n = ev.object ? corbel_node_integer(corbel_reply_root(ev.object)) : -1;
  corbel_event_clear(&ev, sizeof ev);
  return n;
}

static void many_are_settled_without_an_event(void) {
  struct world w = world_open();
  corbel_producer *p = open_producer(&w, NULL);
  corbel_events *mq = open_events(w.rt);
  corbel_queue_options o = {.struct_size = sizeof o, .concurrency = 2};
  corbel_consumer *k = open_consumer(&w, mq, &o);
  corbel_put items[] = {item_of("x"), item_of("y")};
  put_items(&w, p, items, 2);
  corbel_message *all[] = {next_message(mq), next_message(mq)};
  corbel_settle done = settle_by(CORBEL_SETTLE_DONE);
  CHECK_EQ(corbel_messages_settle(all, 2, &done, NULL, NULL), CORBEL_OK);
  corbel_messages_free(all, 2);
  AWAIT(in_flight(&w) == 0);
  CHECK_EQ(depth(&w, p), 0);
  corbel_consumer_free(k);
  corbel_producer_free(p);
  corbel_events_free(mq);
  world_close(&w);
}

static void a_lost_lease_is_told_once_and_its_settlement_does_nothing(void) {
  struct world w = world_open();
  corbel_producer *p = open_producer(&w, NULL);
  corbel_events *mq = open_events(w.rt), *wq = open_events(w.rt);
  corbel_queue_options o = {.struct_size = sizeof o, .concurrency = 2, .lease_ms = 300};
  corbel_consumer *k = open_consumer(&w, mq, &o);
  put(&w, p, "lost", NULL);
  put(&w, p, "kept", NULL);
  corbel_message *lost = next_message(mq), *kept = next_message(mq);
  corbel_call c = call_to(wq, 5);
  corbel_ticket first = 0, second = 0;
  CHECK_EQ(corbel_message_wait_lost(lost, &c, &first), CORBEL_OK);
  CHECK_EQ(corbel_message_wait_lost(kept, &c, &second), CORBEL_OK);
  take_lease_away(&w, lost);
  corbel_event ev = await_event(mq, CORBEL_EVENT_MESSAGE_LOST);
  CHECK(ev.ticket == 0 && ev.user == QUEUE_USER && ev.source == CORBEL_SOURCE_QUEUE && ev.object == NULL);
  CHECK((uint64_t)ev.value == corbel_message_token(lost));
  CHECK(corbel_message_lost(lost) == 1 && corbel_message_lost(kept) == 0);
  ev = await_event(wq, CORBEL_EVENT_DONE);
  CHECK(ev.ticket == first && ev.user == 5 && ev.status == CORBEL_OK);
  CHECK_EQ(ev.value, 1);
  CHECK_EQ(corbel_message_wait_lost(lost, &c, &first), CORBEL_OK); /* it is known already */
  ev = await_event(wq, CORBEL_EVENT_DONE);
  CHECK(ev.ticket == first && ev.value == 1);
  CHECK_EQ(settle(&w, lost, CORBEL_SETTLE_DONE), 0);
  corbel_settle done = settle_by(CORBEL_SETTLE_DONE);
  CHECK_EQ(corbel_message_settle(kept, &done, NULL, NULL), CORBEL_OK);
  ev = await_event(wq, CORBEL_EVENT_DONE); /* settled: never lost */
  CHECK(ev.ticket == second && ev.status == CORBEL_OK);
  CHECK_EQ(ev.value, 0);
  corbel_message_free(lost);
  corbel_message_free(kept);
  corbel_consumer_free(k);
  CHECK_EQ(corbel_events_take(mq, &ev, 1, sizeof ev, 0), 0); /* told once */
  corbel_producer_free(p);
  corbel_events_free(mq);
  corbel_events_free(wq);
  world_close(&w);
}

static void a_settled_message_is_not_told_lost(void) {
  struct world w = world_open();
  corbel_producer *p = open_producer(&w, NULL);
  corbel_events *mq = open_events(w.rt);
  corbel_queue_options o = {.struct_size = sizeof o, .lease_ms = 300};
  corbel_consumer *k = open_consumer(&w, mq, &o);
  put(&w, p, "x", NULL);
  corbel_message *j = next_message(mq);
  take_lease_away(&w, j);
  while (!corbel_message_lost(j)) { /* the notice waits in the queue meanwhile */
    struct timespec step = {0, 2000000};
    nanosleep(&step, NULL);
  }
  CHECK_EQ(settle(&w, j, CORBEL_SETTLE_DONE), 0);
  corbel_event ev;
  CHECK_EQ(corbel_events_take(mq, &ev, 1, sizeof ev, 0), 0);
  corbel_message_free(j);
  corbel_consumer_free(k);
  corbel_producer_free(p);
  corbel_events_free(mq);
  world_close(&w);
}

static void a_wait_for_a_loss_can_be_cancelled(void) {
  struct world w = world_open();
  corbel_producer *p = open_producer(&w, NULL);
  corbel_events *mq = open_events(w.rt);
  corbel_consumer *k = open_consumer(&w, mq, NULL);
  put(&w, p, "x", NULL);
  corbel_message *j = next_message(mq);
  corbel_call c = call_to(w.q, 6);
  corbel_ticket t = 0;
  c.timeout_ms = 1;
  CHECK_EQ(corbel_message_wait_lost(j, &c, &t), CORBEL_INVALID);
  c.timeout_ms = 0;
  CHECK_EQ(corbel_message_wait_lost(j, &c, &t), CORBEL_OK);
  CHECK_EQ(corbel_cancel(w.rt, t), CORBEL_OK);
  corbel_event ev = await_event(w.q, CORBEL_EVENT_DONE);
  CHECK(ev.ticket == t && ev.status == CORBEL_CANCELLED);
  corbel_event_clear(&ev, sizeof ev);
  CHECK_EQ(corbel_message_wait_lost(j, &c, &t), CORBEL_OK);
  corbel_message_free(j); /* handed back: no loss */
  ev = await_event(w.q, CORBEL_EVENT_DONE);
  CHECK(ev.ticket == t && ev.status == CORBEL_OK && ev.value == 0);
  corbel_event_clear(&ev, sizeof ev);
  corbel_consumer_free(k);
  corbel_producer_free(p);
  corbel_events_free(mq);
  world_close(&w);
}

int main(void) {
  RUN(a_retry_waits_as_it_is_told);
  RUN(what_is_wrong_is_refused_and_settles_nothing);
  RUN(many_are_settled_in_one_call);
  RUN(many_are_settled_without_an_event);
  RUN(a_lost_lease_is_told_once_and_its_settlement_does_nothing);
  RUN(a_settled_message_is_not_told_lost);
  RUN(a_wait_for_a_loss_can_be_cancelled);
  return check_report();
}
