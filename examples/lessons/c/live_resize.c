/* Lesson: a changed document resizes the pools while callers go on. Growth serves who waits, at once; shrinking takes no
 * connection from anybody, it closes them as they come back.
 *
 *     REDIS_URL=redis://localhost:6379 build/dev/examples/lessons/lesson_c_live_resize */
#include <corbel.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALLERS 6

static corbel_error *e;
static corbel_events *q;

static void die(const char *what, corbel_error *why) {
  fprintf(stderr, "%s: %s: %s\n", what, corbel_status_name(corbel_error_status(why)), corbel_error_message(why));
  exit(1);
}

static corbel_config *settings(int max) {
  const char *url = getenv("REDIS_URL");
  char json[512];
  corbel_config *c = NULL;
  snprintf(json, sizeof json, "{\"redis_url\": \"%s\", \"pools\": {\"redis_max_connections\": %d}}",
           url ? url : "redis://localhost:6379", max);
  if (corbel_config_parse(json, strlen(json), "proc", &c, &e)) die("document", e);
  return c;
}

/* A document usually changes for all services at once: corbel_pools_follow applies what is published. */
static void apply(corbel_pools *pools, int max) {
  corbel_config *c = settings(max);
  if (corbel_pools_apply(pools, c, &e)) die("apply", e);
  corbel_config_free(c);
}

static corbel_event next(void) {
  corbel_event ev;
  corbel_events_take(q, &ev, 1, sizeof ev, -1);
  if (ev.status) die("call", ev.error);
  return ev;
}

static void show(const char *when, corbel_redis *r, int callers, const char *what) {
  corbel_redis_stats s;
  corbel_redis_stats_get(r, &s, sizeof s);
  printf("%s: max %u, %d of %d callers %s\n", when, s.max, callers, CALLERS, what);
}

int main(void) {
  printf("lesson: live_resize\n");
  corbel_runtime_options ro = {.struct_size = sizeof ro, .name = "live_resize"};
  corbel_runtime *rt = NULL;
  corbel_pools *pools = NULL;
  corbel_redis *r = NULL;
  if (corbel_runtime_open(&ro, &rt, &e) || corbel_events_open(rt, 0, &q, &e)) die("runtime", e);
  corbel_config *config = settings(3);
  if (corbel_pools_open(rt, config, &pools, &e) || corbel_pools_redis(pools, NULL, &r, &e)) die("pools", e);
  corbel_config_free(config);

  /* Six callers want a connection of their own. Of three one stays for commands, so that four callers wait. */
  corbel_call c = {.struct_size = sizeof c, .to = q, .err = &e};
  corbel_redis_conn *leases[CALLERS];
  int served = 0;
  for (int i = 0; i < CALLERS; i++)
    if (corbel_redis_lease(r, &c, NULL)) die("lease", e);
  while (served < 2) leases[served++] = next().object;
  show("before", r, served, "have a connection");

  apply(pools, 7);
  while (served < CALLERS) leases[served++] = next().object;
  show("after", r, served, "have a connection");

  apply(pools, 3);
  corbel_bytes ping = {"PING", 4};
  int answered = 0;
  for (int i = 0; i < CALLERS; i++)
    if (corbel_redis_conn_send(leases[i], &ping, 1, &c, NULL)) die("send", e);
  for (; answered < CALLERS; answered++) {
    corbel_event ev = next();
    corbel_event_clear(&ev, sizeof ev);
  }
  show("shrunk", r, answered, "were answered");

  for (int i = 0; i < CALLERS; i++) corbel_redis_conn_release(leases[i]);
  corbel_redis_free(r);
  corbel_pools_free(pools);
  corbel_runtime_shutdown(rt, 0, NULL);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  return 0;
}
