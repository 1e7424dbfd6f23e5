/* The event queue in a libuv loop: one uv_poll_t on its descriptor. Works the same inside Node.js add-ons and uvloop.
 *
 *     REDIS_URL=redis://localhost:6379 build/dev/examples/loops/loop_libuv
 *
 * Every 10 ms a uv_timer_t starts a call; answers arrive on the loop's own thread, where nothing has to be locked. */
#include <corbel.h>

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

enum { wanted = 20 };

struct app {
  corbel_events *q;
  corbel_redis *redis;
  uv_poll_t queue;
  uv_timer_t timer;
  int started, answered;
};

static void die(const char *what, corbel_error *e) {
  fprintf(stderr, "%s: %s\n", what, corbel_error_message(e));
  exit(1);
}

static void on_event(void *user, corbel_event *ev) {
  struct app *app = user;
  if (ev->status != CORBEL_OK) die("INCR", ev->error);
  printf("call %d: counter is %lld\n", (int)ev->user, (long long)corbel_node_integer(corbel_reply_root(ev->object)));
  if (++app->answered == wanted) {
    uv_close((uv_handle_t *)&app->queue, NULL);
    uv_close((uv_handle_t *)&app->timer, NULL);
  }
}

static void on_readable(uv_poll_t *queue, int status, int events) {
  struct app *app = queue->data;
  (void)status, (void)events;
  corbel_events_dispatch(app->q, sizeof(corbel_event), on_event, app, 0, 0);
}

static void on_timer(uv_timer_t *timer) {
  struct app *app = timer->data;
  if (app->started == wanted) return;
  corbel_error *e = NULL;
  corbel_bytes incr[] = {{"INCR", 4}, {"loops:libuv", 11}};
  corbel_call c = {.struct_size = sizeof c, .to = app->q, .user = (uint64_t)++app->started, .err = &e};
  if (corbel_redis_send(app->redis, incr, 2, &c, NULL)) die("send", e);
}

int main(void) {
  printf("loop: libuv\n");
  const char *url = getenv("REDIS_URL");
  corbel_runtime_options ro = {.struct_size = sizeof ro, .name = "libuv"};
  corbel_redis_options po = {.struct_size = sizeof po, .url = url ? url : "redis://localhost:6379"};
  struct app app = {.started = 0};
  corbel_runtime *rt = NULL;
  corbel_error *e = NULL;
  if (corbel_runtime_open(&ro, &rt, &e) || corbel_events_open(rt, 0, &app.q, &e) ||
      corbel_redis_open(rt, &po, &app.redis, &e))
    die("open", e);

  uv_loop_t *loop = uv_default_loop();
  uv_poll_init(loop, &app.queue, corbel_events_fd(app.q));
  uv_timer_init(loop, &app.timer);
  app.queue.data = app.timer.data = &app;
  uv_poll_start(&app.queue, UV_READABLE, on_readable);
  uv_timer_start(&app.timer, on_timer, 0, 10);
  uv_run(loop, UV_RUN_DEFAULT);
  uv_loop_close(loop);

  corbel_redis_free(app.redis);
  corbel_runtime_shutdown(rt, 0, NULL);
  corbel_events_free(app.q);
  corbel_runtime_free(rt);
  return 0;
}
