/* Lesson: a transaction needs a connection of its own, a lease. A lease that is given back with a transaction open is rolled
 * back by the pool; so an early way out loses nothing but its own changes.
 *
 *     DATABASE_URL=postgresql://postgres@localhost/postgres build/dev/examples/lessons/lesson_c_transaction */
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

static void run(corbel_pg_conn *k, const char *sql) {
  corbel_pg_statement s = {.struct_size = sizeof s, .sql = sql};
  corbel_event ev = wait_for(corbel_pg_conn_query(k, &s, &c, NULL));
  corbel_event_clear(&ev, sizeof ev);
}

static corbel_pg_conn *lease(corbel_pg *pool) { return wait_for(corbel_pg_lease(pool, &c, NULL)).object; }

static void show(corbel_pg_conn *k, const char *when) {
  corbel_pg_statement s = {.struct_size = sizeof s, .sql = "SELECT money FROM lesson_accounts WHERE id = 1"};
  corbel_event ev = wait_for(corbel_pg_conn_query(k, &s, &c, NULL));
  corbel_bytes money = {"", 0};
  corbel_pg_result_value(ev.object, 0, 0, &money);
  printf("after the %s: %.*s\n", when, (int)money.size, (const char *)money.data);
  corbel_event_clear(&ev, sizeof ev);
}

int main(void) {
  printf("lesson: transaction\n");
  const char *url = getenv("DATABASE_URL");
  corbel_runtime_options ro = {.struct_size = sizeof ro, .name = "transaction"};
  corbel_pg_options po = {.struct_size = sizeof po, .conninfo = url ? url : "postgresql://postgres@localhost/postgres"};
  corbel_runtime *rt = NULL;
  corbel_pg *pool = NULL;
  corbel_error *e = NULL;
  if (corbel_runtime_open(&ro, &rt, &e) || corbel_events_open(rt, 0, &q, &e)) die("runtime", e);
  if (corbel_pg_open(rt, &po, &pool, &e)) die("pool", e);
  c = (corbel_call){.struct_size = sizeof c, .to = q, .err = &e};

  corbel_pg_conn *k = lease(pool);
  run(k, "DROP TABLE IF EXISTS lesson_accounts");
  run(k, "CREATE TABLE lesson_accounts (id int PRIMARY KEY, money int CHECK (money >= 0))");
  run(k, "INSERT INTO lesson_accounts VALUES (1, 100), (2, 0)");

  wait_for(corbel_pg_conn_begin(k, NULL, &c, NULL));
  run(k, "UPDATE lesson_accounts SET money = money - 30 WHERE id = 1");
  corbel_pg_conn_release(k); /* in the middle: rolled back */
  k = lease(pool);
  show(k, "rollback");

  corbel_pg_begin how = {.struct_size = sizeof how, .isolation = CORBEL_PG_SERIALIZABLE};
  wait_for(corbel_pg_conn_begin(k, &how, &c, NULL));
  run(k, "UPDATE lesson_accounts SET money = money - 30 WHERE id = 1");
  run(k, "UPDATE lesson_accounts SET money = money + 30 WHERE id = 2");
  wait_for(corbel_pg_conn_commit(k, &c, NULL));
  show(k, "commit");

  run(k, "DROP TABLE lesson_accounts");
  corbel_pg_conn_release(k);
  corbel_pg_free(pool);
  corbel_runtime_shutdown(rt, 0, NULL);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  return 0;
}
