#include "live/http_fixture.hpp"
#include "live/http_wire.hpp"
#include "support/until.hpp"

#include <doctest/doctest.h>

using namespace corbel;
using namespace corbel::test;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

event_frame frame(std::string text) { return std::make_shared<const std::string>("data: " + std::move(text) + "\n\n"); }

/// Opens /events and reads its header.
std::string begin(http_wire &w, const char *version = "1.1") {
  w.send("GET /events HTTP/"s + version + "\r\nHost: t\r\n\r\n");
  return w.until("\r\n\r\n");
}
void push(served &s, std::string text) {
  s.on_it([&] { return s.stream->push(frame(text)); });
}
/// The next chunk's text.
std::string chunk(http_wire &w) {
  auto size = std::stoul(w.until("\r\n"), nullptr, 16);
  auto text = w.exactly(size);
  w.exactly(2);
  return text;
}

}  // namespace

TEST_CASE("frames reach the client in order, a comment keeps a silent stream alive, finishing ends it") {
  served s({}, {.silence = 100ms});
  http_wire w(s.port);
  auto head = begin(w);
  CHECK(head.find("HTTP/1.1 200 ") == 0);
  CHECK(head.find("Content-Type: text/event-stream\r\n") != std::string::npos);
  push(s, "one");
  CHECK(chunk(w) == "data: one\n\n");
  CHECK(chunk(w) == ": keepalive\n\n");
  s.on_it([&] {
    s.stream->push(frame("two"));
    s.stream->push(frame("three"));
    s.stream->finish();
    CHECK_FALSE(s.stream->push(frame("too late")));
    return 0;
  });
  CHECK(chunk(w) == "data: two\n\ndata: three\n\n");
  CHECK(w.rest() == "0\r\n\r\n");
}

TEST_CASE("an HTTP/1.0 client gets the stream without chunks") {
  served s;
  http_wire w(s.port);
  begin(w, "1.0");
  push(s, "one");
  CHECK(w.until("\n\n") == "data: one\n\n");
  s.on_it([&] {
    s.stream->finish();
    return 0;
  });
  CHECK(w.rest().empty());
}

TEST_CASE("a slow client loses the oldest frames and is told how many") {
  served s({}, {.max_frames = 10});
  http_wire w(s.port, 4096);
  begin(w);
  // More than all socket buffers hold, in one step: the connection cannot take any of it meanwhile.
  auto left = s.on_it([&] {
    for (int i = 0; i < 1000; ++i) s.stream->push(frame(std::to_string(i)));
    return s.stream->dropped();
  });
  CHECK(left == 990);
  auto text = chunk(w);
  CHECK(text.starts_with(": dropped 990\n\ndata: 990\n\n"));
  CHECK(text.ends_with("data: 999\n\n"));
  w.close();
  CHECK(until(10s, [&] { return s.stats().frames_dropped == 990; }));
}

TEST_CASE("a client that takes nothing does not grow the server's memory and is cut") {
  served s({.write = 300ms}, {.max_frames = 100000, .max_bytes = 1 << 20});
  bool ended = false;
  s.stream_options.on_end = [&] { ended = true; };
  http_wire w(s.port, 4096);
  begin(w);
  std::string large(100000, 'x');
  CHECK(until(10s, [&] {
    push(s, large);
    return s.on_it([&] { return ended; });
  }));
  CHECK(s.stats().timed_out == 1);
  CHECK(s.on_it([&] { return s.stream->dropped(); }) > 0);
}

TEST_CASE("a client that went away is noticed without a frame to send") {
  served s({}, {.silence = 1h});
  bool ended = false;
  s.stream_options.on_end = [&] { ended = true; };
  {
    http_wire w(s.port);
    begin(w);
    CHECK(s.stats().streams == 1);
  }
  CHECK(until(10s, [&] { return s.on_it([&] { return ended; }); }));
  CHECK(until(10s, [&] { return s.stats().streams == 0; }));
  CHECK_FALSE(s.on_it([&] { return s.stream->push(frame("x")); }));
}

TEST_CASE("streams are told when the server drains") {
  served s({}, {.farewell = [] { return frame("farewell"); }});
  http_wire w(s.port);
  begin(w);
  push(s, "before");
  CHECK(chunk(w) == "data: before\n\n");
  s.on_it([&] {
    s.server.drain();
    return 0;
  });
  CHECK(chunk(w) == "data: farewell\n\n");
  CHECK(w.rest() == "0\r\n\r\n");
}
