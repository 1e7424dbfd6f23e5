/// Servers that hang without closing a connection: probes are answered all the same, and the host is what it was afterwards.

#include "live/hosts_fixture.hpp"
#include "support/postgres_server.hpp"

#include <doctest/doctest.h>

#include <csignal>

using namespace corbel;
using namespace corbel::test;
using namespace std::chrono_literals;

namespace {

long parent_of(long pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text);
  std::istringstream rest(text.substr(text.rfind(')') + 1));
  std::string state;
  long parent = 0;
  rest >> state >> parent;
  return parent;
}

/// All processes of a PostgreSQL server, the one that starts the others first.
std::vector<long> processes(postgres_server &pg) {
  const long first = parent_of(std::stol(pg.value("SELECT pg_backend_pid()")));
  std::vector<long> all{first};
  for (auto &entry : std::filesystem::directory_iterator("/proc")) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") == name.npos && parent_of(std::stol(name)) == first)
      all.push_back(std::stol(name));
  }
  return all;
}

void signal_all(const std::vector<long> &pids, int number) {
  for (auto pid : pids) ::kill(static_cast<pid_t>(pid), number);
}

/// Every probe is answered; the wire gives up after 10 s, which is what a call made meanwhile would take.
void probes_are_answered(std::uint16_t port) {
  http_wire wire(port);
  for (int i = 0; i < 50; ++i)
    for (auto path : {"/health", "/livez", "/readyz", "/readyz?verbose", "/metrics"}) {
      wire.get(path);
      const auto status = wire.response().status;
      CHECK((status == 200 || (status == 503 && std::string_view(path).starts_with("/readyz"))));
    }
}

}  // namespace

TEST_CASE("Redis and PostgreSQL hang while a host is probed") {
  redis_server redis;
  postgres_server pg;
  host ingress("ingress", redis.url(), {},
               {"PGHOST=127.0.0.1", "PGPORT=" + std::to_string(pg.port()), "PGUSER=postgres", "PGDATABASE=postgres"});
  auto post = [&](int i) {
    return http_post(ingress.port, "/api/chat/messages", plain("s", "x", "e" + std::to_string(i))).status;
  };
  REQUIRE(until(20s, [&] { return http_get(ingress.port, "/readyz").status == 200; }));
  REQUIRE(post(0) == 200);
  const std::string table = "kdcube_home_default_project.requests";
  auto rows = [&] { return pg.value("SELECT count(*) FROM " + table); };
  REQUIRE(until(20s, [&] { return pg.value("SELECT to_regclass('" + table + "') IS NOT NULL") == "t" && rows() == "1"; }));

  const auto all = processes(pg);
  REQUIRE(all.size() > 3);
  signal_all(all, SIGSTOP);
  probes_are_answered(ingress.port);
  CHECK(post(1) == 200);  // its row is kept until it can be written
  redis.pause();
  probes_are_answered(ingress.port);
  CHECK(until(30s, [&] { return http_get(ingress.port, "/readyz").status == 503; }));
  probes_are_answered(ingress.port);
  CHECK(http_get(ingress.port, "/livez").status == 200);

  redis.resume();
  signal_all(all, SIGCONT);
  CHECK(until(30s, [&] { return http_get(ingress.port, "/readyz").status == 200; }));
  CHECK(post(2) == 200);
  CHECK(until(30s, [&] { return rows() == "3"; }));
}
