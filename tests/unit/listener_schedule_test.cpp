#include "events/listener_thread.hpp"
#include "support/until.hpp"
#include "unit/listener_threads.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <random>
#include <stdexcept>
#include <thread>

using namespace corbel::test;
using corbel::detail::listener;
using corbel::detail::listener_thread;

namespace {
std::atomic<long> alive{0};

/// Counts the tasks that exist.
struct token {
  token() { ++alive; }
  token(const token &) { ++alive; }
  ~token() { --alive; }
};

/// One listener and what it saw. Shared by its tasks, so that abandoned ones have something to write to.
struct seen {
  std::atomic<int> inside{0};
  std::atomic<long> accepted{0}, ran{0}, overlaps{0}, after_close{0};
  std::atomic<bool> closed{false};
};

struct subject {
  std::shared_ptr<seen> saw = std::make_shared<seen>();
  std::shared_ptr<listener> receives;
};

void post(const subject &s, unsigned what) {
  auto task = [saw = s.saw, what, t = token()] {
    if (saw->inside.fetch_add(1) != 0) ++saw->overlaps;
    if (saw->closed) ++saw->after_close;
    if (what % 7 == 0) std::this_thread::sleep_for(std::chrono::microseconds(what % 2500));  // some are slow
    ++saw->ran;
    --saw->inside;
    if (what % 11 == 0) throw std::runtime_error("by chance");
  };
  if (s.receives->post(std::move(task))) ++s.saw->accepted;
}

void run_schedule(unsigned seed) {
  listener_thread threads(nullptr, 1ms);  // so that every schedule has some slow calls
  std::vector<subject> subjects(6);
  for (auto &s : subjects) s.receives = threads.add("subject");
  std::vector<std::thread> drivers;
  for (unsigned d = 0; d < 3; ++d)
    drivers.emplace_back([&, d] {
      std::mt19937 random(seed * 16 + d);
      for (int i = 0; i < 120; ++i) {
        auto &s = subjects[random() % subjects.size()];
        post(s, static_cast<unsigned>(random()));
        if (&s - subjects.data() < 2 && random() % 60 == 0) {
          s.receives->close();
          s.saw->closed = true;
        }
        if (random() % 40 == 0) std::this_thread::yield();
      }
    });
  for (auto &d : drivers) d.join();
  bool destroy = seed % 3 == 0;
  if (!destroy) threads.stop(patience);
  for (auto &s : subjects) {
    if (!s.saw->closed) {
      CHECK(until(patience, [&] { return s.saw->ran == s.saw->accepted; }));
    } else {
      CHECK(s.saw->ran <= s.saw->accepted);
      CHECK(s.saw->after_close <= 1);  // the one that had begun
    }
    CHECK(s.saw->overlaps == 0);
  }
}
}  // namespace

TEST_CASE("whatever the schedule: one call at a time, every accepted task runs or is destroyed, nothing is left") {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    run_schedule(seed);
    CHECK(until(patience, [] { return listener_thread_count() == 0 && alive == 0; }));
  }
}
