/// Heartbeats as admission counts them.

#include "live/fleet_fixture.hpp"
#include "queue/fleet/capacity.hpp"
#include "queue/fleet_watch.hpp"

#include <boost/asio/post.hpp>

#include <future>
#include <memory>

using namespace corbel;
using namespace corbel::test;

namespace {

struct watch_fixture : fleet_fixture {
  detail::fleet_watch watching(std::optional<std::uint64_t> capacity = {}) {
    return {pool, {}, {.capacity = capacity, .tenant = "t", .project = "p"}};
  }
  result<detail::fleet_capacity> asked(detail::fleet_watch &watch) {
    auto promise = std::make_shared<std::promise<result<detail::fleet_capacity>>>();
    auto told = promise->get_future();
    asio::post(pool.executor(), [&watch, promise] {
      watch.now([promise](result<detail::put_admission> r) {
        promise->set_value(r ? result<detail::fleet_capacity>(r->fleet) : result<detail::fleet_capacity>(r.error()));
      });
    });
    REQUIRE(told.wait_for(patience) == std::future_status::ready);
    return told.get();
  }
};

}  // namespace

TEST_CASE_FIXTURE(watch_fixture, "admission counts what works: ours, and full ones of the platform; not those that drain") {
  auto watch = watching();
  auto empty = asked(watch);
  REQUIRE(empty);
  CHECK(empty->processes == 0);
  queue_heartbeat a(pool, beat("a", 4)), b(pool, beat("b", 5));
  platform_writes("full", 5, 5, "ServiceHealth.UNHEALTHY");
  platform_writes("ill", 1, 5, "ServiceHealth.UNHEALTHY");
  platform_writes("degraded", 4, 5, "ServiceHealth.DEGRADED");
  auto holds = [&](std::uint64_t processes, std::uint64_t capacity) {
    return until(patience, [&] {
      auto r = asked(watch);
      return r && r->processes == processes && r->capacity == capacity;
    });
  };
  CHECK(holds(4, 56));
  REQUIRE(drain(a));
  CHECK(holds(3, 42));
  server.command({"DEL", "t:p:kdcube:heartbeat:process:full:chat:proc:1"});  // it ended; the index still names it
  CHECK(holds(2, 28));
  CHECK(server.command({"ZCARD", index_key}).number == 4);  // readers remove nothing
}

TEST_CASE_FIXTURE(watch_fixture, "a known capacity is told at once, and kept while the server is away") {
  auto fixed = watching(12);
  CHECK(asked(fixed)->capacity == 12);
  auto watch = watching();
  platform_writes("a", 0, 5, "healthy");
  REQUIRE(asked(watch));
  server.command({"CONFIG", "RESETSTAT"});
  for (int i = 0; i < 100; ++i) CHECK(asked(watch)->capacity == 14);
  const auto ran = server.command({"INFO", "commandstats"}).text;
  const auto scripts = ran.find("cmdstat_evalsha:calls=");  // no such line where there was none
  CHECK((scripts == ran.npos || std::stoi(ran.substr(scripts + 22)) < 10));
  server.kill();
  auto late = watching();
  CHECK_FALSE(asked(late));  // nothing is known, and cannot be read
  CHECK(asked(watch)->capacity == 14);
  server.start();
  CHECK(until(patience, [&] {
    auto r = asked(late);
    return r && r->processes == 0;
  }));
}

TEST_CASE_FIXTURE(watch_fixture, "a thousand heartbeats are one reading, and a beat among them stays short") {
  for (int i = 0; i < 1200; ++i) platform_writes("i" + std::to_string(i), 0, 5, "ServiceHealth.HEALTHY");
  auto watch = watching();
  auto r = asked(watch);
  REQUIRE(r);
  CHECK(r->processes == 1200);
  CHECK(r->capacity == 1200 * 14);
}
