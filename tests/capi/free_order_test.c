/* Handles may be freed in any order, with work under way, without a shutdown: threads and descriptors are gone afterwards.
 */
#include "world.h"

#include <dirent.h>
#include <pthread.h>

enum kind { runtime, events, pool, lease, reply, sub, monitor, producer, consumer, message, inspector, kinds };

struct handles {
  corbel_runtime *rt;
  corbel_events *q, *mq;
  corbel_redis *r;
  corbel_redis_conn *k;
  corbel_event reply;
  corbel_sub *s;
  corbel_monitor *m;
  corbel_producer *p;
  corbel_consumer *c;
  corbel_message *j;
  corbel_inspector *look;
};

static struct server server;

static int entries(const char *folder) {
  DIR *d = opendir(folder);
  int n = 0;
  REQUIRE(d != NULL);
  while (readdir(d)) n++;
  closedir(d);
  return n;
}

static struct handles open_all(void) {
  struct handles h;
  memset(&h, 0, sizeof h);
  h.rt = open_runtime();
  h.q = open_events(h.rt);
  h.mq = open_events(h.rt);
  h.r = open_pool(h.rt, server.url, 0);
  corbel_call c = call_to(h.q, 0);
  corbel_ticket t = 0;
  corbel_sub_options so = {.struct_size = sizeof so, .to = h.mq};
  corbel_monitor_options mo = {.struct_size = sizeof mo, .to = h.mq};
  corbel_queue_options qo = {.struct_size = sizeof qo, .to = h.mq};
  corbel_put item = {.struct_size = sizeof item, .body = bytes("body")};
  corbel_bytes flush = bytes("FLUSHALL"), get[] = {bytes("GET"), bytes("x")};
  CHECK_EQ(corbel_redis_send(h.r, &flush, 1, &c, &t), CORBEL_OK);
  h.reply = await_event(h.q, CORBEL_EVENT_REPLY);
  CHECK_EQ(corbel_redis_lease(h.r, &c, &t), CORBEL_OK);
  h.k = await_event(h.q, CORBEL_EVENT_LEASE).object;
  REQUIRE(h.k != NULL);
  CHECK_EQ(corbel_monitor_open(h.r, &mo, &h.m, NULL), CORBEL_OK);
  CHECK_EQ(corbel_sub_open(h.r, &so, &h.s, NULL), CORBEL_OK);
  CHECK_EQ(corbel_sub_change(h.s, CORBEL_SUB_CHANNEL, "news", 4, &c, &t), CORBEL_OK);
  CHECK_EQ(corbel_producer_open(h.r, &qo, &h.p, NULL), CORBEL_OK);
  CHECK_EQ(corbel_producer_put(h.p, &item, 1, sizeof item, &c, &t), CORBEL_OK);
  CHECK_EQ(corbel_consumer_open(h.r, &qo, &h.c, NULL), CORBEL_OK);
  CHECK_EQ(corbel_inspector_open(h.r, &qo, &h.look, NULL), CORBEL_OK);
  h.j = await_event(h.mq, CORBEL_EVENT_MESSAGE).object;
  REQUIRE(h.j != NULL);
  CHECK_EQ(corbel_message_wait_lost(h.j, &c, &t), CORBEL_OK);
  CHECK_EQ(corbel_inspector_stats(h.look, &c, &t), CORBEL_OK);
  CHECK_EQ(corbel_inspector_dead(h.look, 0, 10, &c, &t), CORBEL_OK);
  for (int i = 0; i < 20; i++) CHECK_EQ(corbel_redis_send(h.r, get, 2, &c, &t), CORBEL_OK);
  for (int i = 0; i < 20; i++) CHECK_EQ(corbel_redis_conn_send(h.k, get, 2, &c, &t), CORBEL_OK);
  return h;
}

static void free_one(struct handles *h, int what) {
  switch (what) {
    case runtime:
      corbel_runtime_free(h->rt);
      break;
    case events:
      corbel_events_free(h->q), corbel_events_free(h->mq);
      break;
    case pool:
      corbel_redis_free(h->r);
      break;
    case lease:
      corbel_redis_conn_release(h->k);
      break;
    case reply:
      corbel_event_clear(&h->reply, sizeof h->reply);
      break;
    case sub:
      corbel_sub_free(h->s);
      break;
    case monitor:
      corbel_monitor_free(h->m);
      break;
    case producer:
      corbel_producer_free(h->p);
      break;
    case consumer:
      corbel_consumer_free(h->c);
      break;
    case message:
      corbel_message_free(h->j);
      break;
    case inspector:
      corbel_inspector_free(h->look);
      break;
  }
}

static void free_in_order(const int order[kinds]) {
  struct handles h = open_all();
  long long start = now_ms();
  for (int i = 0; i < kinds; i++) free_one(&h, order[i]);
  CHECK(now_ms() - start < 5000); /* a free never blocks: far above what freeing ten handles takes under any sanitizer */
  if (check_case_failed) {
    printf("  order:");
    for (int i = 0; i < kinds; i++) printf(" %d", order[i]);
    printf("\n");
  }
}

static void forwards_backwards_and_rotated(void) {
  int order[kinds];
  for (int first = 0; first < kinds; first++) {
    for (int i = 0; i < kinds; i++) order[i] = (first + i) % kinds;
    free_in_order(order);
    for (int i = 0; i < kinds; i++) order[i] = (first + kinds - i) % kinds;
    free_in_order(order);
  }
}

static void every_order_of_runtime_events_pool_and_lease(void) {
  static const int rest[] = {reply, sub, monitor, producer, consumer, message, inspector};
  for (int a = 0; a < 4; a++)
    for (int b = 0; b < 4; b++)
      for (int c = 0; c < 4; c++) {
        if (a == b || b == c || a == c) continue;
        int order[kinds] = {a, b, c, 6 - a - b - c};
        memcpy(order + 4, rest, sizeof rest);
        free_in_order(order);
      }
}

static void at_random(void) {
  unsigned long long random = 0x9e3779b97f4a7c15ull;
  for (int round = 0; round < 60; round++) {
    int order[kinds];
    for (int i = 0; i < kinds; i++) order[i] = i;
    for (int i = kinds - 1; i > 0; i--) {
      random ^= random << 13, random ^= random >> 7, random ^= random << 17;
      int other = (int)(random % (unsigned)(i + 1)), swap = order[i];
      order[i] = order[other];
      order[other] = swap;
    }
    free_in_order(order);
  }
}

static void a_shutdown_between_the_frees(void) {
  for (int freed = 0; freed < kinds; freed++) {
    if (freed == runtime) continue;
    struct handles h = open_all();
    free_one(&h, freed);
    corbel_status s = corbel_runtime_shutdown(h.rt, 2000, NULL);
    CHECK(s == CORBEL_OK || s == CORBEL_TIMEOUT);
    for (int i = kinds - 1; i >= 0; i--)
      if (i != freed) free_one(&h, i);
  }
}

static int threads_before, descriptors_before;

static void nothing_is_left(void) {
  AWAIT(entries("/proc/self/task") == threads_before);
  AWAIT(entries("/proc/self/fd") == descriptors_before);
}

static void *ends_at_once(void *user) { return user; }

int main(void) {
  server_start(&server);
  pthread_t first; /* with it comes what the process starts with its first thread, such as a sanitizer's own */
  REQUIRE(pthread_create(&first, NULL, ends_at_once, NULL) == 0 && pthread_join(first, NULL) == 0);
  threads_before = entries("/proc/self/task");
  descriptors_before = entries("/proc/self/fd");
  RUN(forwards_backwards_and_rotated);
  RUN(every_order_of_runtime_events_pool_and_lease);
  RUN(at_random);
  RUN(a_shutdown_between_the_frees);
  RUN(nothing_is_left);
  server_stop(&server);
  return check_report();
}
