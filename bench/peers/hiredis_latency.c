/* 200 puts a second by LPUSH on one socket, and a blocking move on another one that waits for them; both in one thread,
 * which waits for either. The time is from before the put to when the message has been read; what was taken is then removed.
 *
 *     peer_hiredis_latency --port 6379 --size 1024 --seconds 3 */
#define _GNU_SOURCE
#include "../measure.h"

#include <hiredis/hiredis.h>

#include <poll.h>

static const double period = 0.005;

static void fail(const char *what, const char *why) {
  fprintf(stderr, "peer_hiredis_latency: %s: %s\n", what, why);
  exit(1);
}

static redisContext *open_socket(int port) {
  redisContext *c = redisConnect("127.0.0.1", port);
  if (!c || c->err) fail("connect", c ? c->errstr : "no memory");
  return c;
}

static void flush(redisContext *c) {
  for (int all_written = 0; !all_written;)
    if (redisBufferWrite(c, &all_written) != REDIS_OK) fail("write", c->errstr);
}

static redisReply *reply_of(redisContext *c) {
  void *got = NULL;
  if (redisGetReplyFromReader(c, &got) != REDIS_OK) fail("reply", c->errstr);
  return got;
}

static void take(redisContext *c) {
  redisAppendCommand(c, "BLMOVE bench:loop bench:loop:flight RIGHT LEFT 10");
  flush(c);
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

int main(int argc, char **argv) {
  const int port = atoi(measure_option(argc, argv, "port", "6379"));
  const double seconds = measure_number(argc, argv, "seconds", 3);
  const size_t size = strtoul(measure_option(argc, argv, "size", "1024"), NULL, 10);
  redisContext *puts = open_socket(port), *takes = open_socket(port);
  char *body = malloc(size);
  memset(body, 'x', size);
  const int warm = (int)(MEASURE_WARM_UP / period), all = warm + (int)(seconds / period);
  double *times = calloc(all, sizeof *times);
  int put = 0, taken = 0;

  take(takes);
  const double begin = measure_now() + period;
  while (taken < all) {
    const double now = measure_now(), due = put < all ? begin + put * period : now + 1;
    if (now >= due) {
      body[snprintf(body, size, "%.9f", now)] = 'x';
      const char *words[3] = {"LPUSH", "bench:loop", body};
      const size_t sizes[3] = {5, 10, size};
      redisAppendCommandArgv(puts, 3, words, sizes);
      flush(puts);
      put++;
      continue;
    }
    struct pollfd both[2] = {{puts->fd, POLLIN, 0}, {takes->fd, POLLIN, 0}};
    const double left = due - now;
    const struct timespec wait = {(time_t)left, (long)(1e9 * (left - (time_t)left))};
    if (ppoll(both, 2, &wait, NULL) < 0) fail("poll", "it failed");
    if (both[1].revents) {
      if (redisBufferRead(takes) != REDIS_OK) fail("read", takes->errstr);
      for (redisReply *reply; (reply = reply_of(takes)) != NULL; freeReplyObject(reply)) {
        if (reply->type == REDIS_REPLY_INTEGER) continue; /* of LREM */
        if (reply->type != REDIS_REPLY_STRING || (size_t)reply->len != size) fail("BLMOVE", "not a message that was put");
        times[taken++] = measure_now() - strtod(reply->str, NULL);
        redisAppendCommand(takes, "LREM bench:loop:flight -1 %b", reply->str, (size_t)reply->len);
        take(takes);
      }
    }
    if (both[0].revents) {
      if (redisBufferRead(puts) != REDIS_OK) fail("read", puts->errstr);
      for (redisReply *reply; (reply = reply_of(puts)) != NULL; freeReplyObject(reply))
        if (reply->type != REDIS_REPLY_INTEGER) fail("LPUSH", "it was refused");
    }
  }
  const int measured = all - warm;
  qsort(times + warm, measured, sizeof *times, ascending);
  printf("{\"p50_ms\": %.4f, \"p99_ms\": %.4f, \"messages\": %d}\n", 1e3 * times[warm + measured / 2],
         1e3 * times[warm + measured * 99 / 100], measured);
  free(times);
  free(body);
  redisFree(puts);
  redisFree(takes);
  return 0;
}
