/* Checks and cases of the C tests. A program runs its cases with RUN and returns check_report(). */
#ifndef TESTS_CAPI_CHECK_H
#define TESTS_CAPI_CHECK_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int check_case_failed, check_passed, check_failed;

/* Says what is wrong and goes on. */
#define CHECK(condition)                                               \
  do {                                                                 \
    if (!(condition)) {                                                \
      printf("%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
      check_case_failed = 1;                                           \
    }                                                                  \
  } while (0)

#define CHECK_EQ(left, right)                                                                         \
  do {                                                                                                \
    long long left_ = (long long)(left), right_ = (long long)(right);                                 \
    if (left_ != right_) {                                                                            \
      printf("%s:%d: %s is %lld, not %s = %lld\n", __FILE__, __LINE__, #left, left_, #right, right_); \
      check_case_failed = 1;                                                                          \
    }                                                                                                 \
  } while (0)

/* What a case cannot go on without. */
#define REQUIRE(condition)                                                           \
  do {                                                                               \
    if (!(condition)) {                                                              \
      printf("%s:%d: not true, cannot go on: %s\n", __FILE__, __LINE__, #condition); \
      fflush(stdout);                                                                \
      exit(1);                                                                       \
    }                                                                                \
  } while (0)

static inline void check_run(const char *name, void (*test)(void)) {
  check_case_failed = 0;
  test();
  printf("%s %s\n", check_case_failed ? "FAILED" : "ok", name);
  fflush(stdout);
  if (check_case_failed)
    check_failed++;
  else
    check_passed++;
}
#define RUN(test) check_run(#test, test)

static inline int check_report(void) {
  printf("cases: %d passed, %d failed\n", check_passed, check_failed);
  return check_failed != 0 || check_passed == 0;
}

static inline long long now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Polls a condition for at most twenty seconds. */
#define AWAIT(condition)                                               \
  do {                                                                 \
    long long until_ = now_ms() + 20000;                               \
    struct timespec step_ = {0, 2000000};                              \
    while (!(condition) && now_ms() < until_) nanosleep(&step_, NULL); \
    CHECK(condition);                                                  \
  } while (0)

#endif
