/* Corbel: a queue on Redis lists. At least once: a message whose worker dies comes back after its lease. */
#ifndef CORBEL_C_QUEUE_H
#define CORBEL_C_QUEUE_H
#include <corbel/c/redis.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct corbel_producer corbel_producer;
typedef struct corbel_consumer corbel_consumer;
typedef struct corbel_message corbel_message; /* one leased message; the library renews its lease until it is settled */

typedef struct corbel_queue_options {
  uint32_t struct_size;
  uint32_t flags;         /* none defined */
  uint32_t prefetch;      /* consumer: messages claimed ahead of concurrency; 0: none */
  uint32_t concurrency;   /* consumer: messages out at once; 0: 1 */
  uint32_t max_attempts;  /* 0: no limit; other values are UNSUPPORTED in this version */
  uint32_t max_in_flight; /* 0: no limit; other values are UNSUPPORTED in this version */
  const char *name;       /* key of the ready list; NULL: "corbel:queue". In flight: name + ":inflight" */
  int64_t lease_ms;       /* consumer: how long a claim holds without renewal; 0: 30,000 */
  corbel_events *to;      /* consumer: gets CORBEL_EVENT_MESSAGE notices; required there */
  uint64_t user;
} corbel_queue_options;

typedef struct corbel_put {
  uint32_t struct_size;
  uint32_t flags;
  corbel_bytes body;     /* up to 16 MiB */
  const char *id;        /* NULL: the library makes one; at most 128 bytes, no control characters */
  const char *user_type; /* this and the next three: NULL in this version, else UNSUPPORTED */
  const char *group;
  const char *idempotency_key;
  int64_t not_before_ms; /* 0 in this version, else UNSUPPORTED */
} corbel_put;

#define CORBEL_SETTLE_DONE 1      /* worked: removed */
#define CORBEL_SETTLE_RETRY 2     /* goes back to the ready list's front, counts as an attempt */
#define CORBEL_SETTLE_BURY 3      /* UNSUPPORTED in this version */
#define CORBEL_SETTLE_HAND_BACK 4 /* goes back as if it had not been claimed */
typedef struct corbel_settle {
  uint32_t struct_size;
  uint32_t flags;
  int32_t how; /* CORBEL_SETTLE_... */
  int32_t reserved;
  int64_t not_before_ms; /* 0 in this version */
  const char *reason;    /* goes to the log; may be NULL */
} corbel_settle;

/* Opens the writing side. concurrency, prefetch, lease_ms and to are ignored. */
CORBEL_API corbel_status corbel_producer_open(corbel_redis *r, const corbel_queue_options *o, corbel_producer **out,
                                              corbel_error **err);
/* Puts count items in order, all or none, in one round trip. Its event is CORBEL_EVENT_QUEUED. LOST and TIMEOUT say
 * MAYBE_APPLIED. */
CORBEL_API corbel_status corbel_producer_put(corbel_producer *p, const corbel_put *items, size_t count, size_t each,
                                             const corbel_call *c, corbel_ticket *t);
/* The ready list's length (LLEN). Its event is CORBEL_EVENT_DONE with the depth as value. */
CORBEL_API corbel_status corbel_producer_depth(corbel_producer *p, const corbel_call *c, corbel_ticket *t);
CORBEL_API void corbel_producer_free(corbel_producer *p);

/* Opens the leasing side and begins to claim. Messages come as CORBEL_EVENT_MESSAGE notices on o->to, at most
 * concurrency + prefetch unsettled at once. */
CORBEL_API corbel_status corbel_consumer_open(corbel_redis *r, const corbel_queue_options *o, corbel_consumer **out,
                                              corbel_error **err);
/* Stops claiming, hands back what was not delivered yet, waits until all delivered messages are settled or the deadline
 * passes. Its event is CORBEL_EVENT_DONE; value: messages that were left. */
CORBEL_API corbel_status corbel_consumer_drain(corbel_consumer *k, const corbel_call *c, corbel_ticket *t);
/* Frees the consumer; messages that the caller still holds stay valid and leased until they are settled or freed. */
CORBEL_API void corbel_consumer_free(corbel_consumer *k);

/* Views of a message; they live as long as it. */
CORBEL_API corbel_status corbel_message_body(const corbel_message *j, corbel_bytes *out);
CORBEL_API const char *corbel_message_id(const corbel_message *j);
CORBEL_API uint32_t corbel_message_attempt(const corbel_message *j); /* 1 for the first delivery; counted by the server */
CORBEL_API uint64_t corbel_message_token(const corbel_message *j);   /* fencing token: grows with every claim */
/* Settles once; a second call is STATE. Its event is CORBEL_EVENT_DONE; value 0 says that the lease had been lost and
 * the message was not ours any more. Does not free j. */
CORBEL_API corbel_status corbel_message_settle(corbel_message *j, const corbel_settle *s, const corbel_call *c,
                                               corbel_ticket *t);
/* Frees the message; unsettled it is handed back to the queue. */
CORBEL_API void corbel_message_free(corbel_message *j);

#ifdef __cplusplus
}
#endif
#endif
