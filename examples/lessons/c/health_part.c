/* Lesson: a part of the host that reports its health. The roll-up says whether the host is ready, and because of what; every
 * change comes as an event.
 *
 *     build/dev/examples/lessons/lesson_c_health_part */
#include <corbel.h>

#include <stdio.h>
#include <stdlib.h>

static void die(const char *what, corbel_error *e) {
  fprintf(stderr, "%s: %s: %s\n", what, corbel_status_name(corbel_error_status(e)), corbel_error_message(e));
  exit(1);
}

static void say(corbel_runtime *rt, int32_t state, const char *reason) {
  corbel_health_report h = {.struct_size = sizeof h,
                            .flags = CORBEL_HEALTH_REQUIRED, /* without it the host is not ready */
                            .part = "mail",
                            .state = state,
                            .reason = reason,
                            .fresh_ms = 60000}; /* turns stale when nothing is said for a minute */
  corbel_error *e = NULL;
  if (corbel_health_set(rt, &h, &e)) die("health", e);
}

int main(void) {
  printf("lesson: health_part\n");
  corbel_runtime_options o = {.struct_size = sizeof o, .name = "health_part"};
  corbel_runtime *rt = NULL;
  corbel_events *q = NULL;
  corbel_error *e = NULL;
  if (corbel_runtime_open(&o, &rt, &e) || corbel_events_open(rt, 0, &q, &e)) die("runtime", e);
  if (corbel_health_watch(rt, q, 0)) die("watch", NULL);

  say(rt, CORBEL_HEALTH_OK, NULL);
  printf("ready: %d\n", corbel_health_ready(rt));
  say(rt, CORBEL_HEALTH_SATURATED, "8 of 8 letters under way"); /* all that it can do: not ill */
  printf("saturated, ready: %d\n", corbel_health_ready(rt));
  say(rt, CORBEL_HEALTH_DOWN, "no answer on port 25");
  printf("down, ready: %d\n", corbel_health_ready(rt));
  say(rt, CORBEL_HEALTH_OK, NULL);

  for (int i = 0; i < 7; i++) {
    corbel_event ev;
    if (corbel_events_take(q, &ev, 1, sizeof ev, 5000) != 1) break;
    corbel_bytes text = {"", 0};
    corbel_text_bytes(ev.object, &text);
    printf("%.*s\n", (int)text.size, (const char *)text.data);
    corbel_event_clear(&ev, sizeof ev);
  }
  printf("ready again: %d\n", corbel_health_ready(rt));

  corbel_runtime_shutdown(rt, 0, NULL);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  return 0;
}
