/* Lesson: end without losing work. On SIGTERM claim nothing more, finish what is out, then exit 0. Here the program sends
 * the signal to itself after its second message, as a service manager would.
 *
 *     REDIS_URL=redis://localhost:6379 build/dev/examples/lessons/lesson_c_drain_on_sigterm */
#include <corbel.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void die(const char *what, corbel_error *e) {
  fprintf(stderr, "%s: %s: %s\n", what, corbel_status_name(corbel_error_status(e)), corbel_error_message(e));
  exit(1);
}

int main(void) {
  printf("lesson: drain_on_sigterm\n");
  sigset_t term;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  sigprocmask(SIG_BLOCK, &term, NULL); /* before the runtime starts its threads: they inherit it */
  int signals = signalfd(-1, &term, SFD_CLOEXEC);

  const char *url = getenv("REDIS_URL");
  corbel_runtime_options ro = {.struct_size = sizeof ro, .name = "drain_on_sigterm"};
  corbel_redis_options po = {.struct_size = sizeof po, .url = url ? url : "redis://localhost:6379"};
  corbel_runtime *rt = NULL;
  corbel_events *q = NULL;
  corbel_redis *redis = NULL;
  corbel_producer *in = NULL;
  corbel_consumer *out = NULL;
  corbel_error *e = NULL;
  if (corbel_runtime_open(&ro, &rt, &e) || corbel_events_open(rt, 0, &q, &e)) die("runtime", e);
  if (corbel_redis_open(rt, &po, &redis, &e)) die("pool", e);
  corbel_queue_options qo = {.struct_size = sizeof qo, .name = "lesson:drain_on_sigterm", .to = q};
  if (corbel_producer_open(redis, &qo, &in, &e)) die("queue", e);
  for (int i = 0; i < 5; i++) {
    corbel_put item = {.struct_size = sizeof item, .body = {"work", 4}};
    if (corbel_producer_put(in, &item, 1, sizeof item, NULL, NULL)) die("put", NULL);
  }
  if (corbel_consumer_open(redis, &qo, &out, &e)) die("queue", e);

  int worked = 0, drained = 0;
  corbel_ticket drain = 0;
  while (!drained) {
    struct pollfd ready[] = {{.fd = corbel_events_fd(q), .events = POLLIN}, {.fd = signals, .events = POLLIN}};
    poll(ready, 2, -1);
    struct signalfd_siginfo info;
    if (ready[1].revents && read(signals, &info, sizeof info) == sizeof info) {
      corbel_call c = {.struct_size = sizeof c, .timeout_ms = 10000, .to = q, .err = &e};
      if (corbel_consumer_drain(out, &c, &drain)) die("drain", e);
    }
    corbel_event ev;
    if (corbel_events_take(q, &ev, 1, sizeof ev, 0) == 0) continue;
    if (ev.kind == CORBEL_EVENT_MESSAGE) {
      corbel_settle s = {.struct_size = sizeof s, .how = CORBEL_SETTLE_DONE};
      if (++worked == 2) kill(getpid(), SIGTERM);
      if (corbel_message_settle(ev.object, &s, NULL, NULL)) die("settle", NULL);
    } else if (ev.kind == CORBEL_EVENT_DONE && ev.ticket == drain) {
      printf("drained: %d worked, %d left unsettled\n", worked, (int)ev.value);
      drained = 1;
    }
    corbel_event_clear(&ev, sizeof ev);
  }

  close(signals);
  corbel_consumer_free(out);
  corbel_producer_free(in);
  corbel_redis_free(redis);
  corbel_runtime_shutdown(rt, 0, NULL);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  return 0;
}
