/* Corbel: versions, statuses, bytes, errors, text.
 *
 * What holds for the whole C API:
 *  - Threads. corbel_runtime, corbel_events, pools, subscriptions, monitor, producer and consumer may be used by any
 *    thread at once. Leases, messages, replies, errors and texts belong to one thread at a time and may move.
 *  - I/O threads never run code of the caller. A wake callback has a thread of its own, log and monitor listeners run
 *    on the listener thread, a corbel_event_fn runs on the thread that is inside corbel_events_dispatch.
 *  - Exactly once. When a call returns CORBEL_OK its ticket gives exactly one event (none when its corbel_call is
 *    NULL); when it returns anything else no event comes.
 *  - Views. corbel_bytes and const char * given in are copied before the call returns; those handed out live as long as
 *    their owner. {NULL, 0} is nil; {"", 0} is empty.
 *  - Ownership. What the first out-parameter receives is owned by the caller and has one free function; a returned
 *    pointer is borrowed. free(NULL) is allowed; free never blocks, never fails and may come in any order.
 *  - Fork. In a child process handles made before the fork may only be freed; every other call returns CORBEL_FORKED.
 *    The child may open a runtime of its own.
 *  - Growth. Option structs start with struct_size and are only appended to; 0 means default in every member; an
 *    unknown flag is refused with CORBEL_INVALID, an unknown trailing member that is not 0 with CORBEL_UNSUPPORTED. */
#ifndef CORBEL_C_BASE_H
#define CORBEL_C_BASE_H
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define CORBEL_API __attribute__((visibility("default")))
#else
#define CORBEL_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Version of these headers: 0xMMmmpp00. */
#define CORBEL_VERSION 0x00010000u
/* For the sizes that allow it (max_size and max_waiting of pools): no bound. Logged as a warning. */
#define CORBEL_UNBOUNDED 0xffffffffu

/* 0 is success; failures are negative and never renumbered. */
typedef int32_t corbel_status;
#define CORBEL_OK 0
#define CORBEL_INVALID (-1)      /* an argument is wrong; the message names it */
#define CORBEL_STATE (-2)        /* the call is not allowed here or now */
#define CORBEL_CLOSED (-3)       /* the handle was closed or its runtime was shut down */
#define CORBEL_FORKED (-4)       /* the handle was made by the parent of this process */
#define CORBEL_NO_MEMORY (-5)    /* */
#define CORBEL_BUSY (-6)         /* a bound was reached: pool exhausted, too many waiters; never an outage */
#define CORBEL_TIMEOUT (-7)      /* the deadline passed after the request was sent: MAYBE_APPLIED unless idempotent */
#define CORBEL_CANCELLED (-8)    /* corbel_cancel, or the handle was freed */
#define CORBEL_LOST (-9)         /* the connection was lost after the request was sent: MAYBE_APPLIED */
#define CORBEL_REFUSED (-10)     /* the server answered with an error; native holds its code, such as WRONGTYPE */
#define CORBEL_UNAVAILABLE (-11) /* the deadline passed before the request could be sent: nothing was applied */
#define CORBEL_PROTOCOL (-12) /* the peer does not speak the protocol, or a reply passed a limit; the message says which */
#define CORBEL_UNSUPPORTED (-13) /* this build or this version of the library does not know it */
#define CORBEL_INTERNAL (-14)    /* a defect of the library; please report the message */

/* Flags of an error. */
#define CORBEL_ERROR_RETRIABLE 0x1u     /* the same call may succeed later */
#define CORBEL_ERROR_FATAL 0x2u         /* it will not succeed before the configuration changes (wrong password) */
#define CORBEL_ERROR_MAYBE_APPLIED 0x4u /* the server may have carried the request out */

/* Levels of the log. */
#define CORBEL_LOG_ERROR 1
#define CORBEL_LOG_WARNING 2
#define CORBEL_LOG_INFO 3
#define CORBEL_LOG_DEBUG 4
#define CORBEL_LOG_OFF 5 /* for corbel_runtime_options.log_level: nothing is logged */

/* One started operation; 0 is none; never reused within a process. */
typedef uint64_t corbel_ticket;

/* Borrowed bytes. This struct is frozen. */
typedef struct corbel_bytes {
  const void *data;
  size_t size;
} corbel_bytes;

/* Runs once, after the last use of the user pointer that it was given with. */
typedef void (*corbel_drop_fn)(void *user);

/* What failed. Immutable; made by the library; owned by whoever received it; corbel_error_free. */
typedef struct corbel_error corbel_error;
/* Text of the library's making. Owned by whoever received it; corbel_text_free. */
typedef struct corbel_text corbel_text;

/* Version of the loaded library, as CORBEL_VERSION and as "0.1.0". Any thread. */
CORBEL_API uint32_t corbel_version(void);
CORBEL_API const char *corbel_version_string(void);

/* Pass CORBEL_VERSION. Returns 1 when the loaded library serves a program compiled with that header, else 0. */
CORBEL_API int corbel_header_compatible(uint32_t header_version);

/* 1 when this build has the feature: "redis", "postgres", "tls", "queue", "health", "gateway", "deep_replies" (replies
 * nested deeper than 7). */
CORBEL_API int corbel_has_feature(const char *name);

/* "OK", "INVALID", ...; "UNKNOWN" for a number that is none of ours. Never NULL. */
CORBEL_API const char *corbel_status_name(corbel_status s);

/* Sets an option struct to its defaults: zeroes size bytes and writes struct_size. type is the struct's name without
 * "corbel_", such as "redis_options"; CORBEL_INVALID for an unknown one or a size that no version had.
 * The same as `corbel_redis_options o = {.struct_size = sizeof o};` */
CORBEL_API corbel_status corbel_options_init(void *options, const char *type, size_t size);

/* Views of an error; all allow NULL (status CORBEL_OK, empty texts). They live as long as the error. */
CORBEL_API corbel_status corbel_error_status(const corbel_error *e);
CORBEL_API const char *corbel_error_message(const corbel_error *e); /* one line: what happened, the numbers, what to do */
CORBEL_API const char *corbel_error_source(const corbel_error *e); /* "redis", "postgres", "queue", "runtime", "os", "dns" */
CORBEL_API const char *corbel_error_native(
    const corbel_error *e); /* code of the source: "WRONGTYPE", "23505", "ECONNREFUSED" */
/* A named detail, or NULL: of PostgreSQL's errors "detail", "hint", "constraint" ..., see postgres.h. */
CORBEL_API const char *corbel_error_field(const corbel_error *e, const char *name);
CORBEL_API uint32_t corbel_error_flags(const corbel_error *e); /* CORBEL_ERROR_... */
CORBEL_API void corbel_error_free(corbel_error *e);

/* The text's bytes; also NUL-terminated. They live as long as the text. */
CORBEL_API corbel_status corbel_text_bytes(const corbel_text *t, corbel_bytes *out);
CORBEL_API void corbel_text_free(corbel_text *t);

#ifdef __cplusplus
}
#endif
#endif
