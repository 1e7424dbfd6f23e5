/* A subscriber in a plain hiredis loop: the next reply, its payload looked at, freed.
 *
 *     peer_hiredis_subscribe --port 6379 --channel bench (--seconds 1.5 | --messages 1000000) */
#define _GNU_SOURCE
#include "../sequence.h"

#include <hiredis/hiredis.h>

static void fail(const char *what, const char *why) {
  fprintf(stderr, "peer_hiredis_subscribe: %s: %s\n", what, why);
  exit(1);
}

int main(int argc, char **argv) {
  redisContext *c = redisConnect("127.0.0.1", atoi(measure_option(argc, argv, "port", "6379")));
  if (!c || c->err) fail("connect", c ? c->errstr : "no memory");
  redisReply *confirmed = redisCommand(c, "SUBSCRIBE %s", measure_option(argc, argv, "channel", "bench"));
  if (!confirmed || confirmed->type != REDIS_REPLY_ARRAY) fail("subscribe", c->errstr);
  freeReplyObject(confirmed);

  struct sequence s = sequence_begin(argc, argv);
  sequence_ready();
  while (!s.done) {
    void *got;
    if (redisGetReply(c, &got) != REDIS_OK) fail("message", c->errstr);
    redisReply *reply = got;
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3) fail("message", "not a message");
    if (!sequence_take(&s, reply->element[2]->str, reply->element[2]->len)) fail("message", "one was missed");
    freeReplyObject(reply);
  }
  redisFree(c);
  return 0;
}
