/// What a server counts of its answers, and what it tells when it has no room.

#include "live/http_fixture.hpp"
#include "live/http_wire.hpp"
#include "support/until.hpp"

#include <corbel/health.hpp>
#include <corbel/http.hpp>

#include <doctest/doctest.h>

#include <vector>

using namespace corbel;
using namespace corbel::test;
using namespace std::chrono_literals;

namespace {

/// A request that has reached /waits; the gate stays shut for longer than a client's patience counts from.
http_wire waiting(served &s) {
  const int before = s.on_it([&] { return s.waiting; });
  http_wire wire(s.port);
  wire.get("/waits");
  REQUIRE(until(10s, [&] { return s.on_it([&] { return s.waiting; }) > before; }));
  return wire;
}

void open_gate(served &s) {
  s.on_it([&] {
    s.gate.cancel();
    return 0;
  });
}

health_part part(const runtime &rt, const std::string &name) {
  for (auto &p : health(rt).parts)
    if (p.part == name) return p;
  return {};
}

}  // namespace

TEST_CASE("answers are counted by their status") {
  served s;
  for (int i = 0; i < 3; ++i) http_get(s.port, "/hello");
  for (int i = 0; i < 2; ++i) http_get(s.port, "/nothing");
  http_get(s.port, "/throws");
  CHECK(until(10s, [&] { return s.stats().answered[3] == 1; }));
  const auto stats = s.stats();
  CHECK(stats.answered[0] == 3);
  CHECK(stats.answered[2] == 2);
  CHECK(stats.failed == 1);
  CHECK(stats.gone == 0);
}

TEST_CASE("line breaks in what a handler says do not begin another field or another answer") {
  served s;
  const std::string inside = std::string("\r\nX-Smuggled: 1\r\n\r\nHTTP/1.1 200 OK") + '\0' + "\n";
  const std::string harmless = "  X-Smuggled: 1    HTTP/1.1 200 OK  \r\n";
  auto head_of = [&](const std::string &path) {
    http_wire wire(s.port);
    wire.send("GET " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(inside.size()) + "\r\n\r\n" +
              inside);
    const auto got = wire.response();
    CHECK(got.status == 200);
    CHECK(got.head.find("\r\nX-Given: a" + harmless) != std::string::npos);
    CHECK(got.head.find("\nX-Smuggled") == std::string::npos);
    return got.head;
  };
  const auto head = head_of("/fields");
  CHECK(head.find("\r\nContent-Type: text/plain" + harmless) != std::string::npos);
  CHECK(head.find("X-Bad") == std::string::npos);
  CHECK(head.find("\r\n: c") == std::string::npos);
  const auto stream = head_of("/events");
  CHECK(stream.find("\r\nTransfer-Encoding: chunked\r\n") != std::string::npos);
  CHECK(stream.find("\r\nConnection: close\r\n") != std::string::npos);
}

TEST_CASE("a client that left before its answer was ready counts as 499, and holds nothing up") {
  served s;
  {
    auto gone = waiting(s);
    gone.close();
    auto stays = waiting(s);
    // Long enough that its end has come, whatever else the machine does.
    REQUIRE(until(10s, [&] { return http_get(s.port, "/hello").status == 200; }));
    std::this_thread::sleep_for(5ms);
    open_gate(s);
    CHECK(stays.response().body == "waited");
  }
  CHECK(until(10s, [&] { return s.stats().connections == 0; }));
  CHECK(s.stats().gone == 1);
  CHECK(s.stats().answered[3] == 0);
}

TEST_CASE("a client that only ended its own side is answered all the same") {
  served s;
  auto half = waiting(s);
  half.end_of_input();
  std::this_thread::sleep_for(5ms);
  open_gate(s);
  CHECK(half.response().body == "waited");
}

TEST_CASE("a server without room is saturated, not ill, until it has room again") {
  runtime rt({.level = log_level::off});
  http_options o;
  o.limits.connections = 10;
  http_service http(rt, o);
  std::vector<http_wire> all;
  for (int i = 0; i < 10; ++i) {
    all.emplace_back(http.port());
    all.back().get("/readyz");
    REQUIRE(all.back().response().status == 200);
  }
  CHECK(part(rt, "http").part == "");
  CHECK(http_get(http.port(), "/readyz").status == 503);
  REQUIRE(until(10s, [&] { return part(rt, "http").state == health_state::saturated; }));
  CHECK(part(rt, "http").reason == "all 10 connections are taken, more are turned away");
  CHECK(health(rt).ready);
  while (all.size() > 5) all.pop_back();
  CHECK(until(10s, [&] { return part(rt, "http").state == health_state::ok; }));
  CHECK(http_get(http.port(), "/readyz").status == 200);
}
