/* Lesson: a message that is not to be worked before its time: so long after the put, or at a time of day by the server's
 * clock. It may be up to a second late, for idle consumers look no more often.
 *
 *     REDIS_URL=redis://localhost:6379 build/dev/examples/lessons/lesson_c_delayed */
#include <corbel.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void die(const char *what, corbel_error *e) {
  fprintf(stderr, "%s: %s: %s\n", what, corbel_status_name(corbel_error_status(e)), corbel_error_message(e));
  exit(1);
}

static int64_t now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int main(void) {
  printf("lesson: delayed\n");
  const char *url = getenv("REDIS_URL");
  corbel_runtime_options ro = {.struct_size = sizeof ro, .name = "delayed"};
  corbel_redis_options po = {.struct_size = sizeof po, .url = url ? url : "redis://localhost:6379"};
  corbel_runtime *rt = NULL;
  corbel_events *q = NULL;
  corbel_redis *redis = NULL;
  corbel_producer *in = NULL;
  corbel_consumer *out = NULL;
  corbel_error *e = NULL;
  if (corbel_runtime_open(&ro, &rt, &e) || corbel_events_open(rt, 0, &q, &e)) die("runtime", e);
  if (corbel_redis_open(rt, &po, &redis, &e)) die("pool", e);
  corbel_queue_options qo = {.struct_size = sizeof qo, .name = "lesson:delayed", .to = q};
  if (corbel_producer_open(redis, &qo, &in, &e) || corbel_consumer_open(redis, &qo, &out, &e)) die("queue", e);

  const int64_t start = now_ms(), due[] = {0, 250, 500};
  corbel_put items[] = {{.struct_size = sizeof items[0], .body = {"in half a second", 16}, .delay_ms = 500},
                        {.struct_size = sizeof items[0], .body = {"at a quarter", 12}, .not_before_ms = start + 250},
                        {.struct_size = sizeof items[0], .body = {"at once", 7}}};
  corbel_call c = {.struct_size = sizeof c, .to = q, .err = &e};
  if (corbel_producer_put(in, items, 3, sizeof items[0], &c, NULL)) die("put", e);

  for (int worked = 0; worked < 3;) {
    corbel_event ev;
    if (corbel_events_take(q, &ev, 1, sizeof ev, -1) == 0) continue;
    if (ev.status != CORBEL_OK) die("queue", ev.error);
    if (ev.kind == CORBEL_EVENT_MESSAGE) {
      corbel_bytes body;
      corbel_message_body(ev.object, &body);
      printf("%.*s: %s\n", (int)body.size, (const char *)body.data,
             now_ms() - start >= due[worked++] ? "not too early" : "too early");
      corbel_settle s = {.struct_size = sizeof s, .how = CORBEL_SETTLE_DONE};
      if (corbel_message_settle(ev.object, &s, NULL, NULL)) die("settle", NULL);
    }
    corbel_event_clear(&ev, sizeof ev);
  }

  corbel_consumer_free(out);
  corbel_producer_free(in);
  corbel_redis_free(redis);
  corbel_runtime_shutdown(rt, 0, NULL);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  return 0;
}
