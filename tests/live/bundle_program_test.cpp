/// The program that works with git: one waits for the next job, and serves it better than a new one, never worse.

#include "live/bundle_fixture.hpp"
#include "support/children.hpp"

#include <csignal>

using namespace corbel;
using namespace corbel::test;
namespace asio = boost::asio;

namespace {

struct programs : bundle_fixture {
  programs() { repo.commit({{"main.py", "one"}}); }
  /// Those that are there when no job is under way.
  std::vector<pid_t> waiting() {
    REQUIRE(until(patience, [this] { return jobs() == 0; }));
    return children("corbel-git");
  }
  bool none_left() {
    return until(patience, [] { return children("corbel-git").empty(); });
  }
};

}  // namespace

TEST_CASE_FIXTURE(programs, "one program does job after job, and ends with the loader") {
  load(source());
  const auto first = waiting();
  REQUIRE(first.size() == 1);
  CHECK(load(source()).commit() == repo.git({"rev-parse", "main"}));
  const auto next = repo.commit({{"main.py", "two"}});
  CHECK(load(source()).commit() == next);
  CHECK(waiting() == first);
  { bundles gone = std::move(loader); }
  CHECK(none_left());
}

TEST_CASE_FIXTURE(programs, "jobs at once have a program each; one of them waits afterwards") {
  git_repository other;
  other.commit_many(50, 1000);
  auto second = source("main", "other");
  second.url = other.url();
  auto a = loader.async_load(source(), {}, asio::use_future), b = loader.async_load(second, {}, asio::use_future);
  REQUIRE(now(std::move(a)));
  REQUIRE(now(std::move(b)));
  REQUIRE(until(patience, [this] { return jobs() == 0; }));
  CHECK(until(patience, [] { return children("corbel-git").size() == 1; }));
}

TEST_CASE_FIXTURE(programs, "one that dies while it waits costs no job") {
  load(source());
  for (int i = 0; i < 20; ++i) {
    const auto there = waiting();
    for (auto pid : there) ::kill(pid, SIGKILL);
    const auto commit = repo.commit({{"main.py", std::to_string(i)}});
    CHECK(load(source()).commit() == commit);
    CHECK(waiting() != there);
  }
}

TEST_CASE_FIXTURE(programs, "none waits that was told a secret, or whose job failed") {
  auto told = source();
  told.secret = "Zq7Zq7Zq7";
  load(told);
  CHECK(none_left());
  CHECK_FALSE(try_load(source("no-such-branch")));
  CHECK(none_left());
}

TEST_CASE_FIXTURE(programs, "what one job is given counts for no other: authorities of https") {
  git_http_server server(repo.directory().path().string(), "", true);
  bundle_source trusted{.id = "app", .url = server.url(), .ca_file = server.ca()}, unknown{.id = "app", .url = server.url()};
  for (int i = 0; i < 3; ++i) {
    CHECK(load(trusted).commit() == repo.git({"rev-parse", "main"}));
    CHECK(waiting().size() == 1);
    CHECK(try_load(unknown).error().native() == "CERTIFICATE");
  }
}
