/* One prepared statement in a plain libpq loop on one thread: pipeline mode, a sync after each statement, N in flight over M
 * connections. Results that are read make room for statements, which leave in one write when no result is left.
 * With --plain 1 one connection and PQexecPrepared, without pipeline mode.
 *
 *     peer_libpq_loop --port 5432 --in-flight 64 --connections 8 --statement one|lookup --seconds 1.5 */
#define _GNU_SOURCE
#include "../measure.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <poll.h>

#define ROWS 100000u
#define MOST 64

static int is_lookup;
static unsigned id = 1;
static unsigned long done;

static void fail(const char *what, PGconn *c) {
  fprintf(stderr, "peer_libpq_loop: %s: %s\n", what, PQerrorMessage(c));
  exit(1);
}

static PGconn *connect_to(const char *port) {
  char conninfo[128];
  snprintf(conninfo, sizeof conninfo,
           "host=127.0.0.1 port=%s user=postgres dbname=postgres sslmode=disable gssencmode=disable", port);
  PGconn *c = PQconnectdb(conninfo);
  if (PQstatus(c) != CONNECTION_OK) fail("connect", c);
  const Oid types[1] = {23};
  const char *sql = is_lookup ? "SELECT name FROM bench WHERE id = $1" : "SELECT 1";
  PGresult *r = PQprepare(c, "s", sql, is_lookup, types);
  if (PQresultStatus(r) != PGRES_COMMAND_OK) fail("prepare", c);
  PQclear(r);
  return c;
}

static void look_at(PGresult *r, PGconn *c) {
  if (PQresultStatus(r) != PGRES_TUPLES_OK || PQntuples(r) != 1 || PQgetlength(r, 0, 0) == 0) fail("result", c);
  if (!is_lookup && PQgetvalue(r, 0, 0)[0] != '1') fail("not the value that is there", c);
  PQclear(r);
  done++;
}

/* The one parameter, in binary format. */
static const int binary[1] = {1}, size[1] = {4};
static uint32_t wire;
static const char *const value[1] = {(const char *)&wire};

static void next_parameter(void) {
  id = (id * 1103515245u + 12345u) % ROWS;
  wire = htonl(id);
}

static void send_one(PGconn *c) {
  next_parameter();
  if (!PQsendQueryPrepared(c, "s", is_lookup, value, size, binary, 0) || !PQpipelineSync(c)) fail("send", c);
}

/* Takes what has come; each result is followed by NULL and, for its sync, PGRES_PIPELINE_SYNC. */
static void take(PGconn *c) {
  if (!PQconsumeInput(c)) fail("read", c);
  while (!PQisBusy(c)) {
    PGresult *r = PQgetResult(c);
    if (!r) continue;
    if (PQresultStatus(r) != PGRES_PIPELINE_SYNC) {
      look_at(r, c);
      continue;
    }
    PQclear(r);
    send_one(c);
  }
  if (PQflush(c) < 0) fail("write", c);
}

int main(int argc, char **argv) {
  if (measure_option(argc, argv, "version", NULL)) {
    const int v = PQlibVersion();
    printf("%d.%d\n", v / 10000, v % 10000);
    return 0;
  }
  const char *port = measure_option(argc, argv, "port", "5432");
  const int in_flight = atoi(measure_option(argc, argv, "in-flight", "1"));
  const int connections = atoi(measure_option(argc, argv, "connections", "1"));
  const double seconds = measure_number(argc, argv, "seconds", 1.5);
  is_lookup = strcmp(measure_option(argc, argv, "statement", "one"), "lookup") == 0;
  if (connections < 1 || connections > MOST) return 2;

  PGconn *all[MOST];
  struct pollfd polled[MOST];
  for (int i = 0; i < connections; i++) all[i] = connect_to(port);
  struct stop_watch watch;
  unsigned long before = 0;
  if (measure_number(argc, argv, "plain", 0)) {
    watch = stop_watch_begin(seconds);
    do {
      before = done;
      for (int i = 0; i < 16; i++) {
        next_parameter();
        look_at(PQexecPrepared(all[0], "s", is_lookup, value, size, binary, 0), all[0]);
      }
    } while (stop_watch_goes_on(&watch, (double)(done - before)));
  } else {
    for (int i = 0; i < connections; i++) {
      if (PQsetnonblocking(all[i], 1) || !PQenterPipelineMode(all[i])) fail("pipeline", all[i]);
      polled[i].fd = PQsocket(all[i]);
      polled[i].events = POLLIN;
      for (int n = 0; n < in_flight / connections; n++) send_one(all[i]);
      if (PQflush(all[i]) < 0) fail("write", all[i]);
    }
    watch = stop_watch_begin(seconds);
    do {
      before = done;
      if (poll(polled, (nfds_t)connections, 1000) <= 0) fail("poll", all[0]);
      for (int i = 0; i < connections; i++)
        if (polled[i].revents) take(all[i]);
    } while (stop_watch_goes_on(&watch, (double)(done - before)));
  }
  for (int i = 0; i < connections; i++) PQfinish(all[i]);
  return 0;
}
