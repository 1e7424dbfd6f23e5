/* Lesson: how much a queue takes, and how many of its messages are worked at once, changed while it runs: as where a
 * configuration says something else now. What is in hand comes to its end.
 *
 *     REDIS_URL=redis://localhost:6379 build/dev/examples/lessons/lesson_c_change_limits */
#include <corbel.h>

#include <stdio.h>
#include <stdlib.h>

static void die(const char *what, corbel_error *e) {
  fprintf(stderr, "%s: %s: %s\n", what, corbel_status_name(corbel_error_status(e)), corbel_error_message(e));
  exit(1);
}

static void put(corbel_producer *in, corbel_events *q, const char *body) {
  corbel_error *e = NULL;
  corbel_event ev;
  corbel_put item = {.struct_size = sizeof item, .body = {body, 1}};
  corbel_call c = {.struct_size = sizeof c, .to = q, .err = &e};
  if (corbel_producer_put(in, &item, 1, sizeof item, &c, NULL)) die("put", e);
  corbel_events_take(q, &ev, 1, sizeof ev, -1);
  printf("%s: %s\n", body, ev.status == CORBEL_OK ? "taken" : corbel_error_native(ev.error));
  corbel_event_clear(&ev, sizeof ev);
}

static corbel_message *next(corbel_events *q) {
  corbel_event ev;
  corbel_events_take(q, &ev, 1, sizeof ev, -1);
  return ev.object;
}

int main(void) {
  printf("lesson: change_limits\n");
  const char *url = getenv("REDIS_URL");
  corbel_runtime_options ro = {.struct_size = sizeof ro, .name = "change_limits"};
  corbel_redis_options po = {.struct_size = sizeof po, .url = url ? url : "redis://localhost:6379"};
  corbel_runtime *rt = NULL;
  corbel_events *q = NULL, *messages = NULL;
  corbel_redis *redis = NULL;
  corbel_producer *in = NULL;
  corbel_consumer *out = NULL;
  corbel_error *e = NULL;
  if (corbel_runtime_open(&ro, &rt, &e) || corbel_events_open(rt, 0, &q, &e)) die("runtime", e);
  if (corbel_events_open(rt, 0, &messages, &e) || corbel_redis_open(rt, &po, &redis, &e)) die("pool", e);
  corbel_queue_admission rules = {.struct_size = sizeof rules, .capacity = 2, .hard = 1};
  corbel_queue_options qo = {.struct_size = sizeof qo, .name = "lesson:change_limits", .to = messages, .admission = &rules};
  if (corbel_producer_open(redis, &qo, &in, &e)) die("producer", e);

  put(in, q, "a");
  put(in, q, "b");
  put(in, q, "c"); /* hard_limit_exceeded */
  rules.capacity = 3;
  if (corbel_producer_set_admission(in, &rules, &e)) die("admission", e);
  put(in, q, "d");

  if (corbel_consumer_open(redis, &qo, &out, &e)) die("consumer", e);
  corbel_message *held[3] = {next(messages)}; /* the concurrency is 1: no other comes */
  if (corbel_consumer_set_concurrency(out, 3, &e)) die("concurrency", e);
  held[1] = next(messages);
  held[2] = next(messages);
  printf("held at once: 3\n");
  corbel_settle s = {.struct_size = sizeof s, .how = CORBEL_SETTLE_DONE};
  if (corbel_messages_settle(held, 3, &s, NULL, NULL)) die("settle", NULL);
  corbel_messages_free(held, 3);

  corbel_consumer_free(out);
  corbel_producer_free(in);
  corbel_redis_free(redis);
  corbel_runtime_shutdown(rt, 0, NULL);
  corbel_events_free(messages);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  return 0;
}
