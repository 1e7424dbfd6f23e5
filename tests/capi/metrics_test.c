/* Metrics of the host's own through the C API. */
#include "world.h"

#include <math.h>
#include <sys/wait.h>
#include <unistd.h>

static corbel_runtime *rt;

static corbel_metric *open_metric(int32_t kind, const char *name, const char *label, const char *value) {
  corbel_field field = {label, bytes(value)};
  corbel_metric_options o = {
      .struct_size = sizeof o, .kind = kind, .name = name, .labels = &field, .n = label != NULL, .each = sizeof field};
  corbel_metric *m = NULL;
  corbel_error *e = NULL;
  CHECK_EQ(corbel_metric_open(rt, &o, &m, &e), CORBEL_OK);
  tell(e);
  REQUIRE(m != NULL);
  return m;
}

static int shows(const char *line) {
  corbel_text *text = NULL;
  corbel_bytes all;
  CHECK_EQ(corbel_runtime_metrics(rt, CORBEL_METRICS_PROMETHEUS, &text, NULL), CORBEL_OK);
  CHECK_EQ(corbel_text_bytes(text, &all), CORBEL_OK);
  int found = strstr(all.data, line) != NULL;
  corbel_text_free(text);
  return found;
}

static void series_are_shown(void) {
  corbel_metric *mails = open_metric(CORBEL_METRIC_COUNTER, "mails_total", "list", "weekly");
  corbel_metric *again = open_metric(CORBEL_METRIC_COUNTER, "mails_total", "list", "weekly");
  corbel_metric *waiting = open_metric(CORBEL_METRIC_GAUGE, "waiting", NULL, NULL);
  corbel_metric *took = open_metric(CORBEL_METRIC_HISTOGRAM, "took_seconds", NULL, NULL);
  CHECK_EQ(corbel_metric_add(mails, 2), CORBEL_OK);
  CHECK_EQ(corbel_metric_add(again, 1), CORBEL_OK);
  CHECK_EQ(corbel_metric_set(waiting, 7), CORBEL_OK);
  CHECK_EQ(corbel_metric_add(waiting, -2), CORBEL_OK);
  CHECK_EQ(corbel_metric_record(took, 0.25), CORBEL_OK);
  corbel_metric_free(mails);
  CHECK(shows("\nmails_total{list=\"weekly\"} 3\n"));
  CHECK(shows("\nwaiting 5\n"));
  CHECK(shows("\ntook_seconds_bucket{le=\"0.2\"} 0\n"));
  CHECK(shows("\ntook_seconds_bucket{le=\"0.3\"} 1\n"));
  CHECK(shows("\ntook_seconds_sum 0.25\n"));
  corbel_metric_free(again);
  corbel_metric_free(waiting);
  corbel_metric_free(took);
}

static void bounds_and_max_series(void) {
  const double bounds[] = {1, 10};
  corbel_metric_options o = {
      .struct_size = sizeof o, .kind = CORBEL_METRIC_HISTOGRAM, .name = "sizes", .bounds = bounds, .n_bounds = 2};
  corbel_metric *m = NULL;
  CHECK_EQ(corbel_metric_open(rt, &o, &m, NULL), CORBEL_OK);
  CHECK_EQ(corbel_metric_record(m, 5), CORBEL_OK);
  CHECK(shows("\nsizes_bucket{le=\"10\"} 1\n"));
  corbel_metric_free(m);
  for (int i = 0; i < 4; i++) {
    char value[16];
    snprintf(value, sizeof value, "u%d", i);
    corbel_field field = {"user", bytes(value)};
    corbel_metric_options c = {.struct_size = sizeof c,
                               .kind = CORBEL_METRIC_COUNTER,
                               .name = "visits_total",
                               .max_series = 2,
                               .labels = &field,
                               .n = 1,
                               .each = sizeof field};
    CHECK_EQ(corbel_metric_open(rt, &c, &m, NULL), CORBEL_OK);
    CHECK_EQ(corbel_metric_add(m, 1), CORBEL_OK);
    corbel_metric_free(m);
  }
  CHECK(shows("\nvisits_total{user=\"other\"} 2\n"));
  CHECK(!shows("user=\"u3\""));
}

static void misuse(void) {
  corbel_metric *m = NULL, *counter = open_metric(CORBEL_METRIC_COUNTER, "misused_total", NULL, NULL);
  corbel_metric *histogram = open_metric(CORBEL_METRIC_HISTOGRAM, "misused_seconds", NULL, NULL);
  corbel_field no_name = {NULL, {"x", 1}};
  corbel_metric_options kind = {.struct_size = sizeof kind, .name = "x"},
                        name = {.struct_size = sizeof name, .kind = CORBEL_METRIC_GAUGE, .name = "misused_total"},
                        field = {.struct_size = sizeof field,
                                 .kind = CORBEL_METRIC_GAUGE,
                                 .name = "x",
                                 .labels = &no_name,
                                 .n = 1,
                                 .each = sizeof no_name},
                        flags = {.struct_size = sizeof flags, .kind = CORBEL_METRIC_GAUGE, .name = "x", .flags = 1},
                        bounds = {.struct_size = sizeof bounds, .kind = CORBEL_METRIC_HISTOGRAM, .name = "x", .n_bounds = 1};
  corbel_metric_options *all[] = {&kind, &name, &field, &flags, &bounds, NULL};
  for (int i = 0; i < 6; i++) {
    corbel_error *e = NULL;
    CHECK_EQ(corbel_metric_open(rt, all[i], &m, &e), CORBEL_INVALID);
    CHECK(strlen(corbel_error_message(e)) > 10);
    corbel_error_free(e);
  }
  CHECK_EQ(corbel_metric_open(NULL, &kind, &m, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_metric_open(rt, &kind, NULL, NULL), CORBEL_INVALID);
  CHECK(m == NULL);
  CHECK_EQ(corbel_metric_add(counter, -1), CORBEL_INVALID);
  CHECK_EQ(corbel_metric_add(counter, NAN), CORBEL_INVALID);
  CHECK_EQ(corbel_metric_set(counter, 1), CORBEL_INVALID);
  CHECK_EQ(corbel_metric_record(counter, 1), CORBEL_INVALID);
  CHECK_EQ(corbel_metric_add(histogram, 1), CORBEL_INVALID);
  CHECK_EQ(corbel_metric_record(histogram, NAN), CORBEL_INVALID);
  CHECK_EQ(corbel_metric_add(NULL, 1), CORBEL_INVALID);
  CHECK_EQ(corbel_metric_set(NULL, 1), CORBEL_INVALID);
  CHECK_EQ(corbel_metric_record(NULL, 1), CORBEL_INVALID);
  CHECK(shows("\nmisused_total 0\n"));
  corbel_metric_free(NULL);
  corbel_metric_free(counter);
  corbel_metric_free(histogram);
}

static void a_child_is_forked(void) {
  corbel_metric *m = open_metric(CORBEL_METRIC_COUNTER, "before_fork_total", NULL, NULL);
  corbel_metric_options o = {.struct_size = sizeof o, .kind = CORBEL_METRIC_COUNTER, .name = "in_child_total"};
  int status = 0;
  pid_t child = fork();
  if (child == 0) {
    corbel_metric *mine = NULL;
    int good = corbel_metric_add(m, 1) == CORBEL_FORKED && corbel_metric_set(m, 1) == CORBEL_FORKED &&
               corbel_metric_record(m, 1) == CORBEL_FORKED && corbel_metric_open(rt, &o, &mine, NULL) == CORBEL_FORKED;
    corbel_metric_free(m);
    _exit(good ? 0 : 1);
  }
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
  CHECK(shows("\nbefore_fork_total 0\n"));
  corbel_metric_free(m);
}

static void a_metric_outlives_its_runtime(void) {
  corbel_metric *m = open_metric(CORBEL_METRIC_COUNTER, "late_total", NULL, NULL);
  CHECK_EQ(corbel_runtime_shutdown(rt, 10000, NULL), CORBEL_OK);
  corbel_runtime_free(rt);
  CHECK_EQ(corbel_metric_add(m, 1), CORBEL_OK);
  corbel_metric_free(m);
}

int main(void) {
  rt = open_runtime();
  RUN(series_are_shown);
  RUN(bounds_and_max_series);
  RUN(misuse);
  RUN(a_child_is_forked);
  RUN(a_metric_outlives_its_runtime);
  return check_report();
}
