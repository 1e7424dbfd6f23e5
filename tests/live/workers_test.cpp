#include "live/hosts_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <dirent.h>
#include <set>

using namespace corbel;
using namespace corbel::test;
using namespace std::chrono_literals;

namespace {

std::set<pid_t> children_of(pid_t parent) {
  std::set<pid_t> found;
  std::ifstream list("/proc/" + std::to_string(parent) + "/task/" + std::to_string(parent) + "/children");
  for (pid_t pid; list >> pid;) found.insert(pid);
  return found;
}

/// The workers of a host, when all of them are there: one is enough for /health.
std::set<pid_t> workers_of(const host &h, std::size_t count) {
  REQUIRE(until(20s, [&] { return children_of(h.process.pid()).size() == count; }));
  return children_of(h.process.pid());
}

bool runs(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string number, name, state;
  return (stat >> number >> name >> state) && state != "Z";
}

/// Process ids in the names of the connections, CLIENT SETNAME <name>:<instance>:<pid>:<kind>.
std::set<pid_t> connected(redis_server &redis, const std::string &instance) {
  std::set<pid_t> found;
  for (auto &line : redis.clients(":" + instance + ":")) {
    auto at = line.find(":" + instance + ":") + instance.size() + 2;
    found.insert(std::atoi(line.c_str() + at));
  }
  return found;
}

}  // namespace

TEST_CASE("four workers share the port and the instance, each with pools of its own") {
  redis_server redis;
  host ingress("ingress", redis.url(), {"--workers", "4"}), proc("proc", redis.url(), {"--workers", "2"});
  REQUIRE(until(20s, [&] { return connected(redis, "ingress-1").size() == 4; }));
  CHECK(connected(redis, "ingress-1") == children_of(ingress.process.pid()));
  REQUIRE(until(20s, [&] { return connected(redis, "proc-1").size() == 2; }));

  auto stream = sse_client::of(ingress.port, "s1", "me");
  CHECK(stream.next().event == "ready");
  for (int i = 0; i < 40; ++i) {
    auto posted = http_post(ingress.port, "/api/chat/messages", plain("s1", "one two", "e" + std::to_string(i)));
    REQUIRE(posted.status == 200);
  }
  std::set<std::string> answered;
  for (int i = 0; i < 40; ++i) answered.insert(stream.next("chat_complete").id);
  CHECK(answered.size() == 40);
}

TEST_CASE("a dead worker is started again, and the others go on") {
  redis_server redis;
  host ingress("ingress", redis.url(), {"--workers", "2"});
  auto before = workers_of(ingress, 2);
  ::kill(*before.begin(), SIGKILL);
  REQUIRE(until(20s, [&] {
    auto now = connected(redis, "ingress-1");
    return now.size() == 2 && !now.contains(*before.begin());
  }));
  CHECK(children_of(ingress.process.pid()).contains(*before.rbegin()));
  CHECK(ingress.health() == 200);
  CHECK(ingress.log().find("ended with status 137; it is started again in 0 ms") != std::string::npos);
}

TEST_CASE("SIGTERM drains every worker, and the worst status is the supervisor's") {
  redis_server redis;
  SUBCASE("all well") {
    host proc("proc", redis.url(), {"--workers", "3", "--drain-notice-ms", "0"});
    auto workers = workers_of(proc, 3);
    ::kill(proc.process.pid(), SIGTERM);
    CHECK(proc.process.wait_for(30s) == 0);
    for (auto pid : workers) CHECK_FALSE(runs(pid));
  }
  SUBCASE("one was killed meanwhile") {
    host proc("proc", redis.url(), {"--workers", "2", "--drain-notice-ms", "3000"});
    auto workers = workers_of(proc, 2);
    REQUIRE(until(20s, [&] { return connected(redis, "proc-1").size() == 2; }));  // SIGTERM ends one that serves not yet
    ::kill(proc.process.pid(), SIGTERM);
    REQUIRE(until(20s, [&] { return proc.health() == 503; }));
    ::kill(*workers.begin(), SIGKILL);
    CHECK(proc.process.wait_for(30s).value_or(-1) == 137);
  }
}

TEST_CASE("workers end with a supervisor that was killed") {
  redis_server redis;
  host proc("proc", redis.url(), {"--workers", "2", "--drain-notice-ms", "0"});
  auto workers = workers_of(proc, 2);
  proc.process.kill();
  CHECK(until(20s, [&] { return std::none_of(workers.begin(), workers.end(), runs); }));
}

TEST_CASE("what no restart mends ends all at once") {
  redis_server redis;
  child_process wrong(
      {(host_binaries() / "corbel-ingress").string(), "--workers", "2", "--port", std::to_string(free_port())}, "/dev/null",
      {"REDIS_URL=nonsense://x"});
  CHECK(wrong.wait_for(30s) == 2);
  child_process no_port({(host_binaries() / "corbel-ingress").string(), "--workers", "2", "--port", "0"}, "/dev/null",
                        {"REDIS_URL=" + redis.url()});
  CHECK(no_port.wait_for(30s) == 2);
}
