/* Corbel: the runtime (I/O threads, timers, listener thread), its log, its metrics, cancelling. */
#ifndef CORBEL_C_RUNTIME_H
#define CORBEL_C_RUNTIME_H
#include <corbel/c/events.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Receives one log line; runs on the listener thread, never on an I/O thread. text has no newline and need not be
 * NUL-terminated; it holds no password and no URL with user information. */
typedef void (*corbel_log_fn)(void *user, int32_t level, const char *part, const char *text, size_t size);

typedef struct corbel_runtime_options {
  uint32_t struct_size;
  uint32_t flags;       /* CORBEL_RUNTIME_... */
  uint32_t io_threads;  /* 0: 1; at most 64 */
  int32_t log_level;    /* 0: CORBEL_LOG_INFO; what is less urgent is not logged */
  const char *name;     /* service name in log lines and CLIENT SETNAME; NULL: "corbel" */
  const char *instance; /* instance id; NULL: the environment's INSTANCE_ID, else the host name */
  corbel_log_fn log;    /* NULL: log lines go nowhere unless CORBEL_RUNTIME_LOG_STDOUT or corbel_runtime_log_to */
  void *log_user;
  corbel_drop_fn log_drop;
} corbel_runtime_options;
/* Log lines on standard output: on a terminal text for people, else one JSON object each: ts (RFC 3339, UTC, microseconds),
 * level, part, text, name, instance, pid, and the fields. Warnings and errors that repeat are left out and counted. */
#define CORBEL_RUNTIME_LOG_STDOUT 0x1u
/* With LOG_STDOUT: JSON also on a terminal; text for people also elsewhere. */
#define CORBEL_RUNTIME_LOG_JSON 0x2u
#define CORBEL_RUNTIME_LOG_TEXT 0x4u

/* One field of a log line. */
typedef struct corbel_field {
  const char *name;
  corbel_bytes value;
} corbel_field;

#define CORBEL_METRICS_PROMETHEUS 1 /* text exposition format 0.0.4 */

/* Opens a runtime and starts its threads. */
CORBEL_API corbel_status corbel_runtime_open(const corbel_runtime_options *o, corbel_runtime **out, corbel_error **err);

/* Ends everything: refuses new calls (CLOSED), gives commands under way until timeout_ms to complete, then fails the rest
 * with CANCELLED and joins the threads. The only call that blocks. Returns CORBEL_TIMEOUT with a message that names what
 * was left when not all ended by itself; the runtime is shut down all the same. On a wake or listener thread: STATE.
 * timeout_ms 0: 10,000; < 0 is INVALID. A second call returns what the first did. */
CORBEL_API corbel_status corbel_runtime_shutdown(corbel_runtime *rt, int64_t timeout_ms, corbel_error **err);

/* All metrics of the runtime in the given format. Counter names: see README.md. */
CORBEL_API corbel_status corbel_runtime_metrics(corbel_runtime *rt, int32_t format, corbel_text **out, corbel_error **err);

/* Log lines of this level or more urgent also come as CORBEL_EVENT_LOG notices; to NULL ends it. */
CORBEL_API corbel_status corbel_runtime_log_to(corbel_runtime *rt, int32_t level, corbel_events *to);

/* Frees the runtime. Without a shutdown before it the threads end by themselves soon after the last handle is freed. */
CORBEL_API void corbel_runtime_free(corbel_runtime *rt);

/* Writes one log line through the runtime's log; f holds n fields of `each` bytes. */
CORBEL_API corbel_status corbel_log_write(corbel_runtime *rt, int32_t level, const char *part, const char *text, size_t size,
                                          const corbel_field *f, size_t n, size_t each);

/* Changes what is logged, live: of every part without a level of its own (part NULL), or of one part ("redis" also means
 * "redis:main"). What is less urgent than the level, CORBEL_LOG_OFF to CORBEL_LOG_ERROR, is not logged. Names of fields that
 * every line of work uses: request_id, tenant, project, bundle_id, session_id, trace_id, span_id, source, error_class (a
 * status's name in small letters), duration_ms. */
CORBEL_API corbel_status corbel_log_level(corbel_runtime *rt, const char *part, int32_t level);

/* W3C trace context: writes the traceparent of a new span, with its NUL, in the trace of the one given, or in a new trace
 * where that is NULL or malformed. Its characters 3 to 34 are the trace's id, 36 to 51 the span's. */
#define CORBEL_TRACEPARENT_SIZE 56
CORBEL_API corbel_status corbel_trace_follow(const char *traceparent, char *out, size_t size);

/* Asks for an operation to end now. Its one event still comes: CANCELLED, or what it had ended with already. An unknown
 * or completed ticket is not an error. */
CORBEL_API corbel_status corbel_cancel(corbel_runtime *rt, corbel_ticket t);

#ifdef __cplusplus
}
#endif
#endif
