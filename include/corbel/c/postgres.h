/* Corbel: PostgreSQL pools, statements, results, leases with transactions, streams, COPY and LISTEN.
 *
 *     corbel_pg_options o = {.struct_size = sizeof o, .conninfo = "postgresql://app@db/app"};
 *     corbel_pg *p;
 *     corbel_pg_open(rt, &o, &p, &err);
 *     corbel_bytes id = {"42", 2};
 *     corbel_pg_statement s = {.struct_size = sizeof s, .sql = "SELECT name FROM users WHERE id = $1", .params = &id,
 *                              .param_count = 1};
 *     corbel_call c = {.struct_size = sizeof c, .to = q};
 *     corbel_pg_query(p, &s, &c, &ticket);
 *     ... one CORBEL_EVENT_RESULT on q ...
 *
 * A server error is the status REFUSED with the SQLSTATE as native; corbel_error_field gives its other fields: "severity",
 * "detail", "hint", "position", "internal_position", "internal_query", "where", "schema", "table", "column", "datatype",
 * "constraint", "file", "line", "routine". */
#ifndef CORBEL_C_POSTGRES_H
#define CORBEL_C_POSTGRES_H
#include <corbel/c/events.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct corbel_pg corbel_pg;                   /* pool: shared connections and leases */
typedef struct corbel_pg_conn corbel_pg_conn;         /* exclusive lease of one connection; one thread at a time */
typedef struct corbel_pg_result corbel_pg_result;     /* what a statement gave; one thread at a time */
typedef struct corbel_pg_stream corbel_pg_stream;     /* rows of one statement, piece by piece; one thread at a time */
typedef struct corbel_pg_copy corbel_pg_copy;         /* COPY in or out, piece by piece; one thread at a time */
typedef struct corbel_pg_listener corbel_pg_listener; /* channels listened to, kept over reconnects; any thread */
typedef struct corbel_pg_notice corbel_pg_notice;     /* what NOTIFY sent; one thread at a time */

/* ---- the pool ---- */

typedef struct corbel_pg_options {
  uint32_t struct_size;
  uint32_t flags;          /* CORBEL_PG_POOL_... */
  uint32_t min_size;       /* connections kept open though unused; 0: none */
  uint32_t max_size;       /* connections in all: shared, leased, listening; 0: 10; CORBEL_UNBOUNDED */
  uint32_t max_waiting;    /* callers waiting for a lease, and statements waiting, each; 0: 65536; CORBEL_UNBOUNDED */
  uint32_t max_prepared;   /* prepared statements kept per connection; 0: 256 */
  const char *conninfo;    /* "postgresql://user:password@host1,host2:5432/db?sslmode=verify-full" or "host=... dbname=...";
                              NULL: from POSTGRES_HOST and its kin where one is set, else from PGHOST and its kin */
  const char *kind;        /* what it is for, in log, metrics and health; NULL: "postgres" */
  int64_t connect_ms;      /* of one try, over all hosts; 0: 5,000 */
  int64_t call_ms;         /* default deadline of a statement; 0: 30,000; < 0: none */
  int64_t acquire_ms;      /* default deadline of a wait for a lease; 0: 10,000; < 0: none */
  int64_t idle_check_ms;   /* an unused connection is asked that often; 0: 30,000; < 0: never */
  int64_t lifetime_ms;     /* then replaced when unused, up to a tenth earlier; 0: 1,800,000; < 0: never */
  int64_t max_idle_ms;     /* unused ones above min_size are closed; 0: 300,000; < 0: never */
  int64_t share_ms;        /* a statement that runs longer has its connection for itself; 0: 50; < 0: never */
  int64_t cancel_ms;       /* a cancelled statement that has not ended by then loses its connection; 0: 5,000 */
  uint32_t max_connecting; /* connects under way at once; 0: 4 */
  uint32_t reserved;
} corbel_pg_options;
#define CORBEL_PG_POOL_UNPREPARED 0x1u  /* no prepared statements: for poolers in transaction mode */
#define CORBEL_PG_POOL_DISCARD_ALL 0x2u /* DISCARD ALL when a lease comes back */

/* Opens a pool; does not wait for the server. */
CORBEL_API corbel_status corbel_pg_open(corbel_runtime *rt, const corbel_pg_options *o, corbel_pg **out, corbel_error **err);

/* New limits, live: growth at once; shrinking closes idle connections now and others when they come back. max_size 0 and
 * min_size > max_size are INVALID. */
CORBEL_API corbel_status corbel_pg_resize(corbel_pg *p, uint32_t min_size, uint32_t max_size, corbel_error **err);

/* What the pool holds now and has done. The library fills min(each, its own size) bytes. */
typedef struct corbel_pg_stats {
  uint32_t min;
  uint32_t max;        /* CORBEL_UNBOUNDED when there is no cap */
  uint32_t open;       /* connected: idle + in_use */
  uint32_t idle;       /* connected and used by nobody */
  uint32_t in_use;     /* leased + sharing + listening */
  uint32_t leased;     /* by callers, or being restored after */
  uint32_t sharing;    /* carrying statements of corbel_pg_query */
  uint32_t listening;  /* the connection for LISTEN: 0 or 1 */
  uint32_t connecting; /* being opened */
  uint32_t waiting;    /* callers that wait for a lease */
  uint32_t queued;     /* statements that wait to be sent */
  uint32_t unanswered; /* statements sent and not answered */
  uint64_t waits;      /* leases that had to wait */
  uint64_t waited_ms;  /* altogether */
  uint64_t refused;    /* calls refused or given up because a bound was reached */
  uint64_t connects;   /* connections made */
  uint64_t connect_failures;
  uint64_t reconnects; /* connections made after one was lost */
  uint64_t statements; /* answered */
  uint64_t errors;     /* answered with an error of the server */
  uint64_t lost;       /* sent, on a connection that was lost */
  uint64_t timeouts;
  uint64_t cancels;  /* cancel requests sent to the server */
  uint64_t repeated; /* statements sent again: idempotent ones, and those that the server had not run */
} corbel_pg_stats;
CORBEL_API corbel_status corbel_pg_stats_get(corbel_pg *p, corbel_pg_stats *out, size_t each);

/* Refuses new calls, lets those under way complete until the call's deadline, closes all connections. Its event is
 * CORBEL_EVENT_CLOSED. */
CORBEL_API corbel_status corbel_pg_close(corbel_pg *p, const corbel_call *c, corbel_ticket *t);
/* Frees the pool: calls under way end as CANCELLED. Leases, streams and listeners of it may be freed later. */
CORBEL_API void corbel_pg_free(corbel_pg *p);

/* ---- statements ---- */

typedef struct corbel_pg_statement {
  uint32_t struct_size;
  uint32_t flags;             /* CORBEL_PG_... */
  const char *sql;            /* one statement; parameters are $1, $2, ... */
  const corbel_bytes *params; /* param_count values; {NULL, 0} is NULL */
  const uint32_t *types;      /* their types' oids, 0 where the server is to infer it; NULL: all 0 */
  const int32_t *formats;     /* 0 text, 1 binary; NULL: all text */
  size_t param_count;
} corbel_pg_statement;
/* It only reads: it may share a round trip with others marked so, and be sent once more after a loss. */
#define CORBEL_PG_READ_ONLY 0x1u
#define CORBEL_PG_NO_PREPARE 0x2u    /* never kept as a prepared statement */
#define CORBEL_PG_BINARY_RESULT 0x4u /* all columns in binary format; else in text format */

/* Runs one statement on a shared connection; its event is CORBEL_EVENT_RESULT. Statements that change or hold a connection
 * (BEGIN, SET, LISTEN, COPY, ...) are INVALID here: take a lease. */
CORBEL_API corbel_status corbel_pg_query(corbel_pg *p, const corbel_pg_statement *s, const corbel_call *c, corbel_ticket *t);

/* ---- results ---- */

CORBEL_API size_t corbel_pg_result_rows(const corbel_pg_result *r);
CORBEL_API size_t corbel_pg_result_columns(const corbel_pg_result *r);
CORBEL_API const char *corbel_pg_result_name(const corbel_pg_result *r, size_t column); /* "" past the end */
CORBEL_API uint32_t corbel_pg_result_type(const corbel_pg_result *r, size_t column);    /* oid; 0 past the end */
CORBEL_API int32_t corbel_pg_result_format(const corbel_pg_result *r, size_t column);   /* 0 text, 1 binary */
CORBEL_API const char *corbel_pg_result_tag(const corbel_pg_result *r);                 /* "INSERT 0 1"; "" for NULL */
CORBEL_API uint64_t corbel_pg_result_affected(const corbel_pg_result *r);               /* rows that it touched */
/* One value as the server sent it: {NULL, 0} for NULL; INVALID past the end. It lives as long as the result. */
CORBEL_API corbel_status corbel_pg_result_value(const corbel_pg_result *r, size_t row, size_t column, corbel_bytes *out);

/* The whole result in one piece of memory, for languages to which each call is dear; it lives as long as the result.
 *  - uint32_t rows, columns, head, tag: two counts and two sizes, in the machine's byte order
 *  - head bytes: for each column uint32_t oid, uint32_t form (machine's byte order), the name and a NUL
 *  - tag bytes: the command's tag, without a NUL
 *  - row by row, value by value: int32_t size in network byte order, -1 for NULL, then so many bytes
 * Whatever format the server used, the form of a column depends on its type. Form 1, binary as PostgreSQL defines it: bool,
 * int2, int4, int8, oid, float4, float8, bytea, uuid, date, timestamp, timestamptz, interval, and arrays whose elements are
 * of these types, text, varchar, bpchar, name, numeric, json or jsonb; an array's elements have the form that their type
 * has. Form 0, text: all else. A column of which one value cannot be read comes as the server sent it: its form is the
 * format. */
CORBEL_API corbel_status corbel_pg_result_packed(corbel_pg_result *r, corbel_bytes *out);
CORBEL_API void corbel_pg_result_free(corbel_pg_result *r);

/* ---- leases and transactions ---- */

/* Waits in FIFO order for an exclusive connection; its event is CORBEL_EVENT_PG_LEASE. When the deadline passes: BUSY with
 * the pool's counts when it is exhausted, UNAVAILABLE with the last connect error when the server cannot be reached. */
CORBEL_API corbel_status corbel_pg_lease(corbel_pg *p, const corbel_call *c, corbel_ticket *t);

/* As corbel_pg_query, on the lease, in order. All statements but COPY are allowed. */
CORBEL_API corbel_status corbel_pg_conn_query(corbel_pg_conn *k, const corbel_pg_statement *s, const corbel_call *c,
                                              corbel_ticket *t);

typedef struct corbel_pg_begin {
  uint32_t struct_size;
  uint32_t flags; /* CORBEL_PG_BEGIN_... */
  int32_t isolation;
  int32_t reserved;
} corbel_pg_begin;
#define CORBEL_PG_BEGIN_READ_ONLY 0x1u
#define CORBEL_PG_BEGIN_DEFERRABLE 0x2u /* with SERIALIZABLE and READ_ONLY: waits for a snapshot that cannot fail */
/* Values of isolation. */
#define CORBEL_PG_ISOLATION_DEFAULT 0 /* the server's */
#define CORBEL_PG_READ_COMMITTED 1
#define CORBEL_PG_REPEATABLE_READ 2
#define CORBEL_PG_SERIALIZABLE 3

/* Begins, commits and rolls back a transaction on the lease; each event is CORBEL_EVENT_DONE. o NULL: the defaults.
 * A commit of a transaction that had failed is rolled back by the server: REFUSED, native "25P02". A commit that ends LOST
 * or TIMEOUT: whether it was committed is not known. */
CORBEL_API corbel_status corbel_pg_conn_begin(corbel_pg_conn *k, const corbel_pg_begin *o, const corbel_call *c,
                                              corbel_ticket *t);
CORBEL_API corbel_status corbel_pg_conn_commit(corbel_pg_conn *k, const corbel_call *c, corbel_ticket *t);
CORBEL_API corbel_status corbel_pg_conn_rollback(corbel_pg_conn *k, const corbel_call *c, corbel_ticket *t);

/* The server process that serves it, as pg_stat_activity.pid. */
CORBEL_API int32_t corbel_pg_conn_backend(const corbel_pg_conn *k);
/* Ends the lease and frees k: an open transaction is rolled back first; what is under way ends as CANCELLED. */
CORBEL_API void corbel_pg_conn_release(corbel_pg_conn *k);
/* The same, and the connection is closed instead of being used again. */
CORBEL_API void corbel_pg_conn_discard(corbel_pg_conn *k);

/* ---- rows and COPY, piece by piece; other statements of the lease wait until it has ended ---- */

/* Rows in chunks of at most chunk_rows (0: 256). Its event, CORBEL_EVENT_PG_STREAM, comes with the first chunk or the
 * statement's failure. */
CORBEL_API corbel_status corbel_pg_conn_stream(corbel_pg_conn *k, const corbel_pg_statement *s, uint32_t chunk_rows,
                                               const corbel_call *c, corbel_ticket *t);
/* The next chunk: CORBEL_EVENT_RESULT; one without rows, with the command's tag, is the end. One call at a time. */
CORBEL_API corbel_status corbel_pg_stream_next(corbel_pg_stream *x, const corbel_call *c, corbel_ticket *t);
/* Not at its end: the statement is cancelled on the server. */
CORBEL_API void corbel_pg_stream_free(corbel_pg_stream *x);

/* "COPY ... FROM STDIN ..." and "COPY ... TO STDOUT ...". Their event is CORBEL_EVENT_PG_COPY. */
CORBEL_API corbel_status corbel_pg_conn_copy_in(corbel_pg_conn *k, const char *sql, const corbel_call *c, corbel_ticket *t);
CORBEL_API corbel_status corbel_pg_conn_copy_out(corbel_pg_conn *k, const char *sql, const corbel_call *c, corbel_ticket *t);
/* Sends bytes; lines may be cut anywhere. CORBEL_EVENT_DONE when more can be taken. One call at a time. */
CORBEL_API corbel_status corbel_pg_copy_write(corbel_pg_copy *x, const void *data, size_t size, const corbel_call *c,
                                              corbel_ticket *t);
/* Ends the data: CORBEL_EVENT_DONE, value: the rows copied. Without it nothing is kept. */
CORBEL_API corbel_status corbel_pg_copy_finish(corbel_pg_copy *x, const corbel_call *c, corbel_ticket *t);
/* Some whole rows of a COPY out: CORBEL_EVENT_PG_DATA; an empty text is the end. One call at a time. */
CORBEL_API corbel_status corbel_pg_copy_read(corbel_pg_copy *x, const corbel_call *c, corbel_ticket *t);
/* Not at its end: the COPY fails on the server. */
CORBEL_API void corbel_pg_copy_free(corbel_pg_copy *x);

/* ---- LISTEN ---- */

typedef struct corbel_pg_listener_options {
  uint32_t struct_size;
  uint32_t flags;       /* none defined */
  uint32_t max_notices; /* kept for a slow reader, then the oldest are dropped and counted; 0: 4096 */
  uint32_t reserved;
  corbel_events *to; /* gets CORBEL_EVENT_PG_NOTICE and CORBEL_EVENT_STATE notices; required */
  uint64_t user;     /* handed back in each */
} corbel_pg_listener_options;

/* Values of a CORBEL_EVENT_STATE notice of a listener. */
#define CORBEL_PG_GAP 1       /* the connection was lost: what is notified from now on is missed */
#define CORBEL_PG_LISTENING 2 /* every wanted channel is listened to again, in the event's epoch */

/* Operations of corbel_pg_listener_change. */
#define CORBEL_PG_LISTEN 1
#define CORBEL_PG_UNLISTEN 2

CORBEL_API corbel_status corbel_pg_listener_open(corbel_pg *p, const corbel_pg_listener_options *o, corbel_pg_listener **out,
                                                 corbel_error **err);
/* Wants or leaves one channel, of 1 to 63 bytes. Its event, CORBEL_EVENT_DONE, comes when the server has confirmed. A LISTEN
 * that fails leaves the channel unwanted. */
CORBEL_API corbel_status corbel_pg_listener_change(corbel_pg_listener *l, int32_t op, const char *channel,
                                                   const corbel_call *c, corbel_ticket *t);
CORBEL_API void corbel_pg_listener_free(corbel_pg_listener *l);

CORBEL_API corbel_status corbel_pg_notice_channel(const corbel_pg_notice *n, corbel_bytes *out);
CORBEL_API corbel_status corbel_pg_notice_payload(const corbel_pg_notice *n, corbel_bytes *out);
CORBEL_API int32_t corbel_pg_notice_backend(const corbel_pg_notice *n); /* the server process that notified */
CORBEL_API void corbel_pg_notice_free(corbel_pg_notice *n);

#ifdef __cplusplus
}
#endif
#endif
