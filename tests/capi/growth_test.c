/* Option structs: a wrong struct_size, unknown flags and unknown trailing members are refused; a newer program whose new
 * members are zero is served. */
#include "world.h"

/* Every way to pass one struct: called with a pointer to a struct of its own size or a larger one. */
typedef corbel_status (*pass)(struct world *w, void *options);

static corbel_status pass_runtime(struct world *w, void *o) {
  corbel_runtime *rt = NULL;
  corbel_status s = corbel_runtime_open(o, &rt, NULL);
  (void)w;
  CHECK_EQ(rt != NULL, s == CORBEL_OK);
  corbel_runtime_free(rt);
  return s;
}
static corbel_status pass_redis(struct world *w, void *o) {
  corbel_redis *r = NULL;
  corbel_status s = corbel_redis_open(w->rt, o, &r, NULL);
  CHECK_EQ(r != NULL, s == CORBEL_OK);
  corbel_redis_free(r);
  return s;
}
static corbel_status pass_sub(struct world *w, void *o) {
  corbel_sub *s = NULL;
  ((corbel_sub_options *)o)->to = w->q;
  corbel_status status = corbel_sub_open(w->r, o, &s, NULL);
  CHECK_EQ(s != NULL, status == CORBEL_OK);
  corbel_sub_free(s);
  return status;
}
static corbel_status pass_monitor(struct world *w, void *o) {
  corbel_monitor *m = NULL;
  corbel_status s = corbel_monitor_open(w->r, o, &m, NULL);
  CHECK_EQ(m != NULL, s == CORBEL_OK);
  corbel_monitor_free(m);
  return s;
}
static corbel_status pass_producer(struct world *w, void *o) {
  corbel_producer *p = NULL;
  corbel_status s = corbel_producer_open(w->r, o, &p, NULL);
  CHECK_EQ(p != NULL, s == CORBEL_OK);
  corbel_producer_free(p);
  return s;
}
static corbel_status pass_consumer(struct world *w, void *o) {
  corbel_consumer *k = NULL;
  ((corbel_queue_options *)o)->to = w->q;
  corbel_status s = corbel_consumer_open(w->r, o, &k, NULL);
  CHECK_EQ(k != NULL, s == CORBEL_OK);
  corbel_consumer_free(k);
  return s;
}
static corbel_status pass_inspector(struct world *w, void *o) {
  corbel_inspector *i = NULL;
  corbel_status s = corbel_inspector_open(w->r, o, &i, NULL);
  CHECK_EQ(i != NULL, s == CORBEL_OK);
  corbel_inspector_free(i);
  return s;
}
static corbel_status pass_admission(struct world *w, void *o) {
  corbel_queue_options qo = {.struct_size = sizeof qo, .admission = o};
  ((corbel_queue_admission *)o)->capacity = 10;
  return pass_producer(w, &qo);
}
static corbel_status pass_health(struct world *w, void *o) {
  ((corbel_health_report *)o)->part = "disk";
  return corbel_health_set(w->rt, o, NULL);
}
static corbel_status pass_put(struct world *w, void *o) {
  corbel_queue_options qo = {.struct_size = sizeof qo};
  corbel_producer *p = NULL;
  CHECK_EQ(corbel_producer_open(w->r, &qo, &p, NULL), CORBEL_OK);
  ((corbel_put *)o)->body = bytes("x");
  size_t each = ((corbel_put *)o)->struct_size < sizeof(corbel_put) ? sizeof(corbel_put) : ((corbel_put *)o)->struct_size;
  corbel_status s = corbel_producer_put(p, o, 1, each, NULL, NULL);
  corbel_producer_free(p);
  return s;
}
static corbel_status pass_call(struct world *w, void *o) {
  corbel_bytes word = bytes("PING");
  return corbel_redis_send(w->r, &word, 1, o, NULL);
}
/* The message that a settle struct is tried on. */
static corbel_message *job;
static corbel_status pass_settle(struct world *w, void *o) {
  (void)w;
  ((corbel_settle *)o)->how = CORBEL_SETTLE_DONE;
  return corbel_message_settle(job, o, NULL, NULL);
}
static corbel_status pass_settle_of_many(struct world *w, void *o) {
  (void)w;
  ((corbel_settle *)o)->how = CORBEL_SETTLE_DONE;
  return corbel_messages_settle(&job, 1, o, NULL, NULL);
}

/* Every option struct begins with these two. */
struct head {
  uint32_t struct_size;
  uint32_t flags;
};

static void try_sizes(struct world *w, const char *name, pass fn, uint32_t size) {
  int failed_before = check_case_failed;
  check_case_failed = 0;
  union {
    struct head head;
    corbel_redis_options aligned;
    char room[512];
  } o;
#define WITH(bytes_said, flags_said, trailing) \
  memset(&o, 0, sizeof o);                     \
  o.head.struct_size = (bytes_said);           \
  o.head.flags = (flags_said);                 \
  o.room[size + 3] = (trailing);
  WITH(0, 0, 0)
  CHECK_EQ(fn(w, &o), CORBEL_INVALID);
  WITH(3, 0, 0)
  CHECK_EQ(fn(w, &o), CORBEL_INVALID);
  WITH(size, 0x80000000u, 0)
  CHECK_EQ(fn(w, &o), CORBEL_INVALID);
  WITH(size, 0x00010000u, 0)
  CHECK_EQ(fn(w, &o), CORBEL_INVALID);
  WITH(size + 16, 0, 1)
  CHECK_EQ(fn(w, &o), CORBEL_UNSUPPORTED);
  WITH(size + 16, 0, 0)
  CHECK_EQ(fn(w, &o), CORBEL_OK);
#undef WITH
  if (check_case_failed) printf("  the above: %s\n", name);
  check_case_failed |= failed_before;
}

static void every_struct_may_grow_and_none_may_lie(void) {
  struct world w = world_open();
  try_sizes(&w, "runtime", pass_runtime, sizeof(corbel_runtime_options));
  try_sizes(&w, "redis", pass_redis, sizeof(corbel_redis_options));
  try_sizes(&w, "sub", pass_sub, sizeof(corbel_sub_options));
  try_sizes(&w, "monitor", pass_monitor, sizeof(corbel_monitor_options));
  try_sizes(&w, "producer", pass_producer, sizeof(corbel_queue_options));
  try_sizes(&w, "consumer", pass_consumer, sizeof(corbel_queue_options));
  try_sizes(&w, "inspector", pass_inspector, sizeof(corbel_queue_options));
  try_sizes(&w, "admission", pass_admission, sizeof(corbel_queue_admission));
  try_sizes(&w, "health", pass_health, sizeof(corbel_health_report));
  try_sizes(&w, "put", pass_put, sizeof(corbel_put));
  try_sizes(&w, "call", pass_call, sizeof(corbel_call));
  world_close(&w);
}

static void a_settle_may_grow_too(void) {
  struct world w = world_open();
  corbel_events *mq = open_events(w.rt);
  corbel_queue_options o = {.struct_size = sizeof o, .to = mq};
  corbel_put item = {.struct_size = sizeof item, .body = bytes("body")};
  corbel_producer *p = NULL;
  corbel_consumer *k = NULL;
  CHECK_EQ(corbel_producer_open(w.r, &o, &p, NULL), CORBEL_OK);
  CHECK_EQ(corbel_consumer_open(w.r, &o, &k, NULL), CORBEL_OK);
  const pass ways[] = {pass_settle, pass_settle_of_many};
  for (size_t i = 0; i < 2; i++) {
    CHECK_EQ(corbel_producer_put(p, &item, 1, sizeof item, NULL, NULL), CORBEL_OK);
    job = await_event(mq, CORBEL_EVENT_MESSAGE).object;
    REQUIRE(job != NULL);
    try_sizes(&w, "settle", ways[i], sizeof(corbel_settle));
    corbel_message_free(job);
  }
  corbel_consumer_free(k);
  corbel_producer_free(p);
  corbel_events_free(mq);
  world_close(&w);
}

int main(void) {
  RUN(every_struct_may_grow_and_none_may_lie);
  RUN(a_settle_may_grow_too);
  return check_report();
}
