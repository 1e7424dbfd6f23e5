#include "live/http_fixture.hpp"
#include "live/http_wire.hpp"
#include "support/until.hpp"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

using namespace corbel;
using namespace corbel::test;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {
bool has(const std::string &text, std::string_view part) { return text.find(part) != std::string::npos; }
}  // namespace

TEST_CASE("routes answer, unknown paths are 404, other methods 405") {
  served s;
  auto hello = http_get(s.port, "/hello?name=J%C3%B6rg+%26+co");
  CHECK(hello.status == 200);
  CHECK(hello.body == "hello Jörg & co");
  CHECK(has(hello.head, "Content-Type: application/json\r\n"));
  CHECK(has(hello.head, "Date: "));
  auto none = http_get(s.port, "/nothing");
  CHECK(none.status == 404);
  CHECK(none.body == R"({"detail": {"error": "there is nothing at this path", "error_type": "not_found"}})");
  auto wrong = http_post(s.port, "/hello", "{}");
  CHECK(wrong.status == 405);
  CHECK(has(wrong.head, "Allow: GET, HEAD\r\n"));
  http_wire w(s.port);
  w.send("HEAD /hello HTTP/1.1\r\nHost: t\r\n\r\n");
  auto head = w.response(true);
  CHECK(head.status == 200);
  CHECK(has(head.head, "Content-Length: 6\r\n"));
  w.get("/hello");
  CHECK(w.response().body == "hello ");
}

TEST_CASE("a connection is kept for further requests, also those sent ahead") {
  served s;
  http_wire w(s.port);
  for (int i = 0; i < 50; ++i) {
    w.get("/hello?name=" + std::to_string(i));
    CHECK(w.response().body == "hello " + std::to_string(i));
  }
  std::string ahead;
  for (int i = 0; i < 20; ++i)
    ahead += "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nab" + std::string(1, char('a' + i));
  w.send(ahead);
  for (int i = 0; i < 20; ++i) CHECK(w.response().body == "ab" + std::string(1, char('a' + i)));
  w.send("GET /hello HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
  CHECK(w.response().status == 200);
  CHECK(w.rest().empty());
  CHECK(s.stats().accepted == 1);

  http_wire old(s.port);
  old.send("GET /hello HTTP/1.0\r\n\r\n");
  CHECK(old.response().status == 200);
  CHECK(old.rest().empty());
}

TEST_CASE("headers and bodies over the limit are refused, even when the client sends all of it") {
  served s({.header_bytes = 4096, .body_bytes = 100000});
  http_wire fields(s.port);
  fields.send("GET /hello HTTP/1.1\r\nHost: t\r\nX-Long: " + std::string(5000, 'x') + "\r\n\r\n");
  CHECK(fields.response().status == 431);
  CHECK(fields.rest().empty());
  http_wire line(s.port);
  line.send("GET /" + std::string(2000000, 'x') + " HTTP/1.1\r\nHost: t\r\n\r\n");
  CHECK(line.response().status == 431);

  CHECK(http_post(s.port, "/echo", std::string(100000, 'b')).body.size() == 100000);
  auto large = http_post(s.port, "/echo", std::string(100001, 'b'));
  CHECK(large.status == 413);
  CHECK(has(large.body, "\"error\": \"the body is over the limit of 100000 bytes\""));
  CHECK(http_post(s.port, "/echo", std::string(8000000, 'b')).status == 413);
  http_wire chunked(s.port);
  chunked.send("POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 11; ++i) chunked.send("2710\r\n" + std::string(10000, 'c') + "\r\n");
  CHECK(chunked.response().status == 413);
  CHECK(s.stats().malformed == 5);
}

TEST_CASE("what is not HTTP gets 400 or nothing, never a hang") {
  served s;
  for (auto &bytes : {"\0\1\2\3\4\5\r\n\r\n"s, "GET\r\n\r\n"s, "GET / HTTP/9.9\r\n\r\n"s, "hello there\r\n\r\n"s,
                      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s + "\r\n\r\n"s, "GET /hello HTTP/1.1\r\n\r\n"s,
                      "GET /%zz HTTP/1.1\r\nHost: t\r\n\r\n"s, "GET hello HTTP/1.1\r\nHost: t\r\n\r\n"s,
                      "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: -1\r\n\r\n"s,
                      "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc"s,
                      "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"s}) {
    http_wire w(s.port);
    w.send(bytes);
    auto r = w.response();
    CHECK_MESSAGE(r.status == 400, bytes);
    CHECK(has(r.body, "\"error_type\": \"bad_request\""));
    CHECK(w.rest().empty());
  }
}

TEST_CASE("half a request is answered 400 when the client ends its side") {
  served s;
  for (auto bytes : {"GET /hello HTT", "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nabc"}) {
    http_wire w(s.port);
    w.send(bytes);
    w.end_of_input();
    auto r = w.response();
    CHECK(r.status == 400);
    CHECK(has(r.body, "the connection was closed before the"));
    CHECK(w.rest().empty());
  }
  http_wire nothing(s.port);
  nothing.end_of_input();
  CHECK(nothing.rest().empty());
  http_wire whole(s.port);
  whole.get("/hello");
  whole.end_of_input();
  CHECK(whole.response().status == 200);
}

TEST_CASE("a client that sends byte by byte is cut at the deadline") {
  served s({.header = 300ms, .body = 300ms});
  for (auto sent : {"", "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\n"}) {
    http_wire w(s.port);
    w.send(sent);
    bool cut = false;
    std::thread reader([&] {
      auto said = w.rest();
      CHECK(has(said, "HTTP/1.1 408 "));
      CHECK(has(said, "did not come in time"));
      cut = true;
    });
    for (int i = 0; i < 200 && w.send("x"); ++i) std::this_thread::sleep_for(20ms);
    reader.join();
    CHECK(cut);
  }
  CHECK(s.stats().timed_out >= 2);
}

TEST_CASE("silent connections are closed") {
  served s({.idle = 200ms, .header = 250ms});
  http_wire silent(s.port), kept(s.port);
  kept.get("/hello");
  kept.response();
  CHECK(kept.rest().empty());
  CHECK(silent.rest().empty());
}

TEST_CASE("more connections than allowed are told so, and room comes back") {
  served s({.connections = 100});
  std::vector<http_wire> all;
  for (int i = 0; i < 100; ++i) {
    all.emplace_back(s.port);
    all.back().get("/hello");
    CHECK(all.back().response().status == 200);
  }
  http_wire over(s.port);
  over.get("/hello");
  auto r = over.response();
  CHECK(r.status == 503);
  CHECK(has(r.body, "too_many_connections"));
  CHECK(over.rest().empty());
  CHECK(s.stats().refused == 1);
  all.clear();
  CHECK(until(10s, [&] { return s.stats().connections == 0; }));
  CHECK(http_get(s.port, "/hello").status == 200);
}

TEST_CASE("many connections at once") {
  served s;
  std::vector<http_wire> all;
  for (int i = 0; i < 400; ++i) all.emplace_back(s.port);
  for (int round = 0; round < 5; ++round) {
    for (auto &w : all) w.get("/hello?name=x");
    for (auto &w : all) CHECK(w.response().body == "hello x");
  }
  CHECK(s.stats().requests == 2000);
}

TEST_CASE("an exception of a handler is a 500 that tells nothing of the inside") {
  served s;
  http_wire w(s.port);
  w.get("/throws");
  auto r = w.response();
  CHECK(r.status == 500);
  CHECK_FALSE(has(r.body, "secret"));
  w.get("/hello");
  CHECK(w.response().status == 200);
  CHECK(s.stats().failed == 1);
}

TEST_CASE("a client that asks may wait before it sends its body") {
  served s;
  http_wire w(s.port);
  w.send("POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  CHECK(w.until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  w.send("hello");
  CHECK(w.response().body == "hello");
  w.send("POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n");
  CHECK(w.response().status == 413);
}

TEST_CASE("draining answers 503 but for marked routes; stopping completes what is under way") {
  served s;
  http_wire working(s.port), idle(s.port);
  working.get("/waits");
  idle.get("/hello");
  idle.response();
  REQUIRE(until(10s, [&] { return s.on_it([&] { return s.waiting; }) == 1; }));
  s.on_it([&] {
    s.server.drain();
    return 0;
  });
  CHECK(http_get(s.port, "/health").status == 503);
  auto gone = http_get(s.port, "/hello");
  CHECK(gone.status == 503);
  CHECK(gone.body == R"({"detail": "Service is draining", "status": "draining"})");
  CHECK(has(gone.head, "Connection: close"));

  auto stopped = s.begin_stop(10s);
  CHECK(idle.rest().empty());
  CHECK_THROWS_AS(http_wire{s.port}, std::system_error);
  CHECK(stopped.wait_for(0s) != std::future_status::ready);
  s.on_it([&] { return s.gate.cancel(); });
  CHECK(working.response().body == "waited");
  CHECK(stopped.get() == 0);
}

TEST_CASE("stopping cuts what does not end in time") {
  served s;
  http_wire working(s.port);
  working.get("/waits");
  REQUIRE(until(10s, [&] { return s.on_it([&] { return s.waiting; }) == 1; }));
  CHECK(s.stop(50ms) == 1);
  CHECK(working.rest().empty());
}
