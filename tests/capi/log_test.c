/* The log: to a callback, to an event queue, as JSON lines on standard output; levels; what is written by the caller. */
#include "world.h"

#include <stdatomic.h>

struct lines {
  atomic_int count, dropped, shutdown_status;
  char last[512];
  int32_t level;
  corbel_runtime *rt;
};

static void keep(void *user, int32_t level, const char *part, const char *text, size_t size) {
  struct lines *l = user;
  if (strcmp(part, "test") != 0) return;
  snprintf(l->last, sizeof l->last, "%.*s", (int)size, text);
  l->level = level;
  if (l->rt) atomic_store(&l->shutdown_status, corbel_runtime_shutdown(l->rt, 10, NULL));
  atomic_fetch_add(&l->count, 1);
}

static void drop(void *user) { atomic_fetch_add(&((struct lines *)user)->dropped, 1); }

static corbel_status write_line(corbel_runtime *rt, int32_t level, const char *text) {
  return corbel_log_write(rt, level, "test", text, strlen(text), NULL, 0, 0);
}

static corbel_runtime *open_logging(struct lines *l, int32_t level) {
  corbel_runtime_options o = {.struct_size = sizeof o, .log_level = level, .log = keep, .log_user = l, .log_drop = drop};
  corbel_runtime *rt = NULL;
  REQUIRE(corbel_runtime_open(&o, &rt, NULL) == CORBEL_OK);
  return rt;
}

static void lines_reach_the_callback(void) {
  static struct lines l;
  corbel_runtime *rt = open_logging(&l, 0);
  CHECK_EQ(write_line(rt, CORBEL_LOG_WARNING, "a line"), CORBEL_OK);
  AWAIT(atomic_load(&l.count) == 1);
  CHECK(strcmp(l.last, "a line") == 0 && l.level == CORBEL_LOG_WARNING);
  CHECK_EQ(write_line(rt, CORBEL_LOG_DEBUG, "not urgent enough"), CORBEL_OK);
  CHECK_EQ(write_line(rt, CORBEL_LOG_INFO, "the second"), CORBEL_OK);
  AWAIT(atomic_load(&l.count) == 2);
  CHECK(strcmp(l.last, "the second") == 0);
  CHECK_EQ(write_line(rt, 0, "no level"), CORBEL_INVALID);
  CHECK_EQ(write_line(rt, CORBEL_LOG_OFF, "no level either"), CORBEL_INVALID);
  CHECK_EQ(corbel_runtime_shutdown(rt, 1000, NULL), CORBEL_OK);
  corbel_runtime_free(rt);
  AWAIT(atomic_load(&l.dropped) == 1);
}

static void a_level_of_off_logs_nothing(void) {
  static struct lines l;
  corbel_runtime *rt = open_logging(&l, CORBEL_LOG_OFF);
  CHECK_EQ(write_line(rt, CORBEL_LOG_ERROR, "nobody hears it"), CORBEL_OK);
  CHECK_EQ(corbel_runtime_shutdown(rt, 1000, NULL), CORBEL_OK);
  corbel_runtime_free(rt);
  AWAIT(atomic_load(&l.dropped) == 1);
  CHECK_EQ(atomic_load(&l.count), 0);
}

static void a_shutdown_from_the_callback_is_refused(void) {
  static struct lines l;
  corbel_runtime *rt = open_logging(&l, 0);
  l.rt = rt;
  CHECK_EQ(write_line(rt, CORBEL_LOG_ERROR, "shut down"), CORBEL_OK);
  AWAIT(atomic_load(&l.count) == 1);
  CHECK_EQ(atomic_load(&l.shutdown_status), CORBEL_STATE);
  corbel_runtime_free(rt);
  AWAIT(atomic_load(&l.dropped) == 1);
}

static void lines_come_as_events(void) {
  corbel_runtime_options o = {.struct_size = sizeof o, .log_level = CORBEL_LOG_DEBUG};
  corbel_runtime *rt = NULL;
  REQUIRE(corbel_runtime_open(&o, &rt, NULL) == CORBEL_OK);
  corbel_events *q = NULL;
  REQUIRE(corbel_events_open(rt, 4, &q, NULL) == CORBEL_OK);
  CHECK_EQ(corbel_runtime_log_to(rt, CORBEL_LOG_WARNING, q), CORBEL_OK);
  CHECK_EQ(write_line(rt, CORBEL_LOG_INFO, "not urgent enough"), CORBEL_OK);
  CHECK_EQ(write_line(rt, CORBEL_LOG_ERROR, "first"), CORBEL_OK);
  corbel_event ev = await_event(q, CORBEL_EVENT_LOG);
  corbel_bytes b = {NULL, 0};
  CHECK(ev.ticket == 0 && ev.value == CORBEL_LOG_ERROR && ev.source == CORBEL_SOURCE_LOG && ev.flags == 0);
  CHECK_EQ(corbel_text_bytes(ev.object, &b), CORBEL_OK);
  CHECK(same(b, "test: first"));
  corbel_event_clear(&ev, sizeof ev);
  for (int i = 0; i < 10; i++) CHECK_EQ(write_line(rt, CORBEL_LOG_ERROR, i < 9 ? "flood" : "last"), CORBEL_OK);
  long long dropped = 0;
  int kept = 0, last = 0;
  while (!last && (ev = await_event(q, CORBEL_EVENT_LOG)).kind) {
    CHECK_EQ(corbel_text_bytes(ev.object, &b), CORBEL_OK);
    last = b.size >= 4 && memcmp((const char *)b.data + b.size - 4, "last", 4) == 0;
    if (ev.flags & CORBEL_EVENT_DROPPED) dropped += ev.value;
    kept++;
    corbel_event_clear(&ev, sizeof ev);
  }
  CHECK_EQ(kept + dropped, 10);
  CHECK_EQ(corbel_runtime_log_to(rt, CORBEL_LOG_WARNING, NULL), CORBEL_OK);
  CHECK_EQ(write_line(rt, CORBEL_LOG_ERROR, "after the end"), CORBEL_OK);
  CHECK_EQ(corbel_runtime_shutdown(rt, 1000, NULL), CORBEL_OK);
  CHECK_EQ(corbel_events_take(q, &ev, 1, sizeof ev, 0), 0);
  corbel_events_free(q);
  corbel_runtime_free(rt);
}

/* Runs in a child process whose standard output is a pipe. */
static void log_to_stdout(void) {
  corbel_runtime_options o = {.struct_size = sizeof o, .flags = CORBEL_RUNTIME_LOG_STDOUT, .name = "svc", .instance = "i-1"};
  corbel_runtime *rt = NULL;
  corbel_field f = {"key", {"va\"lue\n", 7}};
  if (corbel_runtime_open(&o, &rt, NULL) != CORBEL_OK) _exit(1);
  if (corbel_log_write(rt, CORBEL_LOG_INFO, "test", "a \\ \"line\"", 10, &f, 1, sizeof f) != CORBEL_OK) _exit(2);
  corbel_runtime_shutdown(rt, 5000, NULL);
  corbel_runtime_free(rt);
  _exit(0);
}

static void lines_come_as_json_on_standard_output(void) {
  int ends[2], status = -1;
  char text[4096];
  size_t size = 0;
  REQUIRE(pipe(ends) == 0);
  pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], 1);
    log_to_stdout();
  }
  close(ends[1]);
  for (ssize_t n; size < sizeof text - 1 && (n = read(ends[0], text + size, sizeof text - 1 - size)) > 0;) size += (size_t)n;
  text[size] = 0;
  close(ends[0]);
  waitpid(child, &status, 0);
  CHECK_EQ(status, 0);
  CHECK(text[0] == '{' && size > 0 && text[size - 1] == '\n');
  CHECK(strstr(text, "\"ts\":") && strstr(text, "\"pid\":"));
  CHECK(strstr(text, "info") && strstr(text, "\"svc\"") && strstr(text, "\"i-1\"") && strstr(text, "\"test\""));
  CHECK(strstr(text, "a \\\\ \\\"line\\\"") && strstr(text, "va\\\"lue\\n"));
  if (check_case_failed) printf("  %s\n", text);
}

int main(void) {
  RUN(lines_come_as_json_on_standard_output);
  RUN(lines_reach_the_callback);
  RUN(a_level_of_off_logs_nothing);
  RUN(a_shutdown_from_the_callback_is_refused);
  RUN(lines_come_as_events);
  return check_report();
}
