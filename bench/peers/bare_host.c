/* The least that a host with Redis and PostgreSQL can be: one connection to each, made one after the other, and a socket on
 * which everybody is answered 200.
 *
 *     peer_bare_host --port 8010 --redis 6379 --postgres 5432 */
#define _GNU_SOURCE
#include "../measure.h"

#include <hiredis/hiredis.h>

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv) {
  char conninfo[128];
  const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
  snprintf(conninfo, sizeof conninfo, "host=127.0.0.1 user=postgres dbname=postgres port=%s",
           measure_option(argc, argv, "postgres", "5432"));
  redisContext *redis = redisConnect("127.0.0.1", (int)measure_number(argc, argv, "redis", 6379));
  PGconn *postgres = PQconnectdb(conninfo);
  void *pong = redis && !redis->err ? redisCommand(redis, "PING") : NULL;
  if (!pong || PQstatus(postgres) != CONNECTION_OK) {
    fprintf(stderr, "peer_bare_host: cannot connect: %s\n", PQerrorMessage(postgres));
    return 1;
  }
  int on = 1, listening = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in here = {0};
  here.sin_family = AF_INET;
  here.sin_port = htons((uint16_t)measure_number(argc, argv, "port", 8010));
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listening, (struct sockaddr *)&here, sizeof here) || listen(listening, 16)) return 1;
  for (;;) {
    char request[4096];
    int one = accept(listening, NULL, NULL);
    if (one >= 0 && recv(one, request, sizeof request, 0) > 0) send(one, answer, sizeof answer - 1, MSG_NOSIGNAL);
    close(one);
  }
}
