/* Lesson: put messages on a queue and work them. A message is leased while it is worked, and settled once: done, to be tried
 * again, dead or handed back. If this process died in between, it would come back to another one when its lease ends.
 *
 *     REDIS_URL=redis://localhost:6379 build/dev/examples/lessons/lesson_c_put_and_work */
#include <corbel.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void die(const char *what, corbel_error *e) {
  fprintf(stderr, "%s: %s: %s\n", what, corbel_status_name(corbel_error_status(e)), corbel_error_message(e));
  exit(1);
}

int main(void) {
  static const char *const texts[] = {"first", "second", "third"};
  printf("lesson: put_and_work\n");
  const char *url = getenv("REDIS_URL");
  corbel_runtime_options ro = {.struct_size = sizeof ro, .name = "put_and_work"};
  corbel_redis_options po = {.struct_size = sizeof po, .url = url ? url : "redis://localhost:6379"};
  corbel_runtime *rt = NULL;
  corbel_events *q = NULL;
  corbel_redis *redis = NULL;
  corbel_producer *in = NULL;
  corbel_consumer *out = NULL;
  corbel_error *e = NULL;
  if (corbel_runtime_open(&ro, &rt, &e) || corbel_events_open(rt, 0, &q, &e)) die("runtime", e);
  if (corbel_redis_open(rt, &po, &redis, &e)) die("pool", e);
  corbel_queue_options qo = {.struct_size = sizeof qo, .name = "lesson:put_and_work", .concurrency = 1, .to = q};
  if (corbel_producer_open(redis, &qo, &in, &e) || corbel_consumer_open(redis, &qo, &out, &e)) die("queue", e);

  corbel_put items[3];
  for (int i = 0; i < 3; i++) items[i] = (corbel_put){.struct_size = sizeof items[i], .body = {texts[i], strlen(texts[i])}};
  corbel_call c = {.struct_size = sizeof c, .to = q, .err = &e};
  if (corbel_producer_put(in, items, 3, sizeof items[0], &c, NULL)) die("put", e); /* all or none, in one round trip */

  int worked = 0;
  while (worked < 4) { /* the first one is worked twice */
    corbel_event ev;
    if (corbel_events_take(q, &ev, 1, sizeof ev, -1) == 0) continue;
    if (ev.status != CORBEL_OK) die("queue", ev.error);
    if (ev.kind == CORBEL_EVENT_MESSAGE) {
      corbel_message *m = ev.object;
      corbel_bytes body;
      corbel_message_body(m, &body);
      int again = corbel_message_attempt(m) == 1 && body.size == 5 && memcmp(body.data, "first", 5) == 0;
      printf("%.*s, attempt %u: %s\n", (int)body.size, (const char *)body.data, corbel_message_attempt(m),
             again ? "retry" : "done");
      corbel_settle s = {.struct_size = sizeof s, .how = again ? CORBEL_SETTLE_RETRY : CORBEL_SETTLE_DONE};
      if (again) s.delay_ms = -1; /* at once; 0 would be after the queue's back-off */
      corbel_call settle = {.struct_size = sizeof settle, .to = q, .err = &e};
      if (corbel_message_settle(m, &s, &settle, NULL)) die("settle", e);
    } else if (ev.kind == CORBEL_EVENT_DONE) {
      worked++; /* value 0 would say that the lease was lost before and another worker has the message */
    }
    corbel_event_clear(&ev, sizeof ev); /* frees the message; unsettled it would be handed back */
  }

  corbel_consumer_free(out);
  corbel_producer_free(in);
  corbel_redis_free(redis);
  corbel_runtime_shutdown(rt, 0, NULL);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  return 0;
}
