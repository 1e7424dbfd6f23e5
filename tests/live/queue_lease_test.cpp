/// Leases: renewed while their holder lives, ended when it dies, refused to who lost them. What other hands did to the
/// lists.

#include "live/queue_fixture.hpp"
#include "support/child_process.hpp"

#include <csignal>
#include <cstdlib>
#include <unistd.h>

using namespace corbel;
using namespace corbel::test;

namespace {

/// The other process of the test below: takes one message, says so in a key, and holds it until it is killed.
[[noreturn]] void hold_a_message(const char *url) {
  runtime rt;
  redis_pool pool(rt, {.url = url});
  consumer out(pool, {.name = "work", .lease = 1000ms});
  auto m = out.async_take(boost::asio::use_future).get();
  if (!m || !pool.send(redis_command("SET", "held", m->id()))) ::_exit(1);
  for (;;) ::pause();
}

struct other_process : doctest::IReporter {
  explicit other_process(const doctest::ContextOptions &) {}
  void test_run_start() override {
    if (const char *url = std::getenv("CORBEL_QUEUE_HOLDER")) hold_a_message(url);
  }
  void report_query(const doctest::QueryData &) override {}
  void test_run_end(const doctest::TestRunStats &) override {}
  void test_case_start(const doctest::TestCaseData &) override {}
  void test_case_reenter(const doctest::TestCaseData &) override {}
  void test_case_end(const doctest::CurrentTestCaseStats &) override {}
  void test_case_exception(const doctest::TestCaseException &) override {}
  void subcase_start(const doctest::SubcaseSignature &) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData &) override {}
  void log_message(const doctest::MessageData &) override {}
  void test_case_skipped(const doctest::TestCaseData &) override {}
};
REGISTER_LISTENER("other process", 1, other_process);

}  // namespace

TEST_CASE_FIXTURE(queue_fixture, "a lease is renewed for as long as its message is held") {
  put({{"x", "m"}});
  consumer holder(pool, {.name = "work", .lease = 300ms}), other(pool, {.name = "work", .lease = 300ms});
  auto m = take(holder);
  auto waiting = taking(other);
  auto lease = [&] { return lease_of(server, m.token()); };
  const auto before = lease();
  REQUIRE(until(patience, [&] { return lease() > before + 3000; }));  // ten lease times, and the other's reaper ran
  CHECK(waiting.wait_for(0s) == std::future_status::timeout);
  CHECK(settled(m));
  CHECK(is_empty());
}

TEST_CASE_FIXTURE(queue_fixture, "what a killed process held comes back after its lease, with one attempt more") {
  put({{"x", "m"}});
  child_process killed({"/proc/self/exe"}, server.directory().file("holder.log"), {"CORBEL_QUEUE_HOLDER=" + server.url()});
  REQUIRE(until(patience, [&] { return server.command({"GET", "held"}).text == "m"; }));
  consumer out(pool, {.name = "work", .lease = 1000ms});
  auto waiting = taking(out);
  CHECK(killed.kill() == -SIGKILL);
  CHECK(waiting.wait_for(0s) == std::future_status::timeout);
  auto m = now(std::move(waiting));
  REQUIRE(m);
  CHECK(m->body() == "x");
  CHECK(m->attempt() == 2);
  CHECK(settled(*m));
  CHECK(is_empty());
}

TEST_CASE_FIXTURE(queue_fixture, "who lost the lease is refused by its token") {
  for (auto how : {settle::done, settle::retry, settle::bury, settle::hand_back}) {
    put({{"x", "m"}});
    consumer first(pool, {.name = "work", .lease = 1h}), second(pool, {.name = "work", .lease = 300ms});
    auto a = take(first);
    auto waiting = taking(second);
    end_lease(server, a.token());
    auto b = now(std::move(waiting));
    REQUIRE(b);
    CHECK(b->attempt() == 2);
    CHECK(b->token() > a.token());
    CHECK_FALSE(settled(a, how));
    CHECK(inflight() == 1);
    CHECK(ready() == 0);
    CHECK(settled(*b));
    CHECK(is_empty());
  }
}

TEST_CASE_FIXTURE(queue_fixture, "a lease that ended but was taken by nobody still counts") {
  put({{"x", "m"}});
  consumer out(pool, {.name = "work", .lease = 1h});
  auto m = take(out);
  end_lease(server, m.token());
  CHECK(settled(m));
  CHECK(is_empty());
}

TEST_CASE_FIXTURE(queue_fixture, "the reaper keeps the order, gives what has no lease one first, and forgets what is gone") {
  for (auto claim : {"1", "2", "3"}) leave_claim(server, claim, std::string(claim) + "\n" + claim);
  server.command({"ZADD", "work:leases", "1", "4"});  // not there
  server.command({"ZADD", "work:leases", "1", "3"});
  consumer out(pool, {.name = "work", .lease = 500ms});
  std::vector<std::string> bodies;
  for (int i = 0; i < 3; ++i) {
    auto m = take(out);
    bodies.emplace_back(m.body());
    CHECK(settled(m));
  }
  CHECK(bodies.front() == "3");
  std::sort(bodies.begin(), bodies.end());
  CHECK(bodies == std::vector<std::string>{"1", "2", "3"});
  CHECK(until(patience, [&] { return is_empty(); }));
}

TEST_CASE_FIXTURE(queue_fixture, "many messages without a lease are found in steps and reaped in steps, the oldest first") {
  for (int i = 0; i < 700; ++i) leave_claim(server, std::to_string(1000 + i), std::to_string(i) + "\nx");
  consumer out(pool, {.name = "work", .lease = 300ms});
  REQUIRE(until(patience, [&] { return number({"ZCARD", "work:leases"}) == 700 || ready() > 0; }));
  CHECK(until(patience, [&] { return ready() == 700; }));
  CHECK(inflight() == 0);
}

TEST_CASE_FIXTURE(queue_fixture, "an element put by other hands is a message too, known by its SHA1") {
  const std::string body = "{\"text\": \"put by another program\"}";
  server.command({"LPUSH", "work", body});
  consumer out(pool, {.name = "work"});
  auto m = take(out);
  CHECK(m.body() == body);
  CHECK(m.id().size() == 40);
  CHECK(settled(m, retry_at_once()));
  auto again = take(out);
  CHECK(again.body() == body);
  CHECK(again.attempt() == 2);
  CHECK(settled(again));
  CHECK(is_empty());
}

TEST_CASE_FIXTURE(queue_fixture, "a server without memory refuses what is put and can be emptied") {
  put({{"1"}, {"2"}});
  server.command({"CONFIG", "SET", "maxmemory", "1"});
  producer in(pool, {.name = "work"});
  auto refused = now(in.async_put({.body = "3"}, boost::asio::use_future));
  CHECK(refused.error().is(status::refused));
  CHECK(refused.error().native() == "OOM");
  consumer out(pool, {.name = "work", .lease = 300ms});
  auto m = take(out);
  auto lease = [&] { return lease_of(server, m.token()); };
  const auto before = lease();
  REQUIRE(until(patience, [&] { return lease() > before; }));
  CHECK(settled(m, retry_at_once()));
  for (auto body : {"1", "2"}) {
    auto n = take(out);
    CHECK(n.body() == body);
    CHECK(settled(n));
  }
  CHECK(is_empty());
}
