/* Corbel: an HTTP server in the host's process. /livez, /readyz (with ?verbose), /health and /metrics are there from the
 * first moment on; the host adds routes of its own, whose requests come as events and are answered from any thread.
 *
 *     corbel_http_options o = {.struct_size = sizeof o, .address = "0.0.0.0", .port = 8080, .to = q};
 *     corbel_http *http;
 *     corbel_http_open(rt, &o, &http, NULL);
 *     corbel_http_route(http, "GET", "/hello", NULL);
 *     ...
 *     if (ev.kind == CORBEL_EVENT_REQUEST) {
 *       corbel_http_answer a = {.struct_size = sizeof a, .body = {"hello", 5}};
 *       corbel_request_answer(ev.object, &a, NULL);
 *     }
 *     corbel_event_clear(&ev, sizeof ev); // frees the request
 */
#ifndef CORBEL_C_HTTP_H
#define CORBEL_C_HTTP_H
#include <corbel/c/runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct corbel_http corbel_http;
/* One request, with its answer still owed. Owned by whoever took the event; one thread at a time. */
typedef struct corbel_request corbel_request;

typedef struct corbel_http_options {
  uint32_t struct_size;
  uint32_t flags;            /* CORBEL_HTTP_... */
  const char *address;       /* an IP address; NULL: 127.0.0.1 */
  uint32_t port;             /* 0: any free one, see corbel_http_port */
  uint32_t max_connections;  /* 0: 4,096; one more is answered 503 */
  const char *tls_cert;      /* path of a PEM file with certificate and chain; NULL: no TLS */
  const char *tls_key;       /* path of its key */
  uint64_t max_header_bytes; /* 0: 16 KiB; more is answered 431 */
  uint64_t max_body_bytes;   /* 0: 1 MiB; more is answered 413 */
  int64_t idle_ms;           /* 0: 75,000; between two requests of a connection */
  int64_t read_ms;           /* 0: 10,000 for a header and 30,000 for a body to come; then 408 */
  int64_t answer_ms;         /* 0: 30,000 for the host to answer a request; then 504 */
  corbel_events *to;         /* gets the requests of the host's routes; NULL: there can be none */
  uint64_t user;             /* handed back in these events */
} corbel_http_options;
/* Other processes of the same user may open the port too, and the kernel spreads connections. */
#define CORBEL_HTTP_SHARE_PORT 0x1u

typedef struct corbel_http_answer {
  uint32_t struct_size;
  uint32_t flags;           /* 0 */
  uint32_t status;          /* 200 to 599; 0: 200 */
  uint32_t reserved;        /* 0 */
  const char *content_type; /* NULL: "text/plain; charset=utf-8" */
  corbel_bytes body;
  const corbel_field *fields; /* further header fields, n of `each` bytes */
  size_t n;
  size_t each;
} corbel_http_answer;

/* Listens. INVALID: address, certificate or key are wrong; UNAVAILABLE: the port is taken. */
CORBEL_API corbel_status corbel_http_open(corbel_runtime *rt, const corbel_http_options *o, corbel_http **out,
                                          corbel_error **err);
/* The port that was opened. */
CORBEL_API uint16_t corbel_http_port(const corbel_http *h);
/* Requests of that method and path come as CORBEL_EVENT_REQUEST. A path that ends in "/" and "*" holds for all below it.
 * INVALID: the route is there already, the path does not begin with '/', or the server has no queue. */
CORBEL_API corbel_status corbel_http_route(corbel_http *h, const char *method, const char *path, corbel_error **err);
/* Accepts no more, completes the requests under way, cuts what is left at the call's deadline (0: 10,000 ms). Event: DONE;
 * value: how many connections were cut. */
CORBEL_API corbel_status corbel_http_stop(corbel_http *h, const corbel_call *c, corbel_ticket *t);
/* Closes every connection at once. Requests that were taken may still be answered, to nobody. */
CORBEL_API void corbel_http_free(corbel_http *h);

/* Views of a request; they live as long as it. "" for NULL. */
CORBEL_API const char *corbel_request_method(const corbel_request *r);
CORBEL_API const char *corbel_request_path(const corbel_request *r); /* percent-decoded */
CORBEL_API corbel_status corbel_request_body(const corbel_request *r, corbel_bytes *out);
/* First header field of that name, in upper or lower case; first parameter of the query. NULL: there is none. */
CORBEL_API const char *corbel_request_field(const corbel_request *r, const char *name);
CORBEL_API const char *corbel_request_parameter(const corbel_request *r, const char *name);
/* Answers, once. STATE: it is answered already; TIMEOUT: the client got 504 before. What a client that has gone is
 * answered is thrown away. */
CORBEL_API corbel_status corbel_request_answer(corbel_request *r, const corbel_http_answer *a, corbel_error **err);
/* Frees the request; one that nobody answered is answered 500. */
CORBEL_API void corbel_request_free(corbel_request *r);

#ifdef __cplusplus
}
#endif
#endif
