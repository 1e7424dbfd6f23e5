/* Admission and concurrency, changed while producer and consumer run. */
#include "queue.h"

static int64_t is_refused(struct world *w, corbel_producer *p) { return put(w, p, "x", NULL) == CORBEL_BUSY; }

static void other_rules_count_for_the_next_put(void) {
  struct world w = world_open();
  corbel_queue_admission one = {.struct_size = sizeof one, .capacity = 1, .hard = 1};
  corbel_queue_options o = {.struct_size = sizeof o, .admission = &one};
  corbel_producer *p = open_producer(&w, &o);
  CHECK(!is_refused(&w, p));
  CHECK(is_refused(&w, p));
  corbel_queue_admission two = {.struct_size = sizeof two, .capacity = 2, .hard = 1};
  CHECK_EQ(corbel_producer_set_admission(p, &two, NULL), CORBEL_OK);
  CHECK(!is_refused(&w, p));
  CHECK(is_refused(&w, p));

  corbel_error *e = NULL;
  two.hard = 1.5;
  CHECK_EQ(corbel_producer_set_admission(p, &two, &e), CORBEL_INVALID);
  CHECK(strcmp(corbel_error_message(e), "admission.hard is 1.5: give 0 to 1") == 0);
  corbel_error_free(e);
  CHECK(is_refused(&w, p));
  two.struct_size = 0;
  CHECK_EQ(corbel_producer_set_admission(p, &two, NULL), CORBEL_INVALID);

  CHECK_EQ(corbel_producer_set_admission(p, NULL, NULL), CORBEL_OK);
  CHECK(!is_refused(&w, p));
  CHECK_EQ(depth(&w, p), 3);
  corbel_producer_free(p);
  world_close(&w);
}

/* Settles without waiting. */
static void end(corbel_message *j) {
  corbel_settle s = settle_by(CORBEL_SETTLE_DONE);
  CHECK_EQ(corbel_message_settle(j, &s, NULL, NULL), CORBEL_OK);
  corbel_message_free(j);
}

static void more_concurrency_brings_more_messages_and_less_fewer(void) {
  struct world w = world_open();
  corbel_producer *p = open_producer(&w, NULL);
  corbel_events *mq = open_events(w.rt);
  corbel_consumer *k = open_consumer(&w, mq, NULL);
  for (int i = 0; i < 8; i++) put(&w, p, "x", NULL);
  corbel_message *all[4] = {next_message(mq)};
  CHECK_EQ(depth(&w, p), 7);
  CHECK_EQ(corbel_consumer_set_concurrency(k, 4, NULL), CORBEL_OK);
  for (int i = 1; i < 4; i++) all[i] = next_message(mq);
  CHECK_EQ(depth(&w, p), 4);

  CHECK_EQ(corbel_consumer_set_concurrency(k, 1, NULL), CORBEL_OK);
  for (int i = 0; i < 3; i++) CHECK_EQ(settle(&w, all[i], CORBEL_SETTLE_DONE), 1);
  CHECK_EQ(depth(&w, p), 4);
  for (int i = 0; i < 3; i++) corbel_message_free(all[i]);
  end(all[3]);
  for (int i = 0; i < 4; i++) end(next_message(mq));
  corbel_consumer_free(k);
  corbel_producer_free(p);
  corbel_events_free(mq);
  world_close(&w);
}

/* Nobody has received them, so they go back, in their order. */
static void what_is_too_much_and_was_not_received_goes_back(void) {
  struct world w = world_open();
  corbel_producer *p = open_producer(&w, NULL);
  corbel_events *mq = open_events(w.rt);
  corbel_queue_options o = {.struct_size = sizeof o, .concurrency = 5, .prefetch = 1};
  corbel_consumer *k = open_consumer(&w, mq, &o);
  const char *bodies[] = {"0", "1", "2", "3", "4", "5", "6", "7"};
  for (int i = 0; i < 8; i++) put(&w, p, bodies[i], NULL);
  AWAIT(depth(&w, p) == 2);
  CHECK_EQ(corbel_consumer_set_concurrency(k, 2, NULL), CORBEL_OK); /* and the prefetch */
  AWAIT(depth(&w, p) == 5);
  for (int i = 0; i < 8; i++) {
    corbel_message *j = next_message(mq);
    CHECK(has_body(j, bodies[i]));
    CHECK_EQ(corbel_message_attempt(j), 1);
    CHECK_EQ(settle(&w, j, CORBEL_SETTLE_DONE), 1);
    corbel_message_free(j);
  }
  corbel_consumer_free(k);
  corbel_producer_free(p);
  corbel_events_free(mq);
  world_close(&w);
}

static void a_wrong_concurrency_is_refused(void) {
  struct world w = world_open();
  corbel_events *mq = open_events(w.rt);
  corbel_queue_options o = {.struct_size = sizeof o, .prefetch = 10};
  corbel_consumer *k = open_consumer(&w, mq, &o);
  corbel_error *e = NULL;
  CHECK_EQ(corbel_consumer_set_concurrency(k, 0, &e), CORBEL_INVALID);
  CHECK(strcmp(corbel_error_message(e), "concurrency is 0: give 1 to 65536") == 0);
  corbel_error_free(e);
  e = NULL;
  CHECK_EQ(corbel_consumer_set_concurrency(k, 65530, &e), CORBEL_INVALID);
  CHECK(strcmp(corbel_error_message(e), "concurrency and prefetch are 65530 and 10: give 65536 together at most") == 0);
  corbel_error_free(e);
  corbel_consumer_free(k);
  corbel_events_free(mq);
  world_close(&w);
}

int main(void) {
  RUN(other_rules_count_for_the_next_put);
  RUN(more_concurrency_brings_more_messages_and_less_fewer);
  RUN(what_is_too_much_and_was_not_received_goes_back);
  RUN(a_wrong_concurrency_is_refused);
  return check_report();
}
