// Hostile and mistaken servers: no reply costs more memory or time than the limits allow, and the pool recovers.
#include "support/raw_server.hpp"
#include "support/redis_calls.hpp"
#include "support/redis_server.hpp"
#include "support/resources.hpp"
#include "support/tcp_gate.hpp"
#include "support/until.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace corbel;
using namespace corbel::test;

namespace {

struct fixture {
  redis_server server;
  tcp_gate gate{server.port()};
  runtime rt;
  redis_pool pool{rt, {.url = gate.url()}};

  /// A GET whose answer is replaced; the pool must work again after it.
  error answered_with(std::string bytes) {
    REQUIRE(text(ask(pool, redis_command("PING"), {.timeout = 20s})) == "PONG");
    gate.replace_next(std::move(bytes));
    auto e = ask(pool, redis_command("GET", "none"), {.timeout = 5s}).error();
    for (int i = 0; i < 5; ++i) CHECK(text(ask(pool, redis_command("ECHO", i), {.timeout = 20s})) == std::to_string(i));
    return e;
  }
  /// A reply of the real server: an array of so many arrays of so many integers.
  static redis_command arrays(int outer, int inner) {
    return redis_command(
        "EVAL",
        "local o={} for i=1,tonumber(ARGV[1]) do local t={} for k=1,tonumber(ARGV[2]) do t[k]=k end o[i]=t end return o", 0,
        outer, inner);
  }
};

error refusal(runtime &rt, const std::string &url) {
  redis_pool pool(rt, {.url = url, .connect_timeout = 300ms});
  return ask(pool, redis_command("PING"), {.timeout = 1s}).error();
}

}  // namespace

TEST_CASE_FIXTURE(fixture, "a reply that declares 2 GB fails its caller, names the limit, and costs no memory") {
  auto before = private_memory();
  auto e = answered_with("$2147483648\r\n");
  INFO(said(e));
  CHECK(e.is(status::protocol));
  CHECK((e.message().find("67108864") != std::string::npos || e.message().find("64 MiB") != std::string::npos));
  e = answered_with("*2\r\n:1\r\n$999999999999\r\n");
  CHECK(e.is(status::protocol));
  if (!sanitized()) CHECK(private_memory() < before + (32u << 20));
}

TEST_CASE_FIXTURE(fixture, "the others that wait on that connection are LOST, once each, and it is replaced") {
  CHECK(text(ask(pool, redis_command("PING"))) == "PONG");
  server.pause();
  std::vector<std::future<result<redis_reply>>> all;
  for (int i = 0; i < 50; ++i)
    all.push_back(pool.async_send(redis_command("ECHO", i), {.timeout = 20s}, boost::asio::use_future));
  REQUIRE(until(patience, [&] { return pool.stats().unanswered == 50; }));
  gate.replace_next("$2147483648\r\n");
  server.resume();
  CHECK(come(std::move(all[0])).error().is(status::protocol));
  for (std::size_t i = 1; i < all.size(); ++i) {
    auto e = come(std::move(all[i])).error();
    CHECK(e.is(status::lost));
    CHECK(e.may_be_applied());
  }
  CHECK(text(ask(pool, redis_command("PING"), {.timeout = 20s})) == "PONG");
}

TEST_CASE_FIXTURE(fixture, "bytes: what fits the limit comes, what is longer does not") {
  redis_pool small(rt, {.url = gate.url(), .max_reply_bytes = 1 << 20});
  server.command({"SET", "fits", std::string((1 << 20) - 100, 'x')});
  server.command({"SET", "long", std::string((1 << 20) + 1, 'x')});
  CHECK(ask(small, redis_command("GET", "fits"), {.timeout = 20s}).value()->text().size() == (1 << 20) - 100);
  auto e = ask(small, redis_command("GET", "long"), {.timeout = 20s}).error();
  INFO(said(e));
  CHECK(e.is(status::protocol));
  CHECK(e.message().find("1048576") != std::string::npos);
  CHECK(ask(small, redis_command("MGET", "fits", "fits"), {.timeout = 20s}).error().is(status::protocol));
  CHECK(ask(small, redis_command("GET", "fits"), {.timeout = 20s}));
}

TEST_CASE_FIXTURE(fixture, "a line without an end is bounded too") {
  redis_pool small(rt, {.url = gate.url(), .max_reply_bytes = 1 << 20});
  CHECK(text(ask(small, redis_command("PING"))) == "PONG");
  gate.replace_next("+" + std::string(3 << 20, 'a'));
  auto e = ask(small, redis_command("PING"), {.timeout = 10s}).error();
  INFO(said(e));
  CHECK(e.is(status::protocol));
  CHECK(text(ask(small, redis_command("PING"), {.timeout = 20s})) == "PONG");
}

TEST_CASE_FIXTURE(fixture, "elements are counted over the whole reply") {
  redis_pool small(rt, {.url = gate.url(), .max_reply_elements = 1000});
  CHECK(ask(small, arrays(9, 100)).value()->size() == 9);
  for (auto &command : {arrays(1, 1001), arrays(11, 100), arrays(3, 400), arrays(1001, 0)}) {
    auto e = ask(small, command, {.timeout = 20s}).error();
    INFO(said(e));
    CHECK(e.is(status::protocol));
    CHECK(e.message().find("1000") != std::string::npos);
  }
  CHECK(ask(small, arrays(9, 100), {.timeout = 20s}));
}

TEST_CASE_FIXTURE(fixture, "10 million elements from a real server") {
  auto before = private_memory();
  auto e = ask(pool, arrays(10, 1000000), {.timeout = 60s}).error();
  INFO(said(e));
  CHECK(e.is(status::protocol));
  CHECK(e.message().find("1048576") != std::string::npos);
  if (!sanitized()) CHECK(private_memory() < before + (128u << 20));
  CHECK(text(ask(pool, redis_command("PING"), {.timeout = 20s})) == "PONG");
  e = answered_with("*2147483647\r\n");
  CHECK(e.is(status::protocol));
}

TEST_CASE_FIXTURE(fixture, "COMMAND DOCS nests deeper than the default allows") {
  auto e = ask(pool, redis_command("COMMAND", "DOCS"), {.timeout = 20s}).error();
  INFO(said(e));
  CHECK(e.is(status::protocol));
  CHECK(e.message().find('7') != std::string::npos);
  CHECK(text(ask(pool, redis_command("PING"), {.timeout = 20s})) == "PONG");
  try {
    redis_pool deep(rt, {.url = gate.url(), .max_reply_depth = 64});
    CHECK(ask(deep, redis_command("COMMAND", "DOCS"), {.timeout = 20s}).value()->size() > 100);
  } catch (const failure &f) {
    CHECK(f.error().is(status::unsupported));  // a reader of hiredis before 1.0
    CHECK(f.error().message().find('7') != std::string::npos);
  }
}

TEST_CASE_FIXTURE(fixture, "malformed replies") {
  for (std::string bytes :
       {"$-2\r\n", "*-5\r\n", "$99999999999999999999999\r\n", ":99999999999999999999999\r\n", ":x\r\n", "?\r\n",
        "HTTP/1.1 200 OK\r\n\r\n", "\r\n", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n"}) {
    CAPTURE(bytes);
    auto e = answered_with(bytes);
    INFO(said(e));
    CHECK(e.is(status::protocol));
  }
}

TEST_CASE_FIXTURE(fixture, "an answer that nobody asked for never becomes somebody's") {
  for (int round = 0; round < 7; ++round) {
    REQUIRE(text(ask(pool, redis_command("PING"), {.timeout = 20s})) == "PONG");
    gate.replace_next("+first\r\n+unasked\r\n+unasked\r\n");
    CHECK(text(ask(pool, redis_command("GET", "none"), {.timeout = 5s})) == "first");
    for (int i = 0; i < 5; ++i) {
      auto r = ask(pool, redis_command("ECHO", i), {.timeout = 20s});
      if (r) CHECK(text(r) == std::to_string(i));
    }
  }
  CHECK(text(ask(pool, redis_command("PING"), {.timeout = 20s})) == "PONG");
}

TEST_CASE("a server that answers HTTP") {
  raw_server server("HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nno\n");
  runtime rt;
  auto e = refusal(rt, server.url());
  INFO(said(e));
  CHECK((e.is(status::unavailable) || e.is(status::protocol)));
  CHECK(e.message().size() > 20);
  CHECK(e.message().find_first_of("\r\n") == std::string::npos);
  CHECK(server.accepted() >= 1);
  CHECK(server.accepted() < 200);  // it backs off
}

TEST_CASE("servers that answer random bytes") {
  runtime rt;
  for (unsigned seed = 1; seed <= 10; ++seed) {
    std::mt19937 random(seed);
    std::string bytes(4096, '\0');
    for (auto &c : bytes) c = static_cast<char>(random());
    if (seed > 5) bytes.insert(0, 1, "+-:$*"[seed - 6]);
    raw_server server(bytes);
    auto e = refusal(rt, server.url());
    CAPTURE(seed);
    INFO(said(e));
    CHECK((e.is(status::unavailable) || e.is(status::protocol)));
    for (unsigned char c : e.message()) CHECK((c >= 0x20 && c != 0x7f));
  }
}

TEST_CASE("a server that accepts and says nothing") {
  raw_server server("");
  runtime rt;
  auto began = std::chrono::steady_clock::now();
  auto e = refusal(rt, server.url());
  INFO(said(e));
  CHECK(e.is(status::unavailable));
  CHECK(e.message().find("300") != std::string::npos);  // the limit of one try
  CHECK(std::chrono::steady_clock::now() - began < 10s);
  CHECK(server.accepted() >= 2);
}
