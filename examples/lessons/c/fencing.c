/* Lesson: a worker that was taken for dead and wakes up later must do no harm. Every claim of a message has a token that is
 * greater than all before it; what the work changes remembers the greatest it has seen and refuses a smaller one.
 *
 *     REDIS_URL=redis://localhost:6379 build/dev/examples/lessons/lesson_c_fencing */
#include <corbel.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A store that takes part: any database can do the same in its own words. */
static const char save_script[] =
    "if tonumber(ARGV[2]) < tonumber(redis.call('HGET', KEYS[1], 'token') or 0) then return 'refused' end\n"
    "redis.call('HSET', KEYS[1], 'value', ARGV[1], 'token', ARGV[2])\n"
    "return 'saved'";
static corbel_events *q;
static corbel_redis *redis;

static void die(const char *what, corbel_error *e) {
  fprintf(stderr, "%s: %s: %s\n", what, corbel_status_name(corbel_error_status(e)), corbel_error_message(e));
  exit(1);
}

static corbel_event await(int32_t kind) {
  corbel_event ev = {0};
  while (ev.kind != kind) {
    corbel_event_clear(&ev, sizeof ev);
    if (corbel_events_take(q, &ev, 1, sizeof ev, -1) == 0) continue;
    if (ev.status != CORBEL_OK) die("queue", ev.error);
  }
  return ev;
}

static void save(const char *who, const corbel_message *m) {
  char token[24];
  snprintf(token, sizeof token, "%llu", (unsigned long long)corbel_message_token(m));
  const corbel_bytes script = {save_script, sizeof save_script - 1};
  const corbel_bytes argv[] = {{"lesson:fencing:bill", 19}, {who, strlen(who)}, {token, strlen(token)}};
  corbel_call c = {.struct_size = sizeof c, .to = q};
  corbel_bytes said = {"", 0};
  if (corbel_redis_eval(redis, script, argv, 3, 1, &c, NULL)) die("save", NULL);
  corbel_event ev = await(CORBEL_EVENT_REPLY);
  corbel_node_bytes(corbel_reply_root(ev.object), &said);
  printf("%s: %.*s\n", who, (int)said.size, (const char *)said.data);
  corbel_event_clear(&ev, sizeof ev);
}

int main(void) {
  printf("lesson: fencing\n");
  const char *url = getenv("REDIS_URL");
  corbel_runtime_options ro = {.struct_size = sizeof ro, .name = "fencing"};
  corbel_redis_options po = {.struct_size = sizeof po, .url = url ? url : "redis://localhost:6379"};
  corbel_runtime *rt = NULL;
  corbel_producer *in = NULL;
  corbel_consumer *first = NULL, *second = NULL;
  corbel_error *e = NULL;
  if (corbel_runtime_open(&ro, &rt, &e) || corbel_events_open(rt, 0, &q, &e)) die("runtime", e);
  if (corbel_redis_open(rt, &po, &redis, &e)) die("pool", e);
  corbel_queue_options qo = {.struct_size = sizeof qo, .name = "lesson:fencing", .to = q};
  if (corbel_producer_open(redis, &qo, &in, &e) || corbel_consumer_open(redis, &qo, &first, &e)) die("queue", e);
  corbel_put item = {.struct_size = sizeof item, .body = {"pay the bill", 12}};
  if (corbel_producer_put(in, &item, 1, sizeof item, NULL, NULL)) die("put", NULL);

  corbel_message *slow = await(CORBEL_EVENT_MESSAGE).object;
  corbel_call soon = {.struct_size = sizeof soon, .timeout_ms = 50, .to = q, .err = &e};
  if (corbel_consumer_drain(first, &soon, NULL)) die("drain", e); /* it is to end, and its work does not: handed back */
  corbel_event ev = await(CORBEL_EVENT_DONE);
  printf("drained: %d handed back, lost to the first worker: %d\n", (int)ev.value, corbel_message_lost(slow));

  if (corbel_consumer_open(redis, &qo, &second, &e)) die("queue", e);
  corbel_message *m = await(CORBEL_EVENT_MESSAGE).object;
  printf("the second worker's token is greater: %d\n", corbel_message_token(m) > corbel_message_token(slow));
  corbel_settle done = {.struct_size = sizeof done, .how = CORBEL_SETTLE_DONE};
  corbel_call c = {.struct_size = sizeof c, .to = q, .err = &e};
  save("the second worker", m);
  if (corbel_message_settle(m, &done, &c, NULL)) die("settle", e);
  await(CORBEL_EVENT_DONE);
  save("the first worker, late", slow);
  if (corbel_message_settle(slow, &done, &c, NULL)) die("settle", e);
  printf("its settlement counts: %d\n", (int)await(CORBEL_EVENT_DONE).value);

  corbel_message_free(slow);
  corbel_message_free(m);
  corbel_consumer_free(first);
  corbel_consumer_free(second);
  corbel_producer_free(in);
  corbel_redis_free(redis);
  corbel_runtime_shutdown(rt, 0, NULL);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  return 0;
}
