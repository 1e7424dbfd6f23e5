/* The wake callback: when it runs, on which thread, what it may not do, and when its user pointer is dropped. */
#include "world.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

struct waking {
  struct world *w;
  atomic_int calls, dropped, calls_after_drop, shutdown_status;
  pthread_t thread;
};

static void count(void *user) {
  struct waking *k = user;
  k->thread = pthread_self();
  if (atomic_load(&k->dropped)) atomic_fetch_add(&k->calls_after_drop, 1);
  atomic_fetch_add(&k->calls, 1);
}

static void misuse(void *user) {
  struct waking *k = user;
  corbel_events_interrupt(k->w->q);
  atomic_store(&k->shutdown_status, corbel_runtime_shutdown(k->w->rt, 10, NULL));
  count(user);
}

static void drop(void *user) { atomic_fetch_add(&((struct waking *)user)->dropped, 1); }

static void ping(struct world *w) {
  corbel_bytes word = bytes("PING");
  corbel_call c = call_to(w->q, 0);
  corbel_ticket t;
  CHECK_EQ(corbel_redis_send(w->r, &word, 1, &c, &t), CORBEL_OK);
}

static void clear_one(struct world *w) {
  corbel_event ev = await_event(w->q, CORBEL_EVENT_REPLY);
  corbel_event_clear(&ev, sizeof ev);
}

static void it_runs_when_the_queue_turns_from_empty_to_not_empty(void) {
  struct world w = world_open();
  static struct waking k;
  CHECK_EQ(corbel_events_on_wake(w.q, count, &k, drop), CORBEL_OK);
  CHECK_EQ(atomic_load(&k.calls), 0);
  for (int i = 1; i <= 20; i++) {
    ping(&w);
    AWAIT(atomic_load(&k.calls) == i);
    clear_one(&w);
  }
  CHECK(!pthread_equal(k.thread, pthread_self()));
  ping(&w);
  AWAIT(atomic_load(&k.calls) == 21);
  CHECK_EQ(corbel_events_on_wake(w.q, NULL, NULL, NULL), CORBEL_OK);
  AWAIT(atomic_load(&k.dropped) == 1);
  clear_one(&w);
  ping(&w);
  clear_one(&w);
  CHECK_EQ(atomic_load(&k.calls), 21);
  world_close(&w);
  CHECK_EQ(atomic_load(&k.dropped), 1);
}

static void it_runs_at_once_when_events_are_there(void) {
  struct world w = world_open();
  static struct waking k;
  ping(&w);
  struct pollfd p = {.fd = corbel_events_fd(w.q), .events = POLLIN};
  CHECK_EQ(poll(&p, 1, 20000), 1);
  CHECK_EQ(corbel_events_on_wake(w.q, count, &k, drop), CORBEL_OK);
  AWAIT(atomic_load(&k.calls) >= 1);
  clear_one(&w);
  world_close(&w);
  AWAIT(atomic_load(&k.dropped) == 1);
}

static void a_new_one_replaces_and_drops_the_old(void) {
  struct world w = world_open();
  static struct waking a, b;
  CHECK_EQ(corbel_events_on_wake(w.q, count, &a, drop), CORBEL_OK);
  CHECK_EQ(corbel_events_on_wake(w.q, count, &b, drop), CORBEL_OK);
  AWAIT(atomic_load(&a.dropped) == 1);
  ping(&w);
  AWAIT(atomic_load(&b.calls) == 1);
  CHECK_EQ(atomic_load(&a.calls), 0);
  clear_one(&w);
  corbel_events_free(w.q);
  AWAIT(atomic_load(&b.dropped) == 1);
  w.q = NULL;
  world_close(&w);
}

static void a_shutdown_from_it_is_refused(void) {
  struct world w = world_open();
  static struct waking k;
  k.w = &w;
  CHECK_EQ(corbel_events_on_wake(w.q, misuse, &k, drop), CORBEL_OK);
  ping(&w);
  AWAIT(atomic_load(&k.calls) >= 1);
  CHECK_EQ(atomic_load(&k.shutdown_status), CORBEL_STATE);
  clear_one(&w);
  world_close(&w);
}

static void nothing_runs_after_the_drop(void) {
  static struct waking k[200];
  struct world w = world_open();
  for (int i = 0; i < 200; i++) {
    ping(&w);
    CHECK_EQ(corbel_events_on_wake(w.q, count, &k[i], drop), CORBEL_OK);
    if (i % 3 == 0) CHECK_EQ(corbel_events_on_wake(w.q, NULL, NULL, NULL), CORBEL_OK);
    clear_one(&w);
  }
  world_close(&w);
  for (int i = 0; i < 200; i++) {
    AWAIT(atomic_load(&k[i].dropped) == 1);
    CHECK_EQ(atomic_load(&k[i].calls_after_drop), 0);
  }
}

int main(void) {
  RUN(it_runs_when_the_queue_turns_from_empty_to_not_empty);
  RUN(it_runs_at_once_when_events_are_there);
  RUN(a_new_one_replaces_and_drops_the_old);
  RUN(a_shutdown_from_it_is_refused);
  RUN(nothing_runs_after_the_drop);
  return check_report();
}
