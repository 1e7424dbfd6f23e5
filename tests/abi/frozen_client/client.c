/* A client as it was compiled when version 0.1.0 of the headers closed: this file and the headers beside it never change,
 * and the program must run on every later library of the same SONAME. It walks through every concept once. */
#include <corbel.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEED(condition)                                        \
  do {                                                         \
    if (!(condition)) {                                        \
      printf("line %d: not true: %s\n", __LINE__, #condition); \
      exit(1);                                                 \
    }                                                          \
  } while (0)

static corbel_events *q;

static corbel_event take(int32_t kind) {
  corbel_event ev;
  for (;;) {
    memset(&ev, 0, sizeof ev);
    NEED(corbel_events_take(q, &ev, 1, sizeof ev, 20000) == 1);
    if (ev.kind == kind) break;
    corbel_event_clear(&ev, sizeof ev);
  }
  NEED(ev.status == CORBEL_OK && ev.error == NULL);
  return ev;
}

static corbel_call to_queue(uint64_t user) {
  corbel_call c;
  memset(&c, 0, sizeof c);
  c.struct_size = sizeof c;
  c.to = q;
  c.user = user;
  return c;
}

static void commands(corbel_redis *r) {
  corbel_bytes set[] = {{"SET", 3}, {"frozen", 6}, {"client", 6}}, get[] = {{"GET", 3}, {"frozen", 6}};
  corbel_call c = to_queue(1);
  corbel_ticket t = 0;
  NEED(corbel_redis_send(r, set, 3, &c, &t) == CORBEL_OK);
  corbel_event ev = take(CORBEL_EVENT_REPLY);
  NEED(ev.ticket == t && ev.user == 1);
  corbel_event_clear(&ev, sizeof ev);
  NEED(corbel_redis_lease(r, &c, &t) == CORBEL_OK);
  ev = take(CORBEL_EVENT_LEASE);
  corbel_redis_conn *k = ev.object;
  NEED(corbel_redis_conn_send(k, get, 2, &c, &t) == CORBEL_OK);
  ev = take(CORBEL_EVENT_REPLY);
  corbel_record record;
  NEED(corbel_reply_records(ev.object, &record, 1, sizeof record) == 1);
  NEED(record.kind == CORBEL_NODE_STRING && record.value == 6 && memcmp(record.data, "client", 6) == 0);
  corbel_event_clear(&ev, sizeof ev);
  corbel_redis_conn_release(k);
  corbel_redis_stats s;
  NEED(corbel_redis_stats_get(r, &s, sizeof s) == CORBEL_OK && s.max == 4 && s.commands >= 2);
}

static void subscription(corbel_redis *r) {
  corbel_sub_options o;
  corbel_sub *s = NULL;
  corbel_bytes publish[] = {{"PUBLISH", 7}, {"news", 4}, {"hello", 5}}, payload = {NULL, 0};
  corbel_call c = to_queue(2);
  NEED(corbel_options_init(&o, "sub_options", sizeof o) == CORBEL_OK);
  o.to = q;
  NEED(corbel_sub_open(r, &o, &s, NULL) == CORBEL_OK);
  NEED(corbel_sub_change(s, CORBEL_SUB_CHANNEL, "news", 4, &c, NULL) == CORBEL_OK);
  corbel_event ev = take(CORBEL_EVENT_DONE);
  NEED(ev.value == 1);
  NEED(corbel_redis_send(r, publish, 3, NULL, NULL) == CORBEL_OK);
  ev = take(CORBEL_EVENT_PUBLISHED);
  NEED(corbel_node_bytes(corbel_node_at(corbel_reply_root(ev.object), 2), &payload) == CORBEL_OK);
  NEED(payload.size == 5 && memcmp(payload.data, "hello", 5) == 0);
  corbel_event_clear(&ev, sizeof ev);
  corbel_sub_free(s);
}

static void queue(corbel_redis *r) {
  corbel_queue_options o;
  corbel_producer *p = NULL;
  corbel_consumer *k = NULL;
  corbel_put item;
  corbel_settle s;
  corbel_call c = to_queue(3);
  NEED(corbel_options_init(&o, "queue_options", sizeof o) == CORBEL_OK);
  NEED(corbel_options_init(&item, "put", sizeof item) == CORBEL_OK);
  NEED(corbel_options_init(&s, "settle", sizeof s) == CORBEL_OK);
  o.name = "frozen:queue";
  o.to = q;
  item.body.data = "body";
  item.body.size = 4;
  s.how = CORBEL_SETTLE_DONE;
  NEED(corbel_producer_open(r, &o, &p, NULL) == CORBEL_OK && corbel_consumer_open(r, &o, &k, NULL) == CORBEL_OK);
  NEED(corbel_producer_put(p, &item, 1, sizeof item, NULL, NULL) == CORBEL_OK);
  corbel_event ev = take(CORBEL_EVENT_MESSAGE);
  corbel_bytes body = {NULL, 0};
  NEED(corbel_message_body(ev.object, &body) == CORBEL_OK && body.size == 4 && corbel_message_attempt(ev.object) == 1);
  NEED(corbel_message_settle(ev.object, &s, &c, NULL) == CORBEL_OK);
  corbel_event done = take(CORBEL_EVENT_DONE);
  NEED(done.value == 1);
  corbel_event_clear(&ev, sizeof ev);
  corbel_consumer_free(k);
  corbel_producer_free(p);
}

static void told(void *user, int32_t state, uint64_t epoch, const corbel_error *why) {
  (void)user, (void)state, (void)epoch, (void)why;
}

static void health(corbel_runtime *rt, corbel_redis *r) {
  corbel_monitor_options o;
  corbel_health_report h;
  corbel_monitor *m = NULL;
  corbel_text *text = NULL;
  uint64_t id = 0;
  NEED(corbel_options_init(&o, "monitor_options", sizeof o) == CORBEL_OK);
  NEED(corbel_options_init(&h, "health_report", sizeof h) == CORBEL_OK);
  NEED(corbel_monitor_open(r, &o, &m, NULL) == CORBEL_OK);
  NEED(corbel_monitor_listen(m, told, NULL, NULL, &id) == CORBEL_OK && corbel_monitor_unlisten(m, id) == CORBEL_OK);
  NEED(corbel_monitor_state(m) == CORBEL_REDIS_UP);
  corbel_monitor_free(m);
  h.part = "disk";
  h.state = CORBEL_HEALTH_OK;
  NEED(corbel_health_set(rt, &h, NULL) == CORBEL_OK && corbel_health_state(rt, "disk") == CORBEL_HEALTH_OK);
  NEED(corbel_health_json(rt, &text, NULL) == CORBEL_OK);
  corbel_text_free(text);
  text = NULL;
  NEED(corbel_runtime_metrics(rt, CORBEL_METRICS_PROMETHEUS, &text, NULL) == CORBEL_OK);
  corbel_text_free(text);
}

int main(int argc, char **argv) {
  NEED(argc == 2);
  NEED(corbel_header_compatible(CORBEL_VERSION) == 1 && corbel_version() >= CORBEL_VERSION);
  corbel_runtime_options o;
  corbel_redis_options ro;
  corbel_runtime *rt = NULL;
  corbel_redis *r = NULL;
  NEED(corbel_options_init(&o, "runtime_options", sizeof o) == CORBEL_OK);
  NEED(corbel_options_init(&ro, "redis_options", sizeof ro) == CORBEL_OK);
  ro.url = argv[1];
  ro.max_size = 4;
  NEED(corbel_runtime_open(&o, &rt, NULL) == CORBEL_OK && corbel_events_open(rt, 0, &q, NULL) == CORBEL_OK);
  NEED(corbel_redis_open(rt, &ro, &r, NULL) == CORBEL_OK);
  commands(r);
  subscription(r);
  queue(r);
  health(rt, r);
  corbel_error *e = NULL;
  corbel_redis *refused = NULL;
  ro.url = "nothing we know";
  NEED(corbel_redis_open(rt, &ro, &refused, &e) == CORBEL_INVALID && corbel_error_status(e) == CORBEL_INVALID);
  corbel_error_free(e);
  corbel_redis_free(r);
  NEED(corbel_runtime_shutdown(rt, 0, NULL) == CORBEL_OK);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  printf("the client of 0.1.0 is served by %s\n", corbel_version_string());
  return 0;
}
