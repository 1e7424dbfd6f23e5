/* Lesson: one call opens an HTTP server with /livez, /readyz, /health and /metrics; a route of the host's own is answered
 * from the queue. Here the program asks itself, as a load balancer would.
 *
 *     build/dev/examples/lessons/lesson_c_serve_health */
#include <corbel.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void die(const char *what, corbel_error *e) {
  fprintf(stderr, "%s: %s: %s\n", what, corbel_status_name(corbel_error_status(e)), corbel_error_message(e));
  exit(1);
}

static int port;

/* Prints the status and the body of a GET. */
static void get(const char *path) {
  char text[4096] = "";
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  int s = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(s, (struct sockaddr *)&to, sizeof to)) exit(1);
  dprintf(s, "GET %s HTTP/1.1\r\nHost: lesson\r\nConnection: close\r\n\r\n", path);
  for (ssize_t n, have = 0; (n = read(s, text + have, sizeof text - 1 - (size_t)have)) > 0;) have += n;
  close(s);
  const char *body = strstr(text, "\r\n\r\n");
  printf("%s: %.3s %s\n", path, text + 9, body ? body + 4 : "");
}

static void *probe(void *unused) {
  get("/readyz");
  get("/readyz?verbose");
  get("/hello?name=lesson");
  return unused;
}

int main(void) {
  printf("lesson: serve_health\n");
  corbel_runtime_options ro = {.struct_size = sizeof ro, .name = "serve_health"};
  corbel_runtime *rt = NULL;
  corbel_events *q = NULL;
  corbel_http *http = NULL;
  corbel_error *e = NULL;
  if (corbel_runtime_open(&ro, &rt, &e) || corbel_events_open(rt, 0, &q, &e)) die("runtime", e);
  corbel_http_options ho = {.struct_size = sizeof ho, .to = q}; /* a free port of 127.0.0.1 */
  if (corbel_http_open(rt, &ho, &http, &e)) die("http", e);
  if (corbel_http_route(http, "GET", "/hello", &e)) die("route", e);
  port = corbel_http_port(http);

  pthread_t client;
  if (pthread_create(&client, NULL, probe, NULL)) return 1;
  corbel_event ev;
  if (corbel_events_take(q, &ev, 1, sizeof ev, 10000) == 1 && ev.kind == CORBEL_EVENT_REQUEST) {
    char text[200];
    int n = snprintf(text, sizeof text, "hello %s", corbel_request_parameter(ev.object, "name"));
    corbel_http_answer a = {.struct_size = sizeof a, .body = {text, (size_t)n}};
    if (corbel_request_answer(ev.object, &a, &e)) die("answer", e);
    corbel_event_clear(&ev, sizeof ev);
  }
  pthread_join(client, NULL);

  corbel_health_drain(rt, 1); /* from now on a load balancer sends nothing new */
  get("/readyz");
  corbel_http_free(http);
  corbel_runtime_shutdown(rt, 0, NULL);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  return 0;
}
