/* After a fork the child gets FORKED from every call, may free what it inherited and open a runtime of its own; the parent
 * does not notice. */
#include "world.h"

struct all {
  struct world w;
  corbel_redis_conn *k;
  corbel_sub *s;
  corbel_monitor *m;
  corbel_producer *p;
  corbel_consumer *c;
  corbel_inspector *look;
  corbel_message *j;
  corbel_event reply;
};

static struct all open_all(void) {
  struct all a;
  memset(&a, 0, sizeof a);
  a.w = world_open();
  corbel_call c = call_to(a.w.q, 0);
  corbel_ticket t = 0;
  corbel_events *mq = a.w.q;
  corbel_sub_options so = {.struct_size = sizeof so, .to = mq};
  corbel_monitor_options mo = {.struct_size = sizeof mo};
  corbel_queue_options qo = {.struct_size = sizeof qo, .to = mq};
  corbel_put item = {.struct_size = sizeof item, .body = bytes("body")};
  CHECK_EQ(corbel_redis_lease(a.w.r, &c, &t), CORBEL_OK);
  a.k = await_event(a.w.q, CORBEL_EVENT_LEASE).object;
  CHECK_EQ(corbel_monitor_open(a.w.r, &mo, &a.m, NULL), CORBEL_OK);
  CHECK_EQ(corbel_sub_open(a.w.r, &so, &a.s, NULL), CORBEL_OK);
  CHECK_EQ(corbel_producer_open(a.w.r, &qo, &a.p, NULL), CORBEL_OK);
  CHECK_EQ(corbel_inspector_open(a.w.r, &qo, &a.look, NULL), CORBEL_OK);
  CHECK_EQ(corbel_producer_put(a.p, &item, 1, sizeof item, NULL, NULL), CORBEL_OK);
  CHECK_EQ(corbel_consumer_open(a.w.r, &qo, &a.c, NULL), CORBEL_OK);
  a.j = await_event(a.w.q, CORBEL_EVENT_MESSAGE).object;
  a.reply = COMMAND(&a.w, "PING");
  REQUIRE(a.k && a.j && a.reply.object);
  return a;
}

/* Everything the child tries; failures are counted by CHECK_EQ. */
static void every_call_is_forked(struct all *a) {
  struct world *w = &a->w;
  corbel_call c = call_to(w->q, 0);
  corbel_ticket t = 0;
  corbel_event ev;
  corbel_bytes word = bytes("PING");
  corbel_redis_options ro = {.struct_size = sizeof ro, .url = w->server.url};
  corbel_sub_options so = {.struct_size = sizeof so, .to = w->q};
  corbel_monitor_options mo = {.struct_size = sizeof mo};
  corbel_queue_options qo = {.struct_size = sizeof qo, .to = w->q};
  corbel_put item = {.struct_size = sizeof item, .body = bytes("body")};
  corbel_settle settle = {.struct_size = sizeof settle, .how = CORBEL_SETTLE_DONE};
  corbel_health_report health = {.struct_size = sizeof health, .part = "disk", .state = CORBEL_HEALTH_OK};
  corbel_redis_stats stats;
  corbel_redis *r = NULL;
  corbel_sub *s = NULL;
  corbel_monitor *m = NULL;
  corbel_producer *p = NULL;
  corbel_consumer *k = NULL;
  corbel_inspector *look = NULL;
  corbel_message_view view;
  corbel_events *q = NULL;
  corbel_text *text = NULL;
  CHECK_EQ(corbel_redis_send(w->r, &word, 1, &c, &t), CORBEL_FORKED);
  CHECK_EQ(corbel_redis_send_many(w->r, "PING", &(size_t){4}, &(uint32_t){1}, 1, &c, &t), CORBEL_FORKED);
  CHECK_EQ(corbel_redis_eval(w->r, word, NULL, 0, 0, &c, &t), CORBEL_FORKED);
  CHECK_EQ(corbel_redis_lease(w->r, &c, &t), CORBEL_FORKED);
  CHECK_EQ(corbel_redis_close(w->r, &c, &t), CORBEL_FORKED);
  CHECK_EQ(corbel_redis_stats_get(w->r, &stats, sizeof stats), CORBEL_FORKED);
  CHECK_EQ(corbel_redis_conn_send(a->k, &word, 1, &c, &t), CORBEL_FORKED);
  CHECK_EQ(corbel_redis_open(w->rt, &ro, &r, NULL), CORBEL_FORKED);
  CHECK_EQ(corbel_sub_open(w->r, &so, &s, NULL), CORBEL_FORKED);
  CHECK_EQ(corbel_sub_change(a->s, CORBEL_SUB_CHANNEL, "x", 1, &c, &t), CORBEL_FORKED);
  CHECK_EQ(corbel_monitor_open(w->r, &mo, &m, NULL), CORBEL_FORKED);
  CHECK_EQ(corbel_monitor_unlisten(a->m, 1), CORBEL_FORKED);
  CHECK_EQ(corbel_producer_open(w->r, &qo, &p, NULL), CORBEL_FORKED);
  CHECK_EQ(corbel_producer_put(a->p, &item, 1, sizeof item, &c, &t), CORBEL_FORKED);
  CHECK_EQ(corbel_producer_depth(a->p, &c, &t), CORBEL_FORKED);
  CHECK_EQ(corbel_producer_set_admission(a->p, NULL, NULL), CORBEL_FORKED);
  CHECK_EQ(corbel_consumer_open(w->r, &qo, &k, NULL), CORBEL_FORKED);
  CHECK_EQ(corbel_consumer_drain(a->c, &c, &t), CORBEL_FORKED);
  CHECK_EQ(corbel_consumer_set_concurrency(a->c, 2, NULL), CORBEL_FORKED);
  CHECK_EQ(corbel_message_settle(a->j, &settle, &c, &t), CORBEL_FORKED);
  CHECK_EQ(corbel_messages_settle(&a->j, 1, &settle, &c, &t), CORBEL_FORKED);
  CHECK_EQ(corbel_message_wait_lost(a->j, &c, &t), CORBEL_FORKED);
  CHECK_EQ(corbel_message_view_get(a->j, &view, sizeof view), CORBEL_OK); /* plain memory may still be read */
  CHECK(same(view.body, "body") && corbel_message_lost(a->j) == 0);
  CHECK_EQ(corbel_inspector_open(w->r, &qo, &look, NULL), CORBEL_FORKED);
  CHECK_EQ(corbel_inspector_stats(a->look, &c, &t), CORBEL_FORKED);
  CHECK_EQ(corbel_inspector_dead(a->look, 0, 1, &c, &t), CORBEL_FORKED);
  CHECK_EQ(corbel_inspector_requeue(a->look, NULL, 0, &c, &t), CORBEL_FORKED);
  CHECK_EQ(corbel_inspector_purge(a->look, NULL, 0, &c, &t), CORBEL_FORKED);
  CHECK_EQ(corbel_health_set(w->rt, &health, NULL), CORBEL_FORKED);
  CHECK_EQ(corbel_health_json(w->rt, &text, NULL), CORBEL_FORKED);
  CHECK_EQ(corbel_runtime_metrics(w->rt, CORBEL_METRICS_PROMETHEUS, &text, NULL), CORBEL_FORKED);
  CHECK_EQ(corbel_runtime_log_to(w->rt, CORBEL_LOG_INFO, w->q), CORBEL_FORKED);
  CHECK_EQ(corbel_runtime_shutdown(w->rt, 100, NULL), CORBEL_FORKED);
  CHECK_EQ(corbel_log_write(w->rt, CORBEL_LOG_INFO, "x", "y", 1, NULL, 0, 0), CORBEL_FORKED);
  CHECK_EQ(corbel_cancel(w->rt, 1), CORBEL_FORKED);
  CHECK_EQ(corbel_events_open(w->rt, 0, &q, NULL), CORBEL_FORKED);
  CHECK_EQ(corbel_events_on_wake(w->q, NULL, NULL, NULL), CORBEL_FORKED);
  CHECK_EQ(corbel_events_take(w->q, &ev, 1, sizeof ev, -1), 0);
  CHECK_EQ(corbel_events_dispatch(w->q, sizeof ev, NULL, NULL, 0, -1), 0);
  CHECK_EQ(corbel_events_fd(w->q), -1);
  corbel_events_interrupt(w->q);
  CHECK(!r && !s && !m && !p && !k && !look && !q && !text);
  CHECK(same(root_bytes(&a->reply), "PONG"));
}

static void free_all(struct all *a) {
  corbel_event_clear(&a->reply, sizeof a->reply);
  corbel_message_free(a->j);
  corbel_inspector_free(a->look);
  corbel_consumer_free(a->c);
  corbel_producer_free(a->p);
  corbel_monitor_free(a->m);
  corbel_sub_free(a->s);
  corbel_redis_conn_release(a->k);
}

static int in_child(void (*what)(struct all *), struct all *a) {
  int status = -1;
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    alarm(30);
    what(a);
    fflush(stdout);
    _exit(check_case_failed);
  }
  waitpid(child, &status, 0);
  return status;
}

static void child_that_calls(struct all *a) { every_call_is_forked(a); }

static void child_that_frees(struct all *a) {
  free_all(a);
  corbel_redis_free(a->w.r);
  corbel_events_free(a->w.q);
  corbel_runtime_free(a->w.rt);
}

#ifndef __SANITIZE_THREAD__
static void child_with_a_runtime_of_its_own(struct all *a) {
  struct world own;
  own.server = a->w.server;
  own.rt = open_runtime();
  own.q = open_events(own.rt);
  own.r = open_pool(own.rt, own.server.url, 0);
  corbel_event ev = COMMAND(&own, "PING");
  CHECK(same(root_bytes(&ev), "PONG"));
  corbel_event_clear(&ev, sizeof ev);
  corbel_redis_free(own.r);
  CHECK_EQ(corbel_runtime_shutdown(own.rt, 10000, NULL), CORBEL_OK);
  corbel_events_free(own.q);
  corbel_runtime_free(own.rt);
  child_that_frees(a);
}
#endif

static void the_child_is_told_and_the_parent_goes_on(void) {
  struct all a = open_all();
  CHECK_EQ(in_child(child_that_calls, &a), 0);
  CHECK_EQ(in_child(child_that_frees, &a), 0);
#ifndef __SANITIZE_THREAD__ /* ThreadSanitizer cannot start threads in a child of a process that has some */
  CHECK_EQ(in_child(child_with_a_runtime_of_its_own, &a), 0);
#endif
  for (int i = 0; i < 20; i++) {
    corbel_event ev = COMMAND(&a.w, "PING");
    CHECK(same(root_bytes(&ev), "PONG"));
    corbel_event_clear(&ev, sizeof ev);
  }
  corbel_redis_stats s;
  CHECK(corbel_redis_stats_get(a.w.r, &s, sizeof s) == CORBEL_OK && s.reconnects == 0 && s.lost == 0);
  free_all(&a);
  world_close(&a.w);
}

int main(void) {
  RUN(the_child_is_told_and_the_parent_goes_on);
  return check_report();
}
