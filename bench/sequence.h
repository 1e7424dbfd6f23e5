/* What a subscriber of the bench checks and counts: every payload begins with its number, eight decimal digits, and the
 * numbers follow each other. Prints "ready" when the server has confirmed, one line of JSON at the end.
 * Plain C, shared by Corbel's subscribers and the peer. */
#ifndef CORBEL_BENCH_SEQUENCE_H
#define CORBEL_BENCH_SEQUENCE_H
#include "measure.h"

struct sequence {
  struct stop_watch watch; /* measures its seconds after a warm-up, or: */
  unsigned long messages;  /* measured from the first message to this many */
  unsigned long taken;
  unsigned long next; /* number expected */
  int done;
};

static inline struct sequence sequence_begin(int argc, char **argv) {
  struct sequence s;
  memset(&s, 0, sizeof s);
  s.watch = stop_watch_begin(measure_number(argc, argv, "seconds", 1.5));
  s.messages = strtoul(measure_option(argc, argv, "messages", "0"), NULL, 10);
  return s;
}

static inline void sequence_ready(void) {
  puts("ready");
  fflush(stdout);
}

/* Takes one payload. Returns 0 when it is not the one expected. */
static inline int sequence_take(struct sequence *s, const char *payload, size_t size) {
  unsigned long number = 0;
  if (size < 8) return 0;
  for (int i = 0; i < 8; i++) {
    const int digit = payload[i] - '0';
    number = number * 10 + digit;
  }
  if (s->next == 0) {
    s->watch.m = measure_begin();
    s->next = number;
  }
  if (number != s->next) return 0;
  s->next++;
  s->taken++;
  if (s->messages && s->taken == s->messages) {
    measure_end(&s->watch.m);
    measure_print(&s->watch.m, 1.0 * s->taken);
    s->done = 1;
  } else if (!s->messages && (s->taken & 63) == 0) {
    s->done = !stop_watch_goes_on(&s->watch, 64);
  }
  return 1;
}
#endif
