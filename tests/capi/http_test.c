/* The HTTP server through the C API: probes, routes answered from the queue, stop, misuse. */
#include "world.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

static corbel_runtime *rt;
static corbel_events *q;

/* One request on a connection of its own; the whole answer. */
static char *ask(uint16_t port, const char *request) {
  static char answer[20000];
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  int s = socket(AF_INET, SOCK_STREAM, 0);
  size_t have = 0;
  answer[0] = 0;
  if (connect(s, (struct sockaddr *)&to, sizeof to) == 0 && send(s, request, strlen(request), MSG_NOSIGNAL) > 0) {
    struct pollfd ready = {.fd = s, .events = POLLIN};
    ssize_t n;
    while (have + 1 < sizeof answer && poll(&ready, 1, 20000) > 0 &&
           (n = recv(s, answer + have, sizeof answer - 1 - have, 0)) > 0)
      have += (size_t)n;
    answer[have] = 0;
  }
  close(s);
  return answer;
}

#define GET(port, path) ask(port, "GET " path " HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")

static corbel_http *open_http(int64_t answer_ms) {
  corbel_http_options o = {.struct_size = sizeof o, .to = q, .user = 5, .answer_ms = answer_ms};
  corbel_http *h = NULL;
  corbel_error *e = NULL;
  CHECK_EQ(corbel_http_open(rt, &o, &h, &e), CORBEL_OK);
  tell(e);
  REQUIRE(h != NULL && corbel_http_port(h) != 0);
  return h;
}

static void the_table_is_served(void) {
  corbel_http *h = open_http(0);
  corbel_health_report bad = {.struct_size = sizeof bad,
                              .flags = CORBEL_HEALTH_REQUIRED,
                              .part = "disk",
                              .state = CORBEL_HEALTH_DOWN,
                              .reason = "full"};
  CHECK(strstr(GET(corbel_http_port(h), "/readyz"), "200 OK"));
  CHECK(strstr(GET(corbel_http_port(h), "/livez?verbose"), "]runtime "));
  CHECK(strstr(GET(corbel_http_port(h), "/livez?verbose"), "livez check passed"));
  CHECK_EQ(corbel_health_set(rt, &bad, NULL), CORBEL_OK);
  CHECK(strstr(GET(corbel_http_port(h), "/readyz"), "503"));
  CHECK(strstr(GET(corbel_http_port(h), "/readyz?verbose"), "[-]disk down: full"));
  CHECK(strstr(GET(corbel_http_port(h), "/health"), "\"because\": \"disk: full\""));
  CHECK(strstr(GET(corbel_http_port(h), "/livez"), "200 OK"));
  CHECK(strstr(GET(corbel_http_port(h), "/metrics"), "corbel_ready 0"));
  CHECK_EQ(corbel_health_remove(rt, "disk"), CORBEL_OK);
  CHECK(strstr(GET(corbel_http_port(h), "/nowhere"), "404"));
  corbel_http_free(h);
}

struct asker {
  uint16_t port;
  const char *request;
  char *answer;
};

static void *ask_on_thread(void *p) {
  struct asker *a = p;
  a->answer = ask(a->port, a->request);
  return NULL;
}

static void a_route_is_answered_from_the_queue(void) {
  corbel_http *h = open_http(0);
  CHECK_EQ(corbel_http_route(h, "POST", "/echo/*", NULL), CORBEL_OK);
  struct asker a = {corbel_http_port(h),
                    "POST /echo/a%20b?x=1 HTTP/1.1\r\nHost: t\r\nX-Mine: yes\r\nContent-Length: 4\r\n"
                    "Connection: close\r\n\r\nbody",
                    NULL};
  pthread_t thread;
  REQUIRE(pthread_create(&thread, NULL, ask_on_thread, &a) == 0);
  corbel_event ev = await_event(q, CORBEL_EVENT_REQUEST);
  REQUIRE(ev.object != NULL);
  CHECK_EQ(ev.user, 5);
  CHECK_EQ(ev.source, CORBEL_SOURCE_HTTP);
  corbel_request *r = ev.object;
  corbel_bytes body = {NULL, 0};
  CHECK(strcmp(corbel_request_method(r), "POST") == 0);
  CHECK(strcmp(corbel_request_path(r), "/echo/a b") == 0);
  CHECK(corbel_request_field(r, "x-mine") && strcmp(corbel_request_field(r, "x-mine"), "yes") == 0);
  CHECK(corbel_request_field(r, "none") == NULL);
  CHECK(corbel_request_parameter(r, "x") && strcmp(corbel_request_parameter(r, "x"), "1") == 0);
  CHECK(corbel_request_parameter(r, "y") == NULL);
  CHECK_EQ(corbel_request_body(r, &body), CORBEL_OK);
  CHECK(body.size == 4 && memcmp(body.data, "body", 4) == 0);
  corbel_field field = {"X-Answer", bytes("1")}, split = {"X-Bad", bytes("a\r\nSet-Cookie: b")};
  corbel_http_answer answer = {.struct_size = sizeof answer,
                               .status = 201,
                               .content_type = "text/x",
                               .body = bytes("done"),
                               .fields = &split,
                               .n = 1,
                               .each = sizeof field};
  CHECK_EQ(corbel_request_answer(r, &answer, NULL), CORBEL_INVALID);
  answer.fields = &field;
  CHECK_EQ(corbel_request_answer(r, &answer, NULL), CORBEL_OK);
  CHECK_EQ(corbel_request_answer(r, &answer, NULL), CORBEL_STATE);
  pthread_join(thread, NULL);
  CHECK(strstr(a.answer, "201 Created") && strstr(a.answer, "X-Answer: 1") && strstr(a.answer, "Content-Type: text/x"));
  CHECK(strstr(a.answer, "\r\n\r\ndone"));
  corbel_event_clear(&ev, sizeof ev);

  /* One that is dropped is answered all the same. */
  REQUIRE(pthread_create(&thread, NULL, ask_on_thread, &a) == 0);
  ev = await_event(q, CORBEL_EVENT_REQUEST);
  corbel_event_clear(&ev, sizeof ev);
  pthread_join(thread, NULL);
  CHECK(strstr(a.answer, "500"));
  corbel_http_free(h);
}

static void who_does_not_answer_in_time_is_told(void) {
  corbel_http *h = open_http(30);
  CHECK_EQ(corbel_http_route(h, "GET", "/slow", NULL), CORBEL_OK);
  struct asker a = {corbel_http_port(h), "GET /slow HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n", NULL};
  pthread_t thread;
  REQUIRE(pthread_create(&thread, NULL, ask_on_thread, &a) == 0);
  corbel_event ev = await_event(q, CORBEL_EVENT_REQUEST);
  pthread_join(thread, NULL);
  CHECK(strstr(a.answer, "504"));
  corbel_http_answer answer = {.struct_size = sizeof answer};
  if (ev.object) CHECK_EQ(corbel_request_answer(ev.object, &answer, NULL), CORBEL_TIMEOUT);
  corbel_event_clear(&ev, sizeof ev);
  corbel_http_free(h);
}

static void stop_completes_and_refuses(void) {
  corbel_http *h = open_http(0);
  corbel_call c = call_to(q, 9);
  corbel_ticket t = 0;
  uint16_t port = corbel_http_port(h);
  CHECK(strstr(GET(corbel_http_port(h), "/livez"), "200 OK"));
  CHECK_EQ(corbel_http_stop(h, &c, &t), CORBEL_OK);
  corbel_event ev = await_event(q, CORBEL_EVENT_DONE);
  CHECK_EQ(ev.ticket, t);
  CHECK_EQ(ev.value, 0);
  corbel_event_clear(&ev, sizeof ev);
  CHECK(GET(port, "/livez")[0] == 0);
  corbel_http_free(h);
}

static void misuse_is_told(void) {
  corbel_http *h = NULL;
  corbel_http_options o = {.struct_size = sizeof o, .address = "nowhere"};
  CHECK_EQ(corbel_http_open(rt, &o, &h, NULL), CORBEL_INVALID);
  o.address = NULL;
  o.tls_cert = "/nonexistent";
  CHECK_EQ(corbel_http_open(rt, &o, &h, NULL), CORBEL_INVALID);
  o.tls_key = "/nonexistent";
  CHECK_EQ(corbel_http_open(rt, &o, &h, NULL), CORBEL_INVALID);
  o.tls_cert = o.tls_key = NULL;
  o.port = 70000;
  CHECK_EQ(corbel_http_open(rt, &o, &h, NULL), CORBEL_INVALID);
  CHECK(h == NULL);
  CHECK_EQ(corbel_http_open(NULL, NULL, &h, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_http_open(rt, NULL, &h, NULL), CORBEL_OK);
  CHECK_EQ(corbel_http_route(h, "GET", "/x", NULL), CORBEL_INVALID); /* no queue */
  o.port = corbel_http_port(h);
  corbel_http *other = NULL;
  CHECK_EQ(corbel_http_open(rt, &o, &other, NULL), CORBEL_UNAVAILABLE);
  corbel_http_free(h);
  h = open_http(0);
  CHECK_EQ(corbel_http_route(h, "GET", "/x", NULL), CORBEL_OK);
  CHECK_EQ(corbel_http_route(h, "GET", "/x", NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_http_route(h, "GET", "/livez", NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_http_route(h, "GET", "x", NULL), CORBEL_INVALID);
  corbel_http_free(h);
  corbel_http_free(NULL);
  corbel_request_free(NULL);
  CHECK(corbel_request_path(NULL)[0] == 0 && corbel_request_method(NULL)[0] == 0);
  CHECK(corbel_request_field(NULL, "x") == NULL && corbel_request_parameter(NULL, "x") == NULL);
  CHECK_EQ(corbel_request_body(NULL, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_request_answer(NULL, NULL, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_http_port(NULL), 0);
}

static void levels_and_traces(void) {
  CHECK_EQ(corbel_log_level(rt, NULL, CORBEL_LOG_DEBUG), CORBEL_OK);
  CHECK_EQ(corbel_log_level(rt, "redis", CORBEL_LOG_OFF), CORBEL_OK);
  CHECK_EQ(corbel_log_level(rt, NULL, CORBEL_LOG_ERROR), CORBEL_OK);
  CHECK_EQ(corbel_log_level(rt, NULL, 77), CORBEL_INVALID);
  const char *from = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  char text[CORBEL_TRACEPARENT_SIZE];
  CHECK_EQ(corbel_trace_follow(from, text, sizeof text), CORBEL_OK);
  CHECK(strncmp(text, from, 36) == 0 && strcmp(text, from) != 0 && strlen(text) == 55);
  CHECK_EQ(corbel_trace_follow(NULL, text, sizeof text), CORBEL_OK);
  CHECK(strlen(text) == 55 && strncmp(text, from, 36) != 0);
  CHECK_EQ(corbel_trace_follow(from, text, 10), CORBEL_INVALID);
}

int main(void) {
  rt = open_runtime();
  q = open_events(rt);
  RUN(the_table_is_served);
  RUN(a_route_is_answered_from_the_queue);
  RUN(who_does_not_answer_in_time_is_told);
  RUN(stop_completes_and_refuses);
  RUN(misuse_is_told);
  RUN(levels_and_traces);
  corbel_http *left = open_http(0); /* the runtime's shutdown ends it */
  CHECK_EQ(corbel_runtime_shutdown(rt, 20000, NULL), CORBEL_OK);
  corbel_call c = call_to(q, 0);
  CHECK_EQ(corbel_http_stop(left, &c, NULL), CORBEL_CLOSED);
  CHECK_EQ(corbel_http_route(left, "GET", "/late", NULL), CORBEL_CLOSED);
  corbel_http_free(left);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  return check_report();
}
