/* A redis-server of the test's own: a free port of the loopback address, a folder in /tmp, killed with the test. */
#ifndef TESTS_CAPI_SERVER_H
#define TESTS_CAPI_SERVER_H
#include "check.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct server {
  pid_t pid;
  int port;
  char folder[64];
  char url[64];
};

static inline struct sockaddr_in server_address(int port) {
  struct sockaddr_in a;
  memset(&a, 0, sizeof a);
  a.sin_family = AF_INET;
  a.sin_port = htons((uint16_t)port);
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return a;
}

/* Below the range that clients get theirs from: while the server is down nobody else may end up on its port. */
static inline int server_free_port(void) {
  unsigned start = (unsigned)getpid() * 61u + (unsigned)time(NULL), i;
  for (i = 0; i < 1000; i++) {
    const int port = 10000 + (int)((start + i * 7u) % 22000u);
    struct sockaddr_in a = server_address(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int free_now = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0;
    close(fd);
    if (free_now) return port;
  }
  REQUIRE(!"a free port between 10000 and 32000");
  return 0;
}

static inline int server_answers(int port) {
  struct sockaddr_in a = server_address(port);
  char answer[8] = "";
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  int ok = connect(fd, (struct sockaddr *)&a, sizeof a) == 0 && write(fd, "PING\r\n", 6) == 6 &&
           read(fd, answer, sizeof answer - 1) >= 5 && memcmp(answer, "+PONG", 5) == 0;
  close(fd);
  return ok;
}

/* Starts the program on the port that s names; 0 when it did not come up (somebody took the port). */
static inline int server_launch(struct server *s) {
  char port[16];
  snprintf(port, sizeof port, "%d", s->port);
  s->pid = fork();
  REQUIRE(s->pid >= 0);
  if (s->pid == 0) {
    int null = open("/dev/null", O_RDWR);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(null, 1);
    dup2(null, 2);
    execlp("redis-server", "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
           "--dir", s->folder, (char *)NULL);
    _exit(127);
  }
  for (long long until = now_ms() + 20000; now_ms() < until;) {
    struct timespec step = {0, 2000000};
    if (waitpid(s->pid, NULL, WNOHANG) == s->pid) return 0;
    if (server_answers(s->port)) return 1;
    nanosleep(&step, NULL);
  }
  return 0;
}

static inline void server_kill(struct server *s) {
  kill(s->pid, SIGKILL);
  waitpid(s->pid, NULL, 0);
  s->pid = 0;
}

static inline void server_start(struct server *s) {
  int up = 0;
  snprintf(s->folder, sizeof s->folder, "/tmp/corbel-capi-XXXXXX");
  REQUIRE(mkdtemp(s->folder) != NULL);
  for (int tries = 0; tries < 5 && !up; tries++) {
    s->port = server_free_port();
    up = server_launch(s);
  }
  REQUIRE(up);
  snprintf(s->url, sizeof s->url, "redis://127.0.0.1:%d/0", s->port);
}

/* The same port again, after server_kill. */
static inline void server_restart(struct server *s) { REQUIRE(server_launch(s)); }

static inline void server_stop(struct server *s) {
  if (s->pid) server_kill(s);
  rmdir(s->folder);
}
#endif
