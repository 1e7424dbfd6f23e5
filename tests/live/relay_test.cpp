#include "relay/relay.hpp"

#include "relay/publisher.hpp"
#include "support/redis_server.hpp"
#include "support/until.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <future>

using namespace corbel;
using namespace corbel::test;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

/// A relay and a publisher on the I/O thread of a runtime.
struct relayed {
  redis_server server{{.append_only = true}};
  runtime rt;
  redis_pool pool{rt, {.url = server.url()}};
  relay_scope scope{.tenant = "t", .project = "p"};
  relay_publisher publisher{pool, scope};
  std::unique_ptr<relay> relays = std::make_unique<relay>(pool, scope);

  ~relayed() {
    on_io([this] { relays.reset(); });
  }
  template <class F>
  auto on_io(F f) -> decltype(f()) {
    return asio::post(pool.executor(), asio::use_future(std::move(f))).get();
  }
  /// co_spawn cannot hand over what has no default, such as a result.
  template <class T>
  std::future<T> start(asio::awaitable<T> a) {
    auto promise = std::make_shared<std::promise<T>>();
    auto to = promise->get_future();
    asio::co_spawn(pool.executor(), fulfil(std::move(a), std::move(promise)), asio::detached);
    return to;
  }
  template <class T>
  static asio::awaitable<void> fulfil(asio::awaitable<T> a, std::shared_ptr<std::promise<T>> promise) {
    try {
      promise->set_value(co_await std::move(a));
    } catch (...) {
      promise->set_exception(std::current_exception());
    }
  }
  std::vector<std::string> channels() {
    std::vector<std::string> names;
    for (auto &e : server.command({"PUBSUB", "CHANNELS", "*chat.events*"}).elements) names.push_back(e.text);
    return names;
  }
};

/// What one stream was given. Touched on the I/O thread only.
struct heard {
  std::vector<std::string> frames = {};
  relay_listener listener(const std::string &session) {
    return {.session_id = session, .stream_id = "A", .give = [this](const relay_frame &f) { frames.push_back(*f); }};
  }
};

relay_message message(const std::string &session, int n) {
  return {.id = "m" + std::to_string(n), .session_id = session, .event = "e", .data = std::to_string(n)};
}

/// Publishes 0, 1, 2 ... one after another until it is told to stop; how many. At a pace at which a channel's recent list,
/// 256 messages, holds what is published while the relay is away.
asio::awaitable<int> publish(relayed &r, std::string session, const bool &stop) {
  asio::steady_timer pace(co_await asio::this_coro::executor);
  int n = 0;
  while (!stop) {
    pace.expires_after(2ms);
    co_await pace.async_wait(asio::use_awaitable);
    auto told = co_await r.publisher.publish_surely(message(session, n++), 30s);
    told.value();
  }
  co_return n;
}

}  // namespace

TEST_CASE("every stream gets everything once and in order while the server is killed again and again") {
  relayed r;
  constexpr int sessions = 20;
  std::vector<heard> all(sessions);
  for (int s = 0; s < sessions; ++s)
    REQUIRE(r.start(r.relays->open(all[std::size_t(s)].listener("s" + std::to_string(s)))).get());
  CHECK(r.channels().size() == sessions);
  bool stop = false;
  std::vector<std::future<int>> publishers;
  for (int s = 0; s < sessions; ++s) publishers.push_back(r.start(publish(r, "s" + std::to_string(s), stop)));
  for (int kills = 0; kills < 5; ++kills) {
    auto so_far = r.on_io([&] { return r.relays->stats().delivered; });
    REQUIRE(until(30s, [&] { return r.on_io([&] { return r.relays->stats().delivered; }) > so_far + 500; }));
    r.server.kill();
    r.server.start();
  }
  r.on_io([&] { stop = true; });
  for (int s = 0; s < sessions; ++s) {
    auto published = publishers[std::size_t(s)].get();
    auto &frames = all[std::size_t(s)].frames;
    CHECK(until(30s, [&] { return r.on_io([&] { return int(frames.size()) >= published; }); }));
    bool exact = r.on_io([&] {
      for (int n = 0; n < int(frames.size()); ++n) {
        if (frames[std::size_t(n)] != "id: m" + std::to_string(n) + "\nevent: e\ndata: " + std::to_string(n) + "\n\n")
          return false;
      }
      return int(frames.size()) == published;
    });
    CHECK(exact);
  }
  MESSAGE("recovered from the recent lists: ", r.on_io([&] { return r.relays->stats().recovered; }));
}

TEST_CASE("a session's channel is left with its last stream, and taken again by the next") {
  relayed r;
  heard a, b, c;
  auto first = r.start(r.relays->open(a.listener("s"))).get(), second = r.start(r.relays->open(b.listener("s"))).get();
  REQUIRE(first);
  REQUIRE(second);
  CHECK(r.on_io([&] { return r.relays->session_of("A"); }) == "s");
  r.on_io([&] { r.relays->close(*first); });
  CHECK(r.start(r.publisher.publish(message("s", 1))).get().value() == 1);
  CHECK(until(10s, [&] { return r.on_io([&] { return b.frames.size(); }) == 1; }));
  // Closed and opened in one step: leaving must not overtake taking.
  auto third = r.on_io([&] {
    r.relays->close(*second);
    return r.start(r.relays->open(c.listener("s")));
  });
  auto opened = third.get();
  REQUIRE_MESSAGE(opened, opened.error().message());
  CHECK(r.start(r.publisher.publish(message("s", 2))).get().value() == 1);
  CHECK(until(10s, [&] { return r.on_io([&] { return c.frames.size(); }) == 1; }));
  CHECK(r.on_io([&] { return a.frames.size() + b.frames.size(); }) == 1);
  r.on_io([&] { r.relays->close(3); });
  CHECK(until(10s, [&] { return r.channels().empty(); }));
  CHECK(r.on_io([&] { return r.relays->session_of("A"); }).empty());
  CHECK(r.on_io([&] { return r.relays->stats().rooms; }) == 0);
}

TEST_CASE("messages of the platform's own publishers come through, what cannot be read is counted") {
  relayed r;
  heard a;
  REQUIRE(r.start(r.relays->open(a.listener("s"))).get());
  auto channel = relay_channel(r.scope, "s");
  r.server.command({"PUBLISH", channel, "not JSON"});
  r.server.command(
      {"PUBLISH", channel, R"({"target_sid":null,"session_id":"s","event":"chat_delta","data":{"x":1},"timestamp":1.5})"});
  CHECK(until(10s, [&] { return r.on_io([&] { return a.frames.size(); }) == 1; }));
  CHECK(r.on_io([&] { return a.frames[0]; }).ends_with("\nevent: chat_delta\ndata: {\"x\": 1}\n\n"));
  CHECK(r.on_io([&] { return r.relays->stats().malformed; }) == 1);
}

TEST_CASE("a stream cannot be opened while the server is away, and can be afterwards") {
  relayed r;
  heard a, b;
  REQUIRE(r.start(r.relays->open(a.listener("s"))).get());
  r.server.pause();
  auto opening = r.start(r.relays->open(b.listener("other")));
  auto failed = opening.get();
  CHECK_FALSE(failed);
  CHECK(r.on_io([&] { return r.relays->stats().rooms; }) == 1);
  r.server.resume();
  CHECK(until(20s, [&] { return bool(r.start(r.relays->open(b.listener("other"))).get()); }));
  CHECK(r.start(r.publisher.publish_surely(message("other", 1), 20s)).get().value() == 1);
  CHECK(until(10s, [&] { return r.on_io([&] { return b.frames.size(); }) == 1; }));
}

TEST_CASE("the recent list is short and goes away") {
  relayed r;
  for (int n = 0; n < 300; ++n) REQUIRE(r.start(r.publisher.publish(message("s", n))).get());
  auto key = relay_recent_key(relay_channel(r.scope, "s"));
  CHECK(r.server.command({"LLEN", key}).number == relay_publisher::recent_messages);
  auto left = r.server.command({"PTTL", key}).number;
  CHECK(left > 0);
  CHECK(left <= relay_publisher::recent_time.count());
  CHECK(r.server.command({"LINDEX", key, "-1"}).text == message("s", 299).json());
}
