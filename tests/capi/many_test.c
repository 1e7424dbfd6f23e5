/* Many commands in one call, many replies in one call. */
#include "world.h"

/* Takes as many events as are expected, in the order in which they come. */
static void take_all(corbel_events *q, corbel_event *out, size_t count) {
  size_t n = 0;
  long long until = now_ms() + 20000;
  while (n < count && now_ms() < until) n += corbel_events_take(q, out + n, count - n, sizeof out[0], 1000);
  REQUIRE(n == count);
}

static const corbel_event *of_ticket(const corbel_event *events, size_t count, corbel_ticket t) {
  for (size_t i = 0; i < count; i++)
    if (events[i].ticket == t) return &events[i];
  return NULL;
}

static void each_of_many_commands_gets_its_own_event(void) {
  struct world w = world_open();
  corbel_call c = call_to(w.q, 5);
  corbel_ticket first = 0;
  corbel_event events[4];
  const size_t sizes[] = {3, 1, 2, 3, 1, 4, 6, 0, 5, 1, 1};
  const uint32_t argc[] = {3, 2, 3, 3};
  CHECK_EQ(corbel_redis_send_many(w.r, "SETk42GETkEVALreturnBLPOPk1", sizes, argc, 4, &c, &first), CORBEL_OK);
  REQUIRE(first != 0);
  take_all(w.q, events, 4);
  for (int i = 0; i < 4; i++) CHECK(events[i].kind == CORBEL_EVENT_REPLY && events[i].user == 5);
  const corbel_event *set = of_ticket(events, 4, first), *get = of_ticket(events, 4, first + 1);
  const corbel_event *eval = of_ticket(events, 4, first + 2), *blpop = of_ticket(events, 4, first + 3);
  REQUIRE(set && get && eval && blpop);
  CHECK(set->status == CORBEL_OK && same(root_bytes(set), "OK"));
  CHECK(get->status == CORBEL_OK && same(root_bytes(get), "42"));
  CHECK_EQ(eval->status, CORBEL_REFUSED); /* the number of keys is empty */
  CHECK_EQ(blpop->status, CORBEL_INVALID);
  CHECK(corbel_error_status(blpop->error) == CORBEL_INVALID && strstr(corbel_error_message(blpop->error), "BLPOP"));
  for (int i = 0; i < 4; i++) corbel_event_clear(&events[i], sizeof events[i]);
  CHECK_EQ(corbel_events_take(w.q, events, 1, sizeof events[0], 20), 0);
  world_close(&w);
}

static void one_of_many_can_be_cancelled_by_its_ticket(void) {
  struct world w = world_open();
  corbel_call c = call_to(w.q, 0);
  corbel_ticket first = 0;
  corbel_event events[2];
  kill(w.server.pid, SIGSTOP);
  const size_t sizes[] = {4, 1, 4, 1};
  const uint32_t argc[] = {2, 2};
  CHECK_EQ(corbel_redis_send_many(w.r, "INCRaINCRb", sizes, argc, 2, &c, &first), CORBEL_OK);
  CHECK_EQ(corbel_cancel(w.rt, first + 1), CORBEL_OK);
  take_all(w.q, events, 1);
  CHECK(events[0].ticket == first + 1 && events[0].status == CORBEL_CANCELLED);
  corbel_event_clear(&events[0], sizeof events[0]);
  kill(w.server.pid, SIGCONT);
  take_all(w.q, events, 1);
  CHECK(events[0].ticket == first && events[0].status == CORBEL_OK);
  CHECK_EQ(corbel_node_integer(corbel_reply_root(events[0].object)), 1);
  corbel_event_clear(&events[0], sizeof events[0]);
  world_close(&w);
}

static void what_is_wrong_with_the_call_refuses_all(void) {
  struct world w = world_open();
  corbel_call c = call_to(w.q, 0);
  corbel_error *e = NULL;
  corbel_ticket first = 0;
  corbel_event ev;
  const size_t sizes[] = {4, 4};
  const uint32_t argc[] = {1, 0}, fine[] = {1, 1};
  c.err = &e;
  CHECK_EQ(corbel_redis_send_many(w.r, "PINGPING", sizes, argc, 2, &c, &first), CORBEL_INVALID);
  CHECK(first == 0 && e && strstr(corbel_error_message(e), "argc[1]"));
  corbel_error_free(e);
  CHECK_EQ(corbel_redis_send_many(w.r, NULL, sizes, fine, 2, &c, &first), CORBEL_INVALID);
  corbel_error_free(e);
  CHECK_EQ(corbel_redis_send_many(w.r, "PINGPING", sizes, fine, 0, &c, &first), CORBEL_OK);
  CHECK_EQ(corbel_events_take(w.q, &ev, 1, sizeof ev, 50), 0);
  CHECK_EQ(corbel_redis_send_many(w.r, "PINGPING", sizes, fine, 2, NULL, &first), CORBEL_OK);
  CHECK_EQ(first, 0); /* nobody waits */
  world_close(&w);
}

static void plain_replies_are_read_in_one_call(void) {
  struct world w = world_open();
  corbel_call c = call_to(w.q, 9);
  corbel_ticket first = 0;
  corbel_event events[6];
  struct {
    corbel_answer a;
    char more[8];
  } wide[6];
  char memory[8];
  const char *text = "SETkvalueGETkINCRnGETnoneMGETkSETbig1234567";
  const size_t sizes[] = {3, 1, 5, 3, 1, 4, 1, 3, 4, 4, 1, 3, 3, 7};
  const uint32_t argc[] = {3, 2, 2, 2, 2, 3};
  CHECK_EQ(corbel_redis_send_many(w.r, text, sizes, argc, 6, &c, &first), CORBEL_OK);
  take_all(w.q, events, 6);
  memset(wide, 1, sizeof wide);
  CHECK_EQ(corbel_replies_read(events, 6, sizeof events[0], wide, sizeof wide[0], memory, sizeof memory), 7);
  const int32_t kinds[] = {CORBEL_NODE_STATUS, CORBEL_NODE_STRING, CORBEL_NODE_INTEGER, CORBEL_NODE_NIL,
                           CORBEL_ANSWER_NONE, CORBEL_ANSWER_NONE}; /* an array; bytes for which no room is left */
  const int64_t values[] = {2, 5, 1, 0, 0, 0};
  for (uint32_t i = 0; i < 6; i++) {
    CHECK_EQ(wide[i].a.kind, kinds[i]);
    CHECK_EQ(wide[i].a.value, values[i]);
    CHECK(wide[i].a.ticket == first + i && wide[i].a.user == 9 && wide[i].a.index == i && wide[i].more[7] == 0);
    CHECK_EQ(events[i].object != NULL, kinds[i] == CORBEL_ANSWER_NONE);
  }
  CHECK(wide[0].a.data == memory && wide[1].a.data == memory + 2 && memcmp(memory, "OKvalue", 7) == 0);
  CHECK(wide[2].a.data == NULL && wide[3].a.data == NULL);
  CHECK_EQ(corbel_node_count(corbel_reply_root(events[4].object)), 1);
  CHECK(same(root_bytes(&events[5]), "OK"));
  for (int i = 0; i < 6; i++) corbel_event_clear(&events[i], sizeof events[i]);

  corbel_event ev = COMMAND(&w, "LPUSH", "k", "1");
  corbel_answer a;
  CHECK_EQ(corbel_replies_read(&ev, 1, sizeof ev, &a, sizeof a, memory, sizeof memory), 0);
  CHECK(a.kind == CORBEL_ANSWER_NONE && ev.error != NULL);
  corbel_event_clear(&ev, sizeof ev);
  world_close(&w);
}

enum { burst = 200 };

/* INCR n, burst times at once. How many of them ended well, and of the rest how many cannot have been applied. */
static void count_up(struct world *w, int64_t timeout_ms, int *well, int *not_sent) {
  static char text[burst * 5 + 1];
  static size_t sizes[burst * 2];
  static uint32_t argc[burst];
  static corbel_event events[burst];
  for (int i = 0; i < burst; i++) {
    memcpy(text + i * 5, "INCRn", 6);
    sizes[2 * i] = 4, sizes[2 * i + 1] = 1, argc[i] = 2;
  }
  corbel_call c = call_to(w->q, 0);
  c.timeout_ms = timeout_ms;
  CHECK_EQ(corbel_redis_send_many(w->r, text, sizes, argc, burst, &c, NULL), CORBEL_OK);
  take_all(w->q, events, burst);
  *well = *not_sent = 0;
  for (int i = 0; i < burst; i++) {
    if (events[i].status == CORBEL_OK) {
      ++*well;
    } else {
      const int is_sent = (corbel_error_flags(events[i].error) & CORBEL_ERROR_MAYBE_APPLIED) != 0;
      CHECK_EQ(events[i].status, is_sent ? CORBEL_TIMEOUT : CORBEL_UNAVAILABLE);
      *not_sent += !is_sent;
    }
    corbel_event_clear(&events[i], sizeof events[i]);
  }
}

static void half_of_a_burst_waits_for_a_near_server_to_begin(void) {
  struct world w = world_open();
  int well, not_sent = 0;
  /* How near the server is, is found out burst by burst; a busy machine may make it seem far. */
  for (int i = 0; i < 50 && not_sent == 0; i++) {
    count_up(&w, 20000, &well, &not_sent);
    CHECK(well == burst && not_sent == 0);
    corbel_event ev = COMMAND(&w, "SET", "n", "0");
    corbel_event_clear(&ev, sizeof ev);
    kill(w.server.pid, SIGSTOP);
    count_up(&w, 100, &well, &not_sent);
    CHECK_EQ(well, 0);
    kill(w.server.pid, SIGCONT);
    ev = COMMAND(&w, "GET", "n");
    char applied[16];
    snprintf(applied, sizeof applied, "%d", burst - not_sent);
    CHECK(same(root_bytes(&ev), applied)); /* what was sent before it is done before it */
    corbel_event_clear(&ev, sizeof ev);
  }
  CHECK_EQ(not_sent, burst / 2);
  world_close(&w);
}

int main(void) {
  RUN(each_of_many_commands_gets_its_own_event);
  RUN(one_of_many_can_be_cancelled_by_its_ticket);
  RUN(what_is_wrong_with_the_call_refuses_all);
  RUN(plain_replies_are_read_in_one_call);
  RUN(half_of_a_burst_waits_for_a_near_server_to_begin);
  return check_report();
}
