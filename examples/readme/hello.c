#include <corbel.h>

#include <stdio.h>

int main(void) {
  corbel_redis_options o = {.struct_size = sizeof o, .url = "redis://localhost:6379"};
  corbel_bytes text, get[] = {{"GET", 3}, {"greeting", 8}};
  corbel_runtime *rt;
  corbel_events *q;
  corbel_redis *redis;
  corbel_event ev;
  if (corbel_runtime_open(NULL, &rt, NULL) || corbel_events_open(rt, 0, &q, NULL)) return 1;
  if (corbel_redis_open(rt, &o, &redis, NULL)) return 1;
  corbel_call c = {.struct_size = sizeof c, .flags = CORBEL_CALL_IDEMPOTENT, .to = q};
  corbel_redis_send(redis, get, 2, &c, NULL);
  corbel_events_take(q, &ev, 1, sizeof ev, -1); /* exactly one event per call */
  if (ev.status == CORBEL_OK && corbel_node_bytes(corbel_reply_root(ev.object), &text) == CORBEL_OK)
    printf("%.*s\n", (int)text.size, (const char *)text.data);
  corbel_event_clear(&ev, sizeof ev);
  return corbel_runtime_shutdown(rt, 0, NULL);
}
