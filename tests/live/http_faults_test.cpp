/// Clients that mean no good, or do no better: none holds the server up, none gets a request past its limits.

#include "live/http_fixture.hpp"
#include "live/http_wire.hpp"
#include "support/until.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <sys/resource.h>

using namespace corbel;
using namespace corbel::test;
using namespace std::chrono_literals;

namespace {

/// p99 of GET /health, while something else goes on.
std::chrono::microseconds probe_p99(std::uint16_t port) {
  http_wire wire(port);
  std::vector<std::chrono::nanoseconds> took;
  for (int i = 0; i < 300; ++i) {
    const auto began = std::chrono::steady_clock::now();
    wire.get("/health");
    REQUIRE(wire.response().status == 200);
    took.push_back(std::chrono::steady_clock::now() - began);
  }
  std::ranges::sort(took);
  return std::chrono::duration_cast<std::chrono::microseconds>(took[took.size() * 99 / 100]);
}

}  // namespace

TEST_CASE("what could mean two different requests is refused, and nothing after it is read") {
  served s;
  const std::string smuggled = "GET /hello?name=smuggled HTTP/1.1\r\nHost: t\r\n\r\n";
  const std::string post = "POST /echo HTTP/1.1\r\nHost: t\r\n";
  for (auto &shape :
       {post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        post + "Content-Length: 5, 6\r\n\r\nhello",
        post + "Content-Length: +5\r\n\r\nhello",
        post + "Content-Length: 0x5\r\n\r\nhello",
        post + "Content-Length : 5\r\n\r\nhello",
        post + "Content-Length: 99999999999999999999999\r\n\r\nhello",
        post + "Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
        post + "Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
        post + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        post + "Transfer-Encoding: xchunked\r\n\r\n",
        post + "Transfer-Encoding: identity\r\n\r\n",
        post + "Transfer-Encoding: chunked, identity\r\n\r\n",
        post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        std::string("POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n0\r\n\r\n"),
        std::string("GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        std::string("GET /hello HTTP/1.1\r\n\r\n"),
        std::string("GET /hello\r\n\r\n"),
        std::string("GET /hello HTTP/1.1\r\nHost: t\r\nX: a\rGET / HTTP/1.1\r\n\r\n"),
        std::string("GET /hello HTTP/2.0\r\nHost: t\r\n\r\n"),
        std::string("GET  /hello HTTP/1.1\r\nHost: t\r\n\r\n"),
        std::string("\0\0\0\0\r\n\r\n", 8)}) {
    INFO(shape);
    http_wire wire(s.port);
    wire.send(shape + smuggled);
    const auto all = wire.rest();
    CHECK(all.find("smuggled") == std::string::npos);
    CHECK((all.empty() || all.find("HTTP/1.1 4") == 0 || all.find("HTTP/1.0 4") == 0));
  }
  CHECK(http_get(s.port, "/hello?name=you").body == "hello you");
}

TEST_CASE("headers beyond the limit: by size, by number, without an end") {
  served s({.header_bytes = 4096});
  for (auto &header : {"X: " + std::string(100'000, 'a') + "\r\n",
                       [] {
                         std::string many;
                         for (int i = 0; i < 2000; ++i) many += "X" + std::to_string(i) + ": y\r\n";
                         return many;
                       }(),
                       std::string(100'000, 'a')}) {
    http_wire wire(s.port);
    wire.send("GET /hello HTTP/1.1\r\nHost: t\r\n" + header + "\r\n");
    CHECK(wire.response().status / 100 == 4);
  }
  http_wire endless(s.port);
  endless.send("GET /" + std::string(100'000, 'a'));
  CHECK(endless.response().status / 100 == 4);
}

TEST_CASE("slow-loris: a byte now and then ends with the header's time, and probes are answered meanwhile") {
  served s({.header = 400ms});
  std::vector<http_wire> slow;
  for (int i = 0; i < 200; ++i) {
    slow.emplace_back(s.port);
    slow.back().send("GET /hello HTTP/1.1\r\nHost: t\r\nX: ");
  }
  CHECK(probe_p99(s.port) < 1s);
  CHECK(until(10s, [&] {
    for (auto &w : slow) w.send("a");
    return s.stats().timed_out >= 200;
  }));
  CHECK(until(20s, [&] { return s.stats().connections <= 1; }));
  MESSAGE("left: ", std::uint64_t(s.stats().connections), " timed out: ", std::uint64_t(s.stats().timed_out));
}

TEST_CASE("thousands of idle connections cost no probe its answer") {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  const int idle = std::min<int>(10'000, static_cast<int>(limit.rlim_cur / 2) - 500);
  served s({.connections = 20'000});
  std::vector<http_wire> waiting;
  waiting.reserve(static_cast<std::size_t>(idle));
  for (int i = 0; i < idle; ++i) waiting.emplace_back(s.port);
  REQUIRE(until(20s, [&] { return s.stats().connections == static_cast<std::uint64_t>(idle); }));
  CHECK(probe_p99(s.port) < 1s);
  MESSAGE("idle connections: ", idle);
}

TEST_CASE("a prober that never reads is cut, and nobody else waits for it") {
  served s({.write = 300ms});
  http_wire deaf(s.port, 4096);
  const std::string asks = "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 500000\r\n\r\n" + std::string(500'000, 'x');
  for (int i = 0; i < 30 && deaf.send(asks); ++i)
    if (s.stats().timed_out > 0) break;
  CHECK(until(10s, [&] { return s.stats().timed_out >= 1; }));
  CHECK(probe_p99(s.port) < 1s);
}

TEST_CASE("any bytes: the server answers or closes, and goes on") {
  served s({.idle = 2s, .header = 300ms, .body = 300ms});
  const std::vector<std::string> seeds = {
      "GET /hello?name=x HTTP/1.1\r\nHost: t\r\n\r\n", "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nbody",
      "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
      "HEAD / HTTP/1.0\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: t\r\n\r\n"};
  std::mt19937 random(11);
  const int rounds = std::getenv("CORBEL_ROUNDS") ? 200 : 1500;
  for (int i = 0; i < rounds; ++i) {
    auto text = seeds[random() % seeds.size()];
    for (auto n = random() % 6; n > 0; --n) {
      const auto at = random() % (text.size() + 1);
      switch (random() % 4) {
        case 0:
          text.insert(at, 1, static_cast<char>(random()));
          break;
        case 1:
          if (at < text.size()) text.erase(at, 1 + random() % 4);
          break;
        case 2:
          if (at < text.size()) text[at] = static_cast<char>(random());
          break;
        default:
          text.insert(at, text.substr(0, random() % (text.size() + 1)));
      }
      if (text.empty()) text = "\r\n";
    }
    http_wire wire(s.port);
    wire.send(text);
    wire.end_of_input();
    const auto answered = wire.rest();
    if (!answered.empty()) REQUIRE(answered.starts_with("HTTP/1."));
  }
  CHECK(http_get(s.port, "/hello?name=you").body == "hello you");
  CHECK(until(10s, [&] { return s.stats().connections == 0; }));
}
