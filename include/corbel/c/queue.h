/* Corbel: a queue on Redis lists. At least once: a message whose worker dies comes back after its lease.
 *
 *     corbel_queue_options o = {.struct_size = sizeof o, .name = "work", .concurrency = 8, .to = q};
 *     corbel_producer_open(r, &o, &in, &err);
 *     corbel_put item = {.struct_size = sizeof item, .body = {"text", 4}};
 *     corbel_producer_put(in, &item, 1, sizeof item, &call, &ticket);       // one CORBEL_EVENT_QUEUED on call.to
 *     corbel_consumer_open(r, &o, &out, &err);                              // CORBEL_EVENT_MESSAGE notices on q
 *     corbel_settle s = {.struct_size = sizeof s, .how = CORBEL_SETTLE_DONE};
 *     corbel_message_settle(ev.object, &s, NULL, NULL);
 *     corbel_event_clear(&ev, sizeof ev);                                   // frees the message
 *
 * Its dead list and its figures: queue_inspector.h. What a process can hold, for admission: queue_heartbeat.h. */
#ifndef CORBEL_C_QUEUE_H
#define CORBEL_C_QUEUE_H
#include <corbel/c/redis.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct corbel_producer corbel_producer;
typedef struct corbel_consumer corbel_consumer;
typedef struct corbel_message corbel_message;   /* one leased message; the library renews its lease until it is settled */
typedef struct corbel_receipt corbel_receipt;   /* what became of the items of one put */
typedef struct corbel_unworked corbel_unworked; /* a message that is not to be worked */

/* ---- what a queue is; producer, consumer and inspector each read their own part ---- */

/* Any plain key; ready messages of a lane are the LIST name, or name + ":" + lane. */
#define CORBEL_QUEUE_NATIVE 0
/* The chat queue of a KDCube deployment, named by tenant and project; its lanes are the user types privileged, registered,
 * anonymous, paid, external. */
#define CORBEL_QUEUE_PLATFORM 1

/* What becomes of a message whose worker died after it was delivered: */
#define CORBEL_CRASHED_RETRY 0     /* it is worked again */
#define CORBEL_CRASHED_INTERRUPT 1 /* it is not: it goes to the dead list as "interrupted"; needs a prefetch of 0 */

/* Messages of one kind, in a ready list of their own; consumers take turns over them, weight messages a turn. Frozen. */
typedef struct corbel_queue_lane {
  const char *name;
  uint32_t weight; /* 0: 1 */
  uint32_t reserved;
} corbel_queue_lane;

/* When a put is refused: by what the processes that work the queue can hold, each floor(capacity * (1 - buffer)) +
 * floor(capacity * multiplier) messages, as their heartbeats say, and by the share of that a lane may fill. */
typedef struct corbel_queue_admission {
  uint32_t struct_size;
  uint32_t flags;          /* none defined */
  uint64_t capacity;       /* of all processes together, instead of what heartbeats say; 0: what they say */
  double buffer;           /* 0: 0.2; < 0: none */
  double multiplier;       /* 0: 2.0; < 0: none */
  double anonymous;        /* share of this lane; 0: 0.6 */
  double registered;       /* 0: 0.8 */
  double paid;             /* 0: 0.8 */
  double hard;             /* of all others, and of a queue without lanes; 0: 0.95 */
  uint64_t max_queue_size; /* ready and in flight together; 0: no limit */
  const char *tenant;      /* of the heartbeats; NULL: the queue's own */
  const char *project;     /* NULL: the queue's own */
  const char *service;     /* whose heartbeats count; NULL: "chat:proc" */
  int64_t heartbeat_ms;    /* an older one does not count; whole seconds; 0: 45,000 */
} corbel_queue_admission;

typedef struct corbel_queue_options {
  uint32_t struct_size;
  uint32_t flags;         /* CORBEL_QUEUE_TELL_... */
  uint32_t prefetch;      /* consumer: messages claimed ahead of concurrency; 0: where work is fast, what is done in 2 ms */
  uint32_t concurrency;   /* consumer: messages out at once; 0: 1 */
  uint32_t max_attempts;  /* then a message goes to the dead list; 0: 25; CORBEL_UNBOUNDED: never */
  uint32_t max_in_flight; /* platform, consumer: no claim where a lane has so many in flight; 0: 1,000 */
  const char *name;       /* native: key of the ready list, and begin of all other keys; NULL: "corbel:queue" */
  int64_t lease_ms;       /* consumer: how long a claim holds without renewal; 0: 30,000; platform: at least 1,000 */
  corbel_events *to;      /* consumer: gets its notices; required there */
  uint64_t user;
  int32_t layout;                 /* CORBEL_QUEUE_... */
  int32_t crashed;                /* consumer: CORBEL_CRASHED_... */
  const char *tenant;             /* platform: required */
  const char *project;            /* platform: required */
  const corbel_queue_lane *lanes; /* native: the lanes; platform: weights of some of them; NULL: one without a name */
  size_t lane_count;
  int64_t backoff_first_ms; /* consumer: wait after the first retry, doubled with each further one; 0: 1,000 */
  int64_t backoff_most_ms;  /* at most; a random part of up to a half is taken off; 0: 300,000 */
  const char *instance;     /* consumer: names the holder of a lease; NULL: the runtime's */
  uint64_t max_body_bytes;  /* producer: of one body; 0: 16 MiB */
  int64_t idempotency_ms;   /* producer: how long an idempotency key is known; 0: 86,400,000 */
  const corbel_queue_admission *admission; /* producer: NULL: everything is taken */
} corbel_queue_options;
/* Consumer: CORBEL_EVENT_UNWORKED notices come too. */
#define CORBEL_QUEUE_TELL_UNWORKED 0x1u

/* ---- putting ---- */

/* platform: an event of a conversation's lane. Frozen. */
typedef struct corbel_lane_event {
  corbel_bytes id;     /* message_id; a record of the same id is written over */
  corbel_bytes record; /* the event as JSON, kept as it is */
} corbel_lane_event;
/* platform: what a put writes to the lane together with its message, all or none. */
typedef struct corbel_lane_events {
  uint32_t struct_size;
  uint32_t flags; /* none defined */
  const char *conversation;
  const char *user;  /* its id or fingerprint; NULL: "" */
  const char *agent; /* NULL: the platform's default one */
  const corbel_lane_event *events;
  size_t count;
} corbel_lane_events;

typedef struct corbel_put {
  uint32_t struct_size;
  uint32_t flags;        /* none defined */
  corbel_bytes body;     /* up to max_body_bytes */
  const char *id;        /* NULL: the library makes one; at most 128 bytes, no control characters */
  const char *user_type; /* one of the queue's lanes; NULL: the first. platform: the user type */
  const char *group;     /* messages of one group run one at a time, in order; at most 128 bytes, no control characters */
  const char *idempotency_key;      /* at most 256 bytes; one that is known already: nothing is put, and it counts as done */
  int64_t not_before_ms;            /* not claimed before that time, in Unix ms by the server's clock; 0: at once */
  int64_t delay_ms;                 /* or not before so long after the put; 0: at once. Idle consumers look once a second */
  const corbel_lane_events *events; /* platform; NULL: none */
} corbel_put;

/* Flag of corbel_producer_put's corbel_call: the event's object is a corbel_receipt. */
#define CORBEL_CALL_RECEIPT 0x2u

/* Opens the writing side. */
CORBEL_API corbel_status corbel_producer_open(corbel_redis *r, const corbel_queue_options *o, corbel_producer **out,
                                              corbel_error **err);
/* Puts count items in order, all or none, in one round trip; puts that are under way together leave in one. Its event is
 * CORBEL_EVENT_QUEUED. LOST and TIMEOUT say MAYBE_APPLIED; it is safe to repeat where all items have idempotency keys. What
 * admission refuses is BUSY with source "queue"; native: the reason, such as "hard_limit_exceeded", "queue_size_exceeded",
 * "no_healthy_processes"; fields of the error: "depth", "capacity", "processes", "retry_after" (seconds). */
CORBEL_API corbel_status corbel_producer_put(corbel_producer *p, const corbel_put *items, size_t count, size_t each,
                                             const corbel_call *c, corbel_ticket *t);
/* Other rules of admission for every put that has not been sent yet; NULL: everything is taken. INVALID says which is wrong,
 * and the rules of before stay. */
CORBEL_API corbel_status corbel_producer_set_admission(corbel_producer *p, const corbel_queue_admission *a,
                                                       corbel_error **err);
/* Ready messages of all lanes (LLEN). Its event is CORBEL_EVENT_DONE with the depth as value. */
CORBEL_API corbel_status corbel_producer_depth(corbel_producer *p, const corbel_call *c, corbel_ticket *t);
CORBEL_API void corbel_producer_free(corbel_producer *p);

/* Views of a receipt, by the items' order; they live as long as it. */
CORBEL_API size_t corbel_receipt_count(const corbel_receipt *y);
/* The item's id; where it was repeated, the one of the first time. "" beyond the last item. */
CORBEL_API const char *corbel_receipt_id(const corbel_receipt *y, size_t i);
/* 1: its idempotency key was known, and nothing was put. */
CORBEL_API int corbel_receipt_repeated(const corbel_receipt *y, size_t i);
/* All of it at once: a line per item, "+" or, where it was repeated, "=", then the id. */
CORBEL_API const char *corbel_receipt_text(const corbel_receipt *y);
CORBEL_API void corbel_receipt_free(corbel_receipt *y);

/* ---- working ---- */

#define CORBEL_SETTLE_DONE 1      /* worked: removed */
#define CORBEL_SETTLE_RETRY 2     /* tried again later; counts as an attempt; after max_attempts it is buried */
#define CORBEL_SETTLE_BURY 3      /* to the dead list */
#define CORBEL_SETTLE_HAND_BACK 4 /* back as if it had not been claimed */
typedef struct corbel_settle {
  uint32_t struct_size;
  uint32_t flags; /* none defined */
  int32_t how;    /* CORBEL_SETTLE_... */
  int32_t reserved;
  int64_t not_before_ms; /* retry: at that time, in Unix ms by the server's clock; 0: when delay_ms says */
  const char *reason;    /* retry, bury: kept in the message's history, 512 bytes of it; may be NULL */
  int64_t delay_ms;      /* retry: 0: after the queue's back-off; -1: at once, before all others; else so long from now */
} corbel_settle;

/* Opens the leasing side and begins to claim. Messages come as CORBEL_EVENT_MESSAGE notices on o->to, at most
 * concurrency + prefetch unsettled at once. When a lease is lost, because the server could not be reached for too long, a
 * CORBEL_EVENT_MESSAGE_LOST notice tells at once, and its message, which another may have by now, should be worked no
 * further: value is its token. It comes at most once per message and never after its settlement has begun. */
CORBEL_API corbel_status corbel_consumer_open(corbel_redis *r, const corbel_queue_options *o, corbel_consumer **out,
                                              corbel_error **err);
/* Why a message is not worked, which a CORBEL_EVENT_UNWORKED notice says as its value. Of notices that nobody takes the
 * newest 1,024 are kept, and the next one has CORBEL_EVENT_DROPPED. */
#define CORBEL_UNWORKED_INTERRUPTED                                                     \
  1 /* CORBEL_CRASHED_INTERRUPT: its worker died, as this process found; it is dead now \
     */
#define CORBEL_UNWORKED_IGNORED                                                                                            \
  2 /* platform: a wake-up whose event was worked before, or cannot be, as reason says (such as "event_already_consumed"): \
       it is acknowledged, and its conversation may still be marked as in progress. Told again after a crash */
typedef struct corbel_unworked_view {
  corbel_bytes id;
  corbel_bytes body;   /* as it would have been delivered */
  corbel_bytes reason; /* ignored */
} corbel_unworked_view;
/* Fills size bytes, which is sizeof(corbel_unworked_view) of the caller; the views live as long as u. */
CORBEL_API corbel_status corbel_unworked_view_get(const corbel_unworked *u, corbel_unworked_view *out, size_t size);
CORBEL_API void corbel_unworked_free(corbel_unworked *u);

/* Another concurrency, 1 to 65,536 with the prefetch, which stays. More: messages are claimed for it at once. Less: what was
 * received comes to its end, what was not and is too much goes back, and nothing more is claimed until fewer are out. */
CORBEL_API corbel_status corbel_consumer_set_concurrency(corbel_consumer *k, uint32_t concurrency, corbel_error **err);
/* Stops claiming, hands back what was not delivered yet, waits until all delivered messages are settled. What is not when
 * the deadline passes is handed back, uncounted as an attempt, and is lost for whoever has it. Its event is
 * CORBEL_EVENT_DONE; value: how many of those there were. */
CORBEL_API corbel_status corbel_consumer_drain(corbel_consumer *k, const corbel_call *c, corbel_ticket *t);
/* Frees the consumer; messages that the caller still holds stay valid and leased until they are settled or freed. */
CORBEL_API void corbel_consumer_free(corbel_consumer *k);

/* All of a message in one call; the views live as long as it. */
typedef struct corbel_message_view {
  corbel_bytes body;
  corbel_bytes id;
  corbel_bytes lane;
  corbel_bytes group;
  uint64_t token;
  int64_t put_ms;
  uint32_t attempt;
  uint32_t lost;
} corbel_message_view;
/* Fills size bytes, which is sizeof(corbel_message_view) of the caller. */
CORBEL_API corbel_status corbel_message_view_get(const corbel_message *j, corbel_message_view *out, size_t size);

/* Views of a message, one by one; they live as long as it. */
CORBEL_API corbel_status corbel_message_body(const corbel_message *j, corbel_bytes *out);
CORBEL_API const char *corbel_message_id(const corbel_message *j);
CORBEL_API uint32_t corbel_message_attempt(const corbel_message *j); /* 1 for the first delivery; counted by the server */
/* Fencing token: grows with every claim of the queue. Give it to what the worker changes elsewhere, which then refuses a
 * smaller one than it has seen. */
CORBEL_API uint64_t corbel_message_token(const corbel_message *j);
CORBEL_API const char *corbel_message_lane(const corbel_message *j);  /* "" on a native queue without lanes */
CORBEL_API const char *corbel_message_group(const corbel_message *j); /* "" for none */
CORBEL_API int64_t corbel_message_put_ms(const corbel_message *j);    /* Unix ms by the server's clock; 0: not known */
/* 1 once the lease was lost: the message is another's, and settling it does nothing. */
CORBEL_API int corbel_message_lost(const corbel_message *j); /* any thread */
/* Waits until the lease was lost (value 1) or the message was settled (value 0); corbel_cancel ends it. Its event is
 * CORBEL_EVENT_DONE. It has no deadline: a timeout_ms above 0 is INVALID. */
CORBEL_API corbel_status corbel_message_wait_lost(corbel_message *j, const corbel_call *c, corbel_ticket *t);

/* Settles once; a second call is STATE. Its event is CORBEL_EVENT_DONE; value 0 says that the lease had been lost and
 * the message was not ours any more. Sent again after a loss until its deadline. Does not free j. */
CORBEL_API corbel_status corbel_message_settle(corbel_message *j, const corbel_settle *s, const corbel_call *c,
                                               corbel_ticket *t);
/* Settles count messages alike: one event when all have ended, which cannot be cancelled; value: how many were still ours.
 * STATE, and nothing is settled, where one of them was settled before. */
CORBEL_API corbel_status corbel_messages_settle(corbel_message *const *all, size_t count, const corbel_settle *s,
                                                const corbel_call *c, corbel_ticket *t);
/* Frees the message; unsettled it is handed back to the queue. */
CORBEL_API void corbel_message_free(corbel_message *j);
CORBEL_API void corbel_messages_free(corbel_message *const *all, size_t count);

#ifdef __cplusplus
}
#endif
#endif
