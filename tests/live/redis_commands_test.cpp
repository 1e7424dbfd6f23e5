// Commands on shared pipelines: bytes, replies, server errors, what is forbidden there.
#include "support/redis_calls.hpp"
#include "support/redis_server.hpp"
#include "support/until.hpp"

#include <boost/asio/post.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <random>
#include <thread>

using namespace corbel;
using namespace corbel::test;

namespace {
struct fixture {
  redis_server server;
  runtime rt;
  redis_pool pool{rt, {.url = server.url()}};
};
}  // namespace

TEST_CASE_FIXTURE(fixture, "keys and values are any bytes") {
  std::string every;
  for (int i = 0; i < 256; ++i) every += static_cast<char>(i);
  for (auto &value : {every, std::string(), std::string("\r\n$5\r\n"), std::string(3, '\0')}) {
    CHECK(text(ask(pool, redis_command("SET", "k" + value, value))) == "OK");
    auto r = ask(pool, redis_command("GET", "k" + value));
    REQUIRE(r);
    CHECK(r->root().type() == redis_node::kind::string);
    CHECK(r->root().text() == value);
    CHECK(server.command({"GET", "k" + value}).text == value);
  }
  CHECK(text(ask(pool, redis_command("SET", "nowhere", std::string_view()))) == "OK");
  CHECK(text(ask(pool, redis_command("STRLEN", "nowhere"))) == "0");
}

TEST_CASE_FIXTURE(fixture, "a value of 8 MiB, there and back") {
  std::string value(8 << 20, '\0');
  std::mt19937_64 random(1);
  for (auto &c : value) c = static_cast<char>(random());
  CHECK(text(ask(pool, redis_command("SET", "big", value))) == "OK");
  CHECK(server.command({"STRLEN", "big"}).number == static_cast<long long>(value.size()));
  auto r = ask(pool, redis_command("GET", "big"));
  REQUIRE(r);
  CHECK((r->root().text() == value));
}

TEST_CASE_FIXTURE(fixture, "every kind of reply") {
  using kind = redis_node::kind;
  auto r = ask(
      pool,
      redis_command("EVAL", "return {1, -9007199254740993, 'text', '', false, {ok='FINE'}, {err='ODD one'}, {}, {{2}}}", 0));
  REQUIRE(r);
  auto &root = r->root();
  REQUIRE(root.type() == kind::array);
  REQUIRE(root.size() == 9);
  CHECK(root[0].integer() == 1);
  CHECK(root[2].text() == "text");
  CHECK((root[3].type() == kind::string && root[3].text().empty()));
  CHECK(root[4].is_nil());
  CHECK((root[5].type() == kind::status && root[5].text() == "FINE"));
  CHECK((root[6].type() == kind::error && root[6].text() == "ODD one"));
  CHECK((root[7].type() == kind::array && root[7].size() == 0));
  CHECK(root[8][0][0].integer() == 2);
  CHECK(root[99].is_nil());
  CHECK(root[8][0][5].is_nil());

  CHECK(text(ask(pool, redis_command("SET", "n", "9223372036854775806"))) == "OK");
  CHECK(ask(pool, redis_command("INCR", "n")).value()->integer() == INT64_MAX);
  CHECK(ask(pool, redis_command("GET", "n")).value()->integer() == INT64_MAX);
  CHECK(ask(pool, redis_command("GET", "none")).value()->is_nil());
  CHECK(ask(pool, redis_command("LRANGE", "none", 0, -1)).value()->elements().empty());
}

TEST_CASE_FIXTURE(fixture, "a server error keeps its code") {
  ask(pool, redis_command("RPUSH", "list", "a")).value();
  struct expected {
    redis_command command;
    const char *code;
  };
  for (auto &each :
       {expected{redis_command("INCR", "list"), "WRONGTYPE"}, expected{redis_command("NO-SUCH-COMMAND"), "ERR"},
        expected{redis_command("GET"), "ERR"}, expected{redis_command("EVALSHA", std::string(40, 'a'), 0), "NOSCRIPT"},
        expected{redis_command("EVAL", "return redis.error_reply('MYCODE of mine')", 0), "MYCODE"}}) {
    const auto *code = each.code;
    CAPTURE(code);
    auto e = ask(pool, each.command).error();
    CHECK(e.is(status::refused));
    CHECK(e.source() == "redis");
    CHECK(e.native() == code);
    CHECK_FALSE(e.may_retry());
    CHECK_FALSE(e.may_be_applied());
    CHECK(e.message().find('\n') == std::string::npos);
  }
  CHECK(text(ask(pool, redis_command("PING"))) == "PONG");
}

TEST_CASE_FIXTURE(fixture, "OOM and READONLY keep their codes; READONLY may be tried again") {
  server.command({"CONFIG", "SET", "maxmemory", "1"});
  CHECK(ask(pool, redis_command("SET", "a", "b")).error().native() == "OOM");
  server.command({"CONFIG", "SET", "maxmemory", "0"});
  CHECK(text(ask(pool, redis_command("SET", "a", "b"))) == "OK");

  server.command({"REPLICAOF", "127.0.0.1", "1"});
  auto e = ask(pool, redis_command("SET", "a", "b")).error();
  CHECK(e.native() == "READONLY");
  CHECK(e.may_retry());
  server.command({"REPLICAOF", "NO", "ONE"});
  CHECK(text(ask(pool, redis_command("SET", "a", "b"))) == "OK");
}

TEST_CASE_FIXTURE(fixture, "commands that change or block a connection are INVALID on a pipeline") {
  for (auto name : {"MULTI", "EXEC",  "DISCARD", "WATCH",      "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE",
                    "BLPOP", "BRPOP", "BLMOVE",  "BRPOPLPUSH", "BLMPOP",    "BZPOPMIN",   "BZPOPMAX",   "SELECT",
                    "AUTH",  "HELLO", "MONITOR", "QUIT",       "RESET",     "multi",      "bLpOp"}) {
    CAPTURE(name);
    auto e = ask(pool, redis_command(name, "a", 0)).error();
    CHECK(e.is(status::invalid));
    CHECK_FALSE(e.may_be_applied());
    CHECK_FALSE(e.message().empty());
  }
  CHECK(ask(pool, redis_command("CLIENT", "REPLY", "OFF")).error().is(status::invalid));
  CHECK(ask(pool, redis_command("client", "reply", "off")).error().is(status::invalid));
  CHECK(ask(pool, redis_command("XREAD", "BLOCK", 0, "STREAMS", "s", "$")).error().is(status::invalid));
  CHECK(ask(pool, redis_command("XREADGROUP", "GROUP", "g", "c", "BLOCK", 0, "STREAMS", "s", ">"))
            .error()
            .is(status::invalid));
  CHECK(ask(pool, redis_command("XREAD", "COUNT", 1, "STREAMS", "s", "0")).value()->is_nil());
  CHECK(ask(pool, redis_command("CLIENT", "ID")).value()->integer() > 0);
  CHECK(server.info("total_error_replies") == "0");
}

TEST_CASE_FIXTURE(fixture, "many callers share one socket, and each gets its own answer") {
  constexpr int callers = 200;  // fewer than what opens a second pipeline
  for (int round = 0; round < 20; ++round) {
    std::vector<std::future<result<redis_reply>>> all;
    for (int i = 0; i < callers; ++i) all.push_back(pool.async_send(redis_command("ECHO", i), boost::asio::use_future));
    for (int i = 0; i < callers; ++i) CHECK(text(come(std::move(all[static_cast<std::size_t>(i)]))) == std::to_string(i));
  }
  CHECK(server.clients().size() == 1);
  auto s = pool.stats();
  CHECK(s.max == 32);
  CHECK(s.pipelines == 1);
  CHECK(s.open == 1);
  CHECK(s.commands == callers * 20);
  CHECK(s.unanswered == 0);
  CHECK(s.lost == 0);
  CHECK(s.timeouts == 0);
}

TEST_CASE_FIXTURE(fixture, "threads that block") {
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        auto asked = std::to_string(t) + ":" + std::to_string(i);
        auto r = pool.send(redis_command("ECHO", asked));
        right += r && r->root().text() == asked;
      }
    });
  }
  for (auto &t : threads) t.join();
  CHECK(right == 1600);
}

TEST_CASE_FIXTURE(fixture, "the blocking send is refused on an I/O thread") {
  std::promise<corbel::error> refused;
  boost::asio::post(rt.executor(), [&] { refused.set_value(pool.send(redis_command("PING")).error()); });
  auto f = refused.get_future();
  REQUIRE(f.wait_for(patience) == std::future_status::ready);
  CHECK(f.get().is(status::state));
}

TEST_CASE_FIXTURE(fixture, "calls from a completion, thousands deep") {
  struct chain {
    redis_pool &pool;
    std::promise<int> done;
    int left = 5000, right = 0;
    void next() {
      pool.async_send(redis_command("ECHO", left), [this](result<redis_reply> r) {
        right += r && r->root().integer() == left;
        if (--left == 0)
          done.set_value(right);
        else
          next();
      });
    }
  } c{pool, {}};
  boost::asio::post(rt.executor(), [&] { c.next(); });
  auto f = c.done.get_future();
  REQUIRE(f.wait_for(patience) == std::future_status::ready);
  CHECK(f.get() == 5000);
}

TEST_CASE_FIXTURE(fixture, "a pool closes after what is under way, and refuses what comes then") {
  std::vector<std::future<result<redis_reply>>> all;
  for (int i = 0; i < 100; ++i) all.push_back(pool.async_send(redis_command("ECHO", i), boost::asio::use_future));
  auto closed = come(pool.async_close({.timeout = 10s}, boost::asio::use_future));
  CHECK_FALSE(closed.error());
  for (auto &f : all) {
    REQUIRE(f.wait_for(0s) == std::future_status::ready);  // nothing is delivered after the close
    CHECK(f.get());
  }
  CHECK(ask(pool, redis_command("PING")).error().is(status::closed));
  CHECK(take(pool).error().is(status::closed));
  CHECK(until(5s, [&] { return server.clients().empty(); }));
}
