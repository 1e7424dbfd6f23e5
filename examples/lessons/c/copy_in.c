/* Lesson: COPY is the quick way for many rows into a table. Data goes in pieces, cut anywhere; nothing is kept unless the
 * end is confirmed. Results larger than memory come back in pieces too.
 *
 *     DATABASE_URL=postgresql://postgres@localhost/postgres build/dev/examples/lessons/lesson_c_copy_in */
#include <corbel.h>

#include <stdio.h>
#include <stdlib.h>

static corbel_events *q;
static corbel_call c;

static void die(const char *what, corbel_error *e) {
  fprintf(stderr, "%s: %s: %s\n", what, corbel_status_name(corbel_error_status(e)), corbel_error_message(e));
  exit(1);
}

/* Waits for the one event of a call that was just started. */
static corbel_event wait_for(corbel_status started) {
  if (started) die("refused at once", *c.err);
  corbel_event ev;
  corbel_events_take(q, &ev, 1, sizeof ev, -1);
  if (ev.status != CORBEL_OK) die("call", ev.error);
  return ev;
}

static corbel_pg_statement statement(const char *sql) {
  corbel_pg_statement s = {.struct_size = sizeof s, .sql = sql};
  return s;
}

static void run(corbel_pg_conn *k, const char *sql) {
  corbel_pg_statement s = statement(sql);
  corbel_event ev = wait_for(corbel_pg_conn_query(k, &s, &c, NULL));
  corbel_event_clear(&ev, sizeof ev);
}

int main(void) {
  printf("lesson: copy_in\n");
  const char *url = getenv("DATABASE_URL");
  corbel_runtime_options ro = {.struct_size = sizeof ro, .name = "copy_in"};
  corbel_pg_options po = {.struct_size = sizeof po, .conninfo = url ? url : "postgresql://postgres@localhost/postgres"};
  corbel_runtime *rt = NULL;
  corbel_pg *pool = NULL;
  corbel_error *e = NULL;
  if (corbel_runtime_open(&ro, &rt, &e) || corbel_events_open(rt, 0, &q, &e)) die("runtime", e);
  if (corbel_pg_open(rt, &po, &pool, &e)) die("pool", e);
  c = (corbel_call){.struct_size = sizeof c, .to = q, .err = &e};
  corbel_pg_conn *k = wait_for(corbel_pg_lease(pool, &c, NULL)).object;
  run(k, "DROP TABLE IF EXISTS lesson_numbers");
  run(k, "CREATE TABLE lesson_numbers (n int, square bigint)");

  corbel_pg_copy *copy = wait_for(corbel_pg_conn_copy_in(k, "COPY lesson_numbers FROM STDIN", &c, NULL)).object;
  for (int n = 1; n <= 10000;) {
    char piece[4096]; /* some rows at a time: columns parted by tabs, rows by newlines */
    int size = 0;
    while (n <= 10000 && size < 4000) size += snprintf(piece + size, 64, "%d\t%d\n", n, n * n), n++;
    wait_for(corbel_pg_copy_write(copy, piece, (size_t)size, &c, NULL)); /* done when the server takes more */
  }
  printf("copied %d rows\n", (int)wait_for(corbel_pg_copy_finish(copy, &c, NULL)).value);
  corbel_pg_copy_free(copy);

  corbel_pg_statement all = statement("SELECT n FROM lesson_numbers");
  corbel_pg_stream *rows = wait_for(corbel_pg_conn_stream(k, &all, 500, &c, NULL)).object;
  size_t seen = 0;
  for (size_t some = 1; some != 0; seen += some) {
    corbel_event ev = wait_for(corbel_pg_stream_next(rows, &c, NULL));
    some = corbel_pg_result_rows(ev.object); /* at most 500; none is the end */
    corbel_event_clear(&ev, sizeof ev);
  }
  printf("streamed %d rows\n", (int)seen);
  corbel_pg_stream_free(rows);

  run(k, "DROP TABLE lesson_numbers");
  corbel_pg_conn_release(k);
  corbel_pg_free(pool);
  corbel_runtime_shutdown(rt, 0, NULL);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  return 0;
}
