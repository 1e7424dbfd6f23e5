#pragma once
/// A server, a runtime, a pool and the calls of a queue as a test wants them: blocking, with a deadline, failing the test.

#include "support/queue_claims.hpp"
#include "support/redis_server.hpp"
#include "support/until.hpp"

#include <corbel/queue.hpp>

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <future>
#include <string>
#include <vector>

namespace corbel::test {

using namespace std::chrono_literals;
inline constexpr std::chrono::seconds patience{30};

/// The result of a future, which must come in time.
template <class T>
T now(std::future<T> f) {
  REQUIRE(f.wait_for(patience) == std::future_status::ready);
  return f.get();
}

struct queue_fixture {
  redis_server server;
  runtime rt;
  redis_pool pool{rt, {.url = server.url()}};

  put_receipt put(std::vector<put_item> items, const std::string &name = "work") {
    producer in(pool, {.name = name});
    auto r = now(in.async_put(std::move(items), {.timeout = patience}, boost::asio::use_future));
    REQUIRE_MESSAGE(r, r.error().message());
    return std::move(*r);
  }
  long long number(std::vector<std::string> command) { return server.command(command).number; }
  /// Connections that wait until the list has something.
  std::size_t peeking() {
    std::size_t n = 0;
    for (const auto &client : server.clients()) n += client.find("cmd=blmove") != client.npos;
    return n;
  }
  long long ready(const std::string &name = "work") { return number({"LLEN", name}); }
  long long inflight(const std::string &name = "work") { return in_flight(server, name); }
  /// Nothing of the queue is left but its token.
  bool is_empty(const std::string &name = "work") {
    return number({"EXISTS", name, name + ":inflight", name + ":leases", name + ":attempts", name + ":holders",
                   name + ":history", name + ":groups", name + ":delayed", name + ":delayed:items", name + ":dead",
                   name + ":dead:items", name + ":dead:notes"}) == 0 &&
           server.command({"GET", name + ":parked"}).text.find_first_not_of('0') == std::string::npos;
  }
};

inline std::future<result<message>> taking(consumer &c) { return c.async_take(boost::asio::use_future); }

inline message take(consumer &c) {
  auto r = now(taking(c));
  REQUIRE_MESSAGE(r, r.error().message());
  return std::move(*r);
}

inline settle_request retry_at_once() {
  settle_request how = settle::retry;
  how.delay = 0ms;
  return how;
}

inline result<bool> settling(message &m, settle_request how, call c = {}) {
  return now(m.async_settle(std::move(how), c, boost::asio::use_future));
}

/// Settles and returns whether the lease was still ours.
inline bool settled(message &m, settle_request how = settle::done) {
  auto r = settling(m, std::move(how));
  REQUIRE_MESSAGE(r, r.error().message());
  return *r;
}

inline result<std::size_t> drain(consumer &c, std::chrono::milliseconds timeout = patience) {
  return now(c.async_drain({.timeout = timeout}, boost::asio::use_future));
}

}  // namespace corbel::test
