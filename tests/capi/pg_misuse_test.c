/* PostgreSQL handles: NULL where something is required, options that grow, free in any order with work under way, and what a
 * child after a fork gets. */
#include "postgres.h"

static void nothing_may_be_freed(void) {
  corbel_pg_free(NULL);
  corbel_pg_conn_release(NULL);
  corbel_pg_conn_discard(NULL);
  corbel_pg_result_free(NULL);
  corbel_pg_stream_free(NULL);
  corbel_pg_copy_free(NULL);
  corbel_pg_listener_free(NULL);
  corbel_pg_notice_free(NULL);
}

static void a_handle_is_required(void) {
  corbel_runtime *rt = open_runtime();
  corbel_events *q = open_events(rt);
  corbel_call c = call_to(q, 0);
  corbel_ticket t = 0;
  corbel_event ev;
  corbel_bytes b;
  corbel_pg_stats stats;
  corbel_pg *p = NULL;
  corbel_pg_listener *l = NULL;
  corbel_pg_options o = {.struct_size = sizeof o};
  corbel_pg_listener_options lo = {.struct_size = sizeof lo, .to = q};
  corbel_pg_statement s = statement("SELECT 1");
  CHECK_EQ(corbel_pg_open(NULL, &o, &p, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_pg_open(rt, NULL, &p, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_pg_open(rt, &o, NULL, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_pg_resize(NULL, 0, 1, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_pg_stats_get(NULL, &stats, sizeof stats), CORBEL_INVALID);
  CHECK_EQ(corbel_pg_close(NULL, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_pg_query(NULL, &s, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_pg_lease(NULL, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_pg_conn_query(NULL, &s, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_pg_conn_begin(NULL, NULL, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_pg_conn_commit(NULL, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_pg_conn_rollback(NULL, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_pg_conn_backend(NULL), 0);
  CHECK_EQ(corbel_pg_conn_stream(NULL, &s, 0, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_pg_stream_next(NULL, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_pg_conn_copy_in(NULL, "COPY", &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_pg_conn_copy_out(NULL, "COPY", &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_pg_copy_write(NULL, "", 0, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_pg_copy_finish(NULL, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_pg_copy_read(NULL, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_pg_listener_open(NULL, &lo, &l, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_pg_listener_change(NULL, CORBEL_PG_LISTEN, "x", &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_pg_notice_channel(NULL, &b), CORBEL_INVALID);
  CHECK_EQ(corbel_pg_notice_payload(NULL, &b), CORBEL_INVALID);
  CHECK_EQ(corbel_pg_notice_backend(NULL), 0);
  CHECK(corbel_pg_result_rows(NULL) == 0 && corbel_pg_result_columns(NULL) == 0 && corbel_pg_result_type(NULL, 0) == 0);
  CHECK(*corbel_pg_result_name(NULL, 0) == 0 && *corbel_pg_result_tag(NULL) == 0 && corbel_pg_result_format(NULL, 0) == 0);
  CHECK_EQ(corbel_pg_result_affected(NULL), 0);
  CHECK_EQ(corbel_pg_result_value(NULL, 0, 0, &b), CORBEL_INVALID);
  CHECK_EQ(corbel_pg_result_packed(NULL, &b), CORBEL_INVALID);
  CHECK(p == NULL && l == NULL && t == 0);
  CHECK_EQ(corbel_events_take(q, &ev, 1, sizeof ev, 20), 0); /* refused calls give no event */
  corbel_events_free(q);
  corbel_runtime_free(rt);
}

static void inputs_are_required(void) {
  struct pg_world w = pg_world_open(1);
  corbel_call c = call_to(w.q, 0);
  corbel_bytes hole = {NULL, 3}, one = {"1", 1}, b;
  const int32_t format = 2;
  corbel_pg_statement s = statement(NULL);
  CHECK_EQ(corbel_pg_query(w.p, NULL, &c, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_pg_query(w.p, &s, &c, NULL), CORBEL_INVALID);
  s = statement("SELECT $1"), s.param_count = 1;
  CHECK_EQ(corbel_pg_query(w.p, &s, &c, NULL), CORBEL_INVALID);
  s.params = &hole;
  CHECK_EQ(corbel_pg_query(w.p, &s, &c, NULL), CORBEL_INVALID);
  s.params = &one, s.formats = &format;
  CHECK_EQ(corbel_pg_query(w.p, &s, &c, NULL), CORBEL_INVALID);
  s.formats = NULL;
  CHECK_EQ(corbel_pg_lease(w.p, NULL, NULL), CORBEL_INVALID);
  corbel_pg_conn *k = pg_lease(&w);
  CHECK_EQ(corbel_pg_conn_query(k, NULL, &c, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_pg_conn_stream(k, &s, 0, NULL, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_pg_conn_copy_in(k, NULL, &c, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_pg_conn_copy_out(k, NULL, &c, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_pg_conn_query(k, &s, NULL, NULL), CORBEL_OK); /* nobody waits for it */
  corbel_event ev = ask_on(&w, k, "SELECT 1");
  CHECK_EQ(corbel_pg_result_value(ev.object, 0, 0, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_pg_result_packed(ev.object, NULL), CORBEL_INVALID);
  CHECK(corbel_pg_result_packed(ev.object, &b) == CORBEL_OK);
  corbel_event_clear(&ev, sizeof ev);
  corbel_pg_listener_options lo = {.struct_size = sizeof lo};
  corbel_pg_listener *l = NULL;
  CHECK_EQ(corbel_pg_listener_open(w.p, &lo, &l, NULL), CORBEL_INVALID);
  lo.to = w.q;
  CHECK_EQ(corbel_pg_listener_open(w.p, &lo, NULL, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_pg_listener_open(w.p, &lo, &l, NULL), CORBEL_OK);
  CHECK_EQ(corbel_pg_listener_change(l, CORBEL_PG_LISTEN, NULL, &c, NULL), CORBEL_INVALID);
  corbel_pg_listener_free(l);
  corbel_pg_conn_release(k);
  pg_world_close(&w);
}

/* One way to give each struct to the library; they begin with struct_size and flags. */
static struct pg_world grown;
static corbel_pg_conn *grown_lease;
static corbel_status pass_options(void *o) {
  corbel_pg *p = NULL;
  ((corbel_pg_options *)o)->conninfo = postgres.url;
  corbel_status s = corbel_pg_open(grown.rt, o, &p, NULL);
  corbel_pg_free(p);
  return s;
}
static corbel_status pass_statement(void *o) {
  ((corbel_pg_statement *)o)->sql = "SELECT 1";
  return corbel_pg_query(grown.p, o, NULL, NULL);
}
static corbel_status pass_begin(void *o) { return corbel_pg_conn_begin(grown_lease, o, NULL, NULL); }
static corbel_status pass_listener(void *o) {
  corbel_pg_listener *l = NULL;
  ((corbel_pg_listener_options *)o)->to = grown.q;
  corbel_status s = corbel_pg_listener_open(grown.p, o, &l, NULL);
  corbel_pg_listener_free(l);
  return s;
}

static void options_may_grow_and_may_not_lie(void) {
  grown = pg_world_open(2);
  grown_lease = pg_lease(&grown);
  struct {
    const char *name;
    corbel_status (*fn)(void *);
    uint32_t size;
  } all[] = {{"pg_options", pass_options, sizeof(corbel_pg_options)},
             {"pg_statement", pass_statement, sizeof(corbel_pg_statement)},
             {"pg_begin", pass_begin, sizeof(corbel_pg_begin)},
             {"pg_listener_options", pass_listener, sizeof(corbel_pg_listener_options)}};
  for (int i = 0; i < 4; i++) {
    struct {
      uint32_t says, flags;
      char trailing;
      corbel_status expected;
    } tries[] = {{0, 0, 0, CORBEL_INVALID},
                 {3, 0, 0, CORBEL_INVALID},
                 {all[i].size, 0x80000000u, 0, CORBEL_INVALID},
                 {all[i].size + 16, 0, 1, CORBEL_UNSUPPORTED},
                 {all[i].size + 16, 0, 0, CORBEL_OK}};
    union {
      uint32_t head[2];
      corbel_pg_options aligned;
      char room[512];
    } o;
    for (int j = 0; j < 5; j++) {
      memset(&o, 0, sizeof o);
      o.head[0] = tries[j].says, o.head[1] = tries[j].flags;
      o.room[all[i].size + 3] = tries[j].trailing;
      CHECK_EQ(all[i].fn(&o), tries[j].expected);
      if (check_case_failed) printf("  %s, try %d\n", all[i].name, j);
    }
    CHECK_EQ(corbel_options_init(&o, all[i].name, all[i].size), CORBEL_OK);
    CHECK_EQ(o.head[0], all[i].size);
  }
  CHECK_EQ(corbel_has_feature("postgres"), 1);
  corbel_pg_conn_release(grown_lease);
  pg_world_close(&grown);
}

enum kind { runtime, events, pool, lease, streaming, listener, kinds };

static void free_all(const int order[kinds]) {
  struct pg_world w = pg_world_open(4);
  corbel_events *notices = open_events(w.rt);
  corbel_pg_conn *k = pg_lease(&w), *k2 = pg_lease(&w);
  corbel_pg_statement s = statement("SELECT * FROM generate_series(1, 100000)");
  corbel_pg_listener_options lo = {.struct_size = sizeof lo, .to = notices};
  corbel_pg_listener *l = NULL;
  corbel_call c = call_to(w.q, 0);
  CHECK_EQ(corbel_pg_conn_stream(k2, &s, 10, &c, NULL), CORBEL_OK);
  corbel_pg_stream *x = await_event(w.q, CORBEL_EVENT_PG_STREAM).object;
  CHECK_EQ(corbel_pg_stream_next(x, &c, NULL), CORBEL_OK);
  CHECK_EQ(corbel_pg_listener_open(w.p, &lo, &l, NULL), CORBEL_OK);
  CHECK_EQ(corbel_pg_listener_change(l, CORBEL_PG_LISTEN, "x", &c, NULL), CORBEL_OK);
  for (int i = 0; i < 10; i++) CHECK_EQ(corbel_pg_query(w.p, &s, &c, NULL), CORBEL_OK);
  for (int i = 0; i < 10; i++) CHECK_EQ(corbel_pg_conn_query(k, &s, &c, NULL), CORBEL_OK);
  long long start = now_ms();
  for (int i = 0; i < kinds; i++) switch (order[i]) {
      case runtime:
        corbel_runtime_free(w.rt);
        break;
      case events:
        corbel_events_free(w.q), corbel_events_free(notices);
        break;
      case pool:
        corbel_pg_free(w.p);
        break;
      case lease:
        corbel_pg_conn_release(k), corbel_pg_conn_release(k2);
        break;
      case streaming:
        corbel_pg_stream_free(x);
        break;
      case listener:
        corbel_pg_listener_free(l);
        break;
    }
  CHECK(now_ms() - start < 5000); /* a free never blocks */
}

static void handles_are_freed_in_any_order(void) {
  int order[kinds];
  for (int first = 0; first < kinds; first++)
    for (int step = 1; step < kinds; step += 4) { /* 1 and 5: forwards and backwards */
      for (int i = 0; i < kinds; i++) order[i] = (first + i * step) % kinds;
      free_all(order);
    }
}

/* What the child tries: FORKED everywhere, free is fine, and it may open a pool of its own. Its exit status. */
static int in_the_child(struct pg_world *w, corbel_pg_conn *k, corbel_pg_stream *x, corbel_pg_listener *l) {
  corbel_pg_statement s = statement("SELECT 1");
  corbel_call c = call_to(w->q, 0);
  corbel_pg_stats stats;
  corbel_pg *p = NULL;
  corbel_pg_options o = {.struct_size = sizeof o, .conninfo = postgres.url};
  CHECK_EQ(corbel_pg_open(w->rt, &o, &p, NULL), CORBEL_FORKED);
  CHECK_EQ(corbel_pg_query(w->p, &s, &c, NULL), CORBEL_FORKED);
  CHECK_EQ(corbel_pg_lease(w->p, &c, NULL), CORBEL_FORKED);
  CHECK_EQ(corbel_pg_resize(w->p, 0, 1, NULL), CORBEL_FORKED);
  CHECK_EQ(corbel_pg_stats_get(w->p, &stats, sizeof stats), CORBEL_FORKED);
  CHECK_EQ(corbel_pg_close(w->p, &c, NULL), CORBEL_FORKED);
  CHECK_EQ(corbel_pg_conn_query(k, &s, &c, NULL), CORBEL_FORKED);
  CHECK_EQ(corbel_pg_conn_begin(k, NULL, &c, NULL), CORBEL_FORKED);
  CHECK_EQ(corbel_pg_conn_stream(k, &s, 0, &c, NULL), CORBEL_FORKED);
  CHECK_EQ(corbel_pg_stream_next(x, &c, NULL), CORBEL_FORKED);
  CHECK_EQ(corbel_pg_listener_change(l, CORBEL_PG_LISTEN, "y", &c, NULL), CORBEL_FORKED);
  corbel_pg_stream_free(x);
  corbel_pg_listener_free(l);
  corbel_pg_conn_release(k);
  corbel_pg_free(w->p);
  corbel_events_free(w->q);
  corbel_runtime_free(w->rt);
#ifndef __SANITIZE_THREAD__ /* ThreadSanitizer cannot start threads in a child of a process that has some */
  struct pg_world own = pg_world_open(1);
  CHECK(gives(ask(&own, "SELECT 9"), "9"));
  pg_world_close(&own);
#endif
  fflush(stdout);
  return check_case_failed;
}

static void a_child_after_a_fork_is_refused_and_may_free(void) {
  struct pg_world w = pg_world_open(4);
  corbel_pg_conn *k = pg_lease(&w), *k2 = pg_lease(&w);
  corbel_pg_statement s = statement("SELECT generate_series(1, 1000)");
  corbel_pg_listener_options lo = {.struct_size = sizeof lo, .to = w.q};
  corbel_pg_listener *l = NULL;
  corbel_call c = call_to(w.q, 0);
  int status = -1;
  CHECK_EQ(corbel_pg_conn_stream(k2, &s, 10, &c, NULL), CORBEL_OK);
  corbel_pg_stream *x = await_event(w.q, CORBEL_EVENT_PG_STREAM).object;
  CHECK_EQ(corbel_pg_listener_open(w.p, &lo, &l, NULL), CORBEL_OK);
  CHECK_EQ(corbel_pg_listener_change(l, CORBEL_PG_LISTEN, "x", &c, NULL), CORBEL_OK);
  CHECK(ends(await_event(w.q, CORBEL_EVENT_DONE), CORBEL_OK));
  fflush(stdout);
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) _exit(in_the_child(&w, k, x, l));
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  CHECK(gives(ask_on(&w, k, "SELECT 6"), "6")); /* the parent did not notice */
  corbel_pg_stream_free(x);
  corbel_pg_listener_free(l);
  corbel_pg_conn_release(k);
  corbel_pg_conn_release(k2);
  pg_world_close(&w);
}

int main(void) {
  postgres_start(&postgres);
  RUN(nothing_may_be_freed);
  RUN(a_handle_is_required);
  RUN(inputs_are_required);
  RUN(options_may_grow_and_may_not_lie);
  RUN(handles_are_freed_in_any_order);
  RUN(a_child_after_a_fork_is_refused_and_may_free);
  return postgres_report();
}
