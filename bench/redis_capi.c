/* GET through the C API: N in flight, completions taken in batches from the event queue by this thread.
 *
 *     bench_redis_capi --port 6379 --in-flight 256 --seconds 1.5 --key k --size 64 */
#define _GNU_SOURCE
#include "measure.h"

#include <corbel.h>

static void fail(const char *what, const corbel_error *e) {
  fprintf(stderr, "bench_redis_capi: %s: %s\n", what, corbel_error_message(e));
  exit(1);
}

int main(int argc, char **argv) {
  char url[64];
  snprintf(url, sizeof url, "redis://127.0.0.1:%s", measure_option(argc, argv, "port", "6379"));
  const int in_flight = atoi(measure_option(argc, argv, "in-flight", "256"));
  const double seconds = measure_number(argc, argv, "seconds", 1.5);
  const size_t size = strtoul(measure_option(argc, argv, "size", "64"), NULL, 10);
  const char *key = measure_option(argc, argv, "key", "key:__rand_int__");

  corbel_error *err = NULL;
  corbel_runtime *rt;
  corbel_events *q;
  corbel_redis *redis;
  corbel_redis_options options = {.struct_size = sizeof options, .url = url};
  if (corbel_runtime_open(NULL, &rt, &err) != CORBEL_OK) fail("runtime", err);
  if (corbel_events_open(rt, 0, &q, &err) != CORBEL_OK) fail("events", err);
  if (corbel_redis_open(rt, &options, &redis, &err) != CORBEL_OK) fail("pool", err);

  const corbel_bytes get[2] = {{"GET", 3}, {key, strlen(key)}};
  const corbel_call call = {.struct_size = sizeof call, .to = q, .err = &err};
  corbel_ticket ticket;
  for (int i = 0; i < in_flight; i++)
    if (corbel_redis_send(redis, get, 2, &call, &ticket) != CORBEL_OK) fail("send", err);

  enum { batch = 256 };
  static corbel_event events[batch];
  struct stop_watch watch = stop_watch_begin(seconds);
  unsigned long looked_at = 0;
  size_t n;
  do {
    n = corbel_events_take(q, events, batch, sizeof events[0], -1);
    for (size_t i = 0; i < n; i++) {
      corbel_bytes value;
      if (events[i].status != CORBEL_OK) fail("reply", events[i].error);
      if (corbel_node_bytes(corbel_reply_root(events[i].object), &value) != CORBEL_OK || value.size != size)
        fail("not the value that was set", NULL);
      looked_at += ((const unsigned char *)value.data)[i % size];
      corbel_event_clear(&events[i], sizeof events[i]);
      if (corbel_redis_send(redis, get, 2, &call, &ticket) != CORBEL_OK) fail("send", err);
    }
  } while (stop_watch_goes_on(&watch, n));
  corbel_redis_free(redis);
  corbel_runtime_shutdown(rt, 1000, NULL);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  return looked_at ? 0 : 1;
}
