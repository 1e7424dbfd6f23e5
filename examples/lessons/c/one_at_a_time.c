/* Lesson: messages of one group, here a conversation, run one at a time and in order, however many workers there are. Other
 * groups go on meanwhile.
 *
 *     REDIS_URL=redis://localhost:6379 build/dev/examples/lessons/lesson_c_one_at_a_time */
#include <corbel.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void die(const char *what, corbel_error *e) {
  fprintf(stderr, "%s: %s: %s\n", what, corbel_status_name(corbel_error_status(e)), corbel_error_message(e));
  exit(1);
}

int main(void) {
  printf("lesson: one_at_a_time\n");
  const char *url = getenv("REDIS_URL");
  corbel_runtime_options ro = {.struct_size = sizeof ro, .name = "one_at_a_time"};
  corbel_redis_options po = {.struct_size = sizeof po, .url = url ? url : "redis://localhost:6379"};
  corbel_runtime *rt = NULL;
  corbel_events *q = NULL;
  corbel_redis *redis = NULL;
  corbel_producer *in = NULL;
  corbel_consumer *out = NULL;
  corbel_error *e = NULL;
  if (corbel_runtime_open(&ro, &rt, &e) || corbel_events_open(rt, 0, &q, &e)) die("runtime", e);
  if (corbel_redis_open(rt, &po, &redis, &e)) die("pool", e);
  corbel_queue_options qo = {.struct_size = sizeof qo, .name = "lesson:one_at_a_time", .concurrency = 6, .to = q};
  if (corbel_producer_open(redis, &qo, &in, &e) || corbel_consumer_open(redis, &qo, &out, &e)) die("queue", e);

  static const char *const turns[] = {"turn 1", "turn 2", "turn 3"};
  corbel_put items[6];
  for (int i = 0; i < 6; i++)
    items[i] =
        (corbel_put){.struct_size = sizeof items[i], .body = {turns[i / 2], 6}, .group = i % 2 == 0 ? "talk 1" : "talk 2"};
  corbel_call c = {.struct_size = sizeof c, .to = q, .err = &e};
  if (corbel_producer_put(in, items, 6, sizeof items[0], &c, NULL)) die("put", e);

  corbel_message *held[2] = {NULL, NULL}; /* of talk 1 and talk 2 */
  for (int worked = 0; worked < 6;) {
    corbel_event ev;
    if (corbel_events_take(q, &ev, 1, sizeof ev, -1) == 0) continue;
    if (ev.status != CORBEL_OK) die("queue", ev.error);
    if (ev.kind == CORBEL_EVENT_MESSAGE) {
      const int talk = strcmp(corbel_message_group(ev.object), "talk 1") != 0;
      if (held[talk]) printf("two of one conversation at once\n");
      held[talk] = ev.object;
      ev.object = NULL;
    }
    corbel_event_clear(&ev, sizeof ev);
    if (!held[0] || !held[1]) continue; /* the first of both is out: the others of each wait for it */
    for (int talk = 0; talk < 2; talk++, worked++) {
      corbel_bytes body;
      corbel_message_body(held[talk], &body);
      printf("%s: %.*s\n", corbel_message_group(held[talk]), (int)body.size, (const char *)body.data);
      corbel_settle s = {.struct_size = sizeof s, .how = CORBEL_SETTLE_DONE};
      if (corbel_message_settle(held[talk], &s, NULL, NULL)) die("settle", NULL);
      corbel_message_free(held[talk]);
      held[talk] = NULL;
    }
  }
  printf("conversations at once: 2\n");

  corbel_consumer_free(out);
  corbel_producer_free(in);
  corbel_redis_free(redis);
  corbel_runtime_shutdown(rt, 0, NULL);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  return 0;
}
