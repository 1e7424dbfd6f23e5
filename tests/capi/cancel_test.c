/* Exactly one event per accepted call, whatever races with it: cancels from other threads, time-outs, a killed server. */
#include "world.h"

#include <pthread.h>
#include <stdatomic.h>

#ifdef __SANITIZE_THREAD__
#define EACH 500 /* ThreadSanitizer makes the runtime slower than those who cancel */
#else
#define EACH 5000
#endif
enum { senders = 4, each = EACH, calls = senders * each };

static atomic_ullong tickets[calls];
static unsigned char seen[calls];
static atomic_int sending, accepted;

struct sender {
  struct world *w;
  int first;
  int64_t timeout_ms;
};

static void *send_many(void *user) {
  struct sender *s = user;
  corbel_bytes argv[] = {bytes("INCR"), bytes("n")};
  for (int i = s->first; i < s->first + each; i++) {
    corbel_call c = call_to(s->w->q, (uint64_t)i);
    corbel_ticket t = 0;
    c.timeout_ms = s->timeout_ms;
    if (corbel_redis_send(s->w->r, argv, 2, &c, &t) == CORBEL_OK) {
      atomic_store(&tickets[i], t);
      atomic_fetch_add(&accepted, 1);
    } else {
      seen[i] = 1; /* refused at once: no event may come */
    }
  }
  atomic_fetch_sub(&sending, 1);
  return NULL;
}

static void *cancel_many(void *user) {
  struct world *w = user;
  unsigned long long random = 88172645463325252ull;
  while (atomic_load(&sending) > 0) {
    random ^= random << 13, random ^= random >> 7, random ^= random << 17;
    corbel_ticket t = atomic_load(&tickets[random % calls]);
    if (t) CHECK_EQ(corbel_cancel(w->rt, t), CORBEL_OK);
  }
  return NULL;
}

/* Takes until as many events as accepted calls came; counts them by status. */
static void take_all(struct world *w, int by_status[16]) {
  int got = 0;
  long long until = now_ms() + 60000;
  while ((atomic_load(&sending) > 0 || got < atomic_load(&accepted)) && now_ms() < until) {
    corbel_event batch[64];
    size_t n = corbel_events_take(w->q, batch, 64, sizeof batch[0], 100);
    for (size_t i = 0; i < n; i++) {
      REQUIRE(batch[i].kind == CORBEL_EVENT_REPLY && batch[i].user < calls);
      seen[batch[i].user]++;
      by_status[-batch[i].status]++;
      CHECK((batch[i].object != NULL) == (batch[i].status == CORBEL_OK));
      CHECK((batch[i].error != NULL) == (batch[i].status != CORBEL_OK));
      corbel_event_clear(&batch[i], sizeof batch[i]);
    }
    got += (int)n;
  }
  corbel_event extra;
  CHECK_EQ(corbel_events_take(w->q, &extra, 1, sizeof extra, 100), 0);
  CHECK_EQ(got, atomic_load(&accepted));
  int wrong = 0;
  for (int i = 0; i < calls; i++) wrong += seen[i] != 1;
  CHECK_EQ(wrong, 0);
}

static void storm(struct world *w, int64_t timeout_ms, int cancellers, int by_status[16],
                  void (*meanwhile)(struct world *)) {
  pthread_t threads[senders + 2];
  struct sender s[senders];
  memset(seen, 0, sizeof seen);
  for (int i = 0; i < calls; i++) atomic_store(&tickets[i], 0);
  atomic_store(&accepted, 0);
  atomic_store(&sending, senders);
  memset(by_status, 0, 16 * sizeof by_status[0]);
  for (int i = 0; i < senders; i++) {
    s[i] = (struct sender){w, i * each, timeout_ms};
    REQUIRE(pthread_create(&threads[i], NULL, send_many, &s[i]) == 0);
  }
  for (int i = 0; i < cancellers; i++) REQUIRE(pthread_create(&threads[senders + i], NULL, cancel_many, w) == 0);
  if (meanwhile) meanwhile(w);
  take_all(w, by_status);
  for (int i = 0; i < senders + cancellers; i++) pthread_join(threads[i], NULL);
}

static void cancels_race_with_answers(void) {
  struct world w = world_open();
  int by_status[16];
  storm(&w, 0, 2, by_status, NULL);
  CHECK(by_status[0] > 0);
  CHECK_EQ(by_status[0] + by_status[-CORBEL_CANCELLED], calls);
  world_close(&w);
}

static void time_outs_race_with_answers(void) {
  struct world w = world_open();
  int by_status[16];
  storm(&w, 1, 0, by_status, NULL);
  CHECK_EQ(by_status[0] + by_status[-CORBEL_TIMEOUT] + by_status[-CORBEL_UNAVAILABLE], calls);
  world_close(&w);
}

static void kill_and_restart(struct world *w) {
  for (int i = 0; i < 3; i++) {
    server_kill(&w->server);
    server_restart(&w->server);
  }
}

static void losses_race_with_cancels_and_answers(void) {
  struct world w = world_open();
  int by_status[16];
  storm(&w, 0, 2, by_status, kill_and_restart);
  CHECK_EQ(by_status[0] + by_status[-CORBEL_CANCELLED] + by_status[-CORBEL_LOST] + by_status[-CORBEL_BUSY] +
               by_status[-CORBEL_REFUSED],
           atomic_load(&accepted));
  world_close(&w);
}

static void a_waiting_lease_can_be_cancelled(void) {
  struct world w = world_open();
  corbel_redis *two = open_pool(w.rt, w.server.url, 2);
  corbel_call c = call_to(w.q, 1);
  corbel_ticket t = 0;
  CHECK_EQ(corbel_redis_lease(two, &c, &t), CORBEL_OK);
  corbel_event held = await_event(w.q, CORBEL_EVENT_LEASE);
  CHECK_EQ(corbel_redis_lease(two, &c, &t), CORBEL_OK);
  CHECK_EQ(corbel_cancel(w.rt, t), CORBEL_OK);
  corbel_event ev = await_event(w.q, CORBEL_EVENT_LEASE);
  CHECK(ev.ticket == t && ev.object == NULL);
  CHECK_EQ(ev.status, CORBEL_CANCELLED);
  corbel_event_clear(&ev, sizeof ev);
  CHECK_EQ(corbel_cancel(w.rt, t), CORBEL_OK); /* completed: not an error, and no second event */
  CHECK_EQ(corbel_events_take(w.q, &ev, 1, sizeof ev, 50), 0);
  corbel_event_clear(&held, sizeof held);
  corbel_redis_free(two);
  world_close(&w);
}

int main(void) {
  RUN(cancels_race_with_answers);
  RUN(time_outs_race_with_answers);
  RUN(losses_race_with_cancels_and_answers);
  RUN(a_waiting_lease_can_be_cancelled);
  return check_report();
}
