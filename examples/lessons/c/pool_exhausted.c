/* Lesson: a full pool makes callers wait in order, up to their deadline, and then says BUSY with its counts. That is no
 * outage: commands on the shared pipeline go on, because one connection always stays for them.
 *
 *     REDIS_URL=redis://localhost:6379 build/dev/examples/lessons/lesson_c_pool_exhausted */
#include <corbel.h>

#include <stdio.h>
#include <stdlib.h>

static corbel_events *q;

static void die(const char *what, corbel_error *e) {
  fprintf(stderr, "%s: %s: %s\n", what, corbel_status_name(corbel_error_status(e)), corbel_error_message(e));
  exit(1);
}

/* Waits for a connection of our own; what blocks or changes a connection (MULTI, BLPOP) needs one. */
static corbel_event lease(corbel_redis *redis, int64_t timeout_ms) {
  corbel_error *e = NULL;
  corbel_call c = {.struct_size = sizeof c, .timeout_ms = timeout_ms, .to = q, .err = &e};
  corbel_event ev;
  if (corbel_redis_lease(redis, &c, NULL)) die("lease", e);
  corbel_events_take(q, &ev, 1, sizeof ev, -1);
  return ev;
}

int main(void) {
  printf("lesson: pool_exhausted\n");
  const char *url = getenv("REDIS_URL");
  corbel_runtime_options ro = {.struct_size = sizeof ro, .name = "pool_exhausted"};
  corbel_redis_options po = {.struct_size = sizeof po, .url = url ? url : "redis://localhost:6379", .max_size = 3};
  corbel_runtime *rt = NULL;
  corbel_redis *redis = NULL;
  corbel_error *e = NULL;
  if (corbel_runtime_open(&ro, &rt, &e) || corbel_events_open(rt, 0, &q, &e)) die("runtime", e);
  if (corbel_redis_open(rt, &po, &redis, &e)) die("pool", e);

  corbel_event first = lease(redis, 0), second = lease(redis, 0); /* three connections, one stays for commands */
  if (first.status || second.status) die("lease", first.status ? first.error : second.error);

  corbel_event third = lease(redis, 100);
  printf("third lease: %s: %s\n", corbel_status_name(third.status), corbel_error_message(third.error));
  int busy = third.status == CORBEL_BUSY;
  corbel_event_clear(&third, sizeof third);

  corbel_bytes ping[] = {{"PING", 4}};
  corbel_call c = {.struct_size = sizeof c, .to = q, .err = &e};
  if (corbel_redis_send(redis, ping, 1, &c, NULL)) die("send", e);
  corbel_events_take(q, &third, 1, sizeof third, -1);
  printf("a command meanwhile: %s\n", corbel_status_name(third.status));
  corbel_event_clear(&third, sizeof third);

  corbel_redis_conn_release(first.object); /* a lease that is given back goes to whoever waits longest */
  third = lease(redis, 0);
  printf("third lease after a release: %s\n", corbel_status_name(third.status));
  int served = third.status == CORBEL_OK;
  corbel_redis_conn_release(third.object);
  corbel_redis_conn_release(second.object);

  corbel_redis_free(redis);
  corbel_runtime_shutdown(rt, 0, NULL);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  return busy && served ? 0 : 1;
}
