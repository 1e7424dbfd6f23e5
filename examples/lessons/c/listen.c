/* Lesson: a listener wants channels; the pool keeps them on one connection, over reconnects too, and says when there was a
 * gap. A change completes when the server has confirmed it, so what is notified afterwards is not missed.
 *
 *     DATABASE_URL=postgresql://postgres@localhost/postgres build/dev/examples/lessons/lesson_c_listen */
#include <corbel.h>

#include <stdio.h>
#include <stdlib.h>

static void die(const char *what, corbel_error *e) {
  fprintf(stderr, "%s: %s: %s\n", what, corbel_status_name(corbel_error_status(e)), corbel_error_message(e));
  exit(1);
}

int main(void) {
  printf("lesson: listen\n");
  const char *url = getenv("DATABASE_URL");
  corbel_runtime_options ro = {.struct_size = sizeof ro, .name = "listen"};
  corbel_pg_options po = {.struct_size = sizeof po, .conninfo = url ? url : "postgresql://postgres@localhost/postgres"};
  corbel_runtime *rt = NULL;
  corbel_events *q = NULL;
  corbel_pg *pool = NULL;
  corbel_pg_listener *listener = NULL;
  corbel_error *e = NULL;
  if (corbel_runtime_open(&ro, &rt, &e) || corbel_events_open(rt, 0, &q, &e)) die("runtime", e);
  if (corbel_pg_open(rt, &po, &pool, &e)) die("pool", e);
  corbel_pg_listener_options lo = {.struct_size = sizeof lo, .to = q};
  if (corbel_pg_listener_open(pool, &lo, &listener, &e)) die("listener", e);
  corbel_call c = {.struct_size = sizeof c, .to = q, .err = &e};
  if (corbel_pg_listener_change(listener, CORBEL_PG_LISTEN, "lesson_news", &c, NULL)) die("listen", e);

  int heard = 0;
  while (heard < 3) {
    corbel_event ev;
    if (corbel_events_take(q, &ev, 1, sizeof ev, -1) == 0) continue;
    if (ev.status != CORBEL_OK) die("listen", ev.error);
    if (ev.kind == CORBEL_EVENT_DONE) { /* confirmed: notify three times, in one statement so that they stay in order */
      corbel_pg_statement s = {.struct_size = sizeof s,
                               .sql = "SELECT pg_notify('lesson_news', 'news ' || i) FROM generate_series(1, 3) i"};
      if (corbel_pg_query(pool, &s, NULL, NULL)) die("notify", NULL); /* nobody waits for the result */
    } else if (ev.kind == CORBEL_EVENT_PG_NOTICE) {
      corbel_bytes channel, payload;
      corbel_pg_notice_channel(ev.object, &channel);
      corbel_pg_notice_payload(ev.object, &payload);
      printf("%.*s in epoch %d: %.*s\n", (int)channel.size, (const char *)channel.data, (int)ev.epoch, (int)payload.size,
             (const char *)payload.data);
      heard++;
    } else if (ev.kind == CORBEL_EVENT_STATE) { /* after a loss: a gap, then listening again in a new epoch */
      printf("%s\n", ev.value == CORBEL_PG_GAP ? "gap" : "listening again");
    }
    corbel_event_clear(&ev, sizeof ev);
  }

  corbel_pg_listener_free(listener); /* leaves all its channels */
  corbel_pg_free(pool);
  corbel_runtime_shutdown(rt, 0, NULL);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  return 0;
}
