/* Opening, shutting down, freeing; metrics; cancelling what is unknown. */
#include "world.h"

static corbel_status open_with(corbel_runtime_options o) {
  corbel_runtime *rt = NULL;
  corbel_error *e = NULL;
  corbel_status s = corbel_runtime_open(&o, &rt, &e);
  CHECK((s == CORBEL_OK) == (rt != NULL) && (s == CORBEL_OK) == (e == NULL));
  CHECK_EQ(corbel_error_status(e), s);
  corbel_error_free(e);
  corbel_runtime_free(rt);
  return s;
}

static void defaults_open_and_wrong_options_do_not(void) {
  CHECK_EQ(open_with((corbel_runtime_options){.struct_size = sizeof(corbel_runtime_options)}), CORBEL_OK);
  CHECK_EQ(open_with((corbel_runtime_options){.struct_size = sizeof(corbel_runtime_options), .io_threads = 3}), CORBEL_OK);
  CHECK_EQ(open_with((corbel_runtime_options){.struct_size = sizeof(corbel_runtime_options), .io_threads = 65}),
           CORBEL_INVALID);
  CHECK_EQ(open_with((corbel_runtime_options){.struct_size = sizeof(corbel_runtime_options), .log_level = 6}),
           CORBEL_INVALID);
  CHECK_EQ(open_with((corbel_runtime_options){.struct_size = sizeof(corbel_runtime_options), .flags = 0x80000000u}),
           CORBEL_INVALID);
}

static void a_shutdown_answers_the_same_again(void) {
  corbel_runtime *rt = open_runtime();
  corbel_error *e = NULL;
  CHECK_EQ(corbel_runtime_shutdown(rt, -1, &e), CORBEL_INVALID);
  CHECK(e != NULL);
  corbel_error_free(e);
  CHECK_EQ(corbel_runtime_shutdown(rt, 0, NULL), CORBEL_OK);
  CHECK_EQ(corbel_runtime_shutdown(rt, 1, NULL), CORBEL_OK);
  corbel_runtime_free(rt);
}

static void a_late_shutdown_names_what_was_left(void) {
  struct world w = world_open();
  corbel_error *e = NULL;
  corbel_call c = call_to(w.q, 3);
  corbel_ticket t = 0;
  corbel_event ev = COMMAND(&w, "PING");
  corbel_event_clear(&ev, sizeof ev);
  CHECK_EQ(corbel_redis_lease(w.r, &c, &t), CORBEL_OK);
  ev = await_event(w.q, CORBEL_EVENT_LEASE);
  REQUIRE(ev.object != NULL);
  corbel_redis_conn *k = ev.object;
  corbel_bytes block[] = {bytes("BLPOP"), bytes("never"), bytes("0")};
  c.timeout_ms = -1;
  CHECK_EQ(corbel_redis_conn_send(k, block, 3, &c, &t), CORBEL_OK);
  long long start = now_ms();
  CHECK_EQ(corbel_runtime_shutdown(w.rt, 100, &e), CORBEL_TIMEOUT);
  CHECK(now_ms() - start < 10000);
  CHECK(strlen(corbel_error_message(e)) > 0 && strchr(corbel_error_message(e), '1') != NULL);
  corbel_error_free(e);
  CHECK_EQ(corbel_runtime_shutdown(w.rt, 100, NULL), CORBEL_TIMEOUT);
  ev = await_event(w.q, CORBEL_EVENT_REPLY);
  CHECK(ev.ticket == t && ev.status == CORBEL_CANCELLED && ev.object == NULL);
  corbel_event_clear(&ev, sizeof ev);
  corbel_redis_conn_release(k);
  corbel_redis_free(w.r);
  corbel_events_free(w.q);
  corbel_runtime_free(w.rt);
  server_stop(&w.server);
}

static void after_the_shutdown_every_call_is_closed(void) {
  struct world w = world_open();
  corbel_redis *r = NULL;
  corbel_events *q = NULL;
  corbel_sub *sub = NULL;
  corbel_monitor *m = NULL;
  corbel_producer *p = NULL;
  corbel_consumer *k = NULL;
  corbel_ticket t = 0;
  corbel_call c = call_to(w.q, 0);
  corbel_bytes word = bytes("PING");
  corbel_redis_options ro = {.struct_size = sizeof ro, .url = w.server.url};
  corbel_sub_options so = {.struct_size = sizeof so, .to = w.q};
  corbel_monitor_options mo = {.struct_size = sizeof mo};
  corbel_queue_options qo = {.struct_size = sizeof qo, .to = w.q};
  CHECK_EQ(corbel_runtime_shutdown(w.rt, 20000, NULL), CORBEL_OK);
  CHECK_EQ(corbel_redis_send(w.r, &word, 1, &c, &t), CORBEL_CLOSED);
  CHECK_EQ(corbel_redis_eval(w.r, bytes("return 1"), NULL, 0, 0, &c, &t), CORBEL_CLOSED);
  CHECK_EQ(corbel_redis_lease(w.r, &c, &t), CORBEL_CLOSED);
  CHECK_EQ(corbel_redis_open(w.rt, &ro, &r, NULL), CORBEL_CLOSED);
  CHECK_EQ(corbel_events_open(w.rt, 0, &q, NULL), CORBEL_CLOSED);
  CHECK_EQ(corbel_sub_open(w.r, &so, &sub, NULL), CORBEL_CLOSED);
  CHECK_EQ(corbel_monitor_open(w.r, &mo, &m, NULL), CORBEL_CLOSED);
  CHECK_EQ(corbel_producer_open(w.r, &qo, &p, NULL), CORBEL_CLOSED);
  CHECK_EQ(corbel_consumer_open(w.r, &qo, &k, NULL), CORBEL_CLOSED);
  CHECK(r == NULL && q == NULL && sub == NULL && m == NULL && p == NULL && k == NULL);
  corbel_event ev;
  CHECK_EQ(corbel_events_take(w.q, &ev, 1, sizeof ev, -1), 0);
  world_close(&w);
}

static void metrics_come_as_text(void) {
  struct world w = world_open();
  corbel_event ev = COMMAND(&w, "PING");
  corbel_event_clear(&ev, sizeof ev);
  corbel_text *text = NULL;
  corbel_bytes b = {NULL, 0};
  CHECK_EQ(corbel_runtime_metrics(w.rt, CORBEL_METRICS_PROMETHEUS, &text, NULL), CORBEL_OK);
  CHECK_EQ(corbel_text_bytes(text, &b), CORBEL_OK);
  CHECK(b.size > 0 && ((const char *)b.data)[b.size] == 0 && strstr(b.data, "# TYPE corbel_") != NULL);
  corbel_text_free(text);
  text = NULL;
  CHECK_EQ(corbel_runtime_metrics(w.rt, 2, &text, NULL), CORBEL_UNSUPPORTED);
  CHECK(text == NULL);
  world_close(&w);
}

static void an_unknown_ticket_may_be_cancelled(void) {
  corbel_runtime *rt = open_runtime();
  CHECK_EQ(corbel_cancel(rt, 0), CORBEL_OK);
  CHECK_EQ(corbel_cancel(rt, 123456789), CORBEL_OK);
  corbel_runtime_free(rt);
}

static void many_runtimes_live_side_by_side(void) {
  corbel_runtime *all[20];
  for (int i = 0; i < 20; i++) all[i] = open_runtime();
  for (int i = 0; i < 20; i += 2) CHECK_EQ(corbel_runtime_shutdown(all[i], 1000, NULL), CORBEL_OK);
  for (int i = 0; i < 20; i++) corbel_runtime_free(all[i]);
}

int main(void) {
  RUN(defaults_open_and_wrong_options_do_not);
  RUN(a_shutdown_answers_the_same_again);
  RUN(a_late_shutdown_names_what_was_left);
  RUN(after_the_shutdown_every_call_is_closed);
  RUN(metrics_come_as_text);
  RUN(an_unknown_ticket_may_be_cancelled);
  RUN(many_runtimes_live_side_by_side);
  return check_report();
}
