/* The pools of a process: references on them, live resizing, the budget, the document followed. */
#include "postgres.h"

static const char *const update_channel = "home:default-project:kdcube:config:gateway:update";

static corbel_config *sized(const struct world *w, const char *component, int redis) {
  char json[256];
  corbel_config *c = NULL;
  corbel_error *e = NULL;
  snprintf(json, sizeof json, "{\"redis_url\": \"%s\", \"pools\": {\"redis_max_connections\": %d, \"pg_pool_max_size\": 3}}",
           w->server.url, redis);
  corbel_status s = corbel_config_parse(json, strlen(json), component, &c, &e);
  tell(e);
  REQUIRE(s == CORBEL_OK);
  return c;
}

static corbel_pools *open_pools(const struct world *w, const char *component, int redis) {
  corbel_config *c = sized(w, component, redis);
  corbel_pools *p = NULL;
  corbel_error *e = NULL;
  corbel_status s = corbel_pools_open(w->rt, c, &p, &e);
  tell(e);
  REQUIRE(s == CORBEL_OK);
  corbel_config_free(c);
  return p;
}

static corbel_redis *pool_of(corbel_pools *p, const char *kind) {
  corbel_redis *r = NULL;
  corbel_error *e = NULL;
  corbel_status s = corbel_pools_redis(p, kind, &r, &e);
  tell(e);
  REQUIRE(s == CORBEL_OK && r != NULL);
  return r;
}

static uint32_t cap(corbel_redis *r) {
  corbel_redis_stats s;
  CHECK_EQ(corbel_redis_stats_get(r, &s, sizeof s), CORBEL_OK);
  return s.max;
}

static int answers(struct world *w, corbel_redis *r) {
  corbel_redis *before = w->r;
  w->r = r;
  corbel_event ev = COMMAND(w, "PING");
  w->r = before;
  int ok = ev.status == CORBEL_OK && same(root_bytes(&ev), "PONG");
  corbel_event_clear(&ev, sizeof ev);
  return ok;
}

static void references_are_freed_in_any_order(void) {
  struct world w = world_open();
  corbel_pools *p = open_pools(&w, "ingress", 4);
  corbel_redis *async = pool_of(p, NULL), *again = pool_of(p, "async"), *sync = pool_of(p, "sync");
  CHECK(answers(&w, async) && answers(&w, sync));
  corbel_redis_free(async);
  CHECK(answers(&w, again)); /* freeing one reference does not close the pool */
  corbel_pools_free(p);
  CHECK(answers(&w, again) && answers(&w, sync));
  corbel_redis_free(sync);
  corbel_redis_free(again);
  world_close(&w);
}

static void kinds_follow_from_the_component(void) {
  struct world w = world_open();
  corbel_pools *ingress = open_pools(&w, "ingress", 4), *proc = open_pools(&w, "proc", 4);
  corbel_redis *r = NULL;
  corbel_error *e = NULL;
  corbel_redis_free(pool_of(ingress, "async_decode"));
  corbel_redis_free(pool_of(proc, "shared"));
  CHECK_EQ(corbel_pools_redis(proc, "async_decode", &r, &e), CORBEL_INVALID);
  CHECK(strstr(corbel_error_message(e), "no Redis pool 'async_decode' in the component proc") != NULL);
  corbel_error_free(e);
  corbel_pools_free(proc);
  corbel_pools_free(ingress);
  world_close(&w);
}

static void settings_are_applied_live(void) {
  struct world w = world_open();
  corbel_pools *p = open_pools(&w, "ingress", 4);
  corbel_redis *r = pool_of(p, "sync");
  corbel_config *more = sized(&w, "ingress", 9), *other = sized(&w, "proc", 9);
  CHECK_EQ(cap(r), 4);
  CHECK_EQ(corbel_pools_apply(p, more, NULL), CORBEL_OK);
  CHECK_EQ(cap(r), 9);
  CHECK_EQ(corbel_pools_apply(p, other, NULL), CORBEL_INVALID);
  corbel_config_free(other);
  corbel_config_free(more);
  corbel_redis_free(r);
  corbel_pools_free(p);
  world_close(&w);
}

static void the_document_is_followed(void) {
  struct world w = world_open();
  corbel_pools *p = open_pools(&w, "ingress", 4);
  corbel_redis *r = pool_of(p, "async");
  corbel_event ev;
  CHECK_EQ(corbel_pools_follow(p, w.q, 11, NULL), CORBEL_OK);
  CHECK_EQ(corbel_pools_follow(p, w.q, 11, NULL), CORBEL_STATE);
  for (long long until = now_ms() + 20000; now_ms() < until;) { /* until it is subscribed */
    ev = COMMAND(&w, "PUBLISH", update_channel, "{\"config\": {\"pools\": {\"redis_max_connections\": 7}}}");
    corbel_event_clear(&ev, sizeof ev);
    memset(&ev, 0, sizeof ev);
    if (corbel_events_take(w.q, &ev, 1, sizeof ev, 20) == 1) break;
  }
  CHECK_EQ(ev.kind, CORBEL_EVENT_CONFIG);
  CHECK_EQ(ev.user, 11);
  REQUIRE(ev.object != NULL);
  corbel_text *t = NULL;
  corbel_bytes b = {NULL, 0};
  CHECK_EQ(corbel_config_json(ev.object, &t, NULL), CORBEL_OK);
  CHECK_EQ(corbel_text_bytes(t, &b), CORBEL_OK);
  CHECK(b.data && strstr(b.data, "\"redis_max_connections\": 7"));
  corbel_text_free(t);
  AWAIT(cap(r) == 7);
  corbel_event_clear(&ev, sizeof ev);
  CHECK(ev.object == NULL);
  ev = COMMAND(&w, "PUBLISH", update_channel, "{\"config\": {\"pools\": {\"redis_max_connections\": \"7\"}}}");
  corbel_event_clear(&ev, sizeof ev);
  AWAIT(corbel_health_state(w.rt, "gateway:config") == CORBEL_HEALTH_DEGRADED);
  CHECK_EQ(cap(r), 7);
  corbel_redis_free(r);
  corbel_pools_free(p);
  AWAIT(corbel_health_state(w.rt, "gateway:config") == CORBEL_HEALTH_UNKNOWN);
  world_close(&w);
}

static void the_budget_comes_as_an_event(void) {
  struct world w = world_open();
  corbel_pools *p = open_pools(&w, "ingress", 4);
  corbel_call c = call_to(w.q, 5);
  corbel_ticket t = 0;
  corbel_bytes b = {NULL, 0};
  CHECK_EQ(corbel_pools_budget(p, 2, &c, &t), CORBEL_OK);
  corbel_event ev = await_event(w.q, CORBEL_EVENT_BUDGET);
  CHECK(t != 0 && ev.ticket == t && ev.user == 5);
  CHECK_EQ(ev.status, CORBEL_OK);
  CHECK_EQ(ev.value, 0);
  REQUIRE(ev.object != NULL);
  CHECK_EQ(corbel_text_bytes(ev.object, &b), CORBEL_OK);
  CHECK(b.data && strstr(b.data, "\"planned\": 24, \"allowed\": 10000"));
  CHECK(b.data && strstr(b.data, "\"over\": false, \"table\": \"component"));
  corbel_event_clear(&ev, sizeof ev);
  CHECK_EQ(corbel_pools_budget(p, 2000, &c, &t), CORBEL_OK);
  ev = await_event(w.q, CORBEL_EVENT_BUDGET);
  CHECK_EQ(ev.value, 1);
  CHECK_EQ(corbel_health_state(w.rt, "budget:redis"), CORBEL_HEALTH_DEGRADED);
  corbel_event_clear(&ev, sizeof ev);
  CHECK_EQ(corbel_pools_budget(p, 1, NULL, NULL), CORBEL_INVALID);
  corbel_pools_free(p);
  world_close(&w);
}

static void a_budget_can_be_cancelled(void) {
  struct world w = world_open();
  corbel_pools *p = open_pools(&w, "ingress", 4);
  corbel_call c = call_to(w.q, 5);
  corbel_ticket t = 0;
  c.timeout_ms = 30000;
  CHECK_EQ(corbel_pools_budget(p, 1, &c, &t), CORBEL_OK);
  corbel_event ev = await_event(w.q, CORBEL_EVENT_BUDGET);
  corbel_event_clear(&ev, sizeof ev);
  kill(w.server.pid, SIGSTOP); /* it is asked and does not answer */
  CHECK_EQ(corbel_pools_budget(p, 1, &c, &t), CORBEL_OK);
  CHECK_EQ(corbel_cancel(w.rt, t), CORBEL_OK);
  ev = await_event(w.q, CORBEL_EVENT_BUDGET);
  CHECK_EQ(ev.ticket, t);
  CHECK_EQ(ev.status, CORBEL_CANCELLED);
  corbel_event_clear(&ev, sizeof ev);
  kill(w.server.pid, SIGCONT);
  CHECK_EQ(corbel_pools_budget(p, 1, &c, &t), CORBEL_OK);
  ev = await_event(w.q, CORBEL_EVENT_BUDGET);
  CHECK_EQ(ev.ticket, t); /* nothing came of the cancelled one any more */
  corbel_event_clear(&ev, sizeof ev);
  corbel_pools_free(p);
  world_close(&w);
}

static void statistics_come_as_json(void) {
  struct world w = world_open();
  corbel_pools *p = open_pools(&w, "proc", 4);
  corbel_text *t = NULL;
  corbel_bytes b = {NULL, 0};
  CHECK_EQ(corbel_pools_json(p, &t, NULL), CORBEL_OK);
  CHECK_EQ(corbel_text_bytes(t, &b), CORBEL_OK);
  CHECK(b.data && strstr(b.data, "{\"postgres\": null, \"redis\": {\"async\": {\"max_connections\": 4, ") == b.data);
  CHECK(b.data && strstr(b.data, "\"async_decode\": null, \"sync\": null"));
  corbel_text_free(t);
  corbel_pools_free(p);
  world_close(&w);
}

static void postgres_is_opened_when_it_is_asked_for(void) {
  struct world w = world_open();
  corbel_pools *p = open_pools(&w, "ingress", 4);
  struct pg_world one = {w.rt, w.q, NULL}, other = one;
  corbel_pg_stats s;
  corbel_text *t = NULL;
  corbel_bytes b = {NULL, 0};
  corbel_call c = call_to(w.q, 0);
  CHECK_EQ(corbel_pools_postgres(p, &one.p, NULL), CORBEL_OK);
  CHECK_EQ(corbel_pools_postgres(p, &other.p, NULL), CORBEL_OK);
  REQUIRE(one.p != NULL && other.p != NULL);
  CHECK(gives(ask(&one, "SELECT 1"), "1"));
  CHECK_EQ(corbel_pg_stats_get(other.p, &s, sizeof s), CORBEL_OK);
  CHECK(s.max == 3 && s.statements == 1); /* sized by the settings, and the same pool */
  CHECK_EQ(corbel_pools_json(p, &t, NULL), CORBEL_OK);
  CHECK(corbel_text_bytes(t, &b) == CORBEL_OK &&
        strstr(b.data, "{\"postgres\": {\"min_size\": 0, \"max_size\": 3, ") == b.data);
  corbel_text_free(t);
  CHECK_EQ(corbel_pools_budget(p, 2, &c, NULL), CORBEL_OK);
  corbel_event ev = await_event(w.q, CORBEL_EVENT_BUDGET);
  CHECK(ev.object && corbel_text_bytes(ev.object, &b) == CORBEL_OK);
  CHECK(b.data && strstr(b.data, "\"postgres\": {\"planned\": 6, \"allowed\": 100, \"reserved\": 3"));
  corbel_event_clear(&ev, sizeof ev);
  corbel_pg_free(one.p);
  CHECK(gives(ask(&other, "SELECT 2"), "2")); /* freeing one reference does not close the pool */
  corbel_pools_free(p);
  CHECK(gives(ask(&other, "SELECT 3"), "3"));
  corbel_pg_free(other.p);
  world_close(&w);
}

static void misuse_is_refused(void) {
  struct world w = world_open();
  corbel_config *c = sized(&w, NULL, 4);
  corbel_pools *p = open_pools(&w, NULL, 4), *none = NULL;
  corbel_redis *r = NULL;
  corbel_pg *pg = NULL;
  corbel_text *t = NULL;
  corbel_call to = call_to(w.q, 0);
  CHECK_EQ(corbel_pools_open(NULL, c, &none, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_pools_open(w.rt, NULL, &none, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_pools_open(w.rt, c, NULL, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_pools_redis(NULL, NULL, &r, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_pools_redis(p, NULL, NULL, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_pools_postgres(NULL, &pg, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_pools_postgres(p, NULL, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_pools_apply(p, NULL, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_pools_apply(NULL, c, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_pools_follow(NULL, NULL, 0, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_pools_budget(NULL, 1, &to, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_pools_json(NULL, &t, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_pools_json(p, NULL, NULL), CORBEL_INVALID);
  corbel_pools_free(NULL);
  CHECK_EQ(corbel_runtime_shutdown(w.rt, 20000, NULL), CORBEL_OK);
  CHECK_EQ(corbel_pools_open(w.rt, c, &none, NULL), CORBEL_CLOSED);
  CHECK_EQ(corbel_pools_redis(p, NULL, &r, NULL), CORBEL_CLOSED);
  CHECK_EQ(corbel_pools_postgres(p, &pg, NULL), CORBEL_CLOSED);
  CHECK(pg == NULL);
  CHECK_EQ(corbel_pools_apply(p, c, NULL), CORBEL_CLOSED);
  CHECK_EQ(corbel_pools_follow(p, NULL, 0, NULL), CORBEL_CLOSED);
  CHECK_EQ(corbel_pools_budget(p, 1, &to, NULL), CORBEL_CLOSED);
  corbel_pools_free(p);
  corbel_config_free(c);
  world_close(&w);
}

static void a_child_after_fork_may_free_and_nothing_else(void) {
  struct world w = world_open();
  corbel_pools *p = open_pools(&w, NULL, 4);
  corbel_config *c = sized(&w, NULL, 5);
  CHECK_EQ(corbel_pools_follow(p, w.q, 0, NULL), CORBEL_OK);
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    corbel_redis *r = NULL;
    corbel_pg *pg = NULL;
    corbel_text *t = NULL;
    corbel_call to = call_to(w.q, 0);
    int ok = corbel_pools_redis(p, NULL, &r, NULL) == CORBEL_FORKED && corbel_pools_apply(p, c, NULL) == CORBEL_FORKED &&
             corbel_pools_json(p, &t, NULL) == CORBEL_FORKED && corbel_pools_budget(p, 1, &to, NULL) == CORBEL_FORKED &&
             corbel_pools_follow(p, NULL, 0, NULL) == CORBEL_FORKED && corbel_config_json(c, &t, NULL) == CORBEL_OK &&
             corbel_pools_postgres(p, &pg, NULL) == CORBEL_FORKED;
    corbel_pools_free(p);
    corbel_config_free(c);
    _exit(ok ? 0 : 1);
  }
  int how = -1;
  waitpid(child, &how, 0);
  CHECK_EQ(how, 0);
  corbel_config_free(c);
  corbel_pools_free(p);
  world_close(&w);
}

int main(void) {
  postgres_start(&postgres);
  setenv("PGHOST", "127.0.0.1", 1);
  setenv("PGPORT", postgres.port, 1);
  setenv("PGUSER", "postgres", 1);
  RUN(references_are_freed_in_any_order);
  RUN(kinds_follow_from_the_component);
  RUN(settings_are_applied_live);
  RUN(the_document_is_followed);
  RUN(the_budget_comes_as_an_event);
  RUN(a_budget_can_be_cancelled);
  RUN(statistics_come_as_json);
  RUN(postgres_is_opened_when_it_is_asked_for);
  RUN(misuse_is_refused);
  RUN(a_child_after_fork_may_free_and_nothing_else);
  return postgres_report();
}
