// A server that dies a hundred times under a thousand callers.
#include "chaos/gated.hpp"

#include <mutex>
#include <thread>

using namespace corbel;
using namespace corbel::test;

TEST_CASE("100 restarts under 1,000 callers: one completion per call, nothing applied twice, nothing leaked") {
  redis_server server({.append_only = true});
  auto descriptors = open_descriptors();
  {
    runtime rt;
    redis_pool pool(rt, {.url = server.url()});
    redis_subscription sub(pool);
    subscribe(sub, "channel").value();
    subscription_reader reader(std::move(sub));
    callers crowd(pool, 1000, 20, {.timeout = 20s});
    REQUIRE(until(patience, [&] { return crowd.ok() > 10000; }));

    std::size_t memory = 0;
    for (int restart = 0; restart < 100; ++restart) {
      CAPTURE(restart);
      if (restart == 20) memory = private_memory();
      gated::grow_old();
      if (restart % 4 == 3)
        server.stop();
      else
        server.kill();
      server.start();
      auto before = crowd.ok();
      REQUIRE(until(patience, [&] { return crowd.ok() > before + 2000; }));
      REQUIRE(until(patience,
                    [&] { return count(reader, notice_kind::resubscribed) == static_cast<std::size_t>(restart) + 1; }));
    }
    REQUIRE(crowd.stop(patience));
    if (!sanitized()) CHECK(private_memory() < memory + (16u << 20));

    auto r = crowd.report();
    check_exactly_once(r);
    CHECK(r.ok + failed_with(r, {status::lost}) == r.completed);
    CHECK(failed_with(r, {status::lost}) > 0);
    CHECK(count(reader, notice_kind::gap) == 100);
    CHECK(server.command({"PUBLISH", "channel", "end"}).number == 1);
    CHECK(reader.wait_for_payload("end"));
    auto s = pool.stats();
    CHECK(s.unanswered == 0);
    CHECK(s.waiting == 0);
    CHECK(s.reconnects >= 200);  // the pipeline and the subscription, each time
    CHECK(s.lost == failed_with(r, {status::lost}));
  }
  CHECK(until(20s, [&] { return open_descriptors() <= descriptors; }));
}

TEST_CASE("restarts under leases: each ends, none is handed out dead") {
  redis_server server({.append_only = true});
  runtime rt;
  redis_pool pool(rt, {.url = server.url(), .max_size = 8});
  std::atomic<bool> stop = false;
  std::atomic<int> incremented = 0, doubtful = 0;
  std::mutex mutex;
  std::vector<std::string> stuck;
  auto work = [&] {
    std::string at = "lease";
    try {
      while (!stop) {
        at = "lease";
        auto lease = take(pool, {.timeout = 10s});
        if (!lease) continue;
        at = "MULTI";
        if (!ask(*lease, redis_command("MULTI"), {.timeout = 10s})) continue;
        at = "INCR";
        if (!ask(*lease, redis_command("INCR", "n"), {.timeout = 10s})) continue;
        at = "EXEC";
        auto r = ask(*lease, redis_command("EXEC"), {.timeout = 10s});
        incremented += r.has_value();
        doubtful += !r && r.error().may_be_applied();
      }
    } catch (const std::exception &e) {
      std::lock_guard lock(mutex);
      stuck.push_back(at + ": " + e.what());
    }
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < 16; ++t) threads.emplace_back(work);
  for (int restart = 0; restart < 20; ++restart) {
    auto before = incremented.load();
    CHECK(until(patience, [&] { return incremented > before + 50; }));
    gated::grow_old();
    server.kill();
    server.start();
  }
  stop = true;
  for (auto &t : threads) t.join();
  CHECK(stuck == std::vector<std::string>());
  auto n = std::stoi(server.command({"GET", "n"}).text);
  CHECK(n >= incremented);
  CHECK(n <= incremented + doubtful);
  CHECK(until(patience, [&] { return pool.stats().leased == 0 && pool.stats().waiting == 0; }));
}
