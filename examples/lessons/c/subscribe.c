/* Lesson: a subscription wants names; the library keeps them on one connection, over reconnects too. A change completes
 * when the server has confirmed it, so what is published afterwards is not missed.
 *
 *     REDIS_URL=redis://localhost:6379 build/dev/examples/lessons/lesson_c_subscribe */
#include <corbel.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void die(const char *what, corbel_error *e) {
  fprintf(stderr, "%s: %s: %s\n", what, corbel_status_name(corbel_error_status(e)), corbel_error_message(e));
  exit(1);
}

static corbel_bytes part(const corbel_event *ev, size_t i) {
  corbel_bytes b = {NULL, 0};
  corbel_node_bytes(corbel_node_at(corbel_reply_root(ev->object), i), &b);
  return b;
}

int main(void) {
  printf("lesson: subscribe\n");
  const char *url = getenv("REDIS_URL"), *channel = "lesson:news";
  corbel_runtime_options ro = {.struct_size = sizeof ro, .name = "subscribe"};
  corbel_redis_options po = {.struct_size = sizeof po, .url = url ? url : "redis://localhost:6379"};
  corbel_runtime *rt = NULL;
  corbel_events *q = NULL;
  corbel_redis *redis = NULL;
  corbel_sub *sub = NULL;
  corbel_error *e = NULL;
  if (corbel_runtime_open(&ro, &rt, &e) || corbel_events_open(rt, 0, &q, &e)) die("runtime", e);
  if (corbel_redis_open(rt, &po, &redis, &e)) die("pool", e);
  corbel_sub_options so = {.struct_size = sizeof so, .to = q};
  if (corbel_sub_open(redis, &so, &sub, &e)) die("subscription", e);
  corbel_call c = {.struct_size = sizeof c, .to = q, .err = &e};
  if (corbel_sub_change(sub, CORBEL_SUB_CHANNEL, channel, strlen(channel), &c, NULL)) die("subscribe", e);

  int heard = 0;
  while (heard < 3) {
    corbel_event ev;
    if (corbel_events_take(q, &ev, 1, sizeof ev, -1) == 0) continue;
    if (ev.status != CORBEL_OK) die("subscribe", ev.error);
    if (ev.kind == CORBEL_EVENT_DONE) { /* confirmed: publish three */
      for (int i = 1; i <= 3; i++) {
        char text[16];
        corbel_bytes publish[] = {
            {"PUBLISH", 7}, {channel, strlen(channel)}, {text, (size_t)snprintf(text, sizeof text, "news %d", i)}};
        if (corbel_redis_send(redis, publish, 3, NULL, NULL)) die("publish", NULL); /* nobody waits for the reply */
      }
    } else if (ev.kind == CORBEL_EVENT_PUBLISHED) { /* the array that the server sent: "message", channel, payload */
      corbel_bytes name = part(&ev, 1), text = part(&ev, 2);
      printf("%.*s in epoch %d: %.*s\n", (int)name.size, (const char *)name.data, (int)ev.epoch, (int)text.size,
             (const char *)text.data);
      heard++;
    } else if (ev.kind == CORBEL_EVENT_STATE) { /* after a loss: a gap, then subscribed again in a new epoch */
      printf("%s\n", ev.value == CORBEL_SUB_GAP ? "gap" : "subscribed again");
    }
    corbel_event_clear(&ev, sizeof ev);
  }

  corbel_sub_free(sub); /* leaves all its names */
  corbel_redis_free(redis);
  corbel_runtime_shutdown(rt, 0, NULL);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  return 0;
}
