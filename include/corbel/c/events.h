/* Corbel: the completion queue. Every asynchronous call names a queue and gets exactly one event on it.
 *
 *     corbel_events *q;
 *     corbel_events_open(rt, 0, &q, NULL);
 *     ... start calls with corbel_call.to = q ...
 *     corbel_event ev[64];
 *     size_t n = corbel_events_take(q, ev, 64, sizeof ev[0], 1000);
 *     for (size_t i = 0; i < n; i++) { ...; corbel_event_clear(&ev[i], sizeof ev[i]); }
 *
 * In an event loop: watch corbel_events_fd for reading, then take with a time-out of 0 until it returns less than asked. */
#ifndef CORBEL_C_EVENTS_H
#define CORBEL_C_EVENTS_H
#include <corbel/c/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct corbel_runtime corbel_runtime;
typedef struct corbel_events corbel_events;

/* The last input of every asynchronous call. Zeroed but for struct_size it means: default deadline, no event. */
typedef struct corbel_call {
  uint32_t struct_size; /* sizeof(corbel_call) of the caller */
  uint32_t flags;       /* CORBEL_CALL_... */
  int64_t timeout_ms;   /* 0: the handle's default; < 0: no limit */
  corbel_events *to;    /* queue that gets the one completion event; NULL: none */
  uint64_t user;        /* handed back in the event */
  corbel_error **err;   /* receives why the call was refused at once; may be NULL */
} corbel_call;
/* The command may be sent again after a loss or a time-out, once, within its deadline. */
#define CORBEL_CALL_IDEMPOTENT 0x1u
/* What a call may return at once: INVALID, STATE, CLOSED, FORKED, NO_MEMORY, BUSY. All else comes as the event. A call
 * whose event would own an object (a lease) needs a queue: NULL there is INVALID. */

/* What an event tells, and what its object is. */
#define CORBEL_EVENT_REPLY 1     /* completion; object: corbel_reply, NULL on failure */
#define CORBEL_EVENT_LEASE 2     /* completion; object: corbel_redis_conn, NULL on failure */
#define CORBEL_EVENT_DONE 3      /* completion without an object; value: a count where the call defines one */
#define CORBEL_EVENT_QUEUED 4    /* completion of a put; value: depth of the queue after it; object: none or a receipt */
#define CORBEL_EVENT_MESSAGE 5   /* notice; object: corbel_message, owned by the receiver */
#define CORBEL_EVENT_PUBLISHED 6 /* notice of a subscription; object: corbel_reply, the array that the server sent */
#define CORBEL_EVENT_STATE \
  7 /* notice; value: CORBEL_REDIS_UP ..., CORBEL_SUB_..., CORBEL_PG_GAP ...; epoch: the reconnect epoch */
#define CORBEL_EVENT_LOG 8            /* notice; value: the level; object: corbel_text "part: text" */
#define CORBEL_EVENT_CLOSED 9         /* completion of a close, or a notice: nothing more comes from that handle */
#define CORBEL_EVENT_RESULT 10        /* completion; object: corbel_pg_result, NULL on failure */
#define CORBEL_EVENT_PG_LEASE 11      /* completion; object: corbel_pg_conn, NULL on failure */
#define CORBEL_EVENT_PG_STREAM 12     /* completion; object: corbel_pg_stream, NULL on failure */
#define CORBEL_EVENT_PG_COPY 13       /* completion; object: corbel_pg_copy, NULL on failure */
#define CORBEL_EVENT_PG_DATA 14       /* completion; object: corbel_text, NULL on failure */
#define CORBEL_EVENT_PG_NOTICE 15     /* notice of a listener; object: corbel_pg_notice */
#define CORBEL_EVENT_MESSAGE_LOST 16  /* notice; value: the token of a message whose lease was lost */
#define CORBEL_EVENT_QUEUE_STATS 17   /* completion; object: corbel_text, a JSON object; NULL on failure */
#define CORBEL_EVENT_DEAD 18          /* completion; object: corbel_dead, NULL on failure */
#define CORBEL_EVENT_UNWORKED 19      /* notice of a consumer; value: CORBEL_UNWORKED_...; object: corbel_unworked */
#define CORBEL_EVENT_BUNDLE 22        /* completion; object: corbel_bundle, NULL on failure */
#define CORBEL_EVENT_BUNDLE_NOTICE 23 /* notice of a bundle loader; value: CORBEL_BUNDLE_...; object: corbel_text */

#define CORBEL_EVENT_HEALTH 30  /* notice; value: the new state; object: corbel_text, a JSON object, see health.h */
#define CORBEL_EVENT_REQUEST 31 /* notice of an HTTP server; object: corbel_request, owned by the receiver */

#define CORBEL_SOURCE_RUNTIME 1
#define CORBEL_SOURCE_REDIS 2
#define CORBEL_SOURCE_POSTGRES 3
#define CORBEL_SOURCE_QUEUE 4
#define CORBEL_SOURCE_BUNDLE 5
#define CORBEL_SOURCE_HEALTH 6
#define CORBEL_SOURCE_LOG 7
#define CORBEL_SOURCE_HTTP 8

/* Notices of the same source were lost before this one because the reader was slow. For PUBLISHED, PG_NOTICE and LOG events
 * value tells how many (a LOG event's level is then in the text's first word only). */
#define CORBEL_EVENT_DROPPED 0x1u

/* One delivered event: 64 bytes, frozen. take and dispatch still pass the size the caller knows. */
typedef struct corbel_event {
  corbel_ticket ticket; /* operation that it completes; 0 for a notice */
  uint64_t user;        /* from corbel_call, or from the handle's options */
  int32_t kind;         /* CORBEL_EVENT_... */
  corbel_status status;
  int32_t source;      /* CORBEL_SOURCE_... */
  uint32_t flags;      /* CORBEL_EVENT_DROPPED */
  int64_t value;       /* small result: a state, a count */
  uint64_t epoch;      /* reconnect epoch of subscriptions and monitor; starts at 1 with the first connection */
  void *object;        /* owned by the receiver; its type follows from kind */
  corbel_error *error; /* owned by the receiver; NULL when status is CORBEL_OK */
} corbel_event;

/* Runs on the thread that called corbel_events_dispatch. The event's object and error are freed afterwards unless the
 * function takes them by setting the member to NULL. It may start calls; it may not free q or shut the runtime down. */
typedef void (*corbel_event_fn)(void *user, corbel_event *event);
/* Runs on a thread of its own when the queue turns from empty to not empty. The only call it may make is
 * corbel_events_interrupt; others return CORBEL_STATE where they can tell. */
typedef void (*corbel_wake_fn)(void *user);

/* Opens a queue. notice_limit: how many log notices are kept for a slow reader (0: 1024). Completions are bounded by the
 * calls that were started and are never dropped. */
CORBEL_API corbel_status corbel_events_open(corbel_runtime *rt, uint32_t notice_limit, corbel_events **out,
                                            corbel_error **err);

/* Descriptor that is readable exactly while the queue is not empty; for epoll, poll, asyncio, libuv. Never read, write
 * or close it. It lives as long as the queue. -1 after a fork. */
CORBEL_API int corbel_events_fd(corbel_events *q);

/* Takes up to count events, each of `each` bytes (sizeof(corbel_event) of the caller). Waits up to timeout_ms for the
 * first one: 0 not at all, < 0 without limit. Returns how many; 0 on time-out, interrupt, shutdown or fork. */
CORBEL_API size_t corbel_events_take(corbel_events *q, corbel_event *out, size_t count, size_t each, int64_t timeout_ms);

/* Takes as above and calls fn for each, up to max (0: what is there). Returns how many were handled. */
CORBEL_API size_t corbel_events_dispatch(corbel_events *q, size_t each, corbel_event_fn fn, void *user, size_t max,
                                         int64_t timeout_ms);

/* Makes one waiting or the next take or dispatch return at once. Any thread, also a wake callback. */
CORBEL_API void corbel_events_interrupt(corbel_events *q);

/* Sets (fn != NULL) or removes the wake callback. drop runs after the last call of fn. Runs at once on its own thread when
 * the queue is not empty now. */
CORBEL_API corbel_status corbel_events_on_wake(corbel_events *q, corbel_wake_fn fn, void *user, corbel_drop_fn drop);

/* Frees the event's object and error and sets both to NULL. */
CORBEL_API void corbel_event_clear(corbel_event *ev, size_t each);

/* Frees the queue. Events still in it, and those of calls still pending, are freed unseen. */
CORBEL_API void corbel_events_free(corbel_events *q);

#ifdef __cplusplus
}
#endif
#endif
