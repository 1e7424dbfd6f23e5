// A pool that hands out text only.
#include "support/redis_calls.hpp"
#include "support/redis_server.hpp"

#include <corbel/redis_subscription.hpp>

#include <doctest/doctest.h>

using namespace corbel;
using namespace corbel::test;

namespace {

struct fixture {
  redis_server server;
  runtime rt;
  redis_pool text_pool{rt, {.url = server.url(), .kind = "async_decode", .utf8_replies = true}};
};

const std::string broken = "caf\xe9 and more than eight bytes";

}  // namespace

TEST_CASE_FIXTURE(fixture, "text passes, other bytes fail their caller and no other") {
  server.command({"SET", "good", "grüße, 世界 \xf0\x9f\x8c\x8d"});
  server.command({"SET", "bad", broken});
  server.command({"RPUSH", "list", "one", broken});
  auto before = text_pool.async_send(redis_command("GET", "good"), boost::asio::use_future);
  auto bad = text_pool.async_send(redis_command("GET", "bad"), boost::asio::use_future);
  auto list = text_pool.async_send(redis_command("LRANGE", "list", 0, -1), boost::asio::use_future);
  auto after = text_pool.async_send(redis_command("GET", "good"), boost::asio::use_future);
  CHECK(text(come(std::move(before))) == "grüße, 世界 \xf0\x9f\x8c\x8d");
  CHECK(text(come(std::move(after))) == "grüße, 世界 \xf0\x9f\x8c\x8d");
  for (auto *f : {&bad, &list}) {
    auto r = come(std::move(*f));
    REQUIRE_FALSE(r);
    CHECK(r.error().is(status::protocol));
    CHECK(r.error().native() == "UTF8");
    CHECK(r.error().may_be_applied());
    CHECK_FALSE(r.error().may_retry());
  }
  CHECK(text_pool.stats().reconnects == 0);
  CHECK(text(ask(text_pool, redis_command("SET", "bad", "fine"))) == "OK");
  CHECK(ask(text_pool, redis_command("GET", "none")).value()->is_nil());
  CHECK(text(ask(text_pool, redis_command("LLEN", "list"))) == "2");
}

TEST_CASE_FIXTURE(fixture, "leases too") {
  server.command({"SET", "bad", broken});
  auto lease = take(text_pool).value();
  CHECK(ask(lease, redis_command("GET", "bad")).error().is(status::protocol));
  CHECK(text(ask(lease, redis_command("PING"))) == "PONG");
}

TEST_CASE_FIXTURE(fixture, "a message that is no text is dropped, and counted with the next one") {
  redis_subscription sub(text_pool);
  REQUIRE(subscribe(sub, "news"));
  server.command({"PUBLISH", "news", broken});
  server.command({"PUBLISH", "news", broken});
  server.command({"PUBLISH", "news", "text"});
  auto batch = come(sub.async_receive(boost::asio::use_future));
  REQUIRE(batch);
  REQUIRE(batch->size() == 1);
  CHECK(batch->front().payload() == "text");
  CHECK(batch->front().dropped == 2);
}

TEST_CASE("another pool hands out bytes") {
  redis_server server;
  runtime rt;
  redis_pool pool(rt, {.url = server.url()});
  server.command({"SET", "bad", broken});
  CHECK(text(ask(pool, redis_command("GET", "bad"))) == broken);
}
