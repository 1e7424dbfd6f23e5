/* Leases: exclusive connections, transactions, blocking commands, waiting for one, what becomes of one that is released. */
#include "world.h"

static corbel_redis_conn *lease(corbel_redis *r, corbel_events *q) {
  corbel_call c = call_to(q, 11);
  corbel_ticket t = 0;
  CHECK_EQ(corbel_redis_lease(r, &c, &t), CORBEL_OK);
  corbel_event ev = await_event(q, CORBEL_EVENT_LEASE);
  CHECK(ev.ticket == t && ev.user == 11 && ev.status == CORBEL_OK && ev.error == NULL);
  REQUIRE(ev.object != NULL);
  return ev.object;
}

/* Sends words, ended by NULL, on the lease and waits for the reply. */
static corbel_event on_lease(corbel_redis_conn *k, corbel_events *q, const char *const *words) {
  corbel_bytes argv[8];
  size_t argc = 0;
  corbel_call c = call_to(q, 12);
  corbel_ticket t = 0;
  for (; words[argc]; argc++) argv[argc] = bytes(words[argc]);
  CHECK_EQ(corbel_redis_conn_send(k, argv, argc, &c, &t), CORBEL_OK);
  corbel_event ev = await_event(q, CORBEL_EVENT_REPLY);
  CHECK(ev.ticket == t && ev.user == 12);
  return ev;
}
#define ON(k, q, ...) on_lease(k, q, (const char *const[]){__VA_ARGS__, NULL})

static int answers(corbel_event ev, const char *text) {
  int ok = same(root_bytes(&ev), text);
  corbel_event_clear(&ev, sizeof ev);
  return ok;
}

static void a_transaction_needs_a_lease(void) {
  struct world w = world_open();
  corbel_redis_conn *k = lease(w.r, w.q);
  CHECK(answers(ON(k, w.q, "WATCH", "n"), "OK"));
  CHECK(answers(ON(k, w.q, "MULTI"), "OK"));
  CHECK(answers(ON(k, w.q, "INCR", "n"), "QUEUED"));
  corbel_event ev = ON(k, w.q, "EXEC");
  CHECK_EQ(corbel_node_integer(corbel_node_at(corbel_reply_root(ev.object), 0)), 1);
  corbel_event_clear(&ev, sizeof ev);
  CHECK(answers(ON(k, w.q, "WATCH", "n"), "OK"));
  CHECK(answers(COMMAND(&w, "SET", "n", "9"), "OK")); /* somebody else writes: the transaction is dropped */
  CHECK(answers(ON(k, w.q, "MULTI"), "OK"));
  CHECK(answers(ON(k, w.q, "INCR", "n"), "QUEUED"));
  ev = ON(k, w.q, "EXEC");
  CHECK_EQ(corbel_node_kind(corbel_reply_root(ev.object)), CORBEL_NODE_NIL);
  corbel_event_clear(&ev, sizeof ev);
  corbel_redis_conn_release(k);
  world_close(&w);
}

static void commands_on_a_lease_are_answered_in_order(void) {
  struct world w = world_open();
  corbel_redis_conn *k = lease(w.r, w.q);
  corbel_bytes incr[] = {bytes("INCR"), bytes("n")};
  corbel_ticket t = 0;
  for (uint64_t i = 0; i < 500; i++) {
    corbel_call c = call_to(w.q, i);
    CHECK_EQ(corbel_redis_conn_send(k, incr, 2, &c, &t), CORBEL_OK);
  }
  for (uint64_t i = 0; i < 500; i++) {
    corbel_event ev = await_event(w.q, CORBEL_EVENT_REPLY);
    CHECK_EQ(ev.user, i);
    CHECK_EQ(corbel_node_integer(corbel_reply_root(ev.object)), i + 1);
    corbel_event_clear(&ev, sizeof ev);
  }
  corbel_redis_conn_release(k);
  world_close(&w);
}

static void a_blocking_command_blocks_nobody_else(void) {
  struct world w = world_open();
  corbel_redis_conn *k = lease(w.r, w.q);
  corbel_events *other = open_events(w.rt);
  corbel_bytes pop[] = {bytes("BLPOP"), bytes("list"), bytes("0")};
  corbel_call c = call_to(other, 1);
  corbel_ticket t = 0;
  CHECK_EQ(corbel_redis_conn_send(k, pop, 3, &c, &t), CORBEL_OK);
  CHECK(answers(COMMAND(&w, "PING"), "PONG"));
  corbel_event ev = COMMAND(&w, "RPUSH", "list", "it");
  corbel_event_clear(&ev, sizeof ev);
  ev = await_event(other, CORBEL_EVENT_REPLY);
  CHECK_EQ(corbel_node_count(corbel_reply_root(ev.object)), 2);
  corbel_event_clear(&ev, sizeof ev);
  corbel_redis_conn_release(k);
  corbel_events_free(other);
  world_close(&w);
}

/* How many connections the server has accepted since it started. */
static long long accepted(struct world *w) {
  corbel_event ev = COMMAND(w, "INFO", "stats");
  corbel_bytes b = root_bytes(&ev);
  const char *line = b.data ? strstr(b.data, "total_connections_received:") : NULL;
  REQUIRE(line != NULL);
  long long n = atoll(strchr(line, ':') + 1);
  corbel_event_clear(&ev, sizeof ev);
  return n;
}

static void a_released_connection_is_used_again_unless_its_state_is_unknown(void) {
  struct world w = world_open();
  for (int dirty = 0; dirty < 2; dirty++) {
    corbel_redis_conn *k = lease(w.r, w.q);
    CHECK(answers(ON(k, w.q, "ECHO", "used"), "used"));
    if (dirty) CHECK(answers(ON(k, w.q, "MULTI"), "OK"));
    long long before = accepted(&w);
    corbel_redis_conn_release(k);
    k = lease(w.r, w.q);
    CHECK(answers(ON(k, w.q, "ECHO", "clean"), "clean")); /* not QUEUED */
    corbel_redis_conn_release(k);
    CHECK_EQ(accepted(&w) - before, dirty);
  }
  world_close(&w);
}

static void a_full_pool_is_busy_and_says_its_counts(void) {
  struct world w = world_open();
  corbel_redis *two = open_pool(w.rt, w.server.url, 2); /* one of them stays for commands */
  corbel_redis_conn *k = lease(two, w.q);
  corbel_call c = call_to(w.q, 1);
  corbel_ticket t = 0;
  c.timeout_ms = 50;
  CHECK_EQ(corbel_redis_lease(two, &c, &t), CORBEL_OK);
  corbel_event ev = await_event(w.q, CORBEL_EVENT_LEASE);
  CHECK(ev.ticket == t && ev.object == NULL);
  CHECK_EQ(ev.status, CORBEL_BUSY);
  CHECK(strstr(corbel_error_message(ev.error), "2") != NULL);
  corbel_event_clear(&ev, sizeof ev);
  c.timeout_ms = 0;
  CHECK_EQ(corbel_redis_lease(two, &c, &t), CORBEL_OK);
  corbel_redis_conn_release(k);
  ev = await_event(w.q, CORBEL_EVENT_LEASE);
  CHECK_EQ(ev.status, CORBEL_OK);
  corbel_redis_conn_release(ev.object);
  corbel_redis_free(two);
  world_close(&w);
}

static void a_lease_needs_a_queue_and_a_cap_above_one(void) {
  struct world w = world_open();
  corbel_call c = call_to(NULL, 0);
  corbel_ticket t = 0;
  CHECK_EQ(corbel_redis_lease(w.r, &c, &t), CORBEL_INVALID);
  CHECK_EQ(corbel_redis_lease(w.r, NULL, &t), CORBEL_INVALID);
  corbel_redis *one = open_pool(w.rt, w.server.url, 1);
  corbel_error *e = NULL;
  c = call_to(w.q, 0);
  c.err = &e;
  long long start = now_ms();
  corbel_status s = corbel_redis_lease(one, &c, &t);
  if (s == CORBEL_OK) {
    corbel_event ev = await_event(w.q, CORBEL_EVENT_LEASE);
    s = ev.status;
    e = ev.error;
  }
  CHECK_EQ(s, CORBEL_BUSY);
  CHECK(now_ms() - start < 5000); /* at once, not at the deadline of 20 s */
  CHECK(strstr(corbel_error_message(e), "1") != NULL);
  corbel_error_free(e);
  corbel_redis_free(one);
  world_close(&w);
}

static void some_commands_are_refused_on_a_lease_too(void) {
  struct world w = world_open();
  corbel_redis_conn *k = lease(w.r, w.q);
  static const char *const refused[] = {"SUBSCRIBE", "psubscribe", "MONITOR", "QUIT"};
  for (int i = 0; i < 4; i++) {
    corbel_bytes argv[] = {bytes(refused[i]), bytes("x")};
    corbel_call c = call_to(w.q, 0);
    corbel_ticket t = 0;
    CHECK_EQ(corbel_redis_conn_send(k, argv, 2, &c, &t), CORBEL_INVALID);
  }
  corbel_redis_conn_release(k);
  corbel_redis_conn_release(NULL);
  world_close(&w);
}

int main(void) {
  RUN(a_transaction_needs_a_lease);
  RUN(commands_on_a_lease_are_answered_in_order);
  RUN(a_blocking_command_blocks_nobody_else);
  RUN(a_released_connection_is_used_again_unless_its_state_is_unknown);
  RUN(a_full_pool_is_busy_and_says_its_counts);
  RUN(a_lease_needs_a_queue_and_a_cap_above_one);
  RUN(some_commands_are_refused_on_a_lease_too);
  return check_report();
}
