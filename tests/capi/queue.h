/* What the tests of the queue start from: a producer, a consumer, and waiting for what they tell. */
#ifndef TESTS_CAPI_QUEUE_H
#define TESTS_CAPI_QUEUE_H
#include "world.h"

#define QUEUE_NAME "work"
#define QUEUE_USER 31

static inline corbel_producer *open_producer(struct world *w, const corbel_queue_options *more) {
  corbel_queue_options o = {.struct_size = sizeof o};
  corbel_producer *p = NULL;
  corbel_error *e = NULL;
  if (more) o = *more;
  if (!o.name) o.name = QUEUE_NAME;
  corbel_status s = corbel_producer_open(w->r, &o, &p, &e);
  tell(e);
  REQUIRE(s == CORBEL_OK && p != NULL);
  return p;
}

/* Its notices come on `to` with the user QUEUE_USER. */
static inline corbel_consumer *open_consumer(struct world *w, corbel_events *to, const corbel_queue_options *more) {
  corbel_queue_options o = {.struct_size = sizeof o};
  corbel_consumer *k = NULL;
  corbel_error *e = NULL;
  if (more) o = *more;
  if (!o.name) o.name = QUEUE_NAME;
  o.to = to;
  o.user = QUEUE_USER;
  corbel_status s = corbel_consumer_open(w->r, &o, &k, &e);
  tell(e);
  REQUIRE(s == CORBEL_OK && k != NULL);
  return k;
}

static inline corbel_put item_of(const char *body) {
  corbel_put item = {.struct_size = sizeof item, .body = bytes(body)};
  return item;
}

/* Puts items and waits; the depth, or the status where that was no success. */
static inline int64_t put_items(struct world *w, corbel_producer *p, const corbel_put *items, size_t count) {
  corbel_call c = call_to(w->q, 1);
  corbel_ticket t = 0;
  corbel_status s = corbel_producer_put(p, items, count, sizeof *items, &c, &t);
  if (s != CORBEL_OK) return s;
  corbel_event ev = await_event(w->q, CORBEL_EVENT_QUEUED);
  CHECK(ev.ticket == t && ev.source == CORBEL_SOURCE_QUEUE && ev.object == NULL);
  int64_t depth = ev.status == CORBEL_OK ? ev.value : ev.status;
  corbel_event_clear(&ev, sizeof ev);
  return depth;
}

static inline int64_t put(struct world *w, corbel_producer *p, const char *body, const char *id) {
  corbel_put item = item_of(body);
  item.id = id;
  return put_items(w, p, &item, 1);
}

static inline int64_t depth(struct world *w, corbel_producer *p) {
  corbel_call c = call_to(w->q, 2);
  corbel_ticket t = 0;
  CHECK_EQ(corbel_producer_depth(p, &c, &t), CORBEL_OK);
  corbel_event ev = await_event(w->q, CORBEL_EVENT_DONE);
  CHECK(ev.ticket == t && ev.status == CORBEL_OK);
  corbel_event_clear(&ev, sizeof ev);
  return ev.value;
}

static inline corbel_message *next_message(corbel_events *q) {
  corbel_event ev = await_event(q, CORBEL_EVENT_MESSAGE);
  CHECK(ev.ticket == 0 && ev.user == QUEUE_USER && ev.source == CORBEL_SOURCE_QUEUE);
  REQUIRE(ev.object != NULL);
  return ev.object;
}

static inline corbel_settle settle_by(int32_t how) {
  corbel_settle s = {.struct_size = sizeof s, .how = how};
  return s;
}

/* Settles and waits: 1 when it was ours, 0 when its lease had been lost. */
static inline int64_t settle_as(struct world *w, corbel_message *j, corbel_settle s) {
  corbel_call c = call_to(w->q, 3);
  corbel_ticket t = 0;
  CHECK_EQ(corbel_message_settle(j, &s, &c, &t), CORBEL_OK);
  corbel_event ev = await_event(w->q, CORBEL_EVENT_DONE);
  CHECK(ev.ticket == t && ev.status == CORBEL_OK);
  corbel_event_clear(&ev, sizeof ev);
  return ev.value;
}

static inline int64_t settle(struct world *w, corbel_message *j, int32_t how) { return settle_as(w, j, settle_by(how)); }

static inline int has_body(const corbel_message *j, const char *text) {
  corbel_bytes body = {NULL, 0};
  return corbel_message_body(j, &body) == CORBEL_OK && same(body, text);
}

/* As if its holder had been away for longer than the lease: the reaper has taken the message's lease. */
static inline void take_lease_away(struct world *w, const corbel_message *j) {
  char token[32];
  snprintf(token, sizeof token, "%llu", (unsigned long long)corbel_message_token(j));
  const char *script =
      "local all = redis.call('HGETALL', KEYS[1] .. ':holders') "
      "for i = 1, #all, 2 do "
      "  local first, count = string.match(all[i + 1], '^(%d+) (%d+)') "
      "  local place = tonumber(ARGV[1]) - tonumber(first) "
      "  if place >= 0 and place < tonumber(count) then "
      "    redis.call('ZADD', KEYS[1] .. ':lost', 99999999999999, all[i] .. ':' .. place) "
      "    return redis.call('HDEL', KEYS[1] .. ':holders', all[i]) "
      "  end "
      "end";
  corbel_event ev = COMMAND(w, "EVAL", script, "1", QUEUE_NAME, token);
  CHECK(ev.object && corbel_node_integer(corbel_reply_root(ev.object)) == 1);
  corbel_event_clear(&ev, sizeof ev);
}
#endif
