/* Corbel: tells the fleet what a process that works a queue can hold: the platform's heartbeat, by which admission counts.
 *
 *     corbel_heartbeat_options o = {.struct_size = sizeof o, .capacity = 8, .tenant = "t", .project = "p"};
 *     corbel_heartbeat_open(r, &o, &beat, &err);
 *     ... corbel_heartbeat_set_load(beat, messages_in_hand); ...
 *     corbel_heartbeat_drain(beat, &call, NULL);   // in the moment in which intake stops: no capacity any more
 *     corbel_consumer_drain(k, &call, NULL);
 *     corbel_heartbeat_free(beat);
 *
 * The first one goes out at once, then every ten seconds, and at once when the server is reached again. It always says that
 * the process is healthy, whatever its load, because a saturated process can take work again. Its keys stand in
 * corbel/queue_heartbeat.hpp. Threads: any. */
#ifndef CORBEL_C_QUEUE_HEARTBEAT_H
#define CORBEL_C_QUEUE_HEARTBEAT_H
#include <corbel/c/redis.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct corbel_heartbeat corbel_heartbeat;

typedef struct corbel_heartbeat_options {
  uint32_t struct_size;
  uint32_t flags;       /* none defined */
  uint32_t capacity;    /* messages at once: the consumers' concurrency together; 0: 5 */
  uint32_t port;        /* where the process can be asked over HTTP; 0: nowhere */
  const char *tenant;   /* NULL: "home" */
  const char *project;  /* NULL: "default-project" */
  const char *service;  /* "<type>:<name>", as in corbel_queue_admission; NULL: "chat:proc" */
  const char *instance; /* NULL: the runtime's */
} corbel_heartbeat_options;

/* Begins at once. */
CORBEL_API corbel_status corbel_heartbeat_open(corbel_redis *r, const corbel_heartbeat_options *o, corbel_heartbeat **out,
                                               corbel_error **err);
/* How many messages are in hand; told with the next beat. */
CORBEL_API corbel_status corbel_heartbeat_set_load(corbel_heartbeat *b, uint32_t load);
/* Another capacity, told at once; 0 is INVALID. */
CORBEL_API corbel_status corbel_heartbeat_set_capacity(corbel_heartbeat *b, uint32_t capacity);
/* One JSON object, told with the next beat; NULL: {}. What is none is left out, with a warning in the log. */
CORBEL_API corbel_status corbel_heartbeat_set_metadata(corbel_heartbeat *b, const char *json);
/* Takes the process out of the capacity, and says from now on that it drains. Its event is CORBEL_EVENT_DONE: when the
 * server has it, or the error why it could not be told before the deadline, which then is tried again with every beat. */
CORBEL_API corbel_status corbel_heartbeat_drain(corbel_heartbeat *b, const corbel_call *c, corbel_ticket *t);
/* Removes the process's keys, without waiting for it; where that fails they end by themselves, within 75 s. */
CORBEL_API void corbel_heartbeat_free(corbel_heartbeat *b);

#ifdef __cplusplus
}
#endif
#endif
