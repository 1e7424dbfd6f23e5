/* The options of a queue: what is wrong is refused, zero is the default, and a struct of the first version is served. */
#include "queue.h"

static corbel_status open_all(struct world *w, const corbel_queue_options *o) {
  corbel_producer *p = NULL;
  corbel_consumer *k = NULL;
  corbel_error *e = NULL;
  corbel_status s = corbel_producer_open(w->r, o, &p, &e);
  if (s == CORBEL_OK) s = corbel_consumer_open(w->r, o, &k, &e);
  CHECK(s == CORBEL_OK || strlen(corbel_error_message(e)) > 10);
  corbel_error_free(e);
  corbel_producer_free(p);
  corbel_consumer_free(k);
  return s;
}

static void what_is_wrong_is_refused(void) {
  struct world w = world_open();
  const corbel_queue_lane twice[] = {{.name = "a"}, {.name = "a"}}, nameless = {0}, odd = {.name = "a", .reserved = 1};
  corbel_queue_lane many[64];
  char names[64][16];
  for (int i = 0; i < 64; i++) {
    snprintf(names[i], sizeof names[i], "l%d", i);
    many[i] = (corbel_queue_lane){.name = names[i]};
  }
  const corbel_queue_admission unsized = {.capacity = 1}, wide = {.struct_size = sizeof wide, .capacity = 1, .hard = 1.5},
                               nobody = {.struct_size = sizeof nobody};
  corbel_queue_options o, wrong[] = {
                              {.layout = 7},
                              {.crashed = 7},
                              {.crashed = CORBEL_CRASHED_INTERRUPT, .prefetch = 1},
                              {.layout = CORBEL_QUEUE_PLATFORM},
                              {.layout = CORBEL_QUEUE_PLATFORM, .tenant = "t"},
                              {.lane_count = 1},
                              {.lanes = twice, .lane_count = 2},
                              {.lanes = &nameless, .lane_count = 1},
                              {.lanes = &odd, .lane_count = 1},
                              {.lanes = many, .lane_count = 64},
                              {.name = ""},
                              {.lease_ms = 1},
                              {.lease_ms = -1},
                              {.backoff_first_ms = 2000, .backoff_most_ms = 1000},
                              {.backoff_first_ms = -1},
                              {.idempotency_ms = -1},
                              {.max_body_bytes = 1ull << 40},
                              {.concurrency = 70000},
                              {.concurrency = 40000, .prefetch = 40000},
                              {.admission = &unsized},
                              {.admission = &wide},
                              {.admission = &nobody},
                          };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    o = wrong[i];
    o.struct_size = sizeof o;
    o.to = w.q;
    corbel_status s = open_all(&w, &o);
    if (s != CORBEL_INVALID) printf("  number %zu\n", i);
    CHECK_EQ(s, CORBEL_INVALID);
  }
  world_close(&w);
}

static void what_is_right_is_taken(void) {
  struct world w = world_open();
  const corbel_queue_lane lanes[] = {{.name = "a", .weight = 3}, {.name = "b"}};
  const corbel_queue_admission none_ahead = {
      .struct_size = sizeof none_ahead, .capacity = 5, .buffer = -1, .multiplier = -1, .heartbeat_ms = 1500};
  corbel_queue_options o, right[] = {
                              {.max_attempts = CORBEL_UNBOUNDED},
                              {.lanes = lanes, .lane_count = 2, .instance = "here", .max_attempts = 1},
                              {.crashed = CORBEL_CRASHED_INTERRUPT, .concurrency = 4},
                              {.admission = &none_ahead, .idempotency_ms = 1000, .max_body_bytes = 100},
                              {.backoff_first_ms = 10, .backoff_most_ms = 10, .lease_ms = 500, .prefetch = 4},
                          };
  for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
    o = right[i];
    o.struct_size = sizeof o;
    o.to = w.q;
    CHECK_EQ(open_all(&w, &o), CORBEL_OK);
  }
  world_close(&w);
}

/* The struct as the first version had it. */
static void a_program_of_the_first_version_is_served(void) {
  struct world w = world_open();
  struct {
    corbel_queue_options o;
    char guard[8];
  } old;
  memset(&old, 0xee, sizeof old); /* what is beyond its size is not its */
  CHECK_EQ(corbel_options_init(&old.o, "queue_options", 56), CORBEL_OK);
  CHECK_EQ(old.o.struct_size, 56);
  CHECK_EQ(old.o.layout, (int32_t)0xeeeeeeee);
  old.o.to = w.q;
  CHECK_EQ(open_all(&w, &old.o), CORBEL_OK);
  corbel_queue_admission admission;
  CHECK_EQ(corbel_options_init(&admission, "queue_admission", sizeof admission), CORBEL_OK);
  CHECK_EQ(corbel_options_init(&admission, "queue_admission", 8), CORBEL_INVALID);
  corbel_put item;
  CHECK_EQ(corbel_options_init(&item, "put", 64), CORBEL_OK);
  corbel_settle settle;
  CHECK_EQ(corbel_options_init(&settle, "settle", 32), CORBEL_OK);
  world_close(&w);
}

int main(void) {
  RUN(what_is_wrong_is_refused);
  RUN(what_is_right_is_taken);
  RUN(a_program_of_the_first_version_is_served);
  return check_report();
}
