/* A queue in a plain hiredis loop on one socket: LMOVE to a list of what is in flight, a no-op, LREM of it; N of them under
 * way, each on its own: a reply to one of them sends its next command. First puts what there is to work.
 *
 *     peer_hiredis_work --port 6379 --in-flight 64 --messages 400000 --size 1024 --seconds 1.5 */
#define _GNU_SOURCE
#include "../measure.h"

#include <hiredis/hiredis.h>

enum { fill_at_once = 500 };

static void fail(const char *what, const char *why) {
  fprintf(stderr, "peer_hiredis_work: %s: %s\n", what, why);
  exit(1);
}

static redisReply *next_reply(redisContext *c, int type) {
  void *got;
  if (redisGetReply(c, &got) != REDIS_OK) fail("reply", c->errstr);
  redisReply *reply = got;
  if (reply->type != type) fail("reply", reply->type == REDIS_REPLY_ERROR ? reply->str : "not of the kind that is expected");
  return reply;
}

/* Each message begins with a number of its own, for LREM removes by value. */
static void put_all(redisContext *c, unsigned long messages, size_t size) {
  const char *words[2 + fill_at_once] = {"LPUSH", "bench:loop"};
  size_t sizes[2 + fill_at_once] = {5, 10};
  char *bodies = malloc(fill_at_once * (size + 1));
  memset(bodies, 'x', fill_at_once * (size + 1));
  for (unsigned long done = 0; done < messages;) {
    for (int i = 0; i < fill_at_once; i++) {
      char *body = bodies + i * (size + 1);
      body[snprintf(body, size, "%016lu", ++done)] = 'x';
      words[2 + i] = body;
      sizes[2 + i] = size;
    }
    redisAppendCommandArgv(c, 2 + fill_at_once, words, sizes);
    freeReplyObject(next_reply(c, REDIS_REPLY_INTEGER));
  }
  free(bodies);
}

static void take(redisContext *c) { redisAppendCommand(c, "LMOVE bench:loop bench:loop:flight RIGHT LEFT"); }

int main(int argc, char **argv) {
  const int in_flight = atoi(measure_option(argc, argv, "in-flight", "64"));
  const double seconds = measure_number(argc, argv, "seconds", 1.5);
  const unsigned long messages = strtoul(measure_option(argc, argv, "messages", "400000"), NULL, 10);
  const size_t size = strtoul(measure_option(argc, argv, "size", "1024"), NULL, 10);
  redisContext *c = redisConnect("127.0.0.1", atoi(measure_option(argc, argv, "port", "6379")));
  if (!c || c->err) fail("connect", c ? c->errstr : "no memory");
  put_all(c, messages, size);

  const char *remove[4] = {"LREM", "bench:loop:flight", "-1", NULL};
  size_t sizes[4] = {4, 17, 2, size};
  char *sent = calloc(in_flight, 1); /* what each one waits for: 0 LMOVE, 1 LREM, 2 nothing any more */
  for (int i = 0; i < in_flight; i++) take(c);
  struct stop_watch watch = stop_watch_begin(seconds);
  unsigned long removed = 0;
  int at = 0, goes_on = 1;
  while (goes_on && removed < messages) {
    unsigned done = 0;
    for (int i = 0; i < 64 && removed < messages; i++, at = (at + 1) % in_flight) {
      if (sent[at] == 2) continue; /* nothing was left for it to take */
      if (sent[at]) {
        redisReply *reply = next_reply(c, REDIS_REPLY_INTEGER);
        if (reply->integer != 1) fail("LREM", "the message was not in flight");
        freeReplyObject(reply);
        removed++, done++;
        sent[at] = 0;
        take(c);
      } else {
        void *got;
        if (redisGetReply(c, &got) != REDIS_OK) fail("reply", c->errstr);
        redisReply *reply = got;
        if (reply->type == REDIS_REPLY_NIL) {
          sent[at] = 2;
        } else if (reply->type != REDIS_REPLY_STRING || (size_t)reply->len != size) {
          fail("LMOVE", "not a message that was put");
        } else {
          remove[3] = reply->str;
          redisAppendCommandArgv(c, 4, remove, sizes);
          sent[at] = 1;
        }
        freeReplyObject(reply);
      }
    }
    goes_on = stop_watch_goes_on(&watch, done);
  }
  if (goes_on) { /* all were worked before the time was over */
    if (!watch.warm) fail("messages", "all were worked before the measured time began: give more");
    measure_end(&watch.m);
    measure_print(&watch.m, watch.done);
  }
  free(sent);
  redisFree(c);
  return 0;
}
