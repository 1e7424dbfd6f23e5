/* Leases: transactions, rows and COPY piece by piece, cancelling one of them, LISTEN. */
#include "postgres.h"

typedef corbel_status (*simple)(corbel_pg_conn *k, const corbel_call *c, corbel_ticket *t);

static corbel_event end_with(struct pg_world *w, corbel_pg_conn *k, simple fn) {
  corbel_call c = call_to(w->q, 5);
  corbel_ticket t = 0;
  CHECK_EQ(fn(k, &c, &t), CORBEL_OK);
  corbel_event ev = await_event(w->q, CORBEL_EVENT_DONE);
  CHECK(ev.ticket == t && ev.user == 5);
  return ev;
}

static int begins(struct pg_world *w, corbel_pg_conn *k, int32_t isolation, uint32_t flags) {
  corbel_pg_begin o = {.struct_size = sizeof o, .flags = flags, .isolation = isolation};
  corbel_call c = call_to(w->q, 5);
  CHECK_EQ(corbel_pg_conn_begin(k, isolation ? &o : NULL, &c, NULL), CORBEL_OK);
  return ends(await_event(w->q, CORBEL_EVENT_DONE), CORBEL_OK);
}

static void a_transaction_is_committed_or_rolled_back(void) {
  struct pg_world w = pg_world_open(2);
  corbel_pg_conn *k = pg_lease(&w);
  CHECK(corbel_pg_conn_backend(k) > 0);
  CHECK(ends(ask(&w, "CREATE TABLE c_tx (id int PRIMARY KEY)"), CORBEL_OK));
  CHECK(begins(&w, k, CORBEL_PG_ISOLATION_DEFAULT, 0));
  CHECK(ends(ask_on(&w, k, "INSERT INTO c_tx VALUES (1)"), CORBEL_OK));
  CHECK(gives(ask(&w, "SELECT count(*) FROM c_tx"), "0"));
  CHECK(ends(end_with(&w, k, corbel_pg_conn_commit), CORBEL_OK));
  CHECK(begins(&w, k, CORBEL_PG_SERIALIZABLE, CORBEL_PG_BEGIN_READ_ONLY | CORBEL_PG_BEGIN_DEFERRABLE));
  CHECK(gives(ask_on(&w, k, "SHOW transaction_isolation"), "serializable"));
  corbel_event ev = ask_on(&w, k, "INSERT INTO c_tx VALUES (2)");
  CHECK(strcmp(corbel_error_native(ev.error), "25006") == 0);
  corbel_event_clear(&ev, sizeof ev);
  ev = end_with(&w, k, corbel_pg_conn_commit); /* it had failed */
  CHECK(ev.status == CORBEL_REFUSED && strcmp(corbel_error_native(ev.error), "25P02") == 0);
  corbel_event_clear(&ev, sizeof ev);
  CHECK(begins(&w, k, CORBEL_PG_REPEATABLE_READ, 0));
  CHECK(ends(ask_on(&w, k, "INSERT INTO c_tx VALUES (3)"), CORBEL_OK));
  CHECK(ends(end_with(&w, k, corbel_pg_conn_rollback), CORBEL_OK));
  CHECK(begins(&w, k, CORBEL_PG_READ_COMMITTED, 0));
  CHECK(ends(ask_on(&w, k, "INSERT INTO c_tx VALUES (4)"), CORBEL_OK));
  corbel_pg_conn_release(k); /* rolled back by the pool */
  k = pg_lease(&w);
  CHECK(gives(ask_on(&w, k, "SELECT count(*) FROM c_tx"), "1"));
  int32_t backend = corbel_pg_conn_backend(k);
  corbel_pg_conn_discard(k);
  k = pg_lease(&w);
  CHECK(corbel_pg_conn_backend(k) != backend);
  corbel_pg_begin wrong = {.struct_size = sizeof wrong, .isolation = 4};
  CHECK_EQ(corbel_pg_conn_begin(k, &wrong, NULL, NULL), CORBEL_INVALID);
  corbel_pg_conn_release(k);
  pg_world_close(&w);
}

static void a_full_pool_is_busy(void) {
  struct pg_world w = pg_world_open(1);
  corbel_pg_conn *k = pg_lease(&w);
  corbel_call c = call_to(w.q, 1);
  c.timeout_ms = 50;
  CHECK_EQ(corbel_pg_lease(w.p, &c, NULL), CORBEL_OK);
  corbel_event ev = await_event(w.q, CORBEL_EVENT_PG_LEASE);
  CHECK(strstr(corbel_error_message(ev.error), "1") != NULL);
  CHECK(ends(ev, CORBEL_BUSY));
  c.timeout_ms = 0;
  CHECK_EQ(corbel_pg_lease(w.p, &c, NULL), CORBEL_OK);
  corbel_pg_conn_release(k);
  ev = await_event(w.q, CORBEL_EVENT_PG_LEASE);
  CHECK_EQ(ev.status, CORBEL_OK);
  corbel_event_clear(&ev, sizeof ev); /* gives it back */
  k = pg_lease(&w);
  corbel_pg_conn_release(k);
  pg_world_close(&w);
}

static corbel_pg_stream *stream(struct pg_world *w, corbel_pg_conn *k, const char *sql, uint32_t chunk) {
  corbel_pg_statement s = statement(sql);
  corbel_call c = call_to(w->q, 2);
  CHECK_EQ(corbel_pg_conn_stream(k, &s, chunk, &c, NULL), CORBEL_OK);
  corbel_event ev = await_event(w->q, CORBEL_EVENT_PG_STREAM);
  tell(ev.error);
  REQUIRE(ev.status == CORBEL_OK && ev.object != NULL);
  return ev.object;
}

static void rows_come_in_chunks(void) {
  struct pg_world w = pg_world_open(1);
  corbel_pg_conn *k = pg_lease(&w);
  corbel_pg_stream *x = stream(&w, k, "SELECT * FROM generate_series(1, 25)", 10);
  corbel_call c = call_to(w.q, 3);
  size_t rows = 0, chunks = 0;
  for (size_t n = 1; n != 0; chunks++) {
    CHECK_EQ(corbel_pg_stream_next(x, &c, NULL), CORBEL_OK);
    corbel_event ev = await_event(w.q, CORBEL_EVENT_RESULT);
    REQUIRE(ev.status == CORBEL_OK);
    n = corbel_pg_result_rows(ev.object);
    CHECK(n <= 10);
    if (n == 0) CHECK(strcmp(corbel_pg_result_tag(ev.object), "SELECT 25") == 0);
    rows += n;
    corbel_event_clear(&ev, sizeof ev);
  }
  CHECK(rows == 25 && chunks >= 4);
  corbel_pg_stream_free(x);
  x = stream(&w, k, "SELECT generate_series(1, 1000000000)", 0);
  corbel_pg_stream_free(x); /* cancelled on the server */
  CHECK(gives(ask_on(&w, k, "SELECT 4"), "4"));
  corbel_pg_conn_release(k);
  pg_world_close(&w);
}

static void waiting_for_rows_is_cancelled(void) {
  struct pg_world w = pg_world_open(1);
  corbel_pg_conn *k = pg_lease(&w);
  corbel_pg_statement s = statement("SELECT pg_sleep(60)");
  corbel_call c = call_to(w.q, 2);
  corbel_ticket t = 0;
  CHECK_EQ(corbel_pg_conn_stream(k, &s, 0, &c, &t), CORBEL_OK);
  CHECK_EQ(corbel_cancel(w.rt, t), CORBEL_OK);
  corbel_event ev = await_event(w.q, CORBEL_EVENT_PG_STREAM);
  CHECK(ev.ticket == t);
  CHECK(ends(ev, CORBEL_CANCELLED));
  corbel_pg_conn_release(k);
  pg_world_close(&w);
}

static corbel_pg_copy *copy(struct pg_world *w, corbel_event *failure, corbel_pg_conn *k, const char *sql, int in) {
  corbel_call c = call_to(w->q, 4);
  CHECK_EQ(in ? corbel_pg_conn_copy_in(k, sql, &c, NULL) : corbel_pg_conn_copy_out(k, sql, &c, NULL), CORBEL_OK);
  corbel_event ev = await_event(w->q, CORBEL_EVENT_PG_COPY);
  if (failure)
    *failure = ev;
  else
    tell(ev.error);
  return ev.object;
}

static corbel_event write_text(struct pg_world *w, corbel_pg_copy *x, const char *text) {
  corbel_call c = call_to(w->q, 4);
  CHECK_EQ(corbel_pg_copy_write(x, text, strlen(text), &c, NULL), CORBEL_OK);
  return await_event(w->q, CORBEL_EVENT_DONE);
}

static corbel_event finish(struct pg_world *w, corbel_pg_copy *x) {
  corbel_call c = call_to(w->q, 4);
  CHECK_EQ(corbel_pg_copy_finish(x, &c, NULL), CORBEL_OK);
  return await_event(w->q, CORBEL_EVENT_DONE);
}

static void rows_are_copied_in_and_out(void) {
  struct pg_world w = pg_world_open(1);
  corbel_pg_conn *k = pg_lease(&w);
  corbel_call c = call_to(w.q, 4);
  corbel_event ev;
  CHECK(ends(ask_on(&w, k, "CREATE TABLE c_copy (id int PRIMARY KEY)"), CORBEL_OK));
  corbel_pg_copy *x = copy(&w, NULL, k, "COPY c_copy FROM STDIN", 1);
  REQUIRE(x != NULL);
  CHECK(ends(write_text(&w, x, "1\n2"), CORBEL_OK));
  CHECK(ends(write_text(&w, x, "2\n"), CORBEL_OK));
  CHECK_EQ(corbel_pg_copy_read(x, &c, NULL), CORBEL_STATE);
  ev = finish(&w, x);
  CHECK_EQ(ev.value, 2);
  CHECK(ends(ev, CORBEL_OK));
  corbel_pg_copy_free(x);

  x = copy(&w, NULL, k, "COPY c_copy FROM STDIN", 1);
  CHECK(ends(write_text(&w, x, "3\n3\n"), CORBEL_OK));
  CHECK(ends(finish(&w, x), CORBEL_REFUSED));
  corbel_pg_copy_free(x);
  x = copy(&w, NULL, k, "COPY c_copy FROM STDIN", 1);
  CHECK(ends(write_text(&w, x, "4\n"), CORBEL_OK));
  corbel_pg_copy_free(x); /* unfinished */
  CHECK(copy(&w, &ev, k, "COPY nowhere FROM STDIN", 1) == NULL);
  CHECK(ends(ev, CORBEL_REFUSED));

  x = copy(&w, NULL, k, "COPY (SELECT * FROM c_copy ORDER BY id) TO STDOUT", 0);
  REQUIRE(x != NULL);
  CHECK_EQ(corbel_pg_copy_write(x, "x", 1, &c, NULL), CORBEL_STATE);
  CHECK_EQ(corbel_pg_copy_finish(x, &c, NULL), CORBEL_STATE);
  char all[64] = "";
  for (size_t size = 1; size != 0;) {
    corbel_bytes b = {NULL, 0};
    CHECK_EQ(corbel_pg_copy_read(x, &c, NULL), CORBEL_OK);
    ev = await_event(w.q, CORBEL_EVENT_PG_DATA);
    REQUIRE(ev.status == CORBEL_OK && corbel_text_bytes(ev.object, &b) == CORBEL_OK && b.size < 32);
    strncat(all, b.data, b.size);
    size = b.size;
    corbel_event_clear(&ev, sizeof ev);
  }
  CHECK(strcmp(all, "1\n22\n") == 0);
  corbel_pg_copy_free(x);
  corbel_pg_conn_release(k);
  pg_world_close(&w);
}

static int change(struct pg_world *w, corbel_pg_listener *l, int32_t op, const char *channel) {
  corbel_call c = call_to(w->q, 6);
  CHECK_EQ(corbel_pg_listener_change(l, op, channel, &c, NULL), CORBEL_OK);
  return ends(await_event(w->q, CORBEL_EVENT_DONE), CORBEL_OK);
}

static void a_listener_hears_its_channels(void) {
  struct pg_world w = pg_world_open(0);
  corbel_events *notices = open_events(w.rt);
  corbel_pg_listener_options o = {.struct_size = sizeof o, .to = notices, .user = 77};
  corbel_pg_listener *l = NULL;
  corbel_bytes channel, payload;
  CHECK_EQ(corbel_pg_listener_open(w.p, &o, &l, NULL), CORBEL_OK);
  CHECK(change(&w, l, CORBEL_PG_LISTEN, "News"));
  CHECK(ends(ask(&w, "SELECT pg_notify('News', 'hello')"), CORBEL_OK));
  corbel_event ev = await_event(notices, CORBEL_EVENT_PG_NOTICE);
  REQUIRE(ev.object != NULL);
  CHECK(ev.ticket == 0 && ev.user == 77 && ev.epoch >= 1 && ev.source == CORBEL_SOURCE_POSTGRES);
  CHECK(corbel_pg_notice_channel(ev.object, &channel) == CORBEL_OK && same(channel, "News"));
  CHECK(corbel_pg_notice_payload(ev.object, &payload) == CORBEL_OK && same(payload, "hello"));
  CHECK(corbel_pg_notice_backend(ev.object) > 0);
  corbel_pg_notice_free(ev.object);
  CHECK(change(&w, l, CORBEL_PG_UNLISTEN, "News"));
  CHECK(ends(ask(&w, "SELECT pg_notify('News', 'nobody')"), CORBEL_OK));
  CHECK_EQ(corbel_events_take(notices, &ev, 1, sizeof ev, 50), 0);

  CHECK(change(&w, l, CORBEL_PG_LISTEN, "News"));
  CHECK(ends(ask(&w, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"), CORBEL_OK));
  ev = await_event(notices, CORBEL_EVENT_STATE);
  CHECK_EQ(ev.value, CORBEL_PG_GAP);
  ev = await_event(notices, CORBEL_EVENT_STATE);
  CHECK(ev.value == CORBEL_PG_LISTENING && ev.epoch >= 2);

  CHECK_EQ(corbel_pg_listener_change(l, 3, "x", NULL, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_pg_listener_change(l, CORBEL_PG_LISTEN, "", NULL, NULL), CORBEL_INVALID);
  corbel_pg_listener_free(l);
  corbel_events_free(notices);
  pg_world_close(&w);
}

int main(void) {
  postgres_start(&postgres);
  RUN(a_transaction_is_committed_or_rolled_back);
  RUN(a_full_pool_is_busy);
  RUN(rows_come_in_chunks);
  RUN(waiting_for_rows_is_cancelled);
  RUN(rows_are_copied_in_and_out);
  RUN(a_listener_hears_its_channels);
  return postgres_report();
}
