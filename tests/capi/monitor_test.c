/* The health monitor: listeners, events, a restart, a full pool, and what a listener may not do. */
#include "world.h"

#include <stdatomic.h>

struct told {
  atomic_int calls, last, dropped, why, shutdown_status, resubscribed;
  atomic_ullong epoch;
  corbel_runtime *rt;
};

static void tell_state(void *user, int32_t state, uint64_t epoch, const corbel_error *why) {
  struct told *t = user;
  if (state == CORBEL_REDIS_DOWN && why && strlen(corbel_error_message(why)) > 0) atomic_store(&t->why, 1);
  if (state != CORBEL_REDIS_DOWN) CHECK(why == NULL);
  if (state == CORBEL_REDIS_RESUBSCRIBED) atomic_fetch_add(&t->resubscribed, 1);
  if (t->rt) atomic_store(&t->shutdown_status, corbel_runtime_shutdown(t->rt, 10, NULL));
  atomic_store(&t->epoch, epoch);
  atomic_store(&t->last, state);
  atomic_fetch_add(&t->calls, 1);
}

static void drop(void *user) { atomic_fetch_add(&((struct told *)user)->dropped, 1); }

static corbel_monitor *open_monitor(struct world *w, corbel_events *to) {
  corbel_monitor_options o = {.struct_size = sizeof o, .to = to, .user = 21, .ping_ms = 200, .overdue_ms = 500};
  corbel_monitor *m = NULL;
  corbel_error *e = NULL;
  corbel_status s = corbel_monitor_open(w->r, &o, &m, &e);
  tell(e);
  REQUIRE(s == CORBEL_OK && m != NULL);
  return m;
}

static int up(struct told *t) {
  int s = atomic_load(&t->last);
  return s == CORBEL_REDIS_UP || s == CORBEL_REDIS_RESUBSCRIBED;
}

static void a_listener_hears_of_a_loss_and_of_the_return(void) {
  struct world w = world_open();
  static struct told t;
  uint64_t id = 0;
  corbel_monitor *m = open_monitor(&w, NULL);
  CHECK_EQ(corbel_monitor_listen(m, tell_state, &t, drop, &id), CORBEL_OK);
  CHECK(id != 0);
  AWAIT(up(&t) && corbel_monitor_state(m) == CORBEL_REDIS_UP);
  unsigned long long epoch = atomic_load(&t.epoch);
  server_kill(&w.server);
  AWAIT(!up(&t) && corbel_monitor_state(m) != CORBEL_REDIS_UP);
  server_restart(&w.server);
  AWAIT(up(&t) && corbel_monitor_state(m) == CORBEL_REDIS_UP);
  CHECK(atomic_load(&t.epoch) > epoch);
  CHECK_EQ(atomic_load(&t.why), 1);
  CHECK_EQ(corbel_monitor_unlisten(m, id), CORBEL_OK);
  AWAIT(atomic_load(&t.dropped) == 1);
  int calls = atomic_load(&t.calls);
  server_kill(&w.server);
  AWAIT(corbel_monitor_state(m) != CORBEL_REDIS_UP);
  CHECK_EQ(atomic_load(&t.calls), calls);
  corbel_monitor_free(m);
  world_close(&w);
}

static void a_late_listener_is_told_the_present_state(void) {
  struct world w = world_open();
  static struct told first, late;
  uint64_t id = 0;
  corbel_monitor *m = open_monitor(&w, NULL);
  CHECK_EQ(corbel_monitor_listen(m, tell_state, &first, drop, &id), CORBEL_OK);
  AWAIT(up(&first));
  CHECK_EQ(corbel_monitor_listen(m, tell_state, &late, drop, &id), CORBEL_OK);
  AWAIT(up(&late));
  corbel_monitor_free(m);
  AWAIT(atomic_load(&first.dropped) == 1 && atomic_load(&late.dropped) == 1);
  world_close(&w);
}

static void states_come_as_events_too(void) {
  struct world w = world_open();
  corbel_events *notices = open_events(w.rt);
  corbel_monitor *m = open_monitor(&w, notices);
  corbel_event ev;
  do {
    ev = await_event(notices, CORBEL_EVENT_STATE);
    CHECK(ev.user == 21 && ev.source == CORBEL_SOURCE_REDIS);
    corbel_event_clear(&ev, sizeof ev);
  } while (ev.kind && ev.value != CORBEL_REDIS_UP && ev.value != CORBEL_REDIS_RESUBSCRIBED);
  server_kill(&w.server);
  do {
    ev = await_event(notices, CORBEL_EVENT_STATE);
    corbel_event_clear(&ev, sizeof ev);
  } while (ev.kind && ev.value != CORBEL_REDIS_DOWN && ev.value != CORBEL_REDIS_RECONNECTING);
  CHECK_EQ(ev.kind, CORBEL_EVENT_STATE);
  corbel_monitor_free(m);
  corbel_events_free(notices);
  world_close(&w);
}

static void a_silent_server_is_down(void) {
  struct world w = world_open();
  static struct told t;
  uint64_t id = 0;
  corbel_monitor *m = open_monitor(&w, NULL);
  CHECK_EQ(corbel_monitor_listen(m, tell_state, &t, NULL, &id), CORBEL_OK);
  AWAIT(up(&t));
  kill(w.server.pid, SIGSTOP);
  AWAIT(!up(&t));
  kill(w.server.pid, SIGCONT);
  AWAIT(up(&t));
  corbel_monitor_free(m);
  world_close(&w);
}

static void a_full_pool_is_not_down(void) {
  struct world w = world_open();
  static struct told t;
  uint64_t id = 0;
  corbel_redis *two = open_pool(w.rt, w.server.url, 2), *own = w.r;
  w.r = two;
  corbel_monitor *m = open_monitor(&w, NULL);
  CHECK_EQ(corbel_monitor_listen(m, tell_state, &t, NULL, &id), CORBEL_OK);
  AWAIT(up(&t));
  corbel_call c = call_to(w.q, 0);
  corbel_ticket ticket = 0;
  CHECK_EQ(corbel_redis_lease(two, &c, &ticket), CORBEL_OK);
  corbel_event held = await_event(w.q, CORBEL_EVENT_LEASE);
  c.timeout_ms = 1000; /* longer than a PING's interval and its answer's limit together */
  CHECK_EQ(corbel_redis_lease(two, &c, &ticket), CORBEL_OK);
  corbel_event ev = await_event(w.q, CORBEL_EVENT_LEASE);
  CHECK_EQ(ev.status, CORBEL_BUSY);
  corbel_event_clear(&ev, sizeof ev);
  CHECK(up(&t) && corbel_monitor_state(m) == CORBEL_REDIS_UP);
  corbel_event_clear(&held, sizeof held);
  corbel_monitor_free(m);
  corbel_redis_free(two);
  w.r = own;
  world_close(&w);
}

static void a_shutdown_from_a_listener_is_refused(void) {
  struct world w = world_open();
  static struct told t;
  uint64_t id = 0;
  t.rt = w.rt;
  corbel_monitor *m = open_monitor(&w, NULL);
  CHECK_EQ(corbel_monitor_listen(m, tell_state, &t, drop, &id), CORBEL_OK);
  AWAIT(atomic_load(&t.calls) > 0);
  CHECK_EQ(atomic_load(&t.shutdown_status), CORBEL_STATE);
  corbel_monitor_free(m);
  AWAIT(atomic_load(&t.dropped) == 1);
  world_close(&w);
}

static void an_unknown_listener_is_invalid(void) {
  struct world w = world_open();
  corbel_monitor *m = open_monitor(&w, NULL);
  uint64_t id = 0;
  CHECK_EQ(corbel_monitor_unlisten(m, 4711), CORBEL_INVALID);
  CHECK_EQ(corbel_monitor_listen(m, NULL, NULL, NULL, &id), CORBEL_INVALID);
  corbel_monitor_free(m);
  world_close(&w);
}

int main(void) {
  RUN(a_listener_hears_of_a_loss_and_of_the_return);
  RUN(a_late_listener_is_told_the_present_state);
  RUN(states_come_as_events_too);
  RUN(a_silent_server_is_down);
  RUN(a_full_pool_is_not_down);
  RUN(a_shutdown_from_a_listener_is_refused);
  RUN(an_unknown_listener_is_invalid);
  return check_report();
}
