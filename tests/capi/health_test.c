/* The health table: reports, the roll-up, JSON, ageing, what pools report by themselves. */
#include "world.h"

static corbel_status set(corbel_runtime *rt, const char *part, int32_t state, uint32_t flags, int64_t fresh_ms,
                         const char *reason) {
  corbel_health_report h = {
      .struct_size = sizeof h, .flags = flags, .part = part, .state = state, .fresh_ms = fresh_ms, .reason = reason};
  corbel_error *e = NULL;
  corbel_status s = corbel_health_set(rt, &h, &e);
  CHECK_EQ(corbel_error_status(e), s);
  corbel_error_free(e);
  return s;
}

static void a_required_part_decides_the_roll_up(void) {
  corbel_runtime *rt = open_runtime();
  CHECK_EQ(corbel_health_state(rt, "disk"), CORBEL_HEALTH_UNKNOWN);
  CHECK_EQ(set(rt, "disk", CORBEL_HEALTH_OK, CORBEL_HEALTH_REQUIRED, 0, NULL), CORBEL_OK);
  CHECK_EQ(corbel_health_state(rt, "disk"), CORBEL_HEALTH_OK);
  CHECK_EQ(corbel_health_state(rt, NULL), CORBEL_HEALTH_OK);
  CHECK_EQ(set(rt, "cache", CORBEL_HEALTH_DOWN, 0, 0, "cold"), CORBEL_OK);
  CHECK_EQ(corbel_health_state(rt, NULL), CORBEL_HEALTH_DEGRADED);
  CHECK_EQ(set(rt, "disk", CORBEL_HEALTH_DOWN, CORBEL_HEALTH_REQUIRED, 0, "it is full"), CORBEL_OK);
  CHECK_EQ(corbel_health_state(rt, NULL), CORBEL_HEALTH_DOWN);
  corbel_runtime_free(rt);
}

static void the_table_comes_as_json(void) {
  corbel_runtime *rt = open_runtime();
  corbel_text *text = NULL;
  corbel_bytes b = {NULL, 0};
  CHECK_EQ(set(rt, "disk", CORBEL_HEALTH_DOWN, CORBEL_HEALTH_REQUIRED, 0, "it is \"full\""), CORBEL_OK);
  CHECK_EQ(corbel_health_json(rt, &text, NULL), CORBEL_OK);
  CHECK_EQ(corbel_text_bytes(text, &b), CORBEL_OK);
  REQUIRE(b.data != NULL);
  CHECK(strstr(b.data, "\"state\"") && strstr(b.data, "\"down\"") && strstr(b.data, "\"because\""));
  CHECK(strstr(b.data, "\"disk\"") && strstr(b.data, "it is \\\"full\\\"") && strstr(b.data, "\"required\""));
  corbel_text_free(text);
  corbel_runtime_free(rt);
}

static void an_old_report_ages(void) {
  corbel_runtime *rt = open_runtime();
  CHECK_EQ(set(rt, "feed", CORBEL_HEALTH_OK, CORBEL_HEALTH_REQUIRED, 30, NULL), CORBEL_OK);
  AWAIT(corbel_health_state(rt, "feed") != CORBEL_HEALTH_OK);
  CHECK(corbel_health_state(rt, NULL) != CORBEL_HEALTH_OK);
  corbel_runtime_free(rt);
}

static void ready_and_alive(void) {
  corbel_runtime *rt = open_runtime();
  CHECK_EQ(corbel_health_ready(rt), 0);
  CHECK_EQ(corbel_health_alive(rt), 1);
  CHECK_EQ(set(rt, "disk", CORBEL_HEALTH_SATURATED, CORBEL_HEALTH_REQUIRED | CORBEL_HEALTH_VITAL, 0, "full"), CORBEL_OK);
  CHECK_EQ(corbel_health_state(rt, NULL), CORBEL_HEALTH_SATURATED);
  CHECK_EQ(corbel_health_ready(rt), 1);
  CHECK_EQ(corbel_health_drain(rt, 1), CORBEL_OK);
  CHECK_EQ(corbel_health_ready(rt), 0);
  CHECK_EQ(corbel_health_drain(rt, 0), CORBEL_OK);
  CHECK_EQ(corbel_health_ready(rt), 1);
  CHECK_EQ(set(rt, "disk", CORBEL_HEALTH_DOWN, CORBEL_HEALTH_REQUIRED | CORBEL_HEALTH_VITAL, 0, "dead"), CORBEL_OK);
  CHECK_EQ(corbel_health_alive(rt), 0);
  CHECK_EQ(corbel_health_remove(rt, "disk"), CORBEL_OK);
  CHECK_EQ(corbel_health_alive(rt), 1);
  CHECK_EQ(corbel_health_remove(rt, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_health_watch_lag(rt), CORBEL_OK);
  CHECK_EQ(corbel_health_state(rt, "runtime"), CORBEL_HEALTH_OK);
  CHECK_EQ(corbel_runtime_shutdown(rt, 0, NULL), CORBEL_OK);
  corbel_runtime_free(rt);
}

static void changes_come_as_events(void) {
  corbel_runtime *rt = open_runtime();
  corbel_events *q = NULL;
  CHECK_EQ(corbel_events_open(rt, 0, &q, NULL), CORBEL_OK);
  CHECK_EQ(corbel_health_watch(rt, q, 77), CORBEL_OK);
  CHECK_EQ(set(rt, "disk", CORBEL_HEALTH_DOWN, CORBEL_HEALTH_REQUIRED, 0, "full"), CORBEL_OK);
  const char *parts[] = {"\"part\": \"disk\"", "\"part\": null"};
  for (int i = 0; i < 2; i++) {
    corbel_event ev;
    REQUIRE(corbel_events_take(q, &ev, 1, sizeof ev, 20000) == 1);
    CHECK_EQ(ev.kind, CORBEL_EVENT_HEALTH);
    CHECK_EQ(ev.source, CORBEL_SOURCE_HEALTH);
    CHECK_EQ(ev.user, 77);
    CHECK_EQ(ev.value, CORBEL_HEALTH_DOWN);
    corbel_bytes b = {NULL, 0};
    CHECK_EQ(corbel_text_bytes(ev.object, &b), CORBEL_OK);
    CHECK(b.data && strstr(b.data, parts[i]));
    corbel_event_clear(&ev, sizeof ev);
  }
  CHECK_EQ(corbel_health_watch(rt, NULL, 0), CORBEL_OK);
  CHECK_EQ(set(rt, "disk", CORBEL_HEALTH_OK, CORBEL_HEALTH_REQUIRED, 0, NULL), CORBEL_OK);
  corbel_event ev;
  CHECK_EQ(corbel_events_take(q, &ev, 1, sizeof ev, 50), 0);
  corbel_events_free(q);
  corbel_runtime_free(rt);
}

static void a_wrong_report_is_refused(void) {
  corbel_runtime *rt = open_runtime();
  CHECK_EQ(set(rt, NULL, CORBEL_HEALTH_OK, 0, 0, NULL), CORBEL_INVALID);
  CHECK_EQ(set(rt, "", CORBEL_HEALTH_OK, 0, 0, NULL), CORBEL_INVALID);
  CHECK_EQ(set(rt, "disk", CORBEL_HEALTH_STALE, 0, 0, NULL), CORBEL_INVALID);
  CHECK_EQ(set(rt, "disk", -1, 0, 0, NULL), CORBEL_INVALID);
  CHECK_EQ(set(rt, "disk", CORBEL_HEALTH_OK, 0x10u, 0, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_health_state(rt, "disk"), CORBEL_HEALTH_UNKNOWN);
  corbel_runtime_free(rt);
}

static void a_pool_reports_by_itself(void) {
  struct world w = world_open();
  AWAIT(corbel_health_state(w.rt, "redis:main") == CORBEL_HEALTH_OK);
  server_kill(&w.server);
  AWAIT(corbel_health_state(w.rt, "redis:main") == CORBEL_HEALTH_DOWN);
  server_restart(&w.server);
  AWAIT(corbel_health_state(w.rt, "redis:main") == CORBEL_HEALTH_OK);
  world_close(&w);
}

int main(void) {
  RUN(a_required_part_decides_the_roll_up);
  RUN(the_table_comes_as_json);
  RUN(an_old_report_ages);
  RUN(ready_and_alive);
  RUN(changes_come_as_events);
  RUN(a_wrong_report_is_refused);
  RUN(a_pool_reports_by_itself);
  return check_report();
}
