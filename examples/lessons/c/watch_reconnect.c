/* Lesson: learn of a lost server and of its return without asking. Kill the server and start it again while this runs; it
 * ends after the first recovery.
 *
 *     REDIS_URL=redis://localhost:6379 build/dev/examples/lessons/lesson_c_watch_reconnect */
#include <corbel.h>

#include <stdio.h>
#include <stdlib.h>

static void die(const char *what, corbel_error *e) {
  fprintf(stderr, "%s: %s: %s\n", what, corbel_status_name(corbel_error_status(e)), corbel_error_message(e));
  exit(1);
}

int main(void) {
  static const char *const names[] = {"unknown", "up", "down", "reconnecting", "resubscribed"};
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("lesson: watch_reconnect\n");
  const char *url = getenv("REDIS_URL");
  corbel_runtime_options ro = {.struct_size = sizeof ro, .name = "watch_reconnect"};
  corbel_redis_options po = {.struct_size = sizeof po, .url = url ? url : "redis://localhost:6379"};
  corbel_runtime *rt = NULL;
  corbel_events *q = NULL;
  corbel_redis *redis = NULL;
  corbel_monitor *monitor = NULL;
  corbel_error *e = NULL;
  if (corbel_runtime_open(&ro, &rt, &e) || corbel_events_open(rt, 0, &q, &e)) die("runtime", e);
  if (corbel_redis_open(rt, &po, &redis, &e)) die("pool", e);
  /* A PING after 1 s of silence finds servers that are stopped rather than gone; a closed socket is seen at once. */
  corbel_monitor_options mo = {.struct_size = sizeof mo, .ping_ms = 1000, .overdue_ms = 1000, .to = q};
  if (corbel_monitor_open(redis, &mo, &monitor, &e)) die("monitor", e);

  int was_up = 0, was_lost = 0, recovered = 0;
  while (!recovered) {
    corbel_event ev;
    if (corbel_events_take(q, &ev, 1, sizeof ev, -1) == 0) continue;
    if (ev.kind == CORBEL_EVENT_STATE) { /* coalesced: a slow reader sees the latest state, not every one */
      printf("%s, epoch %d%s%s\n", names[ev.value], (int)ev.epoch, ev.error ? ": " : "", corbel_error_message(ev.error));
      int up = ev.value == CORBEL_REDIS_UP || ev.value == CORBEL_REDIS_RESUBSCRIBED;
      recovered = up && was_lost;
      was_lost |= was_up && !up;
      was_up |= up;
    }
    corbel_event_clear(&ev, sizeof ev);
  }
  printf("recovered\n"); /* the place to read again what may have been missed */

  corbel_monitor_free(monitor);
  corbel_redis_free(redis);
  corbel_runtime_shutdown(rt, 0, NULL);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  return 0;
}
