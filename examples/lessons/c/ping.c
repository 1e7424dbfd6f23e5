/* Lesson: open a runtime, an event queue and a pool; send one command; take its one event.
 *
 *     REDIS_URL=redis://localhost:6379 build/dev/examples/lessons/lesson_c_ping */
#include <corbel.h>

#include <stdio.h>
#include <stdlib.h>

static void die(const char *what, corbel_error *e) {
  fprintf(stderr, "%s: %s: %s\n", what, corbel_status_name(corbel_error_status(e)), corbel_error_message(e));
  exit(1);
}

int main(void) {
  printf("lesson: ping\n");
  const char *url = getenv("REDIS_URL");
  corbel_runtime_options ro = {.struct_size = sizeof ro, .name = "ping"};
  corbel_redis_options po = {.struct_size = sizeof po, .url = url ? url : "redis://localhost:6379"};
  corbel_runtime *rt = NULL;
  corbel_events *q = NULL;
  corbel_redis *redis = NULL;
  corbel_error *e = NULL;
  if (corbel_runtime_open(&ro, &rt, &e) || corbel_events_open(rt, 0, &q, &e)) die("runtime", e);
  if (corbel_redis_open(rt, &po, &redis, &e)) die("pool", e); /* begins to connect, does not wait */

  corbel_bytes ping[] = {{"PING", 4}};
  corbel_call c = {.struct_size = sizeof c, .to = q, .err = &e};
  corbel_ticket t = 0;
  if (corbel_redis_send(redis, ping, 1, &c, &t)) die("send", e); /* refused at once: no event will come */

  corbel_event ev;
  corbel_events_take(q, &ev, 1, sizeof ev, -1); /* exactly one event per ticket: answer, error, time-out or cancel */
  if (ev.status != CORBEL_OK) die("PING", ev.error);
  corbel_bytes answer;
  corbel_node_bytes(corbel_reply_root(ev.object), &answer);
  printf("answered%s: %.*s\n", ev.ticket == t ? "" : " another ticket", (int)answer.size, (const char *)answer.data);
  corbel_event_clear(&ev, sizeof ev); /* frees the reply */

  corbel_redis_free(redis); /* frees may come in any order */
  corbel_runtime_shutdown(rt, 0, NULL);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  return 0;
}
