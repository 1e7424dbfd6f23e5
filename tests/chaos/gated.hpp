#pragma once
/// What most chaos tests start from: a server that keeps its data, a gate before it, a pool and a subscription through the
/// gate, and a check that nothing is left open when the test is done.

#include "support/callers.hpp"
#include "support/redis_calls.hpp"
#include "support/redis_server.hpp"
#include "support/resources.hpp"
#include "support/subscription_reader.hpp"
#include "support/tcp_gate.hpp"
#include "support/until.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <thread>

namespace corbel::test {

using notice_kind = redis_notice::kind;

inline std::size_t count(const subscription_reader &r, notice_kind kind) {
  auto all = r.seen();
  return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](auto &n) { return n.type == kind; }));
}

/// What must hold of any crowd of callers, whatever happened to them.
inline void check_exactly_once(const callers_report &r) {
  CHECK(r.completed == r.calls);
  CHECK(r.again == 0);
  CHECK(r.wrong == 0);
  CHECK(r.uncounted == 0);
}

inline std::size_t failed_with(const callers_report &r, std::initializer_list<status> expected) {
  std::size_t sum = 0;
  for (auto s : expected) sum += r.failed.contains(s) ? r.failed.at(s) : 0;
  return sum;
}

class gated {
 public:
  explicit gated(redis_options options = {}, redis_server_options server_options = {.append_only = true})
      : server(std::move(server_options)), gate(server.port()) {
    descriptors_ = open_descriptors();
    rt.emplace();
    options.url = gate.url();
    pool.emplace(*rt, std::move(options));
    redis_subscription sub(*pool);
    subscribe(sub, "channel").value();
    reader.emplace(std::move(sub));
  }
  ~gated() {
    reader.reset();
    pool.reset();
    rt.reset();
    CHECK(until(std::chrono::seconds(20), [&] { return gate.connections() == 0 && open_descriptors() <= descriptors_; }));
  }

  /// Commands and the subscription work; waits for both.
  void check_alive() {
    // Just after a reset the command may go out on the connection that is gone, and is lost, for it was not marked
    // idempotent.
    CHECK(until(std::chrono::seconds(20),
                [&] { return text(ask(*pool, redis_command("PING"), {.timeout = std::chrono::seconds(20)})) == "PONG"; }));
    auto mark = "alive " + std::to_string(++marks_);
    CHECK(until(std::chrono::seconds(20), [&] { return server.command({"PUBLISH", "channel", mark}).number == 1; }));
    CHECK(reader->wait_for_payload(mark));
  }

  /// Lets the connections grow older than what counts as flapping, for which the back-off grows. A length of time, not a
  /// wait for something.
  static void grow_old() { std::this_thread::sleep_for(std::chrono::milliseconds(120)); }

  redis_server server;
  tcp_gate gate;
  std::optional<runtime> rt;
  std::optional<redis_pool> pool;
  std::optional<subscription_reader> reader;

 private:
  std::size_t descriptors_ = 0;
  int marks_ = 0;
};

}  // namespace corbel::test
