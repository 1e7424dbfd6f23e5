/* What most C tests start from: a server, a runtime, an event queue, a pool; and waiting for events. */
#ifndef TESTS_CAPI_WORLD_H
#define TESTS_CAPI_WORLD_H
#include "server.h"

#include <corbel.h>

struct world {
  struct server server;
  corbel_runtime *rt;
  corbel_events *q;
  corbel_redis *r;
};

/* Says a failure's message, which the test did not expect, and frees it. */
static inline void tell(corbel_error *e) {
  if (e) printf("  %s: %s\n", corbel_status_name(corbel_error_status(e)), corbel_error_message(e));
  corbel_error_free(e);
}

static inline corbel_runtime *open_runtime(void) {
  corbel_runtime_options o = {.struct_size = sizeof o, .name = "capi", .log_level = CORBEL_LOG_ERROR};
  corbel_runtime *rt = NULL;
  corbel_error *e = NULL;
  corbel_status s = corbel_runtime_open(&o, &rt, &e);
  tell(e);
  REQUIRE(s == CORBEL_OK && rt != NULL);
  return rt;
}

static inline corbel_events *open_events(corbel_runtime *rt) {
  corbel_events *q = NULL;
  REQUIRE(corbel_events_open(rt, 0, &q, NULL) == CORBEL_OK && q != NULL);
  return q;
}

static inline corbel_redis *open_pool(corbel_runtime *rt, const char *url, uint32_t max_size) {
  corbel_redis_options o = {.struct_size = sizeof o, .url = url, .max_size = max_size, .kind = "main", .call_ms = 20000};
  corbel_redis *r = NULL;
  corbel_error *e = NULL;
  corbel_status s = corbel_redis_open(rt, &o, &r, &e);
  tell(e);
  REQUIRE(s == CORBEL_OK && r != NULL);
  return r;
}

static inline struct world world_open(void) {
  struct world w;
  server_start(&w.server);
  w.rt = open_runtime();
  w.q = open_events(w.rt);
  w.r = open_pool(w.rt, w.server.url, 0);
  return w;
}

static inline void world_close(struct world *w) {
  corbel_redis_free(w->r);
  CHECK_EQ(corbel_runtime_shutdown(w->rt, 20000, NULL), CORBEL_OK);
  corbel_events_free(w->q);
  corbel_runtime_free(w->rt);
  server_stop(&w->server);
}

static inline corbel_call call_to(corbel_events *q, uint64_t user) {
  corbel_call c = {.struct_size = sizeof c, .to = q, .user = user};
  return c;
}

static inline corbel_bytes bytes(const char *text) {
  corbel_bytes b = {text, text ? strlen(text) : 0};
  return b;
}

/* Waits for the next event; kind 0: any; events of other kinds are cleared. Kind 0 in the answer: none came. */
static inline corbel_event await_event(corbel_events *q, int32_t kind) {
  corbel_event ev;
  long long until = now_ms() + 20000;
  while (now_ms() < until) {
    memset(&ev, 0, sizeof ev);
    if (corbel_events_take(q, &ev, 1, sizeof ev, 1000) == 0) continue;
    if (kind == 0 || ev.kind == kind) return ev;
    corbel_event_clear(&ev, sizeof ev);
  }
  memset(&ev, 0, sizeof ev);
  CHECK(!"an event came in time");
  return ev;
}

/* Sends a command given as words, ended by NULL, and waits for its event. */
static inline corbel_event run_command(struct world *w, const char *const *words) {
  corbel_bytes argv[16];
  size_t argc = 0;
  corbel_ticket t = 0;
  corbel_call c = call_to(w->q, 7);
  while (words[argc]) {
    argv[argc] = bytes(words[argc]);
    argc++;
  }
  CHECK_EQ(corbel_redis_send(w->r, argv, argc, &c, &t), CORBEL_OK);
  corbel_event ev = await_event(w->q, CORBEL_EVENT_REPLY);
  CHECK(t != 0 && ev.ticket == t && ev.user == 7);
  return ev;
}
#define COMMAND(w, ...) run_command(w, (const char *const[]){__VA_ARGS__, NULL})

static inline corbel_bytes root_bytes(const corbel_event *ev) {
  corbel_bytes b = {NULL, 0};
  if (ev->object) corbel_node_bytes(corbel_reply_root(ev->object), &b);
  return b;
}

static inline int same(corbel_bytes b, const char *text) {
  return b.data && b.size == strlen(text) && memcmp(b.data, text, b.size) == 0;
}
#endif
