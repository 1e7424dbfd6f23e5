/* Corbel: Redis pools, replies, leases, subscriptions, the health monitor. RESP2; any server that speaks it.
 *
 *     corbel_redis_options o = {.struct_size = sizeof o, .url = "redis://localhost:6379/0"};
 *     corbel_redis *r;
 *     corbel_redis_open(rt, &o, &r, &err);
 *     corbel_bytes get[] = {{"GET", 3}, {"key", 3}};
 *     corbel_call c = {.struct_size = sizeof c, .flags = CORBEL_CALL_IDEMPOTENT, .to = q};
 *     corbel_redis_send(r, get, 2, &c, &ticket);
 *     ... one CORBEL_EVENT_REPLY on q ... */
#ifndef CORBEL_C_REDIS_H
#define CORBEL_C_REDIS_H
#include <corbel/c/events.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct corbel_redis corbel_redis;           /* pool: shared pipelines, leases, subscriptions */
typedef struct corbel_redis_conn corbel_redis_conn; /* exclusive lease of one connection */
typedef struct corbel_reply corbel_reply;           /* reply tree; its nodes are borrowed */
typedef struct corbel_node corbel_node;
typedef struct corbel_sub corbel_sub;
typedef struct corbel_monitor corbel_monitor;

typedef struct corbel_redis_options {
  uint32_t struct_size;
  uint32_t flags;       /* none defined */
  uint32_t max_size;    /* connections in all: pipelines, leases and subscriptions; 0: 32; CORBEL_UNBOUNDED */
  uint32_t max_waiting; /* callers waiting for a lease, and commands waiting for a connection; 0: 65536; CORBEL_UNBOUNDED */
  const char *url;  /* redis://[user[:password]@]host[:port][/db], rediss:// (TLS), unix://[user[:password]@]/path[?db=n] */
  const char *kind; /* what it is for, in CLIENT SETNAME, log and metrics; NULL: "redis" */
  const char *tls_ca;   /* file of trusted certificates (PEM); NULL: the system's */
  const char *tls_cert; /* client certificate chain (PEM) and its key; NULL: none */
  const char *tls_key;
  const char *tls_name;        /* name the server's certificate must carry; NULL: the URL's host */
  int64_t connect_ms;          /* resolve, connect, TLS and handshake of one try; 0: 5,000 */
  int64_t call_ms;             /* default deadline of a call; 0: 5,000; < 0: none */
  int64_t idle_ping_ms;        /* PING on a connection that was silent that long; 0: 30,000; < 0: never */
  int64_t lifetime_ms;         /* a connection is replaced at this age, less a random tenth; 0: never */
  uint64_t max_reply_bytes;    /* 0: 64 MiB */
  uint64_t max_reply_elements; /* array elements of one reply in all; 0: 1,048,576 */
  int64_t idle_ms;             /* an unused leased connection or second pipeline is closed after it; 0: 60,000; < 0: never */
  uint32_t max_connecting;     /* connects under way at once; 0: 4 */
  uint32_t max_reply_depth;    /* 0: 7; more only with the feature "deep_replies", else CORBEL_UNSUPPORTED */
  int64_t busy_poll_us; /* With at most 4 commands unanswered, all sent by handlers of replies on the I/O thread itself
                           (C++), it looks for the answer this long before it sleeps, where that turns out to help: a
                           near server. 0: 50; < 0: never */
} corbel_redis_options;

/* Opens a pool and begins to connect; does not wait for the server. */
CORBEL_API corbel_status corbel_redis_open(corbel_runtime *rt, const corbel_redis_options *o, corbel_redis **out,
                                           corbel_error **err);

/* Sends one command on a shared pipeline; its event is CORBEL_EVENT_REPLY. Commands that change or block a connection
 * (MULTI, WATCH, SUBSCRIBE, BLPOP, SELECT, AUTH ...) are INVALID here: take a lease. A server error is the status REFUSED
 * with the server's code as native. c NULL: nobody waits for the reply. */
CORBEL_API corbel_status corbel_redis_send(corbel_redis *r, const corbel_bytes *argv, size_t argc, const corbel_call *c,
                                           corbel_ticket *t);

/* Sends count commands at once, which costs less than one by one: all with the same call, no order promised between them.
 * bytes: the arguments of all of them after one another; sizes: of each argument; argc: how many arguments each command has.
 * Their tickets are *first, *first + 1 and so on. What is wrong with one command alone comes as its event, INVALID; when the
 * call is refused as a whole no event comes. c NULL: nobody waits for the replies. */
CORBEL_API corbel_status corbel_redis_send_many(corbel_redis *r, const void *bytes, const size_t *sizes,
                                                const uint32_t *argc, size_t count, const corbel_call *c,
                                                corbel_ticket *first);

/* Runs a Lua script by its SHA1 with EVALSHA, loading it when the server does not know it. argv: the keys, then the
 * arguments; key_count says how many of them are keys. Its event is CORBEL_EVENT_REPLY. */
CORBEL_API corbel_status corbel_redis_eval(corbel_redis *r, corbel_bytes script, const corbel_bytes *argv, size_t argc,
                                           size_t key_count, const corbel_call *c, corbel_ticket *t);

/* Waits in FIFO order for an exclusive connection; its event is CORBEL_EVENT_LEASE. When the deadline passes: BUSY with
 * the pool's counts when it is exhausted, UNAVAILABLE with the last connect error when the server cannot be reached. */
CORBEL_API corbel_status corbel_redis_lease(corbel_redis *r, const corbel_call *c, corbel_ticket *t);

/* As corbel_redis_send, on the lease, in order; every command is allowed but SUBSCRIBE and its kin, MONITOR, CLIENT REPLY
 * and QUIT. */
CORBEL_API corbel_status corbel_redis_conn_send(corbel_redis_conn *k, const corbel_bytes *argv, size_t argc,
                                                const corbel_call *c, corbel_ticket *t);

/* Ends the lease and frees k. A connection in an unknown state (commands unanswered, MULTI or WATCH open, another
 * database or user chosen) is discarded, others are used again. */
CORBEL_API void corbel_redis_conn_release(corbel_redis_conn *k);

/* What the pool holds now and has done. The library fills min(each, its own size) bytes. */
typedef struct corbel_redis_stats {
  uint32_t max;  /* the cap; CORBEL_UNBOUNDED when there is none */
  uint32_t open; /* connections that are up: pipelines, leases, subscription */
  uint32_t connecting;
  uint32_t idle; /* up and used by nobody: returned leases */
  uint32_t pipelines;
  uint32_t leased;
  uint32_t subscriptions; /* connections that carry subscriptions: 0 or 1 */
  uint32_t waiting;       /* callers waiting for a lease */
  uint64_t waited_ms;     /* time that callers waited for leases, in all */
  uint64_t waits;         /* leases that had to wait */
  uint64_t refused;       /* calls refused or given up because a bound was reached */
  uint64_t reconnects;    /* connections made again after a loss */
  uint64_t commands;      /* commands answered */
  uint64_t lost;          /* commands that ended LOST */
  uint64_t timeouts;      /* commands that ended TIMEOUT */
  uint64_t unanswered;    /* commands sent and not answered yet, now */
} corbel_redis_stats;
CORBEL_API corbel_status corbel_redis_stats_get(corbel_redis *r, corbel_redis_stats *out, size_t each);

/* Refuses new calls, lets those under way complete until the call's deadline, closes all connections. Its event is
 * CORBEL_EVENT_CLOSED; nothing is delivered for the pool after it. */
CORBEL_API corbel_status corbel_redis_close(corbel_redis *r, const corbel_call *c, corbel_ticket *t);
/* Frees the pool: calls under way end as CANCELLED. Leases, subscriptions and monitors of it may be freed later. */
CORBEL_API void corbel_redis_free(corbel_redis *r);

/* ---- replies ---- */

/* Kinds of a node. A server error at the root never comes as a node but as the event's error; inside an array it does. */
#define CORBEL_NODE_NIL 0
#define CORBEL_NODE_STRING 1 /* bulk string: bytes */
#define CORBEL_NODE_STATUS 2 /* simple string such as OK: bytes */
#define CORBEL_NODE_INTEGER 3
#define CORBEL_NODE_ARRAY 4 /* count and at */
#define CORBEL_NODE_ERROR 5 /* bytes: code and text */

CORBEL_API const corbel_node *corbel_reply_root(const corbel_reply *y);
CORBEL_API int32_t corbel_node_kind(const corbel_node *n); /* NULL: CORBEL_NODE_NIL */
CORBEL_API corbel_status corbel_node_bytes(const corbel_node *n,
                                           corbel_bytes *out); /* INVALID unless it has bytes; nil: {NULL, 0} */
CORBEL_API int64_t corbel_node_integer(const corbel_node *n);  /* 0 unless it is an integer */
CORBEL_API size_t corbel_node_count(const corbel_node *n);     /* elements of an array, else 0 */
CORBEL_API const corbel_node *corbel_node_at(const corbel_node *n, size_t i); /* NULL past the end */

/* One node of the whole tree, in pre-order. */
typedef struct corbel_record {
  int32_t kind;
  uint32_t depth;   /* 0 for the root */
  int64_t value;    /* INTEGER: the number; ARRAY: its elements; else the size of data */
  const void *data; /* STRING, STATUS, ERROR: borrowed bytes; else NULL */
} corbel_record;
/* Writes up to count records of `each` bytes and returns how many the tree has. One call decodes a reply. */
CORBEL_API size_t corbel_reply_records(const corbel_reply *y, void *out, size_t count, size_t each);
CORBEL_API void corbel_reply_free(corbel_reply *y);

/* One event as corbel_replies_read tells it. */
typedef struct corbel_answer {
  corbel_ticket ticket; /* as in the event */
  uint64_t user;
  int32_t kind;     /* CORBEL_NODE_NIL, _STRING, _STATUS, _INTEGER; CORBEL_ANSWER_NONE: look at the event */
  uint32_t index;   /* of the event among those given */
  int64_t value;    /* INTEGER: the number; STRING, STATUS: the size of data; else 0 */
  const void *data; /* STRING, STATUS: in the memory that was given; else NULL */
} corbel_answer;
#define CORBEL_ANSWER_NONE (-1)
/* Reads many replies at once, for languages to which each call is dear. Of every successful CORBEL_EVENT_REPLY whose reply
 * is no array and whose bytes still fit into room, the bytes are copied to memory, one after the other, and the reply is
 * freed: the event owns nothing any more. All other events are left as they are and told as CORBEL_ANSWER_NONE. Writes count
 * answers of answer_each bytes; returns how many bytes of memory were used. */
CORBEL_API size_t corbel_replies_read(corbel_event *events, size_t count, size_t each, void *answers, size_t answer_each,
                                      void *memory, size_t room);

/* ---- subscriptions: wanted by name, kept over reconnects ---- */

typedef struct corbel_sub_options {
  uint32_t struct_size;
  uint32_t flags;       /* none defined */
  uint32_t max_notices; /* kept for a slow reader, then the oldest are dropped and counted; 0: 4096 */
  uint32_t reserved;
  corbel_events *to; /* gets CORBEL_EVENT_PUBLISHED and CORBEL_EVENT_STATE notices; required */
  uint64_t user;     /* handed back in each */
} corbel_sub_options;

/* Operations of corbel_sub_change. */
#define CORBEL_SUB_CHANNEL 1
#define CORBEL_SUB_PATTERN 2
#define CORBEL_SUB_LEAVE_CHANNEL 3
#define CORBEL_SUB_LEAVE_PATTERN 4

/* Values of a CORBEL_EVENT_STATE notice of a subscription. */
#define CORBEL_SUB_GAP 1          /* the connection was lost: what is published from now on is missed */
#define CORBEL_SUB_RESUBSCRIBED 2 /* the server confirmed every wanted name again, in the event's epoch */

CORBEL_API corbel_status corbel_sub_open(corbel_redis *r, const corbel_sub_options *o, corbel_sub **out, corbel_error **err);
/* Wants or leaves one name. Its event, CORBEL_EVENT_DONE, comes when the server has confirmed (value: 1) or when nothing
 * had to be asked of it (value: 0). A subscribe that ends otherwise leaves the name unwanted by this call. A name may be
 * wanted by many subscriptions; the server is asked once. */
CORBEL_API corbel_status corbel_sub_change(corbel_sub *s, int32_t op, const void *name, size_t size, const corbel_call *c,
                                           corbel_ticket *t);
CORBEL_API void corbel_sub_free(corbel_sub *s);

/* ---- the health monitor ---- */

#define CORBEL_REDIS_UNKNOWN 0 /* not connected yet */
#define CORBEL_REDIS_UP 1
#define CORBEL_REDIS_DOWN 2         /* lost, or could not be reached; waiting for the next try */
#define CORBEL_REDIS_RECONNECTING 3 /* a try is under way */
#define CORBEL_REDIS_RESUBSCRIBED \
  4 /* told to listeners once after UP: every wanted subscription is confirmed; the state is UP */

typedef struct corbel_monitor_options {
  uint32_t struct_size;
  uint32_t flags;
  int64_t ping_ms;    /* PING when silent that long; 0: 5,000 */
  int64_t overdue_ms; /* an answer later than this is a lost connection; 0: 2,000 */
  corbel_events *to;  /* gets CORBEL_EVENT_STATE notices, coalesced to the latest; may be NULL */
  uint64_t user;
} corbel_monitor_options;

/* Runs on the listener thread, coalesced to the latest state; why is borrowed and NULL unless state is DOWN. */
typedef void (*corbel_state_fn)(void *user, int32_t state, uint64_t epoch, const corbel_error *why);

/* Watches the pool's connections by their real errors and by PINGs. A full pool is not down. */
CORBEL_API corbel_status corbel_monitor_open(corbel_redis *r, const corbel_monitor_options *o, corbel_monitor **out,
                                             corbel_error **err);
/* Adds a listener, which is told the present state at once (on the listener thread). drop runs after its last call. */
CORBEL_API corbel_status corbel_monitor_listen(corbel_monitor *m, corbel_state_fn fn, void *user, corbel_drop_fn drop,
                                               uint64_t *listener);
CORBEL_API corbel_status corbel_monitor_unlisten(corbel_monitor *m, uint64_t listener);
CORBEL_API int32_t corbel_monitor_state(const corbel_monitor *m); /* never RESUBSCRIBED */
CORBEL_API void corbel_monitor_free(corbel_monitor *m);

#ifdef __cplusplus
}
#endif
#endif
