/* Lesson: metrics of your own beside what the library counts (pools, health, logs, lag), in the text that Prometheus
 * scrapes. An HTTP server shows the same at /metrics. A series is opened once and kept; updating it takes no lock.
 *
 *     REDIS_URL=redis://localhost:6379 build/dev/examples/lessons/lesson_c_metrics */
#define _POSIX_C_SOURCE 200809L
#include <corbel.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

  corbel_field list = {"list", {"weekly", 6}};
  corbel_metric_options mo = {.struct_size = sizeof mo,
                              .kind = CORBEL_METRIC_COUNTER,
                              .name = "mails_sent_total",
                              .help = "Mails taken by a server.",
                              .labels = &list,
                              .n = 1,
                              .each = sizeof list};
  corbel_metric_options to = {
      .struct_size = sizeof to, .kind = CORBEL_METRIC_HISTOGRAM, .name = "mail_seconds", .help = "What a mail took."};
  corbel_metric *mails = NULL, *took = NULL;
  if (corbel_metric_open(rt, &mo, &mails, &e) || corbel_metric_open(rt, &to, &took, &e)) die("metric", e);

  corbel_bytes ping = {"PING", 4};
  corbel_call c = {.struct_size = sizeof c, .to = q};
  corbel_event ev;
  for (int i = 0; i < 3; i++) { /* a PING stands in for a mail */
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    if (corbel_redis_send(redis, &ping, 1, &c, NULL) || corbel_events_take(q, &ev, 1, sizeof ev, 10000) != 1)
      die("ping", NULL);
    corbel_event_clear(&ev, sizeof ev);
    clock_gettime(CLOCK_MONOTONIC, &after);
    corbel_metric_add(mails, 1);
    corbel_metric_record(took, (double)(after.tv_sec - before.tv_sec) + 1e-9 * (double)(after.tv_nsec - before.tv_nsec));
  }

  corbel_text *text = NULL;
  corbel_bytes all = {"", 0};
  if (corbel_runtime_metrics(rt, CORBEL_METRICS_PROMETHEUS, &text, &e)) die("metrics", e);
  corbel_text_bytes(text, &all);
  printf("%zu bytes of metrics\n", all.size);
  const char *wanted[] = {"\nmails_sent_total", "\nmail_seconds_count", "\ncorbel_ready "};
  for (int i = 0; i < 3; i++) {
    const char *line = strstr(all.data, wanted[i]);
    if (line) printf("%.*s\n", (int)strcspn(line + 1, "\n"), line + 1);
  }
  corbel_text_free(text);

  corbel_metric_free(mails);
  corbel_metric_free(took);
  corbel_redis_free(redis);
  corbel_runtime_shutdown(rt, 0, NULL);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  return 0;
}
