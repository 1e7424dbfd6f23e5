/* The publisher of the pub/sub rows: PUBLISH in batches, as cheap as it gets (bytes made once, replies only counted), so
 * that it takes as little as it can from the two processors. Not itself measured.
 *
 *     peer_publish --port 6379 --channel bench [--messages 1000000]
 *
 * Without --messages it goes on until it is ended, and lets the server keep at most 1 MiB for a subscriber that falls
 * behind, so that the subscriber always has work and is never dropped. */
#define _GNU_SOURCE
#include "../measure.h"

#include <hiredis/hiredis.h>

#include <unistd.h>

enum { batch = 256, batches_in_flight = 2, payload_size = 64, batches_between_looks = 16 };
static const unsigned long backlog_limit = 1ul << 20;

static void fail(const char *what) {
  fprintf(stderr, "peer_publish: %s\n", what);
  exit(1);
}

static void write_all(int fd, const char *data, size_t size) {
  while (size) {
    const ssize_t n = write(fd, data, size);
    if (n <= 0) fail("write");
    data += n;
    size -= n;
  }
}

/* Every reply is ":<digit>\r\n". */
static void read_replies(int fd, size_t count) {
  char buffer[4 * batch];
  for (size_t left = 4 * count; left;) {
    const ssize_t n = read(fd, buffer, left < sizeof buffer ? left : sizeof buffer);
    if (n <= 0) fail("read");
    if (memchr(buffer, '-', n)) fail("the server refused a PUBLISH");
    left -= n;
  }
}

/* Bytes that the server holds back for subscribers. */
static unsigned long backlog(redisContext *c) {
  redisReply *r = redisCommand(c, "CLIENT LIST TYPE pubsub");
  if (!r || r->type != REDIS_REPLY_STRING) fail("CLIENT LIST");
  unsigned long sum = 0;
  for (const char *at = r->str; (at = strstr(at, " omem=")); at++) sum += strtoul(at + 6, NULL, 10);
  freeReplyObject(r);
  return sum;
}

int main(int argc, char **argv) {
  const int port = atoi(measure_option(argc, argv, "port", "6379"));
  const char *channel = measure_option(argc, argv, "channel", "bench");
  const unsigned long messages = strtoul(measure_option(argc, argv, "messages", "0"), NULL, 10);
  redisContext *publisher = redisConnect("127.0.0.1", port), *looker = redisConnect("127.0.0.1", port);
  if (!publisher || publisher->err || !looker || looker->err) fail("connect");

  char head[128], one[256];
  const int head_size =
      snprintf(head, sizeof head, "*3\r\n$7\r\nPUBLISH\r\n$%zu\r\n%s\r\n$%d\r\n", strlen(channel), channel, payload_size);
  const int size = snprintf(one, sizeof one, "%s%08d%0*d\r\n", head, 0, payload_size - 8, 0);
  char *buffer = malloc(batch * size);
  for (int i = 0; i < batch; i++) memcpy(buffer + i * size, one, size);

  unsigned long number = 1, sent_batches = 0, answered_batches = 0;
  while (!messages || number <= messages) {
    for (int i = 0; i < batch; i++) {
      char digits[9];
      snprintf(digits, sizeof digits, "%08lu", number++ % 100000000ul);
      memcpy(buffer + i * size + head_size, digits, 8);
    }
    write_all(publisher->fd, buffer, batch * size);
    if (++sent_batches - answered_batches == batches_in_flight) {
      read_replies(publisher->fd, batch);
      answered_batches++;
    }
    if (!messages && sent_batches % batches_between_looks == 0)
      while (backlog(looker) > backlog_limit) usleep(200);
  }
  read_replies(publisher->fd, batch * (sent_batches - answered_batches));
  return 0;
}
