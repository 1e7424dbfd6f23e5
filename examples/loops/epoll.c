/* The event queue in an epoll loop of your own: one descriptor beside all others (here a timer).
 *
 *     REDIS_URL=redis://localhost:6379 build/dev/examples/loops/loop_epoll
 *
 * Every 10 ms the timer starts a call; the loop sleeps in epoll_wait until the timer or the queue has something. */
#include <corbel.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { wanted = 20 };

static void die(const char *what, corbel_error *e) {
  fprintf(stderr, "%s: %s\n", what, corbel_error_message(e));
  exit(1);
}

/* Takes what is there and counts it; the descriptor falls silent when the queue is empty. */
static int drain(corbel_events *q) {
  corbel_event ev[64];
  int answers = 0;
  size_t n;
  do {
    n = corbel_events_take(q, ev, 64, sizeof ev[0], 0);
    for (size_t i = 0; i < n; i++) {
      if (ev[i].status != CORBEL_OK) die("INCR", ev[i].error);
      printf("call %d: counter is %lld\n", (int)ev[i].user, (long long)corbel_node_integer(corbel_reply_root(ev[i].object)));
      answers++;
      corbel_event_clear(&ev[i], sizeof ev[i]);
    }
  } while (n == 64);
  return answers;
}

int main(void) {
  printf("loop: epoll\n");
  const char *url = getenv("REDIS_URL");
  corbel_runtime_options ro = {.struct_size = sizeof ro, .name = "epoll"};
  corbel_redis_options po = {.struct_size = sizeof po, .url = url ? url : "redis://localhost:6379"};
  corbel_runtime *rt = NULL;
  corbel_events *q = NULL;
  corbel_redis *redis = NULL;
  corbel_error *e = NULL;
  if (corbel_runtime_open(&ro, &rt, &e) || corbel_events_open(rt, 0, &q, &e) || corbel_redis_open(rt, &po, &redis, &e))
    die("open", e);

  int loop = epoll_create1(EPOLL_CLOEXEC), timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  struct itimerspec every = {{0, 10000000}, {0, 10000000}};
  timerfd_settime(timer, 0, &every, NULL);
  struct epoll_event on_timer = {.events = EPOLLIN, .data.fd = timer};
  struct epoll_event on_queue = {.events = EPOLLIN, .data.fd = corbel_events_fd(q)};
  epoll_ctl(loop, EPOLL_CTL_ADD, timer, &on_timer);
  epoll_ctl(loop, EPOLL_CTL_ADD, on_queue.data.fd, &on_queue);

  int started = 0, answered = 0;
  while (answered < wanted) {
    struct epoll_event ready[2];
    int n = epoll_wait(loop, ready, 2, -1);
    for (int i = 0; i < n; i++) {
      if (ready[i].data.fd != timer) {
        answered += drain(q);
        continue;
      }
      uint64_t ticks = 0;
      if (read(timer, &ticks, sizeof ticks) != sizeof ticks || started == wanted) continue;
      corbel_bytes incr[] = {{"INCR", 4}, {"loops:epoll", 11}};
      corbel_call c = {.struct_size = sizeof c, .to = q, .user = (uint64_t)++started, .err = &e};
      if (corbel_redis_send(redis, incr, 2, &c, NULL)) die("send", e);
    }
  }
  close(timer);
  close(loop);
  corbel_redis_free(redis);
  corbel_runtime_shutdown(rt, 0, NULL);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  return 0;
}
