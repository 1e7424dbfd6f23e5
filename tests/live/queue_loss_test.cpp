/// Answers that never come: the server has done it, the caller cannot know. Through a gate that resets connections.

#include "live/queue_fixture.hpp"
#include "support/tcp_gate.hpp"

using namespace corbel;
using namespace corbel::test;

namespace {

/// A second pool whose way to the server can be disturbed.
struct gated_fixture : queue_fixture {
  tcp_gate gate{server.port()};
  redis_pool gated{rt, {.url = gate.url(), .kind = "gated"}};
  /// Answers stay in the gate until its connections are reset.
  void hold_answers() { gate.set_delay(std::chrono::hours(1)); }
  void lose_answers() {
    gate.reset_all();
    gate.set_delay(0ms);
  }
};

}  // namespace

TEST_CASE_FIXTURE(gated_fixture, "a put whose answer was lost says that it may have been applied") {
  producer in(gated, {.name = "work"});
  REQUIRE(now(in.async_put({.body = "warm"}, boost::asio::use_future)));
  hold_answers();
  auto f = in.async_put({.body = "x"}, boost::asio::use_future);
  REQUIRE(until(patience, [&] { return ready() == 2; }));
  lose_answers();
  auto r = now(std::move(f));
  CHECK(r.error().is(status::lost));
  CHECK(r.error().may_be_applied());
}

TEST_CASE_FIXTURE(gated_fixture, "what a claim took whose answer was lost is given back at once") {
  put({{"known"}});
  consumer out(gated, {.name = "work", .concurrency = 3, .lease = 1h});
  {
    auto m = take(out);  // now the server knows the scripts
    CHECK(settled(m));
  }
  hold_answers();
  put({{"1"}, {"2"}, {"3"}});
  std::vector<std::future<result<message>>> waiting;
  for (int i = 0; i < 3; ++i) waiting.push_back(taking(out));
  REQUIRE(until(patience, [&] { return inflight() > 0; }));
  lose_answers();
  for (auto &f : waiting) {
    auto m = now(std::move(f));
    REQUIRE(m);
    CHECK(m->body() == std::to_string(&f - waiting.data() + 1));
    CHECK(m->attempt() == 1);
    CHECK(settled(*m));
  }
  CHECK(is_empty());
}

TEST_CASE_FIXTURE(gated_fixture, "a settlement whose answer was lost is sent again and ends well") {
  put({{"1"}, {"2"}, {"3"}});
  consumer out(gated, {.name = "work", .lease = 1h});
  for (const auto &how : {retry_at_once(), settle_request(settle::hand_back), settle_request(settle::done)}) {
    auto m = take(out);  // now the server knows the scripts
    CHECK(settled(m, how));
  }
  for (const auto &how : {retry_at_once(), settle_request(settle::hand_back), settle_request(settle::done)}) {
    auto m = take(out);
    hold_answers();
    auto f = m.async_settle(how, {}, boost::asio::use_future);
    REQUIRE(until(patience, [&] { return inflight() == 0; }));
    lose_answers();
    auto r = now(std::move(f));
    REQUIRE_MESSAGE(r, r.error().message());
    CHECK(*r);
  }
  CHECK(ready() == 1);
}

TEST_CASE_FIXTURE(gated_fixture, "a settlement that finds no server until its deadline can be repeated") {
  put({{"1"}});
  consumer out(gated, {.name = "work", .lease = 1h});
  auto m = take(out);
  gate.refuse(true);
  gate.reset_all();
  auto r = settling(m, settle::done, {.timeout = 300ms});
  REQUIRE_FALSE(r);
  CHECK(inflight() == 1);
  gate.refuse(false);
  CHECK(settled(m));
  CHECK(is_empty());
}

TEST_CASE_FIXTURE(gated_fixture, "a consumer that waits through an outage goes on when the server is back") {
  consumer out(gated, {.name = "work"});
  auto waiting = taking(out);
  REQUIRE(until(patience, [&] { return peeking() == 1; }));
  gate.refuse(true);
  gate.reset_all();
  put({{"x"}});
  CHECK(waiting.wait_for(0s) == std::future_status::timeout);
  gate.refuse(false);
  auto m = now(std::move(waiting));
  REQUIRE(m);
  CHECK(settled(*m));
  auto next = taking(out);
  CHECK(until(2s, [&] { return peeking() == 1; }));  // it is not left without a wake
  put({{"y"}});
  auto n = now(std::move(next));
  REQUIRE(n);
  CHECK(settled(*n));
}

TEST_CASE_FIXTURE(queue_fixture, "an idle consumer costs the server at most two commands a second") {
  consumer out(pool, {.name = "work", .concurrency = 4});
  auto waiting = taking(out);
  REQUIRE(until(patience, [&] { return peeking() == 1; }));
  auto info = [&](const std::string &section, const std::string &name) {
    const auto text = server.command({"INFO", section}).text;
    return std::stoll(text.substr(text.find("\n" + name + ":") + name.size() + 2));
  };
  auto commands = [&] {
    const auto text = server.command({"INFO", "commandstats"}).text;
    long long sum = 0;  // of what is no question of this test
    for (auto at = text.find("cmdstat_"); at != text.npos; at = text.find("cmdstat_", at + 1)) {
      const auto name = text.substr(at + 8, text.find(':', at) - at - 8);
      if (name == "evalsha" || name == "eval" || name == "blmove" || name == "ping")
        sum += std::stoll(text.substr(text.find("calls=", at) + 6));
    }
    return sum;
  };
  const auto began = info("server", "uptime_in_seconds");
  const auto before = commands();
  REQUIRE(until(patience, [&] { return info("server", "uptime_in_seconds") >= began + 4; }));
  CHECK(commands() - before <= 2 * 5);
}

TEST_CASE_FIXTURE(queue_fixture, "all consumers of a process wait on one connection for a list") {
  consumer one(pool, {.name = "work"}), two(pool, {.name = "work"});
  auto first = taking(one), second = taking(two);
  REQUIRE(until(patience, [&] { return peeking() == 1; }));
  put({{"x"}, {"y"}});
  auto m = now(std::move(first)), n = now(std::move(second));
  REQUIRE((m && n));
  CHECK(settled(*m));
  CHECK(settled(*n));
}

TEST_CASE_FIXTURE(queue_fixture, "a pool of one connection has none to wait on, says so, and works by looking") {
  redis_pool one(rt, {.url = server.url(), .kind = "one", .max_size = 1});
  consumer out(one, {.name = "work"});
  auto waiting = taking(out);
  put({{"x"}});
  auto m = now(std::move(waiting));
  REQUIRE(m);
  CHECK(settled(*m));
  put({{"y"}});
  auto n = take(out);
  CHECK(n.body() == "y");
  CHECK(settled(n));
}
