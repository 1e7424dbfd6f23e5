/// Ten thousand messages while Redis is killed and started again five times: every one is worked, none is lost.

#include "live/queue_fixture.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <cstdio>
#include <unordered_map>

using namespace corbel;
using namespace corbel::test;
namespace asio = boost::asio;

namespace {

constexpr int messages = 10000, batch = 20, restarts = 5;

struct tally {
  std::atomic<int> sent{0}, put_again{0}, worked{0}, distinct{0};
  std::atomic<std::uint32_t> most_attempts{0};
  std::unordered_map<std::string, int> times;  // the consumers' I/O thread only
};

/// Puts each batch until it is confirmed; a batch whose answer was lost may so be there twice.
asio::awaitable<void> send_all(producer in, tally &t) {
  for (int first = 0; first < messages; first += batch) {
    std::vector<put_item> items;
    for (int i = first; i < first + batch; ++i) items.push_back({"body of " + std::to_string(i), std::to_string(i)});
    for (;;) {
      auto r = co_await in.async_put(items, {}, asio::use_awaitable);
      if (r) break;
      ++t.put_again;
    }
    t.sent += batch;
  }
}

asio::awaitable<void> work(consumer &out, tally &t) {
  for (;;) {
    auto m = co_await out.async_take(asio::use_awaitable);
    if (!m) co_return;
    CHECK(m->body() == "body of " + m->id());
    t.most_attempts = std::max(t.most_attempts.load(), m->attempt());
    if (++t.times[m->id()] == 1) ++t.distinct;
    auto ours = co_await m->async_settle(settle::done, {}, asio::use_awaitable);
    if (ours && *ours) ++t.worked;
  }
}

}  // namespace

TEST_CASE("10,000 messages and five kills: every message is worked, none is lost") {
  redis_server server({.append_only = true});
  runtime sending, working;
  redis_pool in_pool(sending, {.url = server.url(), .kind = "in"}), out_pool(working, {.url = server.url(), .kind = "out"});
  tally t;
  std::vector<std::unique_ptr<consumer>> consumers;
  for (int c = 0; c < 2; ++c) {
    consumers.push_back(std::make_unique<consumer>(
        out_pool, queue_options{.name = "work", .concurrency = 8, .prefetch = 4, .lease = std::chrono::seconds(2)}));
    for (int w = 0; w < 8; ++w) asio::co_spawn(working.executor(), work(*consumers.back(), t), asio::detached);
  }
  asio::co_spawn(sending.executor(), send_all(producer(in_pool, {.name = "work"}), t), asio::detached);

  for (int kill = 1; kill <= restarts; ++kill) {
    const int at = messages * kill / (restarts + 1);
    REQUIRE(until(60s, [&] { return t.sent >= at && t.distinct >= at / 2; }));
    const int before = t.worked;
    server.kill();
    server.start();
    REQUIRE(until(30s, [&] { return t.worked > before || t.distinct == messages; }));  // messages flow again
  }
  CHECK(until(60s, [&] { return t.distinct == messages; }));
  auto length = [&](const char *key) { return server.command({"LLEN", key}).number; };
  CHECK(until(60s, [&] { return length("work") == 0 && in_flight(server) == 0; }));
  for (auto &c : consumers) CHECK(drain(*c).value() == 0);
  CHECK(until(30s, [&] { return server.command({"EXISTS", "work:leases", "work:holders", "work:attempts"}).number == 0; }));

  int again = 0;
  for (auto &[id, times] : t.times) again += times - 1;
  std::printf("messages %d, worked at least once %d, worked again %d, batches put again %d, most attempts %u\n", messages,
              t.distinct.load(), again, t.put_again.load(), t.most_attempts.load());
  CHECK(t.times.size() == messages);
}
