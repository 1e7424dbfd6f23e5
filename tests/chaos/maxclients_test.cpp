// A server that has no room for another client.
#include "support/redis_calls.hpp"
#include "support/redis_server.hpp"
#include "support/resources.hpp"
#include "support/subscription_reader.hpp"
#include "support/until.hpp"

#include <corbel/redis_monitor.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <doctest/doctest.h>

using namespace corbel;
using namespace corbel::test;
using boost::asio::ip::tcp;

namespace {

struct fixture {
  redis_server server{{.max_clients = 6}};
  boost::asio::io_context context;
  std::vector<tcp::socket> others;
  runtime rt;

  void fill() {
    for (auto free = 6 - std::stoi(server.info("connected_clients")); free > 0; --free) {
      others.emplace_back(context).connect({boost::asio::ip::address_v4::loopback(), server.port()});
    }
    REQUIRE(until(10s, [&] { return server.info("connected_clients") == "6"; }));
  }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "refused while it is full, told why, and in by itself when there is room") {
  fill();
  redis_pool pool(rt, {.url = server.url()});
  redis_monitor monitor(pool);
  auto e = ask(pool, redis_command("PING"), {.timeout = 500ms}).error();
  INFO(said(e));
  CHECK(e.is(status::unavailable));
  CHECK(e.message().find("max number of clients") != std::string::npos);
  CHECK_FALSE(e.may_be_applied());
  CHECK(monitor.state() != redis_state::up);
  auto waits = pool.async_send(redis_command("PING"), {.timeout = 30s}, boost::asio::use_future);
  CHECK(std::stoi(server.info("rejected_connections")) < 200);  // it backs off
  others.clear();
  CHECK(text(come(std::move(waits))) == "PONG");
  CHECK(until(patience, [&] { return monitor.state() == redis_state::up; }));
}

TEST_CASE_FIXTURE(fixture, "a pool that is connected goes on while more connections are refused") {
  redis_pool pool(rt, {.url = server.url()});
  CHECK(text(ask(pool, redis_command("PING"))) == "PONG");
  redis_monitor monitor(pool);
  fill();
  auto descriptors = open_descriptors() - others.size();
  for (int i = 0; i < 5; ++i) {
    auto e = take(pool, {.timeout = 100ms}).error();
    INFO(said(e));
    CHECK((e.is(status::unavailable) || e.is(status::busy)));
    CHECK(e.message().find("max number of clients") != std::string::npos);
    CHECK(text(ask(pool, redis_command("PING"))) == "PONG");
  }
  CHECK(pool.stats().waiting == 0);
  others.clear();
  CHECK(take(pool, {.timeout = 30s}));
  redis_subscription sub(pool);
  CHECK(subscribe(sub, "a", {.timeout = 30s}).value());
  CHECK(pool.stats().reconnects == 0);
  CHECK(until(patience,
              [&] { return pool.stats().connecting == 0 && open_descriptors() <= descriptors + pool.stats().open - 1; }));
}
