/* Lesson: what the library counts, in the text that Prometheus scrapes: pools, health, logs, lag. An HTTP server shows the
 * same at /metrics.
 *
 *     REDIS_URL=redis://localhost:6379 build/dev/examples/lessons/lesson_c_metrics */
#include <corbel.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void die(const char *what, corbel_error *e) {
  fprintf(stderr, "%s: %s: %s\n", what, corbel_status_name(corbel_error_status(e)), corbel_error_message(e));
  exit(1);
}

int main(void) {
  printf("lesson: metrics\n");
  const char *url = getenv("REDIS_URL");
  corbel_runtime_options ro = {.struct_size = sizeof ro, .name = "metrics"};
  corbel_redis_options po = {.struct_size = sizeof po, .url = url ? url : "redis://localhost:6379"};
  corbel_runtime *rt = NULL;
  corbel_events *q = NULL;
  corbel_redis *redis = NULL;
  corbel_error *e = NULL;
  if (corbel_runtime_open(&ro, &rt, &e) || corbel_events_open(rt, 0, &q, &e)) die("runtime", e);
  if (corbel_redis_open(rt, &po, &redis, &e)) die("pool", e);
  corbel_bytes ping = {"PING", 4};
  corbel_call c = {.struct_size = sizeof c, .to = q};
  corbel_event ev;
  if (corbel_redis_send(redis, &ping, 1, &c, NULL) || corbel_events_take(q, &ev, 1, sizeof ev, 10000) != 1)
    die("ping", NULL);
  corbel_event_clear(&ev, sizeof ev);

  corbel_text *text = NULL;
  corbel_bytes all = {"", 0};
  if (corbel_runtime_metrics(rt, CORBEL_METRICS_PROMETHEUS, &text, &e)) die("metrics", e);
  corbel_text_bytes(text, &all);
  const char *ready = strstr(all.data, "\ncorbel_ready ");
  printf("%zu bytes of metrics\n%.14s\n", all.size, ready ? ready + 1 : "");
  corbel_text_free(text);

  corbel_redis_free(redis);
  corbel_runtime_shutdown(rt, 0, NULL);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  return 0;
}
