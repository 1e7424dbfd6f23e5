/* Lesson: a thousand calls at once need one connection. They share a pipeline: what is asked while a write is under way
 * leaves together in the next one, and each call still gets its own event.
 *
 *     REDIS_URL=redis://localhost:6379 build/dev/examples/lessons/lesson_c_many_callers */
#include <corbel.h>

#include <stdio.h>
#include <stdlib.h>

enum { callers = 1000 };

static void die(const char *what, corbel_error *e) {
  fprintf(stderr, "%s: %s: %s\n", what, corbel_status_name(corbel_error_status(e)), corbel_error_message(e));
  exit(1);
}

int main(void) {
  printf("lesson: many_callers\n");
  const char *url = getenv("REDIS_URL");
  corbel_runtime_options ro = {.struct_size = sizeof ro, .name = "many_callers"};
  corbel_redis_options po = {.struct_size = sizeof po, .url = url ? url : "redis://localhost:6379"};
  corbel_runtime *rt = NULL;
  corbel_events *q = NULL;
  corbel_redis *redis = NULL;
  corbel_error *e = NULL;
  if (corbel_runtime_open(&ro, &rt, &e) || corbel_events_open(rt, 0, &q, &e)) die("runtime", e);
  if (corbel_redis_open(rt, &po, &redis, &e)) die("pool", e);

  for (uint64_t caller = 0; caller < callers; caller++) {
    char text[16];
    corbel_bytes echo[] = {{"ECHO", 4}, {text, (size_t)snprintf(text, sizeof text, "%d", (int)caller)}};
    corbel_call c = {.struct_size = sizeof c, .to = q, .user = caller, .err = &e};
    if (corbel_redis_send(redis, echo, 2, &c, NULL)) die("send", e); /* text is copied before the call returns */
  }

  int answered = 0, right = 0;
  while (answered < callers) {
    corbel_event ev[64];
    size_t n = corbel_events_take(q, ev, 64, sizeof ev[0], -1);
    for (size_t i = 0; i < n; i++, answered++) {
      if (ev[i].status != CORBEL_OK) die("ECHO", ev[i].error);
      corbel_bytes text;
      corbel_node_bytes(corbel_reply_root(ev[i].object), &text);
      right += atoi(text.data) == (int)ev[i].user; /* texts handed out are NUL-terminated as well */
      corbel_event_clear(&ev[i], sizeof ev[i]);
    }
  }
  corbel_redis_stats s;
  corbel_redis_stats_get(redis, &s, sizeof s);
  printf("%d callers, %d right answers, over %u connection(s)\n", callers, right, s.open);

  corbel_redis_free(redis);
  corbel_runtime_shutdown(rt, 0, NULL);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  return right == callers ? 0 : 1;
}
