/* What every measured program of the bench needs: a clock, the process's CPU time, options, one line of JSON out.
 * Plain C, so that the peers measure with the same code. */
#ifndef CORBEL_BENCH_MEASURE_H
#define CORBEL_BENCH_MEASURE_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/* Before the measured time: connections are made, buffers have grown, the processor is awake. */
#define MEASURE_WARM_UP 0.2

static inline double measure_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return 1.0 * t.tv_sec + 1e-9 * t.tv_nsec;
}

/* User and system time of all threads of this process, in seconds. */
static inline double measure_cpu(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return 1.0 * (u.ru_utime.tv_sec + u.ru_stime.tv_sec) + 1e-6 * (u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

/* "--name value" of the command line, else otherwise. */
static inline const char *measure_option(int argc, char **argv, const char *name, const char *otherwise) {
  for (int i = 1; i + 1 < argc; i++)
    if (strncmp(argv[i], "--", 2) == 0 && strcmp(argv[i] + 2, name) == 0) return argv[i + 1];
  return otherwise;
}

static inline double measure_number(int argc, char **argv, const char *name, double otherwise) {
  const char *text = measure_option(argc, argv, name, NULL);
  return text ? atof(text) : otherwise;
}

/* One stretch of measured time. */
struct measure {
  double wall, cpu;
};

static inline struct measure measure_begin(void) {
  struct measure m;
  m.wall = measure_now();
  m.cpu = measure_cpu();
  return m;
}

static inline void measure_end(struct measure *m) {
  m->wall = measure_now() - m->wall;
  m->cpu = measure_cpu() - m->cpu;
}

static inline void measure_print(const struct measure *m, double operations) {
  printf("{\"ops_per_s\": %.1f, \"cpu_us_per_op\": %.4f, \"ops\": %.0f, \"seconds\": %.3f}\n", operations / m->wall,
         1e6 * m->cpu / operations, operations, m->wall);
  fflush(stdout);
}

/* For a loop that does its work in rounds: a warm-up, then the measured time, then the result is printed. */
struct stop_watch {
  double seconds, done;
  struct measure m;
  int warm;
};

static inline struct stop_watch stop_watch_begin(double seconds) {
  struct stop_watch w;
  w.seconds = seconds;
  w.done = 0;
  w.m = measure_begin();
  w.warm = 0;
  return w;
}

/* Says what the last round has done. 0 when the time is over. */
static inline int stop_watch_goes_on(struct stop_watch *w, double done) {
  const double passed = measure_now() - w->m.wall;
  w->done += done;
  if (!w->warm && passed >= MEASURE_WARM_UP) {
    w->warm = 1;
    w->done = 0;
    w->m = measure_begin();
  } else if (w->warm && passed >= w->seconds) {
    measure_end(&w->m);
    measure_print(&w->m, w->done);
    return 0;
  }
  return 1;
}
#endif
