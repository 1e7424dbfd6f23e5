/* Puts in a plain hiredis loop: N in flight on one socket, as in hiredis_get.c. --how lpush: one LPUSH each. --how script:
 * one call each of a script that admits by the depth and pushes, as a queue with admission does.
 *
 *     peer_hiredis_put --port 6379 --how lpush|script --in-flight 64 --size 1024 --seconds 1.5 */
#define _GNU_SOURCE
#include "../measure.h"

#include <hiredis/hiredis.h>

static const char *const script =
    "local depth = redis.call('LLEN', KEYS[1]) "
    "if depth >= tonumber(ARGV[1]) then return -1 end "
    "return redis.call('LPUSH', KEYS[1], ARGV[2])";

static void fail(const char *what, const char *why) {
  fprintf(stderr, "peer_hiredis_put: %s: %s\n", what, why);
  exit(1);
}

int main(int argc, char **argv) {
  const int in_flight = atoi(measure_option(argc, argv, "in-flight", "64"));
  const double seconds = measure_number(argc, argv, "seconds", 1.5);
  const size_t size = strtoul(measure_option(argc, argv, "size", "1024"), NULL, 10);
  const int scripted = strcmp(measure_option(argc, argv, "how", "lpush"), "script") == 0;
  redisContext *c = redisConnect("127.0.0.1", atoi(measure_option(argc, argv, "port", "6379")));
  if (!c || c->err) fail("connect", c ? c->errstr : "no memory");

  char *body = malloc(size);
  memset(body, 'x', size);
  char sha[41] = "";
  if (scripted) {
    redisReply *loaded = redisCommand(c, "SCRIPT LOAD %s", script);
    if (!loaded || loaded->type != REDIS_REPLY_STRING) fail("SCRIPT LOAD", c->errstr);
    memcpy(sha, loaded->str, 40);
    freeReplyObject(loaded);
  }
  const char *plain[3] = {"LPUSH", "bench:loop", body}, *call[6] = {"EVALSHA", sha, "1", "bench:loop", "1000000000", body};
  const size_t plain_sizes[3] = {5, 10, size}, call_sizes[6] = {7, 40, 1, 10, 10, size};
  const int words = scripted ? 6 : 3;
  const char **command = scripted ? call : plain;
  const size_t *sizes = scripted ? call_sizes : plain_sizes;

  for (int i = 0; i < in_flight; i++) redisAppendCommandArgv(c, words, command, sizes);
  struct stop_watch watch = stop_watch_begin(seconds);
  long long depth = 0;
  do {
    for (int i = 0; i < 64; i++) {
      void *got;
      if (redisGetReply(c, &got) != REDIS_OK) fail("reply", c->errstr);
      redisReply *reply = got;
      if (reply->type != REDIS_REPLY_INTEGER || reply->integer != depth + 1) fail("reply", "not the depth after the put");
      depth = reply->integer;
      freeReplyObject(reply);
      redisAppendCommandArgv(c, words, command, sizes);
    }
  } while (stop_watch_goes_on(&watch, 64));
  redisFree(c);
  free(body);
  return 0;
}
