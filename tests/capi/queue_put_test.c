/* Putting: receipts, idempotency keys, delay, lanes, admission, and what is refused at once. */
#include "queue.h"

static corbel_event put_for_receipt(struct world *w, corbel_producer *p, const corbel_put *items, size_t count) {
  corbel_call c = call_to(w->q, 1);
  c.flags = CORBEL_CALL_RECEIPT;
  CHECK_EQ(corbel_producer_put(p, items, count, sizeof *items, &c, NULL), CORBEL_OK);
  return await_event(w->q, CORBEL_EVENT_QUEUED);
}

static void a_receipt_tells_what_became_of_each_item(void) {
  struct world w = world_open();
  corbel_producer *p = open_producer(&w, NULL);
  corbel_put once = item_of("once");
  once.id = "first";
  once.idempotency_key = "order 7";
  corbel_event ev = put_for_receipt(&w, p, &once, 1);
  CHECK(ev.status == CORBEL_OK && ev.value == 1 && ev.object != NULL);
  CHECK_EQ(corbel_receipt_count(ev.object), 1);
  CHECK_EQ(strcmp(corbel_receipt_id(ev.object, 0), "first"), 0);
  CHECK_EQ(corbel_receipt_repeated(ev.object, 0), 0);
  CHECK_EQ(strcmp(corbel_receipt_text(ev.object), "+first\n"), 0);
  corbel_event_clear(&ev, sizeof ev);

  corbel_put both[] = {item_of("new"), once};
  both[0].id = "second";
  both[1].id = NULL;
  ev = put_for_receipt(&w, p, both, 2);
  CHECK(ev.status == CORBEL_OK && ev.value == 2 && ev.object != NULL);
  CHECK_EQ(strcmp(corbel_receipt_text(ev.object), "+second\n=first\n"), 0);
  CHECK(corbel_receipt_repeated(ev.object, 0) == 0 && corbel_receipt_repeated(ev.object, 1) == 1);
  CHECK(corbel_receipt_count(ev.object) == 2 && *corbel_receipt_id(ev.object, 2) == 0);
  CHECK_EQ(corbel_receipt_repeated(ev.object, 2), 0);
  corbel_receipt *kept = ev.object;
  ev.object = NULL;
  corbel_event_clear(&ev, sizeof ev);
  CHECK_EQ(strcmp(corbel_receipt_id(kept, 1), "first"), 0);
  corbel_receipt_free(kept);
  corbel_producer_free(p);
  world_close(&w);
}

static void a_known_key_is_forgotten_after_its_window(void) {
  struct world w = world_open();
  corbel_queue_options o = {.struct_size = sizeof o, .idempotency_ms = 30};
  corbel_producer *p = open_producer(&w, &o);
  corbel_put item = item_of("x");
  item.idempotency_key = "k";
  CHECK_EQ(put_items(&w, p, &item, 1), 1);
  AWAIT(put_items(&w, p, &item, 1) == 2);
  corbel_producer_free(p);
  world_close(&w);
}

static void a_delayed_message_is_not_claimed_before(void) {
  struct world w = world_open();
  corbel_producer *p = open_producer(&w, NULL);
  corbel_events *mq = open_events(w.rt);
  corbel_consumer *k = open_consumer(&w, mq, NULL);
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  corbel_put items[] = {item_of("later"), item_of("sooner")};
  items[0].delay_ms = 300;
  items[1].not_before_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + 150;
  long long start = now_ms();
  CHECK_EQ(put_items(&w, p, items, 2), 0);
  corbel_message *j = next_message(mq);
  CHECK(has_body(j, "sooner") && now_ms() - start >= 100);
  corbel_message_free(j);
  j = next_message(mq);
  while (has_body(j, "sooner")) { /* it was handed back */
    CHECK_EQ(settle(&w, j, CORBEL_SETTLE_DONE), 1);
    corbel_message_free(j);
    j = next_message(mq);
  }
  CHECK(has_body(j, "later") && now_ms() - start >= 300);
  corbel_message_free(j);
  corbel_consumer_free(k);
  corbel_producer_free(p);
  corbel_events_free(mq);
  world_close(&w);
}

static void one_group_runs_one_message_at_a_time(void) {
  struct world w = world_open();
  corbel_producer *p = open_producer(&w, NULL);
  corbel_events *mq = open_events(w.rt);
  corbel_put items[] = {item_of("a1"), item_of("a2"), item_of("b1")};
  items[0].group = items[1].group = "a";
  items[2].group = "b";
  put_items(&w, p, items, 3);
  corbel_queue_options three = {.struct_size = sizeof three, .concurrency = 3};
  corbel_consumer *k = open_consumer(&w, mq, &three);
  corbel_message *a = next_message(mq), *b = next_message(mq);
  CHECK(has_body(a, "a1") && has_body(b, "b1"));
  CHECK_EQ(settle(&w, a, CORBEL_SETTLE_DONE), 1);
  corbel_message *next = next_message(mq);
  CHECK(has_body(next, "a2"));
  corbel_message *all[] = {a, b, next};
  corbel_messages_free(all, 3);
  corbel_consumer_free(k);
  corbel_producer_free(p);
  corbel_events_free(mq);
  world_close(&w);
}

static void a_refused_put_tells_why(void) {
  struct world w = world_open();
  corbel_queue_admission admission = {.struct_size = sizeof admission, .capacity = 10, .hard = 0.2};
  corbel_queue_options o = {.struct_size = sizeof o, .admission = &admission};
  corbel_producer *p = open_producer(&w, &o);
  CHECK_EQ(put(&w, p, "a", NULL), 1);
  CHECK_EQ(put(&w, p, "b", NULL), 2);
  corbel_put item = item_of("too many");
  corbel_call c = call_to(w.q, 1);
  CHECK_EQ(corbel_producer_put(p, &item, 1, sizeof item, &c, NULL), CORBEL_OK);
  corbel_event ev = await_event(w.q, CORBEL_EVENT_QUEUED);
  CHECK(ev.status == CORBEL_BUSY && ev.object == NULL && ev.error != NULL);
  CHECK_EQ(strcmp(corbel_error_source(ev.error), "queue"), 0);
  CHECK_EQ(strcmp(corbel_error_native(ev.error), "hard_limit_exceeded"), 0);
  const char *const names[] = {"depth", "capacity", "processes", "retry_after"};
  for (size_t i = 0; i < 4; i++) CHECK(corbel_error_field(ev.error, names[i]) != NULL);
  CHECK_EQ(strcmp(corbel_error_field(ev.error, "depth"), "2"), 0);
  CHECK_EQ(strcmp(corbel_error_field(ev.error, "capacity"), "10"), 0);
  CHECK_EQ(strcmp(corbel_error_field(ev.error, "retry_after"), "60"), 0);
  corbel_event_clear(&ev, sizeof ev);
  CHECK_EQ(depth(&w, p), 2);
  corbel_producer_free(p);
  world_close(&w);
}

static void what_is_wrong_is_refused_at_once(void) {
  struct world w = world_open();
  const corbel_queue_lane lane = {.name = "only"};
  corbel_queue_options o = {.struct_size = sizeof o, .lanes = &lane, .lane_count = 1, .max_body_bytes = 4};
  corbel_producer *p = open_producer(&w, &o);
  corbel_put items[9];
  for (size_t i = 0; i < 9; i++) items[i] = item_of("x");
  items[0].id = "a\nb";
  items[1].user_type = "another";
  items[2].group = "a\tb";
  items[3].body = bytes("12345");
  items[4].delay_ms = -1;
  items[5].not_before_ms = -1;
  items[6].not_before_ms = INT64_MAX;
  items[7].body.data = NULL;
  items[8].delay_ms = items[8].not_before_ms = 1000;
  for (size_t i = 0; i < 9; i++) {
    corbel_error *e = NULL;
    corbel_call c = call_to(w.q, 0);
    corbel_ticket t = 0;
    c.err = &e;
    CHECK_EQ(corbel_producer_put(p, &items[i], 1, sizeof items[i], &c, &t), CORBEL_INVALID);
    CHECK(t == 0 && e != NULL && strlen(corbel_error_message(e)) > 10);
    corbel_error_free(e);
  }
  corbel_call odd = call_to(w.q, 0);
  odd.flags = 0x4;
  CHECK_EQ(corbel_producer_put(p, &items[7], 1, sizeof items[7], &odd, NULL), CORBEL_INVALID);
  odd.flags = CORBEL_CALL_RECEIPT; /* known to a put alone */
  CHECK_EQ(corbel_producer_depth(p, &odd, NULL), CORBEL_INVALID);
  CHECK_EQ(depth(&w, p), 0);
  corbel_producer_free(p);
  world_close(&w);
}

int main(void) {
  RUN(a_receipt_tells_what_became_of_each_item);
  RUN(a_known_key_is_forgotten_after_its_window);
  RUN(a_delayed_message_is_not_claimed_before);
  RUN(one_group_runs_one_message_at_a_time);
  RUN(a_refused_put_tells_why);
  RUN(what_is_wrong_is_refused_at_once);
  return check_report();
}
