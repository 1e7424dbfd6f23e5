// How soon after the server's PONG subscriptions and pipelines are live again, and that no message inside an epoch is lost.
#include "chaos/gated.hpp"

#include <fmt/format.h>

#include <map>
#include <thread>

using namespace corbel;
using namespace corbel::test;
using steady = std::chrono::steady_clock;

namespace {

double milliseconds(steady::duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

double percentile(std::vector<double> all, double share) {
  std::sort(all.begin(), all.end());
  return all[static_cast<std::size_t>(share * static_cast<double>(all.size() - 1))];
}

}  // namespace

TEST_CASE("100 restarts: every epoch is seen, every message that the server handed over arrives in order") {
  redis_server server;
  runtime rt;
  redis_pool pool(rt, {.url = server.url()});
  redis_subscription sub(pool);
  subscribe(sub, "numbers").value();
  subscription_reader reader(std::move(sub));

  int next = 0;
  std::vector<std::string> handed_over;
  auto publish = [&] {
    auto payload = std::to_string(next++);
    if (server.command({"PUBLISH", "numbers", payload}).number == 1) handed_over.push_back(payload);
  };
  auto wait_for_all = [&] { REQUIRE((handed_over.empty() || reader.wait_for_payload(handed_over.back()))); };

  std::vector<double> live;
  for (int restart = 0; restart < 100; ++restart) {
    CAPTURE(restart);
    for (int i = 0; i < 20; ++i) publish();
    wait_for_all();
    gated::grow_old();
    server.kill();
    auto answered = std::async(std::launch::async, [&] {
      auto r = ask(pool, redis_command("PING"), {.timeout = 30s, .idempotent = true});
      CHECK(text(r) == "PONG");
      return steady::now();
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(restart % 10 * 150));  // the outage
    server.spawn();
    auto pong = server.wait_ready();
    auto epoch = static_cast<std::uint64_t>(restart) + 2;
    std::optional<seen_notice> first;
    auto is_first = [&](const seen_notice &n) { return n.type == notice_kind::message && n.epoch >= epoch; };
    REQUIRE(until(patience, [&] {
      publish();
      return (first = reader.wait_for(is_first, 0ms)).has_value();
    }));
    live.push_back(milliseconds(std::max({steady::duration(0), first->when - pong, answered.get() - pong})));
  }
  for (int i = 0; i < 20; ++i) publish();
  wait_for_all();

  CHECK(reader.payloads() == handed_over);
  std::map<std::uint64_t, int> last;
  std::size_t unexplained = 0;
  for (auto &n : reader.seen()) {
    CHECK(n.dropped == 0);
    if (n.type != notice_kind::message) continue;
    auto number = std::stoi(n.payload);
    auto [at, is_new] = last.try_emplace(n.epoch, number);
    if (!is_new) unexplained += number != std::exchange(at->second, number) + 1;
  }
  CHECK(unexplained == 0);
  CHECK(last.size() == 101);
  CHECK(last.begin()->first == 1);
  CHECK(last.rbegin()->first == 101);
  CHECK(count(reader, notice_kind::gap) == 100);
  CHECK(count(reader, notice_kind::resubscribed) == 100);
  fmt::print("resubscribe p50 {:.1f} ms p95 {:.1f} ms\n", percentile(live, 0.50), percentile(live, 0.95));
}
