/* Versions, features, names of statuses, option structs, and errors and texts that are NULL. */
#include "world.h"

static void the_version_is_the_header_s(void) {
  CHECK_EQ(corbel_version(), CORBEL_VERSION);
  CHECK(strcmp(corbel_version_string(), "0.1.0") == 0);
}

static void a_header_is_compatible_or_not(void) {
  CHECK_EQ(corbel_header_compatible(CORBEL_VERSION), 1);
  CHECK_EQ(corbel_header_compatible(CORBEL_VERSION + 0x01000000u), 0);
}

static void features_are_known_by_name(void) {
  CHECK_EQ(corbel_has_feature("redis"), 1);
  CHECK_EQ(corbel_has_feature("tls"), 1);
  CHECK_EQ(corbel_has_feature("queue"), 1);
  CHECK_EQ(corbel_has_feature("perpetual_motion"), 0);
  CHECK_EQ(corbel_has_feature(""), 0);
  CHECK_EQ(corbel_has_feature(NULL), 0);
}

static void every_status_has_a_name(void) {
  static const char *const names[] = {"OK",        "INVALID",     "STATE",    "CLOSED",      "FORKED",
                                      "NO_MEMORY", "BUSY",        "TIMEOUT",  "CANCELLED",   "LOST",
                                      "REFUSED",   "UNAVAILABLE", "PROTOCOL", "UNSUPPORTED", "INTERNAL"};
  for (int i = 0; i < 15; i++) CHECK(strcmp(corbel_status_name(-i), names[i]) == 0);
  CHECK(strcmp(corbel_status_name(-15), "UNKNOWN") == 0);
  CHECK(strcmp(corbel_status_name(1), "UNKNOWN") == 0);
}

/* A struct of the type, filled with ones before, is all zero afterwards but for its size; other sizes are refused. */
#define INIT(name)                                                          \
  do {                                                                      \
    corbel_##name o, zero;                                                  \
    memset(&o, 0xff, sizeof o);                                             \
    memset(&zero, 0, sizeof zero);                                          \
    zero.struct_size = sizeof zero;                                         \
    CHECK_EQ(corbel_options_init(&o, #name, sizeof o), CORBEL_OK);          \
    CHECK(memcmp(&o, &zero, sizeof o) == 0);                                \
    CHECK_EQ(corbel_options_init(&o, #name, sizeof o - 1), CORBEL_INVALID); \
    CHECK_EQ(corbel_options_init(&o, #name, 3), CORBEL_INVALID);            \
    CHECK_EQ(corbel_options_init(&o, #name, 0), CORBEL_INVALID);            \
    CHECK_EQ(corbel_options_init(NULL, #name, sizeof o), CORBEL_INVALID);   \
  } while (0)

static void option_structs_are_set_to_their_defaults(void) {
  INIT(call);
  INIT(runtime_options);
  INIT(redis_options);
  INIT(sub_options);
  INIT(monitor_options);
  INIT(queue_options);
  INIT(put);
  INIT(settle);
  INIT(health_report);
  /* A program that was compiled before the struct grew has less room for it. */
  corbel_redis_options grown;
  const size_t before = offsetof(corbel_redis_options, busy_poll_us);
  grown.busy_poll_us = 77;
  CHECK_EQ(corbel_options_init(&grown, "redis_options", before), CORBEL_OK);
  CHECK_EQ(grown.struct_size, before);
  CHECK_EQ(grown.busy_poll_us, 77);
  CHECK_EQ(corbel_options_init(&grown, "redis_options", before - 8), CORBEL_INVALID);
  CHECK_EQ(corbel_options_init(&grown, "redis_options", sizeof grown + 8), CORBEL_INVALID);
  corbel_call c;
  CHECK_EQ(corbel_options_init(&c, "no_such", sizeof c), CORBEL_INVALID);
  CHECK_EQ(corbel_options_init(&c, NULL, sizeof c), CORBEL_INVALID);
}

static void no_error_is_success_and_empty(void) {
  CHECK_EQ(corbel_error_status(NULL), CORBEL_OK);
  CHECK(strcmp(corbel_error_message(NULL), "") == 0);
  CHECK(strcmp(corbel_error_source(NULL), "") == 0);
  CHECK(strcmp(corbel_error_native(NULL), "") == 0);
  CHECK(corbel_error_field(NULL, "detail") == NULL);
  CHECK_EQ(corbel_error_flags(NULL), 0);
  corbel_error_free(NULL);
}

static void no_text_has_no_bytes(void) {
  corbel_bytes b = {"x", 1};
  CHECK_EQ(corbel_text_bytes(NULL, &b), CORBEL_INVALID);
  corbel_text_free(NULL);
}

static void an_error_tells_all_about_itself(void) {
  corbel_runtime *rt = open_runtime();
  corbel_redis_options o = {.struct_size = sizeof o, .url = "http://:secret@nowhere"};
  corbel_redis *r = NULL;
  corbel_error *e = NULL;
  CHECK_EQ(corbel_redis_open(rt, &o, &r, &e), CORBEL_INVALID);
  REQUIRE(e != NULL);
  CHECK(r == NULL);
  CHECK_EQ(corbel_error_status(e), CORBEL_INVALID);
  CHECK(strlen(corbel_error_message(e)) > 10 && strchr(corbel_error_message(e), '\n') == NULL);
  CHECK(strstr(corbel_error_message(e), "secret") == NULL);
  CHECK(strcmp(corbel_error_source(e), "redis") == 0);
  CHECK(corbel_error_native(e) != NULL);
  CHECK(corbel_error_field(e, "no_such") == NULL && corbel_error_field(e, NULL) == NULL);
  CHECK_EQ(corbel_error_flags(e) & CORBEL_ERROR_MAYBE_APPLIED, 0);
  corbel_error_free(e);
  corbel_runtime_free(rt);
}

int main(void) {
  RUN(the_version_is_the_header_s);
  RUN(a_header_is_compatible_or_not);
  RUN(features_are_known_by_name);
  RUN(every_status_has_a_name);
  RUN(option_structs_are_set_to_their_defaults);
  RUN(no_error_is_success_and_empty);
  RUN(no_text_has_no_bytes);
  RUN(an_error_tells_all_about_itself);
  return check_report();
}
