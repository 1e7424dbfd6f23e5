/* Lesson: the budget compares the connections that all instances of a service may open with what the servers allow, before
 * the servers refuse any. Who opens the pools from a configuration asks for it in one call.
 *
 *     REDIS_URL=redis://localhost:6379 PGHOST=localhost PGUSER=postgres build/dev/examples/lessons/lesson_c_budget */
#include <corbel.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static corbel_error *e;

static void die(const char *what, corbel_error *why) {
  fprintf(stderr, "%s: %s: %s\n", what, corbel_status_name(corbel_error_status(why)), corbel_error_message(why));
  exit(1);
}

/* A service has its document from the environment: corbel_config_from_env. */
static corbel_config *settings(void) {
  const char *url = getenv("REDIS_URL");
  char json[512];
  corbel_config *c = NULL;
  snprintf(json, sizeof json, "{\"redis_url\": \"%s\", \"pools\": {\"redis_max_connections\": 20, \"pg_pool_max_size\": 8}}",
           url ? url : "redis://localhost:6379");
  if (corbel_config_parse(json, strlen(json), "ingress", &c, &e)) die("document", e);
  return c;
}

/* The budget comes as JSON; its member "table" is text for people. */
static void print_table(const corbel_text *budget) {
  corbel_bytes json = {"", 0};
  corbel_text_bytes(budget, &json);
  const char *at = strstr(json.data, "\"table\": \"");
  for (at = at ? at + strlen("\"table\": \"") : ""; *at && *at != '"'; at++)
    if (*at == '\\')
      putchar(*++at == 'n' ? '\n' : *at);
    else
      putchar(*at);
}

static int fits(corbel_pools *pools, corbel_events *q, uint32_t instances) {
  corbel_call c = {.struct_size = sizeof c, .to = q, .err = &e};
  corbel_event ev;
  if (corbel_pools_budget(pools, instances, &c, NULL)) die("budget", e);
  corbel_events_take(q, &ev, 1, sizeof ev, -1);
  if (ev.status) die("budget", ev.error);
  const int over = ev.value != 0;
  printf("%u instances: %s\n", instances, over ? "over" : "fits");
  print_table(ev.object);
  corbel_event_clear(&ev, sizeof ev);
  return !over;
}

int main(void) {
  printf("lesson: budget\n");
  corbel_runtime_options ro = {.struct_size = sizeof ro, .name = "budget"};
  corbel_runtime *rt = NULL;
  corbel_events *q = NULL;
  corbel_pools *pools = NULL;
  corbel_pg *pg = NULL;
  if (corbel_runtime_open(&ro, &rt, &e) || corbel_events_open(rt, 0, &q, &e)) die("runtime", e);
  corbel_config *config = settings();
  if (corbel_pools_open(rt, config, &pools, &e)) die("pools", e);
  if (corbel_pools_postgres(pools, &pg, &e)) die("postgres", e); /* who never asks for it is not told about it */

  const int few = fits(pools, q, 3), many = fits(pools, q, 30);
  printf("health of budget:postgres: %s\n",
         corbel_health_state(rt, "budget:postgres") == CORBEL_HEALTH_DEGRADED ? "degraded" : "ok");

  corbel_pg_free(pg);
  corbel_pools_free(pools);
  corbel_config_free(config);
  corbel_runtime_shutdown(rt, 0, NULL);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  return few && !many ? 0 : 1;
}
