/* A PostgreSQL of the test program's own: a free port, a folder in /tmp, without fsync. Run as root it runs as the user
 * postgres, because it refuses root. And waiting for what its pools answer. */
#ifndef TESTS_CAPI_POSTGRES_H
#define TESTS_CAPI_POSTGRES_H
#include "world.h"

#include <pwd.h>

#define POSTGRES_PROGRAMS "/usr/lib/postgresql/15/bin/"

struct postgres {
  pid_t pid;
  char folder[64];
  char port[16];
  char url[96];
};

/* Runs a program of PostgreSQL in a child. */
static inline pid_t postgres_spawn(const char *const *argv) {
  const char *all[32] = {"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--pdeathsig=KILL"};
  int n = geteuid() == 0 ? 5 : 0;
  for (int i = 0; argv[i]; i++) all[n++] = argv[i];
  all[n] = NULL;
  pid_t pid = fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    int null = open("/dev/null", O_RDWR);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(null, 1);
    dup2(null, 2);
    execvp(all[0], (char *const *)all);
    _exit(127);
  }
  return pid;
}

static inline int postgres_run(const char *const *argv) {
  int status = -1;
  pid_t pid = postgres_spawn(argv);
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline void postgres_start(struct postgres *p) {
  char data[96];
  int number = server_free_port();
  snprintf(p->folder, sizeof p->folder, "/tmp/corbel-capi-XXXXXX");
  REQUIRE(mkdtemp(p->folder) != NULL);
  if (geteuid() == 0) {
    struct passwd *user = getpwnam("postgres");
    REQUIRE(user != NULL && chown(p->folder, user->pw_uid, user->pw_gid) == 0);
  }
  snprintf(data, sizeof data, "%s/data", p->folder);
  snprintf(p->port, sizeof p->port, "%d", number);
  snprintf(p->url, sizeof p->url, "postgresql://postgres@127.0.0.1:%d/postgres", number);
  const char *initdb[] = {POSTGRES_PROGRAMS "initdb",
                          "-D",
                          data,
                          "-U",
                          "postgres",
                          "-A",
                          "trust",
                          "-E",
                          "UTF8",
                          "--locale=C",
                          "--no-sync",
                          NULL};
  REQUIRE(postgres_run(initdb) == 0);
  const char *server[] = {POSTGRES_PROGRAMS "postgres",
                          "-D",
                          data,
                          "-p",
                          p->port,
                          "-k",
                          p->folder,
                          "-c",
                          "fsync=off",
                          "-c",
                          "synchronous_commit=off",
                          "-c",
                          "listen_addresses=127.0.0.1",
                          NULL};
  p->pid = postgres_spawn(server);
  const char *ready[] = {POSTGRES_PROGRAMS "pg_isready", "-q", "-h", "127.0.0.1", "-p", p->port, NULL};
  AWAIT(postgres_run(ready) == 0);
}

static inline void postgres_stop(struct postgres *p) {
  const char *remove[] = {"rm", "-rf", p->folder, NULL};
  kill(p->pid, SIGQUIT);
  waitpid(p->pid, NULL, 0);
  postgres_run(remove);
  rmdir(p->folder);
}

/* One server for all cases of a program; what each case starts from. */
static struct postgres postgres;

struct pg_world {
  corbel_runtime *rt;
  corbel_events *q;
  corbel_pg *p;
};

static inline corbel_pg *open_pg(corbel_runtime *rt, uint32_t max_size) {
  corbel_pg_options o = {.struct_size = sizeof o, .conninfo = postgres.url, .max_size = max_size};
  corbel_pg *p = NULL;
  corbel_error *e = NULL;
  corbel_status s = corbel_pg_open(rt, &o, &p, &e);
  tell(e);
  REQUIRE(s == CORBEL_OK && p != NULL);
  return p;
}

static inline struct pg_world pg_world_open(uint32_t max_size) {
  struct pg_world w;
  w.rt = open_runtime();
  w.q = open_events(w.rt);
  w.p = open_pg(w.rt, max_size);
  return w;
}

static inline void pg_world_close(struct pg_world *w) {
  corbel_pg_free(w->p);
  CHECK_EQ(corbel_runtime_shutdown(w->rt, 20000, NULL), CORBEL_OK);
  corbel_events_free(w->q);
  corbel_runtime_free(w->rt);
}

static inline corbel_pg_statement statement(const char *sql) {
  corbel_pg_statement s = {.struct_size = sizeof s, .sql = sql};
  return s;
}

/* Runs a statement on the pool and waits for its event. */
static inline corbel_event ask(struct pg_world *w, const char *sql) {
  corbel_pg_statement s = statement(sql);
  corbel_call c = call_to(w->q, 7);
  corbel_ticket t = 0;
  CHECK_EQ(corbel_pg_query(w->p, &s, &c, &t), CORBEL_OK);
  corbel_event ev = await_event(w->q, CORBEL_EVENT_RESULT);
  CHECK(t != 0 && ev.ticket == t && ev.user == 7 && ev.source == CORBEL_SOURCE_POSTGRES);
  return ev;
}

/* The same on a lease. */
static inline corbel_event ask_on(struct pg_world *w, corbel_pg_conn *k, const char *sql) {
  corbel_pg_statement s = statement(sql);
  corbel_call c = call_to(w->q, 8);
  corbel_ticket t = 0;
  CHECK_EQ(corbel_pg_conn_query(k, &s, &c, &t), CORBEL_OK);
  corbel_event ev = await_event(w->q, CORBEL_EVENT_RESULT);
  CHECK(ev.ticket == t && ev.user == 8);
  return ev;
}

/* The event's only value is this text; frees it. */
static inline int gives(corbel_event ev, const char *text) {
  corbel_bytes b = {NULL, 0};
  if (ev.error) printf("  %s\n", corbel_error_message(ev.error));
  int ok = ev.status == CORBEL_OK && corbel_pg_result_value(ev.object, 0, 0, &b) == CORBEL_OK && same(b, text);
  corbel_event_clear(&ev, sizeof ev);
  return ok;
}

/* The event has this status; frees it. */
static inline int ends(corbel_event ev, corbel_status status) {
  int ok = ev.status == status;
  if (!ok) printf("  %s %s\n", corbel_status_name(ev.status), corbel_error_message(ev.error));
  corbel_event_clear(&ev, sizeof ev);
  return ok;
}

static inline corbel_pg_conn *pg_lease(struct pg_world *w) {
  corbel_call c = call_to(w->q, 9);
  corbel_ticket t = 0;
  CHECK_EQ(corbel_pg_lease(w->p, &c, &t), CORBEL_OK);
  corbel_event ev = await_event(w->q, CORBEL_EVENT_PG_LEASE);
  CHECK(ev.ticket == t && ev.user == 9 && ev.status == CORBEL_OK);
  REQUIRE(ev.object != NULL);
  return ev.object;
}

static inline int postgres_report(void) {
  postgres_stop(&postgres);
  return check_report();
}
#endif
