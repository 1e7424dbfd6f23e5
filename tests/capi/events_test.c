/* The completion queue: its descriptor, taking in batches, dispatch, interrupt, what a freed queue does with its events. */
#include "world.h"

#include <poll.h>
#include <pthread.h>

static int readable(corbel_events *q) {
  struct pollfd p = {.fd = corbel_events_fd(q), .events = POLLIN};
  return poll(&p, 1, 0) == 1;
}

static corbel_ticket ping(corbel_redis *r, corbel_events *q, uint64_t user) {
  corbel_bytes word = bytes("PING");
  corbel_call c = call_to(q, user);
  corbel_ticket t = 0;
  CHECK_EQ(corbel_redis_send(r, &word, 1, &c, &t), CORBEL_OK);
  return t;
}

static void the_descriptor_is_readable_while_there_are_events(void) {
  struct world w = world_open();
  CHECK(corbel_events_fd(w.q) >= 0);
  CHECK((fcntl(corbel_events_fd(w.q), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK((fcntl(corbel_events_fd(w.q), F_GETFL) & O_NONBLOCK) != 0);
  CHECK(!readable(w.q));
  for (int i = 0; i < 3; i++) ping(w.r, w.q, 0);
  for (int left = 3; left > 0; left--) {
    struct pollfd p = {.fd = corbel_events_fd(w.q), .events = POLLIN};
    corbel_event ev;
    CHECK_EQ(poll(&p, 1, 20000), 1);
    CHECK_EQ(corbel_events_take(w.q, &ev, 1, sizeof ev, 0), 1);
    CHECK_EQ(ev.kind, CORBEL_EVENT_REPLY);
    CHECK_EQ(ev.source, CORBEL_SOURCE_REDIS);
    corbel_event_clear(&ev, sizeof ev);
    CHECK(ev.object == NULL && ev.error == NULL);
  }
  CHECK(!readable(w.q));
  world_close(&w);
}

static void take_fills_a_batch_at_the_caller_s_stride(void) {
  struct world w = world_open();
  struct {
    corbel_event ev;
    char more[64];
  } wide[100];
  size_t got = 0;
  unsigned char seen[100] = {0};
  for (uint64_t i = 0; i < 100; i++) ping(w.r, w.q, i);
  long long until = now_ms() + 20000;
  while (got < 100 && now_ms() < until) {
    size_t n = corbel_events_take(w.q, &wide[0].ev, 100, sizeof wide[0], 1000);
    for (size_t i = 0; i < n; i++) {
      seen[wide[i].ev.user]++;
      corbel_event_clear(&wide[i].ev, sizeof wide[i]);
    }
    got += n;
  }
  CHECK_EQ(got, 100);
  for (int i = 0; i < 100; i++) CHECK_EQ(seen[i], 1);
  world_close(&w);
}

static void take_waits_as_long_as_asked(void) {
  struct world w = world_open();
  corbel_event ev;
  long long start = now_ms();
  CHECK_EQ(corbel_events_take(w.q, &ev, 1, sizeof ev, 0), 0);
  CHECK_EQ(corbel_events_take(w.q, &ev, 1, sizeof ev, 50), 0);
  CHECK(now_ms() - start >= 49);
  world_close(&w);
}

static void *interrupt_soon(void *q) {
  struct timespec t = {0, 30000000};
  nanosleep(&t, NULL);
  corbel_events_interrupt(q);
  return NULL;
}

static void an_interrupt_ends_one_wait(void) {
  struct world w = world_open();
  corbel_event ev;
  pthread_t thread;
  REQUIRE(pthread_create(&thread, NULL, interrupt_soon, w.q) == 0);
  CHECK_EQ(corbel_events_take(w.q, &ev, 1, sizeof ev, -1), 0);
  pthread_join(thread, NULL);
  corbel_events_interrupt(w.q); /* nobody waits: the next wait returns at once */
  CHECK_EQ(corbel_events_take(w.q, &ev, 1, sizeof ev, -1), 0);
  ping(w.r, w.q, 5);
  ev = await_event(w.q, CORBEL_EVENT_REPLY);
  CHECK_EQ(ev.user, 5);
  corbel_event_clear(&ev, sizeof ev);
  world_close(&w);
}

struct handled {
  struct world *w;
  int count, again;
  corbel_reply *kept;
};

static void handle(void *user, corbel_event *ev) {
  struct handled *h = user;
  CHECK_EQ(ev->status, CORBEL_OK);
  h->count++;
  if (!h->kept) {
    h->kept = ev->object; /* ours from here on */
    ev->object = NULL;
  }
  if (h->again-- > 0) ping(h->w->r, h->w->q, 1);
}

static void dispatch_calls_for_each_and_may_start_calls(void) {
  struct world w = world_open();
  struct handled h = {&w, 0, 2, NULL};
  for (int i = 0; i < 5; i++) ping(w.r, w.q, 1);
  long long until = now_ms() + 20000;
  while (h.count < 7 && now_ms() < until) CHECK(corbel_events_dispatch(w.q, sizeof(corbel_event), handle, &h, 2, 1000) <= 2);
  CHECK_EQ(h.count, 7);
  REQUIRE(h.kept != NULL);
  corbel_bytes pong = {NULL, 0};
  CHECK_EQ(corbel_node_bytes(corbel_reply_root(h.kept), &pong), CORBEL_OK);
  CHECK(same(pong, "PONG"));
  corbel_reply_free(h.kept);
  CHECK_EQ(corbel_events_dispatch(w.q, sizeof(corbel_event), handle, &h, 0, 0), 0);
  world_close(&w);
}

static void a_freed_queue_frees_what_was_in_it_and_on_its_way(void) {
  struct world w = world_open();
  corbel_events *other = open_events(w.rt);
  for (int i = 0; i < 50; i++) ping(w.r, other, 0);
  AWAIT(readable(other));
  for (int i = 0; i < 50; i++) ping(w.r, other, 0);
  corbel_events_free(other);
  ping(w.r, w.q, 1);
  corbel_event ev = await_event(w.q, CORBEL_EVENT_REPLY);
  corbel_event_clear(&ev, sizeof ev);
  world_close(&w);
}

static void completions_are_never_dropped(void) {
  struct world w = world_open();
  enum { many = 20000 };
  static unsigned char seen[many];
  for (uint64_t i = 0; i < many; i++) ping(w.r, w.q, i);
  int got = 0;
  long long until = now_ms() + 60000;
  while (got < many && now_ms() < until) {
    corbel_event batch[256];
    size_t n = corbel_events_take(w.q, batch, 256, sizeof batch[0], 1000);
    for (size_t i = 0; i < n; i++) {
      seen[batch[i].user]++;
      CHECK_EQ(batch[i].flags & CORBEL_EVENT_DROPPED, 0);
      corbel_event_clear(&batch[i], sizeof batch[i]);
    }
    got += (int)n;
  }
  for (int i = 0; i < many; i++) CHECK(seen[i] == 1);
  world_close(&w);
}

int main(void) {
  RUN(the_descriptor_is_readable_while_there_are_events);
  RUN(take_fills_a_batch_at_the_caller_s_stride);
  RUN(take_waits_as_long_as_asked);
  RUN(an_interrupt_ends_one_wait);
  RUN(dispatch_calls_for_each_and_may_start_calls);
  RUN(a_freed_queue_frees_what_was_in_it_and_on_its_way);
  RUN(completions_are_never_dropped);
  return check_report();
}
