/* Lesson: a message that cannot be worked is tried again, later each time, and goes to the dead list after its last attempt.
 * There somebody looks at it, mends what was wrong, and puts it back.
 *
 *     REDIS_URL=redis://localhost:6379 build/dev/examples/lessons/lesson_c_retries_and_dead */
#include <corbel.h>

#include <stdio.h>
#include <stdlib.h>

static corbel_events *q;
static int mended, worked;

static void die(const char *what, corbel_error *e) {
  fprintf(stderr, "%s: %s: %s\n", what, corbel_status_name(corbel_error_status(e)), corbel_error_message(e));
  exit(1);
}

static void work(corbel_message *m) {
  corbel_message_view v;
  corbel_message_view_get(m, &v, sizeof v);
  printf("%.*s, attempt %u: %s\n", (int)v.body.size, (const char *)v.body.data, v.attempt, mended ? "done" : "failed");
  corbel_settle s = {.struct_size = sizeof s,
                     .how = mended ? CORBEL_SETTLE_DONE : CORBEL_SETTLE_RETRY, /* CORBEL_SETTLE_BURY gives up at once */
                     .reason = mended ? NULL : "the printer is on fire"};
  if (corbel_message_settle(m, &s, NULL, NULL)) die("settle", NULL);
  worked = mended;
}

/* Works what comes until an event of that kind is there. */
static corbel_event work_until(int32_t kind) {
  corbel_event ev = {0};
  while (ev.kind != kind) {
    corbel_event_clear(&ev, sizeof ev);
    if (corbel_events_take(q, &ev, 1, sizeof ev, -1) == 0) continue;
    if (ev.status != CORBEL_OK) die("queue", ev.error);
    if (ev.kind == CORBEL_EVENT_MESSAGE) work(ev.object);
  }
  return ev;
}

int main(void) {
  printf("lesson: retries_and_dead\n");
  const char *url = getenv("REDIS_URL");
  corbel_runtime_options ro = {.struct_size = sizeof ro, .name = "retries_and_dead"};
  corbel_redis_options po = {.struct_size = sizeof po, .url = url ? url : "redis://localhost:6379"};
  corbel_runtime *rt = NULL;
  corbel_redis *redis = NULL;
  corbel_producer *in = NULL;
  corbel_consumer *out = NULL;
  corbel_inspector *look = NULL;
  corbel_error *e = NULL;
  if (corbel_runtime_open(&ro, &rt, &e) || corbel_events_open(rt, 0, &q, &e)) die("runtime", e);
  if (corbel_redis_open(rt, &po, &redis, &e)) die("pool", e);
  corbel_queue_options qo = {
      .struct_size = sizeof qo, .name = "lesson:retries_and_dead", .max_attempts = 2, .backoff_first_ms = 50, .to = q};
  if (corbel_producer_open(redis, &qo, &in, &e) || corbel_consumer_open(redis, &qo, &out, &e)) die("queue", e);
  if (corbel_inspector_open(redis, &qo, &look, &e)) die("queue", e);

  corbel_put item = {.struct_size = sizeof item, .body = {"order 7", 7}};
  corbel_call c = {.struct_size = sizeof c, .to = q, .err = &e};
  if (corbel_producer_put(in, &item, 1, sizeof item, NULL, NULL)) die("put", NULL);
  corbel_dead *page = NULL;
  while (corbel_dead_count(page) == 0) { /* a person would look later */
    corbel_dead_free(page);
    if (corbel_inspector_dead(look, 0, 10, &c, NULL)) die("dead", e);
    page = work_until(CORBEL_EVENT_DEAD).object;
  }
  corbel_dead_record d;
  corbel_dead_at(page, 0, &d, sizeof d);
  printf("dead: %.*s after %u attempts:", (int)d.body.size, (const char *)d.body.data, d.attempts);
  for (uint32_t i = 0; i < d.history_count; i++) {
    corbel_dead_attempt a;
    corbel_dead_attempt_at(page, 0, i, &a, sizeof a);
    printf(" %.*s;", (int)a.reason.size, (const char *)a.reason.data);
  }
  mended = 1;
  if (corbel_inspector_requeue(look, &d.number, 1, &c, NULL)) die("requeue", e);
  printf("\nput back: %d\n", (int)work_until(CORBEL_EVENT_DONE).value);
  corbel_dead_free(page);
  while (!worked) { /* it may have come before the answer that says it was put back */
    corbel_event ev = work_until(CORBEL_EVENT_MESSAGE);
    corbel_event_clear(&ev, sizeof ev);
  }

  corbel_inspector_free(look);
  corbel_consumer_free(out);
  corbel_producer_free(in);
  corbel_redis_free(redis);
  corbel_runtime_shutdown(rt, 0, NULL);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  return 0;
}
