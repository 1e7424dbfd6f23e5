/* Lesson: statements with parameters on a PostgreSQL pool. Many callers share its connections; each statement has its own
 * outcome, and a server's error says its SQLSTATE and what it is about.
 *
 *     DATABASE_URL=postgresql://postgres@localhost/postgres build/dev/examples/lessons/lesson_c_query */
#include <corbel.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void die(const char *what, corbel_error *e) {
  fprintf(stderr, "%s: %s: %s\n", what, corbel_status_name(corbel_error_status(e)), corbel_error_message(e));
  exit(1);
}

/* Runs one statement with text parameters and waits for its event. The server infers their types. */
static corbel_event run(corbel_pg *pool, corbel_events *q, const char *sql, const char *const *texts, size_t count) {
  corbel_bytes params[4];
  for (size_t i = 0; i < count; i++) params[i] = (corbel_bytes){texts[i], texts[i] ? strlen(texts[i]) : 0};
  corbel_error *e = NULL;
  corbel_pg_statement s = {.struct_size = sizeof s, .sql = sql, .params = params, .param_count = count};
  corbel_call c = {.struct_size = sizeof c, .to = q, .err = &e};
  if (corbel_pg_query(pool, &s, &c, NULL)) die("query", e);
  corbel_event ev;
  corbel_events_take(q, &ev, 1, sizeof ev, -1);
  return ev;
}

static void done(corbel_event ev) {
  if (ev.status != CORBEL_OK) die("statement", ev.error);
  corbel_event_clear(&ev, sizeof ev);
}

int main(void) {
  printf("lesson: query\n");
  const char *url = getenv("DATABASE_URL");
  corbel_runtime_options ro = {.struct_size = sizeof ro, .name = "query"};
  corbel_pg_options po = {.struct_size = sizeof po, .conninfo = url ? url : "postgresql://postgres@localhost/postgres"};
  corbel_runtime *rt = NULL;
  corbel_events *q = NULL;
  corbel_pg *pool = NULL;
  corbel_error *e = NULL;
  if (corbel_runtime_open(&ro, &rt, &e) || corbel_events_open(rt, 0, &q, &e)) die("runtime", e);
  if (corbel_pg_open(rt, &po, &pool, &e)) die("pool", e);

  done(run(pool, q, "DROP TABLE IF EXISTS lesson_people", NULL, 0));
  done(run(pool, q, "CREATE TABLE lesson_people (name text PRIMARY KEY, age int)", NULL, 0));
  const char *const ada[] = {"ada", "36"}, *const bob[] = {"bob", NULL}; /* NULL is NULL */
  done(run(pool, q, "INSERT INTO lesson_people VALUES ($1, $2)", ada, 2));
  done(run(pool, q, "INSERT INTO lesson_people VALUES ($1, $2)", bob, 2));

  corbel_event ev = run(pool, q, "SELECT name, age FROM lesson_people ORDER BY name", NULL, 0);
  if (ev.status != CORBEL_OK) die("SELECT", ev.error);
  for (size_t row = 0; row < corbel_pg_result_rows(ev.object); row++) {
    corbel_bytes name, age; /* borrowed: they live as long as the result */
    corbel_pg_result_value(ev.object, row, 0, &name);
    corbel_pg_result_value(ev.object, row, 1, &age);
    printf("%.*s is %.*s\n", (int)name.size, (const char *)name.data, age.data ? (int)age.size : 7,
           age.data ? (const char *)age.data : "unknown");
  }
  corbel_event_clear(&ev, sizeof ev);

  ev = run(pool, q, "INSERT INTO lesson_people VALUES ($1, $2)", ada, 2);
  printf("%s: %s, %s\n", corbel_status_name(ev.status), corbel_error_native(ev.error),
         corbel_error_field(ev.error, "constraint"));
  corbel_event_clear(&ev, sizeof ev);

  done(run(pool, q, "DROP TABLE lesson_people", NULL, 0));
  corbel_pg_free(pool);
  corbel_runtime_shutdown(rt, 0, NULL);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  return 0;
}
