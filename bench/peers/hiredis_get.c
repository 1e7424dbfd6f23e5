/* GET in a plain hiredis loop: N in flight on one socket, window kept full. redisGetReply gives the replies that are read
 * already; each makes room for one more command; what was appended leaves in one write when no reply is left.
 * With --halves 1 half a window is written as soon as that many replies are read, so that the server works meanwhile.
 *
 *     peer_hiredis_get --port 6379 --in-flight 64 --seconds 1.5 --key k --size 64 */
#define _GNU_SOURCE
#include "../measure.h"

#include <hiredis/hiredis.h>

static void fail(const char *what, const char *why) {
  fprintf(stderr, "peer_hiredis_get: %s: %s\n", what, why);
  exit(1);
}

int main(int argc, char **argv) {
  if (measure_option(argc, argv, "version", NULL)) {
    printf("%d.%d.%d\n", HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH);
    return 0;
  }
  const int in_flight = atoi(measure_option(argc, argv, "in-flight", "1"));
  const double seconds = measure_number(argc, argv, "seconds", 1.5);
  const int halves = atoi(measure_option(argc, argv, "halves", "0"));
  const size_t size = strtoul(measure_option(argc, argv, "size", "64"), NULL, 10);
  const char *words[2] = {"GET", measure_option(argc, argv, "key", "key:__rand_int__")};
  const size_t sizes[2] = {3, strlen(words[1])};
  redisContext *c = redisConnect("127.0.0.1", atoi(measure_option(argc, argv, "port", "6379")));
  if (!c || c->err) fail("connect", c ? c->errstr : "no memory");

  for (int i = 0; i < in_flight; i++) redisAppendCommandArgv(c, 2, words, sizes);
  struct stop_watch watch = stop_watch_begin(seconds);
  unsigned long looked_at = 0, unsent = 0;
  do {
    for (int i = 0; i < 64; i++) {
      void *got;
      if (redisGetReply(c, &got) != REDIS_OK) fail("reply", c->errstr);
      redisReply *reply = got;
      if (reply->type != REDIS_REPLY_STRING || (size_t)reply->len != size) fail("reply", "not the value that was set");
      looked_at += (unsigned char)reply->str[i % size];
      freeReplyObject(reply);
      redisAppendCommandArgv(c, 2, words, sizes);
      if (halves && ++unsent * 2 >= (unsigned long)in_flight) {
        unsent = 0;
        for (int all_written = 0; !all_written;)
          if (redisBufferWrite(c, &all_written) != REDIS_OK) fail("write", c->errstr);
      }
    }
  } while (stop_watch_goes_on(&watch, 64));
  redisFree(c);
  return looked_at ? 0 : 1;
}
