// Connections that are reset in the middle of a reply.
#include "chaos/gated.hpp"

#include <random>

using namespace corbel;
using namespace corbel::test;

TEST_CASE("a reset at any byte of a reply: whole values or LOST, never half of one") {
  gated g;
  std::string value(10000, 'v');
  g.server.command({"SET", "value", value});
  std::mt19937 random(7);
  std::size_t whole = 0, lost = 0;
  for (int round = 0; round < 50; ++round) {
    CAPTURE(round);
    REQUIRE(text(ask(*g.pool, redis_command("PING"), {.timeout = 20s})) == "PONG");
    g.grow_old();
    g.gate.reset_after(1 + random() % 200000);
    std::vector<std::future<result<redis_reply>>> all;
    for (int i = 0; i < 30; ++i)
      all.push_back(g.pool->async_send(redis_command("GET", "value"), {.timeout = 20s}, boost::asio::use_future));
    for (auto &f : all) {
      auto r = come(std::move(f));
      if (r) {
        ++whole;
        CHECK((r->root().text() == value));
      } else {
        ++lost;
        CHECK(r.error().is(status::lost));
      }
    }
  }
  g.gate.reset_after(1 << 30);
  CHECK(whole > 0);
  CHECK(lost > 0);
  g.check_alive();
}

TEST_CASE("resets under a crowd") {
  gated g;
  callers crowd(*g.pool, 300, 30, {.timeout = 20s});
  std::mt19937 random(8);
  for (int round = 0; round < 50; ++round) {
    auto before = crowd.ok();
    REQUIRE(until(patience, [&] { return crowd.ok() > before + 500; }));
    g.grow_old();
    if (round % 2)
      g.gate.reset_all();
    else
      g.gate.reset_after(1 + random() % 5000);
  }
  g.gate.reset_after(1 << 30);
  REQUIRE(crowd.stop(patience));
  auto r = crowd.report();
  check_exactly_once(r);
  CHECK(r.ok + failed_with(r, {status::lost}) == r.completed);
  g.check_alive();
}
