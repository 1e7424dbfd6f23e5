/* Corbel: what a queue holds, seen from outside, and its dead list.
 *
 *     corbel_queue_options o = {.struct_size = sizeof o, .name = "work"};
 *     corbel_inspector_open(r, &o, &look, &err);
 *     corbel_inspector_stats(look, &call, NULL);          // one CORBEL_EVENT_QUEUE_STATS
 *     corbel_inspector_dead(look, 0, 50, &call, NULL);    // one CORBEL_EVENT_DEAD
 *     corbel_dead_record d;
 *     for (size_t i = 0; i < corbel_dead_count(page); i++)
 *       if (corbel_dead_at(page, i, &d, sizeof d) == CORBEL_OK) numbers[n++] = d.number;
 *     corbel_inspector_requeue(look, numbers, n, &call, NULL);
 *
 * Nothing here costs more the longer the queue is, but for what is returned, and on platform queues what is in flight up to
 * max_in_flight. Threads: the inspector any, a page of the dead list one at a time. */
#ifndef CORBEL_C_QUEUE_INSPECTOR_H
#define CORBEL_C_QUEUE_INSPECTOR_H
#include <corbel/c/queue.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct corbel_inspector corbel_inspector;
typedef struct corbel_dead corbel_dead; /* a page of the dead list */

/* Opens the view of a queue: name, layout, tenant, project, lanes and max_in_flight of the options count. */
CORBEL_API corbel_status corbel_inspector_open(corbel_redis *r, const corbel_queue_options *o, corbel_inspector **out,
                                               corbel_error **err);
/* Its event is CORBEL_EVENT_QUEUE_STATS: {"lanes": [{"name", "ready", "in_flight", "oldest_age"} ...], "ready", "in_flight",
 * "delayed", "parked", "dead", "oldest_age"}. parked: wait for others of their group; oldest_age: in ms, of the message that
 * is claimed next, 0 for none; a lane's in_flight: platform only. */
CORBEL_API corbel_status corbel_inspector_stats(corbel_inspector *i, const corbel_call *c, corbel_ticket *t);
/* A page of the dead list, the longest dead first: at most count (1 to 1,000) messages and 8 MiB of bodies. after: 0 to
 * begin with, then the page's next. Its event is CORBEL_EVENT_DEAD. */
CORBEL_API corbel_status corbel_inspector_dead(corbel_inspector *i, uint64_t after, size_t count, const corbel_call *c,
                                               corbel_ticket *t);
/* Puts dead messages back on their ready lists with their attempts forgotten, by the numbers of their records; numbers NULL
 * and count 0: all. Its event is CORBEL_EVENT_DONE; value: how many there were. */
CORBEL_API corbel_status corbel_inspector_requeue(corbel_inspector *i, const uint64_t *numbers, size_t count,
                                                  const corbel_call *c, corbel_ticket *t);
/* Removes dead messages for good; otherwise as requeue. */
CORBEL_API corbel_status corbel_inspector_purge(corbel_inspector *i, const uint64_t *numbers, size_t count,
                                                const corbel_call *c, corbel_ticket *t);
CORBEL_API void corbel_inspector_free(corbel_inspector *i);

/* One dead message; its views live as long as the page. */
typedef struct corbel_dead_record {
  corbel_bytes id;
  corbel_bytes body;
  corbel_bytes lane;
  corbel_bytes group;
  corbel_bytes reason;    /* why it was buried */
  uint64_t number;        /* names it in the dead list */
  int64_t died_ms;        /* Unix ms by the server's clock */
  uint32_t attempts;      /* deliveries that were counted */
  uint32_t history_count; /* attempts to be read with corbel_dead_attempt_at: the newest 25 */
} corbel_dead_record;

/* One attempt that did not end well. */
typedef struct corbel_dead_attempt {
  corbel_bytes by;     /* the consumer */
  corbel_bytes reason; /* what its settlement said, or that the lease ended */
  int64_t at_ms;
  uint32_t attempt;
  uint32_t reserved;
} corbel_dead_attempt;

CORBEL_API size_t corbel_dead_count(const corbel_dead *d);
/* The `after` of the next page; 0: this was the last. */
CORBEL_API uint64_t corbel_dead_next(const corbel_dead *d);
/* Fill size bytes, which is the struct's size of the caller. INVALID where there is none. */
CORBEL_API corbel_status corbel_dead_at(const corbel_dead *d, size_t i, corbel_dead_record *out, size_t size);
CORBEL_API corbel_status corbel_dead_attempt_at(const corbel_dead *d, size_t i, size_t attempt, corbel_dead_attempt *out,
                                                size_t size);
CORBEL_API void corbel_dead_free(corbel_dead *d);

#ifdef __cplusplus
}
#endif
#endif
