/* Asks the server at argv[1] for a PONG through the installed C library. */
#include <corbel.h>

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
  corbel_runtime_options ro = {.struct_size = sizeof ro};
  corbel_redis_options po = {.struct_size = sizeof po, .url = argc > 1 ? argv[1] : NULL};
  corbel_runtime *rt = NULL;
  corbel_events *q = NULL;
  corbel_redis *r = NULL;
  corbel_event ev;
  corbel_bytes ping = {"PING", 4}, answer = {NULL, 0};
  if (!corbel_header_compatible(CORBEL_VERSION)) return 2;
  if (corbel_runtime_open(&ro, &rt, NULL) || corbel_events_open(rt, 0, &q, NULL) || corbel_redis_open(rt, &po, &r, NULL))
    return 3;
  corbel_call c = {.struct_size = sizeof c, .to = q};
  if (corbel_redis_send(r, &ping, 1, &c, NULL) || corbel_events_take(q, &ev, 1, sizeof ev, 20000) != 1 || ev.status)
    return 4;
  corbel_node_bytes(corbel_reply_root(ev.object), &answer);
  printf("%.*s\n", (int)answer.size, (const char *)answer.data);
  corbel_event_clear(&ev, sizeof ev);
  corbel_redis_free(r);
  corbel_status s = corbel_runtime_shutdown(rt, 0, NULL);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  return s == CORBEL_OK ? 0 : 5;
}
