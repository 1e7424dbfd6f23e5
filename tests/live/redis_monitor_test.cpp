// The health monitor: what it tells, when, and that nobody can disturb it.
#include "support/log_lines.hpp"
#include "support/redis_calls.hpp"
#include "support/redis_server.hpp"
#include "support/tcp_gate.hpp"
#include "support/until.hpp"

#include <corbel/redis_monitor.hpp>

#include <doctest/doctest.h>

#include <mutex>
#include <thread>

using namespace corbel;
using namespace corbel::test;

namespace {

/// Remembers what a listener was told.
class told {
 public:
  redis_monitor::listener listener() {
    return [s = state_](const redis_state_change &c) {
      std::lock_guard lock(s->mutex);
      s->changes.push_back(c);
      s->thread = std::this_thread::get_id();
    };
  }
  std::vector<redis_state_change> all() const {
    std::lock_guard lock(state_->mutex);
    return state_->changes;
  }
  bool wait_for(redis_state wanted, std::uint64_t epoch = 0) const {
    return until(patience, [&] {
      for (auto &c : all()) {
        if (c.state == wanted && c.epoch >= epoch) return true;
      }
      return false;
    });
  }
  std::thread::id thread() const {
    std::lock_guard lock(state_->mutex);
    return state_->thread;
  }

 private:
  struct shared {
    std::mutex mutex;
    std::vector<redis_state_change> changes;
    std::thread::id thread;
  };
  std::shared_ptr<shared> state_ = std::make_shared<shared>();
};

struct fixture {
  redis_server server;
  tcp_gate gate{server.port()};
  log_lines lines;
  runtime rt{{.log = lines.collector()}};
  redis_pool pool{rt, {.url = gate.url()}};
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "unknown until the first connection is made or refused") {
  gate.black_hole(true);
  redis_pool waiting(rt, {.url = gate.url()});
  redis_monitor monitor(waiting);
  told t;
  monitor.listen(t.listener());
  REQUIRE(until(patience, [&] { return !t.all().empty(); }));
  auto first = t.all().front();
  CHECK((first.state == redis_state::unknown || first.state == redis_state::reconnecting));
  CHECK(first.epoch == 0);
  gate.black_hole(false);
  REQUIRE(t.wait_for(redis_state::up));
  CHECK(monitor.last().epoch == 1);
}

TEST_CASE_FIXTURE(fixture, "up, down with a reason, reconnecting, up, resubscribed, in this order") {
  redis_subscription sub(pool);
  for (int i = 0; i < 100; ++i) subscribe(sub, "c" + std::to_string(i)).value();
  redis_monitor monitor(pool);
  told t;
  monitor.listen(t.listener());
  REQUIRE(t.wait_for(redis_state::up));
  std::promise<std::size_t> confirmed;
  monitor.listen([&, done = false](const redis_state_change &c) mutable {
    if (c.state != redis_state::resubscribed || c.epoch < 2 || std::exchange(done, true)) return;
    confirmed.set_value(server.command({"PUBSUB", "CHANNELS"}).elements.size());
  });

  gate.refuse(true);
  gate.reset_all();
  REQUIRE(t.wait_for(redis_state::down));
  gate.black_hole(true);
  gate.refuse(false);
  REQUIRE(t.wait_for(redis_state::reconnecting));
  REQUIRE(until(patience, [&] { return monitor.state() == redis_state::reconnecting; }));
  gate.black_hole(false);
  REQUIRE(t.wait_for(redis_state::resubscribed, 2));
  CHECK(monitor.state() == redis_state::up);
  auto count = confirmed.get_future();
  REQUIRE(count.wait_for(patience) == std::future_status::ready);
  CHECK(count.get() == 100);

  auto at = [&, all = t.all()](redis_state s, std::uint64_t epoch) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i].state == s && all[i].epoch >= epoch) return i;
    }
    return all.size();
  };
  CHECK(at(redis_state::up, 1) < at(redis_state::down, 1));
  CHECK(at(redis_state::down, 1) < at(redis_state::reconnecting, 1));
  CHECK(at(redis_state::reconnecting, 1) < at(redis_state::resubscribed, 2));
  for (auto &c : t.all()) {
    if (c.state != redis_state::down) continue;
    CHECK_FALSE(c.why.message().empty());
    CHECK(c.epoch == 1);
  }
}

TEST_CASE_FIXTURE(fixture, "a late listener is told the present state at once") {
  redis_monitor monitor(pool);
  told early, late;
  monitor.listen(early.listener());
  REQUIRE(early.wait_for(redis_state::up));
  monitor.listen(late.listener());
  REQUIRE(late.wait_for(redis_state::up));
  CHECK(late.all().size() == 1);
  CHECK(late.all().front().epoch == monitor.last().epoch);
  CHECK(late.thread() != std::this_thread::get_id());

  gate.refuse(true);
  gate.reset_all();
  REQUIRE(until(patience, [&] { return monitor.state() == redis_state::down; }));
  told later;
  monitor.listen(later.listener());
  REQUIRE(until(patience, [&] { return !later.all().empty(); }));
  CHECK((later.all().front().state == redis_state::down || later.all().front().state == redis_state::reconnecting));
}

TEST_CASE_FIXTURE(fixture, "a lost connection is told without any command being sent") {
  redis_monitor monitor(pool);
  told t;
  monitor.listen(t.listener());
  REQUIRE(t.wait_for(redis_state::up));
  for (std::uint64_t epoch = 2; epoch < 6; ++epoch) {
    server.command({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
    REQUIRE(t.wait_for(redis_state::up, epoch));
  }
}

TEST_CASE_FIXTURE(fixture, "an overdue PING is a lost connection") {
  redis_monitor monitor(pool, {.ping = 50ms, .overdue = 200ms});
  told t;
  monitor.listen(t.listener());
  REQUIRE(t.wait_for(redis_state::up));
  gate.black_hole(true);
  REQUIRE(t.wait_for(redis_state::down));
  gate.black_hole(false);
  REQUIRE(t.wait_for(redis_state::up, 2));
}

TEST_CASE_FIXTURE(fixture, "silence with PINGs answered is health") {
  redis_monitor monitor(pool, {.ping = 20ms, .overdue = 10s});
  told t;
  monitor.listen(t.listener());
  REQUIRE(t.wait_for(redis_state::up));
  auto pings = [&] {
    auto line = server.info("cmdstat_ping");
    return std::stol(line.substr(line.find("calls=") + 6));
  };
  auto before = pings();
  REQUIRE(until(patience, [&] { return pings() >= before + 20; }));
  for (auto &c : t.all()) CHECK(c.state != redis_state::down);
  CHECK(monitor.last().epoch == 1);
}

TEST_CASE_FIXTURE(fixture, "a slow listener disturbs nobody and is told of in the log") {
  redis_monitor monitor(pool);
  std::promise<void> release;
  std::atomic<int> slow_calls = 0;
  monitor.listen([&, gone = release.get_future().share()](const redis_state_change &) {
    ++slow_calls;
    gone.wait();
  });
  REQUIRE(until(patience, [&] { return slow_calls == 1; }));
  told quick;
  monitor.listen(quick.listener());
  REQUIRE(quick.wait_for(redis_state::up));
  gate.reset_all();
  REQUIRE(quick.wait_for(redis_state::up, 2));
  CHECK(slow_calls == 1);
  CHECK(until(patience, [&] { return lines.count("listener", log_level::warning) >= 1; }));
  release.set_value();
  CHECK(until(patience, [&] { return slow_calls >= 2; }));
}

TEST_CASE_FIXTURE(fixture, "a listener that throws disturbs nobody and is told of in the log") {
  redis_monitor monitor(pool);
  monitor.listen([](const redis_state_change &) { throw std::runtime_error("thrown by a listener"); });
  monitor.listen([](const redis_state_change &) { throw 7; });
  told t;
  monitor.listen(t.listener());
  REQUIRE(t.wait_for(redis_state::up));
  CHECK(until(patience, [&] { return lines.count("thrown by a listener", log_level::warning) >= 1; }));
  gate.reset_all();
  REQUIRE(t.wait_for(redis_state::up, 2));
}

TEST_CASE_FIXTURE(fixture, "a pool that is full is not down") {
  redis_pool small(rt, {.url = gate.url(), .max_size = 3, .max_waiting = 2});
  redis_monitor monitor(small, {.ping = 20ms, .overdue = 10s});
  told t;
  monitor.listen(t.listener());
  REQUIRE(t.wait_for(redis_state::up));
  auto first = take(small).value(), second = take(small).value();
  for (int i = 0; i < 20; ++i) {
    CHECK(take(small, {.timeout = 20ms}).error().is(status::busy));
    CHECK(text(ask(small, redis_command("PING"))) == "PONG");
  }
  CHECK(monitor.state() == redis_state::up);
  for (auto &c : t.all()) CHECK(c.state != redis_state::down);
}

TEST_CASE_FIXTURE(fixture, "a flapping server does not flood a listener") {
  redis_monitor monitor(pool);
  told quick;
  monitor.listen(quick.listener());
  REQUIRE(quick.wait_for(redis_state::up));
  std::promise<void> release;
  std::mutex mutex;
  std::vector<redis_state_change> calls;
  monitor.listen([&, gone = release.get_future().share()](const redis_state_change &c) {
    {
      std::lock_guard lock(mutex);
      calls.push_back(c);
    }
    gone.wait();
  });
  REQUIRE(until(patience, [&] {
    std::lock_guard lock(mutex);
    return calls.size() == 1;
  }));
  std::uint64_t epoch = 1;
  for (int i = 0; i < 7; ++i) {
    gate.reset_all();
    REQUIRE(until(patience, [&] { return monitor.last().epoch > epoch && monitor.state() == redis_state::up; }));
    epoch = monitor.last().epoch;
  }
  release.set_value();
  REQUIRE(until(patience, [&] {
    std::lock_guard lock(mutex);
    return calls.back().epoch >= epoch;
  }));
  std::lock_guard lock(mutex);
  CHECK(calls.size() <= 4);  // the first, and the latest: up, and resubscribed with it
}

TEST_CASE_FIXTURE(fixture, "an unlistened listener is not called again, also when it does it itself") {
  redis_monitor monitor(pool);
  told stays, leaves;
  monitor.listen(stays.listener());
  auto id = monitor.listen(leaves.listener());
  REQUIRE(leaves.wait_for(redis_state::up));
  CHECK(monitor.unlisten(id));
  CHECK_FALSE(monitor.unlisten(id));
  auto before = leaves.all().size();
  std::atomic<int> own = 0;
  std::promise<std::uint64_t> own_id;
  auto own_future = own_id.get_future().share();
  own_id.set_value(monitor.listen([&, own_future](const redis_state_change &) {
    ++own;
    monitor.unlisten(own_future.get());
  }));
  REQUIRE(until(patience, [&] { return own == 1; }));
  gate.reset_all();
  REQUIRE(stays.wait_for(redis_state::up, 2));
  CHECK(leaves.all().size() == before);
  CHECK(own == 1);
}

TEST_CASE_FIXTURE(fixture, "a monitor may outlive its pool, and the runtime") {
  std::optional<runtime> short_lived(std::in_place);
  std::optional<redis_pool> short_pool(std::in_place, *short_lived, redis_options{.url = gate.url()});
  redis_monitor monitor(*short_pool);
  told t;
  monitor.listen(t.listener());
  REQUIRE(t.wait_for(redis_state::up));
  short_pool.reset();
  short_lived.reset();
  monitor.listen(t.listener());
  CHECK_FALSE(monitor.unlisten(999));
  CHECK(monitor.last().epoch >= 1);
}
