/* Messages that are not worked are told: those whose worker died, and wake-ups whose event was worked before. */
#include "queue.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void check_told(corbel_event *ev, int64_t why, const char *id, const char *body, const char *reason) {
  corbel_unworked_view v;
  CHECK(ev->ticket == 0 && ev->user == QUEUE_USER && ev->source == CORBEL_SOURCE_QUEUE);
  CHECK_EQ(ev->value, why);
  REQUIRE(ev->object != NULL);
  CHECK_EQ(corbel_unworked_view_get(ev->object, &v, sizeof v), CORBEL_OK);
  CHECK(same(v.id, id) && same(v.body, body) && same(v.reason, reason));
  CHECK_EQ(corbel_unworked_view_get(NULL, &v, sizeof v), CORBEL_INVALID);
  corbel_unworked_free(ev->object);
  corbel_unworked_free(NULL);
}

static corbel_queue_options interrupting(void) {
  corbel_queue_options o = {
      .struct_size = sizeof o, .flags = CORBEL_QUEUE_TELL_UNWORKED, .crashed = CORBEL_CRASHED_INTERRUPT, .lease_ms = 1000};
  return o;
}

/* A process that takes a message and waits to be killed. */
static pid_t worker(const struct server *s, int told) {
  pid_t pid = fork();
  if (pid != 0) return pid;
  struct world w = {.server = *s};
  corbel_queue_options o = interrupting();
  w.rt = open_runtime();
  w.q = open_events(w.rt);
  w.r = open_pool(w.rt, s->url, 0);
  open_consumer(&w, w.q, &o);
  next_message(w.q);
  if (write(told, "x", 1) == 1) pause();
  _exit(1);
}

static void the_message_of_a_dead_worker_is_told_as_interrupted(void) {
  struct server s;
  int told[2];
  char x = 0;
  server_start(&s);
  REQUIRE(pipe(told) == 0);
  const pid_t pid = worker(&s, told[1]);

  struct world w = {.server = s};
  w.rt = open_runtime();
  w.q = open_events(w.rt);
  w.r = open_pool(w.rt, s.url, 0);
  corbel_producer *p = open_producer(&w, NULL);
  CHECK_EQ(put(&w, p, "body", "m1"), 1);
  CHECK_EQ(read(told[0], &x, 1), 1);
  kill(pid, SIGKILL);
  CHECK_EQ(waitpid(pid, NULL, 0), pid);

  corbel_queue_options o = interrupting();
  corbel_events *mq = open_events(w.rt);
  corbel_consumer *k = open_consumer(&w, mq, &o);
  corbel_event ev = await_event(mq, CORBEL_EVENT_UNWORKED);
  check_told(&ev, CORBEL_UNWORKED_INTERRUPTED, "m1", "body", "");
  corbel_consumer_free(k);
  corbel_producer_free(p);
  corbel_events_free(mq);
  world_close(&w);
  close(told[0]);
  close(told[1]);
}

static const char wake_up[] =
    "{\"kind\": \"external_event_lane_wakeup\", \"meta\": {\"task_id\": \"w1\", \"created_at\": 1760000000.25}, "
    "\"routing\": "
    "{\"bundle_id\": \"b\", \"session_id\": \"s\", \"conversation_id\": \"talk\", \"turn_id\": \"turn\"}, \"actor\": "
    "{\"tenant_id\": \"acme\", \"project_id\": \"main\"}, \"user\": {\"user_type\": \"registered\", \"user_id\": \"u\"}, "
    "\"event_lane\": {\"tenant\": \"acme\", \"project\": \"main\", \"user_id\": \"u\", \"conversation_id\": \"talk\", "
    "\"agent_id\": \"default.react.agent\", \"event_id\": \"e1\", \"sequence\": 1}}";

static void a_wake_up_whose_event_was_worked_is_told_as_ignored(void) {
  struct world w = world_open();
  corbel_queue_options o = {.struct_size = sizeof o,
                            .flags = CORBEL_QUEUE_TELL_UNWORKED,
                            .layout = CORBEL_QUEUE_PLATFORM,
                            .tenant = "acme",
                            .project = "main"};
  corbel_producer *p = open_producer(&w, &o);
  const corbel_lane_event e = {bytes("e1"),
                               bytes("{\"message_id\": \"e1\", \"event_id\": \"e1\", \"sequence\": 1, \"payload\": {}, "
                                     "\"consumed_at\": 1769854830.5}")};
  corbel_lane_events events = {.struct_size = sizeof events, .user = "u", .events = &e, .count = 1};
  corbel_put item = item_of(wake_up);
  item.events = &events;
  CHECK_EQ(corbel_producer_put(p, &item, 1, sizeof item, NULL, NULL), CORBEL_INVALID); /* no conversation */
  events.conversation = "talk";
  CHECK_EQ(put_items(&w, p, &item, 1), 1);

  corbel_events *mq = open_events(w.rt);
  corbel_consumer *k = open_consumer(&w, mq, &o);
  corbel_event ev = await_event(mq, CORBEL_EVENT_UNWORKED);
  check_told(&ev, CORBEL_UNWORKED_IGNORED, "w1", wake_up, "event_already_consumed");
  AWAIT(depth(&w, p) == 0);
  corbel_consumer_free(k);
  corbel_producer_free(p);
  corbel_events_free(mq);
  world_close(&w);
}

int main(void) {
  RUN(the_message_of_a_dead_worker_is_told_as_interrupted);
  RUN(a_wake_up_whose_event_was_worked_is_told_as_ignored);
  return check_report();
}
