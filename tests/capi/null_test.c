/* NULL where something is required is INVALID, or nothing happens; it never crashes. */
#include "world.h"

static void drop(void *user) { (void)user; }
static void wake(void *user) { (void)user; }
static void state(void *user, int32_t s, uint64_t epoch, const corbel_error *why) {
  (void)user, (void)s, (void)epoch, (void)why;
}
static void event(void *user, corbel_event *ev) { (void)user, (void)ev; }

static void nothing_may_be_freed(void) {
  corbel_error_free(NULL);
  corbel_text_free(NULL);
  corbel_events_free(NULL);
  corbel_runtime_free(NULL);
  corbel_redis_free(NULL);
  corbel_redis_conn_release(NULL);
  corbel_reply_free(NULL);
  corbel_sub_free(NULL);
  corbel_monitor_free(NULL);
  corbel_producer_free(NULL);
  corbel_consumer_free(NULL);
  corbel_message_free(NULL);
  corbel_messages_free(NULL, 0);
  corbel_receipt_free(NULL);
  corbel_inspector_free(NULL);
  corbel_dead_free(NULL);
  corbel_bundles_free(NULL);
  corbel_bundle_free(NULL);
  corbel_bundle_runner_free(NULL);
  corbel_event_clear(NULL, sizeof(corbel_event));
  corbel_event ev;
  memset(&ev, 0, sizeof ev);
  corbel_event_clear(&ev, sizeof ev);
}

static void a_handle_is_required(void) {
  corbel_runtime *rt = open_runtime();
  corbel_events *q = open_events(rt);
  corbel_call c = call_to(q, 0);
  corbel_ticket t = 0;
  corbel_event ev;
  corbel_bytes word = bytes("PING");
  corbel_redis_options ro = {.struct_size = sizeof ro};
  corbel_sub_options so = {.struct_size = sizeof so, .to = q};
  corbel_monitor_options mo = {.struct_size = sizeof mo};
  corbel_queue_options qo = {.struct_size = sizeof qo, .to = q};
  corbel_put item = {.struct_size = sizeof item, .body = word};
  corbel_settle settle = {.struct_size = sizeof settle, .how = CORBEL_SETTLE_DONE};
  corbel_health_report health = {.struct_size = sizeof health, .part = "disk", .state = CORBEL_HEALTH_OK};
  corbel_redis_stats stats;
  corbel_events *q2 = NULL;
  corbel_redis *r = NULL;
  corbel_sub *s = NULL;
  corbel_monitor *m = NULL;
  corbel_producer *p = NULL;
  corbel_consumer *k = NULL;
  corbel_inspector *look = NULL;
  corbel_message_view view;
  corbel_dead_record dead;
  corbel_dead_attempt attempt;
  corbel_text *text = NULL;
  uint64_t id = 0;
  const uint32_t one = 1;
  CHECK_EQ(corbel_events_open(NULL, 0, &q2, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_events_fd(NULL), -1);
  CHECK_EQ(corbel_events_take(NULL, &ev, 1, sizeof ev, 0), 0);
  CHECK_EQ(corbel_events_dispatch(NULL, sizeof ev, event, NULL, 0, 0), 0);
  corbel_events_interrupt(NULL);
  CHECK_EQ(corbel_events_on_wake(NULL, wake, NULL, drop), CORBEL_INVALID);
  CHECK_EQ(corbel_runtime_shutdown(NULL, 0, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_runtime_metrics(NULL, CORBEL_METRICS_PROMETHEUS, &text, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_runtime_log_to(NULL, CORBEL_LOG_INFO, q), CORBEL_INVALID);
  CHECK_EQ(corbel_log_write(NULL, CORBEL_LOG_INFO, "x", "y", 1, NULL, 0, 0), CORBEL_INVALID);
  CHECK_EQ(corbel_cancel(NULL, 1), CORBEL_INVALID);
  CHECK_EQ(corbel_redis_open(NULL, &ro, &r, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_redis_send(NULL, &word, 1, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_redis_send_many(NULL, "PING", &word.size, &one, 1, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_redis_eval(NULL, word, NULL, 0, 0, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_redis_lease(NULL, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_redis_conn_send(NULL, &word, 1, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_redis_stats_get(NULL, &stats, sizeof stats), CORBEL_INVALID);
  CHECK_EQ(corbel_redis_close(NULL, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_sub_open(NULL, &so, &s, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_sub_change(NULL, CORBEL_SUB_CHANNEL, "x", 1, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_monitor_open(NULL, &mo, &m, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_monitor_listen(NULL, state, NULL, drop, &id), CORBEL_INVALID);
  CHECK_EQ(corbel_monitor_unlisten(NULL, 1), CORBEL_INVALID);
  CHECK_EQ(corbel_monitor_state(NULL), CORBEL_REDIS_UNKNOWN);
  CHECK_EQ(corbel_producer_open(NULL, &qo, &p, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_producer_put(NULL, &item, 1, sizeof item, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_producer_depth(NULL, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_producer_set_admission(NULL, NULL, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_consumer_open(NULL, &qo, &k, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_consumer_drain(NULL, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_consumer_set_concurrency(NULL, 1, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_message_body(NULL, &word), CORBEL_INVALID);
  CHECK(corbel_message_id(NULL) == NULL || *corbel_message_id(NULL) == 0);
  CHECK_EQ(corbel_message_attempt(NULL), 0);
  CHECK_EQ(corbel_message_token(NULL), 0);
  CHECK_EQ(corbel_message_settle(NULL, &settle, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_messages_settle(NULL, 0, &settle, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_message_view_get(NULL, &view, sizeof view), CORBEL_INVALID);
  CHECK(*corbel_message_lane(NULL) == 0 && *corbel_message_group(NULL) == 0);
  CHECK(corbel_message_put_ms(NULL) == 0 && corbel_message_lost(NULL) == 0);
  CHECK_EQ(corbel_message_wait_lost(NULL, &c, &t), CORBEL_INVALID);
  CHECK(corbel_receipt_count(NULL) == 0 && corbel_receipt_repeated(NULL, 0) == 0);
  CHECK(*corbel_receipt_id(NULL, 0) == 0 && *corbel_receipt_text(NULL) == 0);
  CHECK_EQ(corbel_inspector_open(NULL, &qo, &look, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_inspector_stats(NULL, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_inspector_dead(NULL, 0, 1, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_inspector_requeue(NULL, &id, 1, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_inspector_purge(NULL, &id, 1, &c, &t), CORBEL_INVALID);
  CHECK(corbel_dead_count(NULL) == 0 && corbel_dead_next(NULL) == 0);
  CHECK_EQ(corbel_dead_at(NULL, 0, &dead, sizeof dead), CORBEL_INVALID);
  CHECK_EQ(corbel_dead_attempt_at(NULL, 0, 0, &attempt, sizeof attempt), CORBEL_INVALID);
  CHECK_EQ(corbel_health_set(NULL, &health, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_health_json(NULL, &text, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_health_state(NULL, NULL), CORBEL_HEALTH_UNKNOWN);
  CHECK(!q2 && !r && !s && !m && !p && !k && !look && !text && t == 0 && id == 0);
  CHECK_EQ(corbel_events_take(q, &ev, 1, sizeof ev, 20), 0); /* refused calls give no event */
  corbel_events_free(q);
  corbel_runtime_free(rt);
}

static void reply_views_of_nothing_are_nil(void) {
  corbel_bytes b = {"x", 1};
  corbel_record record;
  CHECK_EQ(corbel_node_kind(corbel_reply_root(NULL)), CORBEL_NODE_NIL);
  CHECK_EQ(corbel_node_kind(NULL), CORBEL_NODE_NIL);
  CHECK_EQ(corbel_node_bytes(NULL, &b), CORBEL_INVALID);
  CHECK_EQ(corbel_node_integer(NULL), 0);
  CHECK_EQ(corbel_node_count(NULL), 0);
  CHECK(corbel_node_at(NULL, 0) == NULL);
  CHECK_EQ(corbel_reply_records(NULL, &record, 1, sizeof record), 0);
  corbel_answer answer;
  char memory[8];
  CHECK_EQ(corbel_replies_read(NULL, 1, sizeof(corbel_event), &answer, sizeof answer, memory, sizeof memory), 0);
}

static void out_parameters_and_inputs_are_required(void) {
  struct world w = world_open();
  corbel_call c = call_to(w.q, 0);
  corbel_ticket t = 0;
  corbel_bytes word = bytes("PING"), hole = {NULL, 3};
  corbel_redis_options ro = {.struct_size = sizeof ro, .url = w.server.url};
  corbel_sub_options so = {.struct_size = sizeof so, .to = w.q}, deaf = {.struct_size = sizeof deaf};
  corbel_monitor_options mo = {.struct_size = sizeof mo};
  corbel_queue_options qo = {.struct_size = sizeof qo, .to = w.q};
  corbel_sub *s = NULL;
  CHECK_EQ(corbel_runtime_open(NULL, NULL, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_events_open(w.rt, 0, NULL, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_events_take(w.q, NULL, 1, sizeof(corbel_event), 0), 0);
  CHECK_EQ(corbel_redis_open(w.rt, &ro, NULL, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_redis_send(w.r, NULL, 1, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_redis_send(w.r, &word, 0, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_redis_send(w.r, &hole, 1, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_redis_eval(w.r, hole, NULL, 0, 0, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_redis_eval(w.r, word, NULL, 2, 0, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_redis_stats_get(w.r, NULL, sizeof(corbel_redis_stats)), CORBEL_INVALID);
  CHECK_EQ(corbel_sub_open(w.r, &so, NULL, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_sub_open(w.r, &deaf, &s, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_monitor_open(w.r, &mo, NULL, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_producer_open(w.r, &qo, NULL, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_consumer_open(w.r, &qo, NULL, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_inspector_open(w.r, &qo, NULL, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_health_set(w.rt, NULL, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_health_json(w.rt, NULL, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_runtime_metrics(w.rt, CORBEL_METRICS_PROMETHEUS, NULL, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_log_write(w.rt, CORBEL_LOG_INFO, "x", NULL, 1, NULL, 0, 0), CORBEL_INVALID);
  CHECK_EQ(corbel_log_write(w.rt, CORBEL_LOG_INFO, "x", "y", 1, NULL, 1, sizeof(corbel_field)), CORBEL_INVALID);
  CHECK(s == NULL && t == 0);
  world_close(&w);
}

static void a_ticket_need_not_be_asked_for(void) {
  struct world w = world_open();
  corbel_bytes word = bytes("PING");
  corbel_call c = call_to(w.q, 8);
  CHECK_EQ(corbel_redis_send(w.r, &word, 1, &c, NULL), CORBEL_OK);
  corbel_event ev = await_event(w.q, CORBEL_EVENT_REPLY);
  CHECK(ev.user == 8 && ev.ticket != 0);
  corbel_event_clear(&ev, sizeof ev);
  world_close(&w);
}

int main(void) {
  RUN(nothing_may_be_freed);
  RUN(a_handle_is_required);
  RUN(reply_views_of_nothing_are_nil);
  RUN(out_parameters_and_inputs_are_required);
  RUN(a_ticket_need_not_be_asked_for);
  return check_report();
}
