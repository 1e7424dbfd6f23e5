#include "io/offload.hpp"

#include "support/until.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

using namespace corbel::detail;
using namespace std::chrono_literals;
using corbel::test::until;

namespace {
struct running_loop {
  std::shared_ptr<loop> l = std::make_shared<loop>();
  running_loop() { loop::start(l, "test"); }
  ~running_loop() { l->join(1s); }
};
/// Work that waits until it is let go.
struct gate {
  std::mutex mutex;
  std::condition_variable changed;
  bool open = false;
  void wait() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return open; });
  }
  void let_go() {
    std::lock_guard lock(mutex);
    open = true;
    changed.notify_all();
  }
};
}  // namespace

TEST_CASE("work runs elsewhere, and is told on the loop") {
  running_loop r;
  offload o;
  std::atomic<int> worked{0}, told{0}, elsewhere{0};
  for (int i = 0; i < 100; ++i)
    o.run(
        r.l, 10s,
        [&] {
          elsewhere += !r.l->is_here();
          ++worked;
        },
        [&](bool ran) { told += ran && r.l->is_here(); });
  CHECK(until(10s, [&] { return told == 100; }));
  CHECK(worked == 100);
  CHECK(elsewhere == 100);
}

TEST_CASE("work past its deadline is told as such, once, and holds nobody up but its thread") {
  running_loop r;
  auto g = std::make_shared<gate>();
  std::atomic<int> late{0}, in_time{0}, after{0};
  {
    offload o(2);
    o.run(
        r.l, 20ms, [g] { g->wait(); }, [&](bool ran) { (ran ? in_time : late)++; });
    CHECK(until(10s, [&] { return late == 1; }));
    o.run(
        r.l, 10s, [] {}, [&](bool ran) { after += ran; });
    CHECK(until(10s, [&] { return after == 1; }));
  }
  g->let_go();
  CHECK(in_time == 0);
  CHECK(late == 1);
}

TEST_CASE("jobs beyond the most at once wait, each with its own deadline") {
  running_loop r;
  auto g = std::make_shared<gate>();
  offload o(1);
  std::atomic<int> late{0}, ran_in_time{0};
  o.run(
      r.l, 10s, [g] { g->wait(); }, [&](bool ran) { ran_in_time += ran; });
  o.run(
      r.l, 20ms, [] {}, [&](bool ran) { late += !ran; });
  CHECK(until(10s, [&] { return late == 1; }));
  g->let_go();
  CHECK(until(10s, [&] { return ran_in_time == 1; }));
}
