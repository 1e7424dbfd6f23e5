/* Heartbeats through the C API, as the platform's keys show them. */
#include "queue.h"

#include <unistd.h>

#define HEARTBEATS "acme:main:kdcube:heartbeat:process:me:chat:proc:"
#define INDEX "acme:main:kdcube:system:capacity:process-index:chat:proc"
#define DRAINING "acme:main:corbel:draining:index"

/* The text of a reply; NULL where there is none. Lives until the event is cleared. */
static int64_t number(struct world *w, const char *command, const char *key) {
  corbel_event ev = COMMAND(w, command, key);
  int64_t n = corbel_node_integer(corbel_reply_root(ev.object));
  corbel_event_clear(&ev, sizeof ev);
  return n;
}

static int beat_says(struct world *w, const char *text) {
  char key[128], all[4096] = "";
  corbel_bytes b = {NULL, 0};
  snprintf(key, sizeof key, HEARTBEATS "%ld", (long)getpid());
  corbel_event ev = COMMAND(w, "GET", key);
  if (corbel_node_bytes(corbel_reply_root(ev.object), &b) == CORBEL_OK && b.data && b.size < sizeof all)
    memcpy(all, b.data, b.size);
  corbel_event_clear(&ev, sizeof ev);
  return strstr(all, text) != NULL;
}

static corbel_heartbeat *open_heartbeat(struct world *w) {
  corbel_heartbeat_options o = {
      .struct_size = sizeof o, .capacity = 8, .port = 8020, .tenant = "acme", .project = "main", .instance = "me"};
  corbel_heartbeat *b = NULL;
  CHECK_EQ(corbel_heartbeat_open(w->r, &o, &b, NULL), CORBEL_OK);
  REQUIRE(b != NULL);
  return b;
}

static void what_a_process_can_hold_is_told_until_it_drains(void) {
  struct world w = world_open();
  corbel_heartbeat *b = open_heartbeat(&w);
  AWAIT(beat_says(&w, "\"max_capacity\": 8"));
  CHECK(beat_says(&w, "\"port\": 8020") && beat_says(&w, "\"current_load\": 0"));
  CHECK_EQ(number(&w, "ZCARD", INDEX), 1);

  CHECK_EQ(corbel_heartbeat_set_load(b, 3), CORBEL_OK);
  CHECK_EQ(corbel_heartbeat_set_metadata(b, "{\"zone\": \"b\"}"), CORBEL_OK);
  CHECK_EQ(corbel_heartbeat_set_capacity(b, 0), CORBEL_INVALID);
  CHECK_EQ(corbel_heartbeat_set_capacity(b, 5), CORBEL_OK);
  AWAIT(beat_says(&w, "\"max_capacity\": 5"));
  CHECK(beat_says(&w, "\"current_load\": 3") && beat_says(&w, "\"zone\": \"b\""));

  corbel_call c = call_to(w.q, 5);
  corbel_ticket t = 0;
  CHECK_EQ(corbel_heartbeat_drain(b, &c, &t), CORBEL_OK);
  corbel_event ev = await_event(w.q, CORBEL_EVENT_DONE);
  CHECK(ev.ticket == t && ev.status == CORBEL_OK && ev.source == CORBEL_SOURCE_QUEUE);
  corbel_event_clear(&ev, sizeof ev);
  CHECK_EQ(number(&w, "ZCARD", INDEX), 0);
  CHECK_EQ(number(&w, "ZCARD", DRAINING), 1);
  corbel_heartbeat_free(b);
  AWAIT(number(&w, "ZCARD", DRAINING) == 0);
  world_close(&w);
}

static void bad_input_is_refused(void) {
  struct world w = world_open();
  corbel_heartbeat_options o = {.struct_size = sizeof o, .port = 65536};
  corbel_heartbeat *b = NULL;
  corbel_error *e = NULL;
  CHECK_EQ(corbel_heartbeat_open(w.r, &o, &b, &e), CORBEL_INVALID);
  CHECK(e && strstr(corbel_error_message(e), "65536"));
  corbel_error_free(e);
  CHECK_EQ(corbel_heartbeat_open(w.r, NULL, &b, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_heartbeat_open(NULL, &o, &b, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_heartbeat_set_load(NULL, 1), CORBEL_INVALID);
  CHECK_EQ(corbel_heartbeat_set_metadata(NULL, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_heartbeat_drain(NULL, NULL, NULL), CORBEL_INVALID);
  corbel_heartbeat_free(NULL);

  /* Drained while the server is away: the deadline ends the call. */
  b = open_heartbeat(&w);
  AWAIT(number(&w, "ZCARD", INDEX) == 1);
  server_stop(&w.server);
  corbel_call c = call_to(w.q, 6);
  c.timeout_ms = 100;
  CHECK_EQ(corbel_heartbeat_drain(b, &c, NULL), CORBEL_OK);
  corbel_event ev = await_event(w.q, CORBEL_EVENT_DONE);
  CHECK(ev.status != CORBEL_OK && ev.error != NULL);
  corbel_event_clear(&ev, sizeof ev);
  corbel_heartbeat_free(b);
  server_start(&w.server);
  world_close(&w);
}

int main(void) {
  RUN(what_a_process_can_hold_is_told_until_it_drains);
  RUN(bad_input_is_refused);
  return check_report();
}
