/* Statements on the pool: parameters, results in both forms, errors with their fields, cancelling, sizes, closing. */
#include "postgres.h"

static void a_statement_with_parameters(void) {
  struct pg_world w = pg_world_open(0);
  const unsigned char four[] = {0, 0, 0, 4};
  corbel_bytes params[] = {{"41", 2}, {four, 4}, {NULL, 0}, {"", 0}};
  uint32_t types[] = {0, 23, 0, 25};
  int32_t formats[] = {0, 1, 0, 0};
  corbel_pg_statement s = statement("SELECT $1::int + 1 AS sum, $2, $3::text, $4");
  s.params = params, s.types = types, s.formats = formats, s.param_count = 4;
  for (uint32_t flags = 0; flags < 8; flags++) {
    corbel_call c = call_to(w.q, flags);
    corbel_bytes b;
    s.flags = flags;
    CHECK_EQ(corbel_pg_query(w.p, &s, &c, NULL), CORBEL_OK);
    corbel_event ev = await_event(w.q, CORBEL_EVENT_RESULT);
    REQUIRE(ev.status == CORBEL_OK && ev.object != NULL);
    int binary = (flags & CORBEL_PG_BINARY_RESULT) != 0;
    CHECK_EQ(corbel_pg_result_rows(ev.object), 1);
    CHECK_EQ(corbel_pg_result_columns(ev.object), 4);
    CHECK(strcmp(corbel_pg_result_name(ev.object, 0), "sum") == 0);
    CHECK_EQ(corbel_pg_result_type(ev.object, 0), 23);
    CHECK_EQ(corbel_pg_result_format(ev.object, 0), binary);
    CHECK(corbel_pg_result_value(ev.object, 0, 0, &b) == CORBEL_OK);
    CHECK(binary ? b.size == 4 && memcmp(b.data, "\0\0\0\x2a", 4) == 0 : same(b, "42"));
    CHECK(corbel_pg_result_value(ev.object, 0, 2, &b) == CORBEL_OK && b.data == NULL);
    CHECK(corbel_pg_result_value(ev.object, 0, 3, &b) == CORBEL_OK && b.data != NULL && b.size == 0);
    CHECK_EQ(corbel_pg_result_value(ev.object, 1, 0, &b), CORBEL_INVALID);
    CHECK_EQ(corbel_pg_result_value(ev.object, 0, 4, &b), CORBEL_INVALID);
    CHECK(strcmp(corbel_pg_result_name(ev.object, 4), "") == 0 && corbel_pg_result_type(ev.object, 4) == 0);
    CHECK(strcmp(corbel_pg_result_tag(ev.object), "SELECT 1") == 0 && corbel_pg_result_affected(ev.object) == 1);
    corbel_pg_result_free(ev.object);
  }
  pg_world_close(&w);
}

static uint32_t word(const char *at) {
  uint32_t n;
  memcpy(&n, at, sizeof n);
  return n;
}

static void a_whole_result_in_one_piece(void) {
  struct pg_world w = pg_world_open(0);
  corbel_pg_statement s = statement("SELECT 258::int4 AS a, 1.50::numeric AS b, NULL::bool AS c, '{1,2}'::int2[] AS d");
  for (int binary = 0; binary < 2; binary++) {
    corbel_call c = call_to(w.q, 0);
    corbel_bytes all = {NULL, 0}, again = {NULL, 0};
    s.flags = binary ? CORBEL_PG_BINARY_RESULT : 0;
    CHECK_EQ(corbel_pg_query(w.p, &s, &c, NULL), CORBEL_OK);
    corbel_event ev = await_event(w.q, CORBEL_EVENT_RESULT);
    REQUIRE(ev.object != NULL && corbel_pg_result_packed(ev.object, &all) == CORBEL_OK);
    CHECK(corbel_pg_result_packed(ev.object, &again) == CORBEL_OK && again.data == all.data);
    const char *at = all.data;
    CHECK(word(at) == 1 && word(at + 4) == 4 && word(at + 8) == 4 * 10 && word(at + 12) == 8);
    at += 16;
    CHECK(word(at) == 23 && word(at + 4) == 1 && strcmp(at + 8, "a") == 0);
    CHECK(word(at + 10) == 1700 && word(at + 14) == 0 && word(at + 20) == 16 && word(at + 30) == 1005);
    CHECK(memcmp(at + 40, "SELECT 1", 8) == 0);
    static const char values[] =
        "\0\0\0\4\0\0\1\2"     /* 258 */
        "\0\0\0\4"             /* "1.50" */
        "1.50\xff\xff\xff\xff" /* NULL */
        "\0\0\0\x20\0\0\0\1\0\0\0\0\0\0\0\x15\0\0\0\2\0\0\0\1\0\0\0\2\0\1\0\0\0\2\0\2";
    CHECK(all.size == 16 + 40 + 8 + sizeof values - 1 && memcmp(at + 48, values, sizeof values - 1) == 0);
    corbel_event_clear(&ev, sizeof ev);
  }
  pg_world_close(&w);
}

static void an_error_keeps_what_the_server_said(void) {
  struct pg_world w = pg_world_open(0);
  CHECK(ends(ask(&w, "CREATE TABLE c_errors (id int PRIMARY KEY)"), CORBEL_OK));
  CHECK(ends(ask(&w, "INSERT INTO c_errors VALUES (1)"), CORBEL_OK));
  corbel_event ev = ask(&w, "INSERT INTO c_errors VALUES (1)");
  CHECK(ev.status == CORBEL_REFUSED && ev.object == NULL);
  CHECK(strcmp(corbel_error_native(ev.error), "23505") == 0 && strcmp(corbel_error_source(ev.error), "postgres") == 0);
  CHECK(strcmp(corbel_error_field(ev.error, "constraint"), "c_errors_pkey") == 0);
  CHECK(strstr(corbel_error_field(ev.error, "detail"), "already exists") != NULL);
  CHECK(corbel_error_field(ev.error, "position") == NULL && corbel_error_field(ev.error, "nonsense") == NULL);
  CHECK(corbel_error_field(ev.error, NULL) == NULL && corbel_error_field(NULL, "detail") == NULL);
  corbel_event_clear(&ev, sizeof ev);
  pg_world_close(&w);
}

static void a_statement_is_cancelled_or_times_out(void) {
  struct pg_world w = pg_world_open(2);
  corbel_pg_statement s = statement("SELECT pg_sleep(60)");
  corbel_call c = call_to(w.q, 1);
  corbel_ticket t = 0;
  CHECK(gives(ask(&w, "SELECT 1"), "1"));
  CHECK_EQ(corbel_pg_query(w.p, &s, &c, &t), CORBEL_OK);
  CHECK_EQ(corbel_cancel(w.rt, t), CORBEL_OK);
  corbel_event ev = await_event(w.q, CORBEL_EVENT_RESULT);
  CHECK(ev.ticket == t);
  CHECK(ends(ev, CORBEL_CANCELLED));
  c.timeout_ms = 100;
  CHECK_EQ(corbel_pg_query(w.p, &s, &c, &t), CORBEL_OK);
  CHECK(ends(await_event(w.q, CORBEL_EVENT_RESULT), CORBEL_TIMEOUT));
  pg_world_close(&w);
}

static void a_statement_that_needs_a_lease_is_refused_at_once(void) {
  struct pg_world w = pg_world_open(0);
  static const char *const wrong[] = {"BEGIN", "SET a.b = 'c'", "LISTEN x", "COPY t FROM STDIN"};
  for (int i = 0; i < 4; i++) {
    corbel_error *e = NULL;
    corbel_pg_statement s = statement(wrong[i]);
    corbel_call c = call_to(w.q, 0);
    c.err = &e;
    CHECK_EQ(corbel_pg_query(w.p, &s, &c, NULL), CORBEL_INVALID);
    CHECK(strstr(corbel_error_message(e), "lease") != NULL);
    corbel_error_free(e);
  }
  pg_world_close(&w);
}

static void a_pool_is_resized_and_closed(void) {
  struct pg_world w = pg_world_open(2);
  corbel_pg_stats stats;
  corbel_error *e = NULL;
  CHECK(gives(ask(&w, "SELECT 5"), "5"));
  CHECK_EQ(corbel_pg_stats_get(w.p, &stats, sizeof stats), CORBEL_OK);
  CHECK(stats.max == 2 && stats.open >= 1 && stats.statements >= 1 && stats.unanswered == 0 && stats.connects >= 1);
  CHECK_EQ(corbel_pg_stats_get(w.p, &stats, 8), CORBEL_OK);
  CHECK_EQ(corbel_pg_resize(w.p, 1, 3, NULL), CORBEL_OK);
  CHECK_EQ(corbel_pg_stats_get(w.p, &stats, sizeof stats), CORBEL_OK);
  CHECK(stats.min == 1 && stats.max == 3);
  CHECK_EQ(corbel_pg_resize(w.p, 4, 3, &e), CORBEL_INVALID);
  CHECK(strstr(corbel_error_message(e), "4") != NULL);
  corbel_error_free(e);
  CHECK_EQ(corbel_pg_resize(w.p, 0, 0, NULL), CORBEL_INVALID);
  corbel_call c = call_to(w.q, 3);
  corbel_ticket t = 0;
  CHECK_EQ(corbel_pg_close(w.p, &c, &t), CORBEL_OK);
  corbel_event ev = await_event(w.q, CORBEL_EVENT_CLOSED);
  CHECK(ev.ticket == t && ev.status == CORBEL_OK);
  corbel_pg_statement s = statement("SELECT 1");
  CHECK_EQ(corbel_pg_query(w.p, &s, &c, &t), CORBEL_CLOSED);
  CHECK_EQ(corbel_pg_lease(w.p, &c, &t), CORBEL_CLOSED);
  CHECK_EQ(corbel_pg_resize(w.p, 0, 1, NULL), CORBEL_CLOSED);
  pg_world_close(&w);
}

static void wrong_settings_are_told_without_the_password(void) {
  struct pg_world w = pg_world_open(0);
  corbel_pg_options o = {.struct_size = sizeof o, .conninfo = "postgresql://u:secret@h/db?nonsense=1"};
  corbel_pg *p = NULL;
  corbel_error *e = NULL;
  CHECK_EQ(corbel_pg_open(w.rt, &o, &p, &e), CORBEL_INVALID);
  CHECK(p == NULL && strstr(corbel_error_message(e), "secret") == NULL);
  corbel_error_free(e);
  o.conninfo = postgres.url, o.flags = CORBEL_PG_POOL_UNPREPARED | CORBEL_PG_POOL_DISCARD_ALL, o.call_ms = -1;
  CHECK_EQ(corbel_pg_open(w.rt, &o, &p, NULL), CORBEL_OK);
  corbel_pg_free(w.p);
  w.p = p;
  CHECK(gives(ask(&w, "SELECT count(*) FROM pg_prepared_statements"), "0"));
  pg_world_close(&w);
}

int main(void) {
  postgres_start(&postgres);
  RUN(a_statement_with_parameters);
  RUN(a_whole_result_in_one_piece);
  RUN(an_error_keeps_what_the_server_said);
  RUN(a_statement_is_cancelled_or_times_out);
  RUN(a_statement_that_needs_a_lease_is_refused_at_once);
  RUN(a_pool_is_resized_and_closed);
  RUN(wrong_settings_are_told_without_the_password);
  return postgres_report();
}
